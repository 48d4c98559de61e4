"""The rows of the journal and the patch that changes them: the engine's only memory (ADR 0001).

Every row is a NamedTuple whose first `KEY` columns are its primary key. A patch is a set of whole-row
puts and drops that a store applies in one durable transaction; stores need no other write. Bodies
are JSON bytes. Times are unix seconds (UTC); sequence numbers are leased from the store.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple, TypeAlias

from sync.record import Ref

LIVE, UNSEEN, DELETED, MOVED = 0, 1, 2, 3
LEADING, TWIN = 0, 1

PLANNED, WAITING, PENDING, FAILED = "planned", "waiting", "pending", "failed"
APPLIED, SUPERSEDED, DISCARDED = "applied", "superseded", "discarded"
IGNORED, UNCERTAIN = "ignored", "uncertain"
OPEN_STATES = (PLANNED, WAITING, PENDING, FAILED)

BACKFILL = "backfill"
AGREED_TRIGGERS = ("first", "apply", BACKFILL)

LANE_OPT_OUT, LANE_HAND_OVER, LANE_DELTA, LANE_BACKFILL = 0, 1, 2, 3


class RecordRow(NamedTuple):
    """What we hold of one vendor record.

    `body`: JSON object path -> raw value (seen). `unconfirmed`: JSON object path -> [operation,
    value before, value sent, …] (sync.confirm.Sent) of values that were sent and not yet read back ("" = none).
    `noted` above a route's decided watermark = dirty. `as_of`, `settled`: sequence numbers of the
    newest read and of the last settlement; `settled_at` its time. `refetch_at` > 0: read by id then.
    `observed`: newest observed page that tells a change of this record (0 = none).
    `own`: 1 / 0 / -1 = last modification by us / by somebody else / no evidence.
    """

    system: str
    object: str
    id: str
    kind: str
    entity: int
    role: int
    state: int
    moved_to: str
    as_of: int
    settled: int
    settled_at: float
    version: str
    created: str
    own: int
    noted: int
    refetch_at: float
    observed: int
    body: bytes
    unconfirmed: str

    @property
    def ref(self) -> Ref:
        """The record's name."""
        return Ref(self.system, self.object, self.id)


def went_on_as(row: RecordRow) -> Ref:
    """The name of the record that a merged or converted one went on as."""
    object_, _, id_ = row.moved_to.partition("/")
    return Ref(row.system, object_, id_)


class Mark(NamedTuple):
    """A dirty mark: its number, whose entity, and which record bears it."""

    noted: int
    entity: int
    system: str
    object: str
    id: str


class KeyRow(NamedTuple):
    """One match key of a record (`operation` 0), or the claim of an open create (`object`, `id` empty).

    `hash` = matching.keys.key_hash(kind of key, normalised value); unique per (system, kind, hash)
    while it is a claim.
    """

    system: str
    kind: str
    hash: str
    object: str
    id: str
    operation: int


class EntityRow(NamedTuple):
    """What is special about an entity; most have no row. `body`: JSON {tombstone keys, latches, …}."""

    id: int
    merged_into: int
    body: bytes


class BaseRow(NamedTuple):
    """What both sides last agreed on: JSON field -> [fingerprint, MA half, SFA half, flags, writes]."""

    entity: int
    route: str
    body: bytes


class StandingRow(NamedTuple):
    """What a standing rule remembers of an entity (JSON), and when (unix seconds) the entity is decided again though
    nothing changed (`wake` 0 = never). `rule` "" is the engine's own (sync.remember)."""

    entity: int
    rule: str
    route: str
    wake: float
    body: bytes


class OperationRow(NamedTuple):
    """One frozen write and its state. `body` is an encoded sync.plan.Work; `hash` names its content."""

    id: int
    entity: int
    route: str
    run: int
    action: str
    system: str
    object: str
    record: str
    lane: int
    state: str
    at: float
    attempts: int
    again: int
    digest: str
    hash: str
    effect: str
    made_at: float
    done_at: float
    reason: str
    body: bytes


