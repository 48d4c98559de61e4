"""What is committed stays, what is not leaves no trace: synced connections, a full disk, a killed process."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from state.store import SqlStore
from sync.errors import Fatal
from sync.rows import BaseRow, RecordRow
from tests.contract.rows import BASE, RECORD, puts
from tests.state.clock import HandClock


def test_every_connection_syncs_every_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection that the store opens has journal_mode=wal and synchronous=2 (FULL), whatever it did since."""
    made: list[sqlite3.Connection] = []
    real = sqlite3.connect

    def recorded(*args: object, **options: object) -> sqlite3.Connection:
        made.append(real(*args, **options))  # type: ignore[call-overload]
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", recorded)
    with SqlStore(tmp_path / "renkei.db", HandClock(), "tests") as store:
        store.commit(puts(RECORD))
        store.numbers(3)
        store.commit(puts(BASE), durable=False)
        assert made
        for connection in made:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_full_disk_keeps_nothing_of_the_patch(tmp_path: Path) -> None:
    """A disk that fills up within a patch is a clear Fatal; all before it stays, and work goes on with more room."""
    with SqlStore(tmp_path / "renkei.db", HandClock(), "tests") as store:
        store.commit(puts(RECORD))
        connection = store._journal.connection
        ((pages,),) = connection.exec_driver_sql("PRAGMA page_count").fetchall()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}").close()
        large = puts(BASE, RECORD._replace(noted=9))
        for number in range(500):
            large.put(RECORD._replace(id=f"new{number}", body=b"x" * 2_000))
        with pytest.raises(Fatal, match="disk is full; nothing of this step was kept") as full:
            store.commit(large)
        assert full.value.next_step.startswith("free space")
        assert "x" * 20 not in f"{full.value} {full.value.__cause__}"
        assert store.get(RecordRow, [RECORD[:3]]) == [RECORD]
        assert store.count_records("ma", "person") == 1
        assert store.count_linked("people") == 0
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000").close()
        store.commit(large)
        assert store.count_records("ma", "person") == 501


def test_errors_carry_no_values(tmp_path: Path) -> None:
    """What a refused statement says names neither a value nor a person."""
    with SqlStore(tmp_path / "renkei.db", HandClock(), "tests") as store:
        with pytest.raises(Fatal) as refused:
            store.commit(puts(RECORD._replace(body=None, id="yamada@example.jp")))  # type: ignore[arg-type]
        assert "yamada" not in f"{refused.value} {refused.value.__cause__}"
        assert store.count_records("ma", "person") == 0


COMMITTER = """
import sys, time
from state.store import SqlStore
from tests.contract.rows import BASE, RECORD, puts
class Clock:
    now = staticmethod(time.time)
    sleep = staticmethod(time.sleep)
store = SqlStore(sys.argv[1], Clock(), 'child')
number = int(sys.argv[2])
while True:
    number += 1
    rows = [RECORD._replace(id=f'{number}/{part}', entity=number, body=b'x' * 3000) for part in range(60)]
    store.commit(puts(BASE._replace(entity=number), *rows))
    print(number, flush=True)
"""


def test_a_killed_process_loses_nothing_committed(tmp_path: Path) -> None:
    """Killed at any moment of a commit: what was acknowledged is there whole, and nothing is there in part."""
    place, acknowledged = tmp_path / "renkei.db", 0
    for heard in (1, 4, 9):
        acknowledged = _kill_after(place, acknowledged, heard)
        with SqlStore(place, HandClock(), "child") as store:
            bases = store.get(BaseRow, [(number, "people") for number in range(1, acknowledged + 50)])
            kept = sorted(row.entity for row in bases)
            assert kept in (list(range(1, acknowledged + 1)), list(range(1, acknowledged + 2)))
            for number in range(1, acknowledged + 50):
                assert len(store.records_of([number])) == (60 if number in kept else 0)
        acknowledged = len(kept)


def _kill_after(place: Path, start: int, heard: int) -> int:
    """Let a child commit without a pause, kill it after some acknowledgements; the last number it acknowledged."""
    command = [sys.executable, "-c", COMMITTER, str(place), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(heard):
            assert child.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.003 * heard)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait()
    return int(rest[-1]) if rest else start + heard
