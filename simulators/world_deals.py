"""The hidden world with business in it: firms with offices, people at them, and deals that people take part in.

Decides who works where, which deals there were before anybody synced and how they stand; the truth of it is written
down (`firms`, `home`, `deals`, `log`). Everything follows from the seed. Knows no HTTP and no sync.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from simulators import names
from simulators.corrupt import spoil
from simulators.firms import HEAD_OFFICE, STAFF, Firm, firms
from simulators.marketo.state import MarketoState
from simulators.salesforce.conversion import ConvertedRole
from simulators.salesforce.directory import record_type_id
from simulators.salesforce.human_deals import Part
from simulators.salesforce.schema_deals import ROLES
from simulators.salesforce.stages import LOST, STAGES, WON
from simulators.salesforce.state import SalesforceState
from simulators.world import Mix, Person, World

REASONS = ("Timing", "Timing", "Competitor", "Competitor", "Bad fit", "Budget", "Price", None)
OPEN_STAGES = tuple(stage.name for stage in STAGES if stage.active and not stage.closed)


class FirmCorruption(NamedTuple):
    """One spoilt value of a firm's office: which, in which field, how, and both values."""

    firm: int
    site: str
    field: str
    kind: str
    true: str
    shown: str


class Happening(NamedTuple):
    """One true event of business: when (unix seconds), what, at which deal or record, why, and with whom."""

    time: float
    what: str
    record: str
    reason: str | None = None
    people: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One deal as it stood at first; `lead` is the person whose converted lead made it, `named` who has a role."""

    number: int
    firm: int
    site: str
    people: tuple[int, ...]
    roles: tuple[str | None, ...]
    primary: int | None
    lead: int | None
    named: bool
    stage: str
    reason: str | None
    amount: int
    currency: str
    record_type: str


class Market(World):
    """A world whose persons work at `count` firms and take part in `deals` deals.

    After `project_salesforce`: `accounts` by (firm, site), `records` by deal number, `staff` as user ids (the last one
    has left), `former` from a converted lead to its person. After `project_marketo`: `companies` by (firm, site), as
    far as marketing has them (a share of `companies`).
    """

    def __init__(
        self,
        seed: int,
        persons: int,
        overlap: float,
        mix: Mix | None = None,
        *,
        deals: int = 300,
        count: int = 60,
        companies: float = 0.0,
    ) -> None:
        super().__init__(seed, persons, overlap, mix)
        rng = random.Random(f"{seed} market")
        self.firms = firms(rng, count)
        self.home: dict[int, tuple[int, str]] = {}
        self.persons = [self._employed(rng, person) for person in self.persons]
        self.accounts: dict[tuple[int, str], str] = {}
        self.companies: dict[tuple[int, str], str] = {}
        self._companies = companies
        self.firm_corruptions: list[FirmCorruption] = []
        self.staff: list[str] = []
        self.records: dict[int, str] = {}
        self.log: list[Happening] = []
        self.deals = self._planned(rng, deals)

    def domains(self) -> Mapping[str, Sequence[str]]:
        """Give the mail domains of competitors and of the sellers' own firm."""
        return {
            "competitor": [firm.domain for firm in self.firms if firm.kind == "competitor"],
            "own_staff": [firm.domain for firm in self.firms if firm.kind == "own"],
        }

    def project_salesforce(self, state: SalesforceState) -> None:
        """Enter staff, accounts, people and deals, in this order."""
        rng = random.Random(f"{self.seed} salesforce market")
        self.staff = [
            state.human_staff(first, last, f"{last}@sales.example".lower()) for first, last in STAFF
        ]
        self._enter_accounts(rng, state)
        leads = {deal.lead for deal in self.deals}
        contacts = {number for deal in self.deals for number in deal.people} - leads
        for person in self._known_to("salesforce"):
            chance = rng.random() < self.mix.contacts and person.number not in leads
            self._enter_person(rng, state, person, as_contact=chance or person.number in contacts)
        for deal in self.deals:
            self._enter_deal(rng, state, deal)
        state.human_leave(self.staff[-1])

    def project_marketo(self, state: MarketoState) -> None:
        """Enter the leads, and companies with their leads for a share of the offices."""
        super().project_marketo(state)
        rng = random.Random(f"{self.seed} marketo market")
        for firm in self.firms:
            for number, site in enumerate(firm.sites):
                if firm.kind != "own" and rng.random() < self._companies:
                    key = self.companies[firm.number, site] = f"MC-{firm.number}-{number}"
                    values = {"company": firm.name, "corpNo": firm.corporate_number, "website": firm.domain}
                    state.human_company(key, {**values, "siteName": site, "industry": firm.industry[0]})
        for person in self._known_to("marketo"):
            company, lead = self.companies.get(self.home[person.number]), self.truth[person.number].marketo
            if company is not None and lead is not None:
                state.human_edit(lead, {"externalCompanyId": company})

    # --- plans

    def _employed(self, rng: random.Random, person: Person) -> Person:
        """Give a person a desk at a firm, more often at the first ones."""
        weight = rng.random() ** 1.5
        firm = self.firms[int(weight * len(self.firms))]
        self.home[person.number] = (firm.number, rng.choice(firm.sites))
        local = person.email.partition("@")[0]
        email = f"{local}@{firm.domain}"
        return replace(person, email=email, company=firm.name, industry=firm.industry)

    def _planned(self, rng: random.Random, count: int) -> list[Deal]:
        by_firm: dict[int, list[int]] = {}
        for person in self._known_to("salesforce"):
            by_firm.setdefault(self.home[person.number][0], []).append(person.number)
        buyers = [firm.number for firm in self.firms if firm.kind != "own" and firm.number in by_firm]
        spent: set[int] = set()  # whose lead was converted
        taken: set[int] = set()  # who is in a deal already, and so a contact
        made: list[Deal] = []
        for number in range(count if buyers else 0):
            deal = _plan(rng, number, rng.choice(buyers), by_firm, spent, taken)
            made.append(replace(deal, site=self.home[deal.people[0]][1]))
            taken.update(deal.people)
        return made

    # --- what sales knows

    def _enter_accounts(self, rng: random.Random, state: SalesforceState) -> None:
        for firm in self.firms:
            if firm.kind == "own":
                continue
            for site in firm.sites:
                head = self.accounts.get((firm.number, HEAD_OFFICE))
                name = self._shown(rng, firm, site)
                kind = {"customer": "Customer - Direct", "competitor": "Other"}.get(firm.kind, "Prospect")
                values = {
                    "Name": name, "Website": f"https://www.{firm.domain}/", "Type": kind, "ParentId": head,
                    "Industry": firm.industry[1], "Corp_No__c": firm.corporate_number if rng.random() > 0.1 else None,
                    "Site": None if site == HEAD_OFFICE and rng.random() < 0.5 else site,
                    "OwnerId": rng.choice(self.staff),
                }  # fmt: skip
                self.accounts[firm.number, site] = state.human_create("Account", values)

    def _shown(self, rng: random.Random, firm: Firm, site: str) -> str:
        if rng.random() >= self.mix.spoilt:
            return firm.name
        kind, shown = spoil(rng, "company", firm.name)
        if shown != firm.name:
            self.firm_corruptions.append(FirmCorruption(firm.number, site, "name", kind, firm.name, shown))
        return shown

    def _enter_person(
        self, rng: random.Random, state: SalesforceState, person: Person, *, as_contact: bool
    ) -> None:
        shown = self._spoilt(rng, person, "salesforce")
        values: dict[str, object] = {
            "Email": shown.email, "LastName": shown.family, "FirstName": shown.given, "Phone": shown.phone,
            "Title": shown.title, "HasOptedOutOfEmail": shown.opted_out, "LeadSource": "Web",
            "Opt_Out_Seminar__c": shown.no_seminar, "OwnerId": rng.choice(self.staff),
        }  # fmt: skip
        country = names.COUNTRY_WORDS[shown.country][1]
        account = self.accounts.get(self.home[person.number])
        if as_contact and account is not None:
            record = state.human_create("Contact", values | {"MailingCountry": country, "AccountId": account})
        else:
            values |= {"Company": shown.company, "Country": country, "Industry": shown.industry[1]}
            record = state.human_create("Lead", values)
        self.truth[person.number].salesforce = record

    def _enter_deal(self, rng: random.Random, state: SalesforceState, deal: Deal) -> None:
        account = self.accounts[deal.firm, deal.site]
        name = f"{self.firms[deal.firm].name} {deal.number}"
        if deal.lead is not None:
            record = self._converted(state, deal, account, name)
        else:
            record = state.human_open_deal(name, account=account)
        if deal.named:
            for number, role in zip(deal.people, deal.roles, strict=True):
                contact = self.truth[number].salesforce
                assert contact is not None
                if number != deal.lead:
                    state.human_role(record, contact, role, primary=number == deal.primary)
        changes = {
            "Amount": deal.amount, "CurrencyIsoCode": deal.currency, "OwnerId": rng.choice(self.staff),
            "RecordTypeId": record_type_id(deal.record_type, "Opportunity"),
        }  # fmt: skip
        state.human_edit("Opportunity", record, changes)
        self.records[deal.number] = record
        if deal.stage == LOST:
            state.human_lose(record, deal.reason)
        elif deal.stage == WON:
            state.human_win(record)
        else:
            state.human_move(record, deal.stage)
        self.log.append(Happening(state.clock.now(), deal.stage, record, deal.reason, deal.people))

    def _converted(self, state: SalesforceState, deal: Deal, account: str, name: str) -> str:
        """Convert the lead of the deal's person; in practice its role often lacks the flag or is missing."""
        assert deal.lead is not None
        lead = self.truth[deal.lead].salesforce
        assert lead is not None
        primary = deal.lead == deal.primary
        role: ConvertedRole = "none" if not deal.named else "primary" if primary else "plain"
        contact = state.human_convert(lead, account=account, deal=name, role=role)
        self.former[lead] = deal.lead
        self.truth[deal.lead].salesforce = contact
        return str(state.tables["Lead"].rows[lead]["ConvertedOpportunityId"])


