"""What the engine asks of the world: connectors, a store, a clock, an executor. Protocols and data only.

The engine reads `Capabilities` and never asks which vendor it talks to. All calls are synchronous.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple, ParamSpec, Protocol, TypeAlias, TypeVar

from sync.errors import Meaning
from sync.record import Page, Raw, Record, Ref, Schema
from sync.rows import (
    BatchRow,
    CommandRow,
    HoldRow,
    KeyRow,
    Mark,
    OperationRow,
    Patch,
    RecordRow,
    Row,
    StandingRow,
)

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Row)
Paths: TypeAlias = Mapping[str, tuple[str, ...]]


class Feed(StrEnum):
    """How changes of a kind are seen: in a feed of its own; via the feed of the records that belong to it (what has no
    such record is not listed); only by reading everything again; or not at all."""

    FEED = "feed"
    VIA = "via"
    SCAN = "scan"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Everything the engine must know of a system; times in seconds, batches in records.

    `server_timeout`: after so long a request can no longer be executed. `visibility_lag`: after so
    long a write is visible to feeds and look-ups by key. `returns_values`: a write answers with the
    stored values (else with the id only). `unique_keys`: object -> paths that are unique at the
    vendor, so that a create is answered with «exists» there. `find_paths`: object -> paths that
    `find` accepts; both may ask the vendor when an object is looked up in them. `read_only`: kind -> why nothing of it
    can be written, as far as `describe` has found out. `deletes`: kinds of which records can be deleted.
    `feed_versions`: the sweep can compare versions without values.
    `identity`: what the system calls itself (an organisation's id), known after the first call ("" = not told).
    `clock_ahead`: by how much its clock was before ours when it last told it (0 = in time, or not told).
    """

    system: str
    feeds: Mapping[str, Feed]
    write_batch: int
    fetch_batch: int
    find_batch: int
    concurrency: int = 4
    returns_values: bool = False
    tells_author: bool = False
    feed_versions: bool = False
    server_timeout: float = 120.0
    visibility_lag: float = 5.0
    deletion_memory_days: float = 14.0
    unique_keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    find_paths: Mapping[str, frozenset[str]] = field(default_factory=dict)
    read_only: Mapping[str, str] = field(default_factory=dict)
    deletes: frozenset[str] = frozenset()
    conversions: Mapping[str, str] = field(default_factory=dict)
    daily_calls: int = 0
    window_calls: int = 0
    window_seconds: float = 0.0
    identity: str = ""
    clock_ahead: float = 0.0


class Write(NamedTuple):
    """One write as it leaves: `ref.id` empty = create, and then `unique` names the path of a unique
    key among `values` ("" = none). Creates are create-only: an existing record is never changed by one. `delete`: the
    record shall be gone; there are no values then."""

    operation: int
    ref: Ref
    values: Mapping[str, Raw]
    unique: str = ""
    delete: bool = False


class FieldError(NamedTuple):
    """What the vendor said of one field (`path` "" = of the record as a whole): its own code and words, and what they
    mean (a `Meaning`; as text, so that a journal of a later version can be read)."""

    path: str
    code: str
    message: str
    meaning: str = Meaning.OTHER.value


Result: TypeAlias = Literal["applied", "exists", "refused", "gone", "retry"]


class Outcome(NamedTuple):
    """The vendor's answer to one write.

    applied: done (`id`; `values` where the vendor returned them). exists: a create met an existing
    record, `id` names it ("" = the vendor does not say which). refused: never as it stands, see
    `errors`. gone: the record is deleted, merged or converted. retry: not executed, try later
    (`after` seconds).
    """

    result: Result
    id: str = ""
    values: Mapping[str, Raw] | None = None
    errors: tuple[FieldError, ...] = ()
    after: float = 0.0


