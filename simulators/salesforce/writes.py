"""What the API may write: validation, unique keys, duplicate rules, locks, and the faults of a save.

One transaction per call. Rows are judged one by one; with all-or-none one bad row undoes the others. The
rules follow the vendor's pages on sObject Collections, upsert, duplicate rules and lead assignment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from simulators.salesforce.core import Transaction
from simulators.salesforce.directory import QUEUE_USER
from simulators.salesforce.errors import RequestError, RowError, SaveResult, refused
from simulators.salesforce.family import Family
from simulators.salesforce.fields import Field, ObjectSpec
from simulators.salesforce.ids import normalise
from simulators.salesforce.rules import objection
from simulators.salesforce.table import Row, Table
from simulators.salesforce.values import Cleaned, Value, bend, clean_row, missing_fields

ApiVerb = Literal["create", "update", "upsert", "delete"]
ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class Item(NamedTuple):
    """One row to save; `key_field` is the external id of an upsert, `update_only` forbids its insert."""

    verb: ApiVerb
    object: str
    row: Mapping[str, Any]
    key_field: str | None = None
    update_only: bool = False


class Options(NamedTuple):
    """How a call wants its rows saved: the vendor's request headers and `allOrNone`."""

    all_or_none: bool = False
    auto_assign: bool = False
    allow_duplicates: bool = False


PLAIN = Options()


class Job(NamedTuple):
    """One row under way: where it goes and its cleaned values."""

    item: Item
    spec: ObjectSpec
    table: Table
    cleaned: Cleaned


