"""What the views answer with: frozen data for screens, bodies decoded, nothing of any table.

Times are unix seconds (UTC). It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sync.record import Raw, Ref
from sync.said import ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteScope:
    """Which records a route is about; the caller knows it from the rules."""

    route: str
    kind: str
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """One cycle, plan or command; `ended` 0 = it has not ended (or was killed). `figures`: its counts."""

    id: int
    route: str
    trigger: str
    digest: str
    started: float
    ended: float
    state: str
    released: str
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """How far a feed of a system was read: when, and whether a first full read ever ended."""

    system: str
    name: str
    at: float
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStatus:
    """A route at a glance.

    `dirty`: records above the route's watermark. `operations`: open ones by state. `unreleased`: planned ones
    that no run released, by action. `holds`: by kind. `applied`: operations since the time asked for, by target
    system. `in_flight`: batches that left and are not settled, by system. `records`: live ones, by system.
    """

    route: str
    first_applied: bool
    last_run: RunInfo | None
    decided_at: float
    feeds: tuple[FeedInfo, ...]
    dirty: int
    operations: Mapping[str, int]
    unreleased: Mapping[str, int]
    holds: Mapping[str, int]
    applied: Mapping[str, int]
    in_flight: Mapping[str, int]
    records: Mapping[str, int]
    linked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInfo:
    """What we hold of one vendor record: `values` as seen, `unconfirmed` what was sent and not yet read back."""

    ref: Ref
    kind: str
    entity: int
    role: int
    state: int
    moved_to: str
    version: str
    created: str
    values: Mapping[str, Raw]
    unconfirmed: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldInfo:
    """Something that waits, with the records that it is about."""

    entity: int
    field: str
    kind: str
    route: str
    since: float
    details: Any
    answer: str
    records: tuple[RecordInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationInfo:
    """One operation; `work` is its decoded body (sync.plan.Work)."""

    id: int
    entity: int
    route: str
    run: int
    action: str
    target: Ref
    lane: int
    state: str
    at: float
    attempts: int
    digest: str
    hash: str
    made_at: float
    done_at: float
    reason: str
    work: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one read changed in what we had seen: path -> (old, new), or what happened to the record as a whole under
    a name of sync.happened. `own`: 1 / 0 / -1 as in RecordRow, `by` as in sync.record.Record."""

    at: float
    ref: Ref
    values: Mapping[str, tuple[Raw, Raw]]
    own: int
    run: int
    by: str = ""


class First(NamedTuple):
    """Since when a record is held: at the latest at this time, by which run, and what began that run. `run` 0 = it is
    not known any more."""

    at: float
    run: int
    trigger: str


class Said(NamedTuple):
    """A person's word about this entity: an answer to a question, or one about some of its `operations`."""

    at: float
    state: str
    body: Mapping[str, Any]
    kind: str = ANSWER
    route: str = ""
    operations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything that the journal knows of one entity; operations and changes newest first.

    `former`: entities that were merged into it. `bases`: route -> decoded body. `firsts`: since when each record is
    held. `said`: answers, oldest first. `begins`: what happened before is not kept any more (0.0 = all is kept).
    `cut`: there is more than was asked for.
    """

    entity: int
    former: tuple[int, ...]
    records: tuple[RecordInfo, ...]
    bases: Mapping[str, Any]
    holds: tuple[HoldInfo, ...]
    operations: tuple[OperationInfo, ...]
    changes: tuple[Change, ...]
    firsts: Mapping[Ref, First] = field(default_factory=dict)
    said: tuple[Said, ...] = ()
    begins: float = 0.0
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Chooses operations; what is empty chooses all. `states` defaults to those of a plan."""

    route: str = ""
    run: int = 0
    states: tuple[str, ...] = ("planned",)
    system: str = ""
    action: str = ""
    field: str = ""


class ActionCount(NamedTuple):
    """Operations into one system by action and state."""

    system: str
    action: str
    state: str
    number: int


class FieldCount(NamedTuple):
    """Operations into one system by action that carry a field."""

    system: str
    action: str
    field: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCounts:
    """A plan in figures: operations by action, and by field, the most frequent first."""

    total: int
    actions: tuple[ActionCount, ...]
    fields: tuple[FieldCount, ...]
