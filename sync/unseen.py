"""Records that were asked for by id and did not come: not given, or refused (protocol §5). Pure over rows.

It decides when each is asked for again, and that one of which nobody has ever read anything may be anybody. What the
vendor says of it meanwhile, and what hangs on it, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sync.life import placeholder
from sync.note import Numbers, Reading
from sync.record import Ref
from sync.rows import LIVE, UNSEEN, CursorRow, Patch, RecordRow

UNREAD = "unread"
UNSEEN_WAIT = 3_600.0
REFUSED_WAIT = 3_600.0


def note_unseen(
    held: Mapping[Ref, RecordRow], missing: Iterable[Ref], reading: Reading, numbers: Numbers, patch: Patch
) -> int:
    """What was asked for and not given is asked for again, until it shows or the vendor says what became of it; how
    many these are. Whoever is known to have such a record of which nothing else is known is told so."""
    unseen = 0
    for ref in sorted(missing):
        row = held.get(ref) or placeholder(ref, reading, numbers())
        if row.state in (LIVE, UNSEEN):
            noted = numbers() if is_unread(row) else row.noted
            patch.put(row._replace(state=UNSEEN, refetch_at=reading.now + UNSEEN_WAIT, noted=noted))
            unseen += 1
            _may_be_anybody(row, reading, patch)
        else:
            patch.put(row._replace(refetch_at=0.0))
    return unseen


def note_refused(
    held: Mapping[Ref, RecordRow], refused: Iterable[Ref], reading: Reading, numbers: Numbers, patch: Patch,
    *, named: bool,
) -> None:  # fmt: skip
    """What the vendor refuses to give is asked for again if it had asked to be read, or if the vendor has `named` it as
    something that is to be read: nobody names it a second time. Refused is not gone: its state stays."""
    for ref in sorted(refused):
        row = held.get(ref)
        if row is None and named:
            row = placeholder(ref, reading, numbers())
            _may_be_anybody(row, reading, patch)
        if row is not None and (named or row.refetch_at):
            noted = numbers() if is_unread(row) else row.noted
            patch.put(row._replace(refetch_at=reading.now + REFUSED_WAIT, noted=noted))


def is_unread(row: RecordRow) -> bool:
    """True for a record of which nobody has ever read or written anything: only its name is known."""
    return row.as_of == row.settled == 0


def is_awaited(row: RecordRow, now: float) -> bool:
    """True for such a record once it was asked for and did not come: it is to be asked for again."""
    return row.state == UNSEEN and is_unread(row) and row.refetch_at > now


def _may_be_anybody(row: RecordRow, reading: Reading, patch: Patch) -> None:
    """Nobody knows who that is: until it shows, whom we would create is looked for first."""
    if is_unread(row):
        patch.put(CursorRow(row.system, row.kind, UNREAD, "", 0, reading.as_of, reading.now))
