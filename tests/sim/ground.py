"""What the parts of a schedule stand on: its clock and random source, its points, and the two ports in between.

Protocols and small data only; decides nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar, cast

from sync.ports import Outcome, Paths, Write
from sync.record import Page, Record, Ref
from tests.sim.clock import SimClock

P = ParamSpec("P")
T = TypeVar("T")
SERVER_TIMEOUT, VISIBILITY_LAG = 2.0, 1.0
Now = Callable[[], float]


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
    unseen: float
    cycle_began: float
    sweep_began: float
    shown: dict[tuple[str, str], float]
    read: dict[tuple[str, str], float]

    def point(self, *label: str) -> None:
        """Something may happen here: a person acts, the process crashes."""

    def dies(self, *label: str) -> bool:
        """Whether the process crashes at this very instruction."""

    def entries(self) -> int:
        """How many ledger entries there are by now."""

    def observe(self, sending: Sending | None = None) -> None:
        """Show what the vendors have written down since the last time."""

    def swallowed(self, side: str, id_: str, path: str, value: object) -> None:
        """A vendor said that it took a value, and did not."""

    def stored(self, side: str, id_: str, path: str) -> None:
        """A vendor took a value, which may have stood there already."""

    def answered(self, side: str, ids: Collection[str], left: float) -> None:
        """An answer says of these records that they were written, by a request that left then."""

    def looked(self, side: str, ids: Collection[str]) -> None:
        """These records were read by id or by key."""

    def put_off(self) -> None:
        """The calls of the day are used up: a sweep in this cycle is not made."""

    def withhold(self, side: str, id_: str) -> None:
        """A read by id leaves a record out."""

    def meddle(self, side: str, ids: Sequence[str]) -> None:
        """Another program edits one of these records (none named: nobody's)."""

    def touch(self, side: str, ids: Sequence[str]) -> None:
        """Something at the vendor gives these records a newer stamp (none named: some record)."""

    def offend(self, kind: str, subject: object, reason: str) -> None:
        """Write an offence down that no ledger tells."""

    def tell(self, *words: object) -> None:
        """A line of the story."""


class Vendor(Protocol):
    """A vendor that never fails: a connector of which each page and each other call is one request."""

    def changes(
        self, since: str | None, paths: Paths, now: Now, back: float, keys: bool, /
    ) -> Iterator[Page]:
        """Pages behind a cursor, or of the last `back` seconds; `now` says when the request of a page left."""

    def fetch(self, refs: Sequence[Ref], paths: Paths) -> list[Record]:
        """Those records of one object that are there, by id."""

    def find(self, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records of an object by a field."""

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Create or update records of one object."""


class Done(Future[T]):
    """A call that is over: what a future gives, without the locks of one."""

    def __init__(self, answer: T | None = None, error: Exception | None = None) -> None:
        self._answer, self._error = answer, error

    def done(self) -> bool:
        """It is over."""
        return True

    def result(self, timeout: float | None = None) -> T:
        """What the call gave or raised."""
        if self._error is not None:
            raise self._error
        return cast("T", self._answer)


class Inline:
    """Runs a call at once; a crash is nobody's result."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run now."""
        try:
            return Done(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is the caller's, through the future
            return Done(error=error)
