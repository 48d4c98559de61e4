"""Write down a person's answer to a question of the inbox, and have the people concerned decided.

An answer holds for the values that it was given for: where these have changed it is refused (protocol §4). What it does
to values and records is done by deciding; only what stands apart from them is changed here: who is the same person,
which tombstone is lifted, and that an opt-out was taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from sync.happened import tell_links
from sync.holds import CONFLICT, LEAVE_BOTH, LOOP, hold_hash
from sync.identify import Linked, link_as_answered
from sync.normalise import encode
from sync.note import mark_dirty
from sync.plan import Base, Half, encode_base
from sync.read import World
from sync.record import SIDES, Ref, Side
from sync.rows import LIVE, BaseRow, CommandRow, HoldRow, KeyRow, Patch, RecordRow
from sync.said import Answer, No
from sync.scene import LATCH, NOWHERE, Scene, apart_name, entity_name, lifted_name, load

PAIR = (CONFLICT, LOOP)
PAIR_ANSWERS = (Side.MA.value, Side.SFA.value, LEAVE_BOTH)


def answer(world: World, row: CommandRow, patch: Patch) -> CommandRow:
    """Do what a person has decided of a hold; the word, with both values where it was about these. Raises No where
    it is not asked any more, or asked of other values."""
    said = msgspec.json.decode(row.body, type=Answer)
    hold = _hold(world, said)
    match said.kind, said.answer:
        case kind, answer if kind in PAIR and answer in PAIR_ANSWERS:
            patch.put(hold._replace(answer=answer))
            _ask(world, [said.entity], patch)
        case (("ambiguous" | "tombstone"), "link"):
            _link(world, said, hold, patch)
        case "ambiguous", "create":
            patch.put(KeyRow(NOWHERE, LATCH, apart_name(said.entity), "", "", 0))
            _ask(world, [said.entity], patch)
        case "tombstone", "create":
            _bury(world, said, patch)
            _ask(world, [said.entity], patch)
        case "consent", "lift":
            _lift(world, said, patch)
        case _:
            raise No(f"«{said.answer}» is no answer to this question")
    return _with_values(row, hold)


def _with_values(row: CommandRow, hold: HoldRow) -> CommandRow:
    """The question is gone once it is answered: what was chosen, and from what, stands in the answer from then on."""
    if hold.kind not in PAIR:
        return row
    asked = msgspec.json.decode(hold.body)
    values = {side.value: asked.get(side.value) for side in SIDES}
    said = msgspec.json.decode(row.body, type=dict[str, object])
    return row._replace(body=encode({**said, "values": values}))


def _hold(world: World, said: Answer) -> HoldRow:
    """The question, if it is still asked, and asked of the same values."""
    rows = world.store.get(HoldRow, [(said.entity, said.field, said.kind)])
    if not rows or rows[0].route != world.lens.rules.route:
        raise No("this is not asked any more")
    if hold_hash(rows[0].body) != said.hold:
        raise No("the values have changed since; look again and answer for these")
    return rows[0]


def _ask(world: World, entities: Collection[int], patch: Patch) -> None:
    """Have these people decided."""
    rows = {row.entity: row for row in world.store.records_of(entities) if row.state == LIVE}
    mark_dirty(rows.values(), world.numbers, patch)


def _link(world: World, said: Answer, hold: HoldRow, patch: Patch) -> None:
    """The record is the same person's as one that could be meant."""
    ref = Ref(*said.record)
    candidates = msgspec.json.decode(hold.body).get("candidates")
    if candidates is not None and list(ref) not in candidates:
        raise No("this record is none of those that could be meant")
    others = world.store.get(RecordRow, [ref])
    if not others or others[0].state != LIVE:
        raise No("this record is not there any more")
    scene = load(world.store, world.lens, {said.entity, others[0].entity}, world.channels)
    row = next(
        (row for side in SIDES if (row := scene.leading(said.entity, side)) and row.state == LIVE), None
    )
    if row is None or row.entity == others[0].entity:
        raise No("this is not asked any more")
    if not isinstance(link_as_answered(scene, row, scene.records[ref], world.numbers), Linked):
        raise No("a record is just being created; answer again when it is there")
    for each in scene.rows(scene.records[ref].entity):
        scene.put(each._replace(noted=world.numbers()))
    now = world.clock.now()
    for told in tell_links(scene.linked, scene.records, world.numbers, scene.patch, now=now, run=0):
        scene.put(told)
    patch.add(scene.patch)
    could_be = world.store.get(RecordRow, [Ref(*each) for each in candidates or ()])
    # Whoever else could have been meant is asked anew.
    mark_dirty((each for each in could_be if each.state == LIVE), world.numbers, patch)


def _bury(world: World, said: Answer, patch: Patch) -> None:
    """A deleted record's keys no longer stand in the way."""
    scene = load(world.store, world.lens, {said.entity}, world.channels)
    for row in scene.rows(said.entity):
        address = scene.known(row).address
        across = world.lens.system(world.lens.side(row.system).other)
        for dead in scene.bearing(across, address) if address else ():
            if dead.state != LIVE:
                patch.drop(KeyRow(across, world.kind, address, dead.object, dead.id, 0))


def _lift(world: World, said: Answer, patch: Patch) -> None:
    """A person has shown that the opt-out was taken back: it stands no longer, here and for the address, and what
    other records still say is from before. Nothing is written; only a newer opt-out latches again."""
    if not said.who.strip() or not said.evidence.strip():
        raise No("an opt-out is only lifted with who says so and by which evidence")
    topic = said.field.removeprefix("consent.")
    scene = load(world.store, world.lens, {said.entity}, world.channels)
    addresses = {address for row in scene.rows(said.entity) if (address := scene.known(row).address)}
    concerned = {row.ref: row for row in scene.rows(said.entity)}
    for address in addresses:
        for system in world.lens.rules.systems.values():
            concerned.update((row.ref, row) for row in scene.sharing(system, address))
    entities = {row.entity for row in concerned.values()}
    names = {*addresses, *map(entity_name, entities)}
    for key in world.store.holders(NOWHERE, LATCH, names):
        if key.object == topic:
            patch.drop(key)
    for row in concerned.values():
        if scene.known(row).consent.get(topic) is True:
            patch.put(KeyRow(NOWHERE, LATCH, lifted_name(row), topic, "", 0))
    _agree_to_differ(world, scene, entities, topic, patch)
    _ask(world, entities, patch)


def _agree_to_differ(world: World, scene: Scene, entities: Iterable[int], topic: str, patch: Patch) -> None:
    name = f"consent.{topic}"
    for entity in entities:
        base = scene.bases.get(entity)
        if base is not None and name in base.halves:
            said = {side: _says(scene, entity, side, topic) for side in SIDES}
            half = Half(base.halves[name].fingerprint, said[Side.MA], said[Side.SFA])
            fresh = Base(base.ma, base.sfa, {**base.halves, name: half})
            patch.put(BaseRow(entity, world.lens.rules.route, encode_base(fresh)))


def _says(scene: Scene, entity: int, side: Side, topic: str) -> bool:
    row = scene.leading(entity, side)
    return row is not None and scene.known(row).consent.get(topic) is True
