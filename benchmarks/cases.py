"""What is measured: a first copy beside the bare copy, one in a hundred edited later, quiet cycles, memory, two ways.

It decides the order of the runs and what each yields; the table's targets are `report`'s affair. Every run is judged
by comparing all rows of both sides afterwards.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.calls import Calls, Counts, difference, sort_out
from benchmarks.exact import Verdict, compare
from benchmarks.runs import Cost, WorldProcess, bare_copy, sync, write_project

LAG = 1.0
QUIET_CYCLES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One command on one world: what it took, what it called, whether it was exact, what it said of itself."""

    cost: Cost
    counts: Counts
    verdict: Verdict
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The bare copy and renkei on two copies of one world."""

    bare: Run
    ours: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Cycles in which nothing happened: how many, calls by side, rows written."""

    cycles: int
    calls: Counts
    writes: int


class Wrong(Exception):
    """A run that ended badly or was not exact: its figures mean nothing."""


class World:
    """One open copy and renkei's project folder beside it."""

    def __init__(self, process: WorldProcess, folder: Path, kind: str) -> None:
        self.process, self.folder = process, folder
        self.places = process.open()
        write_project(folder, kind, self.places, LAG)

    def first(self, alone: int = 0) -> Run:
        """Everything for the first time."""
        return self._sync(alone, "--first")

    def again(self) -> Run:
        """The same command, cold, later."""
        return self._sync(0)

    def edit(self, share: float) -> int:
        """Somebody edits so many of Marketo's leads."""
        return int(self.process.ask(f"/touch?share={share}", post=True)["touched"])

    def counted(self) -> dict[str, Any]:
        """The vendors' counts since the copy was opened."""
        found: dict[str, Any] = self.process.ask("/counts")
        return found

    def quiet(self, cycles: int) -> Quiet:
        """Cold commands with nothing to do."""
        before = self.counted()
        done = sum(_cycles(_told(sync(self.folder, self.places))) for _ in range(cycles))
        after = self.counted()
        written = difference(after["writes"], before["writes"])
        return Quiet(
            cycles=done,
            calls=difference(after["calls"], before["calls"]),
            writes=sum(sum(side.values()) for side in written.values()),
        )

    def _sync(self, alone: int, *options: str) -> Run:
        before = self.counted()
        cost = sync(self.folder, self.places, *options)
        told = _told(cost)
        counts = difference(self.counted()["calls"], before["calls"])
        return Run(cost=cost, counts=counts, verdict=judge(self.process, alone), told=told)


def judge(process: WorldProcess, alone: int = 0) -> Verdict:
    """Compare all rows; raises Wrong where they differ."""
    live = process.ask("/live")
    verdict = compare(live["marketo"], live["salesforce"], alone)
    if not verdict.ok:
        raise Wrong(f"not exact: {dict(verdict.wrong)}")
    return verdict


def _told(cost: Cost) -> dict[str, Any]:
    if cost.code != 0:
        raise Wrong(f"renkei ended with code {cost.code}: {cost.output[:2_000]}")
    told: dict[str, Any] = json.loads(cost.output)
    return told


def _cycles(told: dict[str, Any]) -> int:
    return sum(int(route["cycles"]) for route in told["routes"])


def say(text: str) -> None:
    """Tell whoever waits how far we are."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def opened(process: WorldProcess, kind: str) -> Iterator[World]:
    """A fresh copy with a fresh project folder."""
    with tempfile.TemporaryDirectory(prefix="renkei-bench-") as folder:
        yield World(process, Path(folder), kind)


def copy_barely(process: WorldProcess) -> Run:
    """The yardstick on a fresh copy."""
    cost = bare_copy(process.open())
    if cost.code != 0:
        raise Wrong(f"the bare copy ended with code {cost.code}")
    return Run(cost=cost, counts=process.ask("/counts")["calls"], verdict=judge(process))


@dataclass(slots=True)
class FirstCopy:
    """Rounds of a first copy; after the last one, on the same journal: the command again, which reads back what was
    created (`settling`), a delta, and quiet cycles."""

    records: int
    rounds: list[Round] = field(default_factory=list)
    settling: Run | None = None
    delta: Run | None = None
    edited: int = 0
    quiet: Quiet | None = None


def first_copy(records: int, rounds: int, *, later: bool = True, quiet: int = QUIET_CYCLES) -> FirstCopy:
    """Marketo's leads into an empty Salesforce, `rounds` times in turn with the bare copy; `quiet` cycles later."""
    done = FirstCopy(records)
    with WorldProcess(records, "empty") as process:
        for number in range(rounds):
            bare = copy_barely(process)
            with opened(process, "empty") as world:
                done.rounds.append(Round(bare=bare, ours=world.first()))
                say(f"first copy {records:,}, round {number + 1}: {_figures(done.rounds[-1])}")
                if later and number == rounds - 1:
                    done.settling = world.again()
                    done.edited = world.edit(0.01)
                    done.delta = world.again()
                    say(f"delta of {done.edited:,}: {done.delta.cost.cpu:.2f} CPU s")
                    done.quiet = world.quiet(quiet)
    return done


def _figures(each: Round) -> str:
    ours, bare = each.ours.cost, each.bare.cost
    return (
        f"renkei {ours.cpu:.1f} CPU s, {ours.wall:.1f} s, {ours.peak_mib:.0f} MiB; "
        f"bare {bare.cpu:.1f} CPU s, {bare.wall:.1f} s ({ours.cpu / bare.cpu:.2f} ×)"
    )


def two_ways(records: int) -> tuple[Run, Calls]:
    """Leads on both sides, half of them the same people."""
    with WorldProcess(records, "half") as process, opened(process, "half") as world:
        found = world.first(strangers(records))
        say(f"two ways {records:,}: {found.cost.cpu:.1f} CPU s, {found.cost.wall:.1f} s")
    return found, sort_out(found.counts, there=records)


def strangers(records: int) -> int:
    """How many of Salesforce's leads nobody at Marketo knows: every third person of the `half` world."""
    return -(-records * 3 // 2) // 3
