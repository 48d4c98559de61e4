"""Who and what is on the stage: people, accounts and deals by the names that a scenario gives them.

It decides how a scenario's few words become records at the vendors, entered by people's hands, and how a name is found
again there, whatever has become of its record. It asks the vendors only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.salesforce.human_deals import Part
from sync.record import Ref
from tests.support.flow_town import FlowTown
from tests.support.town import MARKETO, SALESFORCE

_TO_MARKETO = {
    "first_name": "firstName", "company": "company", "score": "leadScore", "hand_raise": "demoRequest",
    "opted_out": "unsubscribed", "bounced": "emailInvalid", "title": "title",
}  # fmt: skip
_TO_SALES = {"first_name": "FirstName", "title": "Title", "opted_out": "HasOptedOutOfEmail"}
_OF_ACCOUNT = {
    "name": "Name", "corporate_number": "Corp_No__c", "site": "Site", "website": "Website", "country": "BillingCountry",
}  # fmt: skip
_OF_DEAL = {
    "amount": "Amount",
    "currency": "CurrencyIsoCode",
    "stage": "StageName",
    "reason": "Loss_Reason__c",
}


@dataclass(slots=True)
class Who:
    """One person: the address, the last name, and the records that people entered."""

    name: str
    mail: str
    family: str | None
    refs: list[Ref] = field(default_factory=list)


class Cast:
    """Everybody and everything that has a name."""

    def __init__(self, town: FlowTown) -> None:
        self.town = town
        self.people: dict[str, Who] = {}
        self.accounts: dict[str, str] = {}
        self.deals: dict[str, str] = {}

    def enter(self, given: Mapping[str, Mapping[str, Any]]) -> None:
        """Enter accounts, then people, then deals."""
        for name, values in given.get("accounts", {}).items():
            self._account(name, values)
        for name, values in given.get("people", {}).items():
            self._person(name, values)
        for name, values in given.get("deals", {}).items():
            self._deal(name, values)

    def _account(self, name: str, given: Mapping[str, Any]) -> None:
        values = {"Name": name} | {_OF_ACCOUNT[word]: value for word, value in given.items()}
        with self.town.salesforce_api.lock:
            self.accounts[name] = self.town.salesforce.human_create("Account", values)

    def _person(self, name: str, given: Mapping[str, Any]) -> None:
        number = len(self.people) + 1
        mail = given.get("mail", f"p{number}@firm{number}.example")
        who = Who(name, mail, given.get("last_name", name))
        self.people[name] = who
        for place in given.get("at", ["marketo"]):
            who.refs.append(self._enter(who, place, given))

    def _enter(self, who: Who, place: str, given: Mapping[str, Any]) -> Ref:
        if place == "marketo":
            values = {_TO_MARKETO[word]: value for word, value in given.items() if word in _TO_MARKETO}
            company = {"company": f"{who.name}商事"}
            return self.town.lead(
                **{"email": who.mail, "lastName": who.family, **company, **values, **given.get("marketo", {})}
            )
        values = {_TO_SALES[word]: value for word, value in given.items() if word in _TO_SALES}
        values |= {"Email": who.mail, "LastName": who.family}
        if place == "contact" and "account" in given:
            values["AccountId"] = self.accounts[given["account"]]
        if place == "lead":
            values["Company"] = given.get("company", f"{who.name}商事")
        if "owner" in given:
            values["OwnerId"] = self.user(given["owner"])
        return self.town.record(place.capitalize(), **{**values, **given.get("salesforce", {})})

    def _deal(self, name: str, given: Mapping[str, Any]) -> None:
        values = {_OF_DEAL[word]: value for word, value in given.items() if word in _OF_DEAL}
        if "owner" in given:
            values["OwnerId"] = self.user(given["owner"])
        account = self.accounts[given["account"]] if "account" in given else None
        people = [self._part(each) for each in given.get("people", [])]
        with self.town.salesforce_api.lock:
            self.deals[name] = self.town.salesforce.human_open_deal(
                name, account=account, people=people, **values
            )

    def _part(self, given: str | Mapping[str, Any]) -> Part:
        if isinstance(given, str):
            given = {"who": given}
        role = given.get("role", "Decision Maker")
        return Part(self.contact(given["who"]), role, given.get("primary", False))

    # --- found again -------------------------------------------------------------------------------------

    def user(self, mail: str) -> str:
        """The id of the user with an address."""
        rows = self.town.salesforce.tables["User"].rows.values()
        return next(str(row["Id"]) for row in rows if row["Email"] == mail)

    def mail_of(self, user: object) -> str:
        """The address of a user."""
        return str(self.town.salesforce.tables["User"].rows[str(user)]["Email"])

    def live(self, name: str, system: str, object_: str = "") -> list[Ref]:
        """The live records of a person on a side, of one object if it is named."""
        who = self.people[name]
        path = "email" if system == MARKETO else "Email"
        found = {
            ref for ref in self.town.live(system) if str(self.town.value(ref, path) or "").lower() == who.mail
        }
        found |= {ref for ref in who.refs if ref.system == system and ref in self.town.live(system)}
        return sorted(ref for ref in found if object_ in ("", ref.object))

    def one(self, name: str, system: str, object_: str = "") -> Ref:
        """The one record of a person on a side."""
        found = self.live(name, system, object_)
        assert len(found) == 1, f"{name} has {len(found)} records {object_} in {system}"
        return found[0]

    def contact(self, name: str) -> str:
        """The id of a person's contact."""
        return self.one(name, SALESFORCE, "Contact").id

    def ever(self, name: str) -> set[str]:
        """The ids of all records that a person ever had in sales, also converted and deleted ones."""
        who = self.people[name]
        tables = (self.town.salesforce.tables[each] for each in ("Lead", "Contact"))
        rows = (row for table in tables for row in table.rows.values())
        return {str(row["Id"]) for row in rows if str(row["Email"] or "").lower() == who.mail} | {
            ref.id for ref in who.refs if ref.system == SALESFORCE
        }

    def name_of(self, system: str, id_: str) -> str:
        """Whose record that is."""
        for name in self.people:
            if system == MARKETO and any(ref.id == id_ for ref in self.live(name, MARKETO)):
                return name
            if system == SALESFORCE and id_ in self.ever(name):
                return name
        return f"somebody unknown ({id_})"
