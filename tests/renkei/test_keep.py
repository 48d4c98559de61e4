"""What is older than its keeping goes, and nothing that a promise hangs on: by rows, by the engine, under kill -9."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from renkei.keep import DAY, Compaction, Keep, horizons, read_keep
from renkei.past import Past
from renkei.scaffold import write_project
from renkei.settings import open_project
from renkei.story import lines_at
from state.reader import Reader
from state.retention import Horizons
from state.store import SqlStore
from state.trace import kept_since, trace
from sync.rows import (
    APPLIED,
    DISCARDED,
    DONE,
    IGNORED,
    OPEN_STATES,
    SUPERSEDED,
    UNCERTAIN,
    CommandRow,
    ObservedRow,
    OperationRow,
    Patch,
    RunRow,
)
from tests.contract.rows import OPERATION, RUN
from tests.state.clock import HandClock
from tests.support.command import clean_environment
from tests.support.town import Town
from tests.support.tree import ROOT

NOW, OLD, NEW = 1_000 * DAY, 100 * DAY, 990 * DAY
LIMITS = horizons(Keep(), NOW)
CLOSED = (APPLIED, SUPERSEDED, DISCARDED)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A journal of its own."""
    with SqlStore(tmp_path / "state.db", HandClock(), "tests") as made:
        yield made


def _compact(place: Path, store: SqlStore | None, limits: Horizons = LIMITS) -> dict[str, int]:
    with Reader(place) as reader:
        work = Compaction(reader, store, limits)
        while work.step():
            pass
    return work.gone


def _numbers(place: Path, table: str) -> set[int]:
    with closing(sqlite3.connect(place)) as connection:
        return {number for (number,) in connection.execute(f"SELECT id FROM {table}")}


def _put(store: SqlStore, *rows: Any) -> None:
    patch = Patch()
    for row in rows:
        patch.put(row)
    store.commit(patch)


def test_only_finished_writes_go(store: SqlStore, tmp_path: Path) -> None:
    """Of old and new operations in every state, with and without an effect's key, exactly the old finished ones
    without one are gone; also one that was made long ago and done lately stays."""
    states = (*OPEN_STATES, *CLOSED, IGNORED, UNCERTAIN)
    rows = [
        OPERATION._replace(
            id=number, state=state, made_at=at, done_at=at, effect=f"task:{number}" if keyed else ""
        )
        for number, (at, state, keyed) in enumerate(
            ((at, state, keyed) for at in (OLD, NEW) for state in states for keyed in (True, False)), 1
        )
    ]
    late = OPERATION._replace(id=900, state=APPLIED, made_at=OLD, done_at=NEW)
    _put(store, *rows, late._replace(id=0 + 500, made_at=OLD))
    gone = _compact(tmp_path / "state.db", store)
    expected = {row.id for row in rows if row.made_at == OLD and row.state in CLOSED and not row.effect}
    assert {row.id for row in rows} | {500} == _numbers(tmp_path / "state.db", "operation") | expected
    assert gone["writes"] == len(expected) == len(CLOSED)
    assert {row.effect for row in store.effects([row.effect for row in rows])} == {
        row.effect for row in rows if row.effect
    }


def test_runs_stay_as_long_as_anything_names_them(store: SqlStore, tmp_path: Path) -> None:
    """Quiet runs go after a month, others with their writes; the last of a route, an undo, and one whose operation
    stays are kept."""
    quiet = b'{"read":{"ma":[9,0,0,0,0]},"sent":{},"applied":0,"brakes":[],"left":false}'
    busy = b'{"read":{"ma":[9,1,0,0,0]},"sent":{},"applied":0}'
    month_ago = NOW - 40 * DAY
    runs = {
        1: RUN._replace(state="done", started=OLD, body=busy),
        2: RUN._replace(state="done", started=OLD, body=busy, trigger="undo"),
        3: RUN._replace(state="done", started=OLD, body=busy),
        4: RUN._replace(state="done", started=month_ago, body=quiet),
        5: RUN._replace(state="done", started=month_ago, body=busy),
        6: RUN._replace(started=month_ago, body=b"{}", state="open"),
        7: RUN._replace(state="done", started=NEW, body=quiet),
        8: RUN._replace(state="done", started=OLD, body=quiet, route="others"),
    }
    _put(store, *(row._replace(id=number) for number, row in runs.items()))
    _put(store, OPERATION._replace(id=20, run=3, state="failed", made_at=OLD))
    _compact(tmp_path / "state.db", store)
    assert _numbers(tmp_path / "state.db", "run") == {2, 3, 5, 6, 7, 8}
    with Reader(tmp_path / "state.db") as reader:
        assert kept_since(reader) == LIMITS.writes, "since when a record is held was told by what has gone"


