"""A hundred thousand people whom no feed ever told of: found by a backfill, recognised, linked or created, once each.

It decides how a route comes to know only a few of them before (Marketo's activity log is read from a day on which the
others were there already), what is watched while the command runs, and at which moments it is killed. Afterwards all
rows of both sides are compared.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.calls import Counts, difference
from benchmarks.cases import LAG, Wrong, judge, say, strangers
from benchmarks.exact import Verdict
from benchmarks.report import GROWTH, PEAK_MIB, Line
from benchmarks.runs import Cost, WorldProcess, write_project
from benchmarks.services import Command, Sample, secrets_of

ROUTE = "both-ways"
KNOWN = 0.01  # share of the leads that the route knows before
KILLS, SPARE = 5, 3
TIMEOUT = 30.0
TURN_CALLS = 3  # a look at Marketo's log, and one at each of Salesforce's two objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One backfill from its beginning to its end: what it took, what it called, its memory over time."""

    records: int
    cost: Cost
    counts: Counts
    samples: Sequence[Sample]
    verdict: Verdict
    told: Mapping[str, Any]

    @property
    def calls(self) -> int:
        """All calls on both sides."""
        return _sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """A backfill that was killed: after how many calls each time, the calls of a start that finds nothing to do, calls
    in flight at each kill, and the calls that were made in all."""

    records: int
    after: Sequence[int]
    start: Counts
    in_flight: Sequence[int]
    counts: Counts
    verdict: Verdict
    told: Mapping[str, Any]

    def repeated(self, whole: Counts) -> int:
        """Calls that one uninterrupted backfill (`whole`) and the starts afterwards do not explain. Turns that
        everything else was given are no repetition: there are as many as the time that it took has room for."""
        kills = len(self.after)
        calls = _sum(self.counts) - _sum(whole) - kills * _sum(self.start)
        turns = _turns(self.counts) - _turns(whole) - kills * _turns(self.start)
        return calls - turns * TURN_CALLS

    @property
    def allowed(self) -> int:
        """What was in flight at the kills, and three more for each."""
        return sum(self.in_flight) + SPARE * len(self.after)


class Place:
    """A fresh copy of a world whose route knows only the few that were edited of late."""

    def __init__(self, process: WorldProcess, folder: Path, timeout: float) -> None:
        self.process, self.folder = process, folder
        places = process.open()
        self.secrets = secrets_of(places)
        process.ask(f"/touch?share={KNOWN}", post=True)
        time.sleep(2 * LAG)
        write_project(folder, "half", places, LAG)
        now = datetime.now(UTC)
        recent = f"{now - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"  # the others were entered an hour ago
        for side in ("marketo", "salesforce"):
            self._set(side, server_timeout=timeout)
        self._set("marketo", full_read="feed", earliest=recent)
        self.run("sync", "--first", "--canary", "0")
        self.run("sync")
        day = f"{now - timedelta(days=1):%Y-%m-%d}"
        self._set("marketo", full_read="bulk", earliest=day, poll_seconds=2.0)

    def run(self, *arguments: str) -> Cost:
        """One command to its end."""
        return self.start(*arguments).finish()

    def start(self, *arguments: str) -> Command:
        """One command."""
        return Command(self.folder, self.secrets, *arguments, "--json")

    def backfill(self) -> Command:
        """The command that is measured."""
        return self.start("backfill", ROUTE, "--yes")

    def on_their_way(self) -> int:
        """Write calls that left and of which the journal knows no answer."""
        said = json.loads(self.start("status").finish(well=False).output)
        return sum(sum(route["in_flight"].values()) for route in said["routes"])

    def counted(self) -> Counts:
        """The vendors' counts since the copy was opened."""
        found: Counts = self.process.ask("/counts")["calls"]
        return found

    def _set(self, side: str, **settings: Any) -> None:
        path = self.folder / "renkei.yaml"
        document = json.loads(path.read_text("utf-8"))
        document["envs"]["bench"][side].update(settings)
        path.write_text(json.dumps(document, indent=1), "utf-8")


@contextmanager
def _place(process: WorldProcess, timeout: float = TIMEOUT) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="renkei-bench-") as folder:
        yield Place(process, Path(folder), timeout)


def whole_backfill(process: WorldProcess, records: int) -> Whole:
    """One backfill, watched. Raises Wrong."""
    with _place(process) as place:
        before = place.counted()
        command = place.backfill()
        cost = command.finish()
        counts = difference(place.counted(), before)
        say(f"backfill of {records:,}: {cost.wall:.0f} s, {cost.cpu:.0f} CPU s, {cost.peak_mib:.0f} MiB")
        return Whole(
            records=records, cost=cost, counts=counts, samples=command.samples, told=_told(cost),
            verdict=judge(process, strangers(records)),
        )  # fmt: skip


