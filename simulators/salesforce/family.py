"""What hangs on a record: deleted and restored with it, moved when it is merged, and one primary role per deal.

Decides what else a commit changes. Rules follow the vendor's pages on delete(), merge() and OpportunityContactRole
(«each Opportunity has only one primary contact»); a deal's own stamps do not move when its roles change («unverified»,
the harsher reading). Knows neither HTTP nor field rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from simulators.ledger import Verb
from simulators.salesforce.core import Core, Transaction
from simulators.salesforce.table import Row, Table

Links = tuple[tuple[str, str], ...]
ROLE = "OpportunityContactRole"
# Which records go with a deleted one: by object, the children's object and the field that names the parent.
CHILDREN: Mapping[str, Links] = MappingProxyType(
    {
        "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Task", "WhatId")),
        "Opportunity": ((ROLE, "OpportunityId"), ("Task", "WhatId")),
        "Contact": ((ROLE, "ContactId"), ("Task", "WhoId")),
        "Lead": (("Task", "WhoId"),),
    }
)
# Which records move to the winner of a merge.
MOVED: Mapping[str, Links] = MappingProxyType(
    {**CHILDREN, "Account": (*CHILDREN["Account"], ("Account", "ParentId"))}
)


class Family(Core):
    """Commits that take their relatives along."""

    def commit(
        self, txn: Transaction, verb: Verb, table: Table, row: dict[str, Any], *, into: str | None = None
    ) -> None:
        """Write a version of a record, and whatever else of its deal follows from it."""
        super().commit(txn, verb, table, row, into=into)
        if table.spec.name == ROLE:
            self._settle_primary(txn, row)
        elif table.spec.name == "Opportunity" and verb == "create" and row["ContactId"] is not None:
            self.add_role(txn, row["Id"], row["ContactId"], None, primary=True)

    def bin_record(self, txn: Transaction, table: Table, old: Row, *, master: str | None = None) -> None:
        """Move a record to the recycle bin, its children too; or merge it into `master`."""
        super().bin_record(txn, table, old, master=master)
        if master is None:
            for child, row in self._children(table.spec.name, old["Id"]):
                self.bin_record(txn, child, row)

    def unbin_children(self, txn: Transaction, table: Table, old: Row) -> None:
        """Restore what was deleted together with `old`, the deleted version of a record that lives again."""
        for name, field in CHILDREN.get(table.spec.name, ()):
            child = self.tables[name]
            for key in child.looked_up(field, (old["Id"],)):
                row = child.rows[key]
                if row["IsDeleted"] and row["SystemModstamp"] == old["SystemModstamp"]:
                    self.commit(txn, "restore", child, {**row, "IsDeleted": False})
                    self.unbin_children(txn, child, row)

    def move_children(self, txn: Transaction, object_name: str, winner: str, loser: str) -> None:
        """Let the children of `loser` point to `winner`."""
        for name, field in MOVED.get(object_name, ()):
            child = self.tables[name]
            for key in self.holders(child, field, loser):
                self.commit(txn, "update", child, {**child.rows[key], field: winner})

    def add_role(self, txn: Transaction, deal: str, contact: str, role: str | None, *, primary: bool) -> str:
        """Make a contact take part in a deal."""
        values = {"OpportunityId": deal, "ContactId": contact, "Role": role, "IsPrimary": primary}
        row = self.new_row(txn, ROLE, values)
        self.commit(txn, "create", self.tables[ROLE], row)
        return str(row["Id"])

    def _children(self, object_name: str, parent: str) -> list[tuple[Table, Row]]:
        found: list[tuple[Table, Row]] = []
        for name, field in CHILDREN.get(object_name, ()):
            child = self.tables[name]
            found += [(child, child.rows[key]) for key in self.holders(child, field, parent)]
        return found

    def _settle_primary(self, txn: Transaction, role: Row) -> None:
        """Take the flag from all other roles of the deal, and show the primary contact on the deal itself."""
        roles, deals = self.tables[ROLE], self.tables["Opportunity"]
        deal = deals.rows.get(role["OpportunityId"])
        if deal is None or deal["IsDeleted"]:
            return
        others = [key for key in self.holders(roles, "OpportunityId", deal["Id"]) if key != role["Id"]]
        rivals = [roles.rows[key] for key in others if roles.rows[key]["IsPrimary"]]
        contact = rivals[0]["ContactId"] if rivals else None
        if role["IsPrimary"] and not role["IsDeleted"]:
            for rival in rivals:
                self.commit(txn, "update", roles, {**rival, "IsPrimary": False})
            contact = role["ContactId"]
        deal = deals.rows[deal["Id"]]
        if deal["ContactId"] != contact:
            self.put_silently(txn, deals, {**deal, "ContactId": contact})
