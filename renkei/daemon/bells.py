"""When a route is due: one bell for each, rung by the scheduler in a thread of its own.

It decides times only. A bell that rings while its route is still at work is heard once afterwards, however often it
rang. It runs nothing: whoever listens does, one thing after another.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from apscheduler.schedulers.background import BackgroundScheduler


class Bells:
    """A bell for each route. `poke` may be called from anywhere, a signal handler included."""

    def __init__(self) -> None:
        # What it would log are its own skips; they are heard as one ring and lose nothing.
        logging.getLogger("apscheduler").addHandler(logging.NullHandler())
        logging.getLogger("apscheduler").propagate = False
        self._rung: SimpleQueue[str] = SimpleQueue()
        self._every: dict[str, float] = {}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": {"type": "threadpool", "max_workers": 1}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            daemon=True,
        )
        self._scheduler.start()

    def hang(self, every: Mapping[str, float]) -> None:
        """Ring these routes every so many seconds, at once for the first time; no others."""
        for gone in self._every.keys() - every.keys():
            self._scheduler.remove_job(gone)
        changed = {name: seconds for name, seconds in every.items() if self._every.get(name) != seconds}
        self._every = dict(every)
        self._schedule(changed)

    def begin_anew(self) -> None:
        """Ring all now and count from here: the host's clock was set, and times reckoned before mean nothing."""
        self._schedule(self._every)

    def wait(self, seconds: float) -> set[str]:
        """Every route that rang since the last time, waiting for the first one; empty = only poked, or none did."""
        found: set[str] = set()
        try:
            found.add(self._rung.get(timeout=seconds) if seconds > 0 else self._rung.get_nowait())
            while True:
                found.add(self._rung.get_nowait())
        except Empty:
            return found - {""}

    def poke(self) -> None:
        """End a wait."""
        self._rung.put("")

    def close(self) -> None:
        """Ring no more."""
        self._scheduler.shutdown(wait=False)

    def _schedule(self, every: Mapping[str, float]) -> None:
        for name, seconds in every.items():
            self._scheduler.add_job(
                self._rung.put, "interval", args=[name], id=name, seconds=seconds, replace_existing=True,
                next_run_time=datetime.now(UTC),
            )  # fmt: skip
