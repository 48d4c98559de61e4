"""Both sides read whole and compared: what it calls, as a share of the vendors' day, and what it takes of the machine.

It decides how many people stand there and how far back Marketo's extract begins: five years, so that a job is needed
for each month of them, whether anybody was entered then or not. How many people were edited meanwhile is the world's
word; nothing is asked of the comparison that the world cannot contradict.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.calls import Counts, difference
from benchmarks.cases import LAG, Wrong, judge, say, strangers
from benchmarks.report import GROWTH, PEAK_MIB, Line
from benchmarks.runs import Cost, WorldProcess, write_project
from benchmarks.services import Command, secrets_of

ROUTE = "both-ways"
DAILY = {"marketo": 50_000, "salesforce": 100_000}
PEOPLE, SHARE = 300_000, 0.05
YEARS, EDITED = 5, 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Comparing so many people on either side at rest: what it took, what it called, what it said; then once more
    after `edited` of them were edited without anybody reading it."""

    people: int
    cost: Cost
    counts: Counts
    told: Mapping[str, Any]
    edited: int
    later: Mapping[str, Any]


def compared(people: int, *, years: float = YEARS, edited: float = EDITED) -> Compared:
    """One world, brought to rest and compared. Raises Wrong."""
    with WorldProcess(people, "half") as process, tempfile.TemporaryDirectory(prefix="renkei-bench-") as made:
        folder, places = Path(made), process.open()
        write_project(folder, "half", places, LAG)
        secrets = secrets_of(places)
        for options in (("sync", "--first", "--canary", "0"), ("sync",), ("sync",)):
            cost = Command(folder, secrets, *options, "--json").finish()
            say(f"{' '.join(options)} with {people:,}: {cost.wall:.0f} s")
        judge(process, strangers(people))
        _extract(folder, years)
        before = process.ask("/counts")
        cost, told = _reconcile(folder, secrets)
        after = process.ask("/counts")
        if after["writes"] != before["writes"] or told["compared"] != told["equal"]:
            raise Wrong(f"it wrote, or people at rest differ: {told}")
        counts = difference(after["calls"], before["calls"])
        sides = ", ".join(f"{side} {sum(calls.values()):,} calls" for side, calls in counts.items())
        say(f"compared {people:,}: {cost.wall:.0f} s, {cost.cpu:.0f} CPU s, {cost.peak_mib:.0f} MiB, {sides}")
        touched = int(process.ask(f"/touch?share={edited}", post=True)["touched"])
        _, later = _reconcile(folder, secrets)
        return Compared(people=people, cost=cost, counts=counts, told=told, edited=touched, later=later)


def _extract(folder: Path, years: float) -> None:
    """Everything is read by extract jobs from a day so many years ago on."""
    path = folder / "renkei.yaml"
    document = json.loads(path.read_text("utf-8"))
    day = f"{datetime.now(UTC) - timedelta(days=365 * years):%Y-%m-%d}"
    document["envs"]["bench"]["marketo"].update(full_read="bulk", earliest=day, poll_seconds=2.0)
    path.write_text(json.dumps(document, indent=1), "utf-8")


def _reconcile(folder: Path, secrets: Mapping[str, str]) -> tuple[Cost, Mapping[str, Any]]:
    cost = Command(folder, secrets, "reconcile", ROUTE, "--json").finish(well=False)
    if cost.code not in (0, 1):
        raise Wrong(f"renkei ended with code {cost.code}: {cost.output[:2_000]}")
    told: Mapping[str, Any] = json.loads(cost.output)["routes"][0]
    return cost, told


def seen_otherwise(told: Mapping[str, Any]) -> int:
    """Records whose values the journal has not seen, explained (too young to be told) or not."""
    explained: Mapping[str, int] = told["explained"].get("stale", {})
    return int(told["gaps"]["stale"]) + sum(explained.values())


def differing(told: Mapping[str, Any]) -> int:
    """Buckets in which a system differs from the journal."""
    return sum(len(each["differ"]) for each in told["buckets"].values())


def reckoned(small: int, large: int, few: int, many: int, people: int = PEOPLE) -> float:
    """Calls for so many people, along the line through two measured numbers of people and calls."""
    return many + (many - few) / (large - small) * (people - large) if large > small else float(many)


def reconcile_lines(small: Compared, whole: Compared) -> list[Line]:
    """The figures beside what is promised."""
    name = f"two-sided compare of {whole.people:,}"
    grown = whole.cost.peak_mib / small.cost.peak_mib
    lines = [_share_line(small, whole, side) for side in DAILY]
    found, later = seen_otherwise(whole.later), whole.later
    return [
        *lines,
        Line(
            what=f"{name}: peak memory", measured=f"{whole.cost.peak_mib:.0f} MiB", target=f"≤ {PEAK_MIB:.0f} MiB",
            reached=whole.cost.peak_mib <= PEAK_MIB,
        ),
        Line(
            what=f"{name}: growth", target="≤ 20 %", reached=grown <= GROWTH,
            measured=f"{(grown - 1) * 100:+.0f} % from {small.people:,} ({small.cost.peak_mib:.0f} MiB)",
        ),
        Line(what=f"{name}: time", measured=f"{whole.cost.wall:.0f} s, {whole.cost.cpu:.0f} CPU s"),
        Line(
            what=f"{name}: gaps at rest, buckets that differ",
            measured=f"{sum(whole.told['gaps'].values())}, {differing(whole.told)}", target="0, 0",
            reached=not sum(whole.told["gaps"].values()) and not differing(whole.told),
        ),
        Line(
            what=f"{name}: edited and found; buckets that differ",
            measured=f"{whole.edited:,} and {found:,}; {differing(later)}", target="all",
            reached=found == whole.edited,
        ),
    ]  # fmt: skip


def _share_line(small: Compared, whole: Compared, side: str) -> Line:
    few, many = (sum(each.counts[side].values()) for each in (small, whole))
    all_ = reckoned(small.people, whole.people, few, many)
    how = "measured" if whole.people >= PEOPLE else f"reckoned from {small.people:,} and {whole.people:,}"
    share = all_ / DAILY[side]
    return Line(
        what=f"two-sided compare of {PEOPLE:,}: {side}",
        measured=f"{share:.2%} of the day's {DAILY[side]:,} ({all_:,.0f} calls, {how}; {many:,} with {whole.people:,})",
        target=f"≤ {SHARE:.0%}", reached=share <= SHARE,
    )  # fmt: skip


def reconciles(people: int) -> list[Line]:
    """A tenth of the people for comparison, then all of them."""
    small = compared(max(people // 10, 1))
    return reconcile_lines(small, compared(people))
