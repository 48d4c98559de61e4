"""The line between the engine and one vendor in the simulation: time passes, people act, calls fail, we crash.

It decides what becomes of a call; it does not know what the call says. Every write carries with it what its
sender could have known (`Sending`), which is all that an oracle needs to judge it by.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

from simulators.faults import Faults
from sync.errors import InDoubt, Retryable
from tests.sim.clock import SimClock

P = ParamSpec("P")
T = TypeVar("T")
SERVER_TIMEOUT, VISIBILITY_LAG = 2.0, 1.0
UNSEEN = 0.005
ON_READ = ("rate_limited", "server_error", "dropped_before", "lost_after_commit", "half_answer", "slow")
ON_WRITE = (*ON_READ, "acts_late")


class Crash(BaseException):
    """The process is gone at this instruction."""


@dataclass(slots=True)
class Sending:
    """What the sender of a write could know: when its cycle and the last sweep before it began, when it was sent,
    and what was read by id since the last write (id -> number of ledger entries by then)."""

    number: int
    cycle: float
    sweep: float
    sent: float
    looked: dict[str, int] = field(default_factory=dict)


class Ground(Protocol):
    """What a wire stands on: one schedule."""

    clock: SimClock
    rng: random.Random
    latency: float
    cycle_began: float
    sweep_began: float
    shown: dict[tuple[str, str], float]

    def point(self, label: str) -> None:
        """Something may happen here: a person acts, the process crashes."""

    def dies(self, label: str) -> bool:
        """Whether the process crashes at this very instruction."""

    def entries(self) -> int:
        """How many ledger entries there are by now."""

    def observe(self, sending: Sending | None = None) -> None:
        """Show what the vendors have written down since the last time."""

    def swallowed(self, side: str, id_: str, path: str, value: object) -> None:
        """A vendor said that it took a value, and did not."""

    def withhold(self, side: str, id_: str) -> None:
        """A read by id leaves a record out."""

    def tell(self, *words: object) -> None:
        """A line of the story."""


class Wire:
    """Calls to one vendor."""

    def __init__(self, system: str, ground: Ground, faults: Faults) -> None:
        self.system, self.ground, self.faults = system, ground, faults
        self.looked: dict[str, int] = {}
        self.writes = 0

    def read(self, label: str, act: Callable[[], T]) -> T:
        """A call that changes nothing; whatever fails may be tried again."""
        ground = self.ground
        ground.point(f"before {self.system} {label}")
        ground.clock.advance(ground.rng.uniform(0.01, ground.latency))
        kind = self.faults.first(ON_READ)
        if kind == "slow":
            ground.clock.advance(ground.rng.uniform(0.2, 1.8))
        elif kind is not None:
            ground.tell("call", self.system, label, kind)
            raise Retryable(f"{self.system}: {kind}", 1.0)
        answer = act()
        ground.tell("call", self.system, label)
        ground.point(f"after {self.system} {label}")
        return answer

    def show(self, ids: list[str]) -> None:
        """The engine has learnt that these records exist."""
        now = self.ground.clock.now()
        for key in ids:
            self.ground.shown.setdefault((self.system, key), now)

    def unseen(self, id_: str) -> bool:
        """Whether a record by id is not given for once, as when a partition or a permission is amiss."""
        if not self.faults.shares or self.ground.rng.random() >= UNSEEN:
            return False
        self.ground.withhold(self.system, id_)
        return True

    def kept(self, id_: str, sent: Mapping[str, object], stored: Mapping[str, object]) -> None:
        """What became of the values of an accepted row."""
        for path, value in sent.items():
            if value and (not stored.get(path) or _differ(value, stored.get(path))):
                self.ground.swallowed(self.system, id_, path, value)

    def saw(self, ids: list[str]) -> None:
        """These records are being read by id."""
        self.looked.update(dict.fromkeys(ids, self.ground.entries()))

    def write(self, label: str, act: Callable[[], T]) -> T:
        """A call that changes something."""
        ground, clock = self.ground, self.ground.clock
        ground.point(f"before {self.system} {label}")
        self.writes += 1
        sending = Sending(self.writes, ground.cycle_began, ground.sweep_began, clock.now(), self.looked)
        self.looked = {}
        clock.advance(ground.rng.uniform(0.01, ground.latency))
        kind = self.faults.first(ON_WRITE)
        ground.tell("call", self.system, label, kind or "")

        def execute() -> T:
            answer = act()
            ground.observe(sending)
            return answer

        if ground.dies(f"in flight: {self.system} {label}"):
            clock.at(sending.sent + ground.rng.uniform(0.0, 0.99) * SERVER_TIMEOUT, execute)
            raise Crash
        if kind == "rate_limited":
            raise Retryable(f"{self.system}: {kind}", 1.0)
        if kind in {"server_error", "dropped_before"}:
            raise InDoubt(f"{self.system}: {kind}")
        if kind == "acts_late":
            clock.at(sending.sent + ground.rng.uniform(0.5, 0.99) * SERVER_TIMEOUT, execute)
            raise InDoubt(f"{self.system}: {kind}")
        if kind == "slow":
            clock.advance(ground.rng.uniform(0.2, 1.6))
        answer = execute()
        ground.point(f"after {self.system} {label}")
        if kind in {"lost_after_commit", "half_answer"}:
            raise InDoubt(f"{self.system}: {kind}")
        return answer


def _differ(sent: object, stored: object) -> bool:
    """Whether a text was not stored at all; altered letter case, spaces and signs are no difference here."""
    if not isinstance(sent, str) or not isinstance(stored, str):
        return False
    return [c for c in sent.casefold() if c.isalnum()] != [c for c in stored.casefold() if c.isalnum()]


class Inline:
    """Runs a call at once; a crash is nobody's result."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run now."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is the caller's, through the future
            future.set_exception(error)
        return future
