"""Reading the journal from beside its owner: one read-only connection, answers from one snapshot, rows as data.

It decides how rows become what `state.answers` shows. It writes nothing, holds no lease, and neither waits for
the owner nor makes it wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.exc import DBAPIError

from state import migrate
from state.answers import HoldInfo, OperationInfo, RecordInfo, RunInfo
from state.journal import transaction
from state.sql import BEGIN_READ, Statement, among, as_fatal, as_list, by_keys, open_database
from state.tables import table_of
from sync.record import Ref
from sync.rows import HoldRow, OperationRow, RecordRow, Row, RunRow

R = TypeVar("R", bound=Row)


class Reader:
    """A read-only connection to a journal; raises Fatal where there is none, or one of another schema."""

    def __init__(self, place: str | Path, *, wait: float = 10.0) -> None:
        self._by_key: dict[type[Any], Statement] = {}
        self._engine = open_database(place, read_only=True, wait=wait)
        try:
            self._connection = self._engine.connect()
        except DBAPIError as error:
            raise as_fatal(error) from error
        try:
            with self.snapshot():
                migrate.require_current(self._connection)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one moment; database errors become Fatal."""
        with transaction(self._connection, BEGIN_READ):
            yield

    def version(self) -> int:
        """A number that changes whenever anybody has committed something since it was last asked for."""
        ((number,),) = self._connection.exec_driver_sql("PRAGMA data_version")
        return int(number)

    def ask(self, query: Select[Any], **values: object) -> Iterable[tuple[Any, ...]]:
        """The rows of a query one by one, inside a snapshot, to be read before the next query."""
        return Statement(query, self._connection.dialect).each(self._connection, **values)

    def rows(self, kind: type[R], query: Select[Any], **values: object) -> list[R]:
        """The rows of a query over all columns of one kind."""
        make: Any = kind._make
        return list(map(make, self.ask(query, **values)))

    def get(self, kind: type[R], keys: Iterable[tuple[object, ...]]) -> list[R]:
        """Rows by primary key, those that exist."""
        if kind not in self._by_key:  # a trace asks for pages again and again
            query = by_keys(table_of(kind), len(table_of(kind).primary_key))
            self._by_key[kind] = Statement(query, self._connection.dialect)
        found = self._by_key[kind].run(self._connection, keys=as_list(dict.fromkeys(keys)))
        make: Any = kind._make
        return list(map(make, found))

    def of_entities(self, kind: type[R], entities: Iterable[int]) -> list[R]:
        """Rows of a kind that names its entity."""
        table = table_of(kind)
        query = select(*table.c).where(among(table.c.entity, "entities"))
        return self.rows(kind, query, entities=as_list(entities))


def decoded(body: bytes | str) -> Any:
    """A body as data; an empty one is an empty object."""
    return msgspec.json.decode(body) if body else {}


def run_info(row: RunRow) -> RunInfo:
    """A run for a screen."""
    return RunInfo(
        id=row.id, route=row.route, trigger=row.trigger, digest=row.digest, started=row.started, ended=row.ended,
        state=row.state, released=row.released, figures=decoded(row.body),
    )  # fmt: skip


def record_info(row: RecordRow) -> RecordInfo:
    """A record for a screen."""
    return RecordInfo(
        ref=row.ref, kind=row.kind, entity=row.entity, role=row.role, state=row.state, moved_to=row.moved_to,
        version=row.version, created=row.created, values=decoded(row.body), unconfirmed=decoded(row.unconfirmed),
    )  # fmt: skip


def operation_info(row: OperationRow) -> OperationInfo:
    """An operation for a screen."""
    return OperationInfo(
        id=row.id, entity=row.entity, route=row.route, run=row.run, action=row.action,
        target=Ref(row.system, row.object, row.record), lane=row.lane, state=row.state, at=row.at,
        attempts=row.attempts, digest=row.digest, hash=row.hash, made_at=row.made_at, done_at=row.done_at,
        reason=row.reason, work=decoded(row.body),
    )  # fmt: skip


def hold_info(row: HoldRow, records: Mapping[int, tuple[RecordInfo, ...]]) -> HoldInfo:
    """A hold for a screen, with its entity's records."""
    return HoldInfo(
        entity=row.entity, field=row.field, kind=row.kind, route=row.route, since=row.since,
        details=decoded(row.body), answer=row.answer, records=records.get(row.entity, ()),
    )  # fmt: skip


def records_by_entity(reader: Reader, entities: Iterable[int]) -> dict[int, tuple[RecordInfo, ...]]:
    """The records of each entity, in the order of their names."""
    found: dict[int, list[RecordInfo]] = {}
    for row in sorted(reader.of_entities(RecordRow, set(entities))):
        found.setdefault(row.entity, []).append(record_info(row))
    return {entity: tuple(records) for entity, records in found.items()}
