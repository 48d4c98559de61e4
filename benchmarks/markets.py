"""A world in which business is done: people whose scores are raised, tasks and notices that come of it, with times.

It decides who stands where (everybody at Marketo; at Salesforce those who take part in deals, and a few more), whose
score is raised next, and when sales was told. All times are those of the vendors' own records. Nothing of ours is
imported here.
"""

from __future__ import annotations

import random
from typing import Any

from benchmarks.worlds import BOTH, ONLY_MARKETO, Answer, Town
from simulators.http import Request
from simulators.salesforce.state import SalesforceState
from simulators.world import Mix, World
from simulators.world_deals import Market

DEALS, SHARED = 300, 2_000
HOT, COLD = 90, 55
LISTS = ("N-01 時期", "N-02 予算", "N-03 価値", "N-04 乗換", "N-05 未対応")


class Bazaar(Market):
    """Persons of whom Marketo knows all, and Salesforce the first few and whoever takes part in a deal."""

    def __init__(self, records: int, seed: int) -> None:
        super().__init__(seed, records, 1.0, Mix(role=0.0, spoilt=0.0), deals=min(DEALS, records // 4))
        shared = set(range(min(SHARED, records // 4)))
        shared.update(number for deal in self.deals for number in deal.people)
        self.sides = {each.number: BOTH if each.number in shared else ONLY_MARKETO for each in self.persons}

    def project_salesforce(self, state: SalesforceState) -> None:
        """Enter staff, of whom nobody has left: a task for somebody who has is refused, and a person asked."""
        super().project_salesforce(state)
        for user in self.staff:
            state.human_edit("User", user, {"IsActive": True})


MARKETO_DAILY = 50_000


class MarketTown(Town):
    """Both vendors with firms, people and deals. Whoever stands on both sides was edited after everybody was entered,
    so that an activity log read from then on tells of them and of nobody else."""

    def __init__(self, records: int, kind: str, seed: int = 1) -> None:
        super().__init__(records, kind, seed)
        self._rng = random.Random(f"{seed} raises")
        self._notices: list[tuple[float, str]] = []
        state = self.marketo.state
        for name in LISTS:
            state.add_list(name)
        known = [place.marketo for place in self.people.truth.values() if place.salesforce is not None]
        self._known = [lead for lead in known if lead is not None]
        for number, lead in enumerate(self._known):
            state.human_edit(lead, {"title": f"役職 {number}"})
        self._turn = 0
        self._raised: set[int] = set()

    def _made(self, records: int, kind: str, seed: int) -> World:  # noqa: ARG002 (there is one kind of these)
        return Bazaar(records, seed)

    def answers(self) -> dict[tuple[str, str], Answer]:
        """What the control address answers, by method and path."""
        return super().answers() | {
            ("POST", "/raise"): lambda _: self.raise_score(),
            ("GET", "/tasks"): lambda _: self.tasks(),
            ("POST", "/notices"): self._take,
            ("GET", "/notices"): lambda _: self._told(),
            ("POST", "/eat"): lambda asked: self.eat(float(asked.first("share") or 0.7)),
            ("GET", "/quota"): lambda _: self.quota(),
        }

    def eat(self, share: float) -> dict[str, Any]:
        """Another application makes this share of both vendors' daily calls."""
        most = self.salesforce.state.switches.daily_calls
        self.salesforce.quota.spend(self.clock.now(), int(most * share))
        self.marketo.gate.spend(int(MARKETO_DAILY * share))
        return self.quota()

    def quota(self) -> dict[str, Any]:
        """By vendor: the day's calls, their number when one of the client's was let in last, and how many there are."""
        gate, quota = self.marketo.gate, self.salesforce.quota
        most = self.salesforce.state.switches.daily_calls
        return {
            "marketo": [gate.used_today, gate.highest, MARKETO_DAILY],
            "salesforce": [quota.used(self.clock.now()), quota.highest, most],
        }

    def raise_score(self) -> dict[str, Any]:
        """Marketing makes somebody hot who was not, in turn of those whom sales knows and of all; gives whom, when."""
        state, self._turn = self.marketo.state, self._turn + 1
        among = self._known if self._turn % 2 else list(state.leads)
        while True:
            lead = self._rng.choice(among)
            score = int(state.leads[lead].values.get("leadScore") or 0)
            if lead not in self._raised and score < COLD:
                break
        self._raised.add(lead)
        state.human_score(lead, HOT - score)
        return {"lead": str(lead), "time": state.ledger[-1].time}

    def tasks(self) -> list[dict[str, Any]]:
        """Every task that the API made: about which lead of Marketo, and when."""
        state = self.salesforce.state
        made = [entry for entry in state.ledger if entry.object == "Task" and entry.verb == "create"]
        return [
            {"lead": self._lead_of(str(entry.changes["WhoId"][1])), "time": entry.time}
            for entry in made
            if entry.actor == "api" and "WhoId" in entry.changes
        ]

    def _lead_of(self, who: str) -> str:
        tables = self.salesforce.state.tables
        row = tables["Lead"].rows.get(who) or tables["Contact"].rows.get(who) or {}
        return str(row.get("Marketo_Id__c") or "")

    def _take(self, asked: Request) -> dict[str, Any]:
        """A channel that people read: keep what was said and when."""
        self._notices.append((self.clock.now(), asked.body.decode()))
        return {}

    def _told(self) -> list[dict[str, Any]]:
        return [{"time": time, "said": said} for time, said in self._notices]
