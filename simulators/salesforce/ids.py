"""Record ids: 15 characters that tell upper from lower case, and 3 characters that guard the case.

Decides how an id is built, widened to 18 characters and recognised; knows nothing of records.
"""

from __future__ import annotations

import re

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
PREFIXES = {
    "Account": "001", "Contact": "003", "User": "005", "Opportunity": "006", "OpportunityContactRole": "00K",
    "Lead": "00Q", "Task": "00T", "RecordType": "012", "OpportunityStage": "01J", "Campaign": "701",
}  # fmt: skip
INSTANCE = "5g0"  # after the prefix: the organisation's part of the id
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\Z")


def suffix(id15: str) -> str:
    """Give the three check characters: one per five characters, a bit for each upper-case letter."""
    out = ""
    for start in (0, 5, 10):
        bits = 0
        for place, letter in enumerate(id15[start : start + 5]):
            if "A" <= letter <= "Z":
                bits |= 1 << place
        out += CHECK[bits]
    return out


def new_id(prefix: str, number: int) -> str:
    """Build the 18-character id of the `number`-th record; ids of one prefix sort in order of creation."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = ALPHABET[rest] + digits
    id15 = prefix + INSTANCE + digits.rjust(9, "0")
    return id15 + suffix(id15)


def normalise(text: str) -> str | None:
    """Widen to 18 characters and repair the case from the check characters; None when it is no id."""
    if not _SHAPE.match(text):
        return None
    if len(text) == 15:
        return text + suffix(text)
    if suffix(text[:15]) == text[15:]:
        return text
    return _repaired(text)


def _repaired(text: str) -> str | None:
    """Undo a change of case: the check characters say which letters are capitals."""
    out = ""
    for group, letter in enumerate(text[15:].upper()):
        bits = CHECK.find(letter)
        if bits < 0:
            return None
        for place, char in enumerate(text[group * 5 : group * 5 + 5]):
            out += char.upper() if bits >> place & 1 else char.lower()
    fixed = out + suffix(out)
    return fixed if fixed[15:] == text[15:].upper() else None
