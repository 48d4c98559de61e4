"""Tables mirror rows, migrations make the tables, and a schema that is not ours is refused."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import typing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from state.migrate import HEAD, configuration
from state.reader import Reader
from state.sql import open_database
from state.store import SqlStore
from state.tables import TABLES, Table, table_of
from sync.errors import Fatal
from sync.rows import KEY, Row
from tests.contract.rows import ONE_OF_EACH
from tests.state.clock import HandClock

TYPES = {str: "TEXT", int: "INTEGER", float: "DOUBLE", bytes: "BLOB"}


def opened(place: Path) -> SqlStore:
    """A store on a place, its lease in the hands of the tests."""
    return SqlStore(place, HandClock(), "tests")


@pytest.mark.parametrize("row", ONE_OF_EACH, ids=lambda row: type(row).__name__)
def test_a_table_mirrors_its_row(row: Row) -> None:
    """Same columns in the same order, same types, same primary key, nothing nullable."""
    kind = type(row)
    table = table_of(kind)
    dialect = create_engine("sqlite://").dialect
    annotations = typing.get_type_hints(kind)
    assert [column.name for column in table.c] == list(kind._fields)
    assert [column.type.compile(dialect) for column in table.c] == [
        TYPES[annotations[f]] for f in kind._fields
    ]
    assert [column.name for column in table.primary_key] == list(kind._fields[: KEY[kind]])
    assert not any(column.nullable for column in table.c)


def test_every_row_has_a_table() -> None:
    """Tables exist for exactly the rows of the journal, and two more: sequence and lease."""
    assert set(TABLES) == set(KEY)
    assert set(Table.metadata.tables) == {table_of(kind).name for kind in KEY} | {"sequence", "lease"}


def test_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    """A new journal, built by the steps, equals the metadata: columns, types, keys, indexes, their conditions."""
    opened(tmp_path / "steps.db").close()
    metadata = create_engine(f"sqlite:///{tmp_path / 'metadata.db'}")
    Table.metadata.create_all(metadata)
    with open_database(tmp_path / "steps.db", read_only=True).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    metadata.dispose()
    assert _shape(tmp_path / "steps.db") == _shape(tmp_path / "metadata.db")


def _shape(place: Path) -> dict[str, str]:
    connection = sqlite3.connect(place)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: " ".join(sql.split()) for name, sql in rows if name != "alembic_version"}


def test_the_head_is_the_last_step(tmp_path: Path) -> None:
    """The revision that readers ask for is the newest step's, and the steps are one line."""
    with open_database(tmp_path / "any.db").connect() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    assert script.get_heads() == [HEAD]


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """An up-to-date journal is opened without any step."""
    place = tmp_path / "renkei.db"
    opened(place).close()
    before = _shape(place)
    opened(place).close()
    assert _shape(place) == before


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A journal written by a newer version is neither opened nor read nor touched."""
    place = tmp_path / "renkei.db"
    opened(place).close()
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9001'")
    connection.close()
    with pytest.raises(Fatal, match="newer renkei"):
        opened(place)
    with pytest.raises(Fatal, match="newer renkei"):
        Reader(place)
    with sqlite3.connect(place) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9001",)]
    connection.close()


def test_a_failing_step_leaves_the_old_schema(tmp_path: Path) -> None:
    """Steps run in one transaction: one that fails half-way leaves nothing behind, and can be tried again."""
    place = tmp_path / "renkei.db"
    with open_database(place).connect() as connection:
        connection.execute(text("CREATE TABLE lease (in_the_way INTEGER)"))
    with pytest.raises(Fatal):
        opened(place)
    assert set(_shape(place)) == {"lease"}
    with open_database(place).connect() as connection:
        connection.execute(text("DROP TABLE lease"))
    opened(place).close()
    assert "record" in _shape(place)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """Another file at the place is not overwritten; a missing one is not made by a reader."""
    place = tmp_path / "notes.txt"
    place.write_text("minutes of the meeting " * 100)
    with pytest.raises(Fatal, match="damaged or is no state"):
        opened(place)
    assert place.read_text().startswith("minutes")
    with pytest.raises(Fatal, match="no state at"):
        Reader(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(Fatal, match="folder"):
        opened(tmp_path / "none" / "renkei.db")
    with pytest.raises(Fatal, match="address"):
        SqlStore("mysql://host/renkei", HandClock(), "tests")


def test_the_steps_need_no_checkout(tmp_path: Path) -> None:
    """Copied elsewhere, as an installed package lies, and started in another folder, the steps are found."""
    site = tmp_path / "100% site"
    for package in ("state", "sync", "matching"):
        shutil.copytree(package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from state.store import SqlStore\n"
        "import state, time\n"
        "assert state.__file__.startswith(sys.argv[1])\n"
        "class Clock:\n    now = staticmethod(time.time)\n    sleep = staticmethod(time.sleep)\n"
        "SqlStore('sqlite:///renkei.db', Clock(), 'x').close()\n"
    )
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    command = [sys.executable, "-I", "-c", code, str(site)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "record" in _shape(folder / "renkei.db")
