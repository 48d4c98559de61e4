"""What somebody wants taken back, found in the journal, and the taking back itself.

It decides which operations a run, a rule, a digest or a person stands for, and that the word goes to the running
service where there is one. What may be taken back is the engine's affair.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from renkei.saying import post_word
from renkei.settings import Project
from renkei.wire import look
from sync.errors import Fatal
from sync.normalise import Lens
from sync.plan import target_of
from sync.rows import REFUSED, OperationRow, RunRow
from sync.rules import ActionKind
from sync.said import TakeBack, Undo
from sync.undo import TRIGGER, Judged, Left, Take, judge
from sync.undoable import choose

if TYPE_CHECKING:
    from renkei.progress import Teller
    from renkei.syncing import Result
    from renkei.wire import Wired
    from state.reader import Reader
    from state.undoable import Meant
    from sync.rules import Rules

EXAMPLES = 10
ANNOUNCED = "announced"


class Part(NamedTuple):
    """What an undo would do on one route: the word to say, what it may take back, and everything that it may not."""

    route: str
    word: Undo
    judged: Judged
    left: tuple[Left, ...]

    @property
    def empty(self) -> bool:
        """True if there is nothing to do."""
        return not (self.judged.takes or self.judged.unlinks or self.word.relink)


class Outcome(NamedTuple):
    """What came of it: `run` the undo's own (0 = nobody has begun yet), `taken` the values that stand as before,
    `deleted` the records that are gone."""

    part: Part
    run: int
    taken: int
    result: Result
    deleted: int = 0


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
        relink = _unlinked_by(reader, meant.run) if meant.run and not field else ()
        rows = applied(reader, meant)
        later = since_then(reader, rows)
        for each in rules:
            lens = Lens(each)
            own, others = ([row for row in part if row.route == each.route] for part in (rows, later))
            choice = choose(lens, own, others, field)
            going, told = _to_go(reader, own, choice.items) if delete else ((), ())
            judged = judge(reader, lens, choice.items, going)
            again = relink if relink and _route_of(reader, meant.run) == each.route else ()
            word = Undo(
                items=choice.items, what=what, relink=again, relink_run=meant.run if again else 0,
                delete=tuple(each.operation for each in judged.deletes),
            )  # fmt: skip
            if own or again:
                found.append(Part(each.route, word, judged, (*choice.left, *judged.left, *told)))
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


def _unlinked_by(reader: Reader, run: int) -> tuple[int, ...]:
    """Whose records an undo has let go. Raises Fatal where there is no such run."""
    rows = reader.get(RunRow, [(run,)])
    if not rows:
        raise Fatal(f"There is no run {run}.", "`renkei trace` names the run of every write")
    if rows[0].trigger != TRIGGER:
        return ()
    return tuple(msgspec.json.decode(rows[0].body).get("unlinked", ()))


def _route_of(reader: Reader, run: int) -> str:
    return reader.get(RunRow, [(run,)])[0].route


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
        "linked_again": len(part.word.relink),
        "examples": [_example(each) for each in part.judged.takes[:EXAMPLES]],
        "left": [
            {
                "operation": each.operation, "system": each.target.system, "record": each.target.id,
                "field": each.name, "why": each.why,
            }
            for each in part.left
        ],
    }  # fmt: skip


def _example(take: Take) -> dict[str, Any]:
    return {
        "system": take.target.system, "record": take.target.id, "field": take.name, "now": take.expected,
        "then": take.desired,
    }  # fmt: skip


def alone(wired: Wired, parts: Collection[Part], teller: Teller) -> list[Outcome]:
    """Say it and do it, as the owner of the journal. Raises Fatal."""
    from renkei.syncing import sync_route

    done: list[Outcome] = []
    for part in parts:
        number = post_word(wired.project, part.route, part.word)
        result = sync_route(wired, wired.worlds[part.route], teller)
        done.append(_outcome(wired.project, part, number, result))
    return done


def beside(project: Project, parts: Collection[Part]) -> list[Outcome]:
    """Have the running service do it, and wait until it has brought the routes up to date. Raises Fatal, Retryable."""
    from renkei.daemon.beside import as_result, sync_beside

    done: list[Outcome] = []
    for part in parts:
        number = post_word(project, part.route, part.word)
        (data,) = sync_beside(project, part.route)
        done.append(_outcome(project, part, number, as_result(data)))
    return done


def _outcome(project: Project, part: Part, number: int, result: Result) -> Outcome:
    from state.answers import Which
    from state.service import command as ask
    from state.views import plan

    with look(project) as reader:
        row = ask(reader, number)
        said: dict[str, Any] = json.loads(row.body) if row is not None else {}
        if row is not None and row.state == REFUSED:
            raise Fatal(f"It was not done: {said.get('why', '')}.", "look again with --dry-run")
        run = int(said.get("run", 0))
        counts = plan(reader, Which(run=run, states=("applied",))) if run else None
    gone = ActionKind.DELETE.value
    taken = sum(each.number for each in counts.fields if each.action != gone) if counts else 0
    deleted = sum(each.number for each in counts.actions if each.action == gone) if counts else 0
    return Outcome(part, run, taken, result, deleted)
