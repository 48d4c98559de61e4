"""A journal in dictionaries: the semantics of the SQL store, for tests and simulations that run in thousands.

It decides how a patch lands in memory and what a crash forgets: a forgetful store keeps the old rows of
every commit that was not durable and puts them back. It may not know what rows mean, beyond what the
questions of `sync.ports.Store` ask. It has one owner by nature, so there is no lease to lose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

import msgspec

from sync.errors import Fatal
from sync.rows import (
    AGREED_TRIGGERS,
    APPLIED,
    KEY,
    LIVE,
    NEW,
    OPEN_STATES,
    PLANNED,
    BaseRow,
    BatchRow,
    CommandRow,
    HoldRow,
    KeyRow,
    Mark,
    OperationRow,
    Patch,
    RecordRow,
    Row,
    RunRow,
    StandingRow,
)

R = TypeVar("R", bound=Row)
Key: TypeAlias = tuple[object, ...]
Hook: TypeAlias = Callable[[Key, Row | None, Row | None], None]


class MemoryStore:
    """A `sync.ports.Store` without a disk; `crash` loses what a machine that stops would lose.

    `forgetful`: commits made with `durable=False` are lost by a crash unless a durable one followed.
    `block`: how many sequence numbers are leased at once.
    """

    def __init__(self, *, forgetful: bool = False, block: int = 1_000) -> None:
        self._tables: dict[type[Any], dict[Key, Any]] = {kind: {} for kind in KEY}
        self._members: defaultdict[int, dict[Key, RecordRow]] = defaultdict(dict)
        self._refetch: dict[Key, RecordRow] = {}
        self._holders: defaultdict[Key, dict[Key, KeyRow]] = defaultdict(dict)
        self._open: dict[Key, OperationRow] = {}
        self._open_of: defaultdict[int, dict[Key, OperationRow]] = defaultdict(dict)
        self._effects: dict[str, int] = {}
        self._holds: defaultdict[int, dict[Key, HoldRow]] = defaultdict(dict)
        self._standings: defaultdict[int, dict[Key, StandingRow]] = defaultdict(dict)
        self._wakes: dict[Key, StandingRow] = {}
        self._hooks: dict[type[Row], Hook] = {
            RecordRow: self._index_record,
            KeyRow: self._index_key,
            OperationRow: self._index_operation,
            HoldRow: self._index_hold,
            StandingRow: self._index_standing,
        }
        self._forgetful = forgetful
        self._undo: list[tuple[type[Row], Key, Row | None]] = []
        self._block = block
        self._next = self._end = 1

    def numbers(self, count: int) -> range:
        """Fresh sequence numbers, ascending; a crash begins a new block."""
        first = self._next
        self._next += count
        while self._end < self._next:
            self._end += self._block
        return range(first, self._next)

    def commit(self, patch: Patch, *, durable: bool = True) -> None:
        """Apply a patch whole; raises Fatal, and changes nothing, where a claim or an effect is taken."""
        self._refuse_taken_effects(patch)
        self._refuse_taken_claims(patch)
        for kind, keys in patch.drops.items():
            for key in keys:
                self._set(kind, key, None)
        for kind, rows in patch.puts.items():
            for key, row in rows.items():
                self._set(kind, key, row)
        if durable:
            self._undo.clear()

    def crash(self) -> None:
        """Stop as a machine stops: not durable commits are gone (if forgetful), numbers begin a new block."""
        undo, self._undo = self._undo, []
        for kind, key, old in reversed(undo):
            self._set(kind, key, old)
        self._undo.clear()
        self._next = self._end

    def lease_left(self) -> float:
        """For ever: nobody else can own what is in this process."""
        return float("inf")

    def get(self, kind: type[R], keys: Iterable[tuple[object, ...]]) -> list[R]:
        """Rows by primary key, those that exist."""
        table = self._table(kind)
        return [table[key] for key in dict.fromkeys(keys) if key in table]

    def records_of(self, entities: Iterable[int]) -> list[RecordRow]:
        """All records of these entities."""
        return _gather(self._members, entities)

    def open_operations(self, entities: Iterable[int]) -> list[OperationRow]:
        """All operations of these entities whose state is open."""
        return _gather(self._open_of, entities)

    def holds_of(self, entities: Iterable[int]) -> list[HoldRow]:
        """All holds of these entities."""
        return _gather(self._holds, entities)

    def standings(self, entities: Iterable[int]) -> list[StandingRow]:
        """What standing rules remember of these entities."""
        return _gather(self._standings, entities)

    def wakes(self, route: str, now: float, limit: int) -> list[StandingRow]:
        """Standings of a route whose `wake` is set and not after `now`, oldest first, then by entity and rule."""
        found = [
            (row.wake, key, row) for key, row in self._wakes.items() if row.wake <= now and row.route == route
        ]
        found.sort()
        return [row for _wake, _key, row in found[:limit]]

    def commands(self, route: str) -> list[CommandRow]:
        """Persons' words to a route that no cycle has read yet, oldest first."""
        rows = self._table(CommandRow).values()
        return sorted(row for row in rows if row.state == NEW and row.route == route)

    def holders(self, system: str, kind: str, hashes: Iterable[str]) -> list[KeyRow]:
        """Keys and claims with one of these hashes."""
        return _gather(self._holders, ((system, kind, hash_) for hash_ in hashes))

    def dirty(self, kind: str, systems: Iterable[str], after: int, limit: int) -> list[Mark]:
        """Records noted after a watermark, oldest mark first, then by name."""
        among = set(systems)
        found = [
            (row.noted, row[:3], row.entity)
            for row in self._table(RecordRow).values()
            if row.noted > after and row.kind == kind and row.system in among
        ]
        found.sort()
        return [Mark(noted, entity, *key) for noted, key, entity in found[:limit]]

    def refetch_due(self, system: str, kind: str, now: float, limit: int) -> list[RecordRow]:
        """Records whose `refetch_at` is set and not after `now`, oldest first, then by name."""
        found = [
            (row.refetch_at, key, row)
            for key, row in self._refetch.items()
            if row.refetch_at <= now and row.system == system and row.kind == kind
        ]
        found.sort()
        return [row for _at, _key, row in found[:limit]]

    def due(self, route: str, now: float, limit: int, besides: Collection[str] = ()) -> list[OperationRow]:
        """Operations that may leave, by lane, then id; those in open batches or for the systems `besides` are left
        out."""
        away = self._away()
        found = [
            (row.lane, row.id, row)
            for row in self._open.values()
            if row.route == route
            and row.id not in away
            and row.system not in besides
            and (self._released(row) if row.state == PLANNED else row.at <= now)
        ]
        found.sort()
        return [row for _lane, _id, row in found[:limit]]

    def planned(self, route: str) -> Mapping[tuple[int, str], int]:
        """Unreleased planned operations counted by (run, action)."""
        return Counter(
            (row.run, row.action)
            for row in self._open.values()
            if row.state == PLANNED and row.route == route and not self._released(row)
        )

    def effects(self, keys: Iterable[str]) -> list[OperationRow]:
        """The operations with these effect keys, in whatever state."""
        return self.get(OperationRow, [(self._effects[key],) for key in keys if key in self._effects])

    def next_due(self, route: str) -> float | None:
        """The earliest time at which a pending, waiting or failed operation of the route may leave."""
        away = self._away()
        return min(
            (
                row.at
                for row in self._open.values()
                if row.state != PLANNED and row.route == route and row.id not in away
            ),
            default=None,
        )

    def batches(self, system: str) -> list[BatchRow]:
        """Batches that left and are not settled, oldest first."""
        return sorted(row for row in self._table(BatchRow).values() if row.system == system)

    def written(self, route: str, since: float) -> Mapping[str, int]:
        """Operations applied at or after a time, counted by action."""
        return Counter(
            row.action
            for row in self._table(OperationRow).values()
            if row.state == APPLIED
            and row.done_at >= since
            and row.route == route
            and not self._agreed(row.run)
        )

    def _agreed(self, number: int) -> bool:
        run = self._table(RunRow).get((number,))
        return run is not None and run.trigger in AGREED_TRIGGERS

    def count_linked(self, route: str) -> int:
        """Entities with a base under this route."""
        return sum(row.route == route for row in self._table(BaseRow).values())

    def count_records(self, system: str, kind: str) -> int:
        """Live records that we hold."""
        return sum(
            row.state == LIVE and row.system == system and row.kind == kind
            for row in self._table(RecordRow).values()
        )

    def _table(self, kind: type[R]) -> dict[Key, R]:
        return self._tables[kind]

    def _away(self) -> set[int]:
        return {one for row in self._table(BatchRow).values() for one in msgspec.json.decode(row.body)}

    def _released(self, row: OperationRow) -> bool:
        run = self._table(RunRow).get((row.run,))
        return run is not None and (run.released == "all" or row.action in run.released.split(","))

    def _refuse_taken_effects(self, patch: Patch) -> None:
        rows = cast("Iterable[OperationRow]", patch.puts.get(OperationRow, {}).values())
        gone = patch.drops.get(OperationRow, {})
        taken: dict[str, int] = {}
        for row in rows:
            if not row.effect:
                continue
            before = taken.setdefault(row.effect, self._effects.get(row.effect, row.id))
            if before != row.id and (before,) not in gone:
                raise Fatal("An effect that was already journaled would be journaled a second time.")
            taken[row.effect] = row.id

    def _refuse_taken_claims(self, patch: Patch) -> None:
        claimed: set[Key] = set()
        for row in cast("Iterable[KeyRow]", patch.puts.get(KeyRow, {}).values()):
            if not row.operation:
                continue
            others = self._holders.get(row[:3], {}).values()
            if row[:3] in claimed or any(self._stands(other, row, patch) for other in others):
                raise Fatal("Two creates would claim one match key.")
            claimed.add(row[:3])

    def _stands(self, other: KeyRow, row: KeyRow, patch: Patch) -> bool:
        """True if another open create still holds the key that `row` claims, once the patch is applied."""
        if not other.operation or other[:5] in patch.drops.get(KeyRow, {}):
            return False
        if other[:5] != row[:5]:
            return True
        if other.operation == row.operation:
            return False
        key = (other.operation,)
        if key in patch.drops.get(OperationRow, {}):
            return False
        after = patch.puts.get(OperationRow, {}).get(key, self._open.get(key))
        return after is not None and cast("OperationRow", after).state in OPEN_STATES

    def _set(self, kind: type[Row], key: Key, row: Row | None) -> None:
        table = self._tables[kind]
        old = table.get(key)
        if self._forgetful:
            self._undo.append((kind, key, old))
        if row is None:
            table.pop(key, None)
        else:
            table[key] = row
        hook = self._hooks.get(kind)
        if hook is not None:
            hook(key, old, row)

    def _index_record(self, key: Key, old: Row | None, new: Row | None) -> None:
        if old is not None:
            self._members[cast("RecordRow", old).entity].pop(key, None)
            self._refetch.pop(key, None)
        if new is not None:
            row = cast("RecordRow", new)
            self._members[row.entity][key] = row
            if row.refetch_at > 0:
                self._refetch[key] = row

    def _index_key(self, key: Key, old: Row | None, new: Row | None) -> None:
        if old is not None:
            self._holders[key[:3]].pop(key, None)
        if new is not None:
            self._holders[key[:3]][key] = cast("KeyRow", new)

    def _index_operation(self, key: Key, old: Row | None, new: Row | None) -> None:
        if old is not None:
            before = cast("OperationRow", old)
            self._open.pop(key, None)
            self._open_of[before.entity].pop(key, None)
            if before.effect:
                self._effects.pop(before.effect, None)
        if new is not None:
            row = cast("OperationRow", new)
            if row.state in OPEN_STATES:
                self._open[key] = self._open_of[row.entity][key] = row
            if row.effect:
                self._effects[row.effect] = row.id

    def _index_hold(self, key: Key, old: Row | None, new: Row | None) -> None:
        if old is not None:
            self._holds[cast("HoldRow", old).entity].pop(key, None)
        if new is not None:
            row = cast("HoldRow", new)
            self._holds[row.entity][key] = row

    def _index_standing(self, key: Key, old: Row | None, new: Row | None) -> None:
        if old is not None:
            self._standings[cast("StandingRow", old).entity].pop(key, None)
            self._wakes.pop(key, None)
        if new is not None:
            row = cast("StandingRow", new)
            self._standings[row.entity][key] = row
            if row.wake > 0:
                self._wakes[key] = row


V = TypeVar("V")
K = TypeVar("K")


def _gather(index: Mapping[K, Mapping[Key, V]], wanted: Iterable[K]) -> list[V]:
    """The rows under each wanted index value, each value once."""
    return [row for one in dict.fromkeys(wanted) if one in index for row in index[one].values()]
