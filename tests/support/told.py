"""What the vendors' own ledgers say of every value at any time: the truth that a trace is held against.

Nothing of ours is asked here; values are those of the fake vendors, past any lag.
"""

from __future__ import annotations

from typing import NamedTuple

from sync.record import Ref
from tests.support.town import Town


class Change(NamedTuple):
    """One value of one record that became another one: when, and by whom ("human" or "api")."""

    time: float
    old: object
    new: object
    actor: str


def changes_of(town: Town, ref: Ref, path: str) -> list[Change]:
    """Every change of one value, oldest first, its first one at the record's birth among them."""
    return [
        Change(entry.time, plain(entry.changes[path][0]), plain(entry.changes[path][1]), entry.actor)
        for entry in town.ledgers[ref.system]
        if str(entry.id) == ref.id and path in entry.changes
        if plain(entry.changes[path][0]) != plain(entry.changes[path][1])
    ]


def value_at(town: Town, ref: Ref, path: str, at: float) -> object:
    """What stood there at a time (None = nothing, or there was no such record yet)."""
    past = [change for change in changes_of(town, ref, path) if change.time <= at]
    return past[-1].new if past else None


def plain(value: object) -> object:
    """A value without what the vendors' interfaces and their memories write differently: an empty one is none, a box
    that nobody has ticked neither, a number is a number."""
    if isinstance(value, bool) or value in (None, ""):
        return value or None
    return float(value) if isinstance(value, int | float) else value
