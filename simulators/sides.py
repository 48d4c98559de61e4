"""Both vendors seen through one keyhole: live records, edits by people, the ledger.

Decides nothing; it only makes two differently shaped states look alike for the simulated users and the
oracle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from simulators.history import Side
from simulators.http import Lock
from simulators.ledger import Entry
from simulators.marketo.state import MarketoState
from simulators.salesforce.state import SalesforceState

Fields = Mapping[str, object]


class Keyhole(Protocol):
    """One vendor's people and records; every call must be made while holding `lock`."""

    @property
    def lock(self) -> Lock: ...

    @property
    def ledger(self) -> Sequence[Entry]: ...

    def live(self) -> Mapping[str, Fields]: ...

    def record(self, key: str) -> Fields | None: ...

    def edit(self, key: str, changes: Mapping[str, str | bool]) -> None: ...


class MarketoSide:
    """Leads by id as text."""

    def __init__(self, state: MarketoState, lock: Lock) -> None:
        self.state, self.lock = state, lock

    @property
    def ledger(self) -> Sequence[Entry]:
        return self.state.ledger

    def live(self) -> Mapping[str, Fields]:
        return {str(key): values for key, values in self.state.everything().items()}

    def record(self, key: str) -> Fields | None:
        lead = self.state.leads.get(int(key))
        return lead.values if lead else None

    def edit(self, key: str, changes: Mapping[str, str | bool]) -> None:
        self.state.human_edit(int(key), changes)


class SalesforceSide:
    """Leads that are not converted, and contacts."""

    def __init__(self, state: SalesforceState, lock: Lock) -> None:
        self.state, self.lock = state, lock

    @property
    def ledger(self) -> Sequence[Entry]:
        return self.state.ledger

    def live(self) -> Mapping[str, Fields]:
        return {
            key: row
            for name in ("Lead", "Contact")
            for key, row in self.state.tables[name].rows.items()
            if _is_live(row)
        }

    def record(self, key: str) -> Fields | None:
        row = self.state.tables[self._object(key)].rows.get(key)
        return row if row is not None and _is_live(row) else None

    def edit(self, key: str, changes: Mapping[str, str | bool]) -> None:
        self.state.human_edit(self._object(key), key, changes)

    def _object(self, key: str) -> str:
        return "Lead" if key in self.state.tables["Lead"].rows else "Contact"


def _is_live(row: Fields) -> bool:
    return not row["IsDeleted"] and not row.get("IsConverted")


Sides = Mapping[Side, Keyhole]
