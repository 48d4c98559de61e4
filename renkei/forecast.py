"""What reading a route again will cost, before anything is read: calls, their share of the day, time.

It decides how the figures are reckoned from what is held and what the connectors declare; it calls nobody but for a
connector's own facts and the count of the day's calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from renkei.backfill import Wish
from renkei.settings import Project
from renkei.wire import look, scopes
from sync.ports import Connector
from sync.rows import BACKFILL
from sync.rules import Rules

RATE = 400.0  # records a second, where no backfill has been measured here


class Forecast(NamedTuple):
    """By system: records to read, calls to read them, most calls to write (if everybody differed), calls of the day in
    all and used (0 = unknown). `seconds`: about how long reading takes."""

    records: Mapping[str, int]
    reads: Mapping[str, int]
    writes: Mapping[str, int]
    daily: Mapping[str, int]
    used: Mapping[str, int]
    seconds: float

    def share(self, system: str) -> float:
        """The part of the day's calls that reading takes, in percent."""
        daily = self.daily.get(system, 0)
        return 100.0 * self.reads[system] / daily if daily else 0.0


def forecast(project: Project, rules: Rules, connectors: Mapping[str, Connector], wish: Wish) -> Forecast:
    """Reckon it. Raises Retryable, Fatal where a connector has to be asked and does not answer."""
    from state.views import runs, status

    with look(project) as reader:
        (found,) = status(reader, scopes((rules,)), since=0.0)
        done = [each for each in runs(reader, route=rules.route, limit=200) if each.trigger == BACKFILL]
    limit = wish.limit if wish.limit and not (wish.where or wish.since or wish.until) else 0
    systems = {rules.systems[side]: found.records.get(rules.systems[side], 0) for side in rules.sides}
    records = {name: min(held, limit) if limit else held for name, held in systems.items()}
    facts = {name: connectors[name].capabilities for name in records}
    usage = {name: _used(connectors[name]) for name in records}
    return Forecast(
        records=records,
        reads={name: -(-number // facts[name].fetch_batch) for name, number in records.items()},
        writes={name: -(-number // facts[name].write_batch) for name, number in records.items()},
        daily={name: each.daily_calls for name, each in facts.items()},
        used=usage,
        seconds=sum(records.values()) / _rate(each.figures for each in done),
    )


def _used(connector: Connector) -> int:
    limits = getattr(connector, "limits", None)
    return int(limits().used) if limits is not None else 0


def _rate(figures: Any) -> float:
    """Records a second of the last backfill that was long enough to tell."""
    for each in figures:
        seconds = float(each.get("seconds") or 0.0)
        if seconds >= 1.0 and "read" in each:
            return max(1.0, float(sum(each["read"].values())) / seconds)
    return RATE


def as_data(found: Forecast) -> dict[str, Any]:
    """It, with stable keys."""
    return {
        "records": dict(found.records), "calls_to_read": dict(found.reads), "most_calls_to_write": dict(found.writes),
        "daily_calls": dict(found.daily), "used_today": dict(found.used), "seconds": round(found.seconds),
    }  # fmt: skip
