"""The report: measured, promised, reached or not; the same as JSON; facts of the machine and how noisy it was.

It decides which promise a figure is held against. It measures nothing.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.calls import HARD_DELETES, SIGN_IN, Calls, Counts, allowed, least, sort_out
from benchmarks.cases import FirstCopy, Quiet, Run

CPU_RATIO, CPU_REACH = 3.0, 1.5
PEAK_MIB, GROWTH, DELTA_CPU = 150.0, 1.2, 2.0
QUIET_CALLS = 2.0
_OWN_LINES = {"of these to sign in and describe": "sign_in", "confirming reads": "confirming"} | {
    "looking again before writes": "verifying", "hard deletions": "deletions",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table; `reached` None = no promise is made of it."""

    what: str
    measured: str
    target: str = ""
    reached: bool | None = None


def copy_lines(found: FirstCopy, peak_small: float | None) -> list[Line]:
    """A first copy's calls, CPU and memory; `peak_small` = the peak of a tenth of the records."""
    calls = [sort_out(each.ours.counts) for each in found.rounds]
    exact = min(each.ours.verdict.exact for each in found.rounds)
    return [
        *call_lines("first copy", calls, allowed(least(found.records, found.records))),
        *_ratio_lines(found),
        *_memory_lines(found, peak_small),
        _exact_line("first copy", exact, found.records),
    ]


def _ratio_lines(found: FirstCopy) -> list[Line]:
    pairs = [(each.ours.cost, each.bare.cost) for each in found.rounds]
    ratios = [ours.cpu / bare.cpu for ours, bare in pairs]
    middle, seconds = median(ratios), median(ours.cpu for ours, _ in pairs)
    measured = f"{middle:.2f} × ({min(ratios):.2f}–{max(ratios):.2f}); {seconds:.1f} CPU s"
    target = f"≤ {CPU_RATIO} × bare copy (reach {CPU_REACH} ×)"
    wall = median(ours.wall / bare.wall for ours, bare in pairs)
    return [
        Line(what="first copy: CPU", measured=measured, target=target, reached=middle <= CPU_RATIO),
        Line(what="first copy: wall time", measured=f"{wall:.2f} × bare copy"),
    ]


def _memory_lines(found: FirstCopy, small: float | None) -> list[Line]:
    peak = max(each.ours.cost.peak_mib for each in found.rounds)
    target = f"≤ {PEAK_MIB:.0f} MiB"
    lines = [
        Line(
            what="first copy: peak memory",
            measured=f"{peak:.0f} MiB",
            target=target,
            reached=peak <= PEAK_MIB,
        )
    ]
    if small:
        text = f"{(peak / small - 1) * 100:+.0f} % from {found.records // 10:,} ({small:.0f} MiB)"
        reached = peak / small <= GROWTH
        lines.append(Line(what="first copy: growth", measured=text, target="≤ 20 %", reached=reached))
    return lines


def _exact_line(name: str, exact: int, records: int) -> Line:
    measured = f"{exact:,} of {records:,}"
    return Line(what=f"{name}: exact rows", measured=measured, target="all", reached=exact == records)


def call_lines(name: str, found: list[Calls], most: int) -> list[Line]:
    """The job's calls against what is allowed, and the others on lines of their own."""
    job = max(each.job + each.sign_in for each in found)
    lines = [Line(what=f"{name}: calls", measured=f"{job:,}", target=f"≤ {most:,}", reached=job <= most)]
    for label, kind in _OWN_LINES.items():
        most_of = max(getattr(each, kind) for each in found)
        lines.append(Line(what=f"{name}: calls, {label}", measured=f"{most_of:,}"))
    return lines


def settling_lines(found: Run) -> list[Line]:
    """The command after the first copy: it reads back what was created."""
    return [
        Line(what="reading everything back: calls", measured=_by_side(found.counts)),
        Line(
            what="reading everything back: CPU, peak memory",
            measured=f"{found.cost.cpu:.1f} CPU s, {found.cost.peak_mib:.0f} MiB",
        ),
    ]


