"""What somebody wants taken back, found in the journal, and the taking back itself.

It decides which operations a run, a rule, a digest or a person stands for, and that the word goes to the running
service where there is one. What may be taken back is the engine's affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from renkei.saying import post_word
from renkei.settings import Project
from renkei.wire import look
from sync.errors import Fatal
from sync.holds import UNDO, UNLINKED
from sync.normalise import Lens
from sync.plan import target_of
from sync.rows import HoldRow, OperationRow, RunRow
from sync.said import TakeBack, Undo
from sync.undo import TRIGGER, Judged, Left, Take, judge
from sync.undoable import choose

if TYPE_CHECKING:
    from renkei.progress import Teller
    from renkei.undone import Outcome
    from renkei.wire import Wired
    from state.reader import Reader
    from state.undoable import Meant
    from sync.rules import Rules

EXAMPLES = 10
ANNOUNCED = "announced"


class Part(NamedTuple):
    """What an undo would do on one route: the word to say, what it may take back, and everything that it may not.
    `marks`: of an earlier undo, which fall with this one."""

    route: str
    word: Undo
    judged: Judged
    left: tuple[Left, ...]
    marks: tuple[HoldRow, ...] = ()

    @property
    def empty(self) -> bool:
        """True if there is nothing to do."""
        return not (self.judged.takes or self.judged.unlinks or self.word.relink)


def parts_of(
    project: Project,
    rules: Sequence[Rules],
    meant: Meant,
    *,
    what: str,
    field: str = "",
    delete: bool = False,
) -> list[Part]:
    """What is meant, route by route, judged by what the journal knows now; `what` is kept with the undo's run.
    `delete`: records of our making are to go where nobody has touched them. Raises Fatal."""
    from state.undoable import applied, since_then

    found: list[Part] = []
    with look(project) as reader, reader.snapshot():
        marks = _marks_of(reader, meant.run) if meant.run and not field else []
        rows = applied(reader, meant)
        later = since_then(reader, rows)
        for each in rules:
            lens = Lens(each)
            own, others = ([row for row in part if row.route == each.route] for part in (rows, later))
            choice = choose(lens, own, others, field)
            going, told = _to_go(reader, own, choice.items) if delete else ((), ())
            judged = judge(reader, lens, choice.items, going)
            falls = tuple(mark for mark in marks if mark.route == each.route)
            word = Undo(
                items=choice.items, what=what, relink=tuple(sorted({mark.entity for mark in falls})),
                relink_run=meant.run if falls else 0, delete=tuple(each.operation for each in judged.deletes),
            )  # fmt: skip
            if own or falls:
                found.append(Part(each.route, word, judged, (*choice.left, *judged.left, *told), falls))
    return found


def _to_go(
    reader: Reader, rows: Sequence[OperationRow], items: Sequence[TakeBack]
) -> tuple[tuple[int, ...], tuple[Left, ...]]:
    """The creates whose records may go, and those that stay because something was announced of their people."""
    from state.undoable import announced, entities_of

    wanted = {each.operation for each in items if not each.path}
    made = [row for row in rows if row.id in wanted]
    whose = entities_of(reader, made)
    told = announced(reader, whose.values())
    stays = tuple(Left(row.id, target_of(row), "", ANNOUNCED) for row in made if whose.get(row.id) in told)
    kept = {each.operation for each in stays}
    return tuple(row.id for row in made if row.id not in kept), stays


def _marks_of(reader: Reader, run: int) -> list[HoldRow]:
    """What a run has written down, where it is an undo that is not settled yet. Raises Fatal where there is no such
    run."""
    from state.undoable import marks_of

    rows = reader.get(RunRow, [(run,)])
    if not rows:
        raise Fatal(f"There is no run {run}.", "`renkei trace` names the run of every write")
    return marks_of(reader, run) if rows[0].trigger == TRIGGER else []


def as_data(part: Part) -> dict[str, Any]:
    """A part with stable keys: by system and field, with examples; what is left alone one by one."""
    fields: Counter[tuple[str, str]] = Counter((each.target.system, each.name) for each in part.judged.takes)
    systems: dict[str, dict[str, int]] = {}
    for (system, name), number in fields.most_common():
        systems.setdefault(system, {})[name] = number
    return {
        "route": part.route,
        "values": len(part.judged.takes),
        "fields": systems,
        "unlinked": [f"{each.target.system}:{each.target.id}" for each in part.judged.unlinks],
        "deleted": [f"{each.target.system}:{each.target.id}" for each in part.judged.deletes],
        "linked_again": sum(mark.kind == UNLINKED for mark in part.marks),
        "called_off": sum(mark.kind == UNDO for mark in part.marks),
        "examples": [_example(each) for each in part.judged.takes[:EXAMPLES]],
        "left": [left_data(each) for each in part.left],
    }  # fmt: skip


def left_data(each: Left) -> dict[str, Any]:
    """What is left alone, and why, with stable keys."""
    return {
        "operation": each.operation, "system": each.target.system, "record": each.target.id, "field": each.name,
        "why": each.why,
    }  # fmt: skip


def _example(take: Take) -> dict[str, Any]:
    return {
        "system": take.target.system, "record": take.target.id, "field": take.name, "now": take.expected,
        "then": take.desired,
    }  # fmt: skip


def alone(wired: Wired, parts: Collection[Part], teller: Teller) -> list[Outcome]:
    """Say it and do it, as the owner of the journal. Raises Fatal."""
    from renkei.syncing import sync_route
    from renkei.undone import outcome

    done: list[Outcome] = []
    for part in parts:
        number = post_word(wired.project, part.route, part.word)
        result = sync_route(wired, wired.worlds[part.route], teller)
        done.append(outcome(wired.project, part, number, result))
    return done


def beside(project: Project, parts: Collection[Part]) -> list[Outcome]:
    """Have the running service do it, and wait until it has brought the routes up to date. Raises Fatal, Retryable."""
    from renkei.daemon.beside import as_result, sync_beside
    from renkei.undone import outcome

    done: list[Outcome] = []
    for part in parts:
        number = post_word(project, part.route, part.word)
        (data,) = sync_beside(project, part.route)
        done.append(outcome(project, part, number, as_result(data)))
    return done