class BatchRow(NamedTuple):
    """Operations that left together and are not settled: JSON list of operation ids.
    A row is deleted by the settlement; one found at start-up is in doubt."""

    id: int
    system: str
    kind: str
    sent_at: float
    body: bytes


class HoldRow(NamedTuple):
    """Something that waits for a person (or only for facts): kind, since when, JSON details, answer."""

    entity: int
    field: str
    kind: str
    route: str
    since: float
    body: bytes
    answer: str


class CursorRow(NamedTuple):
    """How far a feed was read (`name` front, sweep, shown) or a route was decided (`system` = "", `name` = route).

    `complete` 1 = the first full read reached its end. `as_of` and `at`: of the read that moved it.
    """

    system: str
    kind: str
    name: str
    value: str
    complete: int
    as_of: int
    at: float


class ObservedRow(NamedTuple):
    """One noted page: JSON list of [object, id, previous observed page, {path: [old, new]}, own, by]; `own` as in
    RecordRow, `by` (left out where nothing is known) as in Record. What happened to a record as a whole stands there
    under a name of sync.happened instead of a path."""

    id: int
    at: float
    system: str
    kind: str
    run: int
    body: bytes


class RunRow(NamedTuple):
    """One cycle, plan or command. `trigger` says what began it; what AGREED_TRIGGERS began was agreed to as a
    whole by a person and does not count against the brakes' windows. `released`: "" nothing, "all", or the
    action kinds that may leave."""

    id: int
    route: str
    trigger: str
    digest: str
    started: float
    ended: float
    state: str
    released: str
    body: bytes


class RulesRow(NamedTuple):
    """The rules under which a route last worked; `applied` 1 = a first plan was applied. `since`: when a person
    last agreed to a plan as a whole; the brakes' windows begin there."""

    route: str
    reading: str
    deciding: str
    applied: int
    since: float
    source: bytes


NEW, DONE, REFUSED = "new", "done", "refused"


class CommandRow(NamedTuple):
    """A person's word to a route: `kind` answer, approve, discard or undo, `body` as in sync.said. `state`: NEW until
    a cycle has read it, then DONE, or REFUSED with the reason in its body."""

    id: int
    at: float
    kind: str
    route: str
    state: str
    body: bytes


Row: TypeAlias = (
    RecordRow | KeyRow | EntityRow | BaseRow | StandingRow | OperationRow | BatchRow | HoldRow
    | CursorRow | ObservedRow | RunRow | RulesRow | CommandRow
)  # fmt: skip

KEY: dict[type[Row], int] = {
    RecordRow: 3, KeyRow: 5, EntityRow: 1, BaseRow: 2, StandingRow: 2, OperationRow: 1, BatchRow: 1,
    HoldRow: 3, CursorRow: 3, ObservedRow: 1, RunRow: 1, RulesRow: 1, CommandRow: 1,
}  # fmt: skip


class Patch:
    """Whole-row changes that take effect together or not at all; later puts of one key win."""

    def __init__(self) -> None:
        self.puts: defaultdict[type[Row], dict[tuple[object, ...], Row]] = defaultdict(dict)
        self.drops: defaultdict[type[Row], dict[tuple[object, ...], None]] = defaultdict(dict)

    def put(self, row: Row) -> None:
        """Write a whole row."""
        kind = type(row)
        key = row[: KEY[kind]]
        self.puts[kind][key] = row
        if kind in self.drops:
            self.drops[kind].pop(key, None)

    def drop(self, row: Row) -> None:
        """Remove the row with this row's primary key."""
        kind = type(row)
        key = row[: KEY[kind]]
        self.drops[kind][key] = None
        self.puts[kind].pop(key, None)

    def add(self, other: Patch) -> None:
        """Take in another patch, which wins."""
        for rows in other.drops.items():
            for key in rows[1]:
                self.drops[rows[0]][key] = None
                self.puts[rows[0]].pop(key, None)
        for puts in other.puts.values():
            for row in puts.values():
                self.put(row)

    def __bool__(self) -> bool:
        return any(self.puts.values()) or any(self.drops.values())

    def writes(self) -> int:
        """Number of row writes."""
        return sum(map(len, self.puts.values())) + sum(map(len, self.drops.values()))
