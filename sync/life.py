"""Note what happens to records as a whole: deletion, merge, conversion, restoration (protocol §5).

Pure. A link that moves keeps its entity: the surviving record takes the place of the lost one, and
where both stood for different people the two entities become one. Values are compared later, when the
base is read: a half counts only while it belongs to the record that now leads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sync.confirm import disputed
from sync.happened import LINKED, MARK, Told
from sync.normalise import Lens, decode_body
from sync.note import Noted, Numbers, Reading
from sync.plan import decode_work
from sync.record import LifeEvent, Ref
from sync.remember import follow
from sync.rows import (
    DELETED,
    LEADING,
    MOVED,
    SUPERSEDED,
    TWIN,
    UNSEEN,
    BaseRow,
    EntityRow,
    HoldRow,
    KeyRow,
    OperationRow,
    Patch,
    RecordRow,
    StandingRow,
)  # fmt: skip
from sync.rules import ActionKind


class Family:
    """All rows of the entities that a page's events touch, as they stand within the patch."""

    def __init__(
        self,
        records: Iterable[RecordRow],
        bases: Iterable[BaseRow],
        operations: Iterable[OperationRow],
        sent: frozenset[int],
        standings: Iterable[StandingRow] = (),
        holds: Iterable[HoldRow] = (),
    ) -> None:
        self.records = {row.ref: row for row in records}
        self.bases = {row.entity: row for row in bases}
        self.operations = list(operations)
        self.sent = sent
        self.holds = list(holds)
        self.standings: defaultdict[int, dict[str, StandingRow]] = defaultdict(dict)
        for standing in standings:
            self.standings[standing.entity][standing.rule] = standing

    def of(self, entity: int) -> list[RecordRow]:
        """The records of one entity."""
        return [row for row in self.records.values() if row.entity == entity]


def note_events(
    events: Iterable[LifeEvent],
    family: Family,
    reading: Reading,
    lens: Lens,
    numbers: Numbers,
    patch: Patch,
    found: Noted,
) -> None:
    """Put into `patch` what these events change. That a record that was never seen went on as another one is kept:
    somebody across may bear its id."""
    told = Told(numbers)
    for event in events:
        row = family.records.get(event.ref)
        stood = _standing(row, event.into, family)
        match event.kind:
            case "deleted":
                if row is not None and row.state not in (DELETED, MOVED):
                    _delete(row, family, reading, lens, numbers, patch, found)
            case "restored":
                if row is not None and row.state == DELETED:
                    again = row._replace(state=UNSEEN, refetch_at=reading.now)
                    _put(again, family, patch)
                    found.again.append(row.ref)
            case "merged" | "converted":
                if row is None and event.into is not None:
                    _went_on(event.ref, event.into, family, reading, lens, numbers, patch, found)
                elif row is not None and row.state != MOVED and event.into is not None:
                    before = _entities(row, event.into, family)
                    merged = event.kind == "merged" or (before <= family.bases.keys() and len(before) > 1)
                    one = _move(row, event.into, family, reading, lens, numbers, patch, found)
                    if one and lens.rules.standing:
                        _follow(before, event.into, family, lens.rules.route, patch, merged=merged)
        _tell(event, stood, told, family, patch)
    told.close(patch, reading.system, reading.kind, now=reading.now, run=reading.run)


def _standing(row: RecordRow | None, into: Ref | None, family: Family) -> dict[Ref, RecordRow]:
    """The records of everybody whom an event may concern, as they stand before it."""
    winner = family.records.get(into) if into is not None else None
    entities = {each.entity for each in (row, winner) if each is not None}
    return {each.ref: each for entity in entities for each in family.of(entity)}


