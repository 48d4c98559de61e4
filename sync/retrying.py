"""Try again now what was refused, because a person said so: the word `retry`.

It decides what «again» is for each state. Refused work stands open and only its wait ends; what happens then, and how
long the next wait is, is as ever. A value that the vendor took and did not keep counts as never carried, so that it is
wanted anew. An effect of which nobody knows whether it happened leaves once more.
"""

from __future__ import annotations

import msgspec

from sync import rows
from sync.note import mark_dirty
from sync.plan import decode_base, decode_work, encode_base, target_of
from sync.read import World, sent_operations
from sync.rows import (
    APPLIED,
    LIVE,
    PENDING,
    TWIN,
    UNSEEN,
    BaseRow,
    CommandRow,
    OperationRow,
    Patch,
    RecordRow,
)
from sync.rules import ActionKind
from sync.said import No, Retry

AGAIN = "tried again"
OF_A_TWIN = "a twin is never written: its values are those of the record that leads"


def retry(world: World, row: CommandRow, patch: Patch) -> None:
    """Have operations tried again with this cycle; those that have moved on meanwhile are passed over.

    Raises No where none of them is refused any more, or is for a record that is written.
    """
    said = msgspec.json.decode(row.body, type=Retry)
    sent = sent_operations(world)
    named = world.store.get(OperationRow, [(number,) for number in said.operations])
    mine = [each for each in named if each.route == world.lens.rules.route and each.id not in sent]
    twins = {each.id for each in mine if each.state == rows.IGNORED and _of_a_twin(world, each)}
    tried = sum(_again(world, each, patch) for each in mine if each.id not in twins)
    if not tried:
        raise No(OF_A_TWIN if twins else "nothing of it is refused any more")


def _again(world: World, row: OperationRow, patch: Patch) -> bool:
    now = world.clock.now()
    match row.state:
        case rows.FAILED:
            patch.put(row._replace(at=now))
        case rows.UNCERTAIN:
            patch.put(row._replace(state=PENDING, at=now, done_at=0.0, reason=""))
        case rows.IGNORED:
            _want_again(world, row, patch)
        case _:
            return False
    return True


def _of_a_twin(world: World, row: OperationRow) -> bool:
    """True if a value is for somebody's further record. That is never written, opt-outs excepted, and both sides agree
    on the record that leads: to try it again would forget what was agreed on there."""
    target = world.store.get(RecordRow, [target_of(row)])
    twin = any(each.role == TWIN and each.state in (LIVE, UNSEEN) for each in target)
    return twin and row.action != ActionKind.OPT_OUT


def _want_again(world: World, row: OperationRow, patch: Patch) -> None:
    """Forget that the source's value was carried: both sides agreed on what the target still has."""
    work, lens = decode_work(row.body), world.lens
    patch.put(row._replace(state=APPLIED, reason=AGAIN))
    records = world.store.get(RecordRow, [target_of(row), work.source])
    targets = [each for each in records if each.ref == target_of(row)]
    for stored in world.store.get(BaseRow, [(each.entity, row.route) for each in targets]):
        base = patch.puts[BaseRow].get((stored.entity, stored.route), stored)
        assert isinstance(base, BaseRow)
        held, side = decode_base(base.body), lens.side(row.system)
        for error in work.errors:
            name = work.fields[error.path].name if error.path in work.fields else ""
            half = held.halves.get(name)
            if half is not None and name in lens.rule and not work.undo:
                held.halves[name] = half.with_side(side.other, half.of(side))
        patch.put(base._replace(body=encode_base(held)))
    mark_dirty(records, world.numbers, patch)