def killed_backfill(
    process: WorldProcess, whole: Whole, kills: int, dice: random.Random, timeout: float = TIMEOUT
) -> Killed:
    """A backfill that is killed so many times at random moments of its work, and resumed. `timeout`: seconds after
    which a request can act no more; what was in doubt is looked up then. Raises Wrong."""
    with _place(process, timeout) as place:
        start = _calls_of_a_start(place)
        before, each = place.counted(), _sum(start)
        began = _sum(before)
        moments = sorted(dice.sample(range(2 * each, max(whole.calls, 2 * each + kills + 1)), kills))
        after, in_flight = list[int](), list[int]()
        for number, moment in enumerate(moments):
            flying = _kill_at(place, began + moment + number * each)
            if flying is None:
                break  # it came to its end before
            after.append(moment)
            in_flight.append(flying)
            say(f"killed after {moment:,} calls, {flying} in flight")
        cost = place.backfill().finish()
        return Killed(
            records=whole.records, after=after, start=start, in_flight=in_flight, told=_told(cost),
            counts=difference(place.counted(), before), verdict=judge(process, strangers(whole.records)),
        )  # fmt: skip


def _calls_of_a_start(place: Place) -> Counts:
    """What a backfill calls before it goes on: its forecast, signing in, and the cycle of everything that is due."""
    before = place.counted()
    place.run("backfill", ROUTE, "--dry-run")
    place.run("sync")
    return difference(place.counted(), before)


def _kill_at(place: Place, goal: int) -> int | None:
    """Start, and kill when the vendors have counted so many calls; calls in flight then, None = it ended before."""
    command = place.backfill()
    while command.running and _sum(place.counted()) < goal:
        time.sleep(0.005)
    if not command.running:
        command.finish()
        return None
    command.kill()
    return place.on_their_way()


def _told(cost: Cost) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(cost.output)["routes"][0]["backfill"]
    if told["phase"] != "done":
        raise Wrong(f"the backfill ended in the phase {told['phase']}: {told['why']}")
    return told


def _turns(counts: Counts) -> int:
    return counts["marketo"].get("activities", 0)


def _sum(counts: Counts) -> int:
    return sum(sum(side.values()) for side in counts.values())


def backfill_lines(whole: Whole, small: Whole, killed: Killed) -> list[Line]:
    """The figures beside what is promised."""
    name = f"backfill of {whole.records:,}"
    grown = whole.cost.peak_mib / small.cost.peak_mib
    repeated, exact = killed.repeated(whole.counts), whole.verdict.exact
    sides = ", ".join(f"{side} {sum(calls.values()):,}" for side, calls in whole.counts.items())
    wrote = ", ".join(f"{system} {number:,}" for system, number in whole.told["sent"].items())
    return [
        Line(
            what=f"{name}: peak memory", measured=f"{whole.cost.peak_mib:.0f} MiB", target=f"≤ {PEAK_MIB:.0f} MiB",
            reached=whole.cost.peak_mib <= PEAK_MIB,
        ),
        Line(
            what=f"{name}: growth", target="≤ 20 %", reached=grown <= GROWTH,
            measured=f"{(grown - 1) * 100:+.0f} % from {small.records:,} ({small.cost.peak_mib:.0f} MiB)",
        ),
        Line(what=f"{name}: memory over time", measured=_quarters(whole.samples)),
        Line(what=f"{name}: time", measured=f"{whole.cost.wall:.0f} s, {whole.cost.cpu:.0f} CPU s"),
        Line(what=f"{name}: calls; written", measured=f"{sides}; {wrote}"),
        Line(
            what=f"{name}: exact rows", measured=f"{exact:,} of {whole.records:,}", target="all",
            reached=exact == whole.records,
        ),
        Line(
            what=f"{name}, killed {len(killed.after)} times: calls repeated",
            measured=f"{max(repeated, 0)} ({sum(killed.in_flight)} in flight)", target=f"≤ {killed.allowed}",
            reached=repeated <= killed.allowed,
        ),
        Line(
            what=f"{name}, killed {len(killed.after)} times: exact rows",
            measured=f"{killed.verdict.exact:,} of {killed.records:,}", target="all",
            reached=killed.verdict.exact == killed.records,
        ),
    ]  # fmt: skip


def _quarters(samples: Sequence[Sample]) -> str:
    """The mean of each quarter of the time."""
    size = max(1, len(samples) // 4)
    parts = [samples[place : place + size] for place in range(0, size * 4, size)]
    return " → ".join(f"{fmean(each.mib for each in part):.0f}" for part in parts if part) + " MiB"


def backfills(records: int, kills: int = KILLS, seed: int = 1) -> list[Line]:
    """All of it: a tenth of the records for comparison, the whole, and the same killed and resumed."""
    with WorldProcess(max(records // 10, 1), "half") as process:
        small = whole_backfill(process, max(records // 10, 1))
    with WorldProcess(records, "half") as process:
        whole = whole_backfill(process, records)
        killed = killed_backfill(process, whole, kills, random.Random(seed))
    return backfill_lines(whole, small, killed)
