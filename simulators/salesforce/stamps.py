"""Times as this vendor writes and reads them.

Stamps are kept as text in one fixed shape (UTC, milliseconds, offset without a colon), so that they sort
as text. Knows no records and no clock.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)\Z", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")


def stamp(seconds: float) -> str:
    """Write unix seconds as `2026-11-22T01:02:03.004+0000` (milliseconds rounded)."""
    millis = round(seconds * 1000)
    return _write(datetime.fromtimestamp(millis // 1000, UTC), millis % 1000)


def _write(moment: datetime, millis: int) -> str:
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{millis:03d}+0000"


def seconds_of(text: str) -> float:
    """Read a stamp of ours back into unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def day(seconds: float) -> str:
    """Write the UTC day of unix seconds as `2026-11-22`."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def quarter_end(seconds: float) -> str:
    """Write the last day of the quarter in which unix seconds lie, by UTC."""
    today = datetime.fromtimestamp(seconds, UTC).date()
    month = (today.month - 1) // 3 * 3 + 3
    first = date(today.year + month // 12, month % 12 + 1, 1)
    return (first - timedelta(days=1)).isoformat()


def read_stamp(text: str) -> str | None:
    """Bring a date-time with offset (`Z`, `+09:00`, `+0000`) into the fixed shape; None when it is none."""
    found = _DATETIME.match(text)
    if found is None:
        return None
    year, month, dom, hour, minute, second = (int(found[place]) for place in range(1, 7))
    millis = int((found[7] or "0").ljust(3, "0")[:3])
    try:
        moment = datetime(year, month, dom, hour, minute, second, tzinfo=_zone(found[8])).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _write(moment, millis)


def _zone(text: str) -> timezone:
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def read_date(text: str) -> str | None:
    """Give a valid `YYYY-MM-DD` back, else None."""
    if not _DATE.match(text):
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text
