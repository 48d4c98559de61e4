"""Static lists: who is a member, who was, and since when.

Decides what a list holds and what a reader of its pages sees by now; a membership may turn up late there.
Knows no lead's values, no fault and no dialect. Source: the vendor's page "List Membership".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from simulators.ledger import Actor

Change = Literal["added", "removed"]
By = Actor | Literal["merge", "delete"]
FIRST_LIST = 2001


class Membership(NamedTuple):
    """One change of a list: `time` is unix seconds, never rounded; `by` is who did it, or what happened to the lead."""

    time: float
    lead: int
    change: Change
    by: By


@dataclass(slots=True, kw_only=True)
class StaticList:
    """One list; `members` and `leaving` say until when (unix seconds) a coming or a going stays unseen."""

    id: int
    name: str
    program: str
    created: float
    updated: float
    members: dict[int, float] = field(default_factory=dict)
    leaving: dict[int, float] = field(default_factory=dict)

    def shown(self, now: float) -> list[int]:
        """Give the lead ids that a page shows by now, in order of id."""
        here = {lead for lead, unseen in self.members.items() if unseen <= now}
        return sorted(here | {lead for lead, seen in self.leaving.items() if seen > now})


class StaticLists:
    """All static lists; `history` has each list's changes by its name, oldest first."""

    def __init__(self) -> None:
        self.rows: dict[int, StaticList] = {}
        self.history: dict[str, list[Membership]] = {}

    def add(self, name: str, program: str, now: float) -> StaticList:
        """Make an empty list; ValueError when the name is taken."""
        if name in self.history:
            raise ValueError(f"the list {name!r} exists already; choose another name")
        made = StaticList(
            id=FIRST_LIST + len(self.rows), name=name, program=program, created=now, updated=now
        )
        self.rows[made.id], self.history[name] = made, []
        return made

    def named(self, name: str) -> StaticList:
        """Give the list of this name; KeyError when there is none."""
        return (
            next(row for row in self.rows.values() if row.name == name) if name in self.history else _no(name)
        )

    def enter(self, row: StaticList, lead: int, time: float, by: By, unseen: float = 0.0) -> bool:
        """Take a lead in; False when it is a member already."""
        if lead in row.members:
            return False
        row.members[lead], row.updated = unseen, time
        row.leaving.pop(lead, None)
        self.history[row.name].append(Membership(time, lead, "added", by))
        return True

    def leave(self, row: StaticList, lead: int, time: float, by: By, seen: float = 0.0) -> bool:
        """Let a lead go; False when it is no member."""
        if lead not in row.members:
            return False
        del row.members[lead]
        row.updated = time
        if seen:
            row.leaving[lead] = seen
        self.history[row.name].append(Membership(time, lead, "removed", by))
        return True

    def forget(self, lead: int, time: float) -> None:
        """Take a deleted lead out of all lists."""
        for row in self.rows.values():
            self.leave(row, lead, time, "delete")
            row.leaving.pop(lead, None)

    def carry(self, loser: int, winner: int, time: float) -> None:
        """Pass a merged lead's memberships on to the lead that lives on."""
        for row in self.rows.values():
            if self.leave(row, loser, time, "merge"):
                self.enter(row, winner, time, "merge")
            row.leaving.pop(loser, None)


def _no(name: str) -> StaticList:
    raise KeyError(f"there is no list {name!r}")
