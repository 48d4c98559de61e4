"""What reading a route again will cost, before anything is read: calls, jobs, their share of the day, time.

It decides how the figures are put together: the number of records is the journal's, what reading them takes is asked of
each connector, because only it knows its ways. Nobody is called but for that, and for the count of the day's calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from renkei.backfill import Wish
from renkei.settings import Project
from renkei.wire import look, scopes
from sync.normalise import Lens
from sync.ports import Connector
from sync.record import Side
from sync.rows import BACKFILL
from sync.rules import Rules

if TYPE_CHECKING:
    from connectors.checks import Usage
    from connectors.costs import Cost

RATE = 400.0  # records a second, where no backfill has been measured here


class Forecast(NamedTuple):
    """By system: records to read, calls to read them and jobs of the vendor's own for that, most calls to write (if
    everybody differed), calls of the day in all and used (0 = unknown). `seconds`: about how long reading takes."""

    records: Mapping[str, int]
    reads: Mapping[str, int]
    jobs: Mapping[str, int]
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
    sides = {rules.systems[side]: side for side in rules.sides}
    held = {name: found.records.get(name, 0) for name in sides}
    records = {name: min(number, limit) if limit else number for name, number in held.items()}
    costs = {name: _cost(connectors[name], rules, side, records[name], wish) for name, side in sides.items()}
    usage = {name: _usage(connectors[name]) for name in sides}
    facts = {name: connectors[name].capabilities for name in sides}
    return Forecast(
        records=records,
        reads={name: each.calls for name, each in costs.items()},
        jobs={name: each.jobs for name, each in costs.items()},
        writes={name: -(-number // facts[name].write_batch) for name, number in records.items()},
        daily={name: each.daily_calls or facts[name].daily_calls for name, each in usage.items()},
        used={name: each.used for name, each in usage.items()},
        seconds=_seconds(sum(records.values()), sum(each.waits for each in costs.values()), done),
    )


def _cost(connector: Connector, rules: Rules, side: Side, records: int, wish: Wish) -> Cost:
    """What a connector says that reading takes; of one that does not say, a call for as many records as one gives."""
    from connectors.costs import Cost, rounded_up

    ask = getattr(connector, "cost", None)
    if ask is None:
        return Cost(max(1, rounded_up(records, connector.capabilities.fetch_batch)))
    said: Cost = ask(rules.kind, Lens(rules).reading(side), records, wish.since, wish.until)
    return said


def _usage(connector: Connector) -> Usage:
    from connectors.checks import Usage

    limits = getattr(connector, "limits", None)
    found: Usage = limits() if limits is not None else Usage(0, 0)
    return found


def _seconds(records: int, waits: float, done: Any) -> float:
    """About how long reading takes; what a backfill here took has its waits in it."""
    rate = _rate(each.figures for each in done)
    return max(waits, records / rate) if rate else waits + records / RATE


def _rate(figures: Any) -> float:
    """Records a second of the last backfill that was long enough to tell (0 = there was none)."""
    for each in figures:
        seconds = float(each.get("seconds") or 0.0)
        if seconds >= 1.0 and "read" in each:
            return max(1.0, float(sum(each["read"].values())) / seconds)
    return 0.0


def as_data(found: Forecast) -> dict[str, Any]:
    """It, with stable keys."""
    return {
        "records": dict(found.records), "calls_to_read": dict(found.reads), "jobs_to_read": dict(found.jobs),
        "most_calls_to_write": dict(found.writes), "daily_calls": dict(found.daily),
        "used_today": dict(found.used), "seconds": round(found.seconds),
    }  # fmt: skip
