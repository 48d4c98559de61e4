"""What a person can say to a route, as data: answers, approvals, discards, retries, undos.

The words that a screen or a command line puts into the journal and a cycle reads there (sync.commands). Nothing is
decided here.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from sync.rows import NEW, CommandRow

ANSWER, APPROVE, DISCARD, UNDO, RETRY = "answer", "approve", "discard", "undo", "retry"
KINDS = (ANSWER, APPROVE, DISCARD, UNDO, RETRY)
EVERYTHING = "all"


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every word has: `who` said it ("" = nobody knows)."""

    who: str = ""


class Answer(Word, frozen=True, kw_only=True, omit_defaults=True):
    """What a person decided of a hold: (`entity`, `field`, `kind`) name it, `hold` (in JSON «for») its details by
    `hold_hash`. `answer`: ma, sfa or leave_both of a conflict or loop; link (to `record`) or create of an ambiguous
    record or a tombstone; lift of an opt-out, with `evidence`."""

    entity: int
    field: str
    kind: str
    answer: str
    hold: str = msgspec.field(name="for")
    record: tuple[str, str, str] = ("", "", "")
    evidence: str = ""


class Seen(NamedTuple):
    """One operation of a plan as somebody has seen it: its number and the hash of its content."""

    id: int
    hash: str


class Approve(Word, frozen=True, kw_only=True, omit_defaults=True):
    """What a brake stops may go: `action` is an action kind or all, `run` the one that planned it (0 = every run).
    With a `plan` exactly that may go, as far as it stands as it was seen. `brake`: the mark of a brake on everything;
    it alone is taken off, and nothing goes but the plan, which may be empty ("" = whatever stands)."""

    action: str
    run: int = 0
    plan: tuple[Seen, ...] = ()
    brake: str = ""


class Discard(Word, frozen=True, kw_only=True, omit_defaults=True):
    """Operations that are given up, with the reason; `keep_both`: both values are agreed to differ. Those of a `plan`
    only as far as they stand as they were seen."""

    operations: tuple[int, ...] = ()
    reason: str
    keep_both: bool = False
    plan: tuple[Seen, ...] = ()


class Retry(Word, frozen=True, kw_only=True, omit_defaults=True):
    """Operations that are to be tried again now, whatever they were refused for."""

    operations: tuple[int, ...]


class TakeBack(msgspec.Struct, frozen=True, array_like=True):
    """One value that is to be taken back: the operation that wrote it last, its path ("" = the whole create), and the
    operation whose value before it shall have again (the same one, or an earlier one of an unbroken row of ours)."""

    operation: int
    path: str
    first: int


class Undo(Word, frozen=True, kw_only=True, omit_defaults=True):
    """Take back what we wrote. `what`: the choice in words, kept with the run. `relink`: entities whose
    marks of the undo `relink_run` fall. `run`: under which number it was done (0 = not yet). `delete`: creates among
    the items whose records are to be deleted where nobody has touched them."""

    items: tuple[TakeBack, ...]
    what: str = ""
    relink: tuple[int, ...] = ()
    relink_run: int = 0
    run: int = 0
    delete: tuple[int, ...] = ()


class No(Exception):
    """A word that cannot be done, and why."""


def command(at: float, route: str, word: Answer | Approve | Discard | Undo | Retry) -> CommandRow:
    """A word as a row without a number, for whoever puts it into the journal."""
    match word:
        case Answer():
            kind = ANSWER
        case Approve():
            kind = APPROVE
        case Discard():
            kind = DISCARD
        case Undo():
            kind = UNDO
        case Retry():
            kind = RETRY
    return CommandRow(0, at, kind, route, NEW, msgspec.json.encode(word))
