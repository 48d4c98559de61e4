"""Will the day's calls last? A forecast from how fast they went lately.

It decides when a system counts as running out. The counts are the connectors'; a connector that keeps none is not
forecast.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from renkei.dayscalls import budget_of
from sync.ports import Connector

SPAN = 3_600.0
LEAST = 600.0
AHEAD = 4 * 3_600.0
SHARE = 0.9
ROUND = 600.0


class Spent(NamedTuple):
    """Everybody's calls of the day so far and in all (0 = unknown), ours, up to how many of everybody's we call, the
    reset (unix seconds, 0 = the last 24 hours count), by lane until when it is shut, and the part of the usual rate."""

    used: int
    daily: int
    own: int = 0
    ours: int = 0
    ends: float = 0.0
    shut: Mapping[str, float] = MappingProxyType({})
    rate: float = 1.0


def spent(connector: Connector) -> Spent:
    """What a connector has counted; an own connector keeps its budget at its client."""
    budget = budget_of(connector)
    return Spent(*budget.standing()) if budget is not None else Spent(0, 0)


class Forecast:
    """Remembers the counts of the last hour."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}
        self.left: dict[str, float] = {}  # seconds until all are used, at this pace

    def running_out(self, counts: Mapping[str, Spent], now: float) -> dict[str, str]:
        """The systems whose calls will not last another four hours at the pace of the last hour, or of which nine
        tenths are gone, each with its figures. `now` on the steady clock."""
        found: dict[str, str] = {}
        for system, count in counts.items():
            if not count.daily:
                continue
            left = self._seconds_left(system, count, now)
            self.left.pop(system, None)
            if left is not None:
                self.left[system] = left
            if count.used >= SHARE * (count.ours or count.daily):
                found[system] = f"{count.used:,} of {count.daily:,} calls of the day are used"
            elif left is not None and left < AHEAD:
                found[system] = (
                    f"{count.used:,} of {count.daily:,} calls are used; at this pace they last "
                    f"{left / 3_600:.1f} h"
                )
        return found

    def _seconds_left(self, system: str, count: Spent, now: float) -> float | None:
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
        return max(0, (count.ours or count.daily) - count.used) * (now - began) / (count.used - before)


def in_shares(
    counts: Mapping[str, Spent], ending: Mapping[str, str], full: Mapping[str, float] | None = None
) -> dict[str, dict[str, Any]]:
    """What is kept of the day's calls for commands beside: in whole per cent, so that a quiet day writes little.
    `ending`: what was said of systems whose calls run out. `full`: when they are used up at this pace (unix seconds),
    told in steps of ten minutes, and only where no reset comes before."""
    found: dict[str, dict[str, Any]] = {}
    for system, count in sorted(counts.items()):
        if not count.daily:
            continue
        said: dict[str, Any] = {
            "share": 100 * count.used // count.daily,
            "daily": count.daily,
            "ending": ending.get(system, ""),
        }
        at = (full or {}).get(system, 0.0)
        more = {
            "own": 100 * count.own // count.daily,
            "full": ROUND * (at // ROUND) if at and (not count.ends or at < count.ends) else 0.0,
            "waits": {lane: ROUND * -(-until // ROUND) for lane, until in count.shut.items()},
        }
        found[system] = said | {name: each for name, each in more.items() if each}
    return found
