"""The organisation's memory: tables, users, the ledger, and how one transaction commits.

Decides stamps, who is noted as the last writer, and when queries see a commit. The rules for what may be
written stand in `writes` (API) and `human` (people in the vendor's screens).

A version stamped S is seen by queries at S + visibility_lag at the latest, faults included; only a commit
that is held back on purpose (`commit_delay`) breaks that.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from simulators.clock import Clock
from simulators.faults import Faults
from simulators.ledger import Actor, Entry, Verb
from simulators.salesforce.directory import API_USER, HUMAN_USERS, directory, record_type_id
from simulators.salesforce.errors import RequestError
from simulators.salesforce.fields import ObjectSpec
from simulators.salesforce.ids import new_id
from simulators.salesforce.schema import LEAD_STATUSES, RECORD_TYPES, standard_schema
from simulators.salesforce.schema_deals import DONE, TASK_STATUSES
from simulators.salesforce.stages import OPEN, derived
from simulators.salesforce.stamps import seconds_of, stamp
from simulators.salesforce.table import Row, Table

RECYCLE_BIN_SECONDS = 15 * 86_400.0
KEPT_BY_VENDOR = frozenset(
    {"Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"}
)
KEPT_OF_PERSONS = KEPT_BY_VENDOR | {"Name"}  # a person's name is put together from its parts
_DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Lead": {"Status": LEAD_STATUSES[0]},
        "Opportunity": {"StageName": OPEN, "CurrencyIsoCode": "JPY"},
        "Task": {"Status": TASK_STATUSES[0], "Priority": "Normal", "TaskSubtype": "Task"},
    }
)


@dataclass(slots=True, kw_only=True)
class Switches:
    """What an administrator may set; `session_seconds` None = sessions never end.

    `duplicate_rules` maps an object to `alert` or `block`; `conversion_fields` are copied from a lead to the contact
    that it becomes; `assignment_rule` gives leads written by the API to a queue's user.
    """

    assignment_rule: bool = True
    duplicate_rules: dict[str, str] = field(default_factory=dict)
    daily_calls: int = 100_000
    session_seconds: float | None = 7200.0
    page_size: int = 2000
    updated_ids: int = 600_000
    conversion_fields: tuple[str, ...] = (
        "Marketo_Id__c", "MA_Score__c", "MA_Grade__c", "Full_Name__c", "Opt_Out_Seminar__c", "Newsletter_OK__c",
    )  # fmt: skip


class Undo(NamedTuple):
    """What to put back when a transaction is rolled back."""

    table: Table
    id: str
    old: Row | None


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One transaction: its time, its stamp (as text and as unix seconds), who writes, how long it is held back."""

    now: float
    stamp: str
    stamped: float
    actor: Actor
    user: str
    hide_until: float | None
    undo: list[Undo]
    ledger_from: int


