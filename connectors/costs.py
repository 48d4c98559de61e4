"""What reading takes before anything is read, as a connector reckons it of its own ways. Decides nothing."""

from __future__ import annotations

from typing import NamedTuple


class Cost(NamedTuple):
    """Calls in all, jobs of the vendor's own among what they ask for, and seconds that such jobs are waited for."""

    calls: int
    jobs: int = 0
    waits: float = 0.0


def rounded_up(number: int, size: int) -> int:
    """How many parts of a size hold so many."""
    return -(-number // size)
