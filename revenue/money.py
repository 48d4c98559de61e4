"""Amounts of money: exact, in a named currency, converted once.

Decides how many decimals a currency has (ISO 4217), which rate counts on a day, and how a converted amount is rounded:
half up, once per deal, before anything is added up. It may not know where rates come from. Amounts and rates travel as
decimal text; nothing here is ever a float.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from types import MappingProxyType
from typing import NamedTuple

from sync.record import Value

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = """
AED ALL AMD ANG AOA ARS AUD AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BZD CAD CDF CHF CNY COP CRC CUP CVE CZK
DKK DOP DZD EGP ETB EUR FJD GBP GEL GHS GIP GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KYD KZT LAK LBP LKR
MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR
SCR SEK SGD THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW
"""
EXPONENTS: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(_TWO.split(), 2) | dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3)
)
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_LONGEST = 60  # characters
_TOO_MUCH = Decimal(10) ** 18


class Rate(NamedTuple):
    """One unit of `currency` is worth `rate` (decimal text) from the day `since` (ISO date) on."""

    currency: str
    since: str
    rate: str


class NoRate(Exception):
    """An amount cannot be converted: no rate is known for its currency on that day."""

    def __init__(self, currency: str, day: str) -> None:
        super().__init__(f"No rate is known for {currency or 'a blank currency'} on {day or 'a blank day'}.")
        self.currency = currency
        self.day = day


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable:
    """Rates into one currency, `to`; a rate counts from its day on until the currency's next one."""

    to: str
    rates: tuple[Rate, ...] = ()
    _known: Mapping[str, list[tuple[str, Decimal]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the rates once, by currency and day."""
        known: dict[str, list[tuple[str, Decimal]]] = {}
        for currency, since, rate in sorted(self.rates):
            known.setdefault(currency, []).append((since, Decimal(rate)))
        object.__setattr__(self, "_known", known)

    def rate(self, currency: str, day: str) -> Decimal:
        """The rate of a currency on a day (ISO date). Raises NoRate before its first day and without a day."""
        if currency == self.to:
            return Decimal(1)
        known = self._known.get(currency, [])
        later = bisect_right(known, day, key=lambda each: each[0])
        if not later:
            raise NoRate(currency, day)
        return known[later - 1][1]


def exponent(currency: str) -> int:
    """How many decimals a currency has (ISO 4217). Raises NoRate for a word that is no usual currency."""
    if currency not in EXPONENTS:
        raise NoRate(currency, "any day")
    return EXPONENTS[currency]


def amount_of(value: Value) -> Decimal | None:
    """A canonical decimal as a number; None for a blank and for what is no number."""
    if value is None or isinstance(value, bool) or len(text := str(value).strip()) > _LONGEST:
        return None
    try:
        found = Decimal(text)
    except DecimalException:
        return None
    return found if found.is_finite() and abs(found) < _TOO_MUCH else None


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount in the smallest unit that its currency has, half up (a half away from zero)."""
    with localcontext(_EXACT):
        return amount.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=ROUND_HALF_UP)


def converted(amount: Decimal, currency: str, day: str, table: RateTable) -> Decimal:
    """An amount in the table's currency at the rate of a day, rounded once. Raises NoRate."""
    rate = table.rate(currency, day)
    with localcontext(_EXACT):
        return rounded(amount * rate, table.to)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of amounts that are rounded already; nothing adds up to 0."""
    with localcontext(_EXACT):
        return sum(amounts, Decimal(0))


def text_of(amount: Decimal, currency: str) -> str:
    """An amount as canonical text with its currency's decimals: JPY «1200», USD «12.50»."""
    exact = rounded(amount, currency)
    return f"{exact:f}" if exact else f"{abs(exact):f}"  # there is no -0
