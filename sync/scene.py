"""Everything that deciding a chunk of entities may look at, read from the store in a fixed number of queries.

A scene is the working copy of one decide transaction: links made earlier in the chunk, claims taken
and operations derived are visible to the entities that come later. It decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

import msgspec

from sync.happened import Linked
from sync.normalise import Known, Lens
from sync.plan import Base, decode_base
from sync.ports import Store
from sync.record import SIDES, Ref, Side
from sync.rows import (
    DELETED,
    LEADING,
    LIVE,
    MOVED,
    BaseRow,
    HoldRow,
    KeyRow,
    OperationRow,
    Patch,
    RecordRow,
    StandingRow,
    went_on_as,
)  # fmt: skip
from sync.rules import ActionKind, FieldRule
from sync.standing import Related

LATCH, LIFTED = "latch", "lifted:"
NOWHERE = ""


def nobody(_rows: Iterable[RecordRow]) -> tuple[Related, ...]:
    """What concerns people where no route says that anything does."""
    return ()


class Scene:
    """Rows around some entities, with everything that the chunk has changed so far."""

    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        self.patch = Patch()
        self.records: dict[Ref, RecordRow] = {}
        self.members: defaultdict[int, dict[Ref, None]] = defaultdict(dict)
        self.bases: dict[int, Base] = {}
        self.before: dict[int, Base] = {}
        self.operations: defaultdict[int, dict[int, OperationRow]] = defaultdict(dict)
        self.creates: set[int] = set()
        self.holds: defaultdict[int, dict[tuple[str, str], HoldRow]] = defaultdict(dict)
        self.holders: defaultdict[tuple[str, str], dict[Ref, None]] = defaultdict(dict)
        self.claims: dict[tuple[str, str], int] = {}
        self.sent: frozenset[int] = frozenset()
        self.opted: dict[str, list[RecordRow]] = {}
        self.latches: dict[str, dict[str, str]] = {}
        self.lifted: dict[tuple[str, ...], set[str]] = {}
        self.apart: set[int] = set()
        self.served: set[str] = set()
        self.noted: dict[tuple[str, ...], int] = {}
        self.newborn: set[tuple[str, ...]] = set()
        self.decided: set[int] = set()
        self.linked: dict[Ref, Linked] = {}
        self.standings: defaultdict[int, dict[str, StandingRow]] = defaultdict(dict)
        self.references: list[tuple[FieldRule, Side, dict[str, str]]] = []
        self.kin: Callable[[Iterable[RecordRow]], tuple[Related, ...]] = nobody
        self._known: dict[tuple[str, ...], Known] = {}

    def add_records(self, rows: Iterable[RecordRow]) -> None:
        """Take rows into the scene; rows that it already holds win."""
        for row in rows:
            if row.ref not in self.records:
                self.records[row.ref] = row
                self.noted[row[:3]] = row.noted
                if row.noted == row.entity:  # its first mark is still its last
                    self.newborn.add(row[:3])
                self.members[row.entity][row.ref] = None

    def known(self, row: RecordRow) -> Known:
        """The canonical fields of a record, read once."""
        key = row[:3]
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._as_answered(row, self.lens.known(row))
        return found

    def _as_answered(self, row: RecordRow, known: Known) -> Known:
        """A record's fields as a person has said that they are to be taken."""
        if row.entity in self.apart:
            known = known._replace(personal=False)
        if lifted := self.lifted.get(row[:3]):
            said = known.consent.items()
            lower = {topic: None if value is True and topic in lifted else value for topic, value in said}
            known = known._replace(consent=lower)
        return known

    def see(self, row: RecordRow, known: Known) -> None:
        """Take other canonical fields for a record's than those that were read from it."""
        self._known[row[:3]] = known

    def covered(self) -> dict[int, int]:
        """Up to which dirty mark each entity, under the name it bears by now, has been decided."""
        found: dict[int, int] = {}
        for entity in self.decided:
            marks = [self.noted[row[:3]] for row in self.rows(entity)]
            if marks:
                found[entity] = max(marks)
        return found

    def forget_known(self, ref: Ref) -> None:
        """Read a record's fields anew when they are asked for again."""
        self._known.pop(ref, None)

    def put(self, row: RecordRow) -> None:
        """Change a record, in the scene and in the patch; its values stay what they were."""
        old = self.records.get(row.ref)
        if old is not None and old.entity != row.entity:
            self.members[old.entity].pop(row.ref, None)
        self.records[row.ref] = row
        self.members[row.entity][row.ref] = None
        self.patch.put(row)

    def rows(self, entity: int) -> list[RecordRow]:
        """All records of an entity."""
        return [self.records[ref] for ref in self.members[entity]]

    def leading(self, entity: int, side: Side) -> RecordRow | None:
        """The leading record of one side, whatever its state (merged ones never lead)."""
        system = self.lens.system(side)
        for ref in self.members[entity]:
            row = self.records[ref]
            if row.system == system and row.role == LEADING and row.state != MOVED:
                return row
        return None

    def is_linked(self, entity: int) -> bool:
        """True if both sides have a leading record that the vendor has not deleted."""
        return all((row := self.leading(entity, side)) is not None and row.state != DELETED for side in SIDES)

    def creating(self, entity: int) -> int:
        """The operation that is creating a counterpart right now (0 = none has left)."""
        for number, operation in self.operations[entity].items():
            if number in self.sent and operation.action == ActionKind.CREATE:
                return number
        return 0

    def others_created(self, entity: int) -> bool:
        """True if somebody else has a create that is open, or was when the scene was read."""
        return len(self.creates) > (entity in self.creates)

    def in_question(self, entity: int) -> int:
        """A create that has left and may have made one of an entity's records, whose address it claims (0 = none):
        what is written there now could make it impossible to find."""
        for row in self.rows(entity) if self.claims and self.sent else ():
            number = self.claims.get((row.system, self.known(row).address), 0)
            if row.state == LIVE and number in self.sent:
                return number
        return 0

    def bearing(self, system: str, key: str) -> list[RecordRow]:
        """Records of a system that have a match key, or had it when they were merged or deleted."""
        rows = (self.records.get(ref) for ref in self.holders.get((system, key), ()))
        return [row for row in rows if row is not None]

    def sharing(self, system: str, key: str) -> list[RecordRow]:
        """Live records of a system that have a match key."""
        return [row for row in self.bearing(system, key) if row.state == LIVE]

    def ask_again(self, operation: int) -> None:
        """Remember at an operation that somebody was passed over for it and is asked again when it is settled."""
        for operations in self.operations.values():
            row = operations.get(operation)
            if row is not None and not row.again:
                self.put_operation(row._replace(again=1))

    def put_operation(self, row: OperationRow) -> None:
        """Add or change an operation."""
        self.add_operation(row)
        self.patch.put(row)

    def add_operation(self, row: OperationRow) -> None:
        """Take an operation into the scene."""
        self.operations[row.entity][row.id] = row
        if row.action == ActionKind.CREATE:
            self.creates.add(row.entity)


