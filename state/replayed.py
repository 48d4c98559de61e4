"""Whose past a span of time holds: the records that reads changed in it, and those that were met in it.

It decides whom a replay has to play. It may not know rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import bindparam, func, select

from state.reader import Reader
from state.sql import among, as_list
from state.tables import table_of
from sync.record import Ref
from sync.rows import ObservedRow, RecordRow, RunRow

_OBSERVED, _RECORD, _RUN = table_of(ObservedRow).c, table_of(RecordRow).c, table_of(RunRow).c
_entries = msgspec.json.Decoder(list[list[object]]).decode


def touched(reader: Reader, kind: str, systems: Sequence[str], since: float) -> list[int]:
    """The entities of a kind whose records were read with other values, or for the first time, since a time (unix
    seconds), by number."""
    with reader.snapshot():
        refs = dict.fromkeys(_changed(reader, kind, systems, since))
        found = {row.entity for row in reader.get(RecordRow, [tuple(ref) for ref in refs])}
        query = select(_RECORD.entity).where(
            _RECORD.kind == bindparam("kind"), among(_RECORD.system, "systems"),
            _RECORD.entity >= bindparam("first"),
        )  # fmt: skip
        first = _number_at(reader, since)
        met = reader.ask(query, kind=kind, systems=as_list(systems), first=first)
        return sorted(found | {int(number) for (number,) in met})


def first_refs(reader: Reader, entities: Sequence[int]) -> list[Ref]:
    """One record of each entity, by which its trace is asked for."""
    with reader.snapshot():
        rows = reader.of_entities(RecordRow, entities)
    return list({row.entity: row.ref for row in rows}.values())


def _changed(reader: Reader, kind: str, systems: Sequence[str], since: float) -> Iterator[Ref]:
    query = select(_OBSERVED.system, _OBSERVED.body).where(
        _OBSERVED.at > bindparam("since"),
        _OBSERVED.kind == bindparam("kind"),
        among(_OBSERVED.system, "systems"),
    )
    for system, body in reader.ask(query, since=since, kind=kind, systems=as_list(systems)):
        for entry in _entries(body):
            yield Ref(str(system), str(entry[0]), str(entry[1]))


def _number_at(reader: Reader, since: float) -> int:
    """The number that the first run since a time bears; what is met later bears a greater one."""
    query = select(func.min(_RUN.id)).where(_RUN.started > bindparam("since"))
    ((number,),) = reader.ask(query, since=since)
    return int(number) if number is not None else 2**62
