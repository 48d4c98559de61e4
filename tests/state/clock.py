"""A clock that a test moves by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class HandClock:
    """Unix seconds, as set."""

    at: float = 1_000.0

    def now(self) -> float:
        """The time as set."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Pass time at once."""
        self.at += seconds
