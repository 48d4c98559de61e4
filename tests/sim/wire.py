"""The line between the engine and one vendor in the simulation: time passes, people act, calls fail, we crash.

It decides what becomes of a call; what a call says is the vendor's. Every write carries with it what its sender could
have known (`Sending`), which is all that an oracle needs to judge it by.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from simulators.faults import Faults
from sync.errors import InDoubt, Retryable
from sync.ports import Capabilities, Feed, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema
from tests.sim.clock import SimClock

P = ParamSpec("P")
T = TypeVar("T")
SERVER_TIMEOUT, VISIBILITY_LAG = 2.0, 1.0
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
    unseen: float
    cycle_began: float
    sweep_began: float
    shown: dict[tuple[str, str], float]

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

    def withhold(self, side: str, id_: str) -> None:
        """A read by id leaves a record out."""

    def tell(self, *words: object) -> None:
        """A line of the story."""


Now = Callable[[], float]


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


class Wire:
    """A connector (`sync.ports.Connector`): one vendor behind a line on which anything may happen.

    `hides`: a record by id is left out by the vendor itself, else on the way back. `facts` are capabilities.
    """

    def __init__(
        self,
        system: str,
        vendor: Vendor,
        ground: Ground,
        faults: Faults,
        batch: int,
        *,
        hides: bool,
        **facts: Any,
    ) -> None:
        self.hides = hides
        self.system, self.vendor, self.ground, self.faults = system, vendor, ground, faults
        self.looked: dict[str, int] = {}
        self.writes, self.looks, self.left = 0, 0, 0.0
        self.capabilities = Capabilities(
            system=system, feeds={"person": Feed.FEED}, write_batch=batch, fetch_batch=batch, find_batch=batch,
            server_timeout=SERVER_TIMEOUT, visibility_lag=VISIBILITY_LAG, **facts,
        )  # fmt: skip

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """Nobody asks here."""
        return ()

    def close(self) -> None:
        """Nothing to release."""

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """The vendor's pages, each for the price of a call."""
        pages = self.vendor.changes(since, paths, lambda: self.left, back, keys_only)
        last = False
        while not last:
            page = self._read("changes", lambda: next(pages))
            self._show(record.ref.id for record in page.records)
            yield page
            last = page.last

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Records by id, a call per object; now and then one is not given."""
        self.looks += 1
        found: dict[Ref, Record] = {}
        for name in paths:
            asked = [ref for ref in refs if ref.object == name]

            def ask(asked: list[Ref] = asked) -> list[Record]:
                self.looked.update(dict.fromkeys((ref.id for ref in asked), self.ground.entries()))
                records = self.vendor.fetch(asked, paths)
                return self._given(records) if self.hides else records

            records = self._read(f"fetch {name} {len(asked)}", ask) if asked else []
            records = records if self.hides else self._given(records)
            self._show(record.ref.id for record in records)
            found |= {record.ref: record for record in records}
        return [found.get(ref) for ref in refs]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records by a field."""
        self.looks += 1
        records = self._read(f"find {path}", lambda: self.vendor.find(object_, path, values, paths))
        self._show(record.ref.id for record in records)
        return records

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Creates or updates of one object."""
        label = f"{'update' if writes[0].ref.id else 'create'} {writes[0].ref.object} {len(writes)}"
        outcomes = self._write(label, lambda: self._written(writes))
        self._show(outcome.id for outcome in outcomes if outcome.result == "applied")
        return outcomes

    def _written(self, writes: Sequence[Write]) -> list[Outcome]:
        """Write at the vendor, and note which values it said it took and did not."""
        outcomes = self.vendor.write(writes)
        for write, outcome in zip(writes, outcomes, strict=True):
            if outcome.result == "applied":
                ref = write.ref._replace(id=outcome.id)
                (stored,) = self.vendor.fetch([ref], {ref.object: tuple(write.values)})
                for path, value in write.values.items():
                    if value and (not stored.values[path] or _differ(value, stored.values[path])):
                        self.ground.swallowed(self.system, ref.id, path, value)
        return outcomes

    def _show(self, ids: Iterable[str]) -> None:
        """The engine has learnt that these records exist."""
        now, shown = self.ground.clock.now(), self.ground.shown
        for key in ids:
            shown.setdefault((self.system, key), now)

    def _given(self, records: list[Record]) -> list[Record]:
        """Records by id without those that are not given for once, as when a partition or a permission is amiss."""
        if not self.faults.shares:
            return records
        given = []
        for record in records:
            if self.ground.rng.random() < self.ground.unseen:
                self.ground.withhold(self.system, record.ref.id)
            else:
                given.append(record)
        return given

    def _read(self, label: str, act: Callable[[], T]) -> T:
        """A call that changes nothing; whatever fails may be tried again."""
        ground = self.ground
        self.left = ground.clock.now()
        ground.point("before", self.system, label)
        ground.clock.advance(ground.rng.uniform(0.01, ground.latency))
        kind = self.faults.first(ON_READ)
        if kind == "slow":
            ground.clock.advance(ground.rng.uniform(0.2, 1.8))
        elif kind is not None:
            ground.tell("call", self.system, label, kind)
            raise Retryable(f"{self.system}: {kind}", 1.0)
        answer = act()
        ground.tell("call", self.system, label)
        ground.point("after", self.system, label)
        return answer

    def _write(self, label: str, act: Callable[[], T]) -> T:
        """A call that changes something."""
        ground, clock = self.ground, self.ground.clock
        ground.point("before", self.system, label)
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

        if ground.dies("in flight:", self.system, label):
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
        ground.point("after", self.system, label)
        if kind in {"lost_after_commit", "half_answer"}:
            raise InDoubt(f"{self.system}: {kind}")
        return answer


def _differ(sent: object, stored: object) -> bool:
    """Whether a text was not stored at all; altered letter case, spaces and signs are no difference here."""
    if not isinstance(sent, str) or not isinstance(stored, str):
        return False
    return [c for c in sent.casefold() if c.isalnum()] != [c for c in stored.casefold() if c.isalnum()]


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
