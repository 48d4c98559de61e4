"""Decide: from what is seen on both sides and what they last agreed on to operations, holds and a new base.

Pure over a scene: `identify` for every dirty entity, then field by field. Deciding again is free: work
that an open operation already holds is left alone, other unsent work is superseded (also by nothing), and
what has left is never touched. It does not know how or when anything is delivered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sync.confirm import Verdict as Fate
from sync.confirm import await_back, confirm
from sync.consent import base_name, decide_consent
from sync.create import decide_create
from sync.effects import release_effects
from sync.happened import tell_links
from sync.identify import (
    Ambiguous,
    Gone,
    Identity,
    Linked,
    New,
    Tombstone,
    Unseen,
    Waits,
    identify,
)  # fmt: skip
from sync.pairs import decide_pairs, end_undone, keep_undone
from sync.plan import Base, Half, encode_base, target_of
from sync.refer import translate
from sync.rivals import stop_creates
from sync.rows import LIVE, BaseRow, HoldRow, RecordRow
from sync.scene import Scene
from sync.stand import Stood, stand
from sync.unseen import is_awaited
from sync.work import Context, Wants, reconcile


@dataclass(slots=True)
class Decided:
    """What a chunk came to: counts for the report. `twins`: newcomers whose person was there already, by system."""

    entities: int = 0
    linked: int = 0
    twins: Counter[str] = field(default_factory=Counter)
    operations: int = 0
    held: int = 0
    conflicts: int = 0
    ignored: list[tuple[int, str]] = field(default_factory=list)
    stood: list[Stood] = field(default_factory=list)


def decide(scene: Scene, entities: Iterable[int], context: Context) -> Decided:
    """Decide these entities, those that have joined another one under its name; the result stands in the
    scene's patch."""
    done = Decided()
    identities: dict[int, Identity] = {}
    for entity in entities:
        if entity in identities or not scene.members[entity]:
            continue
        systems = {row.system for row in scene.rows(entity)}
        identity = identify(scene, entity, context.numbers)
        identities[_entity(identity, entity)] = identity
        done.linked += isinstance(identity, Linked) and bool(identity.by)
        if isinstance(identity, Linked) and identity.by == "twin":
            done.twins.update(systems)
    for entity, identity in identities.items():
        if scene.members[entity]:
            scene.decided.add(entity)
            _decide_entity(scene, entity, identity, context, done)
    told = tell_links(
        scene.linked, scene.records, context.numbers, scene.patch, now=context.now, run=context.run
    )
    for row in told:
        scene.put(row)
    return done


def _entity(identity: Identity, entity: int) -> int:
    return identity.entity if isinstance(identity, Linked) else entity


def _decide_entity(scene: Scene, entity: int, identity: Identity, context: Context, done: Decided) -> None:
    done.entities += 1
    wants = Wants(entity)
    _judge_unconfirmed(scene, entity, wants, context)
    _want_consent(scene, entity, wants)
    stood = stand(scene, entity, wants, context)
    translate(scene, entity, wants)
    keep_undone(scene, entity, wants)
    match identity:
        case Linked():
            decide_pairs(scene, entity, wants, context.now)
            _want_read(scene, entity, wants, context.now)
            for ref, paths in wants.awaited.items():
                scene.put(await_back(scene.records[ref], paths))
            release_effects(scene, entity)
        case New(source=source):
            decide_create(scene, source, wants, context)
        case Ambiguous(candidates=candidates):
            wants.hold("", "ambiguous", {"candidates": [list(ref) for ref in candidates]})
            stop_creates(scene, candidates, context.numbers)
        case Tombstone(deleted=deleted):
            wants.hold("", "tombstone", {"deleted": list(deleted)})
        case Unseen(record=record):
            wants.hold("", "unseen", {"record": list(record)})
        case Waits(operation=operation):
            scene.ask_again(operation)
        case Gone():
            end_undone(scene, entity, wants)
    done.operations += reconcile(scene, wants, context)
    done.conflicts += wants.conflicts
    done.ignored += wants.ignored
    if stood is not None and isinstance(identity, Linked | New | Gone):
        nobody = isinstance(identity, Gone)
        done.stood.append(stood._replace(effects=()) if nobody else stood)
    done.held += store_holds(scene, wants, context)
    _store_base(scene, wants)


