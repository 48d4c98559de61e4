"""Money: exact, with each currency's own decimals, converted and rounded once per deal."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenue.money import (
    EXPONENTS,
    NoRate,
    Rate,
    RateTable,
    amount_of,
    converted,
    exponent,
    rounded,
    text_of,
    total,
)

TABLE = RateTable(
    to="JPY",
    rates=(
        Rate("USD", "2026-04-01", "150.25"),
        Rate("USD", "2025-04-01", "140"),
        Rate("KWD", "2026-04-01", "490.5"),
    ),
)
AMOUNTS = st.decimals(-(10**12), 10**12, places=4)


def test_currencies_have_their_own_decimals() -> None:
    """Yen have none, dollars two, dinars three; a word that is no currency is not guessed at."""
    assert [exponent(word) for word in ("JPY", "USD", "KWD", "EUR", "KRW")] == [0, 2, 3, 2, 0]
    assert len(EXPONENTS) > 120
    with pytest.raises(NoRate):
        exponent("YEN")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("0.5", "JPY", "1"),
        ("1.5", "JPY", "2"),
        ("2.5", "JPY", "3"),
        ("-0.5", "JPY", "-1"),
        ("-0.4", "JPY", "0"),
        ("12.5", "USD", "12.50"),
        ("0.005", "USD", "0.01"),
        ("1.0005", "KWD", "1.001"),
        ("1200000", "JPY", "1200000"),
        ("1E+3", "JPY", "1000"),
    ],
)
def test_a_half_is_rounded_up_and_written_with_the_currencys_decimals(
    amount: str, currency: str, text: str
) -> None:
    """Half up, away from zero for credits; never an exponent, never minus nothing."""
    assert text_of(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("day", "rate"),
    [("2025-04-01", "140"), ("2026-03-31", "140"), ("2026-04-01", "150.25"), ("2031-01-01", "150.25")],
)
def test_the_rate_of_a_day_is_the_last_one_before_it(day: str, rate: str) -> None:
    """A rate counts from its own day on until the next, whatever the order of the lines."""
    assert TABLE.rate("USD", day) == Decimal(rate)


@pytest.mark.parametrize(
    ("currency", "day"), [("USD", "2025-03-31"), ("EUR", "2026-05-01"), ("USD", ""), ("", "2026-05-01")]
)
def test_no_rate_is_an_error_and_never_one(currency: str, day: str) -> None:
    """An amount without a rate is not taken one to one; the error names currency and day."""
    with pytest.raises(NoRate) as refused:
        converted(Decimal(10), currency, day, TABLE)
    assert (refused.value.currency, refused.value.day) == (currency, day)


def test_conversion_rounds_each_deal_once_before_adding() -> None:
    """Two deals of 0.01 dollars are 2 + 2 yen and not 3: sums are sums of what stands on the deals."""
    one = converted(Decimal("0.01"), "USD", "2026-04-01", TABLE)
    assert (one, total([one, one])) == (Decimal(2), Decimal(4))
    assert converted(Decimal("100.5"), "JPY", "", TABLE) == Decimal(101)


@pytest.mark.parametrize("value", [None, "", "abc", True, "NaN", "Infinity", "1" * 80, "1e30"])
def test_what_is_no_amount_is_none(value: str | bool | None) -> None:
    """A blank, a word, a flag, an endless or an absurd number is no amount of money."""
    assert amount_of(value) is None


@given(st.lists(AMOUNTS, max_size=20))
def test_a_sum_of_rounded_amounts_is_exact(amounts: list[Decimal]) -> None:
    """Adding in any order gives the same, to the last unit."""
    parts = [rounded(each, "USD") for each in amounts]
    assert total(parts) == total(reversed(parts))
    assert total(parts) * 100 == sum(int(part * 100) for part in parts)


@given(AMOUNTS, st.sampled_from(sorted(EXPONENTS)))
def test_rounding_twice_is_rounding_once(amount: Decimal, currency: str) -> None:
    """A rounded amount stands as it is, and is nearer than one smallest unit."""
    once = rounded(amount, currency)
    assert rounded(once, currency) == once
    assert abs(once - amount) * 2 <= Decimal(1).scaleb(-exponent(currency))
    assert amount_of(text_of(once, currency)) == once
