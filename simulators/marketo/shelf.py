"""Where the leads of one instance stand, and how they are found.

Decides which lead a look-up gives: by id always the newest, by another field through an index that may
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
class Lead:
    """One lead; `values` has no nulls, times are unix seconds; `touched` moves with any field, `updated`
    only with standard ones, `born` is never rounded.
    """

    id: int
    values: Values
    born: float
    created: float
    updated: float
    touched: float


class Shelf:
    """All live leads of an instance with their indexes."""

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
        self.leads: dict[int, Lead] = {}
        self._indexes: dict[str, dict[Value, dict[int, None]]] = {"email": {}}
        self._hidden: dict[int, tuple[float, Lead | None]] = {}

    def add(self, lead: Lead) -> None:
        """Take a new lead in."""
        self.leads[lead.id] = lead
        for name, index in self._indexes.items():
            index.setdefault(_key(lead, name), {})[lead.id] = None

    def put(self, lead: Lead, name: str, new: Value) -> None:
        index = self._indexes.get(name)
        if index is not None:
            index.get(_key(lead, name), {}).pop(lead.id, None)
        if new is None:
            lead.values.pop(name, None)
        else:
            lead.values[name] = new
        if index is not None:
            index.setdefault(_key(lead, name), {})[lead.id] = None

    def remove(self, lead: Lead) -> None:
        del self.leads[lead.id]
        for name, index in self._indexes.items():
            index.get(_key(lead, name), {}).pop(lead.id, None)

    def find(self, field: str, values: Iterable[object]) -> list[Lead]:
        """Find leads by id (at once) or by another field (through the index, which may lag)."""
        keys = {fold(self._fields[field], value) for value in values}
        if field == "id":
            return [lead for key in keys if isinstance(key, int) and (lead := self.leads.get(key))]
        index = self._index(field)
        hidden = self._still_hidden()
        found = [self.leads[i] for key in keys for i in index.get(key, ()) if i not in hidden]
        for _, old in hidden.values():
            if old is not None and _key(old, field) in keys:
                found.append(old)
        return sorted(found, key=lambda lead: lead.id) if len(found) > 1 else found

    def matching(self, field: str, value: object) -> list[Lead]:
        """Find leads the way a write looks them up: never lagging."""
        key = fold(self._fields[field], value)
        if field == "id":
            lead = self.leads.get(key) if isinstance(key, int) else None
            return [lead] if lead else []
        return [self.leads[lead_id] for lead_id in self._index(field).get(key, ())]

    def _index(self, field: str) -> dict[Value, dict[int, None]]:
        """Give the index of a field, built on first use."""
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = {}
            for lead in self.leads.values():
                index.setdefault(_key(lead, field), {})[lead.id] = None
        return index

    def conceal(self, lead_id: int, before: Lead | None, stamp: float) -> float:
        """Hide a commit from queries and feeds for a while if that fault strikes; gives until when.

        That is at the latest the visibility lag after the commit's stamp, so a reader who overlaps by it
        misses nothing.
        """
        if self._lag <= 0 or not self._faults.fires("late_visibility"):
            return 0.0
        until = stamp + self._rng.uniform(0.2, 1.0) * self._lag
        earlier = self._hidden.get(lead_id)
        if earlier is not None and earlier[0] > self._clock.now():
            until, before = max(until, earlier[0]), earlier[1]
        self._hidden[lead_id] = (until, before)
        if len(self._hidden) > MOST_HIDDEN:
            self._still_hidden()
        return until

    def _still_hidden(self) -> dict[int, tuple[float, Lead | None]]:
        if self._hidden:
            now = self._clock.now()
            self._hidden = {i: entry for i, entry in self._hidden.items() if entry[0] > now}
        return self._hidden


def fold(field: Field, value: object) -> Value:
    """Make the key by which a field is looked up: texts without regard to case, numbers as numbers."""
    if field.type in ("integer", "score"):
        return int(text) if (text := str(value).strip()).lstrip("-").isdigit() else None
    return str(value).lower() if value is not None else None


def _key(lead: Lead, field: str) -> Value:
    value = lead.values.get(field)
    return value.lower() if isinstance(value, str) else value
