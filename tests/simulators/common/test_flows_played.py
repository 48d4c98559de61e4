"""A whole run of business: people move scores and deals, a toy sync carries them over, the verdict tells it from
broken ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from simulators.clock import ManualClock
from simulators.players import Game
from simulators.salesforce.family import ROLE
from simulators.stage import Settings, Stage
from simulators.verdict_flows import FlowVerdict
from simulators.verdict_scene import Flows
from simulators.world import Mix

HOUR, DAY = 3600.0, 86_400.0
ROUTES: Mapping[str, str | None] = {
    "Timing": "N-01", "Competitor": "N-04", "Budget": "N-02", "Price": "N-02", "Bad fit": None,
}  # fmt: skip
LISTS = ("N-01", "N-02", "N-04", "N-09")
RATES = {"USD": Decimal("151.235")}
HONEST: frozenset[str] = frozenset()


class ToyFlows:
    """The smallest honest flows over both states; each word in `broken` is one mistake."""

    def __init__(self, stage: Stage, broken: frozenset[str] = HONEST) -> None:
        self.stage, self.broken = stage, broken
        self.ma, self.sfa = stage.marketo.state, stage.salesforce.state
        self.clock = stage.clock
        self.lists = {row.name: row.id for row in self.ma.static.rows.values()}
        self.hot: dict[int, list[float | None]] = {}  # person -> [hot since, low since]
        self.lost: dict[str, tuple[float, bool]] = {}  # deal -> (lost at, told)
        self.listed: dict[str, list[tuple[str, int]]] = {}
        self.run(quiet=True)

    def run(self, *, quiet: bool = False) -> None:
        """Carry everything over as it stands now."""
        for person, where in self.stage.world.truth.items():
            if where.marketo in self.ma.leads:
                self._score(person, where.marketo or 0, where.salesforce, quiet=quiet)
        for deal, row in list(self.sfa.tables["Opportunity"].rows.items()):
            self._deal(deal, row, quiet=quiet)
        self._amounts()

    def _score(self, person: int, lead: int, record: str | None, *, quiet: bool) -> None:
        score, now = self.ma.leads[lead].values.get("leadScore") or 0, self.clock.now()
        state = self.hot.setdefault(person, [None, None])
        if state[0] is not None and state[1] is not None and max(state[1], state[0] + DAY) <= now:
            state[:] = [None, None]
        if state[0] is not None:
            state[1] = None if int(str(score)) >= 60 else state[1] or now
        if state[0] is not None or int(str(score)) < 70:
            return
        state[:] = [now, None]
        if quiet and "announces old" not in self.broken:
            return
        if record is None or ("forgets tasks" in self.broken and person % 2):
            return
        if self._excluded(person, lead, record) and "ignores exclusions" not in self.broken:
            return
        for _ in range(2 if "doubles tasks" in self.broken else 1):
            self.sfa.create("Task", [{"WhoId": record, "Subject": "Hot"}])

    def _excluded(self, person: int, lead: int, record: str) -> bool:
        row = self.sfa.tables["Lead" if record.startswith("00Q") else "Contact"].rows[record]
        out = self.ma.leads[lead].values.get("unsubscribed") is True or row["HasOptedOutOfEmail"]
        domains = self.stage.world.domains()  # type: ignore[attr-defined]
        own = self.stage.world.persons[person].email.rpartition("@")[2]
        return out or own in [*domains["competitor"], *domains["own_staff"]]

    def _deal(self, deal: str, row: Mapping[str, Any], *, quiet: bool) -> None:
        lost = row["IsClosed"] and not row["IsWon"] and not row["IsDeleted"]
        if not lost:
            self.lost.pop(deal, None)
            for name, lead in [] if "leaves behind" in self.broken else self.listed.pop(deal, []):
                self.ma.remove_from_list(self.lists[name], [lead])
            return
        at, told = self.lost.setdefault(deal, (self.clock.now(), quiet and "returns old" not in self.broken))
        wait = 0.0 if "does not wait" in self.broken else DAY
        if row["Loss_Reason__c"] is None:
            wait = DAY + 7 * DAY  # from the reminder on
        if told or self.clock.now() < at + wait:
            return
        self.lost[deal] = (at, True)
        self._return(deal, row)

    def _return(self, deal: str, row: Mapping[str, Any]) -> None:
        reason = row["Loss_Reason__c"]
        name = "N-09" if reason is None else ROUTES.get(reason)
        if "wrong list" in self.broken and name is not None:
            name = "N-04" if name != "N-04" else "N-01"
        if name is None or ("forgets returns" in self.broken and row["Amount"] != 500_000):
            return
        others = [d for d in self.sfa.find("Opportunity", "AccountId", [row["AccountId"]]) if d["Id"] != deal]
        account = self.sfa.tables["Account"].rows.get(row["AccountId"] or "")
        kept_out = any(not d["IsClosed"] for d in others) or (account and "Customer" in str(account["Type"]))
        for person in self._people(deal):
            where = self.stage.world.truth[person]
            if where.marketo is None or where.marketo not in self.ma.leads or where.salesforce is None:
                continue
            out = kept_out or self._excluded(person, where.marketo, where.salesforce)
            if out and "ignores exclusions" not in self.broken:
                continue
            self.ma.add_to_list(self.lists[name], [where.marketo])
            self.listed.setdefault(deal, []).append((name, where.marketo))

    def _people(self, deal: str) -> list[int]:
        who = {where.salesforce: person for person, where in self.stage.world.truth.items()}
        roles = self.sfa.find(ROLE, "OpportunityId", [deal])
        if roles:
            return list({who[row["ContactId"]] for row in roles})
        leads = self.sfa.find("Lead", "ConvertedOpportunityId", [deal])
        return [self.stage.world.former[row["Id"]] for row in leads]

    def _amounts(self) -> None:
        sums: dict[int, Decimal] = {}
        for deal, row in list(self.sfa.tables["Opportunity"].rows.items()):
            if row["IsDeleted"] or not row["IsWon"] or row["Amount"] is None:
                continue
            rate = RATES.get(row["CurrencyIsoCode"], Decimal(1))
            amount = round(Decimal(str(row["Amount"])) * rate + Decimal("0.0001"))
            for person in self._people(deal):
                sums[person] = sums.get(person, Decimal(0)) + amount
        for person, where in self.stage.world.truth.items():
            if where.marketo in self.ma.leads:
                due = sums.get(person, Decimal(0)) + (100 if "wrong sums" in self.broken else 0)
                row = {"id": where.marketo, "wonTotalJPY": float(due) or None}
                self.ma.sync_leads("updateOnly", "id", [row])


def played(broken: frozenset[str], moves: int = 500, seed: int = 11) -> FlowVerdict:
    """Play some weeks with a toy sync and give the verdict."""
    clock = ManualClock(1_795_305_600.0)
    settings = Settings(
        persons=150,
        overlap=0.9,
        seed=seed,
        deals=60,
        lists=LISTS,
        mix=Mix(role=0.0, contacts=0.6, spoilt=0.0),
    )
    stage = Stage(settings, clock)
    clock.advance(HOUR)
    toy = ToyFlows(stage, broken)
    since = clock.now()
    for _ in range(moves):
        clock.advance(2 * HOUR)
        assert stage.players is not None
        stage.players.step(Game())
        toy.run()
    domains = stage.world.domains()  # type: ignore[attr-defined]
    flows = Flows(
        since=since,
        patience=4 * HOUR,
        routes=ROUTES,
        blank_after=7 * DAY,
        blank_list="N-09",
        rates=RATES,
        **domains,
    )
    return stage.flows(flows)


def test_honest_flows_are_acquitted() -> None:
    """Whatever people did, hand-overs, returns and sums of an honest sync hold, and there were enough of them."""
    verdict = played(HONEST)
    assert verdict.offences[:3] == ()
    counts = verdict.counts
    assert counts["hand-overs due"] > 15
    assert counts["tasks"] >= counts["hand-overs due"]
    assert counts["returns due"] > 5
    assert counts["returns"] >= 10
    assert counts["won totals"] > 10


@pytest.mark.parametrize(
    ("mistake", "kind"),
    [
        ("forgets tasks", "missed hand-over"),
        ("doubles tasks", "double hand-over"),
        ("announces old", "hand-over without a crossing"),
        ("ignores exclusions", "return of somebody excluded"),
        ("forgets returns", "missing return"),
        ("does not wait", "return without a closing"),
        ("returns old", "return without a closing"),
        ("wrong list", "wrong list"),
        ("leaves behind", "left in nurture"),
        ("wrong sums", "won amount differs"),
    ],
)
def test_each_mistake_is_found(mistake: str, kind: str) -> None:
    """A sync with one mistake is found out, by the right name."""
    verdict = played(frozenset({mistake}), moves=250)
    assert kind in verdict.counts
    assert not verdict.ok
