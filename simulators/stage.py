"""A world with both vendors on it: who stands where, what is being typed, what was recorded.

Puts the parts together in one process, without HTTP; decides what the oracle gets to see.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.clock import Clock
from simulators.editors import Editors, Target
from simulators.faults import PROFILES, Faults
from simulators.history import SIDES, History, Record, Side
from simulators.ledger import Entry
from simulators.marketo.api import MarketoApi
from simulators.marketo.extract import Pace
from simulators.marketo.gate import UNLIMITED, Quota
from simulators.marketo.state import MarketoState
from simulators.players import Players
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.state import SalesforceState
from simulators.sides import Fields, MarketoSide, SalesforceSide, Sides
from simulators.verdict import owners
from simulators.verdict_flows import FlowVerdict, judge_flows
from simulators.verdict_scene import Flows
from simulators.world import Mix, World
from simulators.world_deals import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a stage is made of; `faults` names a profile, `limits` switches the vendor's short and daily
    quotas on.
    """

    persons: int = 200
    overlap: float = 0.5
    seed: int = 1
    faults: str = "none"
    visibility_lag: float = 1.0
    empty_pages: float = 0.0
    limits: bool = False
    mix: Mix | None = None
    pace: Pace | None = None
    deals: int = 0
    companies: float = 0.0
    lists: tuple[str, ...] = ()


class Stage:
    """The world, its projections already entered, and the simulated users; with deals there are `players` too."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        seed = settings.seed
        self.world = _world(settings)
        self.faults: dict[Side, Faults] = {
            side: Faults(random.Random(f"{seed} {side} faults")) for side in SIDES
        }
        lag = settings.visibility_lag
        marketo, salesforce = SIDES
        ma = MarketoState(clock, random.Random(f"{seed} ma"), self.faults[marketo], visibility_lag=lag)
        sfa = SalesforceState(
            clock, random.Random(f"{seed} sfa"), self.faults[salesforce], visibility_lag=lag
        )
        self.world.project_marketo(ma)
        self.world.project_salesforce(sfa)
        for name in settings.lists:
            ma.add_list(name)
        for faults in self.faults.values():
            faults.use(PROFILES[settings.faults])
        self.marketo = MarketoApi(
            ma,
            quota=Quota() if settings.limits else UNLIMITED,
            empty_pages=settings.empty_pages,
            pace=settings.pace,
            rng=random.Random(f"{seed} tokens"),
        )
        self.salesforce = SalesforceApi(sfa)
        self.sides: Sides = {
            "marketo": MarketoSide(ma, self.marketo.lock),
            "salesforce": SalesforceSide(sfa, self.salesforce.lock),
        }
        self.editors = Editors(self.sides, clock, random.Random(f"{seed} editors"))
        self.clock = clock
        self.players: Players | None = None
        if isinstance(self.world, Market):
            locks = (self.marketo.lock, self.salesforce.lock)
            self.players = Players(self.world, (ma, sfa), locks, clock, random.Random(f"{seed} players"))

    def live(self) -> dict[Side, Mapping[str, Fields]]:
        """Give both sides' live records, by side and record id."""
        with self.marketo.lock, self.salesforce.lock:
            return {side: {key: dict(row) for key, row in self.sides[side].live().items()} for side in SIDES}

    def firms(self) -> dict[Side, Mapping[str, Fields]]:
        """Give the live companies and accounts, by side and record id."""
        with self.marketo.lock, self.salesforce.lock:
            accounts = self.salesforce.state.tables["Account"].rows
            return {
                "marketo": {
                    str(company.values["externalCompanyId"]): dict(company.values)
                    for company in self.marketo.state.companies.rows.values()
                },
                "salesforce": {key: dict(row) for key, row in accounts.items() if not row["IsDeleted"]},
            }

    def flows(self, asked: Flows) -> FlowVerdict:
        """Judge hand-overs, returns and won amounts up to now."""
        with self.marketo.lock, self.salesforce.lock:
            history = self._recorded()
            lists = {name: list(changes) for name, changes in self.marketo.state.lists.items()}
            now = self.clock.now()
        return judge_flows(history, lists, asked, now)

    def history(self) -> History:
        """Give everything recorded up to now, both sides at one instant."""
        with self.marketo.lock, self.salesforce.lock:
            return self._recorded()

    def _recorded(self) -> History:
        ledgers: dict[Side, list[Entry]] = {side: list(self.sides[side].ledger) for side in SIDES}
        live = {side: {key: dict(row) for key, row in self.sides[side].live().items()} for side in SIDES}
        edits = list(self.editors.edits)
        return History(
            edits=edits, ledgers=ledgers, live=live, people=self._people(), mailboxes=self._mailboxes(),
            unanswered={side: tuple(self.faults[side].unanswered) for side in SIDES},
        )  # fmt: skip

    def targets(self) -> list[Target]:
        """Give the persons who have a live record on both sides, with one record each."""
        history = self.history()
        who = owners(history)
        found: dict[int, dict[Side, str]] = {}
        for side in SIDES:
            for key in history.live[side]:
                person = who.get((side, key))
                if person is not None:
                    found.setdefault(person, {}).setdefault(side, key)
        return [
            Target(person=p, records=records) for p, records in sorted(found.items()) if len(records) == 2
        ]

    def _people(self) -> dict[Record, int]:
        people: dict[Record, int] = {
            ("salesforce", record): person for record, person in self.world.former.items()
        }
        for person, where in self.world.truth.items():
            if where.marketo is not None:
                people["marketo", str(where.marketo)] = person
            if where.salesforce is not None:
                people["salesforce", where.salesforce] = person
        return people

    def _mailboxes(self) -> dict[str, int]:
        """Give the addresses that belong to one person alone."""
        shared = {entry.person for entry in self.world.corruptions if entry.kind == "shared mailbox"}
        taken = {self.world.persons[number].email for number in shared}
        return {p.email: p.number for p in self.world.persons if not p.role and p.email not in taken}


def _world(settings: Settings) -> World:
    if not settings.deals:
        return World(settings.seed, settings.persons, settings.overlap, settings.mix)
    return Market(
        settings.seed, settings.persons, settings.overlap, settings.mix, deals=settings.deals,
        companies=settings.companies,
    )  # fmt: skip
