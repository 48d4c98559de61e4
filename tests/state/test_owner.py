"""One owner at a time: a second one is refused, an expired lease is taken over, and then the first cannot write."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.lease import may_live, this_process
from state.reader import Reader
from state.store import SqlStore
from state.views import runs
from sync.errors import Fatal, LeaseLost
from sync.rows import RecordRow
from tests.contract.rows import BASE, RECORD, RUN, puts
from tests.state.clock import HandClock


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the journal lies."""
    return tmp_path / "renkei.db"


@pytest.fixture
def clock() -> HandClock:
    """One clock for all owners: they share a machine."""
    return HandClock()


@pytest.fixture
def first(place: Path, clock: HandClock) -> Iterator[SqlStore]:
    """The owner that came first."""
    store = SqlStore(place, clock, "first", lease_seconds=30)
    yield store
    store.close()


def test_a_second_owner_is_refused(first: SqlStore, place: Path, clock: HandClock) -> None:
    """While the lease runs nobody else opens the journal, and the message says who owns it and what to do."""
    clock.at += 10
    with pytest.raises(Fatal) as refused:
        SqlStore(place, clock, "second")
    assert "Another renkei (first) works on this state." in str(refused.value)
    assert "wait 20 s" in refused.value.next_step
    first.commit(puts(RECORD))
    assert first.get(RecordRow, [RECORD[:3]]) == [RECORD]


def test_closing_gives_the_journal_to_the_next(first: SqlStore, place: Path, clock: HandClock) -> None:
    """After close the next owner comes in at once; the old one cannot write."""
    first.commit(puts(RECORD))
    first.close()
    with SqlStore(place, clock, "second") as second:
        assert second.get(RecordRow, [RECORD[:3]]) == [RECORD]
        second.commit(puts(BASE))


def test_after_a_takeover_the_old_owner_writes_nothing(
    first: SqlStore, place: Path, clock: HandClock
) -> None:
    """An owner that slept through its lease meets LeaseLost in every write, and takes nothing back by closing."""
    first.commit(puts(RECORD))
    clock.at += 31
    with SqlStore(place, clock, "second") as second:
        for write in (lambda: first.commit(puts(BASE)), lambda: first.numbers(20_000), first.renew):
            with pytest.raises(LeaseLost, match="taken over"):
                write()
        first.close()
        second.commit(puts(RECORD._replace(noted=9)))
        assert second.get(RecordRow, [RECORD[:3]]) == [RECORD._replace(noted=9)]
        assert second.count_linked("people") == 0
        assert second.lease_left() == 30


def test_numbers_of_two_owners_never_meet(first: SqlStore, place: Path, clock: HandClock) -> None:
    """Numbers that the old owner still holds in its block are not given out by the new one."""
    held = first.numbers(5)
    clock.at += 31
    with SqlStore(place, clock, "second") as second:
        assert second.numbers(1).start >= held.start + 10_000


def test_an_expired_lease_that_nobody_took_is_renewed(first: SqlStore, place: Path, clock: HandClock) -> None:
    """A long pause alone loses nothing; commits and `renew` keep the lease, from its half on."""
    clock.at += 100
    first.commit(puts(RECORD))
    assert first.lease_left() == 30
    clock.at += 14
    first.commit(puts(RECORD))
    assert first.lease_left() == 16
    clock.at += 2
    first.renew()
    assert first.lease_left() == 30
    with pytest.raises(Fatal, match="Another renkei"):
        SqlStore(place, clock, "second")


def test_the_same_owner_comes_back_at_once(first: SqlStore, place: Path, clock: HandClock) -> None:
    """A restart under the same name need not wait; what still runs under that name is fenced off."""
    with SqlStore(place, clock, "first") as again:
        again.commit(puts(RECORD))
        with pytest.raises(LeaseLost):
            first.commit(puts(BASE))


def test_a_dead_process_need_not_be_waited_for(place: Path, clock: HandClock) -> None:
    """The lease of a process of this host that has ended is free; that of one that runs, or of another host, not."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = socket.gethostname()
    SqlStore(place, clock, f"{host}:{ended.pid}")._journal._disconnect()
    SqlStore(place, clock, this_process()).close()
    assert not may_live(f"{host}:{ended.pid}")
    assert may_live(f"{host}:{os.getpid()}")
    assert may_live(f"another.{host}:{ended.pid}")
    assert may_live("no process at all")


def test_reading_beside_the_owner(first: SqlStore, place: Path, clock: HandClock) -> None:
    """Readers need no lease, see each commit, never stop the owner, and cannot write."""
    with Reader(place) as reader:
        assert runs(reader) == ()
        with reader.snapshot():
            first.commit(puts(RUN))
        assert [run.id for run in runs(reader)] == [5]
        with pytest.raises(Fatal, match="cannot be opened or written"), reader.snapshot():
            reader._connection.exec_driver_sql("DELETE FROM run")


def test_a_writer_that_does_not_end_is_named(first: SqlStore, place: Path, clock: HandClock) -> None:
    """Somebody else's open write transaction stops us after `wait` seconds, with a sentence."""
    clock.at += 31
    with SqlStore(place, clock, "second", wait=0.05) as second:
        first._journal.connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Fatal, match="write lock"):
            second.commit(puts(RECORD))
        first._journal.connection.exec_driver_sql("ROLLBACK")
        second.commit(puts(RECORD))
        assert second.count_records("ma", "person") == 1
