"""A look-up that the vendor refuses stops one operation, never the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import pytest

from sync.errors import InDoubt, RequestRefused
from sync.halves import MOST, in_halves
from sync.note import mark_dirty
from sync.ports import Outcome, Paths, Write
from sync.record import Record, Ref, Side
from sync.rows import Patch, RecordRow
from tests.support.office import Town


def test_only_what_is_refused_alone_counts_as_refused() -> None:
    """One thing that cannot be asked for is found by halving; everything else is answered."""
    asked: list[int] = []

    def ask(part: Sequence[int]) -> list[int]:
        asked.append(len(part))
        if 77 in part:
            raise RequestRefused("no", "1003")
        return list(part)

    refused: dict[int, RequestRefused] = {}
    assert sorted(in_halves(ask, range(100), refused)) == [n for n in range(100) if n != 77]
    assert list(refused) == [77]
    assert len(asked) <= 15


def test_a_vendor_that_refuses_everything_is_not_asked_for_each_thing() -> None:
    """After some refusals without one answer the rest counts as refused unasked."""
    asked: list[int] = []

    def ask(part: Sequence[int]) -> list[int]:
        asked.append(len(part))
        raise RequestRefused("no", "1003")

    refused: dict[int, RequestRefused] = {}
    assert in_halves(ask, range(500), refused) == []
    assert len(refused) == 500
    assert len(asked) == MOST


def _refuse_find(town: Town, word: str) -> None:
    """The marketing side refuses every look-up that names a word."""
    inner = town.ma.find

    def find(kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        if any(word in value for value in values):
            raise RequestRefused("too many hits", "1003")
        return inner(kind, object_, path, values, paths)

    town.ma.find = find  # type: ignore[method-assign]


def test_a_refused_look_up_fails_one_create_and_lets_the_others_leave() -> None:
    """The create that cannot be verified stands failed with the vendor's code; its neighbours are created."""
    town = Town()
    town.cycle()
    _refuse_find(town, "poison")
    for name in ("a", "poison", "b"):
        town.person(Side.SFA, Email=f"{name}@x.example", LastName="山田")
    report = town.cycle()
    assert town.store.count_records("ma", "person") == 2
    assert report.delivered.settled.failed == 1
    assert report.delivered.settled.errors == [("1003", "")]


def test_a_refused_look_up_of_a_create_in_doubt_fails_it_with_its_code() -> None:
    """Settling what was not answered goes on with the rest of the batch, and cycles go on."""
    town = Town()
    town.cycle()
    town.person(Side.SFA, Email="poison@x.example", LastName="山田")
    town.person(Side.SFA, Email="b@x.example", LastName="佐藤")
    write = town.ma.write

    def lost(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        write(kind, writes)
        raise InDoubt("the answer was lost")

    town.ma.write = lost  # type: ignore[method-assign]
    town.cycle()
    town.ma.write = write  # type: ignore[method-assign]
    _refuse_find(town, "poison")
    town.cycle()
    assert town.store.batches("ma") == []
    assert town.store.count_records("ma", "person") == 2
    town.cycle()
    assert len(town.ma.find("person", "Lead", "lastName", ["山田", "佐藤"], {"Lead": ("lastName",)})) == 2


def test_a_record_that_the_vendor_refuses_to_read_waits_and_lets_the_others_be_read() -> None:
    """One refused id is asked for again in an hour, the records beside it are read at once."""
    town = Town()
    people = [town.person(Side.MA, email=f"p{n}@x.example", lastName="山田") for n in range(3)]
    town.cycle()
    inner, asked = town.ma.fetch, []

    def fetch(kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        asked.append(list(refs))
        if people[1] in refs:
            raise RequestRefused("not this one", "610")
        return inner(kind, refs, paths)

    _ask_again(town, people)
    town.ma.fetch = fetch  # type: ignore[method-assign]
    town.cycle()
    due = [row.ref for row in town.store.refetch_due("ma", "person", town.clock.now() + 3_700.0, 100)]
    assert due == [people[1]]
    assert len(asked) <= 6


def _ask_again(town: Town, people: Sequence[Ref]) -> None:
    patch = Patch()
    for row in town.store.get(RecordRow, people):
        patch.put(row._replace(refetch_at=town.clock.now()))
    town.store.commit(patch)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_value_in_doubt_that_nobody_may_look_at_is_nobodys_edit(arrives: bool) -> None:
    """The answer to a write is lost and its record may not be read for a while: what shows there later is what we had
    sent, so that what marketing typed meanwhile is the newer word and crosses; or it is what stood there before, and is
    written over though the record was decided meanwhile."""
    town = Town()
    lead = town.person(Side.MA, email="a@x.example", lastName="山田")
    town.person(Side.SFA, Email="a@x.example", LastName="山田")
    for _ in range(3):
        town.cycle()
    town.ma.edit(lead, {"title": "部長"})
    write, fetch = town.sfa.write, town.sfa.fetch

    def lost(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        if arrives:
            write(kind, writes)
        raise InDoubt("the answer was lost")

    def refuse(*_arguments: object, **_more: object) -> NoReturn:
        raise RequestRefused("no such column", "INVALID_FIELD")

    town.sfa.write = lost  # type: ignore[method-assign]
    town.cycle()
    town.sfa.write = write  # type: ignore[method-assign]
    if arrives:
        town.ma.edit(lead, {"title": "本部長"})
    town.sfa.fetch = refuse  # type: ignore[method-assign]
    town.tick()
    assert town.store.batches("sfa") == []
    town.sfa.fetch = fetch  # type: ignore[method-assign]
    _decide_again(town, lead)
    for _ in range(4):
        town.cycle(200.0)
    (there,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
    (here,) = town.ma.fetch("person", [lead], {"Lead": ("title",)})
    assert here is not None
    assert (here.values["title"], there.values["Title"]) == (("本部長",) if arrives else ("部長",)) * 2


def _decide_again(town: Town, ref: Ref) -> None:
    patch = Patch()
    mark_dirty(town.store.get(RecordRow, [ref]), lambda: town.store.numbers(1)[0], patch)
    town.store.commit(patch)


def test_what_a_create_in_doubt_sent_is_nobodys_edit_though_its_look_up_was_refused() -> None:
    """A create whose answer is lost and whose record may not be looked for has made it all the same: what shows there
    is what marketing had said, and what marketing typed meanwhile crosses."""
    town = Town()
    town.cycle()
    lead = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    write, find, fetch = town.sfa.write, town.sfa.find, town.sfa.fetch

    def lost(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        write(kind, writes)
        raise InDoubt("the answer was lost")

    def refuse(*_arguments: object, **_more: object) -> NoReturn:
        raise RequestRefused("this one cannot be looked for", "UNKNOWN_EXCEPTION")

    town.sfa.write = lost  # type: ignore[method-assign]
    town.tick()
    assert len(town.store.batches("sfa")) == 1
    town.sfa.write = write  # type: ignore[method-assign]
    town.ma.edit(lead, {"title": "本部長"})
    town.sfa.find = town.sfa.fetch = refuse  # type: ignore[method-assign]
    town.tick()
    assert town.store.batches("sfa") == []
    town.sfa.find, town.sfa.fetch = find, fetch  # type: ignore[method-assign]
    for _ in range(4):
        town.cycle()
    (there,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
    (here,) = town.ma.fetch("person", [lead], {"Lead": ("title",)})
    assert here is not None
    assert (here.values["title"], there.values["Title"]) == ("本部長", "本部長")
