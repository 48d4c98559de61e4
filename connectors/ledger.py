"""How many calls a system gets and which go first: the account of a budget, without threads, clocks or I/O.

It decides whether a call of a lane may leave now, has to wait (short window, calls at once) or must not leave before a
later time (the day's calls). It knows no vendor; figures and times are given to it. What a vendor says of everybody's
calls corrects our own count, and the higher of both stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, inf
from typing import Any, NamedTuple

from sync.errors import QuotaSpent
from sync.rows import LANE_BACKFILL, LANE_DELTA, LANE_HAND_OVER, LANE_OPT_OUT

LANES: Mapping[int, str] = {
    LANE_OPT_OUT: "opt-out",
    LANE_HAND_OVER: "hand-over",
    LANE_DELTA: "delta",
    LANE_BACKFILL: "backfill",
}
# How much of the short window a lane may fill, so that a hotter one need not wait for the window's end.
IN_WINDOW = (1.0, 1.0, 0.9, 0.75)
NO_FLOORS = (0.0, 0.0, 0.0, 0.0)
FULL = inf
ASK_AGAIN = 900.0
LOOK_EVERY = 300.0
LOOK_CALLS = 0.01
LEAST_CALLS = 5
STEPS = 8
STEP_SECONDS = 20.0
ONE_TROUBLE = 5.0
DAY, HOUR, LONGEST_DAY = 86_400.0, 3_600, 90_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a system allows and what we take of it; 0 = no such limit.

    `reserve`: share of `daily_calls` that is left to other applications. `own_calls`: most calls a day of our own.
    `floors`: by lane, the part of our share below which the lane stops. `until_reset` gives the seconds from a unix
    time to the vendor's next reset; None = the last 24 hours count.
    """

    system: str = "the system"
    window_calls: int = 0
    window_seconds: float = 0.0
    concurrency: int = 4
    daily_calls: int = 0
    reserve: float = 0.0
    own_calls: int = 0
    floors: tuple[float, float, float, float] = NO_FLOORS
    until_reset: Callable[[float], float] | None = None


class Standing(NamedTuple):
    """How the day stands: calls of everybody, in all (0 = unknown), ours, those that we may come to with everybody's,
    the reset (unix seconds, 0 = the last 24 hours count), by lane until when it is shut (unix seconds), and the part of
    the usual rate at which calls leave."""

    used: int
    daily: int
    own: int
    ours: int
    ends: float
    shut: Mapping[str, float]
    rate: float


