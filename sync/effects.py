"""Effects: tasks, notices, enrolments. Each happens once, by a key that stands in the journal for ever.

Pure over a scene, but for the question which keys the journal knows. What has to happen is derived by the rules;
a person who is only being created gets the effect when the record is there. An effect that left without an answer
is settled by reading where its key can be read back, and listed as uncertain where it cannot (protocol §5).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sync.plan import Base, FieldWork, Work, content_hash, decode_work, encode_work, target_of
from sync.record import Raw, Ref
from sync.rows import LANE_HAND_OVER, LIVE, PLANNED, WAITING, OperationRow, RecordRow
from sync.rules import ActionKind, Effect, EffectRule
from sync.scene import Scene
from sync.work import Context

KIND = "effect"
NOT_YET = 4_102_444_800.0  # the year 2100: released by the settlement of the create that it waits for


class WantedEffect(NamedTuple):
    """An effect that a rule derived, for whom, and from which record."""

    entity: int
    effect: Effect
    source: RecordRow


def derive_effects(scene: Scene, entity: int) -> list[WantedEffect]:
    """Everything that the rules want to happen for an entity as it stands now."""
    found: list[WantedEffect] = []
    for rule in scene.lens.rules.effects:
        source = scene.leading(entity, rule.source)
        if source is not None and source.state == LIVE:
            before = _agreed(scene, entity, rule)
            derived = rule.derive(before, scene.known(source).values, entity)
            found += [WantedEffect(entity, effect, source) for effect in derived]
    return found


def _agreed(scene: Scene, entity: int, rule: EffectRule) -> dict[str, bool | int | str | None] | None:
    base = scene.before.get(entity, Base())
    return {name: half.of(rule.source) for name, half in base.halves.items()} or None


def plan_effects(scene: Scene, wanted: Iterable[WantedEffect], known: set[str], context: Context) -> int:
    """Journal the effects whose keys are new; the number of operations."""
    taken = set(known)
    count = 0
    for each in wanted:
        if each.effect.key not in taken and _plan(scene, each, context):
            taken.add(each.effect.key)
            count += 1
    return count


def _plan(scene: Scene, wanted: WantedEffect, context: Context) -> bool:
    effect = wanted.effect
    person = scene.leading(wanted.entity, effect.side)
    creating = any(row.action == ActionKind.CREATE for row in scene.operations[wanted.entity].values())
    if effect.who and (person is None or person.state != LIVE) and not creating:
        return False
    values = dict(effect.values)
    waits = bool(effect.who) and person is None
    if effect.who and person is not None:
        values[effect.who] = person.id
    target = Ref(scene.lens.system(effect.side), effect.object, "")
    body = encode_work(_work(values, effect, wanted.source, waits=waits))
    scene.put_operation(
        OperationRow(
            context.numbers(), wanted.entity, scene.lens.rules.route, context.run, ActionKind.EFFECT.value,
            *target, LANE_HAND_OVER, WAITING if waits else PLANNED, NOT_YET if waits else 0.0, 0, 0,
            scene.lens.rules.digest, content_hash(target, body), effect.key, context.now, 0.0, "", body,
        )
    )  # fmt: skip
    return True


def _work(values: dict[str, Raw], effect: Effect, source: RecordRow, *, waits: bool) -> Work:
    fields = {path: FieldWork(path, None, raw, None, None) for path, raw in values.items()}
    if effect.find:
        fields[effect.find] = FieldWork(effect.find, None, effect.key, None, None)
    return Work(fields=fields, source=source.ref, unique=effect.find, who=effect.who if waits else "")


def release_effects(scene: Scene, entity: int) -> None:
    """Let effects leave that waited for their person's record, now that it is there."""
    for row in list(scene.operations[entity].values()):
        if row.action != ActionKind.EFFECT or row.state != WAITING:
            continue
        work = decode_work(row.body)
        person = scene.leading(entity, scene.lens.side(row.system))
        if work.who and person is not None and person.state == LIVE:
            fields = {**work.fields, work.who: FieldWork(work.who, None, person.id, None, None)}
            body = encode_work(Work(fields=fields, source=work.source, unique=work.unique))
            content = content_hash(target_of(row), body)
            scene.put_operation(row._replace(state=PLANNED, at=0.0, body=body, hash=content))
