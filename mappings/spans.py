"""Lengths of time as people write them: 30s, 30m, 24h, 90d."""

from __future__ import annotations

import re
from types import MappingProxyType

from mappings.grammar import Reading, want_text
from mappings.source import Node

_UNITS = MappingProxyType({"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0})
_SPAN = re.compile(r"(\d{1,5})\s*([smhd])")


def span(node: Node, reading: Reading, what: str) -> float:
    """A length of time in seconds; 0 for anything else, which is reported."""
    text = want_text(node, reading.sink, what)
    found = _SPAN.fullmatch(text.text) if text else None
    if text is not None and found is None:
        hint = "write seconds, minutes, hours or days: 30s, 30m, 24h, 90d"
        reading.sink.error(text.at, "M014", f"{what} cannot be «{text.text}»", hint)
    return int(found[1]) * _UNITS[found[2]] if found else 0.0
