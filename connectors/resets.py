"""When a vendor's day ends: a time of day in a time zone, across summer time.

It decides nothing about calls. «00:00 America/Chicago» is midnight there, whatever its distance from UTC is that day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def resets_at(text: str) -> Callable[[float], float] | None:
    """Gives the seconds from a unix time to the next reset; None for "" (the last 24 hours count).

    Raises ValueError."""
    if not text:
        return None
    time, _, name = text.partition(" ")
    try:
        at = datetime.strptime(time, "%H:%M").time()  # noqa: DTZ007 (a time of day)
        zone = ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise ValueError("write a time of day and a time zone such as 00:00 America/Chicago") from error

    def until(now: float) -> float:
        today = datetime.fromtimestamp(now, zone).date()
        moments = (datetime.combine(today + timedelta(days=days), at, zone).timestamp() for days in (0, 1, 2))
        return next(moment for moment in moments if moment > now) - now

    return until


def _checked(text: str) -> str:
    resets_at(text)
    return text


Reset = Annotated[str, AfterValidator(_checked)]
"""A time of day with its zone, or "" where the last 24 hours count."""