class Connector(Protocol):
    """One configured system. Raises Fatal, Retryable, RequestRefused; `write` also InDoubt."""

    @property
    def capabilities(self) -> Capabilities:
        """Frozen facts about this system."""
        ...

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """The live schema of every object of a kind."""
        ...

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """Pages of what changed after a cursor; None = everything. With `back` seconds > 0 the cursor is
        ignored and everything that changed within the last `back` seconds is listed (the sweep)."""
        ...

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Records by id, same order, None where the vendor gives none. Reads what was written at once."""
        ...

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records of one object whose `path` equals one of the values (an indexed read)."""
        ...

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, same order; never an exception for one bad record. All writes of a call
        go to one object and are all creates, all updates or all deletions (only of kinds in `deletes`)."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class Clock(Protocol):
    """The host's time."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Executor(Protocol):
    """Where vendor calls run: threads in production, inline in tests."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call, now or beside us."""
        ...


class Store(Protocol):
    """The journal. Reads see every committed patch; `commit` is durable when it returns (protocol §8).
    Used from one thread."""

    def numbers(self, count: int) -> range:
        """Fresh sequence numbers, ascending over the store's whole life; a restart begins a new block."""
        ...

    def commit(self, patch: Patch, *, durable: bool = True) -> None:
        """Apply a patch in one transaction. Raises LeaseLost when another process owns the store, Fatal
        when the disk is full (nothing of the patch is kept)."""
        ...

    def lease_left(self) -> float:
        """Seconds for which this process surely still owns the store."""
        ...

    def get(self, kind: type[R], keys: Iterable[tuple[object, ...]]) -> list[R]:
        """Rows by primary key, those that exist, in no particular order."""
        ...

    def records_of(self, entities: Iterable[int]) -> list[RecordRow]:
        """All records of these entities."""
        ...

    def open_operations(self, entities: Iterable[int]) -> list[OperationRow]:
        """All operations of these entities whose state is open."""
        ...

    def holds_of(self, entities: Iterable[int]) -> list[HoldRow]:
        """All holds of these entities."""
        ...

    def standings(self, entities: Iterable[int]) -> list[StandingRow]:
        """What standing rules remember of these entities."""
        ...

    def wakes(self, route: str, now: float, limit: int) -> list[StandingRow]:
        """Standings of a route whose `wake` is set and not after `now`, oldest first."""
        ...

    def commands(self, route: str) -> list[CommandRow]:
        """Persons' words to a route that no cycle has read yet (NEW), oldest first."""
        ...

    def holders(self, system: str, kind: str, hashes: Iterable[str]) -> list[KeyRow]:
        """Keys and claims with one of these hashes; `kind` is the kind of the records (person)."""
        ...

    def dirty(self, kind: str, systems: Iterable[str], after: int, limit: int) -> list[Mark]:
        """Records noted after a watermark, oldest mark first."""
        ...

    def refetch_due(self, system: str, kind: str, now: float, limit: int) -> list[RecordRow]:
        """Records whose `refetch_at` is set and not after `now`, oldest first."""
        ...

    def due(self, route: str, now: float, limit: int, besides: Collection[str] = ()) -> list[OperationRow]:
        """Operations that may leave: pending, failed or waiting ones whose time has come, and planned ones
        whose run released their action; by lane, then id. Those in open batches are left out, and those for
        the systems `besides`."""
        ...

    def planned(self, route: str) -> Mapping[tuple[int, str], int]:
        """Unreleased planned operations counted by (run, action)."""
        ...

    def effects(self, keys: Iterable[str]) -> list[OperationRow]:
        """The operations with these effect keys, in whatever state; each key was journaled once."""
        ...

    def next_due(self, route: str) -> float | None:
        """The earliest time at which a pending operation of the route may leave (None = none is pending)."""
        ...

    def batches(self, system: str) -> list[BatchRow]:
        """Batches that left and are not settled."""
        ...

    def written(self, route: str, since: float) -> Mapping[str, int]:
        """Operations applied since a time, counted by action; those of runs that a person agreed to as a
        whole (AGREED_TRIGGERS) are left out."""
        ...

    def count_linked(self, route: str) -> int:
        """Entities with a base under this route."""
        ...

    def count_records(self, system: str, kind: str) -> int:
        """Live records that we hold."""
        ...
