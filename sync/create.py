"""Decide whether a person that nobody across knows is created there, and with which values.

Pure over a scene. A create takes a claim on the person's address, so that a second record of the same
person waits instead of creating a second one (protocol §5). A blank that must be filled is waited for and
listed; it is not an error. A person who is opted out is created opted out.
"""

from __future__ import annotations

from sync.consent import opt_out_work
from sync.holds import DISCARDED, is_discarded
from sync.normalise import Known
from sync.pairs import carried, in_scope
from sync.plan import FieldWork
from sync.record import Ref, Value
from sync.rows import LEADING, RecordRow
from sync.rules import CreateRule, FieldRule
from sync.scene import Scene
from sync.work import Context, Wanted, Wants


def decide_create(scene: Scene, source: RecordRow, wants: Wants, context: Context) -> None:
    """Want a create for this record, a hold, or nothing."""
    lens = scene.lens
    side = lens.side(source.system).other
    rule = lens.rules.create.get(side)
    known = scene.known(source)
    if rule is None or source.role != LEADING or not in_scope(scene, {side.other: known}):
        return
    if not rule.when(known.values):
        return
    target = Ref(lens.system(side), lens.rules.objects[side].create, "")
    claims = _claims(known)
    holder = _holder(scene, source, target.system, claims)
    if holder:
        wants.hold("", "waiting", {"on": holder})
        scene.ask_again(holder)
        return
    fields = _fields(scene, known, target, wants)
    if not _is_complete(rule, fields, wants):
        return
    discarded = scene.holds[source.entity].get(("", DISCARDED))
    if discarded is not None and is_discarded(
        discarded, {path: work.desired for path, work in fields.items()}
    ):
        wants.keep(discarded)
        return
    unique = context.unique.get((target.system, target.object), frozenset())
    key = next((path for path in fields if path in unique), "")
    wants.targets[target] = Wanted(source, fields, [], claims, key)


def _claims(known: Known) -> tuple[str, ...]:
    return (known.address,) if known.personal else ()


def _holder(scene: Scene, source: RecordRow, system: str, claims: tuple[str, ...]) -> int:
    """The create that this one waits for (0 = none): one that claims the address, or one on its way, under whatever
    address, of somebody who bears this address by now."""
    found = [scene.claims.get((system, key), 0) for key in claims]
    found += [scene.creating(peer.entity) for key in claims for peer in scene.sharing(source.system, key)]
    return next((op for op in found if op and op not in scene.operations[source.entity]), 0)


def _fields(scene: Scene, known: Known, target: Ref, wants: Wants) -> dict[str, FieldWork]:
    side = scene.lens.side(target.system)
    fields: dict[str, FieldWork] = {}
    for rule, cell, path in scene.lens.written_at_create(side, target.object):
        if rule.name in known.unknown:
            wants.hold(rule.name, "unknown_value", {side.other.value: known.unknown[rule.name]})
            continue
        value = _value(rule, known)
        if value is not None:
            desired = cell.write(value)
            there = carried(rule, cell, value, desired)
            fields[path] = FieldWork(rule.name, None, desired, value, there, None, rule.fingerprint)
    for topic in wants.opted_out:
        latch = scene.lens.topic[topic].cells.get(side)
        if latch is not None and target.object in latch.paths:
            fields[latch.paths[target.object]] = opt_out_work(topic, None, latch)
    return fields


def _value(rule: FieldRule, known: Known) -> Value:
    value = rule.compute(known.values) if rule.compute is not None else known.values.get(rule.name)
    return rule.on_create_blank if value is None else value


def _is_complete(rule: CreateRule, fields: dict[str, FieldWork], wants: Wants) -> bool:
    filled = {work.name for work in fields.values()}
    missing = [name for name in rule.need if name not in filled]
    if missing:
        wants.hold("", "incomplete", {"missing": missing})
    return not missing
