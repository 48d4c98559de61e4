"""What `renkei check` says of mappings that load: whether they can work, alone, together and at the vendors.

`check` gathers; the questions stand in `offline` (the files alone) and `live` (against schemas and
capabilities). It reads what it is given and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mappings.compile import Source
from mappings.errors import Problem, Sink, in_order
from mappings.examples import run_examples
from mappings.live import check_live
from mappings.offline import across, check_file
from sync.ports import Capabilities
from sync.record import Schema

Schemas = Mapping[str, Mapping[str, Schema]]


def check(
    sources: Iterable[Source],
    schemas: Schemas | None = None,
    capabilities: Mapping[str, Capabilities] | None = None,
) -> list[Problem]:
    """Every finding of the loader, of the files together and, where schemas are given, of the live schemas.

    `schemas` is by system and object, `capabilities` by system; a system that is absent is not asked.
    """
    given = tuple(sources)
    found: list[Problem] = []
    for source in given:
        sink = Sink(source.draft.file, list(source.problems))
        check_file(source, sink)
        if source.rows and schemas:
            for system in set(source.draft.names) & set(schemas):
                check_live(source, system, schemas, (capabilities or {}).get(system), sink)
        found += sink.found
        found += run_examples(source)
    found += across(given)
    return list(in_order(found))


__all__ = ["Schemas", "check", "run_examples"]
