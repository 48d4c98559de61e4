"""What the read-only views answer, from beside an owner at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from state.answers import Change, RouteScope, Which
from state.reader import Reader
from state.store import SqlStore
from state.trace import trace
from state.views import contents, inbox, operations, plan, runs, status
from sync.record import Ref
from sync.rows import APPLIED, DELETED, FAILED, PLANNED, CursorRow, EntityRow, ObservedRow, RulesRow
from tests.contract.rows import BASE, CURSOR, HOLD, KEY_ROW, OPERATION, RECORD, RUN, batch, puts
from tests.state.clock import HandClock

SCOPE = RouteScope(route="people", kind="person", systems=("ma", "sfa"))
encode = msgspec.json.encode


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """The owner."""
    with SqlStore(tmp_path / "renkei.db", HandClock(), "tests") as owner:
        yield owner


@pytest.fixture
def reader(store: SqlStore, tmp_path: Path) -> Iterator[Reader]:
    """The one who looks."""
    with Reader(tmp_path / "renkei.db") as beside:
        yield beside


def test_the_status_of_a_route(store: SqlStore, reader: Reader) -> None:
    """Last run, dirty records above the watermark, operations, holds and counts of this route only."""
    store.commit(
        puts(
            *(RECORD._replace(id=str(n), noted=n) for n in range(1, 6)),
            RECORD._replace(id="6", noted=9, kind="account"),
            RECORD._replace(system="sfa", noted=7),
            RECORD._replace(system="sfa", id="8", noted=2, state=DELETED),
            RECORD._replace(system="other", noted=8),
            CURSOR._replace(complete=1, at=50.0),
            CursorRow("", "person", "people", "3", 1, 0, 60.0),
            OPERATION._replace(id=1, state=FAILED),
            OPERATION._replace(id=2),
            OPERATION._replace(id=3, state=PLANNED, action="create"),
            OPERATION._replace(id=4, route="others"),
            OPERATION._replace(id=5, state=APPLIED, done_at=10.0),
            OPERATION._replace(id=6, state=APPLIED, done_at=9.0, system="ma"),
            OPERATION._replace(id=7, state=APPLIED, done_at=11.0, system="ma"),
            HOLD,
            HOLD._replace(entity=2, kind="loop"),
            HOLD._replace(entity=3),
            HOLD._replace(entity=4, route="others"),
            RUN._replace(ended=3.0),
            RUN._replace(id=8, state="braked", body=b'{"sent":4}'),
            RUN._replace(id=9, route="others"),
            RulesRow("people", "r", "d", 1, 1.0, b""),
            batch(20, 2),
            batch(21, 4, system="other"),
            BASE,
        )
    )
    (found,) = status(reader, [SCOPE], since=10.0)
    assert found.last_run is not None
    assert (found.last_run.id, found.last_run.state, found.last_run.figures) == (8, "braked", {"sent": 4})
    assert (found.dirty, found.decided_at, found.first_applied, found.linked) == (3, 60.0, True, 1)
    assert [(feed.system, feed.name, feed.at, feed.complete) for feed in found.feeds] == [
        ("ma", "front", 50.0, True)
    ]
    assert found.operations == {"failed": 1, "pending": 1, "planned": 1}
    assert found.unreleased == {"create": 1}
    assert found.holds == {"conflict": 2, "loop": 1}
    assert found.applied == {"ma": 1, "sfa": 1}
    assert found.in_flight == {"sfa": 1}
    assert found.records == {"ma": 5, "sfa": 1}


def test_the_status_of_a_route_that_never_ran(reader: Reader) -> None:
    """Nothing is known, nothing is waiting, and nothing fails."""
    (found,) = status(reader, [SCOPE], since=0.0)
    assert found.last_run is None
    assert not found.first_applied
    assert (found.dirty, found.linked, found.decided_at, found.feeds) == (0, 0, 0.0, ())
    assert found.operations == found.holds == found.applied == {}
    assert found.records == {"ma": 0, "sfa": 0}


def test_the_inbox(store: SqlStore, reader: Reader) -> None:
    """Holds with their details and their entity's records, the longest waiting first, by route, kind and page."""
    store.commit(
        puts(
            RECORD,
            RECORD._replace(system="sfa", object="Lead", id="00Q1"),
            HOLD,
            HOLD._replace(entity=2, since=3.0, kind="loop"),
            HOLD._replace(entity=3, since=9.0, route="others", answer="ma"),
        )
    )
    found = inbox(reader)
    assert [(hold.entity, hold.kind, hold.answer) for hold in found] == [
        (2, "loop", ""), (1, "conflict", ""), (3, "conflict", "ma"),
    ]  # fmt: skip
    assert found[1].details == {"ma": "1", "sfa": "2"}
    assert [record.ref for record in found[1].records] == [Ref("ma", "lead", "1"), Ref("sfa", "Lead", "00Q1")]
    assert found[1].records[0].values == {"email": "a@x.jp"}
    assert found[0].records == ()
    assert [hold.entity for hold in inbox(reader, route="people")] == [2, 1]
    assert [hold.entity for hold in inbox(reader, kind="conflict")] == [1, 3]
    assert [hold.entity for hold in inbox(reader, limit=1, offset=1)] == [1]


