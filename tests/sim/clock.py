"""Virtual time of one schedule: it moves only when it is told to, and does on its way what is due. The host's own
clock goes beside it, and may be set.

Knows nothing of vendors or of the engine; implements `sync.ports.Clock` and the simulators' clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

START = 1_790_000_000.0


class SimClock:
    """Unix seconds; `at` leaves something to be done at its exact time."""

    def __init__(self) -> None:
        self._now = START
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._left = 0

    def now(self) -> float:
        """Unix seconds, UTC."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Waiting is moving on."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on; what falls due is done at its own time."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            when, _, act = heapq.heappop(self._due)
            self._now = max(self._now, when)
            act()
        self._now = max(self._now, end)

    def at(self, when: float, act: Callable[[], object]) -> None:
        """Do something at a time."""
        self._left += 1
        heapq.heappush(self._due, (when, self._left, act))


class HostClock:
    """What the host believes the time to be: the true time, and by how many seconds it is ahead (`ahead`)."""

    def __init__(self, true: SimClock) -> None:
        self.true = true
        self.ahead = 0.0

    def now(self) -> float:
        """Unix seconds, UTC, as the host has them."""
        return self.true.now() + self.ahead

    def sleep(self, seconds: float) -> None:
        """Waiting is moving on."""
        self.true.advance(seconds)
