"""What a created person costs the journal: nine row writes in three transactions, through the store and bare.

Bare = the same statements on the same tables by `sqlite3.executemany`, without store, lease or checks. Both
run in the same process, in turns; CPU seconds are the measure, because the disk is everybody's.
Run: python -m benchmarks.store_rows [persons] [rounds]
"""

from __future__ import annotations

import gc
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from state.store import SqlStore
from sync.rows import APPLIED, PENDING, BaseRow, KeyRow, OperationRow, Patch, RecordRow

CHUNK = 300
ROWS = 9


class _Clock:
    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def record(system: str, object_: str, number: int, noted: int) -> RecordRow:
    """A person's record with twelve values."""
    values = {f"field{n}": f"value {n} 山田太郎 of {number}" for n in range(12)}
    body = msgspec.json.encode(values)
    stamp = "2026-11-22T10:00:00Z"
    return RecordRow(
        system, object_, f"{object_}{number:09}", "person", number, 0, 0, "", noted, 0, 0.0, stamp, stamp, -1, noted,
        0.0, 0, body, "",
    )  # fmt: skip


def operation(number: int, state: str) -> OperationRow:
    """The create of a person on the other side."""
    body = msgspec.json.encode({f"field{n}": [None, f"value {n} 山田太郎 of {number}"] for n in range(12)})
    applied = state == APPLIED
    return OperationRow(
        number, number, "people", 1, "create", "sfa", "Lead", "", 2, state, 0.0, int(applied), 0, "digest",
        f"{number:064x}", "", 1.0, 2.0 if applied else 0.0, "", body,
    )  # fmt: skip


def patches(persons: int) -> Iterator[Patch]:
    """Note, decide and settle for each chunk of persons."""
    base = msgspec.json.encode({f"field{n}": ["fingerprint", "value", "value", 0, 0] for n in range(12)})
    for start in range(1, persons + 1, CHUNK):
        chunk = range(start, min(start + CHUNK, persons + 1))
        noted, decided, settled = Patch(), Patch(), Patch()
        for n in chunk:
            hash_ = f"{n * 2654435761 % 2**64:016x}"
            claim = KeyRow("sfa", "person", hash_, "", "", n)
            noted.put(record("ma", "lead", n, start))
            noted.put(KeyRow("ma", "person", hash_, "lead", f"lead{n:09}", 0))
            decided.put(operation(n, PENDING))
            decided.put(claim)
            settled.put(operation(n, APPLIED))
            settled.drop(claim)
            settled.put(record("sfa", "Lead", n, start))
            settled.put(KeyRow("sfa", "person", hash_, "Lead", f"Lead{n:09}", 0))
            settled.put(BaseRow(n, "people", base))
        yield from (noted, decided, settled)


def through_store(place: Path, work: list[Patch]) -> float:
    """CPU seconds of committing every patch through the store."""
    with SqlStore(place, _Clock(), "benchmark") as store:
        started = time.process_time()
        for patch in work:
            store.commit(patch)
        return time.process_time() - started


def bare(place: Path, work: list[Patch]) -> float:
    """CPU seconds of the same rows by executemany."""
    with SqlStore(place, _Clock(), "benchmark") as store:
        puts = {kind: statement.sql for kind, statement in store._journal._puts.items()}
        drops = {kind: statement.sql for kind, statement in store._journal._drops.items()}
    connection = sqlite3.connect(place, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    started = time.process_time()
    for patch in work:
        connection.execute("BEGIN IMMEDIATE")
        for kind, keys in patch.drops.items():
            connection.executemany(drops[kind], _tuples(keys))
        for kind, rows in patch.puts.items():
            connection.executemany(puts[kind], rows.values())
        connection.execute("COMMIT")
    spent = time.process_time() - started
    connection.close()
    return spent


def _tuples(keys: dict[tuple[object, ...], None]) -> list[tuple[object, ...]]:
    return list(keys)


def main(persons: int = 20_000, rounds: int = 3) -> None:
    """Print µs per person and row, and the ratio to bare statements, a line a round."""
    work = list(patches(persons))
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            ours = through_store(Path(folder, f"store{number}.db"), work) / persons * 1e6
            raw = bare(Path(folder, f"bare{number}.db"), work) / persons * 1e6
            print(
                f"round {number + 1}: store {ours:.1f} µs a person ({ours / ROWS:.2f} a row),"
                f" bare {raw:.1f} µs, ratio {ours / raw:.2f}"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