class Core:
    """Tables and commits; `ledger` is the vendor's own record, `calls` counts by endpoint, `writes` rows."""

    def __init__(
        self, clock: Clock, rng: random.Random, faults: Faults, *, visibility_lag: float = 1.0
    ) -> None:
        self.clock, self.rng, self.faults, self.visibility_lag = clock, rng, faults, visibility_lag
        self.switches = Switches()
        self.ledger: list[Entry] = []
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.schema: dict[str, ObjectSpec] = dict(standard_schema())
        self.schema_version = 0
        self.schema_changed = clock.now()
        self.tables = {name: Table(spec) for name, spec in self.schema.items()}
        for name, rows in directory().items():
            for row in rows:
                self.tables[name].put(row)
        self._numbers = {name: len(rows) for name, rows in directory().items()}
        self.deletions_known_from = clock.now()  # later when the vendor has trimmed its log
        self._latest = (0.0, "")  # time and stamp of the last commit

    def spec(self, object_name: str) -> ObjectSpec:
        """Give an object as the API user sees it; RequestError 404 when there is none of that name."""
        found = self.schema.get(object_name)
        if found is None:
            found = next((s for n, s in self.schema.items() if n.lower() == object_name.lower()), None)
        if found is None:
            raise RequestError(404, "NOT_FOUND", "The requested resource does not exist")
        return found

    def table(self, object_name: str) -> Table:
        """Give an object's records, with the commits revealed whose time has come."""
        table = self.tables[object_name]
        now = self.clock.now()
        table.reveal(now)
        self._empty_bin(table, now)
        return table

    def hide_field(self, object_name: str, field_name: str) -> None:
        """Take the API user's right to see a field (field-level security) or remove a custom field."""
        self._redefine(self.schema[object_name].without(field_name))

    def show_field(self, object_name: str, field_name: str) -> None:
        """Give the right to see a field back."""
        self.alter_field(object_name, field_name)

    def alter_field(self, object_name: str, field_name: str, **changes: Any) -> None:
        """Change attributes of a field (`unique=False`, `restricted=True`, `picklist=…`)."""
        spec = self.schema[object_name]
        known = spec.fields.get(field_name) or standard_schema()[object_name].fields[field_name]
        self._redefine(spec.having(replace(known, **changes)))

    def _redefine(self, spec: ObjectSpec) -> None:
        self.schema[spec.name] = spec
        self.schema_version += 1
        self.schema_changed = self.clock.now()

    def begin(self, actor: Actor, user: str | None = None, commit_delay: float = 0.0) -> Transaction:
        """Open a transaction at the present time; held back from queries for `commit_delay` seconds."""
        now = self.clock.now()
        before, text = self._latest
        if not (text and now - before <= self.visibility_lag and self.faults.fires("equal_stamps")):
            before, text = now, stamp(now)
            self._latest = (before, text)
        if user is None:
            user = API_USER if actor == "api" else self.rng.choice(HUMAN_USERS)
        hide = now + commit_delay if commit_delay > 0 else None
        if hide is None and actor == "human":
            hide = self._late(before)  # a person's transaction appears at once; an API call's rows singly
        return Transaction(
            now=now, stamp=text, stamped=before, actor=actor, user=user, hide_until=hide, undo=[],
            ledger_from=len(self.ledger),
        )  # fmt: skip

    def new_row(self, txn: Transaction, object_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Build a record with a new id and its defaults, not yet committed."""
        table = self.tables[object_name]
        number = self._numbers.get(object_name, 0) + 1
        self._numbers[object_name] = number
        row = {**table.spec.blank, "Id": new_id(table.spec.prefix, number), "CreatedDate": txn.stamp}
        row |= {"CreatedById": txn.user, "IsDeleted": False, **_DEFAULTS.get(object_name, {})}
        if "OwnerId" in row:
            row["OwnerId"] = txn.user
        if object_name in RECORD_TYPES:
            row["RecordTypeId"] = record_type_id(RECORD_TYPES[object_name][0], object_name)
        row.update(values)
        return row

    def commit(
        self, txn: Transaction, verb: Verb, table: Table, row: dict[str, Any], *, into: str | None = None
    ) -> None:
        """Write a version of a record: stamps, names, ledger, tables."""
        key = row["Id"]
        old = table.rows.get(key)
        row["SystemModstamp"] = row["LastModifiedDate"] = txn.stamp
        row["LastModifiedById"] = txn.user
        if "LastName" in row:
            row["Name"] = f"{row['FirstName']} {row['LastName']}" if row["FirstName"] else row["LastName"]
        row.update(_derived(table.spec.name, old, row, txn.stamp))
        txn.undo.append(Undo(table, key, old))
        hide = txn.hide_until
        if hide is None and txn.actor == "api":
            hide = self._late(txn.stamped)
        table.put(row, hide)
        entry = Entry(
            len(self.ledger) + 1, txn.now, txn.actor, verb, table.spec.name, key, _changes(old, row), into
        )
        self.ledger.append(entry)

    def bin_record(self, txn: Transaction, table: Table, old: Row, *, master: str | None = None) -> None:
        """Move a record to the recycle bin, or merge it into `master`."""
        row = {**old, "IsDeleted": True}
        if master is not None:
            row["MasterRecordId"] = master
        self.commit(txn, "delete" if master is None else "merge", table, row, into=master)
        table.deleted_log.append((txn.now, row["Id"]))
        table.binned.append((txn.now, row["Id"]))

    def holders(self, table: Table, name: str, value: object) -> list[str]:
        """Give the live records that hold this value in an indexed field, as committed."""
        return [key for key in table.looked_up(name, (value,)) if not table.rows[key]["IsDeleted"]]

    def _late(self, stamped: float) -> float | None:
        if not self.faults.fires("late_visibility"):
            return None
        return stamped + self.visibility_lag * self.rng.random()

    def roll_back(self, txn: Transaction) -> None:
        """Undo everything that a transaction has committed, its ledger entries too."""
        for table, key, old in reversed(txn.undo):
            table.restore(key, old)
        del self.ledger[txn.ledger_from :]
        txn.undo.clear()

    def trim_deletion_log(self, object_name: str) -> None:
        """Forget which records of an object were deleted so far, as the vendor does with a large log."""
        self.tables[object_name].deleted_log.clear()
        self.deletions_known_from = self.clock.now()

    def put_silently(self, txn: Transaction, table: Table, row: Row) -> None:
        """Replace a version without new stamps and without an entry in the ledger: what follows from other records."""
        txn.undo.append(Undo(table, row["Id"], table.rows[row["Id"]]))
        table.put(row)

    def system_touch(self, object_name: str, key: str) -> None:
        """Move only the SystemModstamp of a record, as roll-up recalculations and mail bounces do."""
        table = self.tables[object_name]
        table.put({**table.rows[key], "SystemModstamp": stamp(self.clock.now())})

    def _empty_bin(self, table: Table, now: float) -> None:
        """Erase what has lain in the recycle bin for 15 days."""
        limit = now - RECYCLE_BIN_SECONDS
        while table.binned and table.binned[0][0] <= limit:
            when, key = table.binned.popleft()
            row = table.rows.get(key)
            if row is not None and row["IsDeleted"] and seconds_of(row["SystemModstamp"]) <= when + 1:
                table.erase(key)


def _derived(object_name: str, old: Row | None, row: Row, stamp: str) -> Mapping[str, Any]:
    """The fields that the vendor works out from others of the same record."""
    match object_name:
        case "Opportunity":
            return derived(old, row, stamp)
        case "Task":
            done = row["Status"] == DONE
            when = row["CompletedDateTime"] or stamp
            return {"IsClosed": done, "CompletedDateTime": when if done else None}
        case "Contact":
            return {"IsEmailBounced": row["EmailBouncedReason"] is not None}
        case _:
            return {}


def _changes(old: Row | None, new: Row) -> dict[str, tuple[object, object]]:
    """What a version changes in the fields that people and programs write."""
    kept = KEPT_OF_PERSONS if "LastName" in new else KEPT_BY_VENDOR
    if old is None:
        return {name: (None, value) for name, value in new.items() if value and name not in kept}
    return {
        name: (old[name], value) for name, value in new.items() if old[name] != value and name not in kept
    }
