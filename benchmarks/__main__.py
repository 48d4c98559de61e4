"""`python -m benchmarks`: measure, compare with the frozen bare copy, print.

Exit code 0 if everything that was promised was reached, 1 if not, 2 if a run failed or was not exact.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks import report
from benchmarks.backfills import backfills
from benchmarks.budget import budget_lines, budgets
from benchmarks.cases import FirstCopy, Wrong, first_copy, say, two_ways
from benchmarks.idle import idle, idle_lines
from benchmarks.latency import latency, latency_lines
from benchmarks.reconciles import reconciles
from benchmarks.recoveries import recoveries, recovery_lines
from benchmarks.traces import trace_lines, traces

NAMES = ("copy", "both", "idle", "latency", "backfill", "budget", "trace", "recovery", "reconcile")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "case", nargs="?", choices=NAMES,
        help="copy: first copy, delta, quiet, memory; both: both ways; idle: a service that waits; latency: how soon "
        "sales hears of a hot person; backfill: people whom no feed told of; budget: hot people while "
        "another application eats the day's calls; trace: who changed what, over a million "
        "writes; recovery: killed with a million open; reconcile: both sides read whole and compared; default: copy, "
        "both and idle",
    )  # fmt: skip
    parser.add_argument("--records", type=int, default=100_000, help="leads at Marketo (default 100,000)")
    parser.add_argument(
        "--writes", type=int, default=1_000_000, help="writes of trace, open ones of recovery"
    )
    parser.add_argument("--seconds", type=float, default=180.0, help="how long an idle service is watched")
    parser.add_argument("--rounds", type=int, default=3, help="first copies in turn with the bare copy")
    parser.add_argument(
        "--people", type=int, help="people of latency (2,000; beside a backfill 100,000), reconcile (100,000)"
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="how long scores are raised for latency")
    parser.add_argument("--crossings", type=int, default=90, help="how many scores are raised for latency")
    parser.add_argument(
        "--backfill", action="store_true", help="latency while a backfill runs beside the service"
    )
    parser.add_argument("--only", choices=NAMES, help="the same as CASE")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; gives the exit code."""
    asked = _options(arguments)
    facts = report.machine()
    try:
        lines, sentence, rounds = _measured(asked)
    except Wrong as error:
        say(f"A run failed, so nothing is reported: {error}")
        return 2
    if asked.json:
        print(json.dumps(report.as_data(lines, facts, sentence, rounds), ensure_ascii=False, indent=1))
    else:
        report.print_table(lines, facts, sentence)
    return 0 if all(line.reached is not False for line in lines) else 1


def _measured(asked: argparse.Namespace) -> tuple[list[report.Line], str, list[dict[str, Any]]]:
    case = asked.case or asked.only
    if case == "latency":
        people = asked.people or (100_000 if asked.backfill else 2_000)
        found = latency(people, asked.minutes, backfill=asked.backfill, crossings=asked.crossings)
        return latency_lines(found), "", []
    if case == "budget":
        return budget_lines(*budgets(asked.people or 2_000, asked.minutes, asked.crossings)), "", []
    if case == "trace":
        return trace_lines(traces(asked.writes)), "", []
    if case == "recovery":
        return recovery_lines(recoveries(asked.writes)), "", []
    if case == "reconcile":
        return reconciles(asked.people or 100_000), "", []
    if case == "backfill":
        return backfills(asked.records), "", []
    return measure(asked.records, asked.rounds, case, asked.seconds)


def measure(
    records: int, rounds: int, only: str | None, seconds: float = 180.0
) -> tuple[list[report.Line], str, list[dict[str, Any]]]:
    """All cases, or one: lines of the table, how noisy it was, the rounds' raw figures."""
    lines: list[report.Line] = []
    sentence, raw = "", list[dict[str, Any]]()
    if only in (None, "copy"):
        small = first_copy(max(records // 10, 1), 1, later=False)
        found = first_copy(records, rounds)
        lines += report.copy_lines(found, small.rounds[0].ours.cost.peak_mib)
        if found.settling is not None and found.delta is not None and found.quiet is not None:
            lines += report.settling_lines(found.settling)
            lines += report.delta_lines(found.delta, found.edited) + report.quiet_lines(found.quiet)
        sentence, raw = report.noise(found), _raw(found)
    if only in (None, "both"):
        lines += report.two_way_lines(records, *two_ways(records))
    if only in (None, "idle"):
        lines += idle_lines(idle(min(records, 20_000), seconds))
    return lines, sentence, raw


def _raw(found: FirstCopy) -> list[dict[str, Any]]:
    return [
        {
            who: {
                "cpu_s": run.cost.cpu, "wall_s": run.cost.wall, "peak_mib": run.cost.peak_mib,
                "calls": run.counts, "exact": run.verdict.exact,
            }
            for who, run in (("bare", each.bare), ("ours", each.ours))
        }
        for each in found.rounds
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
