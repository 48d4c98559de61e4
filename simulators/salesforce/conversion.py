"""The conversion of a lead into a contact with an account and, if asked, a deal.

Decides what passes over and what stays behind. Rules follow the vendor's page on convertLead(): all of it in one
transaction, only empty fields of an existing contact are filled, own fields pass by mapping, open activities move.
"""

from __future__ import annotations

from typing import Literal

from simulators.salesforce.core import Transaction
from simulators.salesforce.human import HumanEdits
from simulators.salesforce.schema import CONVERTED_STATUS
from simulators.salesforce.stamps import day, quarter_end
from simulators.salesforce.table import Row

ConvertedRole = Literal["primary", "plain", "none"]
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


class Conversions(HumanEdits):
    """Conversions by people."""

    def human_convert(
        self,
        lead: str,
        *,
        contact: str | None = None,
        account: str | None = None,
        deal: str | None = None,
        role: ConvertedRole = "primary",
        user: str | None = None,
    ) -> str:
        """Convert a lead into a new contact, or into an existing one whose empty fields are filled; gives its id.

        With a name in `deal` an opportunity is made too, due at the end of the quarter and without an amount; `role`
        says what becomes of the contact there, since in practice the flag or the whole role may be missing.

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
        if deal is not None:
            row["ConvertedOpportunityId"] = self._new_deal(txn, old, deal, str(home), into, role)
        self.commit(txn, "convert", leads, row, into=into)
        self.move_children(txn, "Lead", into, lead)
        return into

    def _new_deal(
        self, txn: Transaction, lead: Row, name: str, home: str, contact: str, role: ConvertedRole
    ) -> str:
        values = {
            "Name": name, "AccountId": home, "OwnerId": lead["OwnerId"], "CloseDate": quarter_end(txn.now),
            "LeadSource": lead["LeadSource"],
        }  # fmt: skip
        row = self.new_row(txn, "Opportunity", values)
        self.commit(txn, "create", self.tables["Opportunity"], row)
        if role != "none":
            self.add_role(txn, row["Id"], contact, None, primary=role == "primary")
        return str(row["Id"])

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
