"""Which fault strikes now in the simulation: the vendors' own kinds, and those that arise on the line, in the host and
around.

Names, shares and counters only; what a fault looks like is decided where it strikes (wire, pages, driver). A share is
a weight between 0 and 1 per occasion; one random source decides, so that a schedule can be played again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from simulators.faults import KINDS, Faults

ON_READ = (
    "not_reached", "timed_out_before", "dropped_before", "lost_after_commit", "half_answer", "slow",
    "rate_limited", "rate_window", "server_error", "session_lost", "login_refused", "quota_spent",
    "maintenance", "wrong_schema", "poison_record",
)  # fmt: skip
ON_WRITE = (
    *ON_READ, "acts_late", "timed_out_after", "delivered_twice", "fewer_results", "rolled_back", "field_refused",
)  # fmt: skip
ON_ANSWERS = ("answered_late",)
ON_PAGES = ("empty_page", "row_twice", "row_moves", "cursor_expired")
AROUND = ("other_program", "trigger", "clock_step", "old_backup")
NAMES = frozenset({*KINDS, *ON_WRITE, *ON_ANSWERS, *ON_PAGES, *AROUND})


class Strikes(Faults):
    """The faults of one side, or of the host."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self._draw = rng.random

    def set(self, kind: str, share: float) -> None:
        """Give one kind its share; ValueError for an unknown kind or a share outside 0 to 1."""
        if kind not in NAMES:
            raise ValueError(f"there is no fault {kind!r}; choose one of {', '.join(sorted(NAMES))}")
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"the share of {kind} must lie between 0 and 1, not {share}")
        if share > 0.0:
            self._shares[kind] = share
        else:
            self._shares.pop(kind, None)

    @property
    def shares(self) -> dict[str, float]:
        """The shares that are above zero."""
        return self._shares

    def fires(self, kind: str) -> bool:
        """Say whether this kind strikes now; draws a random number only when its share is above zero."""
        share = self._shares.get(kind)
        if share is None or self._draw() >= share:
            return False
        self.fired[kind] = self.fired.get(kind, 0) + 1
        return True

    def first(self, kinds: Iterable[str]) -> str | None:
        """Give at most one of these kinds: one draw falls into the share of one of them, or beside all."""
        if not self._shares:
            return None
        draw = self._draw()
        for kind in kinds:
            share = self._shares.get(kind, 0.0)
            if draw < share:
                self.fired[kind] = self.fired.get(kind, 0) + 1
                return kind
            draw -= share
        return None


def drawn(rng: random.Random, shares: Mapping[str, float]) -> dict[str, float]:
    """The random part of some shares that one schedule plays with."""
    return {kind: share for kind, share in shares.items() if rng.random() < 0.7}
