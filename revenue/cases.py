"""What is remembered of each reason to return to nurture.

A case is one reason (a closing of a deal, a rejection) with a number; an entry is what became of it. Facts only, small
and ready for JSON: what stands is kept, of what stands no longer the last few. Nothing is decided here but that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from sync.rules import Fields
from sync.standing import Memory

WAITING, RETURNED, SKIPPED, ENDED = "waiting", "returned", "skipped", "ended"
KEPT = 20


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

    `by`: the entity in its key. `at`: when it returned, was skipped or ended (unix seconds). `code`: why it was
    skipped. `list`, `wake_on` (ISO date), `reason`: of the return. `later`: what the reason was changed to afterwards.
    """

    by: int
    state: str = WAITING
    at: float = 0.0
    code: str = ""
    list: str = ""
    wake_on: str = ""
    reason: str = ""
    later: str = ""
    reminded: bool = False

    @property
    def on_list(self) -> bool:
        """True from the return until the case ends, also for who is excluded meanwhile."""
        return bool(self.list) and self.state in {RETURNED, SKIPPED}


Entries: TypeAlias = Mapping[str, Entry]


def load(memory: Memory) -> Entries:
    """The remembered cases by name."""
    return {name: Entry(**{"by": 0, **facts}) for name, facts in memory.get("cases", {}).items()}


def dump(entries: Entries) -> Mapping[str, Any]:
    """The same for the memory, without what is blank."""
    return {
        name: {key: value for key, value in entry._asdict().items() if value}
        for name, entry in entries.items()
    }


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
