"""What the vendor answers when it refuses, and the result of a saved row.

Two shapes: a whole request refused (`RequestError`, with an HTTP status) and one row refused
(`RowError`). Wording and codes live where the rule lives; this module is only their carrier.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class RequestError(Exception):
    """The whole request is refused with an HTTP status and an error code of the vendor."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.fields = status, code, message, fields


class RowError(NamedTuple):
    """Why one row was refused; `matches` names (object, id) of records that a duplicate rule found."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    matches: tuple[tuple[str, str], ...] = ()


class SaveResult(NamedTuple):
    """What became of one row; `created` tells an insert from an update."""

    id: str | None
    success: bool
    created: bool = False
    errors: tuple[RowError, ...] = ()


def refused(*errors: RowError) -> SaveResult:
    """A row that was not saved."""
    return SaveResult(None, success=False, errors=errors)
