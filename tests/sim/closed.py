"""A vendor that refuses for a while: too many calls, the day's calls used up, maintenance, no login, a record that no
call may name.

It decides which error a call meets and for how long; whether such a time begins is the faults' business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.errors import Fatal, InDoubt, QuotaSpent, RenkeiError, RequestRefused, Retryable
from tests.sim.ground import Ground

LASTS: Mapping[str, tuple[float, float]] = {
    "rate_window": (2.0, 30.0), "quota_spent": (600.0, 20_000.0), "maintenance": (1_800.0, 14_000.0),
    "login_refused": (5.0, 600.0),
}  # fmt: skip


class Closed:
    """What one vendor refuses at present, in seconds of its own time."""

    def __init__(self, system: str, ground: Ground) -> None:
        self.system, self.ground = system, ground
        self.why, self.until = "", 0.0
        self.poison: set[str] = set()
        self.raised: RenkeiError | None = None

    def open(self) -> None:
        """Refuse nothing any more."""
        self.why, self.until = "", 0.0
        self.poison.clear()

    def begin(self, kind: str, keys: Sequence[str], *, writing: bool) -> None:
        """A time of refusals begins, if this kind brings one, with the call that meets it first."""
        if kind == "poison_record" and keys:
            self.poison.add(self.ground.rng.choice(keys))
        elif kind in LASTS:
            self.why = kind
            self.until = self.ground.clock.now() + self.ground.rng.uniform(*LASTS[kind])
        self.check(keys, writing=writing)

    def check(self, keys: Sequence[str], *, writing: bool) -> None:
        """Raise what the vendor says to a call that names these records."""
        rest = self.until - self.ground.clock.now()
        if rest > 0:
            self.ground.tell("refused", self.system, self.why)
            self.raised = self._error(rest, writing=writing)
            raise self.raised
        if self.poison and not self.poison.isdisjoint(keys):
            self.ground.tell("refused", self.system, "poison_record")
            raise RequestRefused(f"{self.system}: poison_record", "UNKNOWN_EXCEPTION")

    def _error(self, rest: float, *, writing: bool) -> RenkeiError:
        what = f"{self.system}: {self.why}"
        match self.why:
            case "rate_window":
                return Retryable(what, rest)
            case "quota_spent":
                self.ground.put_off()
                return QuotaSpent(what, rest)
            case "maintenance":
                return InDoubt(what) if writing else Retryable(what, 1.0)
            case _:
                return Fatal(what)
