"""What people do in the vendor's own screens: create, edit, delete, restore, merge, convert.

They are held to the same field rules, but suffer neither locks nor silent alterations. A wrong move is a
bug of the caller and raises ValueError. Merge and conversion follow the vendor's pages on
MasterRecordId and convertLead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.salesforce.core import Core, Transaction
from simulators.salesforce.schema import CONVERTED_STATUS
from simulators.salesforce.stamps import day
from simulators.salesforce.table import Row, Table
from simulators.salesforce.values import Value, clean_row, missing_fields

_TO_CONTACT = {
    "LastName": "LastName",
    "FirstName": "FirstName",
    "Email": "Email",
    "Phone": "Phone",
    "Title": "Title",
    "LeadSource": "LeadSource",
    "HasOptedOutOfEmail": "HasOptedOutOfEmail",
    "Country": "MailingCountry",
}


class HumanEdits(Core):
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
        self.commit(self.begin("human", user), "restore", table, row)
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
        if object_name == "Account":
            self._reparent(txn, winner, loser)
        return winner

    def _reparent(self, txn: Transaction, winner: str, loser: str) -> None:
        contacts = self.tables["Contact"]
        moved = [row for row in contacts.rows.values() if row["AccountId"] == loser and not row["IsDeleted"]]
        for row in moved:
            self.commit(txn, "update", contacts, {**row, "AccountId": winner})

    def human_convert(
        self,
        lead: str,
        *,
        contact: str | None = None,
        account: str | None = None,
        user: str | None = None,
    ) -> str:
        """Convert a lead into a new contact, or into an existing one whose empty fields are filled.

        The lead is read-only afterwards. A flag that is false on the contact is not empty, so an opt-out of the lead
        does not reach an existing contact.
        """
        leads, contacts = self.tables["Lead"], self.tables["Contact"]
        old = self._live(leads, lead)
        if old["IsConverted"]:
            raise ValueError(f"lead {lead} is converted already")
        known = None if contact is None else self._live(contacts, contact)
        if account is not None:
            self._live(self.tables["Account"], account)
        txn = self.begin("human", user)
        home = account or (known and known["AccountId"]) or self._new_account(txn, old)
        into = self._convert_to(txn, old, known, str(home))
        row = {**old, "IsConverted": True, "Status": CONVERTED_STATUS, "ConvertedDate": day(txn.now)}
        row |= {"ConvertedContactId": into, "ConvertedAccountId": home}
        self.commit(txn, "convert", leads, row, into=into)
        return into

    def _new_account(self, txn: Transaction, lead: Row) -> str:
        row = self.new_row(txn, "Account", {"Name": lead["Company"], "Industry": lead["Industry"]})
        self.commit(txn, "create", self.tables["Account"], row)
        return str(row["Id"])

    def _convert_to(self, txn: Transaction, lead: Row, known: Row | None, home: str) -> str:
        contacts = self.tables["Contact"]
        carried = {to: lead[source] for source, to in _TO_CONTACT.items()}
        carried |= {name: lead[name] for name in self.switches.conversion_fields}
        for field in self.schema["Contact"].unique:
            value = carried.get(field.name)
            if value is not None and self.holders(contacts, field.name, value):
                del carried[field.name]  # another contact has it; the vendor keeps that one's
        if known is None:
            row = self.new_row(txn, "Contact", {**carried, "AccountId": home, "OwnerId": lead["OwnerId"]})
            self.commit(txn, "create", contacts, row)
            return str(row["Id"])
        filled = {name: value for name, value in carried.items() if known[name] is None}
        self.commit(txn, "update", contacts, {**known, **filled, "AccountId": known["AccountId"] or home})
        return str(known["Id"])

    def _live(self, table: Table, key: str) -> Row:
        row = table.rows.get(key)
        if row is None or row["IsDeleted"]:
            raise ValueError(f"there is no live {table.spec.name} {key}")
        return row

    def _accepted(self, table: Table, values: Mapping[str, Any], own: str | None) -> dict[str, Value]:
        cleaned = clean_row(table.spec, values, creating=own is None)
        missing = missing_fields(table.spec, cleaned.values, creating=own is None)
        errors = [*cleaned.errors, *([missing] if missing else [])]
        for field in self.schema[table.spec.name].unique:
            value = cleaned.values.get(field.name)
            if value is not None and any(key != own for key in self.holders(table, field.name, value)):
                raise ValueError(f"{field.name} {value} is taken by another {table.spec.name}")
        if errors:
            raise ValueError("; ".join(f"{error.code}: {error.message}" for error in errors))
        return cleaned.values
