"""What reading a route again will cost, on the screen: the same lines before a backfill and before a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from renkei.cli.options import Session
from renkei.cli.screen import say

if TYPE_CHECKING:
    from renkei.backfill import Wish
    from renkei.forecast import Forecast
    from sync.ports import Connector
    from sync.rules import Rules


def reckoned(
    here: Session, rules: Rules, wish: Wish, opened: Mapping[str, Connector] | None = None
) -> Forecast:
    """The forecast, by connectors that are open already or by its own. Raises Retryable, Fatal."""
    from renkei.forecast import forecast
    from renkei.threads import SystemClock
    from renkei.wire import open_systems, systems_of

    with ExitStack() as stack:
        if opened is None:
            opened = open_systems(here.project, systems_of([rules]), SystemClock(), here.log())
            for each in opened.values():
                stack.callback(each.close)
        return forecast(here.project, rules, opened, wish)


def show_systems(here: Session, known: Forecast, *, writes: bool) -> None:
    """A line for each system: records, calls, jobs, their share of the day; with `writes` also what may follow."""
    words = here.words
    for system, number in known.records.items():
        daily, jobs = known.daily[system], known.jobs[system]
        line = words(
            "forecast.system", system=system, records=f"{number:,}", calls=f"{known.reads[system]:,}",
            jobs=words("forecast.jobs", jobs=f"{jobs:,}") if jobs else "",
            share=words(
                "forecast.share", share=known.share(system), daily=f"{daily:,}", used=f"{known.used[system]:,}"
            ) if daily else "",
        )  # fmt: skip
        say("  " + line + (words("forecast.writes", writes=f"{known.writes[system]:,}") if writes else ""))


def minutes(known: Forecast) -> str:
    """About how long reading takes, in minutes."""
    return f"{max(0.1, known.seconds / 60):,.1f}"
