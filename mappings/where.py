"""A condition from outside a file, asked of a route's people: the words and fields of that file's own conditions.

It decides which fields can be asked; what the words mean is `conditions`' affair. It knows no record and no vendor.
"""

from __future__ import annotations

from mappings.compile import Source
from mappings.conditions import Asked, Compiled, Conditions
from mappings.errors import MappingError, Sink, errors
from mappings.source import parse
from mappings.words import grammar

PLACE = "--where"


def condition(source: Source, text: str) -> Compiled:
    """Compile a condition such as `{ country: [日本] }` over the fields of a file. Raises MappingError."""
    sink = Sink(PLACE)
    node = parse(text, sink)
    askable = {row.rule.name: Asked(type=row.rule.type, codec=row.codec) for row in source.rows}
    found = Conditions(askable, sink, grammar().conditions).compile(node) if node is not None else None
    wrong = errors(sink.found)
    if wrong or found is None:
        raise MappingError(wrong)
    return found
