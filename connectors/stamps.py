"""Times as vendors write them, brought into one shape: ISO-8601 in UTC with a trailing `Z`.

Fractions of a second are kept as the vendor gave them, so that stamps of one vendor sort as text. Knows no vendor.
"""

from __future__ import annotations

from datetime import UTC, datetime


def to_utc(text: str) -> str:
    """Rewrite an ISO-8601 time with any offset as `…Z`; what is no such time is given back as it is."""
    if text.endswith("Z"):
        return text
    if text.endswith("+0000"):
        return text[:-5] + "Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def iso(seconds: float) -> str:
    """Unix seconds as `2026-11-22T01:02:03Z`, cut to whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_millis(seconds: float) -> str:
    """Unix seconds as `2026-11-22T01:02:03.004Z`."""
    millis = round(seconds * 1000)
    moment = datetime.fromtimestamp(millis // 1000, UTC)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{millis % 1000:03d}Z"


def seconds_of(text: str) -> float:
    """Unix seconds of an ISO-8601 time with offset. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time has no offset")
    return moment.timestamp()
