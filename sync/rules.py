"""What a mapping file means once compiled: frozen data and small pure functions.

Rules know vendor paths as opaque text and systems by their configured names; no vendor is named.
Digests come from the compiler: `reading` changes when objects, paths or scope change, `deciding`
when anything else does; `FieldRule.fingerprint` changes with paths, type, value map or transforms,
and a base kept under another fingerprint counts as absent (protocol §1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from sync.record import SIDES, Raw, Side, Value

if TYPE_CHECKING:  # a standing rule speaks of effects and fields
    from sync.standing import StandingRule, Tie

Fields: TypeAlias = Mapping[str, Value]
Condition: TypeAlias = Callable[[Fields], bool]
Policy: TypeAlias = Literal["ma", "sfa", "non_blank", "max", "min", "all_true", "any_true", "hold"]
First: TypeAlias = Literal["ma", "sfa", "hold"]


class Flow(StrEnum):
    """Which way a field's values travel; NONE = read for rules, written nowhere."""

    TO_SFA = "->"
    TO_MA = "<-"
    BOTH = "<->"
    NONE = "none"

    def into(self, side: Side) -> bool:
        """True if values may be written to `side`."""
        if self is Flow.BOTH:
            return True
        return self is (Flow.TO_SFA if side is Side.SFA else Flow.TO_MA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where one field stands on one side, and how its values are read and written.

    `paths` maps vendor object -> path; an object that is absent has no such field. `read` turns the
    vendor's value into the canonical one (raises UnknownValue), `write` the canonical into what is
    sent. `is_id`: the cell is the record's own id (taken from its ref, never written).
    `read_only` names objects whose path may only be read.
    """

    paths: Mapping[str, str]
    read: Callable[[Raw], Value]
    write: Callable[[Value], Raw]
    is_id: bool = False
    read_only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One row of a mapping: where a field stands on both sides and who may write it.

    `order` ranks canonical values for max and min; `stages`: canonical words in the order in which they follow each
    other. `compute` derives the value from the source side's fields `inputs` (then the source side has no cell). `key`:
    the value is the other side's record id.
    `refers` ("" or a kind): the value is the id of a record of that kind on the source side, and is carried across as
    the id (or key field) of the record that it is linked with; while it is linked with none the field waits, or is
    left out (`missing: leave`).
    """

    name: str
    type: str
    cells: Mapping[Side, Cell]
    flow: Flow
    fingerprint: str
    conflict: Policy = "hold"
    first: First = "hold"
    blank: Literal["keep", "propagate"] = "keep"
    drift: Literal["report", "restore"] = "report"
    create_only: bool = False
    on_create_blank: Value = None
    compute: Callable[[Fields], Value] | None = None
    inputs: frozenset[str] = frozenset()
    order: Callable[[Value], object] | None = None
    stages: tuple[str, ...] = ()
    key: bool = False
    refers: str = ""
    missing: Literal["wait", "leave"] = "wait"

    @property
    def can_circle(self) -> bool:
        """True if our own writes may come back as changes: two-way fields, and drift that is put right."""
        return self.flow is Flow.BOTH or self.drift == "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRule:
    """One opt-out topic, a latch: canonical True = opted out, False = not, None = unknown (protocol §4)."""

    topic: str
    cells: Mapping[Side, Cell]
    fingerprint: str
    blank_closes_gates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchKey:
    """One line of `match:`. kind `id`: `field` is a key field that names the other side's record;
    kind `email`: equal match addresses (`unless_role`: role addresses identify nobody)."""

    kind: Literal["id", "email"]
    field: str
    unless_role: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRule:
    """Vendor objects of the kind on one side: all that are followed, and the one that is created."""

    create: str
    follow: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every object that is read, the created one first."""
        return (self.create, *self.follow)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRule:
    """Who gets a new record on a side: `when` is asked of the source's fields, `need` must be filled."""

    when: Condition
    need: tuple[str, ...] = ()


class ActionKind(StrEnum):
    """What an operation does; brakes count per kind."""

    CREATE = "create"
    UPDATE = "update"
    BLANK = "blank"
    SETBACK = "setback"
    OPT_OUT = "optout"
    EFFECT = "effect"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A brake: at most max(number, share x linked records) per cycle, hour and day (protocol §6)."""

    number: int
    share: float


def default_limits() -> Mapping[ActionKind, Limit]:
    """Limits that a quiet installation never meets and a disaster always does."""
    return {
        ActionKind.CREATE: Limit(number=500, share=0.05),
        ActionKind.UPDATE: Limit(number=1_000, share=0.10),
        ActionKind.BLANK: Limit(number=100, share=0.01),
        ActionKind.SETBACK: Limit(number=50, share=0.01),
        ActionKind.OPT_OUT: Limit(number=1_000, share=0.02),
        ActionKind.EFFECT: Limit(number=200, share=0.01),
        ActionKind.DELETE: Limit(number=25, share=0.001),
    }


class Sign(StrEnum):
    """What is watched at the sources themselves, each with a limit; a brake of this sort stops the whole route."""

    LOSS = "loss"
    UNLINKS = "unlinks"
    MERGES = "merges"
    CLONES = "clones"
    KEYS = "keys"
    EMPTIED = "emptied"
    RENAMED = "renamed"
    TIME_SHIFT = "time_shift"
    COLUMN_SHIFT = "column_shift"
    ALL_CHANGED = "all_changed"


def default_signs() -> Mapping[Sign, Limit]:
    """What a source does in a cycle without anybody being asked; the share is of the records held of it, that of
    `unlinks` of the linked ones."""
    few, some = Limit(number=50, share=0.01), Limit(number=100, share=0.02)
    return {
        **dict.fromkeys(Sign, few),
        Sign.RENAMED: some,
        Sign.ALL_CHANGED: Limit(number=500, share=0.50),
    }


FIELD_ACTIONS = (
    ActionKind.CREATE,
    ActionKind.UPDATE,
    ActionKind.BLANK,
    ActionKind.SETBACK,
    ActionKind.DELETE,
)


class Effect(NamedTuple):
    """An act in the outer world that is no field value: a task, a notice, an enrolment.

    `key` makes it happen once, for ever; its parts stand between colons, and the first that is the entity's number
    stands for the entity also when that has joined another. It is written as a new `object` on `side` with `values`;
    `who` names the path that gets the person's record id there ("" = none), `find` the path under which the key can be
    read back ("" = it cannot: then the effect happens at most once and an uncertain one is only listed).
    `repeatable`: it brings about a state (a list membership), so that doing it twice is doing it once. `channel`: it
    goes to this channel of the installation instead of a system ("" = to the system of `side`). `spare`: paths without
    which it is better than not at all, should the vendor refuse them.
    """

    key: str
    side: Side
    object: str
    values: Mapping[str, Raw]
    who: str = ""
    find: str = ""
    repeatable: bool = False
    channel: str = ""
    spare: tuple[str, ...] = ()


def always(_fields: Fields) -> bool:
    """The condition that everybody meets."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One route, compiled: one kind between one MA system and one SFA system.

    `standing`: rules of the business, asked before fields are compared. `related`: routes whose records bear on this
    kind. `ties`: under which names records that name others are found. `relays`: a route with objects on one side
    only, of which nothing is written; it follows what bears on others.
    """

    route: str
    kind: str
    systems: Mapping[Side, str]
    objects: Mapping[Side, ObjectRule]
    fields: tuple[FieldRule, ...]
    consent: tuple[ConsentRule, ...] = ()
    standing: tuple[StandingRule, ...] = ()
    related: tuple[Rules, ...] = ()
    ties: tuple[Tie, ...] = ()
    relays: bool = False
    authority: Side | None = None
    match: tuple[MatchKey, ...] = ()
    create: Mapping[Side, CreateRule] = field(default_factory=dict)
    scope: Mapping[Side, Condition] = field(default_factory=dict)
    limits: Mapping[ActionKind, Limit] = field(default_factory=default_limits)
    signs: Mapping[Sign, Limit] = field(default_factory=default_signs)
    shadow: bool = False
    reading: str = ""
    deciding: str = ""

    @property
    def digest(self) -> str:
        """Names these rules in plans and traces."""
        return f"{self.reading}{self.deciding}"

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that have objects: both, or the one that a relay follows."""
        return tuple(side for side in SIDES if side in self.objects)

    def side(self, system: str) -> Side:
        """The role that a configured system plays in this route."""
        return Side.MA if self.systems.get(Side.MA) == system else Side.SFA

    def paths(self, side: Side) -> Mapping[str, tuple[str, ...]]:
        """Every vendor path that must be read on a side, by object, in a stable order."""
        found: dict[str, dict[str, None]] = {name: {} for name in self.objects[side].all}
        cells = [rule.cells.get(side) for rule in self.fields]
        cells += [rule.cells.get(side) for rule in self.consent]
        for cell in cells:
            if cell is None or cell.is_id:
                continue
            for name, path in cell.paths.items():
                if name in found:
                    found[name][path] = None
        return {name: tuple(paths) for name, paths in found.items()}