class ApiWrites(Family):
    """Creates, updates, upserts and deletes as the integration user; each returns one result per row."""

    def create(
        self, object_name: str, rows: Sequence[Mapping[str, Any]], options: Options = PLAIN
    ) -> list[SaveResult]:
        """Insert rows; RequestError when a field is unknown or a value has the wrong JSON type."""
        return self.save([Item("create", object_name, row) for row in rows], options)

    def update(
        self, object_name: str, rows: Sequence[Mapping[str, Any]], options: Options = PLAIN
    ) -> list[SaveResult]:
        """Update rows that name their record in `Id` (or `id`)."""
        return self.save([Item("update", object_name, row) for row in rows], options)

    def upsert(
        self,
        object_name: str,
        key_field: str,
        rows: Sequence[Mapping[str, Any]],
        options: Options = PLAIN,
    ) -> list[SaveResult]:
        """Insert or update by an external id."""
        return self.save([Item("upsert", object_name, row, key_field) for row in rows], options)

    def delete(self, object_name: str, keys: Sequence[str], options: Options = PLAIN) -> list[SaveResult]:
        """Move records to the recycle bin."""
        return self.save([Item("delete", object_name, {"Id": key}) for key in keys], options)

    def save(self, items: Sequence[Item], options: Options) -> list[SaveResult]:
        """Save rows of any mix in one transaction, in order."""
        jobs = [self._prepare(item) for item in items]
        for verb in {item.verb for item in items}:
            self.calls[verb] += 1
        txn = self.begin("api")
        twice = _keys_sent_twice(jobs)
        results = [self._save_one(txn, job, options, twice) for job in jobs]
        if options.all_or_none and not all(result.success for result in results):
            self.roll_back(txn)
            return [refused(ROLLED_BACK) if result.success else result for result in results]
        for job, result in zip(jobs, results, strict=True):
            if result.success:
                self.writes["create" if result.created else _plain(job.item.verb)] += 1
        return results

    def _prepare(self, item: Item) -> Job:
        spec = self.spec(item.object)
        if not spec.writable:
            raise RequestError(
                403, "INSUFFICIENT_ACCESS_OR_READONLY", f"{spec.name} cannot be written by this user"
            )
        if item.verb == "upsert":
            self._external(spec, item.key_field or "")
        cleaned = clean_row(spec, item.row, creating=item.verb != "update")
        return Job(item, spec, self.tables[spec.name], cleaned)

    def _external(self, spec: ObjectSpec, name: str) -> Field:
        field = spec.find(name)
        if field is None or not field.external_id:
            raise RequestError(
                404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible"
            )
        return field

    def _save_one(self, txn: Transaction, job: Job, options: Options, twice: frozenset[str]) -> SaveResult:
        if job.item.verb == "create":
            return self._insert(txn, job, options)
        if job.item.verb == "upsert":
            return self._upsert(txn, job, options, twice)
        old = self._target(job)
        if isinstance(old, RowError):
            return refused(old)
        if job.item.verb == "delete":
            return self._remove(txn, job, old)
        return self._change(txn, job, old, options)

    def _target(self, job: Job) -> Row | RowError:
        sent = job.item.row.get("Id") or job.item.row.get("id")
        if not sent:
            return RowError("MISSING_ARGUMENT", "Id not specified in an update call", ("Id",))
        key = normalise(str(sent))
        if key is None or not key.startswith(job.spec.prefix):
            return RowError(
                "MALFORMED_ID", f"{job.spec.name} ID: id value of incorrect type: {sent}", ("Id",)
            )
        row = job.table.rows.get(key)
        if row is None:
            return RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row["IsDeleted"]:
            return RowError("ENTITY_IS_DELETED", "entity is deleted")
        return row

    def _upsert(self, txn: Transaction, job: Job, options: Options, twice: frozenset[str]) -> SaveResult:
        field = self._external(job.spec, job.item.key_field or "")
        value = job.cleaned.values.get(field.name)
        if value is None:
            return refused(RowError("MISSING_ARGUMENT", f"{field.name} not specified", (field.name,)))
        if str(value).lower() in twice:
            return refused(
                RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", (field.name,))
            )
        holders = self.holders(job.table, field.name, value)
        if len(holders) > 1:
            listed = ", ".join(holders)
            message = f"{field.name}: more than one record found for external id field: [{listed}]"
            return refused(RowError("DUPLICATE_EXTERNAL_ID", message, (field.name,)))
        if holders:
            return self._change(txn, job, job.table.rows[holders[0]], options)
        if job.item.update_only:
            return refused(RowError("NOT_FOUND", "The requested resource does not exist"))
        return self._insert(txn, job, options)

    def _insert(self, txn: Transaction, job: Job, options: Options) -> SaveResult:
        errors = self._objections(job, None, options)
        if errors:
            return refused(*errors)
        values = self._bent(job, {})
        row = self.new_row(txn, job.spec.name, {k: v for k, v in values.items() if v is not None})
        self._assign(row, options)
        self.commit(txn, "create", job.table, row)
        return SaveResult(row["Id"], success=True, created=True)

    def _change(self, txn: Transaction, job: Job, old: Row, options: Options) -> SaveResult:
        if old.get("IsConverted"):
            return refused(RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"))
        errors = self._objections(job, old, options)
        if errors:
            return refused(*errors)
        row = {**old, **self._bent(job, old)}
        self._assign(row, options)
        self.commit(txn, "update", job.table, row)
        return SaveResult(row["Id"], success=True)

    def _remove(self, txn: Transaction, job: Job, old: Row) -> SaveResult:
        if self.faults.fires("row_refused"):
            return refused(self._lock_error())
        self.bin_record(txn, job.table, old)
        return SaveResult(old["Id"], success=True)

    def _objections(self, job: Job, old: Row | None, options: Options) -> tuple[RowError, ...]:
        values = job.cleaned.values
        if job.cleaned.errors:
            return job.cleaned.errors
        missing = missing_fields(job.spec, values, creating=old is None)
        own = None if old is None else old["Id"]
        found = missing or objection(self.tables, job.spec, values, old) or self._taken(job, own)
        found = found or self._duplicate(job, old, options)
        if found is None and self.faults.fires("row_refused"):
            found = self._lock_error()
        return () if found is None else (found,)

    def _taken(self, job: Job, own: str | None) -> RowError | None:
        for field in job.spec.unique:
            value = job.cleaned.values.get(field.name)
            if value is None:
                continue
            for key in self.holders(job.table, field.name, value):
                if key != own:
                    message = (
                        f"duplicate value found: {field.name} duplicates value on record with id: {key[:15]}"
                    )
                    return RowError("DUPLICATE_VALUE", message, (field.name,))
        return None

    def _duplicate(self, job: Job, old: Row | None, options: Options) -> RowError | None:
        mode = self.switches.duplicate_rules.get(job.spec.name)
        email = job.cleaned.values.get("Email")
        if mode is None or email is None or (mode == "alert" and options.allow_duplicates):
            return None
        if old is not None and str(old["Email"] or "").lower() == str(email).lower():
            return None
        own = None if old is None else old["Id"]
        matches = tuple(
            (name, key)
            for name in ("Lead", "Contact")
            for key in self.holders(self.tables[name], "Email", email)
            if key != own and not self.tables[name].rows[key].get("IsConverted")
        )
        return RowError("DUPLICATES_DETECTED", "Use one of these records?", (), matches) if matches else None

    def _lock_error(self) -> RowError:
        if self.rng.random() < 0.5:
            return RowError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        return RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A validation rule refuses this record")

    def _assign(self, row: dict[str, Any], options: Options) -> None:
        """Apply the active assignment rule: leads only, on create and on update alike."""
        if options.auto_assign and self.switches.assignment_rule and row["Id"].startswith("00Q"):
            row["OwnerId"] = QUEUE_USER

    def _bent(self, job: Job, old: Row) -> dict[str, Value]:
        """The values as they will be stored: one may be ignored, one may be altered."""
        values = dict(job.cleaned.values)
        ignored, altered = self.faults.fires("ignored_field"), self.faults.fires("altered_value")
        if not (ignored or altered):
            return values
        kept = {job.item.key_field, *(() if old else job.spec.required)}
        free = [name for name in values if name not in kept and values[name] != old.get(name)]
        if free and ignored:
            del values[free.pop(self.rng.randrange(len(free)))]
        bent = {name: bend(job.spec.fields[name], values[name]) for name in free}
        changed = [name for name in free if bent[name] != values[name]]
        if changed and altered:
            name = self.rng.choice(changed)
            values[name] = bent[name]
        return values


def _plain(verb: ApiVerb) -> str:
    return "update" if verb == "upsert" else verb


def _keys_sent_twice(jobs: Sequence[Job]) -> frozenset[str]:
    """Values of an upsert's key that stand in more than one row of the call, in lower case."""
    counts = Counter(
        str(value).lower()
        for job in jobs
        if job.item.verb == "upsert"
        and (value := job.cleaned.values.get(job.item.key_field or "")) is not None
    )
    return frozenset(value for value, count in counts.items() if count > 1)
