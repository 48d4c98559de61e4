"""The hidden world: true persons, and what each vendor knows of them.

Decides who exists, on which side a record of theirs stands, and how it is spoilt; the spoiling is written
down, so an oracle can tell a vendor's mistake from a sync's. Everything follows from the seed. Knows no
HTTP and no sync.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from simulators import names
from simulators.corrupt import spoil
from simulators.marketo.state import MarketoState
from simulators.salesforce.state import SalesforceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One true person; `role` says that the mailbox belongs to a desk, not to the person."""

    number: int
    family: str
    given: str
    family_kana: str
    given_kana: str
    email: str
    role: bool
    company: str
    phone: str
    title: str
    country: str
    industry: tuple[str, str]
    score: int
    opted_out: bool
    no_seminar: bool


class Corruption(NamedTuple):
    """One spoilt value: of whom, on which side, in which field of the person, how, and both values."""

    person: int
    side: str
    field: str
    kind: str
    true: str
    shown: str


@dataclass(slots=True)
class Where:
    """The records of one person, as the vendors number them."""

    marketo: int | None = None
    salesforce: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares between 0 and 1: of persons with the trait, and of spoilt values."""

    role: float = 0.02
    opted_out: float = 0.06
    foreign: float = 0.2
    shared_mailbox: float = 0.0
    spoilt: float = 0.1
    contacts: float = 0.0


class World:
    """All true persons and, once projected, where their records stand."""

    def __init__(self, seed: int, persons: int, overlap: float, mix: Mix | None = None) -> None:
        """Make persons; a share of `overlap` will be known to both sides, the others to one of them."""
        self.seed, self.mix = seed, mix or Mix()
        self.corruptions: list[Corruption] = []
        self.truth: dict[int, Where] = {number: Where() for number in range(persons)}
        self.former: dict[str, int] = {}  # sales records that became another record, by id: whose they were
        rng = random.Random(f"{seed} persons")
        self.persons = [_person(rng, number, self.mix) for number in range(persons)]
        self._share_mailboxes(rng)
        self.sides = {person.number: _sides(rng, overlap) for person in self.persons}

    def fingerprint(self) -> str:
        """Give a hash of all true persons, for a golden value per seed."""
        text = repr([asdict(person) for person in self.persons])
        return hashlib.sha256(text.encode()).hexdigest()

    def project_marketo(self, state: MarketoState) -> None:
        """Enter the leads that marketing knows."""
        rng = random.Random(f"{self.seed} marketo")
        for person in self._known_to("marketo"):
            shown = self._spoilt(rng, person, "marketo")
            self.truth[person.number].marketo = state.human_create(
                {
                    "email": shown.email,
                    "lastName": shown.family,
                    "firstName": shown.given,
                    "company": shown.company,
                    "phone": shown.phone,
                    "title": shown.title,
                    "country": names.COUNTRY_WORDS[shown.country][0],
                    "industry": shown.industry[0],
                    "leadScore": shown.score,
                    "unsubscribed": shown.opted_out,
                    "optOutSeminar": shown.no_seminar,
                    "leadSource": "Web",
                }
            )

    def project_salesforce(self, state: SalesforceState) -> None:
        """Enter the leads (and a share of contacts with accounts) that sales knows."""
        rng = random.Random(f"{self.seed} salesforce")
        for person in self._known_to("salesforce"):
            shown = self._spoilt(rng, person, "salesforce")
            values: dict[str, object] = {
                "Email": shown.email,
                "LastName": shown.family,
                "FirstName": shown.given,
                "Phone": shown.phone,
                "Title": shown.title,
                "HasOptedOutOfEmail": shown.opted_out,
                "Opt_Out_Seminar__c": shown.no_seminar,
                "LeadSource": "Web",
            }
            country = names.COUNTRY_WORDS[shown.country][1]
            if rng.random() < self.mix.contacts:
                values["AccountId"] = state.human_create("Account", {"Name": shown.company})
                record = state.human_create("Contact", values | {"MailingCountry": country})
            else:
                values |= {"Company": shown.company, "Country": country, "Industry": shown.industry[1]}
                record = state.human_create("Lead", values)
            self.truth[person.number].salesforce = record

    def _known_to(self, side: str) -> list[Person]:
        return [person for person in self.persons if side in self.sides[person.number]]

    def _spoilt(self, rng: random.Random, person: Person, side: str) -> Person:
        changes: dict[str, str] = {}
        for name in ("email", "family", "company", "phone", "title"):
            if rng.random() < self.mix.spoilt:
                true = getattr(person, name)
                kind, shown = spoil(rng, name, true)
                if shown != true:
                    changes[name] = shown
                    self.corruptions.append(Corruption(person.number, side, name, kind, true, shown))
        if person.opted_out and len(self.sides[person.number]) == 2 and rng.random() < self.mix.spoilt:
            self.corruptions.append(Corruption(person.number, side, "opted_out", "stale", "true", "false"))
            return replace(person, opted_out=False, **changes)  # type: ignore[arg-type]
        return replace(person, **changes)  # type: ignore[arg-type]

    def _share_mailboxes(self, rng: random.Random) -> None:
        for index, person in enumerate(self.persons[1:], 1):
            if rng.random() < self.mix.shared_mailbox:
                other = self.persons[rng.randrange(index)]
                entry = Corruption(
                    person.number, "world", "email", "shared mailbox", person.email, other.email
                )
                self.corruptions.append(entry)
                self.persons[index] = replace(person, email=other.email)


def _sides(rng: random.Random, overlap: float) -> frozenset[str]:
    if rng.random() < overlap:
        return frozenset({"marketo", "salesforce"})
    return frozenset({rng.choice(("marketo", "salesforce"))})


def _person(rng: random.Random, number: int, mix: Mix) -> Person:
    foreign = rng.random() < mix.foreign
    role = rng.random() < mix.role
    firm = rng.randrange(10_000)
    if foreign:
        family, given = rng.choice(names.FOREIGN_SURNAMES), rng.choice(names.FOREIGN_GIVEN_NAMES)
        written = names.Name(family, "", f"p{number}"), names.Name(given, "", "x")
        company = f"{rng.choice(names.FOREIGN_FIRMS)} {firm} Ltd."
        phone, country = f"+1 202 555 {number % 10_000:04d}", rng.choice(names.FOREIGN_COUNTRIES)
    else:
        written = rng.choice(names.SURNAMES), rng.choice(names.GIVEN_NAMES)
        company = f"株式会社{rng.choice(names.FIRMS)}{rng.choice(names.TRADES)}{firm}"
        phone, country = f"03-{3200 + number // 10_000 % 700}-{number % 10_000:04d}", "JP"
    local = rng.choice(names.ROLE_MAILBOXES) if role else f"{written[0].roman}.{written[1].roman}.{number}"
    return Person(
        number=number,
        family=written[0].written,
        given=written[1].written,
        family_kana=written[0].kana,
        given_kana=written[1].kana,
        email=f"{local}@firm{firm}.example",
        role=role,
        company=company,
        phone=phone,
        title=rng.choice(names.TITLES),
        country=country,
        industry=rng.choice(names.INDUSTRIES),
        score=rng.randrange(101),
        opted_out=rng.random() < mix.opted_out,
        no_seminar=rng.random() < mix.opted_out,
    )
