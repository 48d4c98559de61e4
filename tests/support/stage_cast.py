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
        """The live records of a person on a side, of one object if it is named: those that were entered under this
        name, and those with its address that were entered under none. Of several people with one address these are the
        first one's who is still there."""
        who, live = self.people[name], set(self.town.live(system))
        found = {ref for ref in who.refs if ref in live}
        if who is self._first_with(who.mail):
            path = "email" if system == MARKETO else "Email"
            others = {ref for each in self.people.values() if each is not who for ref in each.refs}
            free = (ref for ref in live - others)
            found |= {ref for ref in free if str(self.town.value(ref, path) or "").lower() == who.mail}
        return sorted(ref for ref in found if object_ in ("", ref.object))

    def _first_with(self, mail: str) -> Who:
        having = [each for each in self.people.values() if each.mail == mail]
        live = {*self.town.live(MARKETO), *self.town.live(SALESFORCE)}
        return next((each for each in having if live.intersection(each.refs)), having[0])

    def remember(self, name: str) -> None:
        """Know a person's records by their ids from now on, whatever becomes of the address."""
        who = self.people[name]
        found = [ref for system in (MARKETO, SALESFORCE) for ref in self.live(name, system)]
        who.refs += [ref for ref in found if ref not in who.refs]

    def binned(self, name: str) -> list[Ref]:
        """A person's records in the recycle bin of sales."""
        tables = self.town.salesforce.tables
        refs = (Ref(SALESFORCE, name_, key) for name_ in ("Lead", "Contact") for key in tables[name_].rows)
        ever = self.ever(name)
        return sorted(ref for ref in refs if ref.id in ever and tables[ref.object].rows[ref.id]["IsDeleted"])

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
        """Whose record that is: at marketing by the address that it bears, else by the name of its entry."""
        if system == MARKETO:
            ref = Ref(MARKETO, "Lead", id_)
            mail = (
                str(self.town.value(ref, "email") or "").lower() if ref in self.town.live(MARKETO) else None
            )
            found = [name for name, who in self.people.items() if mail == who.mail]
            found += [name for name, who in self.people.items() if any(ref.id == id_ for ref in who.refs)]
        else:
            found = [name for name in self.people if id_ in self.ever(name)]
        return found[0] if found else f"somebody unknown ({id_})"
