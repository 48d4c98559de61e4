"""How many calls a system gets, and when.

It decides whether a call may leave now, must wait (short window, concurrency) or must not leave today (the share of
the day's calls that is ours). It knows no vendor; figures and the moment of the reset are given to it, and a vendor
that reports its own usage corrects the count.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sync.errors import QuotaSpent
from sync.ports import Clock

ASK_AGAIN = 900.0


class Budget:
    """A sliding window, a gate for calls at once, and the day's calls; safe to share between threads.

    `window_calls` in `window_seconds`, `concurrency` at once, `daily_calls` less the share `reserve` for other
    applications; 0 = no such limit. `until_reset` gives the seconds to the vendor's next daily reset. `calls` counts
    by label.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        window_calls: int = 0,
        window_seconds: float = 0.0,
        concurrency: int = 4,
        daily_calls: int = 0,
        reserve: float = 0.0,
        until_reset: Callable[[float], float] | None = None,
    ) -> None:
        self._clock = clock
        self._window_calls, self._window_seconds = window_calls, window_seconds
        self._gate = threading.BoundedSemaphore(max(concurrency, 1))
        self._lock = threading.Lock()
        self._left: deque[float] = deque()
        self._until_reset = until_reset
        self._day_ends = clock.now() + until_reset(clock.now()) if until_reset else None
        self._shut_until = 0.0
        self._reserve = reserve
        self.daily_calls = daily_calls
        self.used = 0
        self.calls: Counter[str] = Counter()

    @contextmanager
    def slot(self, label: str) -> Iterator[None]:
        """Wait until one call may leave, and hold its place while it runs. Raises QuotaSpent."""
        with self._gate:
            while (wait := self._take(label)) > 0:
                self._clock.sleep(wait)
            yield

    def observe(self, used: int, daily_calls: int) -> None:
        """Take over the vendor's own count of the day's calls, by everybody."""
        with self._lock:
            self.used, self.daily_calls = used, daily_calls

    def _take(self, label: str) -> float:
        """Count a call and give 0, or give the seconds to wait."""
        with self._lock:
            now = self._clock.now()
            self._check_day(now)
            if self._window_calls:
                while self._left and self._left[0] <= now - self._window_seconds:
                    self._left.popleft()
                if len(self._left) >= self._window_calls:
                    return max(self._left[0] + self._window_seconds - now, 0.001)
                self._left.append(now)
            self.used += 1
            self.calls[label] += 1
            return 0.0

    def _check_day(self, now: float) -> None:
        if self._day_ends is not None and self._until_reset is not None and now >= self._day_ends:
            self.used, self._shut_until = 0, 0.0
            self._day_ends = now + self._until_reset(now)
        if not self.daily_calls or self.used < self.daily_calls * (1.0 - self._reserve):
            return
        if self._shut_until and now >= self._shut_until and self._day_ends is None:
            self._shut_until = now + ASK_AGAIN  # one call goes through: its answer tells how things stand
            return
        if now >= self._shut_until:
            self._shut_until = self._day_ends or now + ASK_AGAIN
        raise QuotaSpent(
            "Our share of the day's calls is used up.",
            self._shut_until - now,
            "wait for the vendor's reset, or raise daily_calls or lower the reserve of this system",
        )