def _tell(event: LifeEvent, stood: dict[Ref, RecordRow], told: Told, family: Family, patch: Patch) -> None:
    """Keep what an event has come to, for whoever asks later."""
    for ref, before in stood.items():
        now = family.records[ref]
        what: dict[str, tuple[object, object]] = {}
        if now.entity != before.entity:
            what[LINKED] = (before.entity, now.entity)
        if ref == event.ref and now.state != before.state:
            what[f"{MARK}{event.kind}"] = (None, now.moved_to or None)
        if what:
            _put(told.add(now, what), family, patch)
    winner = family.records.get(event.into) if event.into is not None and event.ref in stood else None
    if winner is not None and winner.ref not in stood:  # nobody has read it yet: from now on it is known
        _put(told.add(winner, {LINKED: (None, winner.entity)}, event.kind), family, patch)


def _delete(
    row: RecordRow, family: Family, reading: Reading, lens: Lens, numbers: Numbers, patch: Patch, found: Noted
) -> None:
    gone = row._replace(state=DELETED, as_of=reading.as_of, noted=numbers(), refetch_at=0.0)
    _put(gone, family, patch)
    found.dirty.append(row.ref)
    found.lost_keys |= lens.keys(row.system, row.object, decode_body(row.body))
    _supersede(row, family, patch)


def _move(
    row: RecordRow,
    into: Ref,
    family: Family,
    reading: Reading,
    lens: Lens,
    numbers: Numbers,
    patch: Patch,
    found: Noted,
) -> bool:
    """A record goes on as another; says whether those whom both stand for are one from now on. A twin is somebody's by
    its address alone: where its entity has another record that leads, it goes over to the winner's by itself."""
    winner = family.records.get(into)
    alone = winner is not None and winner.entity != row.entity and row.role == TWIN and _is_led(row, family)
    if winner is None:
        winner = placeholder(into, reading, numbers())
        found.again.append(into)
    _supersede(row, family, patch)
    found.lost_keys |= lens.keys(row.system, row.object, decode_body(row.body))
    moved = row._replace(
        state=MOVED, moved_to=f"{into.object}/{into.id}", unconfirmed=disputed(row), role=TWIN, refetch_at=0.0,
        as_of=max(row.as_of, reading.as_of),
    )  # fmt: skip
    if alone:
        moved = moved._replace(entity=winner.entity)
        winner = winner._replace(noted=numbers())
    _put(moved, family, patch)
    _put(winner, family, patch)
    found.dirty.append(into)
    if not alone:
        keep = _elder(row, winner, family)
        _join(keep=keep, row=row, winner=winner, family=family, numbers=numbers, patch=patch, found=found)
    return not alone


def _went_on(
    ref: Ref, into: Ref, family: Family, reading: Reading, lens: Lens, numbers: Numbers, patch: Patch, found: Noted
) -> None:  # fmt: skip
    """Keep as what a record went on that was gone before anybody read it. Nothing else of it is known, so nothing is
    decided by it but whom those mean who bear its id; they are asked again."""
    winner = family.records.get(into)
    row = placeholder(ref, reading, numbers() if winner is None else winner.entity)
    gone = row._replace(
        state=MOVED,
        moved_to=f"{into.object}/{into.id}",
        role=TWIN,
        refetch_at=0.0,
        noted=0,
        as_of=reading.as_of,
    )
    _put(gone, family, patch)
    found.lost_keys |= {
        lens.id_hash(name, ref.id) for name in lens.key_fields() if lens.is_own_id(ref.system, name)
    }


def _is_led(twin: RecordRow, family: Family) -> bool:
    """True if another record of a twin's entity and system leads and lives."""
    mine = (row for row in family.of(twin.entity) if row.system == twin.system and row.ref != twin.ref)
    return any(row.role == LEADING and row.state not in (DELETED, MOVED) for row in mine)


def _entities(row: RecordRow, into: Ref, family: Family) -> set[int]:
    """Whom the two records stand for."""
    winner = family.records.get(into)
    return {row.entity} if winner is None else {row.entity, winner.entity}


def _follow(before: set[int], into: Ref, family: Family, route: str, patch: Patch, *, merged: bool) -> None:
    """What is remembered of either goes on under the name that both bear by now."""
    keep = family.records[into].entity
    for gone in sorted(before - {keep}) or [keep]:
        follow(family.standings, gone, keep, route, patch, merged=merged)


