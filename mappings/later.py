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
        "effects": ("M104", "until then let the vendor's own automation react to a field"),
        "prefer": ("M105", "write `defaults: { conflict: … }`"),
    }
)
KIND: Mapping[str, Later] = _table(
    {
        "activity": ("M112", "this version syncs persons, accounts and deals"),
        "campaign": ("M113", "this version syncs persons, accounts and deals"),
        "membership": ("M114", "this version syncs persons, accounts and deals"),
    }
)
TYPE: Mapping[str, Later] = _table(
    {
        "multi_picklist": ("M123", "until then leave the arrow out"),
        "opt_out": ("M127", "opt-outs are latches: write them in the `consent:` block"),
    }
)
ROW: Mapping[str, Later] = _table(
    {
        "expr": ("M130", "until then compute with `join` or `bands`, or in a formula field of the vendor"),
        "if_blank": ("M132", "it belongs to `type: reference`"),
        "region_from": (
            "M137",
            "until then `region:` names one country; numbers that begin with + need none",
        ),
        "parent": ("M135", "it belongs to accounts"),
        "key_blank_as": ("M134", "it belongs to matching by several fields"),
    }
)
COMPUTE: Mapping[str, Later] = _table(
    {
        "first": ("M141", "until then choose with `values:` or in a formula field of the vendor"),
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
CONDITION: Mapping[str, Later] = _table(
    {
        "expr": ("M130", "until then write it with at_least, below, present, blank, lists, any: and not:"),
        "consent": ("M170", "an opt-out always flows; campaigns must ask the consent fields themselves"),
    }
)