def on_their_way(store: Store, systems: Iterable[str]) -> frozenset[int]:
    """Operations that left for one of these systems or channels and are not settled."""
    found: set[int] = set()
    for system in systems:
        for batch in store.batches(system):
            found.update(msgspec.json.decode(batch.body))
    return frozenset(found)


def load(store: Store, lens: Lens, wanted: Collection[int], channels: Iterable[str] = ()) -> Scene:
    """Read the surroundings of some entities: their records, neighbours by key, base and open work. `channels`:
    where effects may be on their way beside the two systems."""
    scene = Scene(lens)
    wanted = set(wanted)
    scene.add_records(store.records_of(wanted))
    own = list(scene.records.values())
    _load_named(scene, store, own)
    _load_holders(scene, store)
    _load_named(scene, store, list(scene.records.values())[len(own) :])
    _load_survivors(scene, store)
    entities = {row.entity for row in scene.records.values()}
    if entities - wanted:
        scene.add_records(store.records_of(entities - wanted))
    route = lens.rules.route
    for base in store.get(BaseRow, [(entity, route) for entity in entities]):
        scene.bases[base.entity] = decode_base(base.body)
    scene.before = dict(scene.bases)
    for operation in store.open_operations(entities):
        scene.add_operation(operation)
    for hold in store.holds_of(entities):
        scene.holds[hold.entity][hold.field, hold.kind] = hold
    if lens.rules.standing:
        for standing in store.standings(entities):
            scene.standings[standing.entity][standing.rule] = standing
    scene.sent = on_their_way(store, (*lens.rules.systems.values(), *channels))
    _load_latches(scene, store)
    _load_consent(scene)
    return scene


