"""The line between the engine and one vendor in the simulation: time passes, people act, calls fail, we crash.

It decides what becomes of a call; what a call says is the vendor's. Every write carries with it what its sender could
have known (`Sending`), which is all that an oracle needs to judge it by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sync.errors import InDoubt, RequestRefused, Retryable
from sync.ports import Capabilities, Feed, FieldError, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema
from tests.sim.closed import Closed
from tests.sim.faults import ON_READ, ON_WRITE, Strikes
from tests.sim.ground import SERVER_TIMEOUT, VISIBILITY_LAG, Crash, Ground, Inline, Now, Sending, Vendor
from tests.sim.pages import Feeding
from tests.sim.vocabulary import OTHER_ID, TWO_WAY

__all__ = ["SERVER_TIMEOUT", "VISIBILITY_LAG", "Crash", "Inline", "Now", "Sending", "Vendor", "Wire"]

T = TypeVar("T")
Execute = Callable[[], list[Outcome]]
NOT_EXECUTED = {"server_error", "dropped_before", "timed_out_before"}
NO_ANSWER = {"lost_after_commit", "half_answer", "wrong_schema", "timed_out_after"}
OVERDUE = SERVER_TIMEOUT + 0.5


class Wire:
    """A connector (`sync.ports.Connector`): one vendor behind a line on which anything may happen.

    `hides`: a record by id is left out by the vendor itself, else on the way back. `tells`: a write is answered with
    the stored values. `facts` are capabilities.
    """

    def __init__(
        self,
        system: str,
        vendor: Vendor,
        ground: Ground,
        faults: Strikes,
        batch: int,
        *,
        hides: bool,
        tells: bool = False,
        **facts: Any,
    ) -> None:
        self.hides, self.tells = hides, tells
        self.system, self.vendor, self.ground, self.faults = system, vendor, ground, faults
        self.looked: dict[str, int] = {}
        self.halved: dict[str, int] = {}
        self.writes, self.looks, self.left, self.sent = 0, 0, 0.0, 0.0
        self.several = 0
        self.closed = Closed(system, ground)
        self.capabilities = Capabilities(
            system=system, feeds={"person": Feed.FEED}, write_batch=batch, fetch_batch=batch, find_batch=batch,
            server_timeout=SERVER_TIMEOUT, visibility_lag=VISIBILITY_LAG, returns_values=tells, **facts,
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
        begun = Feeding(self.system, self.vendor, self.ground, self.faults, paths, back, keys_only)
        begun.open(since, lambda: self.left)
        last = False
        while not last:
            page = self._read("changes", begun.next)
            self._show((record.ref.id for record in page.records), whole=not keys_only)
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

            keys = [ref.id for ref in asked]
            records = self._read(f"fetch {name} {len(asked)}", ask, keys) if asked else []
            records = records if self.hides else self._given(records)
            self._looked(records)
            found |= {record.ref: record for record in records}
        return [found.get(ref) for ref in refs]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records by a field."""
        self.looks += 1
        records = self._read(
            f"find {path}", lambda: self.vendor.find(object_, path, values, paths), list(values)
        )
        self._looked(records)
        return records

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Creates or updates of one object."""
        keys = [self._key(write) for write in writes]
        self.several += len(keys) > 1
        known = [
            key for key in keys if key != "new None"
        ]  # without its key nobody can tell whom a create is for
        if len(set(known)) < len(known):
            self.ground.offend("twice in a call", self.system, f"one of {keys} stands twice in one call")
        label = f"{'update' if writes[0].ref.id else 'create'} {writes[0].ref.object} {len(writes)}"
        outcomes = self._write(label, writes, keys)
        if len(outcomes) == len(
            writes
        ):  # else nobody can say which record is whose: the answer counts as lost
            done = [outcome.id for outcome in outcomes if outcome.result == "applied"]
            self._show(done)
            self.ground.answered(self.system, done, self.sent)
        return outcomes

    def calm(self) -> None:
        """Everything is well again from now on."""
        self.faults.quiet()
        self.closed.open()

    # --- at the vendor ---------------------------------------------------------------------------------

    def _key(self, write: Write) -> str:
        """What a write is about: a record, or whom it makes."""
        mail = write.values.get(TWO_WAY["email"][self.system])
        return write.ref.id or f"new {write.values.get(OTHER_ID[self.system]) or mail}"

    def _written(self, writes: Sequence[Write]) -> list[Outcome]:
        """Write at the vendor, and note which values it took, and which it only said it took."""
        outcomes = self.vendor.write(writes)
        for place, (write, outcome) in enumerate(zip(writes, outcomes, strict=True)):
            if outcome.result == "applied":
                ref = write.ref._replace(id=outcome.id)
                (stored,) = self.vendor.fetch([ref], {ref.object: tuple(write.values)})
                for path, value in write.values.items():
                    if value and (not stored.values[path] or _differ(value, stored.values[path])):
                        self.ground.swallowed(self.system, ref.id, path, value)
                    else:
                        self.ground.stored(self.system, ref.id, path)
                if self.tells:
                    outcomes[place] = outcome._replace(values=stored.values)
        return outcomes

    def _show(self, ids: Iterable[str], *, whole: bool = True) -> None:
        """The engine has learnt that these records exist, and (`whole`) what stands in them."""
        now, told = self.ground.clock.now(), (self.ground.shown, self.ground.read)
        for key in ids:
            for each in told if whole else told[:1]:
                each.setdefault((self.system, key), now)

    def _looked(self, records: Sequence[Record]) -> None:
        """The engine has read these records by id or by key."""
        ids = [record.ref.id for record in records]
        self._show(ids)
        self.ground.looked(self.system, ids)

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

    # --- on the line -----------------------------------------------------------------------------------

    def _read(self, label: str, act: Callable[[], T], keys: Sequence[str] = ()) -> T:
        """A call that changes nothing; whatever fails may be tried again."""
        ground = self.ground
        self.left = ground.clock.now()
        ground.point("before", self.system, label)
        ground.clock.advance(ground.rng.uniform(0.01, ground.latency))
        self.halved = {}
        self.closed.check(keys, writing=False)
        kind = self.faults.first(ON_READ)
        if kind is not None:
            self._befall_read(kind, label, keys)
        answer = act()
        ground.tell("call", self.system, label)
        if self.faults.fires("answered_late"):  # what it says was true when the vendor said it
            ground.clock.advance(ground.rng.uniform(0.2, 1.8))
        ground.point("after", self.system, label)
        return answer

    def _befall_read(self, kind: str, label: str, keys: Sequence[str]) -> None:
        ground, clock = self.ground, self.ground.clock
        ground.tell("call", self.system, label, kind)
        match kind:
            case "slow":
                clock.advance(ground.rng.uniform(0.2, 1.8))
            case "session_lost":
                self._sign_in_again(label)
                self.left = clock.now()
            case "timed_out_before":
                clock.advance(OVERDUE)
                raise Retryable(f"{self.system}: {kind}", 1.0)
            case _:
                self.closed.begin(kind, keys, writing=False)
                raise Retryable(f"{self.system}: {kind}", ground.rng.choice((0.0, 1.0)))

    def _sign_in_again(self, label: str) -> None:
        """The session had ended: the same request leaves once more under a new one."""
        ground = self.ground
        ground.clock.advance(ground.rng.uniform(0.01, ground.latency))
        ground.point("signs in again", self.system, label)
        ground.clock.advance(ground.rng.uniform(0.01, ground.latency))

    def _write(self, label: str, writes: Sequence[Write], keys: Sequence[str]) -> list[Outcome]:
        """A call that changes something."""
        ground, clock = self.ground, self.ground.clock
        ground.point("before", self.system, label)
        if self.faults.fires("other_program"):
            ground.meddle(self.system, [write.ref.id for write in writes if write.ref.id])
        self.writes += 1
        looked, self.looked = {**self.halved, **self.looked}, {}
        sending = Sending(self.writes, ground.cycle_began, ground.sweep_began, clock.now(), looked)
        self.sent = sending.sent
        clock.advance(ground.rng.uniform(0.01, ground.latency))

        def execute() -> list[Outcome]:
            answer = self._written(writes)
            ground.observe(sending)
            return answer

        if ground.dies("in flight:", self.system, label):
            clock.at(sending.sent + ground.rng.uniform(0.0, 0.99) * SERVER_TIMEOUT, execute)
            raise Crash
        try:
            kind = self._arrives(label, keys, sending, execute)
        except RequestRefused:
            self.halved |= {key: looked[key] for key in keys if key in looked}  # halves need no new look
            raise
        if kind == "rolled_back":
            return self._rolled_back(writes)
        if kind == "field_refused":
            return self._without_one(writes, sending)
        answer = execute()
        if self.faults.fires("trigger"):
            ground.touch(self.system, [outcome.id for outcome in answer if outcome.result == "applied"])
        ground.point("after", self.system, label)
        return self._answered(kind, writes, answer, execute)

    def _arrives(
        self, label: str, keys: Sequence[str], sending: Sending, execute: Callable[[], object]
    ) -> str | None:
        """What befalls a write; returns if it arrives at the vendor, and raises otherwise."""
        ground, clock = self.ground, self.ground.clock
        self.closed.check(keys, writing=True)
        kind = self.faults.first(ON_WRITE)
        ground.tell("call", self.system, label, kind or "")
        match kind:
            case "acts_late":
                clock.at(sending.sent + ground.rng.uniform(0.5, 0.99) * SERVER_TIMEOUT, execute)
                raise InDoubt(f"{self.system}: {kind}")
            case "slow":
                clock.advance(ground.rng.uniform(0.2, 1.6))
            case "session_lost":
                self._sign_in_again(label)
            case _ if kind in NOT_EXECUTED:
                clock.advance(OVERDUE if kind == "timed_out_before" else 0.0)
                raise InDoubt(f"{self.system}: {kind}")
            case "rate_limited" | "not_reached":
                raise Retryable(f"{self.system}: {kind}", ground.rng.choice((0.0, 1.0)))
            case _ if kind is not None:
                self.closed.begin(kind, keys, writing=True)
            case _:
                pass
        return kind

    def _answered(
        self, kind: str | None, writes: Sequence[Write], answer: list[Outcome], execute: Execute
    ) -> list[Outcome]:
        """What of the vendor's answer arrives."""
        if kind == "timed_out_after":
            self.ground.clock.advance(OVERDUE)
        if kind in NO_ANSWER:
            raise InDoubt(f"{self.system}: {kind}")
        if kind == "delivered_twice" and (writes[0].ref.id or self._meets_its_own()):
            again, second = execute(), self.ground.rng.random() < 0.5
            # what is refused now was refused before; an update that was executed is not told of a lock
            creating = not writes[0].ref.id and all(outcome.result != "refused" for outcome in again)
            return again if creating and second else answer
        return answer[:-1] if kind == "fewer_results" else answer

    def _meets_its_own(self) -> bool:
        """Whether a create that is delivered twice meets what it made the first time. Where no key is unique nobody
        can keep a line from doubling a person by itself."""
        return self.hides or bool(self.capabilities.unique_keys)

    def _without_one(self, writes: Sequence[Write], sending: Sending) -> list[Outcome]:
        """One row is refused for the sake of a field, by name; the others are written."""
        bad = self.ground.rng.randrange(len(writes))
        path = self.ground.rng.choice(list(writes[bad].values))
        error = FieldError(path, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A validation rule refuses this value")
        rest = [write for place, write in enumerate(writes) if place != bad]
        done = self._written(rest) if rest else []
        self.ground.observe(sending)
        return [*done[:bad], Outcome("refused", errors=(error,)), *done[bad:]]

    def _rolled_back(self, writes: Sequence[Write]) -> list[Outcome]:
        """One row was refused, and the vendor took all others back."""
        bad = self.ground.rng.randrange(len(writes))
        error = FieldError("", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A validation rule refuses this record")
        refused, later = Outcome("refused", errors=(error,)), Outcome("retry", after=5.0)
        return [refused if place == bad else later for place in range(len(writes))]


def _differ(sent: object, stored: object) -> bool:
    """Whether a text was not stored at all; altered letter case, spaces and signs are no difference here."""
    if not isinstance(sent, str) or not isinstance(stored, str):
        return False
    return [c for c in sent.casefold() if c.isalnum()] != [c for c in stored.casefold() if c.isalnum()]
