"""From instants to the days that people write down.

Decides which calendar day an instant belongs to in a named time zone. Instants are unix seconds (UTC), days travel as
ISO text. It may not know what day it is: times come in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sync.record import Value

DAY = 86_400.0


def day_of(at: float, zone: str) -> date:
    """The calendar day of an instant (unix seconds) in a time zone (an IANA name)."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).date()


def start_of(day: date, zone: str) -> float:
    """The first instant of a day in a time zone (unix seconds), also where the clocks change at midnight."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).timestamp()


def days_after(at: float, wait: float, zone: str) -> date:
    """The day that lies `wait` seconds later, counted in whole days of the calendar (a started day is a day).

    Counted from the local day, so that a change of the clocks in between moves nothing.
    """
    return day_of(at, zone) + timedelta(days=-(-int(wait) // int(DAY)))


def day_in(value: Value, zone: str) -> date | None:
    """The day that a canonical date or stamp names, None for anything else; a stamp is read in the time zone."""
    if not isinstance(value, str) or not value:
        return None
    try:
        if len(value) == len("2026-04-01"):
            return date.fromisoformat(value)
        stamp = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone)).date()
