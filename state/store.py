"""The SQL store: the journal as the engine sees it, on one file with one owner.

It decides how a question of `sync.ports.Store` becomes one statement and how tuples become rows again. How
patches are written and owned is `state.journal`'s and `state.lease`'s; it may not know what the engine wants
with the answers. Used from one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from sqlalchemy.exc import DBAPIError

from state.journal import Journal
from state.lease import Lease, may_live
from state.questions import Questions
from state.rename import count_in, rename_in, systems_in
from state.sql import Room, Statement, as_fatal, as_list, give_room, open_database, rebuild, room
from sync.normalise import encode
from sync.ports import Clock
from sync.rows import (
    BatchRow,
    CommandRow,
    HoldRow,
    KeyRow,
    Mark,
    OperationRow,
    Patch,
    RecordRow,
    Row,
    RunRow,
    StandingRow,
)

R = TypeVar("R", bound=Row)


class SqlStore:
    """A `sync.ports.Store` in SQLite, durable at every commit.

    `place`: a path or `sqlite:///path`. `owner`: a name no other living process has (`state.lease.this_process`).
    `lease_seconds`: how long the journal stays ours without a commit or `renew`. `block`: sequence numbers
    leased at once. `wait`: seconds for another process's short write. `alive`: says of another owner whether
    it may still run. Raises Fatal where the journal cannot be used or another owner lives.
    """

    def __init__(
        self,
        place: str | Path,
        clock: Clock,
        owner: str,
        *,
        lease_seconds: float = 30.0,
        block: int = 10_000,
        wait: float = 10.0,
        alive: Callable[[str], bool] = may_live,
    ) -> None:
        self._lease = Lease(owner, lease_seconds, clock, alive=alive)
        self._journal = Journal(open_database(place, wait=wait), self._lease, block=block)
        self._questions = Questions(self._journal.connection.dialect)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lease back and disconnect."""
        self._journal.close()

    def renew(self) -> None:
        """Keep the lease while there is nothing to commit; raises LeaseLost if somebody else took over."""
        with self._journal.writing():
            pass

    def room(self) -> Room:
        """How large the file is, and what of it is empty."""
        return room(self._journal.connection)

    def give_room(self, pages: int) -> None:
        """Give at most so many empty pages back to the disk, in one short transaction; raises LeaseLost, Fatal."""
        self.renew()
        try:
            give_room(self._journal.connection, pages)
        except DBAPIError as error:
            raise as_fatal(error) from error

    def rebuild(self) -> None:
        """Write the file anew, as one that gives room back; nobody else writes meanwhile. Raises LeaseLost, Fatal."""
        self.renew()
        try:
            rebuild(self._journal.connection)
        except DBAPIError as error:
            raise as_fatal(error) from error

    def lease_left(self) -> float:
        """Seconds for which nobody else may take over: a request must not be able to outlive them."""
        return self._lease.left()

    def numbers(self, count: int) -> range:
        """Fresh sequence numbers, ascending over the journal's whole life."""
        return self._journal.numbers(count)

    def commit(self, patch: Patch, *, durable: bool = True) -> None:  # noqa: ARG002 (always durable here)
        """Apply a patch in one synced transaction; raises LeaseLost, or Fatal with nothing of it kept."""
        self._journal.commit(patch)

    def get(self, kind: type[R], keys: Iterable[tuple[object, ...]]) -> list[R]:
        """Rows by primary key, those that exist."""
        make: Callable[[Iterable[Any]], Any] = kind._make
        return list(map(make, self._ask(self._questions.get[kind], keys=as_list(dict.fromkeys(keys)))))

    def records_of(self, entities: Iterable[int]) -> list[RecordRow]:
        """All records of these entities."""
        rows = self._ask(self._questions.records_of, entities=as_list(entities))
        return list(map(RecordRow._make, rows))

    def open_operations(self, entities: Iterable[int]) -> list[OperationRow]:
        """All operations of these entities whose state is open."""
        rows = self._ask(self._questions.open_operations, entities=as_list(entities))
        return list(map(OperationRow._make, rows))

    def holds_of(self, entities: Iterable[int]) -> list[HoldRow]:
        """All holds of these entities."""
        rows = self._ask(self._questions.holds_of, entities=as_list(entities))
        return list(map(HoldRow._make, rows))

    def standings(self, entities: Iterable[int]) -> list[StandingRow]:
        """What standing rules remember of these entities."""
        rows = self._ask(self._questions.standings, entities=as_list(entities))
        return list(map(StandingRow._make, rows))

    def wakes(self, route: str, now: float, limit: int) -> list[StandingRow]:
        """Standings of a route whose `wake` is set and not after `now`, oldest first, then by entity and rule."""
        rows = self._ask(self._questions.wakes, route=route, now=now, limit=limit)
        return list(map(StandingRow._make, rows))

    def commands(self, route: str) -> list[CommandRow]:
        """Persons' words to a route that no cycle has read yet, oldest first."""
        return list(map(CommandRow._make, self._ask(self._questions.commands, route=route)))

    def holders(self, system: str, kind: str, hashes: Iterable[str]) -> list[KeyRow]:
        """Keys and claims with one of these hashes."""
        rows = self._ask(self._questions.holders, system=system, kind=kind, hashes=as_list(hashes))
        return list(map(KeyRow._make, rows))

    def dirty(self, kind: str, systems: Iterable[str], after: int, limit: int) -> list[Mark]:
        """Records noted after a watermark, oldest mark first, then by name."""
        among = as_list(systems)
        rows = self._ask(self._questions.dirty, kind=kind, systems=among, after=after, limit=limit)
        return list(map(Mark._make, rows))

    def refetch_due(self, system: str, kind: str, now: float, limit: int) -> list[RecordRow]:
        """Records whose `refetch_at` is set and not after `now`, oldest first, then by name."""
        rows = self._ask(self._questions.refetch_due, system=system, kind=kind, now=now, limit=limit)
        return list(map(RecordRow._make, rows))

    def due(self, route: str, now: float, limit: int, besides: Collection[str] = ()) -> list[OperationRow]:
        """Operations that may leave, by lane, then id; those in open batches or for the systems `besides` are left
        out."""
        asked = {
            "route": route,
            "now": now,
            "limit": limit,
            "away": self._away(),
            "besides": as_list(besides),
        }
        rows = self._ask(self._questions.due, **asked)
        return list(map(OperationRow._make, rows))

    def planned(self, route: str) -> Mapping[tuple[int, str], int]:
        """Unreleased planned operations counted by (run, action)."""
        rows = self._ask(self._questions.planned, route=route)
        return {(run, action): count for run, action, count in rows}

    def effects(self, keys: Iterable[str]) -> list[OperationRow]:
        """The operations with these effect keys, in whatever state."""
        rows = self._ask(self._questions.effects, keys=as_list(dict.fromkeys(keys)))
        return list(map(OperationRow._make, rows))

    def next_due(self, route: str) -> float | None:
        """The earliest time at which a pending, waiting or failed operation of the route may leave."""
        ((at,),) = self._ask(self._questions.next_due, route=route, away=self._away())
        return None if at is None else float(at)

    def batches(self, system: str) -> list[BatchRow]:
        """Batches that left and are not settled, oldest first."""
        return list(map(BatchRow._make, self._ask(self._questions.batches, system=system)))

    def written(self, route: str, since: float) -> Mapping[str, int]:
        """Operations applied at or after a time, counted by action."""
        return dict(self._ask(self._questions.written, route=route, since=since))

    def count_linked(self, route: str) -> int:
        """Entities with a base under this route."""
        return self._count(self._questions.count_linked, route=route)

    def count_records(self, system: str, kind: str) -> int:
        """Live records that we hold."""
        return self._count(self._questions.count_records, system=system, kind=kind)

    def systems(self) -> set[str]:
        """Every name under which records, work or cursors are held."""
        return systems_in(self._journal.connection)

    def held_under(self, system: str) -> dict[str, int]:
        """How many rows each table holds under a system's name."""
        return count_in(self._journal.connection, system)

    def rename_system(self, old: str, new: str, run: RunRow) -> dict[str, int]:
        """Call a system otherwise, whatever is held under its name, in one transaction together with the `run` that
        tells of it; how many rows of each table it concerned. Raises LeaseLost, or Fatal with nothing of it kept."""
        with self._journal.writing():
            changed = rename_in(self._journal.connection, old, new)
            told = run._replace(body=encode({"from": old, "to": new, "rows": changed}))
            self._journal.put_now(told)
        return changed

    def _away(self) -> str:
        bodies = self._ask(self._questions.away)
        return as_list(one for (body,) in bodies for one in msgspec.json.decode(body))

    def _count(self, question: Statement, **values: object) -> int:
        ((count,),) = self._ask(question, **values)
        return int(count)

    def _ask(self, question: Statement, **values: object) -> list[tuple[Any, ...]]:
        try:
            return question.run(self._journal.connection, **values)
        except DBAPIError as error:
            raise as_fatal(error) from error
