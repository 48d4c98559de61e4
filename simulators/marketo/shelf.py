"""Where the records of one kind (leads, companies) stand, and how they are found.

Decides which record a look-up gives: by id always the newest, by another field through an index that may
lag behind a commit; writes look up without lag. Knows no log, no ledger and no dialect.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from simulators.clock import Clock
from simulators.faults import Faults
from simulators.marketo.fields import Field, Value

Values = dict[str, Value]
MOST_HIDDEN = 1000  # after so many, those whose time has come are dropped also without a reader


@dataclass(slots=True)
class Record:
    """One lead or company; `values` has no nulls, times are unix seconds; `touched` moves with any field,
    `updated` only with standard ones, `born` is never rounded.
    """

    id: int
    values: Values
    born: float
    created: float
    updated: float
    touched: float


class Shelf:
    """All live records of one kind with their indexes."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        faults: Faults,
        fields: dict[str, Field],
        *,
        visibility_lag: float,
    ) -> None:
        self._clock, self._rng, self._faults, self._lag = clock, rng, faults, visibility_lag
        self._fields = fields
        self.rows: dict[int, Record] = {}
        self._indexes: dict[str, dict[Value, dict[int, None]]] = {"email": {}}
        self._hidden: dict[int, tuple[float, Record | None]] = {}

    def add(self, record: Record) -> None:
        """Take a new record in."""
        self.rows[record.id] = record
        for name, index in self._indexes.items():
            index.setdefault(_key(record, name), {})[record.id] = None

    def put(self, record: Record, name: str, new: Value) -> None:
        index = self._indexes.get(name)
        if index is not None:
            index.get(_key(record, name), {}).pop(record.id, None)
        if new is None:
            record.values.pop(name, None)
        else:
            record.values[name] = new
        if index is not None:
            index.setdefault(_key(record, name), {})[record.id] = None

    def remove(self, record: Record) -> None:
        del self.rows[record.id]
        for name, index in self._indexes.items():
            index.get(_key(record, name), {}).pop(record.id, None)

    def find(self, field: str, values: Iterable[object]) -> list[Record]:
        """Find records by id (at once) or by another field (through the index, which may lag)."""
        keys = {fold(self._fields[field], value) for value in values}
        if field == "id":
            return [row for key in keys if isinstance(key, int) and (row := self.rows.get(key))]
        index = self._index(field)
        hidden = self._still_hidden()
        found = [self.rows[i] for key in keys for i in index.get(key, ()) if i not in hidden]
        for _, old in hidden.values():
            if old is not None and _key(old, field) in keys:
                found.append(old)
        return sorted(found, key=lambda record: record.id) if len(found) > 1 else found

    def matching(self, field: str, value: object) -> list[Record]:
        """Find records the way a write looks them up: never lagging."""
        key = fold(self._fields[field], value)
        if field == "id":
            row = self.rows.get(key) if isinstance(key, int) else None
            return [row] if row else []
        return [self.rows[number] for number in self._index(field).get(key, ())]

    def _index(self, field: str) -> dict[Value, dict[int, None]]:
        """Give the index of a field, built on first use."""
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for record in self.rows.values():
                index.setdefault(_key(record, field), {})[record.id] = None
        return index

    def conceal(self, number: int, before: Record | None, stamp: float) -> float:
        """Hide a commit from queries and feeds for a while if that fault strikes; gives until when."""
        until = self.lateness(stamp)
        if not until:
            return 0.0
        earlier = self._hidden.get(number)
        if earlier is not None and earlier[0] > self._clock.now():
            until, before = max(until, earlier[0]), earlier[1]
        self._hidden[number] = (until, before)
        if len(self._hidden) > MOST_HIDDEN:
            self._still_hidden()
        return until

    def lateness(self, stamp: float) -> float:
        """Say until when a commit stays unseen if that fault strikes, else 0.

        That is at the latest the visibility lag after the commit's stamp, so a reader who overlaps by it
        misses nothing.
        """
        if self._lag <= 0 or not self._faults.fires("late_visibility"):
            return 0.0
        return stamp + self._rng.uniform(0.2, 1.0) * self._lag

    def _still_hidden(self) -> dict[int, tuple[float, Record | None]]:
        if self._hidden:
            now = self._clock.now()
            self._hidden = {i: entry for i, entry in self._hidden.items() if entry[0] > now}
        return self._hidden


def fold(field: Field, value: object) -> Value:
    """Make the key by which a field is looked up: texts without regard to case, numbers as numbers."""
    if field.type in ("integer", "score"):
        return int(text) if (text := str(value).strip()).lstrip("-").isdigit() else None
    return str(value).lower() if value is not None else None


def _key(record: Record, field: str) -> Value:
    value = record.values.get(field)
    return value.lower() if isinstance(value, str) else value