def delta_lines(found: Run, edited: int) -> list[Line]:
    """One cold command after some edits."""
    cpu = found.cost.cpu
    return [
        Line(
            what=f"delta of {edited:,}: CPU of one cold command", measured=f"{cpu:.2f} CPU s",
            target=f"≤ {DELTA_CPU:.0f} CPU s", reached=cpu <= DELTA_CPU,
        ),
        Line(what=f"delta of {edited:,}: calls", measured=_by_side(found.counts)),
        Line(what=f"delta of {edited:,}: peak memory", measured=f"{found.cost.peak_mib:.0f} MiB"),
    ]  # fmt: skip


def quiet_lines(found: Quiet) -> list[Line]:
    """Cycles in which nothing happened."""
    extra = HARD_DELETES | {"paging token", "retrieve"}
    per_cycle = {
        side: sum(number for label, number in calls.items() if label not in SIGN_IN | extra) / found.cycles
        for side, calls in found.calls.items()
    }
    worst = max(per_cycle.values(), default=0.0)
    said = ", ".join(f"{side} {number:.1f}" for side, number in per_cycle.items())
    rest = sum(calls.get(label, 0) for calls in found.calls.values() for label in extra)
    return [
        Line(
            what=f"quiet: rows written in {found.cycles} cycles", measured=str(found.writes), target="0",
            reached=found.writes == 0,
        ),
        Line(what="quiet: calls a cycle", measured=said, target="≤ 2 a side", reached=worst <= QUIET_CALLS),
        Line(what="quiet: calls of sweeps and hard deletions", measured=str(rest)),
    ]  # fmt: skip


def two_way_lines(records: int, found: Run, calls: Calls) -> list[Line]:
    """The job in both directions: the first copy's promise and one full read of the other side."""
    most = allowed(least(records, records)) + least(0, 0, records)
    lines = call_lines("both ways", [calls], most)
    lines.append(_exact_line("both ways", found.verdict.exact, records))
    measured = f"{found.cost.cpu:.1f} CPU s, {found.cost.peak_mib:.0f} MiB"
    lines.append(Line(what="both ways: CPU, peak memory", measured=measured))
    return lines


def _by_side(counts: Counts) -> str:
    return ", ".join(f"{side} {sum(calls.values())}" for side, calls in counts.items())


def machine() -> dict[str, Any]:
    """What this ran on."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": model,
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def noise(found: FirstCopy) -> str:
    """How far the bare copy's own CPU time wandered: no difference smaller than that means anything."""
    bare = [each.bare.cost.cpu for each in found.rounds]
    middle = median(bare)
    low, high = (min(bare) / middle - 1) * 100, (max(bare) / middle - 1) * 100
    return (
        f"Noise: the bare copy itself took {middle:.2f} CPU s for {found.records:,}, between {low:+.0f} % and "
        f"{high:+.0f} % over {len(bare)} rounds; smaller differences mean nothing."
    )


def print_table(lines: list[Line], facts: dict[str, Any], sentence: str) -> None:
    """Print the report for people."""
    marks = {True: "reached", False: "NOT REACHED", None: ""}
    rows = [
        ("what", "measured", "target", ""),
        *((e.what, e.measured, e.target, marks[e.reached]) for e in lines),
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    for row in rows:
        print("  ".join(text.ljust(size) for text, size in zip(row, widths, strict=True)).rstrip())
    print()
    print("Machine: " + ", ".join(f"{name} {value}" for name, value in facts.items()))
    if sentence:
        print(sentence)
    sys.stdout.flush()


def as_data(
    lines: list[Line], facts: dict[str, Any], sentence: str, rounds: list[dict[str, Any]]
) -> dict[str, Any]:
    """The report for programs."""
    return {"lines": [asdict(line) for line in lines], "machine": facts, "noise": sentence, "rounds": rounds}
