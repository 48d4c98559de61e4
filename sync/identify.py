"""Identify: whose record is this? Linked, the same person as another record, a twin, new, or a question.

Pure over a scene. Ids that already stand on both sides come first, then equal addresses; role addresses
identify nobody (protocol §5, domain rules §5.2). Exactly one free record on either side links; when two or
more could be meant a person decides. A record whose person is already linked becomes a twin. What the
vendor deleted is never created anew without a person's word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from sync.happened import Linked as Joined
from sync.latch import follow
from sync.met import unread
from sync.named import by_id, elsewhere, made_by, named, survivor
from sync.note import Numbers
from sync.plan import encode_base
from sync.record import SIDES, Ref, Side
from sync.remember import follow as remember
from sync.rivals import release_claims, stop_rivals
from sync.rows import (
    DELETED,
    LEADING,
    LIVE,
    MOVED,
    SUPERSEDED,
    TWIN,
    UNSEEN,
    BaseRow,
    EntityRow,
    RecordRow,
    went_on_as,
)  # fmt: skip
from sync.rules import ActionKind
from sync.scene import Scene

LONG_AGO = 1.0  # whatever is to be read since then is read by whoever reads next


@dataclass(frozen=True, slots=True)
class Linked:
    """Both sides have a record."""

    entity: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class New:
    """Nobody across is this person."""

    source: RecordRow


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Two or more records could be meant."""

    candidates: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The person's record across was deleted there."""

    deleted: Ref


@dataclass(frozen=True, slots=True)
class Waits:
    """An operation that has left decides who this is; it is asked again when that is settled."""

    operation: int


@dataclass(frozen=True, slots=True)
class Unseen:
    """A record that may be this person's is not shown by its vendor for now; it is asked again when that shows."""

    record: Ref


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing of this entity is live, or its counterpart was deleted: the link stays, nothing is decided."""


Identity: TypeAlias = Linked | New | Ambiguous | Tombstone | Waits | Unseen | Gone


def identify(scene: Scene, entity: int, numbers: Numbers) -> Identity:
    """Find out who an entity is, and link it in the scene where that is certain."""
    lead = {side: _lead(scene, entity, side) for side in SIDES}
    live = [row for row in lead.values() if row is not None and row.state != DELETED]
    if len(live) == 2:
        _join_named(scene, entity, numbers)
        stop_rivals(scene, entity, numbers)
        creating = scene.in_question(entity) or made_by(scene, entity)
        return Waits(creating) if creating else Linked(entity)
    if not live or live[0].state != LIVE:
        return Gone()
    row = live[0]
    creating = scene.creating(entity)
    if creating:
        stop_rivals(scene, entity, numbers)
        return Waits(creating)
    others = named(scene, row)
    if others:
        return _one_of(scene, row, others, "id", numbers)
    across = lead[scene.lens.side(row.system).other]
    if across is not None:
        stop_rivals(scene, entity, numbers)
        return Gone()
    found = _by_address(scene, row, numbers)
    return _by_lost_id(scene, row, numbers) if isinstance(found, New) else found


def _lead(scene: Scene, entity: int, side: Side) -> RecordRow | None:
    """The leading record of a side; where the vendor deleted it, its oldest living twin leads from now on."""
    lead = scene.leading(entity, side)
    if lead is not None and lead.state != DELETED:
        return lead
    system = scene.lens.system(side)
    twins = [row for row in scene.rows(entity) if row.system == system and row.state == LIVE]
    if not twins:
        return lead
    heir = min(twins, key=lambda row: (row.created, row.id))._replace(role=LEADING)
    if lead is not None:
        scene.put(lead._replace(role=TWIN))
    scene.put(heir)
    return heir


def _join_named(scene: Scene, entity: int, numbers: Numbers) -> None:
    """Whoever waits to be created, although a linked person's record bears their id or they bear its, is that person:
    they join before the id of the record that leads is written over theirs."""
    for other in elsewhere(scene, entity):
        if not scene.is_linked(other.entity):
            identify(scene, other.entity, numbers)


def _by_lost_id(scene: Scene, row: RecordRow, numbers: Numbers) -> Identity:
    """Nobody who shows is this person. A record across that bears the id and does not show, or was deleted, says
    that there is one, or was: to create it would meet it."""
    others = [other for other in by_id(scene, row) if other.entity != row.entity]
    hidden = [other for other in others if other.state == UNSEEN]
    if hidden:
        return _hidden(scene, row, hidden, numbers)
    gone = next((other for other in others if other.state == MOVED), None)
    if gone is not None:
        return _await(scene, row, went_on_as(gone), numbers)
    deleted = next((other for other in others if other.state == DELETED), None)
    return Tombstone(deleted.ref) if deleted is not None else New(row)


def _await(scene: Scene, row: RecordRow, into: Ref, numbers: Numbers) -> Identity:
    """The record that bore the id went on as one that nobody has read yet: that is this person's, and is read by id."""
    named = unread(into, row.kind, numbers(), LONG_AGO)._replace(entity=row.entity)
    scene.add_records([named])
    scene.put(named)
    return Linked(row.entity, "id")


