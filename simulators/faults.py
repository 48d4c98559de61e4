"""Which fault strikes now.

Faults have names, a share between 0 and 1 and a counter; one seeded random source decides, so a run can
be repeated. This module decides *whether* a fault happens; the socket server and the vendor states decide
what it looks like.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping

TRANSPORT_KINDS = (
    "rate_limited",
    "server_error",
    "dropped_before",
    "lost_after_commit",
    "half_answer",
    "acts_late",
    "slow",
)
STATE_KINDS = ("row_refused", "ignored_field", "altered_value", "late_visibility", "equal_stamps")
KINDS = TRANSPORT_KINDS + STATE_KINDS

PROFILES: Mapping[str, Mapping[str, float]] = {
    "none": {},
    "light": {
        "rate_limited": 0.01,
        "server_error": 0.005,
        "dropped_before": 0.01,
        "lost_after_commit": 0.01,
        "half_answer": 0.005,
        "acts_late": 0.005,
        "slow": 0.01,
        "row_refused": 0.002,
        "late_visibility": 0.1,
        "equal_stamps": 0.1,
    },
    "heavy": {
        "rate_limited": 0.05,
        "server_error": 0.03,
        "dropped_before": 0.05,
        "lost_after_commit": 0.05,
        "half_answer": 0.03,
        "acts_late": 0.03,
        "slow": 0.05,
        "row_refused": 0.01,
        "ignored_field": 0.002,
        "altered_value": 0.02,
        "late_visibility": 0.3,
        "equal_stamps": 0.3,
    },
}


class Faults:
    """A seeded source of faults for one vendor; safe to share between threads."""

    def __init__(self, rng: random.Random, shares: Mapping[str, float] | None = None) -> None:
        """Start with the share of each kind in `shares` (others 0); ValueError for an unknown kind or
        share.
        """
        self._rng = rng
        self._lock = threading.Lock()
        self._shares: dict[str, float] = {}
        self.fired: dict[str, int] = {}
        self.unanswered: list[float] = []  # when a request was executed whose sender was not told so
        for kind, share in (shares or {}).items():
            self.set(kind, share)

    @property
    def shares(self) -> dict[str, float]:
        """A copy of the shares that are above zero."""
        return dict(self._shares)

    def set(self, kind: str, share: float) -> None:
        """Give one kind its share (0 to 1); ValueError for an unknown kind or a share outside that range."""
        if kind not in KINDS:
            raise ValueError(f"there is no fault {kind!r}; choose one of {', '.join(KINDS)}")
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"the share of {kind} must lie between 0 and 1, not {share}")
        with self._lock:
            if share > 0.0:
                self._shares[kind] = share
            else:
                self._shares.pop(kind, None)

    def use(self, shares: Mapping[str, float]) -> None:
        """Replace all shares by these."""
        self.quiet()
        for kind, share in shares.items():
            self.set(kind, share)

    def quiet(self) -> None:
        """Set all shares to zero; the counters stay."""
        with self._lock:
            self._shares.clear()

    def fires(self, kind: str) -> bool:
        """Say whether this kind strikes now; draws a random number only when its share is above zero."""
        if kind not in self._shares:
            return False
        with self._lock:
            share = self._shares.get(kind, 0.0)
            if share <= 0.0 or self._rng.random() >= share:
                return False
            self.fired[kind] = self.fired.get(kind, 0) + 1
            return True

    def first(self, kinds: Iterable[str]) -> str | None:
        """Give the first of these kinds that strikes now, or None; at most one fault per request stays
        readable.
        """
        if not self._shares:
            return None
        return next((kind for kind in kinds if self.fires(kind)), None)
