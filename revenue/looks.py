"""When an entity has to be looked at again though nothing changes.

Decides the next look from several reasons for one. It may not know what the looks are for.
"""

from __future__ import annotations

from collections.abc import Iterable

AGAIN = 300.0  # seconds from a quiet look until what it could not announce is looked at once more


def soonest(times: Iterable[float]) -> float:
    """The earliest of the times (unix seconds), 0 if there is none."""
    return min((each for each in times if each), default=0.0)
