"""What time the fake vendors think it is.

A simulator never asks the operating system for the time itself, so that a test (or a deterministic run)
can own it. This module knows nothing of vendors.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time as unix seconds, UTC."""

    def now(self) -> float: ...


class SystemClock:
    """The computer's own clock."""

    def now(self) -> float:
        return time.time()


class ManualClock:
    """A clock that stands still until somebody advances it."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`, which must not be negative."""
        if seconds < 0:
            raise ValueError("a clock is never turned back; give zero or more seconds")
        self._now += seconds


def iso_z(stamp: float) -> str:
    """Write unix seconds as `2026-11-22T01:02:03Z` (whole seconds, cut, not rounded)."""
    return datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> float:
    """Read an ISO-8601 time with offset (`Z`, `+0000`, `-08:00`) into unix seconds; ValueError without an
    offset.
    """
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    if moment.tzinfo is None:
        raise ValueError(f"the time {text!r} has no offset; write Z or +00:00 behind it")
    return moment.timestamp()
