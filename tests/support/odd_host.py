"""An entry to the service on an odd host: its clock can be set while it runs, its disk can be small.

`python -m tests.support.odd_host FOLDER --clock FILE --pages N --lease S`: FILE holds the seconds by which the host's
clock is off, read at every look at it; the journal may have at most so many pages, and is held for so many seconds
without a word. Everything else is the program itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import renkei.daemon.house
from renkei.cli.app import run
from renkei.threads import Stop, SystemClock


class Set:
    """How far off the clock is."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def off(self) -> float:
        """Seconds."""
        return float(self.path.read_text() or 0) if self.path is not None and self.path.exists() else 0.0


def main() -> None:
    """Run the service so."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--pages", type=int, default=0)
    parser.add_argument("--lease", type=float, default=0.0)
    asked = parser.parse_args()
    found = Set(asked.clock)

    class Clock(SystemClock):
        """The host's clock, as somebody has set it."""

        def __init__(self, stop: Stop | None = None) -> None:
            super().__init__(stop)

        def now(self) -> float:
            """The time that it shows."""
            return super().now() + found.off()

    _set_the_schedulers_clock(found)
    _let_vendors_tell_their_time()
    if asked.pages:
        _make_the_disk_small(asked.pages)
    if asked.lease:
        renkei.daemon.house.LEASE = asked.lease
    renkei.daemon.house.serve = partial(renkei.daemon.house.serve, make_clock=Clock)
    sys.exit(run(["run", "--log-json", "--project", str(asked.folder)]))


def _set_the_schedulers_clock(found: Set) -> None:
    import apscheduler.schedulers.base
    import apscheduler.triggers.interval

    import renkei.daemon.bells

    class Shown(datetime):
        """What the host shows."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            """The time that it shows."""
            return datetime.now(tz) + timedelta(seconds=found.off())

    modules: tuple[Any, ...] = (
        apscheduler.schedulers.base,
        apscheduler.triggers.interval,
        renkei.daemon.bells,
    )
    for module in modules:
        module.datetime = Shown


def _let_vendors_tell_their_time() -> None:
    """Every server says its time in each reply; the fake ones do not, and share this host's."""
    import connectors.client

    client: Any = connectors.client.Client
    client.told_time = lambda _self, _reply: time.time()


def _make_the_disk_small(pages: int) -> None:
    import state.sql

    sql: Any = state.sql
    sql._OWNER_PRAGMAS = (*state.sql._OWNER_PRAGMAS, f"max_page_count = {pages}")


if __name__ == "__main__":
    main()
