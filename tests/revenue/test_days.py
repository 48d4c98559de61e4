"""Days: an instant belongs to the day that people on the spot write down."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from revenue.days import DAY, day_in, day_of, days_after, start_of


def instant(text: str) -> float:
    """Unix seconds of an ISO stamp in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_the_fiscal_year_turns_at_midnight_in_tokyo() -> None:
    """15:30 UTC on the last of March is the first of April in Japan, and still March in London."""
    at = instant("2026-03-31T15:30:00")
    assert day_of(at, "Asia/Tokyo") == date(2026, 4, 1)
    assert day_of(at, "Europe/London") == date(2026, 3, 31)
    assert day_of(instant("2026-03-31T14:59:59"), "Asia/Tokyo") == date(2026, 3, 31)


@pytest.mark.parametrize(("wait", "day"), [(0.0, 28), (1.0, 29), (DAY, 29), (DAY + 1, 30), (2 * DAY, 30)])
def test_a_started_day_is_a_day(wait: float, day: int) -> None:
    """Waits are counted in days of the calendar, rounded up."""
    assert days_after(instant("2026-10-28T12:00:00"), wait, "Asia/Tokyo") == date(2026, 10, day)


def test_a_change_of_the_clocks_moves_no_day() -> None:
    """23:30 in Berlin plus one day is the next day, though that day has 25 hours."""
    late = instant("2026-10-24T21:30:00")  # 23:30 in Berlin; the clocks go back the night after
    assert days_after(late, DAY, "Europe/Berlin") == date(2026, 10, 25)
    assert (
        start_of(date(2026, 10, 26), "Europe/Berlin") - start_of(date(2026, 10, 25), "Europe/Berlin")
        == 25 * 3_600
    )


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "UTC"])
def test_a_days_first_instant_belongs_to_it(zone: str) -> None:
    """Going from a day to its start and back is the same day, and a second earlier is the day before."""
    for day in (date(2026, 1, 1), date(2026, 4, 1), date(2018, 11, 4)):
        assert day_of(start_of(day, zone) - 1, zone) < day
        assert day_of(start_of(day, zone) + 3_600, zone) == day


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-04-01", date(2026, 4, 1)),
        ("2026-03-31T15:30:00Z", date(2026, 4, 1)),
        ("2026-03-31T15:30:00", date(2026, 4, 1)),
        ("next spring", None),
        ("", None),
        (None, None),
        (20260401, None),
    ],
)
def test_a_date_is_taken_as_it_stands_and_a_stamp_in_the_zone(
    value: str | int | None, day: date | None
) -> None:
    """A date has no zone; a stamp has a day only where one stands; anything else names no day."""
    assert day_in(value, "Asia/Tokyo") == day