def part_of(world: Market, number: int, role: str | None = None, *, primary: bool = False) -> Part | None:
    """Give a person's part in a new deal, or None when sales has no contact of theirs."""
    record = world.truth[number].salesforce
    return Part(record, role, primary) if record is not None and record.startswith("003") else None


def _plan(
    rng: random.Random,
    number: int,
    firm: int,
    by_firm: Mapping[int, list[int]],
    spent: set[int],
    taken: set[int],
) -> Deal:
    """Plan one deal: who takes part, how it came about, how it stands."""
    people = rng.sample(by_firm[firm], min(len(by_firm[firm]), rng.choice((1, 1, 2, 2, 3, 4))))
    lead = people[0] if rng.random() < 0.2 and people[0] not in spent | taken else None
    if lead is not None:
        spent.add(lead)
        people = people[:1] if rng.random() < 0.7 else people
    named = rng.random() > (0.5 if lead is not None else 0.1)
    if lead is not None and not named:
        people = people[:1]
    primary = people[0] if named and rng.random() < 0.8 else None
    stage = rng.choices((rng.choice(OPEN_STAGES), WON, LOST), (0.55, 0.2, 0.25))[0]
    dollars = rng.random() < 0.1
    return Deal(
        number=number,
        firm=firm,
        site=HEAD_OFFICE,
        people=tuple(people),
        roles=tuple(rng.choice((*ROLES[:5], None)) for _ in people),
        primary=primary,
        lead=lead,
        named=named,
        stage=stage,
        reason=rng.choice(REASONS) if stage == LOST else None,
        amount=rng.randrange(1, 200) * (1_000 if dollars else 100_000),
        currency="USD" if dollars else "JPY",
        record_type=rng.choices(("New", "Upsell", "Renewal"), (0.7, 0.2, 0.1))[0],
    )
