"""Marketo's own sync with Salesforce, as a rival who writes the same fields: slow, silent, and no API call.

Decides which side's value goes over at each run: what changed since the last one, and Marketo's where both
did, as the vendor's page "Sync Lead" says. Beside the vendors, because neither fake may know the other; the CRM is
known by two methods only. It stands in both ledgers as `native`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple, Protocol

from simulators.http import Lock
from simulators.marketo.fields import BadValueError, Value, coerce
from simulators.marketo.shelf import Record
from simulators.marketo.state import MarketoState
from simulators.salesforce.directory import HUMAN_USERS
from simulators.salesforce.state import SalesforceState

EVERY = 300.0
NEVER_BLANK = frozenset({"LastName", "Company"})


class NativeField(NamedTuple):
    """One field that flows both ways: its name here, at a CRM lead and at a contact ("" = not there)."""

    marketo: str
    lead: str
    contact: str


FIELDS = (
    NativeField("firstName", "FirstName", "FirstName"),
    NativeField("lastName", "LastName", "LastName"),
    NativeField("title", "Title", "Title"),
    NativeField("phone", "Phone", "Phone"),
    NativeField("company", "Company", ""),
    NativeField("unsubscribed", "HasOptedOutOfEmail", "HasOptedOutOfEmail"),
)


class Crm(Protocol):
    """The other system, as the native sync uses it."""

    def read(self, kind: str, key: str) -> Mapping[str, object] | None: ...

    def write(self, kind: str, key: str, changes: Mapping[str, object]) -> None: ...


class SalesforceCrm:
    """A fake Salesforce seen by the native sync's user."""

    def __init__(self, state: SalesforceState) -> None:
        self._state = state

    def read(self, kind: str, key: str) -> Mapping[str, object] | None:
        """Give a live record's fields; None when it is deleted, merged away or converted."""
        row = self._state.tables[kind].rows.get(key)
        return None if row is None or row["IsDeleted"] or row.get("IsConverted") else row

    def write(self, kind: str, key: str, changes: Mapping[str, object]) -> None:
        """Change fields of a live record; what a record must have is never blanked."""
        table = self._state.tables[kind]
        changes = {name: new for name, new in changes.items() if new is not None or name not in NEVER_BLANK}
        txn = self._state.begin("native", HUMAN_USERS[0])
        self._state.commit(txn, "update", table, {**table.rows[key], **changes})


class NativeSync:
    """The rival; it treats the leads that `MarketoState.link_crm` has linked, every so many seconds.

    The caller holds both vendors' locks at `step` and `run`; `start` takes them itself.
    """

    def __init__(
        self, state: MarketoState, crm: Crm, fields: Sequence[NativeField] = FIELDS, *, every: float = EVERY
    ) -> None:
        self._state, self._crm, self._fields, self.every = state, crm, tuple(fields), every
        self._agreed: dict[tuple[int, str], object] = {}
        self._next = state.clock.now() + every
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None

    def step(self) -> int:
        """Run if a run is due by the clock; gives how many values it copied."""
        now = self._state.clock.now()
        if now < self._next:
            return 0
        self._next = now + self.every
        return self.run()

    def run(self) -> int:
        """Treat all linked leads now; gives how many values it copied."""
        return sum(
            self._treat(lead) for lead in list(self._state.leads.values()) if "sfdcType" in lead.values
        )

    def start(self, *locks: Lock) -> None:
        """Run in the background every `every` seconds of real time, holding these locks."""
        self._halt.clear()
        self._thread = threading.Thread(target=self._loop, args=(locks,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background runs and wait for the last one."""
        self._halt.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _loop(self, locks: Sequence[Lock]) -> None:
        while not self._halt.wait(self.every):
            with ExitStack() as held:
                for lock in locks:
                    held.enter_context(lock)
                self.run()

    def _treat(self, lead: Record) -> int:
        kind = str(lead.values["sfdcType"])
        key = str(lead.values.get(f"sfdc{kind}Id"))
        theirs = self._crm.read(kind, key)
        if theirs is None:
            return 0
        to_crm: dict[str, object] = {}
        to_lead: dict[str, Value] = {}
        for field in self._fields:
            name = field.lead if kind == "Lead" else field.contact
            if name:
                self._compare(lead, field.marketo, theirs, name, to_crm, to_lead)
        if to_crm:
            self._crm.write(kind, key, to_crm)
        if to_lead:
            self._state.edit("native", lead.id, to_lead)
        return len(to_crm) + len(to_lead)

    def _compare(
        self,
        lead: Record,
        field: str,
        theirs: Mapping[str, object],
        name: str,
        to_crm: dict[str, object],
        to_lead: dict[str, Value],
    ) -> None:
        ours, other = _plain(lead.values.get(field)), _plain(theirs.get(name))
        place = (lead.id, field)
        first = place not in self._agreed
        ours_moved = ours is not None if first else ours != self._agreed[place]
        if ours == other:
            self._agreed[place] = ours
        elif ours_moved:
            to_crm[name] = self._agreed[place] = ours
        else:
            try:
                to_lead[field] = coerce(self._state.fields[field], other)
            except BadValueError:
                return  # what the field does not take stays where it is
            self._agreed[place] = other


def _plain(value: object) -> object:
    return None if value == "" else value
