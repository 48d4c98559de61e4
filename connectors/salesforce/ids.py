"""Salesforce ids: fifteen characters that tell letter case apart, or eighteen with a checksum.

Decides the one form that we keep (eighteen). Source: the vendor's page "ID Field Type".
"""

from __future__ import annotations

import re

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z")


def is_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _ID.match(text) is not None


def full_id(text: str) -> str:
    """The eighteen-character form of an id; what has not fifteen characters is given back as it is."""
    if len(text) != 15:
        return text
    groups = (text[start : start + 5] for start in (0, 5, 10))
    marks = (sum(1 << place for place, letter in enumerate(group) if letter.isupper()) for group in groups)
    return text + "".join(_SUFFIX[mark] for mark in marks)
