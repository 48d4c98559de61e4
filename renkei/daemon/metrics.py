"""Figures for a monitoring system, in its own text format.

It decides their names and what each counts. What happens is counted as it happens; what the journal holds is asked of
it when somebody looks, at most every few seconds. No figure bears anything of a person, nor any free text.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from connectors.ledger import LANES
from renkei.daemon.board import Board, State, health, ready
from renkei.daemon.notes import COMPARED, read_notes
from renkei.daemon.quota import Spent
from renkei.settings import Project
from renkei.wire import look
from sync.cycle import CycleReport
from sync.errors import RenkeiError

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from connectors.http import Call
    from state.answers import RouteScope, RouteStatus
    from state.service import Backlog

FRESH = 5.0
_BUCKETS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0, 600.0)


class Metrics:
    """Counters of what happens, and a page of everything."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        self._cycles = Counter(
            "renkei_cycles", "cycles by how they ended", ["route", "result"], registry=made
        )
        self._seconds = Histogram(
            "renkei_cycle_seconds",
            "how long complete cycles took",
            ["route"],
            buckets=_BUCKETS,
            registry=made,
        )
        self._read = Counter("renkei_records_read", "records read", ["route", "system"], registry=made)
        self._written = Counter("renkei_records_written", "records sent", ["route", "system"], registry=made)
        self._calls = Counter("renkei_calls", "calls by status class", ["system", "status"], registry=made)

    def cycle(self, route: str, report: CycleReport, seconds: float) -> None:
        """Count a cycle that came to its end."""
        self._cycles.labels(route, "braked" if report.brakes else "done").inc()
        self._seconds.labels(route).observe(seconds)
        for system, count in report.read.items():
            self._read.labels(route, system).inc(count.read)
        for system, number in report.delivered.sent.items():
            self._written.labels(route, system).inc(number)

    def failed(self, route: str, state: State) -> None:
        """Count a cycle that did not."""
        self._cycles.labels(route, state.value).inc()

    def call(self, system: str, call: Call) -> None:
        """Count a call of a vendor; safe to call from any thread."""
        self._calls.labels(system, f"{call.status // 100}xx" if call.status else "none").inc()

    def page(self) -> bytes:
        """Everything as text."""
        return bytes(generate_latest(self.registry))


