"""Read a Japanese corporate number (法人番号), and say whether its check digit holds.

A number names a company as a whole: head office and branches share one. It knows no register, so a number that was
never given out but computes well passes.
"""

import re
import unicodedata

_GAPS = str.maketrans("", "", " -‐‑–—−ー")
_NUMBER = re.compile(r"T?([1-9][0-9]{12})")


def normalise_corporate_number(text: str) -> str | None:
    """Give the thirteen digits, or None where the text is no corporate number.

    An invoice registration number (適格請求書発行事業者) is a T before thirteen digits; a company's digits are its
    corporate number, a sole trader's never are, which the check digit tells. Applying it twice changes nothing.
    """
    folded = unicodedata.normalize("NFKC", text).translate(_GAPS).upper()
    found = _NUMBER.fullmatch(folded)
    return found[1] if found and found[1][0] == str(check_digit(found[1][1:])) else None


def check_digit(base: str) -> int:
    """The check digit (1-9) of twelve digits.

    Nine minus the rest by nine of the sum of the digits, counted from the right, every second one taken twice
    (ministerial ordinance on corporate numbers, article 2).
    """
    total = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(base)))
    return 9 - total % 9