def _judge_unconfirmed(scene: Scene, entity: int, wants: Wants, context: Context) -> None:
    """Settle values that were read back different from what we sent."""
    open_now = scene.operations[entity]
    for row in scene.rows(entity):
        if not row.unconfirmed or row.state != LIVE:
            continue
        lag = context.lag[row.system]
        away = any(number in scene.sent and target_of(each) == row.ref for number, each in open_now.items())
        judged = confirm(row, scene.lens, now=context.now, lag=lag, away=away)
        if judged.row != row:
            scene.put(judged.row)
            scene.forget_known(row.ref)
        for verdict in judged.verdicts:
            _apply_fate(scene, entity, row, verdict, wants)


def _apply_fate(scene: Scene, entity: int, row: RecordRow, verdict: Fate, wants: Wants) -> None:
    """What became of a value in one record. Halves are of the records that lead: of a twin they say nothing."""
    side = scene.lens.side(row.system)
    base = wants.base or scene.bases.get(entity, Base())
    leads = base.leading(side) == f"{row.object}/{row.id}"
    half = base.halves.get(verdict.name) if leads else None
    match verdict.fate:
        case "ignored" | "altered":
            if half is not None:
                wants.base = _with_half(base, verdict.name, half.with_side(side, verdict.half))
            if verdict.fate == "ignored":
                wants.ignored.append((verdict.operation, verdict.name))
        case "undone":
            if half is not None:  # it does not show what was sent: both sides stood as before it
                ma, sfa = verdict.agreed or (verdict.half, verdict.half)
                fresh = Half(half.fingerprint, ma, sfa, half.written)
                wants.base = _with_half(base, verdict.name, fresh)
        case "changed" | "look again":
            pass


def _with_half(base: Base, name: str, half: Half) -> Base:
    return Base(base.ma, base.sfa, {**base.halves, name: half})


def _want_consent(scene: Scene, entity: int, wants: Wants) -> None:
    found = decide_consent(scene, entity)
    wants.opted_out = found.standing
    wants.opt_outs += found.writes
    for question in found.questions:
        wants.hold(base_name(question.topic), "consent", {"record": list(question.row.ref)})


def _want_read(scene: Scene, entity: int, wants: Wants, now: float) -> None:
    """Only the name of the record across is known, and its vendor does not give it: nothing goes on until it does."""
    for side in scene.lens.rules.sides:
        lead = scene.leading(entity, side)
        if lead is not None and is_awaited(lead, now):
            wants.hold("", "unseen", {"record": list(lead.ref)})


def store_holds(scene: Scene, wants: Wants, context: Context) -> int:
    """Open, update and close holds so that they are exactly those wanted now; an answer to other values falls."""
    standing = scene.holds[wants.entity]
    for (name, kind), body in wants.holds.items():
        old = standing.pop((name, kind), None)
        if old is None or old.body != body:
            since = old.since if old is not None else context.now
            scene.patch.put(HoldRow(wants.entity, name, kind, scene.lens.rules.route, since, body, ""))
    for hold in standing.values():
        if hold.route == scene.lens.rules.route:
            scene.patch.drop(hold)
    return len(wants.holds)


def _store_base(scene: Scene, wants: Wants) -> None:
    if wants.base is not None and wants.base != scene.bases.get(wants.entity):
        scene.bases[wants.entity] = wants.base
        route = scene.lens.rules.route
        scene.patch.put(BaseRow(wants.entity, route, encode_base(wants.base)))
