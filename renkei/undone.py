"""What came of an undo: what stands as before by now, and what does not, each with the reason.

It reads the journal once the route has been brought up to date. It decides which word tells why something was left
over; what is still written down goes back later, within the brakes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from renkei.wire import look
from sync.errors import Fatal
from sync.holds import UNDO, UNLINKED
from sync.plan import decode_work, target_of
from sync.record import Ref
from sync.rows import APPLIED, FAILED, IGNORED, LIVE, PLANNED, REFUSED, HoldRow, OperationRow, RecordRow
from sync.rules import ActionKind
from sync.undo import GONE, TOUCHED, Left

if TYPE_CHECKING:
    from renkei.settings import Project
    from renkei.syncing import Result
    from renkei.undoing import Part
    from state.reader import Reader

BRAKED, NOT_TAKEN, LATER_ON, NOT_KEPT = "braked", "refused", "waits", "ignored"
_WAITS = {PLANNED: BRAKED, FAILED: NOT_TAKEN, IGNORED: NOT_KEPT}


class Outcome(NamedTuple):
    """What came of it on one route: `run` the undo's own (0 = nobody has begun yet), `rest` the values that do not
    stand as before, `kept` the records that are still there."""

    part: Part
    run: int
    result: Result
    rest: tuple[Left, ...] = ()
    kept: tuple[Left, ...] = ()

    @property
    def taken(self) -> int:
        """How many values stand as before."""
        return len(self.part.judged.takes) - len(self.rest) if self.run else 0

    @property
    def deleted(self) -> int:
        """How many records are gone."""
        return len(self.part.judged.deletes) - len(self.kept) if self.run else 0


def outcome(project: Project, part: Part, number: int, result: Result) -> Outcome:
    """What came of the word with this number. Raises Fatal where it was refused."""
    from state.service import command as ask
    from state.undoable import marks_of, of_run

    with look(project) as reader:
        row = ask(reader, number)
        said = json.loads(row.body) if row is not None else {}
        if row is not None and row.state == REFUSED:
            raise Fatal(f"It was not done: {said.get('why', '')}.", "look again with --dry-run")
        run = int(said.get("run", 0))
        if not run:
            return Outcome(part, 0, result)
        with reader.snapshot():
            own, marks = of_run(reader, run), marks_of(reader, run)
            live = _live(reader, part)
    rest = tuple(_values(part, own, {(mark.entity, mark.field) for mark in marks if mark.kind == UNDO}, live))
    return Outcome(part, run, result, rest, tuple(_records(part, own, marks)))


def _live(reader: Reader, part: Part) -> set[Ref]:
    targets = {each.target for each in part.judged.takes}
    return {row.ref for row in reader.get(RecordRow, sorted(targets)) if row.state == LIVE}


def _values(
    part: Part, own: Iterable[OperationRow], waiting: set[tuple[int, str]], live: set[Ref]
) -> Iterator[Left]:
    """The values that were not taken back."""
    last = {(target_of(row), path): row for row in own for path in decode_work(row.body).fields}
    for each in part.judged.takes:
        row = last.get((each.target, each.path))
        if row is not None and row.state == APPLIED:
            continue
        over = TOUCHED if each.target in live else GONE
        waits = (each.entity, each.name) in waiting or (row is not None and row.state == IGNORED)
        yield Left(each.operation, each.target, each.name, _why(row) if waits else over)


def _records(part: Part, own: Iterable[OperationRow], marks: Iterable[HoldRow]) -> Iterator[Left]:
    """The records that were to be deleted and were not."""
    last = {target_of(row): row for row in own if row.action == ActionKind.DELETE}
    said = [msgspec.json.decode(mark.body) for mark in marks if mark.kind == UNLINKED]
    kept = {Ref(*each["record"]): str(each.get("kept", "")) for each in said}
    for each in part.judged.deletes:
        row = last.get(each.target)
        if row is None or row.state != APPLIED:
            yield Left(each.operation, each.target, "", kept.get(each.target) or _why(row))


def _why(row: OperationRow | None) -> str:
    """Why something is still to be done."""
    return _WAITS.get(row.state, LATER_ON) if row is not None else LATER_ON