class Figures(Collector):
    """What is the case when somebody looks: the service's picture, the day's calls, the journal."""

    def __init__(
        self,
        board: Board,
        project: Project,
        scopes: Callable[[], Sequence[RouteScope]],
        quota: Callable[[], Mapping[str, Spent]],
    ) -> None:
        self._board, self._project, self._scopes, self._quota = board, project, scopes, quota
        self._lock = threading.Lock()
        self._asked: tuple[float, list[tuple[RouteStatus, Backlog]]] = (0.0, [])

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked when this is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        yield from self._service()
        yield from self._calls()
        yield from self._journal()
        yield from self._compared()

    def _service(self) -> Iterator[Metric]:
        now, picture = time.monotonic(), self._board.picture
        yield _one("renkei_healthy", "1 = the process does something", float(health(self._board, now)[0]))
        yield _one("renkei_ready", "1 = every route does its work in time", float(ready(self._board, now)[0]))
        yield _one("renkei_lease_seconds", "for which the journal is ours", self._board.lease())
        yield _one("renkei_mapping_refused", "1 = changed files were refused", float(bool(picture.mapping)))
        state = _family("renkei_route_state", "1 = the route is so", "route", "state")
        done = _family("renkei_last_complete_cycle_timestamp_seconds", "its end, unix time", "route")
        for each in picture.routes:
            now_so = "paused" if each.paused is not None and each.state is State.WELL else each.state.value
            for name in (*(kind.value for kind in State), "paused"):
                state.add_metric([each.route, name], float(name == now_so))
            done.add_metric([each.route], each.done_at)
        yield from (state, done)

    def _calls(self) -> Iterator[Metric]:
        used = _family("renkei_quota_used_calls", "the day's calls so far", "system")
        daily = _family("renkei_quota_daily_calls", "the day's calls in all, 0 = unknown", "system")
        own = _family("renkei_quota_own_calls", "of the day's calls so far, ours", "system")
        ours = _family("renkei_quota_share_calls", "of everybody's calls, where ours stop", "system")
        rate = _family("renkei_quota_rate", "part of the usual rate at which we call", "system")
        shut = _family("renkei_quota_lane_shut", "1 = calls of the lane wait", "system", "lane")
        for system, count in self._quota().items():
            used.add_metric([system], count.used)
            daily.add_metric([system], count.daily)
            own.add_metric([system], count.own)
            ours.add_metric([system], count.ours)
            rate.add_metric([system], count.rate)
            for lane in LANES.values():
                shut.add_metric([system, lane], float(lane in count.shut))
        yield from (used, daily, own, ours, rate, shut)

    def _journal(self) -> Iterator[Metric]:
        opened = _family("renkei_open_operations", "operations that are not done", "route", "state")
        holds = _family("renkei_holds", "what waits for a person", "route", "kind")
        brakes = _family("renkei_brakes", "brakes that stand", "route")
        dirty = _family("renkei_dirty_records", "records to be decided", "route")
        oldest = _family("renkei_oldest_work_seconds", "age of the oldest undone work", "route", "work")
        read = _family(
            "renkei_last_complete_read_timestamp_seconds", "of a feed, unix time", "route", "system"
        )
        now = time.time()
        for status, backlog in self._ask():
            route = status.route
            for state, number in status.operations.items():
                opened.add_metric([route, state], number)
            for kind, number in status.holds.items():
                holds.add_metric([route, kind], number)
            brakes.add_metric([route], status.holds.get("brake", 0))
            dirty.add_metric([route], status.dirty)
            for work, since in backlog._asdict().items():
                oldest.add_metric([route, work], max(0.0, now - since) if since else 0.0)
            for feed in status.feeds:
                if feed.name == "front" and feed.complete:
                    read.add_metric([route, feed.system], feed.at)
        yield from (opened, holds, brakes, dirty, oldest, read)

    def _compared(self) -> Iterator[Metric]:
        """What came of the last two-sided comparisons, as the service keeps it."""
        gaps = _family("renkei_compare_gaps", "findings that nothing explains", "route", "kind")
        uneven = _family("renkei_compare_uneven_buckets", "of 256, unlike the journal", "route", "system")
        done = _family("renkei_compare_complete_timestamp_seconds", "begin of the last complete one", "route")
        whole = _family("renkei_compare_complete", "1 = the last one read everything", "route")
        for route, note in self._notes().items():
            last = note.get("last", {})
            whole.add_metric([route], float("failed" not in note and bool(last)))
            done.add_metric([route], last.get("began", 0.0))
            for kind, number in last.get("gaps", {}).items():
                gaps.add_metric([route, kind], number)
            for system, number in last.get("buckets", {}).items():
                uneven.add_metric([route, system], number)
        yield from (gaps, uneven, done, whole)

    def _notes(self) -> dict[str, dict[str, Any]]:
        try:
            with look(self._project) as reader:
                found = read_notes(reader)
        except RenkeiError:
            return {}
        return {
            name.removeprefix(COMPARED): note for name, note in found.items() if name.startswith(COMPARED)
        }

    def _ask(self) -> list[tuple[RouteStatus, Backlog]]:
        """What the journal says; where it cannot be asked, nothing is said rather than something old."""
        from state.service import backlog
        from state.views import status

        with self._lock:
            if time.monotonic() - self._asked[0] < FRESH and self._asked[0]:
                return self._asked[1]
            scopes = list(self._scopes())
            try:
                with look(self._project) as reader:
                    rows = status(reader, scopes, since=0.0)
                    found = [(row, backlog(reader, scope)) for row, scope in zip(rows, scopes, strict=True)]
            except RenkeiError:
                found = []
            self._asked = (time.monotonic(), found)
            return found


def _family(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=labels)


def _one(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)
