"""Will the day's calls last? A forecast from how fast they went lately.

It decides when a system counts as running out. The counts are the connectors'; a connector that keeps none is not
forecast.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from sync.ports import Connector

SPAN = 3_600.0
LEAST = 600.0
AHEAD = 4 * 3_600.0
SHARE = 0.9


class Spent(NamedTuple):
    """Calls of the day so far and in all (0 = unknown)."""

    used: int
    daily: int


def spent(connector: Connector) -> Spent:
    """What a connector has counted; an own connector keeps its budget at its client."""
    budget = getattr(getattr(getattr(connector, "client", None), "http", None), "budget", None)
    return Spent(int(getattr(budget, "used", 0)), int(getattr(budget, "daily_calls", 0)))


class Forecast:
    """Remembers the counts of the last hour."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def running_out(self, counts: Mapping[str, Spent], now: float) -> dict[str, str]:
        """The systems whose calls will not last another four hours at the pace of the last hour, or of which nine
        tenths are gone, each with its figures. `now` on the steady clock."""
        found: dict[str, str] = {}
        for system, count in counts.items():
            if not count.daily:
                continue
            left = self._hours_left(system, count, now)
            if count.used >= SHARE * count.daily:
                found[system] = f"{count.used:,} of {count.daily:,} calls of the day are used"
            elif left is not None and left < AHEAD:
                found[system] = (
                    f"{count.used:,} of {count.daily:,} calls are used; at this pace they last "
                    f"{left / 3_600:.1f} h"
                )
        return found

    def _hours_left(self, system: str, count: Spent, now: float) -> float | None:
        """Seconds until the calls are used up; None = too early to say, or never."""
        seen = self._seen.setdefault(system, deque())
        if seen and count.used < seen[-1][1]:
            seen.clear()  # a new day
        seen.append((now, count.used))
        while seen[0][0] < now - SPAN:
            seen.popleft()
        began, before = seen[0]
        if now - began < LEAST or count.used <= before:
            return None
        return (count.daily - count.used) * (now - began) / (count.used - before)


def in_shares(counts: Mapping[str, Spent], ending: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What is kept of the day's calls for commands beside: in whole per cent, so that a quiet day writes little.
    `ending`: what was said of systems whose calls run out."""
    return {
        system: {
            "share": 100 * count.used // count.daily,
            "daily": count.daily,
            "ending": ending.get(system, ""),
        }
        for system, count in sorted(counts.items())
        if count.daily
    }
