"""A command put in from beside the owner: it is there for him, and he has lost nothing by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.answers import RouteScope
from state.post import post_command
from state.reader import Reader
from state.service import backlog, brakes, command, commands, notes, owner
from state.store import SqlStore
from sync.errors import Fatal
from sync.rows import CommandRow, CursorRow, HoldRow, Patch, RunRow
from tests.support.office import Time

WORD = CommandRow(0, 5.0, "pause", "r", "new", b"{}")


def test_a_word_reaches_the_owner_and_numbers_stay_unique(tmp_path: Path) -> None:
    """Between two of the owner's commits words are put in; numbers of both never meet, also at the end of his block."""
    path = tmp_path / "state.db"
    with SqlStore(path, Time(), "one", block=3) as store:
        numbers = list(store.numbers(2))
        posted = [post_command(path, WORD), post_command(path, WORD._replace(kind="resume"))]
        numbers += store.numbers(4)
        posted.append(post_command(path, WORD))
        numbers += store.numbers(1)
        assert len({*numbers, *posted}) == len(numbers) + len(posted)
        assert [row.id for row in store.get(CommandRow, [(number,) for number in posted])] == posted
        patch = Patch()
        patch.put(WORD._replace(id=posted[0], state="done"))
        store.commit(patch)
        with Reader(path) as reader:
            assert [row.id for row in commands(reader, ("pause",), ("new",))] == [posted[2]]
            assert [row.id for row in commands(reader, ("pause", "resume"))] == posted
            found = command(reader, posted[1])
            assert found is not None
            assert found.kind == "resume"
            assert command(reader, 10**6) is None
            assert owner(reader).name == "one"


def test_no_word_is_put_into_nothing(tmp_path: Path) -> None:
    """Where there is no journal none is made."""
    with pytest.raises(Fatal, match="There is no state"):
        post_command(tmp_path / "state.db", WORD)
    assert list(tmp_path.iterdir()) == []


def test_questions_between_cycles(tmp_path: Path) -> None:
    """Notes of one kind, standing brakes, and nothing that waits in an empty journal."""
    path = tmp_path / "state.db"
    with SqlStore(path, Time(), "one") as store:
        patch = Patch()
        patch.put(CursorRow("", "service", "note", "{}", 1, 0, 1.0))
        patch.put(CursorRow("left", "person", "front", "x", 1, 0, 1.0))
        patch.put(HoldRow(0, "r/create", "brake", "r", 1.0, b"{}", ""))
        patch.put(RunRow(1, "r", "service", "", 3.0, 0.0, "done", "", b"{}"))
        store.commit(patch)
        with Reader(path) as reader:
            assert list(notes(reader, "service")) == ["note"]
            assert [row.field for row in brakes(reader)] == ["r/create"]
            scope = RouteScope(route="r", kind="person", systems=("left", "right"))
            assert backlog(reader, scope) == (0.0, 0.0)
