"""One budget for each system, shared by all threads of the process: who may call, in which order, and who waits.

It decides nothing by itself: the rules are the ledger's. It gives them time and a lock, lets hotter lanes go first, and
has the vendor asked for its own count where it offers one. In which lane a thread works is said by `lane`, and a thread
that says nothing works in the lane of ordinary changes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import Any

from connectors.ledger import FULL, NO_FLOORS, Ledger, Limits, Standing
from sync.errors import QuotaSpent, RenkeiError, Retryable
from sync.ports import Clock
from sync.rows import LANE_DELTA, LANE_OPT_OUT


class TooFast(Retryable):
    """The vendor says that calls come too fast; nothing was executed."""


class DayOver(QuotaSpent):
    """The vendor says that the day's calls are used up; nothing was executed."""


class _Mine(threading.local):
    """What this thread does: its lane, until when its calls may leave, and whether it asks for the count just now."""

    lane = LANE_DELTA
    latest = inf
    looking = False


class Budget:
    """A sliding window, a gate for calls at once, and the day's calls; safe to share between threads.

    The figures are those of `Limits`. `calls` counts by label. A clock with `steady` (seconds that only go on) keeps
    the window when the host's clock is set.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        system: str = "the system",
        window_calls: int = 0,
        window_seconds: float = 0.0,
        concurrency: int = 4,
        daily_calls: int = 0,
        reserve: float = 0.0,
        own_calls: int = 0,
        floors: tuple[float, float, float, float] = NO_FLOORS,
        until_reset: Callable[[float], float] | None = None,
    ) -> None:
        limits = Limits(
            system=system, window_calls=window_calls, window_seconds=window_seconds,
            concurrency=max(concurrency, 1), daily_calls=daily_calls, reserve=reserve, own_calls=own_calls,
            floors=floors, until_reset=until_reset,
        )  # fmt: skip
        self._clock = clock
        self._tick: Callable[[], float] = getattr(clock, "steady", clock.now)
        self._ledger = Ledger(limits)
        self._turns = threading.Condition()
        self._line: list[tuple[int, int]] = []
        self._tickets = 0
        self._mine = _Mine()
        self.look: Callable[[], object] | None = None
        self.calls: Counter[str] = Counter()

    @property
    def used(self) -> int:
        """Everybody's calls of the day, as far as is known."""
        with self._turns:
            return self._ledger.used

    @property
    def daily_calls(self) -> int:
        """The day's calls in all, 0 = unknown."""
        with self._turns:
            return self._ledger.daily_calls

    @contextmanager
    def lane(self, lane: int, latest: float = inf) -> Iterator[None]:
        """While this lasts, this thread's calls go in a lane and leave until `latest` (unix seconds) or not at all."""
        before = self._mine.lane, self._mine.latest
        self._mine.lane, self._mine.latest = lane, latest
        try:
            yield
        finally:
            self._mine.lane, self._mine.latest = before

    @contextmanager
    def slot(self, label: str) -> Iterator[None]:
        """Wait until one call may leave, and hold its place while it runs. Raises QuotaSpent; Retryable if its
        turn does not come in time."""
        if self._clock.now() > self._mine.latest:
            raise _late(1.0)
        self._take(label)
        try:
            yield
        finally:
            with self._turns:
                self._ledger.ended()
                self._turns.notify_all()

    def observe(self, used: int, daily_calls: int) -> None:
        """Take over the vendor's own count of the day's calls, by everybody."""
        with self._turns:
            self._ledger.observe(used, daily_calls, self._tick())

    def slow(self) -> None:
        """The vendor says that calls come too fast."""
        with self._turns:
            self._ledger.slow(self._tick())

    def shut(self, seconds: float) -> None:
        """The vendor says that the day's calls are used up for so long."""
        with self._turns:
            self._ledger.shut(self._clock.now() + seconds)

    def standing(self) -> Standing:
        """How the day stands."""
        with self._turns:
            return self._ledger.standing(self._clock.now(), self._tick())

    def kept(self) -> dict[str, Any]:
        """What the next process has to know of this day."""
        with self._turns:
            return self._ledger.kept()

    def resume(self, kept: Mapping[str, Any]) -> None:
        """Go on with the day of an earlier process."""
        with self._turns:
            self._ledger.resume(kept, self._clock.now())

    def ask_vendor(self) -> None:
        """Have the vendor's own count read, if it is time; a count that cannot be had now is no trouble."""
        if self.look is None or self._mine.looking:
            return
        with self._turns:
            if not self._ledger.look_due(self._tick()):
                return
            self._ledger.looking(self._tick())
        self._mine.looking = True
        try:
            with self.lane(LANE_OPT_OUT):
                self.look()
        except RenkeiError:
            pass
        finally:
            self._mine.looking = False

    def _take(self, label: str) -> None:
        """Count a call as soon as it is its turn: hotter lanes first, then who came first."""
        with self._turns:
            self._tickets += 1
            place = (self._mine.lane, self._tickets)
            self._line.append(place)
        try:
            while (wait := self._turn(place, label)) > 0:
                self._clock.sleep(wait)
        finally:
            with self._turns:
                self._line.remove(place)
                self._turns.notify_all()

    def _turn(self, place: tuple[int, int], label: str) -> float:
        """Count a call and give 0, or give the seconds after which the window has room for it."""
        with self._turns:
            while True:
                first = min(self._line) == place
                wait = self._ledger.ask(place[0], self._clock.now(), self._tick()) if first else FULL
                if not wait:
                    self.calls[label] += 1
                    return 0.0
                rest = self._mine.latest - self._clock.now()
                if rest <= 0 or rest < wait < FULL:
                    raise _late(wait)
                if wait < FULL:
                    return wait
                self._turns.wait(min(rest, _NAP))


_NAP = 0.5  # a rate that recovers tells nobody


def _late(wait: float) -> Retryable:
    return Retryable("A request would have left too late; nothing was sent.", min(wait, 60.0))
