"""What of chosen operations an undo can be about at all: each value once, by the operation that wrote it last.

Pure over rows. A value that was written several times goes back to what stood there before the first of an unbroken
row of our own writes. What another operation has written since is not ours to take back under this name; opt-outs,
effects and whatever else cannot be taken back are named one by one. Whose a value is by now is `sync.undo`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sync.normalise import Lens
from sync.plan import Work, decode_work, target_of
from sync.record import Ref
from sync.rows import OperationRow
from sync.rules import ActionKind
from sync.said import TakeBack
from sync.undo import Left

LATER, OPT_OUT, EFFECT, CREATED, FINAL = "later", "optout", "effect", "created", "final"
_CONSENT = "consent."


class Choice(NamedTuple):
    """What an undo is to be about, and what it cannot be about."""

    items: tuple[TakeBack, ...]
    left: tuple[Left, ...]


class _Written(NamedTuple):
    row: OperationRow
    work: Work
    chosen: bool


def choose(
    lens: Lens, chosen: Sequence[OperationRow], later: Iterable[OperationRow], name: str = ""
) -> Choice:
    """Sort chosen operations of one route out; `later`: whatever else was applied to their records since the first
    of them; `name`: only this field (a create goes back as a whole or not at all)."""
    own = {row.id for row in chosen}
    made = {target_of(row) for row in chosen if row.action == ActionKind.CREATE and not name}
    items = [TakeBack(row.id, "", row.id) for row in chosen if target_of(row) in made and _makes(row)]
    left: list[Left] = []
    paths: dict[tuple[Ref, str], None] = {}
    written: defaultdict[tuple[Ref, str], list[_Written]] = defaultdict(list)
    everything = {row.id: row for row in (*later, *chosen)}
    for number in sorted(everything):
        row = everything[number]
        work = decode_work(row.body)
        for path in work.fields:
            written[target_of(row), path].append(_Written(row, work, number in own))
        if number in own:
            fields, barred = _sort(row, work, name)
            left += barred
            paths.update(((target_of(row), path), None) for path in fields if target_of(row) not in made)
    for target, path in paths:
        found = _back_to(lens, target, path, written[target, path])
        if isinstance(found, TakeBack):
            items.append(found)
        else:
            left.append(found)
    return Choice(tuple(items), tuple(left))


def _makes(row: OperationRow) -> bool:
    return row.action == ActionKind.CREATE


def _sort(row: OperationRow, work: Work, name: str) -> tuple[list[str], list[Left]]:
    """The paths of one chosen operation that may go back, and what may not."""
    target = target_of(row)
    fields = {path: field.name for path, field in work.fields.items() if name in ("", field.name)}
    match row.action:
        case ActionKind.UPDATE.value | ActionKind.BLANK.value | ActionKind.SETBACK.value:
            barred = [Left(row.id, target, each, OPT_OUT) for each in fields.values() if _is_consent(each)]
            return [path for path, each in fields.items() if not _is_consent(each)], barred
        case ActionKind.CREATE.value:
            return [], [Left(row.id, target, each, CREATED) for each in fields.values() if name]
        case ActionKind.OPT_OUT.value:
            return [], [Left(row.id, target, each, OPT_OUT) for each in fields.values()]
        case ActionKind.EFFECT.value:
            return [], [Left(row.id, target, "", EFFECT)] if not name else []
        case _:
            return [], [Left(row.id, target, "", FINAL)] if not name else []


def _is_consent(name: str) -> bool:
    return name.startswith(_CONSENT)


def _back_to(lens: Lens, target: Ref, path: str, written: Sequence[_Written]) -> TakeBack | Left:
    """How far one value goes back."""

    def read(raw: object) -> object:
        return lens.read_raw(target.system, target.object, path, raw)  # type: ignore[arg-type]

    *before, last = written
    if not last.chosen:
        ours = next(each for each in reversed(before) if each.chosen)
        return Left(ours.row.id, target, ours.work.fields[path].name, LATER)
    first = last
    for each in reversed(before):
        unbroken = read(each.work.fields[path].desired) == read(first.work.fields[path].expected)
        if not each.chosen or _makes(each.row) or not unbroken:
            break
        first = each
    return TakeBack(last.row.id, path, first.row.id)
