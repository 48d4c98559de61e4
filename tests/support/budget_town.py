"""A town whose vendors count calls: a backfill at work beside ordinary cycles, and another application that eats.

It decides when a cycle comes, when the other application calls and when people act. What is judged, the vendors have
counted: their quotas, their records, their ledgers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from connectors.budget import Budget
from connectors.marketo import Marketo, MarketoConfig
from connectors.salesforce import Salesforce, SalesforceConfig
from renkei.backfill import Backfill, Stand, Wish, begin
from renkei.settings import Project
from simulators.marketo.api import DEMO_CREDENTIALS
from simulators.marketo.gate import Quota
from simulators.salesforce.oauth import Credentials
from sync.cycle import Bounds, run_cycle
from sync.errors import QuotaSpent, RenkeiError
from sync.lanes import in_lane
from sync.ports import Connector
from sync.read import FRONT, World
from sync.record import Ref, Side
from sync.rows import LANE_DELTA, CursorRow, Patch
from tests.support.flow_town import FlowTown
from tests.support.town import LAG, MARKETO, SALESFORCE

EVERY = 300.0
AGAIN = 30.0
SERVER_TIMEOUT = 60.0
DAILY = {MARKETO: 20_000, SALESFORCE: 100_000}
SHARE = 0.8


class Hot(NamedTuple):
    """Something that must not wait: when it happened (the cycle's number), and whether it has arrived by now."""

    name: str
    at: int
    arrived: Callable[[], bool]


class Watched(Salesforce):
    """A connector that remembers in which lanes it was asked to write, and how many seconds it was given to leave."""

    writes: list[tuple[int, float]]

    def in_lane(self, lane: int, latest: float = inf) -> Connector:
        """See `Salesforce`."""
        if latest < inf:
            self.writes.append((lane, latest - self.client.clock.now()))
        return super().in_lane(lane, latest)


class BudgetTown(FlowTown):
    """Two vendors that count, three routes over one journal."""

    writes: list[tuple[int, float]]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.marketo_api.gate.quota = Quota(daily=DAILY[MARKETO])
        self.salesforce.switches.daily_calls = DAILY[SALESFORCE]
        self.number = 0
        self.work: Backfill | None = None
        self.hot: list[Hot] = []
        self.delays: dict[str, int] = {}
        self.paused: dict[str, float] = {}
        self.put_off = self.refused = 0

    def _open_marketo(self, name: str = MARKETO) -> Marketo:
        config = MarketoConfig(
            rest_url=f"{self.servers[0].url}/rest", client_id=DEMO_CREDENTIALS.client_id,
            client_secret=SecretStr(DEMO_CREDENTIALS.client_secret), earliest="2026-11-01", poll_seconds=1.0,
            server_timeout=60.0, visibility_lag=LAG, full_read="feed", daily_calls=DAILY[MARKETO],
        )  # fmt: skip
        return Marketo(name, config, self.clock)

    def _open_salesforce(self, name: str = SALESFORCE) -> Salesforce:
        config = SalesforceConfig(
            login_url=self.servers[1].url, client_id=Credentials().client_id,
            client_secret=SecretStr(Credentials().client_secret), server_timeout=SERVER_TIMEOUT, visibility_lag=LAG,
            overlap=LAG,
        )  # fmt: skip
        watched = Watched(name, config, self.clock)
        watched.writes = self.writes = []
        return watched

    def _build(self) -> list[World]:
        """The connectors themselves, which know of lanes; nothing happens before their calls here."""
        return [
            replace(
                world,
                connectors={
                    side: self.windows[world.lens.system(side)].inner for side in world.lens.rules.sides
                },
            )
            for world in super()._build()
        ]

    def budget(self, system: str) -> Budget:
        """A system's budget."""
        inner = self.windows[system].inner
        assert isinstance(inner, Marketo | Salesforce)
        return inner.client.http.budget

    def used(self, system: str) -> int:
        """The day's calls as the vendor counts them."""
        if system == MARKETO:
            return self.marketo_api.gate.used_today
        return self.salesforce_api.quota.used(self.clock.now())

    def highest(self, system: str) -> int:
        """The day's calls when one of ours was let in last, at its highest."""
        return (self.marketo_api.gate if system == MARKETO else self.salesforce_api.quota).highest

    def eat_up_to(self, system: str, calls: int) -> None:
        """Another application calls until the day's count stands there."""
        self.eat(system, (calls - self.used(system)) / DAILY[system])

    def eat(self, system: str, share: float) -> None:
        """Another application makes this share of the day's calls."""
        calls = round(DAILY[system] * share)
        if system == MARKETO:
            assert self.marketo_api.gate.spend(calls) == calls
        else:
            self.salesforce_api.quota.spend(self.clock.now(), calls)

    def overlook(self) -> None:
        """Have the feeds say nothing of what was typed so far: as if a vendor had never told."""
        self.wait(2_000.0)
        people, patch = self.worlds[-1], Patch()
        for side in (Side.MA, Side.SFA):
            system = people.lens.system(side)
            (row,) = self.store.get(CursorRow, [(system, "person", FRONT)])
            connector = in_lane(people.connectors[side], LANE_DELTA)
            *_, last = connector.changes("person", row.value, people.paths(side))
            patch.put(row._replace(value=last.cursor, at=self.clock.now()))
        self.store.commit(patch)

    def backfill(self) -> Stand:
        """Begin one, without a canary."""
        people = self.worlds[-1]
        project = Project(folder=self._folder, env="town", envs=("town",), systems={})
        project.state.parent.mkdir(parents=True, exist_ok=True)
        if not project.state.exists():
            project.state.symlink_to(self._folder / "state.db")
        stand = begin(people, Wish(canary=0))
        self.work = Backfill(project, people, stand, None, lambda: None)
        return stand

    def happens(self, name: str, arrived: Callable[[], bool]) -> None:
        """Somebody has just done something hot."""
        self.hot.append(Hot(name, self.number, arrived))

    def pass_by(self, count: int, every: float = EVERY) -> None:
        """So many times `every` seconds: a cycle of every route, then a step of the backfill if it may take one."""
        for _ in range(count):
            self.number += 1
            for world in self.worlds:
                try:
                    report = run_cycle(world, Bounds(sweep=900.0))
                    self.put_off += len(report.put_off)
                except QuotaSpent:
                    self.refused += 1
            for each in list(self.hot):
                if each.arrived():
                    self.hot.remove(each)
                    self.delays[each.name] = self.number - each.at
            self._step()
            self.wait(every)

    def _step(self) -> None:
        """As the service does it: a step that fails is taken again later."""
        if self.work is None or self.work.stand.over or self.work.rest > self.clock.now():
            return
        try:
            self.work.step()
        except RenkeiError:
            self.work.rest = max(self.work.rest, self.clock.now() + AGAIN)
        if self.work.stand.why:
            self.paused[self.work.stand.why] = self.clock.now()

    def task_of(self, ref: Ref) -> int:
        """Tasks at a record of Salesforce."""
        rows = self.salesforce.tables["Task"].rows.values()
        return sum(row.get("WhoId") == ref.id for row in rows)
