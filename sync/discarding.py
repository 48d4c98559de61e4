"""Give operations up because a person said so, and list what differs from then on (protocol §7).

A discarded field is listed as it would have been written, and is not wanted again until either side changes; one that
is kept as it stands on both sides is agreed to differ. An opt-out is never discarded.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sync.approving import sort_plan, with_result
from sync.effects import KIND as EFFECT
from sync.holds import DISCARDED, UNDO
from sync.normalise import encode
from sync.plan import Base, Half, Work, decode_base, decode_work, encode_base
from sync.read import World, sent_operations
from sync.rivals import release_claims
from sync.rows import (
    APPLIED,
    IGNORED,
    OPEN_STATES,
    UNCERTAIN,
    BaseRow,
    CommandRow,
    HoldRow,
    OperationRow,
    Patch,
)  # fmt: skip
from sync.rows import DISCARDED as GIVEN_UP
from sync.rules import ActionKind
from sync.said import Discard, No
from sync.scene import load

NOTHING_OPEN = (IGNORED, UNCERTAIN)  # what left and is only listed


def discard(world: World, row: CommandRow, patch: Patch) -> CommandRow:
    """Give operations up: each is listed as discarded and differing until what it was about changes. What became of a
    plan stands in the word from then on."""
    said = msgspec.json.decode(row.body, type=Discard)
    if not said.reason.strip():
        raise No("a discard needs a reason")
    rows = world.store.get(OperationRow, [(number,) for number in said.operations])
    if len(rows) != len(set(said.operations)):
        raise No("one of these operations is not known here")
    if said.plan:
        sorted_, ready = sort_plan(world, said.plan)
        rows += ready
        row = with_result(row, sorted_)
    sent = sent_operations(world)
    for each in rows:
        _discard_one(world, each, said, sent, patch)
    return row


def _discard_one(world: World, row: OperationRow, said: Discard, sent: Collection[int], patch: Patch) -> None:
    _refuse(world, row, sent)
    if row.state in NOTHING_OPEN:
        patch.put(_left_so(row, said.reason))
        return
    patch.put(row._replace(state=GIVEN_UP, done_at=world.clock.now(), reason=said.reason))
    if row.action == EFFECT:
        return
    work = decode_work(row.body)
    if work.undo:  # what it would have taken back stays as it is, as both sides have agreed
        for field in work.fields.values():
            patch.drop(HoldRow(row.entity, field.name, UNDO, row.route, 0.0, b"", ""))
        return
    if row.action == ActionKind.CREATE:
        _discard_create(world, row, work, said, patch)
    elif said.keep_both:
        _keep_both(world, row, work, patch)
    else:
        for field in work.fields.values():
            details = {"expected": field.expected, "desired": field.desired}
            patch.put(_listed(world, row.entity, field.name, details, said.reason))


def _refuse(world: World, row: OperationRow, sent: Collection[int]) -> None:
    """Raises No for what cannot be given up."""
    if row.route != world.lens.rules.route or row.state not in (*OPEN_STATES, *NOTHING_OPEN):
        raise No(f"operation {row.id} is not open any more")
    if row.id in sent:
        raise No(f"operation {row.id} is on its way; look again when it is settled")
    if row.action == ActionKind.OPT_OUT:
        raise No("an opt-out is never discarded")


def _left_so(row: OperationRow, reason: str) -> OperationRow:
    """What left and had no effect, or may have had none. That a record was made by it stays known."""
    made = row.action == ActionKind.CREATE
    return row._replace(state=APPLIED if made else GIVEN_UP, reason=reason)


def _discard_create(world: World, row: OperationRow, work: Work, said: Discard, patch: Patch) -> None:
    scene = load(world.store, world.lens, {row.entity}, world.channels)
    release_claims(scene, row, world.numbers)
    patch.add(scene.patch)
    details = {path: field.desired for path, field in work.fields.items()}
    patch.put(_listed(world, row.entity, "", details, said.reason))


def _listed(world: World, entity: int, field: str, work: object, reason: str) -> HoldRow:
    body = encode({"work": work, "reason": reason})
    return HoldRow(entity, field, DISCARDED, world.lens.rules.route, world.clock.now(), body, "")


def _keep_both(world: World, row: OperationRow, work: Work, patch: Patch) -> None:
    """What each side has now is what both have agreed to."""
    route, lens = world.lens.rules.route, world.lens
    rows = world.store.get(BaseRow, [(row.entity, route)])
    base = decode_base(rows[0].body) if rows else Base()
    halves = dict(base.halves)
    side = lens.side(row.system)
    for path, field in work.fields.items():
        rule = lens.rule.get(field.name)
        if rule is not None:
            now = lens.read_raw(row.system, row.object, path, field.expected)
            halves[field.name] = Half(rule.fingerprint, field.source, field.source).with_side(side, now)
    patch.put(BaseRow(row.entity, route, encode_base(Base(base.ma, base.sfa, halves))))