def placeholder(ref: Ref, reading: Reading, number: int) -> RecordRow:
    """What stands for a record that was named and has not been read yet."""
    return RecordRow(
        ref.system, ref.object, ref.id, reading.kind, number, LEADING, UNSEEN, "", 0, 0, 0.0, "", "", -1,
        number, reading.now, 0, b"{}", "",
    )  # fmt: skip


def _elder(row: RecordRow, winner: RecordRow, family: Family) -> int:
    """The entity that goes on: the winner's if it is linked, else the loser's."""
    if winner.entity in family.bases or _spans(family.of(winner.entity)):
        return winner.entity
    return row.entity


def _spans(rows: Iterable[RecordRow]) -> bool:
    return len({row.system for row in rows if row.state not in (DELETED, MOVED)}) > 1


def _join(
    *,
    keep: int,
    row: RecordRow,
    winner: RecordRow,
    family: Family,
    numbers: Numbers,
    patch: Patch,
    found: Noted,
) -> None:
    """Bring both records' entities together. On the winner's system whoever leads and lives goes on leading, else the
    winner does: that a twin is merged or converted changes no link. Across, the side that was there first goes on
    leading."""
    gone = winner.entity if keep == row.entity else row.entity
    leader = _leader(family.of(keep), winner)
    leads_across = {r.system for r in family.of(keep) if r.role == LEADING and r.state != MOVED}
    for member in family.of(gone) if gone != keep else []:
        role = TWIN if member.system in leads_across and member.system != winner.system else member.role
        _put(member._replace(entity=keep, role=role, noted=numbers()), family, patch)
    for member in family.of(keep):
        if member.system == winner.system and member.state != MOVED:
            role = LEADING if member.ref == leader else TWIN
            _put(member._replace(role=role, noted=numbers()), family, patch)
    if gone != keep:
        for operation in family.operations:
            if operation.entity == gone and operation.id in family.sent:
                patch.put(operation._replace(entity=keep, again=1))
            elif operation.entity == gone:
                _drop_merged(operation, keep, row.kind, patch, found)
        patch.put(EntityRow(gone, keep, b"{}"))
        _hand_on(gone, keep, family, patch)


def _hand_on(gone: int, keep: int, family: Family, patch: Patch) -> None:
    """What was agreed with an entity that is no more goes on where nothing was; what was asked of it is asked anew."""
    for hold in family.holds:
        if hold.entity == gone:
            patch.drop(hold)
    base = family.bases.get(gone)
    if base is not None:
        patch.drop(base)
        if keep not in family.bases:
            moved = base._replace(entity=keep)
            family.bases[keep] = moved
            patch.put(moved)


def _leader(members: Iterable[RecordRow], winner: RecordRow) -> Ref:
    """Who leads the winner's system among the members of the entity that goes on."""
    mine = (row for row in members if row.system == winner.system and row.role == LEADING)
    return next((row.ref for row in mine if row.state not in (DELETED, MOVED)), winner.ref)


def _drop_merged(operation: OperationRow, keep: int, kind: str, patch: Patch, found: Noted) -> None:
    """Work of an entity that is no more: an effect goes on under the new name, the rest is decided anew. What a
    create had claimed is free again, and those who waited for it are asked."""
    if operation.action == ActionKind.EFFECT:
        patch.put(operation._replace(entity=keep))
        return
    patch.put(operation._replace(state=SUPERSEDED, reason="merged"))
    for key in decode_work(operation.body).claims:
        patch.drop(KeyRow(operation.system, kind, key, "", "", operation.id))
        found.lost_keys.add(key)


def _supersede(row: RecordRow, family: Family, patch: Patch) -> None:
    for operation in family.operations:
        if (operation.system, operation.object, operation.record) == tuple(
            row.ref
        ) and operation.id not in family.sent:
            patch.put(operation._replace(state=SUPERSEDED, reason="the record is gone"))


def _put(row: RecordRow, family: Family, patch: Patch) -> None:
    family.records[row.ref] = row
    patch.put(row)
