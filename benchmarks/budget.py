"""Does another application that eats the day's calls slow down what must not wait? Two equal worlds in turn.

It decides what is compared: the running service beside a backfill, without and with seven tenths of both vendors' calls
gone in the middle of it. Delays and calls are those that the fake vendors wrote down themselves.
"""

from __future__ import annotations

from benchmarks.latency import Delays, latency, percentile
from benchmarks.report import Line

EATEN, SHARE = 0.7, 0.8
EVERY = 5.0
SLOWER = 1.5


def budgets(people: int, minutes: float, crossings: int, every: float = EVERY) -> tuple[Delays, Delays]:
    """Both runs: with nobody else, and with the other application."""
    alone = latency(people, minutes, backfill=True, crossings=crossings, every=every)
    eaten = latency(people, minutes, backfill=True, crossings=crossings, every=every, eaten=EATEN)
    return alone, eaten


def budget_lines(alone: Delays, eaten: Delays) -> list[Line]:
    """The figures side by side, and what is promised: hot people are as soon, the reserve is whole."""
    lines: list[Line] = []
    for what, usual in alone.seconds.items():
        found = eaten.seconds[what]
        before, after = percentile(usual, 0.95), percentile(found, 0.95)
        lines.append(
            Line(
                what=f"score to {what}, {alone.people:,} people beside a backfill; the same with {EATEN:.0%} eaten",
                measured=f"p95 {before:.1f} s ({len(usual)}); {after:.1f} s ({len(found)}); {after / before:.2f} x",
                target=f"≤ {SLOWER} x", reached=after <= SLOWER * before,
            )
        )  # fmt: skip
    wrong = (eaten.missing, eaten.doubled, eaten.unasked)
    lines.append(
        Line(
            what="hot people meanwhile: missed, doubled, unasked", measured=", ".join(map(str, wrong)),
            target="0, 0, 0", reached=not any(wrong),
        )
    )  # fmt: skip
    for system, (used, highest, daily) in eaten.quota.items():
        lines.append(
            Line(
                what=f"{system}: calls of the day, their count at our last one",
                measured=f"{used:,} and {highest:,} of {daily:,}", target=f"≤ {int(SHARE * daily):,}",
                reached=highest <= SHARE * daily,
            )
        )  # fmt: skip
    return lines
