"""Whether a run was exact: every row of both sides, from the vendors' own state, never from renkei's.

It decides when two values mean the same: letter width, case and spaces aside, telephone numbers by their digits. It
shares no code with what it judges.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

Rows = Mapping[str, Mapping[str, Any]]
FIELDS = {
    "email": "Email", "firstName": "FirstName", "lastName": "LastName", "company": "Company", "phone": "Phone",
    "title": "Title", "website": "Website", "leadSource": "LeadSource", "leadScore": "MA_Score__c",
    "unsubscribed": "HasOptedOutOfEmail", "optOutSeminar": "Opt_Out_Seminar__c",
}  # fmt: skip
KEY = "Marketo_Id__c"


class Verdict(NamedTuple):
    """Leads that arrived exactly once with all their values, and what is wrong, counted by kind."""

    exact: int
    wrong: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """True if nothing is wrong."""
        return not self.wrong


def compare(marketo: Rows, salesforce: Rows, strangers: int = 0) -> Verdict:
    """Each lead has exactly one counterpart with equal values; `strangers` stand at Salesforce only."""
    wrong: Counter[str] = Counter()
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in salesforce.values():
        found.setdefault(str(row[KEY] or ""), []).append(row)
    alone = len(found.pop("", ()))
    if alone != strangers:
        wrong["unexpected without counterpart"] = abs(alone - strangers)
    exact = 0
    for key, lead in marketo.items():
        rows = found.pop(key, [])
        if len(rows) != 1:
            wrong["missing" if not rows else "doubled"] += 1
            continue
        differing = [
            name
            for name, theirs in FIELDS.items()
            if fold(name, lead.get(name)) != fold(name, rows[0][theirs])
        ]
        wrong.update(f"differs: {name}" for name in differing)
        exact += not differing
    if found:
        wrong["of nobody"] = sum(map(len, found.values()))
    return Verdict(exact, dict(wrong))


def fold(name: str, value: object) -> object:
    """What a value means."""
    if not isinstance(value, str):
        return None if value is None else value
    text = unicodedata.normalize("NFKC", value).casefold()
    if name == "phone":
        digits = "".join(filter(str.isdigit, text))
        return "0" + digits[2:] if digits.startswith("81") else digits
    return "".join(text.split()) or None
