"""Take, verify, mark sent, send, settle: deliver what may leave, batch by batch. I/O through ports only.

A batch is durable as «sent» before its request leaves, and settled in one transaction when its answer is
there. Several batches may be on their way; never two operations of one record. What is not answered stays
in doubt and is settled later by reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field

from sync.around import Around, Settled
from sync.channels import settle_channel_doubts
from sync.deleting import gone_by_us
from sync.doubt import commit_settled, latest, load_around, settle_doubts
from sync.effects import KIND as EFFECT_KIND
from sync.enrol import look_again
from sync.errors import Fatal, InDoubt, Meaning, QuotaSpent, RequestRefused, Retryable
from sync.lanes import in_lane, world_in_lane
from sync.normalise import encode
from sync.plan import Job, jobs_of, target_of
from sync.ports import Connector, FieldError, Outcome, Write
from sync.read import World
from sync.record import Ref
from sync.refuse import said
from sync.rows import LANE_DELTA, BatchRow, OperationRow, Patch
from sync.rules import ActionKind
from sync.settle import Settlement
from sync.source import refuse_other
from sync.verify import is_left, verify

UNSEEN_WAIT = 300.0
BATCHES_AHEAD = 4
LEASE_REST = 1.0  # seconds; enough for a request to get from the last look at the lease to the wire
NO_CHANNEL = FieldError("", "no_channel", "no channel of this name is configured", Meaning.SETTING)
APART = (ActionKind.CREATE, ActionKind.OPT_OUT, ActionKind.EFFECT, ActionKind.DELETE)


@dataclass(slots=True)
class Delivered:
    """What a delivery came to. `stopped`: by system, why it could not be written to. `waits`: those of them where it
    is only that calls are kept for something hotter, and until when (unix seconds)."""

    sent: dict[str, int] = field(default_factory=dict)
    settled: Settled = field(default_factory=Settled)
    in_doubt: int = 0
    moved: int = 0
    stopped: dict[str, str] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)

    def wait(self, place: str, error: QuotaSpent, now: float) -> None:
        """A lane of a system waits for calls."""
        if place not in self.stopped:
            self.stopped[place], self.waits[place] = error.message, now + error.after


@dataclass(frozen=True, slots=True)
class _Flight:
    batch: BatchRow
    jobs: tuple[Job, ...]
    place: str


class Delivery:
    """One delivery of one route; `left`: what was read last was not read to its end."""

    def __init__(self, world: World, run: int, *, left: bool = False) -> None:
        self.world = world
        self.run = run
        self.left = left
        self.done = Delivered()
        self.flying: dict[Future[list[Outcome]], _Flight] = {}
        self.failure: Fatal | None = None
        self._blocked: set[str] = set()

    def deliver(self, until: float = float("inf")) -> Delivered:
        """Send everything that may leave, at most until a time; waits for what is on its way.
        Raises the first Fatal error after everything else was settled."""
        self.left = self.left or is_left(self.world)
        try:
            while self.world.clock.now() < until:
                progressed = False
                for place, jobs in self._batches():
                    progressed = True
                    if place not in self._blocked:
                        self._dispatch(place, jobs)
                    if self.world.clock.now() >= until:
                        break
                if not progressed:
                    if not self.flying:
                        break
                    self._land(block=True)
        finally:
            while self.flying:
                self._land(block=True)
        if self.failure is not None:
            raise self.failure
        return self.done

    # --- take ------------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[tuple[str, list[Job]]]:
        """Due operations grouped by what can travel together, no record twice, and where they go."""
        largest = max(c.capabilities.write_batch for c in self.world.connectors.values())
        route = self.world.lens.rules.route
        limit = largest * BATCHES_AHEAD
        # a system that is left alone hides nothing that is due behind it
        due = self.world.store.due(route, self.world.clock.now(), limit, self._blocked)
        busy = {job.target for flight in self.flying.values() for job in flight.jobs}
        opted_out: set[Ref] = set()
        groups: dict[tuple[int, str, str, str], list[OperationRow]] = {}
        for row in due:
            target = target_of(row)
            apart = row.action if row.action in APART else ""
            if not apart and target in busy:
                continue
            if row.action == ActionKind.OPT_OUT:
                if target in opted_out:
                    continue  # another topic: a vendor refuses a request that names a record twice
                opted_out.add(target)
            busy.add(target)
            groups.setdefault((row.lane, row.system, row.object, apart), []).append(row)
        sizes = {key: self._size(key[1]) for key in groups}
        more = len(due) >= limit and any(len(rows) >= sizes[key] for key, rows in groups.items())
        for key in sorted(groups):
            rows, size = groups[key], sizes[key]
            if more and key[0] >= LANE_DELTA:  # a rest waits for those that are due behind it
                rows = rows[: len(rows) - len(rows) % size]
            for start in range(0, len(rows), size):
                yield key[1], jobs_of(rows[start : start + size])

    def _size(self, place: str) -> int:
        connector = self.world.connector(place)
        return connector.capabilities.write_batch if connector is not None else 1

    # --- verify, mark sent, send -----------------------------------------------------------------------

    def _dispatch(self, place: str, jobs: list[Job]) -> None:
        if self.world.connector(place) is None:
            self._refuse(jobs, NO_CHANNEL)
            return
        try:
            ready = self._verified(world_in_lane(self.world, jobs[0].row.lane), place, jobs)
            refuse_other(self.world, place)
        except Retryable as error:
            self._block(place, error)
            return
        except Fatal as error:
            self._give_up(place, error)
            return
        if ready:
            self._send(place, ready)

    def _verified(self, world: World, place: str, jobs: list[Job]) -> list[Job]:
        """Those that may leave. Effects are looked at by themselves; a batch has nothing else beside them."""
        if jobs[0].row.action == ActionKind.EFFECT:
            enrolled = look_again(world, place, self.run, jobs)
            self._let_wait(enrolled.unseen)
            return enrolled.ready
        found = verify(world, world.lens.side(place), self.run, jobs, left=self.left)
        if found.moved or found.unseen or found.refused:
            patch = Patch()
            refused = [job for job, _error in found.refused]
            settlement = self._settlement([*found.moved, *refused], patch)
            for job, error in found.refused:
                settlement.fail(job, said(error))
            for job in found.moved:
                settlement.supersede(job, "moved")
            self._commit(settlement, patch)
            self._let_wait(found.unseen)
            self.done.moved += len(found.moved)
        return found.ready

    def _let_wait(self, jobs: Sequence[Job]) -> None:
        """Their records are not shown: they wait."""
        if not jobs:
            return
        patch = Patch()
        settlement = self._settlement(jobs, patch)
        later = self.world.clock.now() + UNSEEN_WAIT
        for job in jobs:
            settlement.wait(job, later, "the vendor does not show the record")
        self._commit(settlement, patch)

    def _refuse(self, jobs: Sequence[Job], error: FieldError) -> None:
        patch = Patch()
        settlement = self._settlement(jobs, patch)
        for job in jobs:
            settlement.fail(job, error)
        self._commit(settlement, patch)

    def _send(self, place: str, jobs: Sequence[Job]) -> None:
        connector = self.world.connector(place)
        assert connector is not None
        while len(self.flying) >= connector.capabilities.concurrency:
            self._land(block=True)
        if place in self._blocked:
            return
        number = self.world.numbers()
        body = encode([job.row.id for job in jobs])
        batch = BatchRow(number, place, self.world.kind, self.world.clock.now(), body)
        patch = Patch()
        patch.put(batch)
        self.world.store.commit(patch)
        future = self.world.executor.submit(self._leave, connector, batch, jobs)
        self.flying[future] = _Flight(batch, tuple(jobs), place)
        if future.done():
            self._land(block=False)

    def _leave(self, connector: Connector, batch: BatchRow, jobs: Sequence[Job]) -> list[Outcome]:
        """Send a batch, in a thread of the executor. Whoever settles it in our place counts from the time at which
        it was stored (`ripe_at`): it leaves soon after that and while the journal is ours, or not at all.

        The commit that stored it has renewed a lease of which less than half was left. How much is left need not
        cover the vendor's time limit, because a new owner waits for that limit before it touches the batch.
        """
        until = latest(connector.capabilities, batch)
        late = self.world.clock.now() > until
        if late or self.world.store.lease_left() < LEASE_REST:
            raise Retryable("The request would have left too late; nothing was sent.")
        kind = EFFECT_KIND if jobs[0].row.action == ActionKind.EFFECT else self.world.kind
        return in_lane(connector, jobs[0].row.lane, until).write(kind, [_write(job) for job in jobs])

    # --- settle ----------------------------------------------------------------------------------------

    def _land(self, *, block: bool) -> None:
        done = [future for future in self.flying if future.done()]
        if not done and block:
            done = list(wait(list(self.flying), return_when=FIRST_COMPLETED).done)
        for future in done:
            flight = self.flying.pop(future)
            try:
                self._settle(flight, future.result())
            except InDoubt:
                self.done.in_doubt += len(flight.jobs)
            except RequestRefused as error:
                self._halve(flight, error)
            except Retryable as error:
                self._not_executed(flight)
                self._block(flight.place, error)
            except Fatal as error:
                self._not_executed(flight)
                self._give_up(flight.place, error)

    def _settle(self, flight: _Flight, outcomes: Sequence[Outcome]) -> None:
        if len(outcomes) != len(flight.jobs):
            self.done.in_doubt += len(flight.jobs)
            return
        patch = Patch()
        pairs = list(zip(flight.jobs, outcomes, strict=True))
        extra = [job.target._replace(id=outcome.id) for job, outcome in pairs if outcome.id]
        settlement = self._settlement(flight.jobs, patch, extra)
        for job, outcome in pairs:
            if job.row.action == ActionKind.DELETE and outcome.result == "applied":
                gone_by_us(settlement, job)
            else:
                settlement.settle(job, outcome)
        patch.drop(flight.batch)
        self._commit(settlement, patch)
        self.done.sent[flight.place] = self.done.sent.get(flight.place, 0) + len(flight.jobs)
        self.world.progress(f"write {flight.place}", len(flight.jobs))

    def _settlement(self, jobs: Sequence[Job], patch: Patch, extra: Sequence[Ref] = ()) -> Settlement:
        around = Around(*load_around(self.world, jobs, extra))
        return Settlement(self.world.lens, around, self.world.numbers, self.world.clock.now(), patch)

    def _commit(self, settlement: Settlement, patch: Patch) -> None:
        commit_settled(self.world, settlement, patch)
        self.done.settled.add(settlement.done)

    def _halve(self, flight: _Flight, error: RequestRefused) -> None:
        """A batch refused whole goes on in halves; a single record refused alone has failed."""
        if len(flight.jobs) == 1:
            self._settle(flight, [Outcome("refused", errors=(said(error),))])
            return
        self._not_executed(flight)
        half = len(flight.jobs) // 2
        for part in (flight.jobs[:half], flight.jobs[half:]):
            self._send(flight.place, part)

    def _not_executed(self, flight: _Flight) -> None:
        patch = Patch()
        patch.drop(flight.batch)
        self.world.store.commit(patch)

    def _block(self, place: str, error: Retryable) -> None:
        """Leave a system alone for the rest of this delivery; hotter lanes have had their turn before."""
        self._blocked.add(place)
        if isinstance(error, QuotaSpent):
            self.done.wait(place, error, self.world.clock.now())
            return
        self.done.stopped[place] = error.message
        self.done.waits.pop(place, None)

    def _give_up(self, place: str, error: Fatal) -> None:
        self._blocked.add(place)
        self.done.stopped[place] = error.message
        self.done.waits.pop(place, None)
        self.failure = self.failure or error


def _write(job: Job) -> Write:
    if job.row.action == ActionKind.DELETE:
        return Write(job.row.id, job.target, {}, delete=True)
    values = {path: field_.desired for path, field_ in job.work.fields.items()}
    return Write(job.row.id, job.target, values, job.work.unique)


def resolve_doubts(world: World, run: int) -> Settled:
    """Settle by reading whatever left earlier and is ripe, on both sides and in the channels. Where a side cannot be
    asked its writes stay in doubt until it can: nothing else waits for that."""
    done = Settled()
    for side in world.lens.rules.sides:
        with suppress(Retryable):
            done.add(settle_doubts(world, side, run))
    done.add(settle_channel_doubts(world))
    return done
