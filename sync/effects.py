"""Effects: tasks, notices, enrolments. Each happens once, by a key that stands in the journal for ever.

Pure over a scene and the operations that the journal holds under these keys. What has to happen is derived by the
standing rules, anew each time: what they do not want any more and has not left is dropped, and may be wanted again
under the same key. A person who is only being created gets the effect when the record is there. An effect that left
without an answer is settled by reading where its key can be read back, sent once more where doing it twice is doing
it once, and listed as uncertain otherwise (protocol §5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from sync.plan import FieldWork, Work, content_hash, decode_work, encode_work, target_of
from sync.record import Raw, Ref
from sync.refuse import as_refused
from sync.remember import OWN, Past, aliases
from sync.rows import (
    LANE_HAND_OVER,
    LIVE,
    OPEN_STATES,
    PLANNED,
    SUPERSEDED,
    WAITING,
    OperationRow,
    RecordRow,
)  # fmt: skip
from sync.rules import ActionKind, Effect
from sync.scene import Scene
from sync.stand import Stood
from sync.work import Context

KIND = "effect"
NOT_YET = 4_102_444_800.0  # the year 2100: released by the settlement of the create that it waits for


def keys_of(scene: Scene, stood: Iterable[Stood]) -> list[str]:
    """Every key under which the journal may know the effects that are wanted."""
    found: dict[str, None] = {}
    for each in stood:
        for effect in each.effects:
            found.update(dict.fromkeys(_keys(scene, each.entity, effect)))
    return list(found)


def _keys(scene: Scene, entity: int, effect: Effect) -> tuple[str, ...]:
    return aliases(effect.key, entity, Past(scene.standings[entity].get(OWN)).former)


def plan_effects(
    scene: Scene, stood: Iterable[Stood], known: Iterable[OperationRow], context: Context
) -> int:
    """Bring the open effects of these entities in line with what is wanted; the number of new ones. `known`: the
    operations that the journal holds under `keys_of`."""
    held = {row.effect: row for row in known}
    return sum(_plan_entity(scene, each, held, context) for each in stood)


def _plan_entity(scene: Scene, stood: Stood, held: dict[str, OperationRow], context: Context) -> int:
    kept: set[int] = set()
    created = 0
    for effect in stood.effects:
        named = [held[key] for key in _keys(scene, stood.entity, effect) if key in held]
        rows = [scene.operations[stood.entity].get(row.id, row) for row in named]
        if any(_happens(scene, row) for row in rows):
            continue
        fresh = _operation(scene, stood, effect, context)
        if fresh is None:
            continue
        row = _placed(scene, rows, fresh, new=stood.new)
        if row is not None:
            created += row.id == fresh.id
            held[effect.key] = row
            kept.add(row.id)
            if row.state == WAITING:
                _take_along(scene, stood.entity, context)
    if stood.closed:
        for row in _unsent(scene, stood.entity):
            if row.id not in kept:
                scene.put_operation(row._replace(state=SUPERSEDED, reason="no longer wanted"))
    return created


def _take_along(scene: Scene, entity: int, context: Context) -> None:
    """The record that an effect waits for goes in the effect's lane: a new person is handed over as a whole, also one
    whom a backfill would have created some day."""
    for row in list(scene.operations[entity].values()):
        late = row.lane > LANE_HAND_OVER and row.id not in scene.sent
        if row.action == ActionKind.CREATE and late:
            run = (context.hot_run or context.run) if row.state == PLANNED else row.run
            scene.put_operation(row._replace(lane=LANE_HAND_OVER, run=run))


def _happens(scene: Scene, row: OperationRow) -> bool:
    """True if an effect has happened, is on its way, or was turned down by a person: it is never planned again."""
    return row.id in scene.sent or row.state not in (*OPEN_STATES, SUPERSEDED)


def _unsent(scene: Scene, entity: int) -> Iterator[OperationRow]:
    for row in list(scene.operations[entity].values()):
        if row.action == ActionKind.EFFECT and row.state in OPEN_STATES and row.id not in scene.sent:
            yield row


def _placed(scene: Scene, rows: list[OperationRow], fresh: OperationRow, *, new: bool) -> OperationRow | None:
    """The operation that stands for a wanted effect: the open one, brought up to date, or the one that was dropped,
    or a new one."""
    row = next((row for row in rows if row.state != SUPERSEDED), None)
    if row is None and not new:
        return None
    if row is not None:
        fresh = as_refused(fresh, row)
    if row is not None and row.hash == fresh.hash and (row.state == WAITING) == (fresh.state == WAITING):
        return row
    if row is not None:
        row = fresh._replace(id=row.id, run=row.run, effect=row.effect, made_at=row.made_at)
    elif rows:
        row = fresh._replace(id=rows[0].id, effect=rows[0].effect)
    else:
        row = fresh
    scene.put_operation(row)
    return row


def _operation(scene: Scene, stood: Stood, effect: Effect, context: Context) -> OperationRow | None:
    """The effect as a fresh operation; None while its person has no record that it could name."""
    person = scene.leading(stood.entity, effect.side)
    creating = any(row.action == ActionKind.CREATE for row in scene.operations[stood.entity].values())
    if effect.who and (person is None or person.state != LIVE) and not creating:
        return None
    values = dict(effect.values)
    waits = bool(effect.who) and person is None
    if effect.who and person is not None:
        values[effect.who] = person.id
    target = Ref(effect.channel or scene.lens.system(effect.side), effect.object, "")
    body = encode_work(_work(values, effect, stood.source, waits=waits))
    return OperationRow(
        context.numbers(), stood.entity, scene.lens.rules.route, context.hot_run or context.run,
        ActionKind.EFFECT.value, *target, LANE_HAND_OVER,
        WAITING if waits else PLANNED, NOT_YET if waits else 0.0, 0, 0,
        scene.lens.rules.digest, content_hash(target, body), effect.key, context.now, 0.0, "", body,
    )  # fmt: skip


def _work(values: dict[str, Raw], effect: Effect, source: RecordRow, *, waits: bool) -> Work:
    fields = {path: FieldWork(path, None, raw, None, None) for path, raw in values.items()}
    if effect.find:
        fields[effect.find] = FieldWork(effect.find, None, effect.key, None, None)
    return Work(
        fields=fields, source=source.ref, unique=effect.find, who=effect.who if waits else "",
        repeatable=effect.repeatable, spare=effect.spare,
    )  # fmt: skip


def release_effects(scene: Scene, entity: int) -> None:
    """Let effects leave that waited for their person's record, now that it is there."""
    for row in list(scene.operations[entity].values()):
        if row.action != ActionKind.EFFECT or row.state != WAITING:
            continue
        work = decode_work(row.body)
        person = scene.leading(entity, scene.lens.side(row.system)) if work.who else None
        if person is not None and person.state == LIVE:
            fields = {**work.fields, work.who: FieldWork(work.who, None, person.id, None, None)}
            body = encode_work(msgspec.structs.replace(work, fields=fields, who=""))
            content = content_hash(target_of(row), body)
            scene.put_operation(row._replace(state=PLANNED, at=0.0, body=body, hash=content))