def test_quiet_runs_take_no_past_with_them(store: SqlStore, tmp_path: Path) -> None:
    """Where only runs have gone in which nothing happened, the whole past can be told as before."""
    quiet = b'{"read":{"ma":[9,0,0,0,0]},"sent":{},"applied":0}'
    runs = [RUN._replace(id=n, started=NOW - 40 * DAY, state="done", body=quiet) for n in (1, 2)]
    _put(store, *runs)
    assert _compact(tmp_path / "state.db", store)["runs"] == 1
    with Reader(tmp_path / "state.db") as reader:
        assert kept_since(reader) == 0.0


def test_the_evidence_of_a_lifted_opt_out_stays(store: SqlStore, tmp_path: Path) -> None:
    """Old words that were done go, but for those that lifted an opt-out, those not read yet, and those of the
    service."""
    lift, other = b'{"answer":"lift","evidence":"form"}', b'{"answer":"ma"}'
    words = [
        ("answer", DONE, lift),
        ("answer", DONE, other),
        ("answer", "new", other),
        ("pause", "new", b"{}"),
    ]
    words += [("undo", DONE, b"{}"), ("approve", "refused", b"{}")]
    rows = [CommandRow(n, OLD, kind, "people", state, body) for n, (kind, state, body) in enumerate(words, 1)]
    _put(store, *rows, CommandRow(9, NEW, "undo", "people", DONE, b"{}"))
    _compact(tmp_path / "state.db", store)
    assert _numbers(tmp_path / "state.db", "command") == {1, 3, 4, 9}


def test_counting_lets_nothing_go_and_says_the_same(store: SqlStore, tmp_path: Path) -> None:
    """A dry run gives the figures of the real one, over several parts, and leaves every row."""
    place = tmp_path / "state.db"
    _put(store, *(OPERATION._replace(id=n, state=APPLIED, made_at=OLD, done_at=OLD) for n in range(1, 2_600)))
    _put(store, *(ObservedRow(n, OLD, "ma", "person", 1, b"[]") for n in range(1, 260)))
    bodies = (b'{"read":{},"applied":1}', b'{"read":{},"applied":0}')
    _put(store, *(RUN._replace(id=n, started=OLD, state="done", body=bodies[n % 2]) for n in range(20, 60)))
    counted = _compact(place, None)
    assert counted["writes"] == len(_numbers(place, "operation")) == 2_599
    assert counted["runs"] == 39
    assert _compact(place, store) == counted
    assert _numbers(place, "operation") == _numbers(place, "observed") == set()


def test_the_file_shrinks(tmp_path: Path) -> None:
    """Room that old rows leave is given back to the disk, but for a small rest."""
    place = tmp_path / "state.db"
    with SqlStore(place, HandClock(), "tests") as store:
        body = random.Random(1).randbytes(20_000)
        _put(store, *(ObservedRow(n, OLD, "ma", "person", 1, body) for n in range(1, 1_000)))
    before = place.stat().st_size
    with SqlStore(place, HandClock(), "tests") as store:
        _compact(place, store)
    assert before > 19_000_000
    assert place.stat().st_size < before / 5


def test_an_older_file_learns_to_give_room_back(tmp_path: Path) -> None:
    """A journal that was made without it is rebuilt once by the command, with all that it holds."""
    place = tmp_path / "state.db"
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("CREATE TABLE early (x)")
        connection.execute("DROP TABLE early")
        connection.commit()
    with SqlStore(place, HandClock(), "tests") as store:
        _put(store, OPERATION)
        assert not store.room().gives
        store.rebuild()
        assert store.room().gives
        assert store.get(OperationRow, [(OPERATION.id,)]) == [OPERATION]


