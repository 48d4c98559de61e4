"""A copy of the journal that is put back knows that it may not speak for what we wrote after it was made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from state import backup, lease
from state.backup import back_up
from state.store import SqlStore
from sync.confirm import Sent, pack, waiting
from sync.errors import Fatal, InDoubt
from sync.ports import Outcome, Write
from sync.record import Side
from sync.rows import RecordRow
from tests.contract.rows import RECORD, puts
from tests.state.clock import HandClock
from tests.support.office import Town
from tests.support.people import MAPPING


@pytest.mark.parametrize("lost", [False, True], ids=["awaited", "on its way"])
def test_an_edit_made_after_the_copy_is_no_alteration_of_what_the_copy_awaits(
    lost: bool, tmp_path: Path
) -> None:
    """Somebody types over values that the copy still waits to read back, and we write another field after it: «last
    modified by us» speaks of that write, which the copy does not know. The edit is carried like any other, and put
    right where the field goes one way and its drift is restored."""
    town = Town(MAPPING.replace("type: integer", "type: integer, drift: restore"))
    acts: list[Callable[[], object]] = []
    place, copy, inner = tmp_path / "state.db", tmp_path / "copy.db", town.sfa.write

    def write(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        while acts:
            acts.pop()()
        return [each._replace(values=None) for each in inner(kind, writes)]

    def lose(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        write(kind, writes)
        raise InDoubt("the answer was lost")

    lead = town.person(Side.MA, email="a@x.example", lastName="山田", title="課長", leadScore=70)
    town.sfa.write = lose if lost else write  # type: ignore[method-assign]
    with SqlStore(place, town.clock, "first") as store:
        town.store = store  # type: ignore[assignment]
        town.cycle()
        back_up(place, copy)
        town.sfa.write = write  # type: ignore[method-assign]
        town.cycle()
        (record,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
        town.ma.edit(lead, {"industry": "製造業"})
        acts.append(lambda: town.sfa.edit(record.ref, {"Title": "部長", "MA_Score__c": 5}))
        town.cycle()
        assert acts == []
    with SqlStore(copy, town.clock, "second") as store:
        town.store = store  # type: ignore[assignment]
        for _ in range(3):
            town.cycle()
    found = [
        *town.ma.fetch("person", [lead], {"Lead": ("title",)}),
        *town.sfa.fetch("person", [record.ref], {"Lead": ("Title", "Industry", "MA_Score__c")}),
    ]
    assert [[*each.values.values()] for each in found if each] == [["部長"], ["部長", "Manufacturing", 70]]


@pytest.mark.parametrize("to_put_back", [True, False])
def test_only_a_copy_that_may_be_put_back_is_changed_by_its_first_owner(
    to_put_back: bool, tmp_path: Path
) -> None:
    """The journal itself stands by its words, and so does a copy that is only looked into, as a replay does."""
    place, copy, clock = tmp_path / "state.db", tmp_path / "copy.db", HandClock()
    told = RECORD._replace(unconfirmed=pack({"title": Sent(7, "old", "new", 0)}))
    with SqlStore(place, clock, "first") as store:
        store.commit(puts(told))
        back_up(place, copy, to_put_back=to_put_back)
    for path, alone in ((place, True), (copy, not to_put_back)):
        with SqlStore(path, clock, "second", alive=lambda _owner: False) as store:
            (row,) = store.get(RecordRow, [RECORD[:3]])
        assert waiting(row)["title"].alone is alone


@pytest.mark.parametrize("fails", [True, False], ids=["it cannot be written", "it stands in a log only"])
def test_a_copy_that_does_not_know_what_it_is_is_none(
    fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the mark does not get into the file itself, nothing gets its name, and nothing is left behind."""
    place, target, mark = tmp_path / "state.db", tmp_path / "copy.db", lease.call_a_copy
    with ExitStack() as stack:

        def call(connection: Connection) -> None:
            if fails:
                connection.exec_driver_sql("UPDATE nowhere SET owner = ''")
            reader = stack.enter_context(closing(sqlite3.connect(tmp_path / "copy.db.part")))
            reader.execute("SELECT count(*) FROM lease").fetchone()
            mark(connection)

        monkeypatch.setattr(backup, "call_a_copy", call)
        with SqlStore(place, HandClock(), "first"), pytest.raises(Fatal, match="The backup was not made"):
            back_up(place, target)
    assert {each.name for each in tmp_path.iterdir()} <= {"state.db", "state.db-wal", "state.db-shm"}
