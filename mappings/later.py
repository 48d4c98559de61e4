"""Words that belong to later versions, each refused by its name and with what to do until then.

A file written ahead of its time must not half-work: silence about `exceptions:` would send what it forbids.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Later(NamedTuple):
    """One word that is known and not there yet."""

    code: str
    until_then: str


def _table(words: dict[str, tuple[str, str]]) -> Mapping[str, Later]:
    return MappingProxyType({word: Later(code, hint) for word, (code, hint) in words.items()})


FILE: Mapping[str, Later] = _table(
    {
        "exceptions": (
            "M101",
            "until then leave such fields without an arrow, or keep these people out with `scope:`",
        ),
        "people": ("M102", "until then map persons only"),
        "recycle": ("M103", "until then keep the nurture campaign's own trigger"),
        "effects": ("M104", "until then let the vendor's own automation react to a field"),
        "prefer": ("M105", "write `defaults: { conflict: … }`"),
    }
)
KIND: Mapping[str, Later] = _table(
    {
        "account": ("M110", "this version syncs persons; a contact's company can be read as Account.Name"),
        "opportunity": ("M111", "this version syncs persons only"),
        "activity": ("M112", "this version syncs persons only"),
        "campaign": ("M113", "this version syncs persons only"),
        "membership": ("M114", "this version syncs persons only"),
    }
)
TYPE: Mapping[str, Later] = _table(
    {
        "reference": (
            "M120",
            "until then leave the arrow out, or use `type: key` where the value is a record's id",
        ),
        "user": ("M121", "until then carry the owner's address as `type: email`, without an arrow"),
        "money": ("M122", "until then use `type: decimal` with `scale:`, in one currency"),
        "multi_picklist": ("M123", "until then leave the arrow out"),
        "opt_out": ("M127", "opt-outs are latches: write them in the `consent:` block"),
    }
)
ROW: Mapping[str, Later] = _table(
    {
        "expr": ("M130", "until then compute with `join` or `bands`, or in a formula field of the vendor"),
        "when": ("M131", "until then limit whole people with `scope:`"),
        "to": ("M120", "it belongs to `type: reference`"),
        "missing": ("M120", "it belongs to `type: reference`"),
        "by": ("M121", "it belongs to `type: user`"),
        "if_blank": ("M132", "it belongs to `type: reference`"),
        "unlisted": ("M133", "until then list every word, or read the field as text"),
        "key_blank_as": ("M134", "it belongs to accounts"),
        "currency": ("M122", "it belongs to `type: money`"),
        "rate_of": ("M122", "it belongs to `type: money`"),
        "region_from": (
            "M137",
            "until then `region:` names one country; numbers that begin with + need none",
        ),
        "parent": ("M135", "it belongs to accounts"),
        "fields_on": ("M136", "it belongs to opportunities"),
    }
)
COMPUTE: Mapping[str, Later] = _table(
    {
        "sum": ("M140", "it adds up deals; this version syncs persons"),
        "first": ("M141", "until then choose with `values:` or in a formula field of the vendor"),
        "of": ("M140", "it belongs to `sum`"),
        "when": ("M131", "until then limit whole people with `scope:`"),
        "expr": ("M130", "until then use `join` or `bands`"),
    }
)
POLICY: Mapping[str, Later] = _table(
    {
        "newest": ("M150", "name the side that wins; `hold` asks a person"),
        "union": ("M151", "it belongs to `type: multi_picklist`"),
    }
)
MATCH: Mapping[str, Later] = _table(
    {
        "similar": ("M160", "until then match by id and by e-mail"),
        "decide": ("M161", "until then an ambiguous match always waits for a person"),
    }
)
OBJECT: Mapping[str, Later] = _table(
    {"fields_on": ("M136", "this version needs an object of its own on each side")}
)
CONDITION: Mapping[str, Later] = _table(
    {
        "expr": ("M130", "until then write it with at_least, below, present, blank, lists, any: and not:"),
        "consent": ("M170", "an opt-out always flows; campaigns must ask the consent fields themselves"),
    }
)
THRESHOLD: Mapping[str, Later] = _table(
    {
        "enter": ("M180", "until then write the number where it is asked: `{ score: { at_least: 70 } }`"),
        "leave": ("M180", "until then write the number where it is asked: `{ score: { at_least: 70 } }`"),
        "dwell": ("M180", "until then write the number where it is asked: `{ score: { at_least: 70 } }`"),
        "hot": ("M180", "until then write the number where it is asked: `{ score: { at_least: 70 } }`"),
    }
)