def test_no_promise_hangs_on_what_has_gone(tmp_path: Path) -> None:
    """After years of edits, an opt-out and a deletion everything old goes: quiet cycles write nothing, the deleted
    person is not created anew, the opt-out stands, an edit is carried as ever, and a trace says from when on it
    knows."""
    with Town(tmp_path) as town:
        lead = town.lead(email="a@firm.example", lastName="Sato", title="部長", leadScore=70)
        out = town.lead(email="out@firm.example", lastName="Mori", leadScore=70)
        dead = town.lead(email="dead@firm.example", lastName="Abe", leadScore=70)
        town.open()
        (across,) = town.having("salesforce", "Email", "dead@firm.example")
        town.delete(across)
        town.edit(out, unsubscribed=True)
        town.edit(lead, title="課長")
        town.quiet()
        before = {ref: town.values(ref) for name in ("marketo", "salesforce") for ref in town.live(name)}
        town.clock.sleep(500 * DAY)
        town.quiet()
        limits = horizons(Keep(), town.clock.now())
        gone = _compact(tmp_path / "state.db", town.store, limits)  # type: ignore[arg-type]
        assert min(gone["writes"], gone["changes"], gone["runs"]) > 0
        town.edit(dead, title="created anew?")
        town.quiet()
        town.edit(dead, title="")
        town.quiet()
        assert town.having("salesforce", "Email", "dead@firm.example") == []
        town.edit(out, unsubscribed=False)
        town.quiet()
        assert [hold.kind for hold in town.holds(out)] == ["consent"]
        town.edit(out, unsubscribed=True)
        writes = len(town.api_entries)
        town.quiet()
        assert len(town.api_entries) == writes
        assert {ref for name in ("marketo", "salesforce") for ref in town.live(name)} == set(before)
        town.edit(lead, title="本部長")
        town.quiet()
        (found,) = _traces(tmp_path, lead)
        past, rules = Past(found), (town.world.lens.rules,)
        assert found.begins == limits.changes
        assert lines_at(past, rules, "title", limits.changes - 1.0) == []
        (then,) = lines_at(past, rules, "title", limits.changes + 1.0)
        (now,) = lines_at(past, rules, "title", town.clock.now())
        assert then["now"] == dict.fromkeys(("marketo", "salesforce"), "課長")
        assert now["now"] == dict.fromkeys(("marketo", "salesforce"), "本部長")


def _traces(folder: Path, ref: Any) -> Any:
    with Reader(folder / "state.db") as reader:
        return trace(reader, refs=[ref])


def _filled(folder: Path) -> Path:
    """A project whose journal holds much that is old, and as much that is not."""
    write_project(folder)
    project = open_project(folder)
    project.private.mkdir(parents=True)
    now = time.time()
    with SqlStore(project.state, HandClock(), "tests") as store:
        for start in range(0, 12_000, 1_000):
            patch = Patch()
            for n in range(start + 1, start + 1_001):
                at = now - (500 if n <= 6_000 else 10) * DAY
                patch.put(OPERATION._replace(id=n, run=n, state=APPLIED, made_at=at, done_at=at))
                patch.put(ObservedRow(n, at, "ma", "person", n, b"[]" * 40))
                patch.put(RunRow(n, "people", "cycle", "d", at, at, "done", "", b'{"applied":1}'))
            store.commit(patch)
    return project.state


def test_killed_while_it_compacts(tmp_path: Path) -> None:
    """kill -9 at random moments of the command: the journal is whole, nothing young is missing, the past is said to
    begin no earlier than it does, and the next one does the rest."""
    place, dice = _filled(tmp_path), random.Random(5)
    command = [sys.executable, "-W", "error", "-m", "renkei", "compact", "--json", "--project", str(tmp_path)]
    left = []
    for _ in range(4):
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        goal = len(_numbers(place, "operation")) - dice.randrange(1, 2_000)
        while process.poll() is None and len(_numbers(place, "operation")) > goal:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
        left.append(len(_numbers(place, "operation")))
        with closing(sqlite3.connect(place)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            told = connection.execute("SELECT at FROM cursor WHERE kind = 'kept'").fetchall()
        for table in ("operation", "observed", "run"):
            assert set(range(6_001, 12_001)) <= _numbers(place, table), table
        assert told or left[-1] == 12_000
    assert len(set(left)) > 1, "no kill fell into the work"
    ran = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    for table in ("operation", "observed", "run"):
        assert _numbers(place, table) == set(range(6_001, 12_001)), table


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"writes": "400"}, "a day or more"),
        ({"writes": "30d", "changes": "10d"}, "an undo asks"),
        ({"operations": "30d"}, "means nothing"),
        ({"runs": "long"}, "must be a time"),
    ],
)
def test_settings_that_would_break_a_promise_are_refused(document: dict[str, str], said: str) -> None:
    """Too short for the brakes, shorter than an undo needs, misspelt: each is one sentence."""
    with pytest.raises(ValueError, match=said):
        read_keep(document)


def test_settings_are_read() -> None:
    """Days, weeks of days, and what is not said stays as it is."""
    assert read_keep({}) == Keep()
    assert read_keep({"writes": "30d", "changes": "60d"}) == Keep(writes=30 * DAY, changes=60 * DAY)
