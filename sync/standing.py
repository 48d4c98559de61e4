"""Where an entity stands: what a rule of the business remembers of it, and what follows now.

Field rules carry values; a standing rule tells a story: a score that crossed a threshold, a deal that was lost, a
person who went back to nurture. It is a pure function of a situation and of its own memory. What it derives enters
the entity's fields (and may then be mapped, asked by conditions, compared with base), or happens once as an effect.
Data only: nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from sync.record import Raw, Ref, Side, Value
from sync.rules import Effect, Fields

Memory: TypeAlias = Mapping[str, Any]
NO_FIELDS: Fields = {}

WHO, DEAL, ACCOUNT, OPENED = "who", "deal", "account", "opened"


class Tie(NamedTuple):
    """Records of `object` are found by the value at `path` under a name: `who` (a role names a person's record),
    `deal` (a role names its deal), `account` (a deal or a person names its account), `opened` (a converted record
    names the deal that its conversion opened)."""

    object: str
    path: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A record of another kind that concerns an entity, with its canonical fields and what its own route's
    standing rules remember of it.

    `via`: `role` (the entity's person has a role in it: `roles`, `primary`), `opened` (it has no roles at all, and the
    person's record was converted into it) or `account` (it stands at the person's account; the person has no part
    in it). One record is related once, by the first of these that fits. `unknown`: what the vendor says in fields whose
    word no rule lists; these are not among the values.
    """

    ref: Ref
    values: Fields
    memory: Memory
    via: str
    roles: tuple[str, ...] = ()
    primary: bool = False
    unknown: Mapping[str, Raw] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a standing rule may look at.

    `fields`: canonical values of each side's leading record (a side without a live record has none), `before`: what
    was last agreed on. `ids`: the leading records' ids. `opted_out`: consent topics that stand. `memory`: what this
    rule remembered last time ({} = it never looked). `quiet`: nothing may be announced (a first sync, changed rules, a
    merge): the rule brings its memory up to date and derives no new effects. Times in unix seconds (UTC).
    """

    entity: int
    now: float
    fields: Mapping[Side, Fields]
    before: Mapping[Side, Fields]
    ids: Mapping[Side, str]
    opted_out: frozenset[str]
    related: tuple[Related, ...]
    memory: Memory
    quiet: bool = False

    def of(self, side: Side) -> Fields:
        """One side's fields, empty where it has no live record."""
        return self.fields.get(side, NO_FIELDS)


class Question(NamedTuple):
    """Something that a person has to decide: under which field and kind it stands in the inbox, with details."""

    field: str
    kind: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a standing rule found. `fields` are added to a side's fields; `wake`: look again at that time even if
    nothing changes (0 = no need)."""

    memory: Memory
    fields: Mapping[Side, Fields] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    questions: tuple[Question, ...] = ()
    wake: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRule:
    """A named pure function from a situation to a standing. `gives` names the fields that it adds, by side."""

    name: str
    derive: Callable[[Situation], Standing]
    gives: Mapping[Side, Mapping[str, str]] = field(default_factory=dict)


def is_set(value: Value) -> bool:
    """True for anything but a blank."""
    return value is not None and value != ""
