"""How a field's type reads a vendor's value, writes it back and orders it.

Each type is one function from options to a codec; all codecs take None as None and never guess: what a type
cannot read is an UnknownValue, which holds that field and nothing else. Text-like types keep what they cannot
parse as trimmed text, so that an odd telephone number is still carried over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from matching.company import normalise_company
from matching.corporate_number import normalise_corporate_number
from matching.domain import normalise_domain
from matching.email import normalise_email
from matching.phone import normalise_phone
from sync.errors import UnknownValue
from sync.record import Raw, Side, Value

Read: TypeAlias = Callable[[Raw], Value]
WriteValue: TypeAlias = Callable[[Value], Raw]
Order: TypeAlias = Callable[[Value], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """A `values:` table: left word -> right word, and back, where the first listed wins.

    Left words with the same right word mean the same: the first listed is canonical for all of them.
    """

    forward: Mapping[str, str]
    back: Mapping[str, str]

    @property
    def canonical(self) -> Mapping[str, str]:
        """Left word -> the left word that stands for it."""
        return {left: self.back[right] for left, right in self.forward.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a row says beside its type."""

    region: str = "JP"
    scale: int | None = None
    values: ValueMap | None = None
    unlisted: str | None = None


class Codec(NamedTuple):
    """One type on one side. `order` ranks canonical values for max and min (None = the type has no order)."""

    read: Read
    write: WriteValue
    order: Order | None = None


TypeRule: TypeAlias = Callable[[Options, Side], Codec]


def as_text(raw: Raw) -> str | None:
    """A vendor's scalar as trimmed text in Unicode NFC with ordinary line ends; None for blank."""
    if raw is None:
        return None
    text = raw.strip() if isinstance(raw, str) else _scalar_text(raw)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text or None


def _scalar_text(raw: Raw) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)


def _same(value: Value) -> Raw:
    return value


def _folded(raw: Raw) -> str | None:
    """Text of a number or date in ordinary width."""
    text = as_text(raw)
    return text if text is None or text.isascii() else unicodedata.normalize("NFKC", text).strip()


def text_type(_options: Options, _side: Side) -> Codec:
    """Any text; blank and null are one."""
    return Codec(as_text, _same)


def key_type(_options: Options, _side: Side) -> Codec:
    """A record's id as text."""
    return Codec(as_text, _same)


def _text_like(normalise: Callable[[str], str | None]) -> TypeRule:
    """A type of text with a normal form; what has none stays as text, so that it is still carried over."""

    def text_like(_options: Options, _side: Side) -> Codec:
        def read(raw: Raw) -> Value:
            text = as_text(raw)
            return text if text is None else normalise(text) or text

        return Codec(read, _same)

    return text_like


def phone_type(options: Options, _side: Side) -> Codec:
    """E.164, read as dialled in `region`; what is no number stays as text."""
    region = options.region

    def read(raw: Raw) -> Value:
        text = as_text(raw)
        number = None if text is None else normalise_phone(text, region)
        # A number that would read as another one when it comes back is no number: it would flip for ever.
        return number if number and normalise_phone(number, region) == number else text

    return Codec(read, _same)


_INTEGER = re.compile(r"[+-]?\d{1,18}")


def integer_type(_options: Options, _side: Side) -> Codec:
    """A whole number; 64.0 is one, 64.5 is not."""

    def read(raw: Raw) -> Value:
        if type(raw) is int:  # the usual case, and bool is none
            return raw
        text = _folded(raw)
        if text is None:
            return None
        if isinstance(raw, bool) or not _INTEGER.fullmatch(text):
            raise UnknownValue(raw)
        return int(text)

    return Codec(read, _same, _number)


def decimal_type(options: Options, _side: Side) -> Codec:
    """An exact number as text, rounded half up to `scale` places (none: as it stands, without trailing zeros)."""
    step = None if options.scale is None else Decimal(1).scaleb(-options.scale)

    def read(raw: Raw) -> Value:
        text = _folded(raw)
        if text is None:
            return None
        if isinstance(raw, bool):
            raise UnknownValue(raw)
        try:
            number = Decimal(text)
            number = number if step is None else number.quantize(step, ROUND_HALF_UP)
        except InvalidOperation:
            raise UnknownValue(raw) from None
        if not number.is_finite() or abs(number) >= Decimal(10) ** 18:
            raise UnknownValue(raw)
        return _plain_decimal(number, options.scale)

    return Codec(read, _write_decimal, _number)


