"""Situations for standing rules, told in one line, and a rule that is asked again and again as the engine does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from revenue.closings import closings_rule
from sync.record import Raw, Ref, Side, Value
from sync.rules import Effect, Fields
from sync.standing import Memory, Related, Situation, Standing, StandingRule

HOUR = 3_600.0
DAY = 24 * HOUR
NOON = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC, a Monday


def situation(
    *,
    now: float = NOON,
    ma: Fields | None = None,
    sfa: Fields | None = None,
    related: tuple[Related, ...] = (),
    memory: Memory | None = None,
    opted_out: frozenset[str] = frozenset(),
    quiet: bool = False,
    entity: int = 7,
) -> Situation:
    """A person with a record on each side whose fields are given (None: no record there)."""
    given = {Side.MA: ma, Side.SFA: sfa}
    fields = {side: values for side, values in given.items() if values is not None}
    return Situation(
        entity=entity,
        now=now,
        fields=fields,
        before={},
        ids={side: f"{side}-{entity}" for side in fields},
        opted_out=opted_out,
        related=related,
        memory=memory or {},
        quiet=quiet,
    )


@dataclass(slots=True)
class Asked:
    """A rule with its memory, which goes through JSON between looks; every look is taken twice and must agree."""

    rule: StandingRule
    memory: Memory = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    wake: float = 0.0

    def look(self, seen: Situation) -> Standing:
        """One look: what stands now; asking again with the memory that it left must change nothing."""
        standing = self.rule.derive(replace(seen, memory=self.memory))
        self.memory = json.loads(json.dumps(standing.memory))
        again = self.rule.derive(replace(seen, memory=self.memory))
        assert again.effects == standing.effects
        assert again.fields == standing.fields
        assert again.questions == standing.questions
        assert again.wake == standing.wake
        assert json.loads(json.dumps(again.memory)) == self.memory
        self.keys |= {effect.key for effect in standing.effects}
        self.wake = standing.wake
        return standing

    def effects(self, seen: Situation) -> tuple[Effect, ...]:
        """The effects of one look."""
        return self.look(seen).effects


@dataclass(slots=True)
class Deal:
    """A deal under its own closings rule, and as its people see it."""

    id: str = "D1"
    via: str = "role"
    roles: tuple[str, ...] = ("primary",)
    values: dict[str, Value] = field(default_factory=dict)
    unknown: dict[str, Raw] = field(default_factory=dict)
    asked: Asked = field(default_factory=lambda: Asked(closings_rule()))

    def turn(
        self, outcome: str, now: float, values: Mapping[str, Value] | None = None, *, quiet: bool = False
    ) -> None:
        """The deal is seen with an outcome (and other values) at a time."""
        self.values |= {"outcome": outcome, **(values or {})}
        self.asked.look(situation(now=now, sfa=self.values, quiet=quiet))

    @property
    def related(self) -> Related:
        """The deal as a record related to a person."""
        return Related(
            ref=Ref("sfa", "Deal", self.id),
            values=dict(self.values),
            memory=self.asked.memory,
            via=self.via,
            roles=self.roles if self.via == "role" else (),
            primary="primary" in self.roles,
            unknown=dict(self.unknown),
        )


def ever(asked: Asked, kind: str) -> list[str]:
    """The keys of one kind that a rule has derived so far, in order of their text."""
    return sorted(key for key in asked.keys if key.startswith(f"{kind}:"))
