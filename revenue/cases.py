"""What is remembered of each reason to return to nurture.

A case is one reason (a closing of a deal, a rejection) with a number; an entry is what became of it. Facts only, small
and ready for JSON: what stands is kept, of what stands no longer the last few. Nothing is decided here but that.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

from sync.rules import Fields
from sync.standing import Memory

KEPT = 20


class State(IntEnum):
    """How far a case has come. Of two memories of one case that are joined the greater counts: what has happened to
    one of two records that turned out to be one person has happened to that person."""

    WAITING = 0
    SKIPPED = 1
    RETURNED = 2
    ENDED = 3


class Case(NamedTuple):
    """One reason to return that stands now: what it is about and its number, when it is due (unix seconds), the values
    to read reason and wake day from, whether everything seen agrees that it stands (`sure`), and the deal's id."""

    subject: str
    number: int
    due: float
    reason: str
    values: Fields
    sure: bool = True
    deal: str = ""

    @property
    def name(self) -> str:
        """The name under which it is remembered."""
        return f"{self.subject}:{self.number}"


class Entry(NamedTuple):
    """What became of a case.

    `at`: when it returned, was skipped or ended (unix seconds). `code`: why it was skipped. `key`, `list`, `wake_on`
    (ISO date), `reason`: of the return. `later`: what the reason was changed to afterwards.
    """

    state: State = State.WAITING
    at: float = 0.0
    code: str = ""
    key: str = ""
    list: str = ""
    wake_on: str = ""
    reason: str = ""
    later: str = ""
    reminded: bool = False

    @property
    def on_list(self) -> bool:
        """True from the return until the case ends, also for who is excluded meanwhile."""
        return bool(self.list) and self.state in {State.RETURNED, State.SKIPPED}


Entries: TypeAlias = Mapping[str, Entry]


def load(memory: Memory) -> Entries:
    """The remembered cases by name."""
    return {
        name: Entry(**{**facts, "state": State(facts.get("state", 0))})
        for name, facts in memory.get("cases", {}).items()
    }


def dump(entries: Entries) -> Mapping[str, Any]:
    """The same for the memory, without what is blank."""
    return {name: _facts(entry) for name, entry in entries.items()}


def _facts(entry: Entry) -> Mapping[str, Any]:
    facts = {key: value for key, value in entry._asdict().items() if value}
    return {**facts, "state": int(entry.state)}


def newest(history: Entries) -> dict[str, Entry]:
    """The last few of the cases that stand no longer."""
    names = sorted(history, key=lambda name: (history[name].at, name))[-KEPT:]
    return {name: history[name] for name in names}


def subject_of(name: str) -> str:
    """What a remembered case is about."""
    return name.rpartition(":")[0]


def ended(name: str, entry: Entry, numbers: Mapping[str, int]) -> bool:
    """True for somebody on a list because of a case that is known to stand no longer."""
    subject, _colon, number = name.rpartition(":")
    return entry.on_list and subject in numbers and numbers[subject] != int(number)