def _plain_decimal(number: Decimal, scale: int | None) -> str:
    if scale is not None:
        return f"{number:f}" if number else f"{abs(number):f}"
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def _write_decimal(value: Value) -> Raw:
    """A JSON number where it says exactly the same, else the text (vendors take both)."""
    if value is None:
        return None
    exact = Decimal(str(value))
    if exact == exact.to_integral_value():
        return int(exact)
    near = float(exact)
    return near if Decimal(repr(near)) == exact else str(value)


def _number(value: Value) -> object:
    return Decimal(str(value))


_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})


def boolean_type(_options: Options, _side: Side) -> Codec:
    """True or false; the texts true/false, yes/no and 1/0 count."""

    def read(raw: Raw) -> Value:
        if raw is None or isinstance(raw, bool):
            return raw
        word = (_folded(raw) or "").lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        if not word:
            return None
        raise UnknownValue(raw)

    return Codec(read, _same)


_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:T00:00:00(?:\.0+)?Z)?")


def date_type(_options: Options, _side: Side) -> Codec:
    """A calendar day as YYYY-MM-DD; a stamp counts only at midnight UTC, any other would need a guessed zone."""

    def read(raw: Raw) -> Value:
        text = _folded(raw)
        if text is None:
            return None
        found = _DATE.fullmatch(text)
        if not found:
            raise UnknownValue(raw)
        try:
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
        except ValueError:
            raise UnknownValue(raw) from None

    return Codec(read, _same, str)


def datetime_type(_options: Options, _side: Side) -> Codec:
    """An instant as ISO 8601 in UTC with Z; milliseconds only where there are any; no zone = unknown."""

    def read(raw: Raw) -> Value:
        text = _folded(raw)
        if text is None:
            return None
        try:
            stamp = datetime.fromisoformat(text)
            if stamp.tzinfo is None:
                raise UnknownValue(raw)
            stamp = stamp.astimezone(UTC)
        except (ValueError, OverflowError):
            raise UnknownValue(raw) from None
        detail = "milliseconds" if stamp.microsecond // 1000 else "seconds"
        return stamp.isoformat(timespec=detail).replace("+00:00", "Z")

    return Codec(read, _same, lambda value: datetime.fromisoformat(str(value)))


def picklist_type(options: Options, side: Side) -> Codec:
    """A word of a list. With `values:` the first left word for a right one is canonical; others are unknown.

    So 建設 and 建設業, which both mean Construction, are equal, and neither is overwritten by the other.
    """
    values = options.values
    if values is None:
        return Codec(as_text, _same)
    known = values.canonical if side is Side.MA else values.back

    def read(raw: Raw) -> Value:
        text = as_text(raw)
        if text is None:
            return None
        if text not in known and options.unlisted is None:
            raise UnknownValue(raw)
        return known.get(text, options.unlisted)

    def write(value: Value) -> Raw:
        return None if value is None else values.forward[str(value)]

    return Codec(read, _same if side is Side.MA else write)


TYPES: Mapping[str, TypeRule] = MappingProxyType(
    {
        "text": text_type,
        "email": _text_like(normalise_email),
        "company_name": _text_like(normalise_company),
        "corporate_number": _text_like(normalise_corporate_number),
        "domain": _text_like(normalise_domain),
        "phone": phone_type,
        "integer": integer_type,
        "decimal": decimal_type,
        "boolean": boolean_type,
        "date": date_type,
        "datetime": datetime_type,
        "picklist": picklist_type,
        "key": key_type,
        "reference": key_type,
        "user": _text_like(normalise_email),
        "money": decimal_type,
    }
)


def consent_codec(*, means_opted_out: bool) -> Codec:
    """A topic's cell: canonical True = opted out; `means_opted_out` says what the vendor's true stands for."""
    plain = boolean_type(Options(), Side.MA)

    def read(raw: Raw) -> Value:
        value = plain.read(raw)
        return value if value is None or means_opted_out else not value

    def write(value: Value) -> Raw:
        return value if value is None or means_opted_out else not value

    return Codec(read, write)
