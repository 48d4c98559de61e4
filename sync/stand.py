"""Ask the standing rules where an entity stands, before its fields are compared.

Pure over a scene. What the rules give is added to the fields of the leading records, what they remember is stored
where it changed, what they ask becomes holds. Effects are only named here; whether one is new is decided when the
journal has been asked for their keys (sync.effects). Nothing is announced of somebody who was merged, or who is
looked at again because the rules have changed. Whom a backfill brought quietly is asked anew, from what was remembered
before, when the feed tells of them (sync.brought).
"""

from __future__ import annotations

from typing import NamedTuple

from sync.brought import BROUGHT, Brought, brought_row
from sync.pairs import in_scope
from sync.plan import Base
from sync.record import Side
from sync.remember import OWN, Past, memory_of, past_row, standing_row
from sync.rows import LIVE, UNSEEN, RecordRow, StandingRow
from sync.rules import Effect, Fields
from sync.scene import Scene
from sync.standing import Memory, Situation, Standing, StandingRule
from sync.work import Context, Wants


class Stood(NamedTuple):
    """What the standing rules want to happen for an entity, seen from its leading record. `closed`: what they do not
    want any more must not leave; `new`: what they want may be planned."""

    entity: int
    source: RecordRow
    effects: tuple[Effect, ...]
    closed: bool
    new: bool


def stand(scene: Scene, entity: int, wants: Wants, context: Context) -> Stood | None:
    """Ask all standing rules of the route in their order, each with the fields that those before it gave. None where
    nothing can be said: there are none, or a leading record is not shown by its vendor just now."""
    rules = scene.lens.rules
    if not rules.standing:
        return None
    lead = {side: row for side in rules.sides if (row := scene.leading(entity, side)) is not None}
    live = {side: row for side, row in lead.items() if row.state == LIVE}
    if not live or any(row.state == UNSEEN for row in lead.values()):
        return None
    source = next(iter(live.values()))
    known = {side: scene.known(row) for side, row in live.items()}
    if not in_scope(scene, known):
        return Stood(entity, source, (), closed=True, new=False)
    past = Past(scene.standings[entity].get(OWN))
    before = dict(scene.standings[entity])
    brought = Brought.of(before.get(BROUGHT))
    told = brought is not None and brought.told
    quiet = past.merged or (not told and is_quiet(scene, entity, context))
    effects: list[Effect] = []
    for rule in rules.standing:
        memory = memory_of(before.get(rule.name))
        if brought is not None and told:
            memory = brought.before.get(rule.name, {})
        effects += _ask(scene, entity, live, wants, rule, memory, context, quiet=quiet)
    if past.merged:
        _put(scene, past_row(entity, rules.route, past.former, merged=False))
    if told:
        scene.patch.drop(scene.standings[entity].pop(BROUGHT))
    elif quiet and scene.standings[entity] != before and (births := _births(scene, entity, context)):
        _put(scene, brought_row(entity, rules.route, births, before))
    return Stood(entity, source, () if quiet else tuple(effects), closed=not quiet, new=not quiet)


def _ask(
    scene: Scene, entity: int, live: dict[Side, RecordRow], wants: Wants, rule: StandingRule, memory: Memory,
    context: Context, *, quiet: bool,
) -> tuple[Effect, ...]:  # fmt: skip
    """Ask one rule, keep what it remembers and take in what it gives and asks; the effects that it names."""
    found = rule.derive(_situation(scene, entity, live, wants, memory, context, quiet=quiet))
    _keep(scene, entity, rule, found, context)
    for side, fields in found.fields.items():
        if side in live:
            _add_fields(scene, live[side], fields)
    for question in found.questions:
        wants.hold(question.field, question.kind, question.details)
    return found.effects


def is_quiet(scene: Scene, entity: int, context: Context) -> bool:
    """True if nothing that happened to the entity since it was decided last is why it is decided now."""
    marks = {row[:3]: scene.noted[row[:3]] for row in scene.rows(entity) if row[:3] in scene.noted}
    if not marks:
        return True
    last = max(marks, key=marks.__getitem__)
    return marks[last] <= context.quiet_until or (context.quiet_new and last in scene.newborn)


def _births(scene: Scene, entity: int, context: Context) -> list[int]:
    """When those records of an entity were read that a backfill brings."""
    rows = scene.rows(entity) if context.quiet_new else []
    return [row.as_of for row in rows if row[:3] in scene.newborn]


def _situation(
    scene: Scene, entity: int, live: dict[Side, RecordRow], wants: Wants, memory: Memory,
    context: Context, *, quiet: bool,
) -> Situation:  # fmt: skip
    base = scene.before.get(entity, Base())
    return Situation(
        entity=entity,
        now=context.now,
        fields={side: scene.known(row).values for side, row in live.items()},
        before={side: {name: half.of(side) for name, half in base.halves.items()} for side in live},
        ids={side: row.id for side, row in live.items()},
        opted_out=wants.opted_out,
        related=scene.kin(scene.rows(entity)),
        memory=memory,
        quiet=quiet,
    )


def _add_fields(scene: Scene, row: RecordRow, fields: Fields) -> None:
    known = scene.known(row)
    scene.see(row, known._replace(values={**known.values, **fields}))


def _keep(scene: Scene, entity: int, rule: StandingRule, found: Standing, context: Context) -> None:
    """Store what a rule remembers, where that has changed. A wake that has come already is none."""
    wake = found.wake if found.wake > context.now else 0.0
    row = standing_row(entity, rule.name, scene.lens.rules.route, found.memory, wake)
    held = scene.standings[entity].get(rule.name)
    if held is None and not (any(found.memory.values()) or wake or found.effects):
        return  # who remembers nothing but blanks costs no row
    if row != held:
        _put(scene, row)


def _put(scene: Scene, row: StandingRow) -> None:
    scene.standings[row.entity][row.rule] = row
    scene.patch.put(row)
