"""What people do in the vendor's own screens: create, edit, delete, restore, merge.

They are held to the same field rules, but suffer neither locks nor silent alterations. A wrong move is a
bug of the caller and raises ValueError. Merge follows the vendor's page on MasterRecordId.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.salesforce.family import Family
from simulators.salesforce.rules import objection
from simulators.salesforce.table import Row, Table
from simulators.salesforce.values import Value, clean_row, missing_fields


class HumanEdits(Family):
    """Edits by people; each method returns the id of the record that lives on.

    `user` is the id of who acts (a random sales user when left out); `commit_delay` (seconds) is a long transaction:
    queries see the record that much later, under the stamp of now.
    """

    def human_create(
        self,
        object_name: str,
        values: Mapping[str, Any],
        *,
        user: str | None = None,
        commit_delay: float = 0.0,
    ) -> str:
        """Create a record."""
        table = self.tables[object_name]
        cleaned = self._accepted(table, values, None)
        txn = self.begin("human", user, commit_delay)
        row = self.new_row(txn, object_name, {k: v for k, v in cleaned.items() if v is not None})
        self.commit(txn, "create", table, row)
        return str(row["Id"])

    def human_edit(
        self,
        object_name: str,
        key: str,
        changes: Mapping[str, Any],
        *,
        user: str | None = None,
        commit_delay: float = 0.0,
    ) -> str:
        """Change fields of a live record."""
        table = self.tables[object_name]
        old = self._live(table, key)
        if old.get("IsConverted"):
            raise ValueError(f"lead {key} is converted and cannot be edited; edit its contact")
        cleaned = self._accepted(table, changes, key)
        self.commit(self.begin("human", user, commit_delay), "update", table, {**old, **cleaned})
        return key

    def human_delete(self, object_name: str, key: str, *, user: str | None = None) -> str:
        """Put a record into the recycle bin."""
        table = self.tables[object_name]
        self.bin_record(self.begin("human", user), table, self._live(table, key))
        return key

    def human_undelete(self, object_name: str, key: str, *, user: str | None = None) -> str:
        """Take a record out of the recycle bin; unique values that somebody else has by now are emptied."""
        table = self.tables[object_name]
        old = table.rows.get(key)
        if old is None or not old["IsDeleted"]:
            raise ValueError(f"{object_name} {key} is not in the recycle bin")
        row = {**old, "IsDeleted": False}
        if "MasterRecordId" in row:
            row["MasterRecordId"] = None
        for field in self.schema[object_name].unique:
            if row[field.name] is not None and self.holders(table, field.name, row[field.name]):
                row[field.name] = None
        txn = self.begin("human", user)
        self.commit(txn, "restore", table, row)
        self.unbin_children(txn, table, old)
        return key

    def human_hard_delete(self, object_name: str, key: str, *, user: str | None = None) -> str:
        """Delete a record past the recycle bin: no query finds it, only the log of deletions names it."""
        table = self.tables[object_name]
        row = table.rows.get(key)
        if row is None:
            raise ValueError(f"there is no {object_name} {key}")
        if not row["IsDeleted"]:
            self.bin_record(self.begin("human", user), table, row)
        table.erase(key)
        return key

    def human_merge(
        self,
        object_name: str,
        winner: str,
        loser: str,
        changes: Mapping[str, Any] | None = None,
        *,
        user: str | None = None,
    ) -> str:
        """Merge `loser` into `winner`; the winner keeps its values except for `changes`."""
        table = self.tables[object_name]
        if not table.spec.mergeable or winner == loser:
            raise ValueError(f"{object_name} {loser} cannot be merged into {winner}")
        kept, gone = self._live(table, winner), self._live(table, loser)
        if kept.get("IsConverted") or gone.get("IsConverted"):
            raise ValueError("converted leads cannot be merged")
        txn = self.begin("human", user)
        self.bin_record(txn, table, gone, master=winner)
        self.commit(txn, "update", table, {**kept, **self._accepted(table, changes or {}, winner)})
        self.move_children(txn, object_name, winner, loser)
        return winner

    def _live(self, table: Table, key: str) -> Row:
        row = table.rows.get(key)
        if row is None or row["IsDeleted"]:
            raise ValueError(f"there is no live {table.spec.name} {key}")
        return row

    def _accepted(self, table: Table, values: Mapping[str, Any], own: str | None) -> dict[str, Value]:
        cleaned = clean_row(table.spec, values, creating=own is None)
        missing = missing_fields(table.spec, cleaned.values, creating=own is None)
        wrong = missing or objection(self.tables, table.spec, cleaned.values, table.rows.get(own or ""))
        errors = [*cleaned.errors, *([wrong] if wrong else [])]
        for field in self.schema[table.spec.name].unique:
            value = cleaned.values.get(field.name)
            if value is not None and any(key != own for key in self.holders(table, field.name, value)):
                raise ValueError(f"{field.name} {value} is taken by another {table.spec.name}")
        if errors:
            raise ValueError("; ".join(f"{error.code}: {error.message}" for error in errors))
        return cleaned.values
