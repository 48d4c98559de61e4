"""What a route in `mode: shadow` would have written: by direction and field, with examples.

It decides what counts: everything that was wanted in a span and has not been sent. What is still wanted stands apart
from what has passed, because somebody else brought both sides in step meanwhile or the value moved on. Values of people
are only in it where they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as kept
from datetime import date, datetime, timedelta
from typing import Any

from renkei.settings import Project
from renkei.wire import look
from sync.errors import Fatal
from sync.plan import decode_work
from sync.record import Ref
from sync.rows import PLANNED, RulesRow
from sync.rules import ActionKind, Rules

EXAMPLES = 3
FOR_EVER = 4e9


@dataclass(slots=True)
class Row:
    """One field of one direction: how many are still wanted, how many passed by, and a few of the first kind."""

    system: str
    field: str
    action: str
    stands: int = 0
    passed: int = 0
    examples: list[dict[str, Any]] = kept(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A route's. `applied`: it was let go once; `day` "" = what would be written now; `records`: how many records the
    wanted work is about."""

    route: str
    shadow: bool
    applied: bool
    day: str
    records: int
    rows: tuple[Row, ...]

    @property
    def stands(self) -> int:
        """Values that are still wanted otherwise than they stand."""
        return sum(row.stands for row in self.rows)

    @property
    def passed(self) -> int:
        """Values that were wanted and are not any more."""
        return sum(row.passed for row in self.rows)


def span(day: str) -> tuple[float, float]:
    """A day of this host as unix seconds; "" = always. Raises Fatal."""
    if not day:
        return 0.0, FOR_EVER
    try:
        begins = datetime.combine(date.fromisoformat(day), datetime.min.time())
    except ValueError:
        raise Fatal(f"«{day}» is no day.", "write it as 2026-04-01") from None
    return begins.timestamp(), (begins + timedelta(days=1)).timestamp()


def report(project: Project, rules: Rules, day: str = "", *, show: bool = False) -> Report:
    """A route's report for a day (what was wanted then), or of what is wanted now. `show`: examples bear values.
    Raises Fatal."""
    from state.made import wanted

    begin, end = span(day)
    rows: dict[tuple[str, str, str], Row] = {}
    records: set[tuple[str, str]] = set()
    with look(project) as reader:
        applied = any(row.applied for row in reader.get(RulesRow, [(rules.route,)]))
        for number, action, system, object_, record, state, body in wanted(reader, rules.route, begin, end):
            stands = state == PLANNED
            if not stands and not day:
                continue
            if stands:
                records.add((system, record or f"#{number}"))
            work = decode_work(body)
            names = (
                {"": (object_, None, None)}
                if action == ActionKind.EFFECT
                else {path: (each.name, each.expected, each.desired) for path, each in work.fields.items()}
            )
            for name, now, then in names.values():
                row = rows.setdefault((system, name, action), Row(system, name, action))
                row.stands += stands
                row.passed += not stands
                if stands and len(row.examples) < EXAMPLES:
                    values = {"now": now, "then": then} if show else {}
                    row.examples.append({**_named(system, record, work.source), **values})
    ordered = sorted(rows.values(), key=lambda row: (-row.stands, -row.passed, row.system, row.field))
    return Report(
        route=rules.route, shadow=rules.shadow, applied=applied, day=day, records=len(records), rows=tuple(ordered)
    )  # fmt: skip


def _named(system: str, record: str, source: Ref) -> dict[str, str]:
    """Whose value it is: the record that would be written ("" = it would be made), and the one that it follows from."""
    return {
        "record": f"{system}:{record}" if record else "",
        "source": f"{source.system}:{source.id}" if source.id else "",
    }


def as_data(found: Report) -> dict[str, Any]:
    """It, with stable keys."""
    return {
        "route": found.route, "shadow": found.shadow, "let_go": found.applied, "day": found.day or None,
        "records": found.records, "would_differ": found.stands, "passed": found.passed,
        "fields": [
            {
                "system": row.system, "field": row.field, "action": row.action, "would_differ": row.stands,
                "passed": row.passed, "examples": row.examples,
            }
            for row in found.rows
        ],
    }  # fmt: skip


def summary(found: Report, say: Callable[..., str]) -> list[str]:
    """A few lines for a log or a message: figures and names of fields, no person. `say` words a phrase."""
    head = say(
        "shadow.head", route=found.route, day=found.day or say("shadow.now"), number=f"{found.stands:,}",
        records=f"{found.records:,}", passed=f"{found.passed:,}",
    )  # fmt: skip
    rows = [
        f"  → {row.system}  {row.field}  {row.action}  {row.stands:,} / {row.passed:,}"
        for row in found.rows[:8]
    ]
    return [head, *rows]