class Ledger:
    """The account of one system. Not safe to share: whoever does keeps a lock around it.

    `now` is the host's clock (unix seconds, may be set), `tick` a clock that only goes on.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.daily_calls = limits.daily_calls
        self.inside = 0
        self._left: deque[float] = deque()
        self._hours: dict[int, int] = {}
        self._told = self._since = self._unlooked = 0
        self._heard = self._asked = -inf
        self._ends = 0.0
        self._shut = 0.0
        self._steps, self._slowed = STEPS, -inf

    # --- one call --------------------------------------------------------------------------------------

    def ask(self, lane: int, now: float, tick: float) -> float:
        """Count a call and give 0, or give the seconds to wait (`FULL` = until another call has ended). Raises
        QuotaSpent."""
        self._turn(now)
        look = self._check_day(lane, now, tick)
        if self.inside >= self._at_once(tick):
            return FULL
        wait = self._window(lane, tick)
        if wait > 0:
            return wait
        if look:
            self._asked = tick
        if self.limits.window_calls:
            self._left.append(tick)
        hour = int(now // HOUR)
        self._hours[hour] = self._hours.get(hour, 0) + 1
        self._since += 1
        self._unlooked += 1
        self.inside += 1
        return 0.0

    def ended(self) -> None:
        """A call has come back, however."""
        self.inside -= 1

    def _window(self, lane: int, tick: float) -> float:
        limits = self.limits
        if not limits.window_calls:
            return 0.0
        while self._left and self._left[0] <= tick - limits.window_seconds:
            self._left.popleft()
        most = max(1, int(ceil(limits.window_calls * IN_WINDOW[lane]) * self._pace(tick) / STEPS))
        if len(self._left) < most:
            return 0.0
        return max(self._left[-most] + limits.window_seconds - tick, 0.001)

    def _at_once(self, tick: float) -> int:
        return max(1, ceil(self.limits.concurrency * self._pace(tick) / STEPS))

    # --- the rate --------------------------------------------------------------------------------------

    def slow(self, tick: float) -> None:
        """The vendor says that calls come too fast: half as fast from now on, and faster again step by step. What
        several calls are told at once is one trouble."""
        if tick - self._slowed >= ONE_TROUBLE:
            self._steps, self._slowed = max(1, self._pace(tick) // 2), tick

    def _pace(self, tick: float) -> int:
        if self._steps == STEPS:
            return STEPS
        return min(STEPS, self._steps + max(0, int((tick - self._slowed) / STEP_SECONDS)))

    # --- the day ---------------------------------------------------------------------------------------

    def observe(self, used: int, daily_calls: int, tick: float) -> None:
        """Take over the vendor's own count of the day's calls, by everybody. Calls under way may not be in it."""
        self._told, self._since, self.daily_calls = used, self.inside, daily_calls
        self._heard, self._unlooked = tick, 0

    def shut(self, until: float) -> None:
        """The vendor says that the day's calls are used up: nothing leaves before then (unix seconds)."""
        self._shut = max(self._shut, until)

    def look_due(self, tick: float) -> bool:
        """True if the vendor should be asked for its count: the last one is five minutes old, or as many calls have
        left since as could matter."""
        if not self.daily_calls:
            return False
        rest = self._share() - self._told
        many = max(LEAST_CALLS, min(int(self.daily_calls * LOOK_CALLS), rest // 4))
        return tick - max(self._heard, self._asked) >= LOOK_EVERY or self._unlooked >= many

    def looking(self, tick: float) -> None:
        """The vendor is being asked; should it not answer, it is asked again later."""
        self._asked, self._unlooked = tick, 0

    @property
    def own(self) -> int:
        """Our calls of the day."""
        return sum(self._hours.values())

    @property
    def used(self) -> int:
        """Everybody's calls of the day, as far as is known."""
        return max(self.own, self._told + self._since)

    def standing(self, now: float, tick: float) -> Standing:
        """How the day stands."""
        self._turn(now)
        shut = {name: self._until(lane, now, tick) for lane, name in LANES.items()}
        return Standing(
            used=self.used, daily=self.daily_calls, own=self.own, ours=self._share() if self.daily_calls else 0,
            ends=self._ends, shut={name: until for name, until in shut.items() if until},
            rate=self._pace(tick) / STEPS,
        )  # fmt: skip

    def kept(self) -> dict[str, Any]:
        """What the next process has to know of this day."""
        return {"ends": self._ends, "hours": {str(hour): calls for hour, calls in self._hours.items()}}

    def resume(self, kept: Mapping[str, Any], now: float) -> None:
        """Go on with the day of an earlier process, if it is the same one."""
        self._turn(now)
        if kept.get("ends", 0.0) == self._ends or not self.limits.until_reset:
            for hour, calls in kept.get("hours", {}).items():
                self._hours[int(hour)] = self._hours.get(int(hour), 0) + int(calls)

    def _share(self) -> int:
        return _part(self.daily_calls, self.limits.reserve)

    def _until(self, lane: int, now: float, tick: float) -> float:
        """When a call of this lane may leave (unix seconds), 0 = now. Where the last 24 hours count, nobody knows."""
        if now < self._shut:
            return self._shut
        floor, own_calls = self.limits.floors[lane], self.limits.own_calls
        if own_calls and self.own >= _part(own_calls, floor):
            return self._ends or now + ASK_AGAIN
        if not self.daily_calls or self.used < _part(self._share(), floor):
            return 0.0
        return self._ends or now + max(0.0, max(self._heard, self._asked) + ASK_AGAIN - tick)

    def _check_day(self, lane: int, now: float, tick: float) -> bool:
        """True if the call is a look: nothing may leave, and only a call tells when that changes. Raises QuotaSpent."""
        until = self._until(lane, now, tick)
        if until == 0.0:
            return False
        if until <= now:
            return True
        raise QuotaSpent(
            f"Calls of {self.limits.system} in the lane «{LANES[lane]}» wait until {_utc(until)}: "
            f"{self.used:,} of {self.daily_calls or self.limits.own_calls:,} calls of the day are used.",
            until - now,
            "wait, or change daily_calls, daily_reserve or daily_own of this system (docs/connectors.md)",
        )

    def _turn(self, now: float) -> None:
        """Begin a new day where the old one has ended; a clock that was set back ends none."""
        reset = self.limits.until_reset
        if reset is None:
            oldest = int(now // HOUR) - 23
            self._hours = _within(self._hours, oldest, int(now // HOUR))
            return
        if now >= self._ends:
            if self._ends:
                self._hours, self._told, self._since, self._shut = {}, 0, self.inside, 0.0
            self._ends = float(round(now + reset(now)))
        elif self._ends - now > LONGEST_DAY:
            self._ends = float(round(now + reset(now)))


def _part(calls: int, less: float) -> int:
    """Calls less a share of them, in whole ones."""
    return int(calls * (1.0 - less) + 1e-6)


def _within(hours: dict[int, int], oldest: int, newest: int) -> dict[int, int]:
    """The hours that count; what a clock that was set back left in the future counts as of now."""
    if all(oldest <= hour <= newest for hour in hours):
        return hours
    found: dict[int, int] = {}
    for hour, calls in hours.items():
        if hour >= oldest:
            found[min(hour, newest)] = found.get(min(hour, newest), 0) + calls
    return found


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
