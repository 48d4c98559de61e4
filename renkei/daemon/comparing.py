"""Both sides compared once a day beside the routes: begun at its hour, in a thread of its own, in the lowest lane.

It decides when a comparison is due, that one at a time runs, that it stands still while a cycle works, and what is kept
of it in the journal; how it is done is `renkei.reconcile`'s. An hour that passed while no service ran is made up for
once. What could not read everything is told as such and tried again, and never counts as complete.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from renkei.caughtup import until_read
from renkei.daemon.board import State
from renkei.daemon.desk import Desk
from renkei.daemon.memory import give_back
from renkei.daemon.notes import COMPARED, Notes
from renkei.first import was_applied
from renkei.reconcile import LOOKS, Sources, reconcile
from renkei.reconciled import Report, figures, shown
from sync.errors import RenkeiError, Retryable
from sync.lanes import in_lane
from sync.ports import Clock, Connector
from sync.record import Side
from sync.rows import LANE_BACKFILL
from sync.rules import Rules

if TYPE_CHECKING:
    from renkei.settings import Project
    from renkei.wire import Wired

AGAIN, TRIES = 1_800.0, 3
SHOWN = 20
_ASIDE = (
    5.0  # seconds for which a comparison stands aside at most: a cycle that hangs must not hold it for ever
)


@dataclass(slots=True)
class _Work:
    """A comparison under way. `slot`: the hour that it is for (unix seconds)."""

    route: str
    slot: float
    began: float
    report: Report | None = None
    why: str = ""
    after: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class Comparing:
    """The service's comparisons. `stop`: the end was asked for; `busy`: a route is being read whole otherwise; `clean`
    takes out of a text what belongs to persons or is secret."""

    wired: Wired
    notes: Notes
    log: Callable[..., None]
    stop: Callable[[], bool]
    busy: Callable[[str], bool]
    clean: Callable[[str], str]
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    _work: _Work | None = None
    _free: threading.Event = field(default_factory=threading.Event)

    def begin(self, routes: Iterable[str]) -> None:
        """Take up what stands from before. Raises Fatal."""
        self._free.set()
        for route in routes:
            self._kept[route] = self.notes.read(f"{COMPARED}{route}")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While this lasts, a comparison stands still at its next page."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def step(self, desks: Mapping[str, Desk], now: float) -> None:
        """Land what has ended, and begin what is due (`now` in unix seconds). Raises Fatal, LeaseLost."""
        if self._work is not None:
            if self._work.done.is_set():
                self._land(self._work, now)
                self._work = None
            return
        for route in self._kept.keys() - desks.keys():
            self._keep(route, {}, now)
            del self._kept[route]
        for desk in desks.values():
            slot = self._due(desk, now)
            if slot:
                self._begin(desk, [each.world.lens.rules for each in desks.values()], slot, now)
                return

    def last(self, route: str) -> dict[str, Any]:
        """What is kept of a route's last comparison, {} = nothing."""
        return self._kept.get(route, {})

    # --- when -----------------------------------------------------------------------------------------------

    def _due(self, desk: Desk, now: float) -> float:
        """The hour for which a route is to be compared now, 0.0 = none."""
        minute = self.wired.project.service.compared_at(desk.route)
        if minute is None:
            return 0.0
        slot, kept = slot_of(minute, now), self._kept.get(desk.route, {})
        if not kept:
            self._keep(
                desk.route, {"slot": slot}, now
            )  # the first hour is one that this service has seen come
            return 0.0
        if slot <= kept["slot"] or now < kept.get("again", 0.0) or desk.state is not State.WELL:
            return 0.0
        return slot if was_applied(desk.world) and not self.busy(desk.route) else 0.0

    def _keep(self, route: str, note: dict[str, Any], now: float) -> None:
        self._kept[route] = note
        self.notes.write(f"{COMPARED}{route}", note, now)

    # --- the work -------------------------------------------------------------------------------------------

    def _begin(self, desk: Desk, every: list[Rules], slot: float, now: float) -> None:
        rules, clock = desk.world.lens.rules, desk.world.clock
        connectors = {
            side: in_lane(self.wired.connectors[rules.systems[side]], LANE_BACKFILL) for side in rules.sides
        }
        self._work = _Work(desk.route, slot, now)
        self.log("compare begins", route=desk.route)
        job = _Job(self.wired.project, rules, every, connectors, clock, self._gate)
        threading.Thread(target=job.run, args=(self._work,), name="compare", daemon=True).start()

    def _gate(self) -> None:
        """Between two pages: let cycles go first, and end when all ends."""
        if self.stop():
            raise Retryable("The service stops; the comparison begins anew with the next one.")
        self._free.wait(_ASIDE)

    def _land(self, work: _Work, now: float) -> None:
        give_back()
        if self.stop():
            return  # its hour stays due
        kept = self._kept.get(work.route, {})
        if work.report is None:
            tries = int(kept.get("tries", 0)) + 1
            why = self.clean(work.why)
            over = tries >= TRIES
            note = kept | {"failed": {"at": now, "why": why}, "again": now + max(AGAIN, work.after)}
            note |= {"slot": work.slot, "tries": 0} if over else {"tries": tries}
            self.log("compare could not read everything", route=work.route, reason=why, tries=tries)
        else:
            found = result(work.report, work.began, now)
            note = {"slot": work.slot, "last": found}
            self.log(
                "compare ends", route=work.route, gaps=work.report.gaps.total(), compared=work.report.compared
            )
        self._keep(work.route, note, now)


def result(report: Report, began: float, ended: float) -> dict[str, Any]:
    """What is kept of a comparison that read everything: figures and the names of some gaps."""
    buckets = {name: len(found) for name, found in report.buckets.items()}
    return figures(report) | {
        "began": began, "ended": ended, "buckets": buckets, "shown": shown(report.named),
    }  # fmt: skip


def slot_of(minute: int, now: float) -> float:
    """The last time that this minute of the host's day came (unix seconds), `now` included."""
    local = datetime.fromtimestamp(now).astimezone().replace(tzinfo=None)
    at = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return (at if at <= local else at - timedelta(days=1)).timestamp()


@dataclass(frozen=True, slots=True)
class _Job:
    """Everything that the thread needs; it has a look into the journal of its own and keeps nothing there."""

    project: Project
    rules: Rules
    every: list[Rules]
    connectors: Mapping[Side, Connector]
    clock: Clock
    gate: Callable[[], None]

    def run(self, work: _Work) -> None:
        """Compare, and leave what came of it."""
        try:
            work.report = self._report()
        except RenkeiError as error:
            work.why, work.after = error.message, getattr(error, "after", 0.0)
        except Exception as error:  # noqa: BLE001 - its trouble is told, and is not the service's
            work.why = f"renkei met an error of its own ({type(error).__name__})."
        finally:
            work.done.set()

    def _report(self) -> Report:
        from renkei.wire import look

        with look(self.project) as reader:
            sources = Sources(
                connectors=self.connectors, reader=reader, clock=self.clock, progress=self._told, pause=self._pause,
                looks=LOOKS,
            )  # fmt: skip
            return reconcile(self.rules, self.every, sources, show=SHOWN)

    def _told(self, _what: str, _count: int) -> None:
        self.gate()

    def _pause(self) -> None:
        until_read(self.project, self.rules, self.clock.now(), self._nap)

    def _nap(self, seconds: float) -> None:
        self.gate()
        time.sleep(seconds)