def _by_address(scene: Scene, row: RecordRow, numbers: Numbers) -> Identity:
    lens = scene.lens
    known = scene.known(row)
    if not known.personal:
        return New(row)
    key = known.address
    across = lens.system(lens.side(row.system).other)
    waits = _others_first(scene, row, [*scene.sharing(across, key), *_peers(scene, row, key)], numbers)
    if waits is not None:
        return waits
    hidden = [other for other in _bearers(scene, across, key) if other.state == UNSEEN]
    if hidden:
        return _hidden(scene, row, hidden, numbers)
    others = scene.sharing(across, key)
    peers = _peers(scene, row, key)
    linked = sorted({r.entity for r in (*others, *peers) if scene.is_linked(r.entity)})
    if len(linked) == 1 and linked[0] not in scene.apart:
        return _twin(scene, row, linked[0], numbers)
    entities = {other.entity for other in others}
    if any(each.entity in scene.apart for each in (*others, *peers)):  # the address has two owners
        return Ambiguous(tuple(sorted(r.ref for r in (*others, *peers))))
    if len(linked) > 1 or len(entities) > 1 or (entities and peers):
        return Ambiguous(tuple(sorted(r.ref for r in (*others, *peers))))
    if entities:
        return _one_of(scene, row, others, "address", numbers)
    deleted = _deleted_across(scene, across, key)
    return Tombstone(deleted.ref) if deleted is not None else New(row)


def _others_first(
    scene: Scene, row: RecordRow, others: Iterable[RecordRow], numbers: Numbers
) -> Waits | None:
    """Link those who bear this record's address where that needs no address: by an heir who leads by now, or by ids."""
    for other in others:
        for side in SIDES:
            _lead(scene, other.entity, side)
        if not scene.is_linked(other.entity) and any(r.ref != row.ref for r in named(scene, other)):
            first = identify(scene, other.entity, numbers)
            if isinstance(first, Waits):
                return first
    return None


def _peers(scene: Scene, row: RecordRow, key: str) -> list[RecordRow]:
    """Records beside this one, on its own side, that bear its address and are somebody else's so far."""
    return [peer for peer in scene.sharing(row.system, key) if peer.entity != row.entity]


def _hidden(scene: Scene, row: RecordRow, hidden: list[RecordRow], numbers: Numbers) -> Identity:
    """Asked for and not given is not gone: a twin of a linked person is one all the same, anybody else waits."""
    linked = {other.entity for other in hidden if scene.is_linked(other.entity)}
    everybody = {other.entity for other in hidden}
    if len(linked) == 1 and linked == everybody:
        return _twin(scene, row, linked.pop(), numbers)
    return Unseen(min(other.ref for other in hidden))


def _deleted_across(scene: Scene, system: str, key: str) -> RecordRow | None:
    return next((row for row in _bearers(scene, system, key) if row.state == DELETED), None)


def _bearers(scene: Scene, system: str, key: str) -> list[RecordRow]:
    """Records that bear an address, or bore it when they went. One that went on as a record that nobody has read is
    that record: its own address is not known."""
    found = []
    for row in scene.bearing(system, key):
        now = survivor(scene, row)
        found.append(now if now.body == b"{}" else row)
    return found


def _one_of(scene: Scene, row: RecordRow, others: list[RecordRow], by: str, numbers: Numbers) -> Identity:
    """Link with the one entity that these records belong to."""
    entities = {other.entity for other in others}
    if len(entities) > 1:
        return Ambiguous(tuple(sorted(other.ref for other in others)))
    entity = entities.pop()
    creating = scene.creating(entity)
    if creating:
        return Waits(creating)
    if scene.is_linked(entity):
        return _twin(scene, row, entity, numbers)
    _join(scene, row.entity, entity, numbers, by)
    return Linked(entity, by)


def link_as_answered(scene: Scene, row: RecordRow, other: RecordRow, numbers: Numbers) -> Identity:
    """Take a record for the same person's as another one, because somebody said so."""
    return _one_of(scene, row, [other], "answer", numbers)


def _twin(scene: Scene, row: RecordRow, entity: int, numbers: Numbers) -> Identity:
    _join(scene, row.entity, entity, numbers, "twin")
    return Linked(entity, "twin")


def _join(scene: Scene, gone: int, keep: int, numbers: Numbers, by: str) -> None:
    """Bring an unlinked entity's records into another one; work that has not left is dropped."""
    if gone == keep:
        return
    for row in scene.rows(gone):
        side = scene.lens.side(row.system)
        leading = scene.leading(keep, side)
        takes_over = leading is None or leading.state == DELETED
        if takes_over and leading is not None:
            scene.put(leading._replace(role=TWIN))
        role = LEADING if takes_over and row.role == LEADING and row.state != MOVED else TWIN
        scene.put(row._replace(entity=keep, role=role))
        scene.linked.setdefault(row.ref, Joined(gone, by))
    follow(scene, gone, keep)
    remember(scene.standings, gone, keep, scene.lens.rules.route, scene.patch, merged=False)
    _inherit(scene, gone, keep)
    _forget(scene, gone)
    for entity in (gone, keep):
        for operation in list(scene.operations[entity].values()):
            if operation.id not in scene.sent and operation.action == "create":
                scene.put_operation(operation._replace(state=SUPERSEDED, reason="linked"))
                release_claims(scene, operation, numbers)
            elif entity == gone and (operation.id in scene.sent or operation.action == ActionKind.EFFECT):
                del scene.operations[gone][operation.id]
                scene.put_operation(operation._replace(entity=keep, again=1))
    scene.patch.put(EntityRow(gone, keep, b"{}"))
    stop_rivals(scene, keep, numbers)


def _inherit(scene: Scene, gone: int, keep: int) -> None:
    """What was agreed under the name that goes holds on under the one that stays, where nothing was agreed yet."""
    base = scene.bases.get(gone)
    if base is not None and keep not in scene.bases:
        scene.bases[keep] = base
        scene.patch.put(BaseRow(keep, scene.lens.rules.route, encode_base(base)))


def _forget(scene: Scene, entity: int) -> None:
    """Drop what an entity that has joined another one leaves behind: its holds and its base."""
    for hold in scene.holds.pop(entity, {}).values():
        scene.patch.drop(hold)
    if scene.bases.pop(entity, None) is not None:
        scene.patch.drop(BaseRow(entity, scene.lens.rules.route, b""))