def entity_name(entity: int) -> str:
    """Under which name an entity's latches stand (those of addresses stand under their hash)."""
    return f"entity:{entity}"


def lifted_name(row: RecordRow) -> str:
    """Under which name it stands that a record's opt-out was lifted by a person."""
    return f"{LIFTED}{row.system}/{row.object}/{row.id}"


def apart_name(entity: int) -> str:
    """Under which name it stands that an entity's address does not say who it is."""
    return f"apart:{entity}"


def _load_latches(scene: Scene, store: Store) -> None:
    """What stands for anybody in the scene, whatever is seen: opt-outs, and what a person has said of them."""
    lifted = {lifted_name(row): row for row in scene.records.values()}
    apart = {apart_name(row.entity): row.entity for row in scene.records.values()}
    names = {*apart}
    if scene.lens.rules.consent:
        names |= {*lifted, *(entity_name(row.entity) for row in scene.records.values())}
        names |= {scene.known(row).address for row in scene.records.values()} - {""}
    for key in store.holders(NOWHERE, LATCH, names):
        if key.hash in apart:
            scene.apart.add(apart[key.hash])
        elif key.hash in lifted:
            scene.lifted.setdefault(lifted[key.hash][:3], set()).add(key.object)
        else:
            scene.latches.setdefault(key.hash, {})[key.object] = key.id
    for row in scene.records.values():
        if row.entity in scene.apart or row[:3] in scene.lifted:
            scene.forget_known(row.ref)


def _load_consent(scene: Scene) -> None:
    """Who says to be opted out, by address."""
    if not scene.lens.rules.consent:
        return
    for row in scene.records.values():
        known = scene.known(row)
        if known.address and True in known.consent.values():
            scene.opted.setdefault(known.address, []).append(row)


def _load_named(scene: Scene, store: Store, rows: Iterable[RecordRow]) -> None:
    """Records that are named by id in one of these records' key fields."""
    refs: set[Ref] = set()
    for row in rows:
        for name in scene.lens.key_fields():
            refs.update(scene.lens.carried(row.system, name, scene.known(row).values.get(name)))
    missing = [ref for ref in sorted(refs) if ref not in scene.records]
    scene.add_records(store.get(RecordRow, missing) if missing else ())


def _load_survivors(scene: Scene, store: Store) -> None:
    """What merged and converted records went on as, where nobody else's record leads there."""
    tried: set[Ref] = set()
    while True:
        ends = [went_on_as(row) for row in scene.records.values() if row.state == MOVED]
        missing = [ref for ref in dict.fromkeys(ends) if ref not in scene.records and ref not in tried]
        if not missing:
            return
        tried.update(missing)
        scene.add_records(store.get(RecordRow, missing))


def _load_holders(scene: Scene, store: Store) -> None:
    """Records and claims with the same keys, on both sides."""
    lens = scene.lens
    addresses: set[str] = set()
    ids: dict[str, list[str]] = {system: [] for system in lens.rules.systems.values()}
    for row in scene.records.values():
        addresses.add(scene.known(row).address)
        ids[lens.system(lens.side(row.system).other)] += lens.id_look_ups(row)
    addresses.discard("")
    found: list[KeyRow] = []
    for system, hashes in ids.items():
        found += store.holders(system, lens.rules.kind, [*addresses, *hashes])
    missing = []
    for key in found:
        if key.operation:
            scene.claims[key.system, key.hash] = key.operation
            continue
        ref = Ref(key.system, key.object, key.id)
        scene.holders[key.system, key.hash][ref] = None
        if ref not in scene.records:
            missing.append(tuple(ref))
    if missing:
        scene.add_records(store.get(RecordRow, missing))