def test_the_trace_of_a_person(store: SqlStore, reader: Reader) -> None:
    """Records, merged entities, bases, operations newest first, and the observed chain followed back to its begin."""
    first = [["lead", "1", 0, {"phone": [None, "03"]}, -1], ["lead", "2", 0, {"phone": ["1", "2"]}, 0]]
    second = [
        ["lead", "1", 30, {"phone": ["03", "04"], "score": [1, 2]}, 0],
        ["lead", "1", 31, {"phone": ["04", "05"]}, 1],
    ]
    store.commit(
        puts(
            RECORD._replace(observed=31),
            RECORD._replace(system="sfa", object="Lead", id="00Q1", unconfirmed='{"Phone":[10,"03","04",0]}'),
            RECORD._replace(id="9", entity=9),
            KEY_ROW,
            CURSOR,
            EntityRow(2, 1, b"{}"),
            EntityRow(3, 2, b"{}"),
            BASE._replace(body=b'["","",{}]'),
            HOLD,
            ObservedRow(30, 2.5, "ma", "person", 5, encode(first)),
            ObservedRow(31, 3.5, "ma", "person", 6, encode(second)),
            OPERATION._replace(body=b'{"fields":{"phone":["phone","03","04",null,null]}}'),
            OPERATION._replace(id=12, entity=3, state=APPLIED),
            OPERATION._replace(id=13, entity=9),
        )
    )
    (found,) = trace(reader, hashes=["h1"])
    assert (found,) == trace(reader, refs=[Ref("sfa", "Lead", "00Q1")], hashes=["h1"])
    assert (found.entity, found.former) == (1, (2, 3))
    assert [record.ref.id for record in found.records] == ["1", "00Q1"]
    assert found.records[1].unconfirmed == {"Phone": [10, "03", "04", 0]}
    assert found.bases == {"people": ["", "", {}]}
    assert [hold.field for hold in found.holds] == ["phone"]
    assert [operation.id for operation in found.operations] == [12, 10]
    assert found.operations[1].work["fields"]["phone"][2] == "04"
    assert found.operations[1].target == Ref("sfa", "Lead", "00Q1")
    ref = Ref("ma", "lead", "1")
    assert found.changes == (
        Change(at=3.5, ref=ref, values={"phone": ("04", "05")}, own=1, run=6),
        Change(at=3.5, ref=ref, values={"phone": ("03", "04"), "score": (1, 2)}, own=0, run=6),
        Change(at=2.5, ref=ref, values={"phone": (None, "03")}, own=-1, run=5),
    )
    (short,) = trace(reader, refs=[ref], limit=1)
    assert (len(short.operations), len(short.changes)) == (1, 1)
    assert trace(reader, refs=[Ref("ma", "lead", "none")], hashes=["none"]) == ()


def test_a_plan_in_figures_and_pages(store: SqlStore, reader: Reader) -> None:
    """Planned operations counted by system, action and field, and listed by id, a page at a time."""
    both = encode(
        {"fields": {"phone": ["phone", None, "1", None, None], "name": ["name", None, "x", None, None]}}
    )
    phone = encode({"fields": {"phone": ["phone", None, "1", None, None]}})
    store.commit(
        puts(
            *(OPERATION._replace(id=n, state=PLANNED, body=phone) for n in range(1, 8)),
            OPERATION._replace(id=8, state=PLANNED, body=both, action="create"),
            OPERATION._replace(id=9, state=PLANNED, body=both, system="ma", run=6),
            OPERATION._replace(id=10, state=PLANNED, route="others"),
            OPERATION._replace(id=11, state=APPLIED, body=phone),
        )
    )
    found = plan(reader, Which(route="people"))
    assert found.total == 9
    assert [tuple(line) for line in found.actions] == [
        ("sfa", "update", "planned", 7), ("ma", "update", "planned", 1), ("sfa", "create", "planned", 1),
    ]  # fmt: skip
    assert ("sfa", "update", "phone", 7) in found.fields
    assert ("sfa", "create", "name", 1) in found.fields
    assert [line.number for line in plan(reader, Which(route="people", field="name")).actions] == [1, 1]
    assert plan(reader, Which(run=6)).total == 1
    assert plan(reader, Which(run=5, states=())).total == 10
    page = operations(reader, Which(route="people", system="sfa"), limit=5)
    assert [one.id for one in page] == [1, 2, 3, 4, 5]
    rest = operations(reader, Which(route="people", system="sfa"), after=page[-1].id, limit=5)
    assert [one.id for one in rest] == [6, 7, 8]
    assert [one.id for one in operations(reader, Which(route="people", field="name"), limit=1)] == [8]
    assert [one.id for one in operations(reader, Which(states=(APPLIED,)))] == [11]
    assert [one.id for one in operations(reader, Which(action="create"))] == [8]


def test_contents_of_a_plan(store: SqlStore, reader: Reader) -> None:
    """Only planned operations of the route, each by id, system, action and hash, without its body."""
    planned = OPERATION._replace(state=PLANNED, action="create")
    store.commit(
        puts(
            planned._replace(id=1, hash="a"),
            planned._replace(id=2, hash="b", system="ma"),
            planned._replace(id=3, route="x"),
        )
    )
    store.commit(puts(OPERATION._replace(id=4, state=APPLIED)))
    found = list(contents(reader, Which(route="people")))
    assert found == [(1, OPERATION.system, "create", "a"), (2, "ma", "create", "b")]


def test_runs_newest_first(store: SqlStore, reader: Reader) -> None:
    """Runs by route and page."""
    store.commit(puts(*(RUN._replace(id=n, route="people" if n % 2 else "others") for n in range(1, 8))))
    assert [run.id for run in runs(reader, limit=3)] == [7, 6, 5]
    assert [run.id for run in runs(reader, before=5, limit=2)] == [4, 3]
    assert [run.id for run in runs(reader, route="people", before=5)] == [3, 1]
