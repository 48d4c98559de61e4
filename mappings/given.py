"""Fields of people that a standing rule gives, as computed rows."""

from __future__ import annotations

from collections.abc import Callable

from sync.record import Value
from sync.rules import Fields


def given_as(name: str) -> Callable[[Fields], Value]:
    """The value of this name, as a standing rule gives it."""
    return lambda fields: fields.get(name)
