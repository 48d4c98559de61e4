"""Write a telephone number as E.164, and say whether it can stand for a person.

Decides what counts as a number, read as dialled in a default region. It knows no vendor; whether somebody answers, it
cannot know.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

_SEPARATORS = str.maketrans("", "", " -()")
# Japan's national numbers in full: 0 and nine or ten digits, no international prefix (00…, 010…).
_JAPANESE = re.compile(r"0(?!10)[1-9]\d{8}|0[5789]0\d{8}")
_JAPANESE_E164 = re.compile(r"\+81[1-9]\d{8}|\+81[5789]0\d{8}")
_LETTER = re.compile(r"[^\W\d_]")
_EXTENSION = re.compile(r"(?:ext\.?|extension|内線|x)[\s.:]*\d{1,7}\)?$", re.IGNORECASE)


class PhoneClass(StrEnum):
    """What a number can prove: a mobile one a person; a fixed, toll-free or Internet one a company at most."""

    MOBILE = "mobile"
    FIXED = "fixed"
    OTHER = "other"


def normalise_phone(text: str, region: str = "JP") -> str | None:
    """Give the number as E.164 (`+81312345678`), or None where the text is no full telephone number.

    `region` is the ISO 3166 country in which a number without a country code would be dialled. An extension is left
    out. Only the length is checked against the numbering plan, so that a range opened yesterday passes today.
    Applying it twice changes nothing.
    """
    short = _japanese(text, region)
    if short is None and not text.isascii():  # full-width digits and brackets
        short = _japanese(unicodedata.normalize("NFKC", text).strip(), region)
    return short or _parse(text, region)


def _japanese(text: str, region: str) -> str | None:
    """The number, where it is Japanese beyond doubt; None says nothing."""
    digits = text.translate(_SEPARATORS)
    if region == "JP" and _JAPANESE.fullmatch(digits):
        return "+81" + digits[1:]
    return digits if _JAPANESE_E164.fullmatch(digits) else None


@lru_cache(maxsize=16_384)
def classify_phone(number: str) -> PhoneClass:
    """Say what kind of line an E.164 number is; where a country's plan does not tell mobile from fixed, OTHER."""
    import phonenumbers
    from phonenumbers import PhoneNumberType

    match phonenumbers.number_type(phonenumbers.parse(number)):
        case PhoneNumberType.MOBILE:
            return PhoneClass.MOBILE
        case PhoneNumberType.FIXED_LINE:
            return PhoneClass.FIXED
        case _:
            return PhoneClass.OTHER


@lru_cache(maxsize=16_384)
def _parse(text: str, region: str) -> str | None:
    import phonenumbers  # late: its tables cost a cold command 40 ms, and most numbers take the short way

    folded = _EXTENSION.sub("", unicodedata.normalize("NFKC", text).strip())
    if _LETTER.search(folded):  # the library would read "call me" as dialled letters
        return None
    try:
        number = phonenumbers.parse(folded, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
