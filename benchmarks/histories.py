"""Journals with a long past, made through the store itself: people who have been written to many times.

It decides what such a past looks like: pages of observed changes, one write for each of them, a run for every page. No
vendor is called; the people are those of `benchmarks/mappings/both-ways.yaml`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from matching.email import email_key
from matching.keys import key_hash
from state.store import SqlStore
from sync.normalise import ADDRESS, encode
from sync.plan import Base, FieldWork, Half, Work, content_hash, encode_base, encode_work
from sync.record import Ref
from sync.rows import (
    APPLIED,
    BaseRow,
    CursorRow,
    KeyRow,
    ObservedRow,
    OperationRow,
    Patch,
    RecordRow,
    RunRow,
)

ROUTE, KIND, DIGEST = "both-ways", "person", "4f1c2a9e0b7d"
MA, SFA = "marketo", "salesforce"
PAGE = 250
DAY = 86_400.0


class Past(NamedTuple):
    """How many people, how many writes each, over how many days until now."""

    people: int
    each: int
    days: float = 365.0


class Size(NamedTuple):
    """Bytes of the journal before and after its past was written, and how many writes that was."""

    before: int
    after: int
    writes: int

    @property
    def per_million(self) -> float:
        """MiB for a million writes, with the changes that they follow from."""
        return (self.after - self.before) / max(self.writes, 1) * 1e6 / 2**20


class _Clock:
    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def owned(place: Path) -> SqlStore:
    """The journal at a place, as its owner."""
    return SqlStore(place, _Clock(), "benchmark", lease_seconds=3_600.0)


def address(number: int) -> str:
    """The address of one person."""
    return f"person{number}@firm{number % 5_000}.example"


def lead(number: int) -> str:
    """The id of one person's lead."""
    return str(1_000 + number)


def other(number: int) -> str:
    """The id of one person's record across."""
    return f"00Q5g{number:010d}EAA"


def make(place: Path, past: Past) -> Size:
    """A journal of people who have been written to, turn by turn."""
    with owned(place) as store:
        for patch in _people(past.people, past.each, store.numbers(1)[0]):
            store.commit(patch)
    before = _bytes(place)
    with owned(place) as store:
        for patch in _writes(past, store):
            store.commit(patch)
    return Size(before, _bytes(place), past.people * past.each)


def _bytes(place: Path) -> int:
    return place.stat().st_size


def _people(people: int, turns: int, first: int) -> Iterator[Patch]:
    patch = Patch()
    patch.put(RunRow(first, ROUTE, "first", DIGEST, 1.0, 2.0, "done", "all", b"{}"))
    for system in (MA, SFA):
        patch.put(CursorRow(system, KIND, "front", "", 1, first, time.time()))
    for number in range(people):
        _person(number, turns, patch)
        if number % 500 == 499:
            yield patch
            patch = Patch()
    yield patch


def _title(turn: int) -> str:
    return f"部長 {turn}"


def _person(number: int, turns: int, patch: Patch) -> None:
    """Both records, findable by address, and what they agree on after their last turn."""
    entity = 10 + number
    key = key_hash(ADDRESS, email_key(address(number)))
    common = {"title": _title(turns), "company": f"会社 {number % 5_000}", "country": "日本"}
    values = {
        MA: {"email": address(number), "lastName": "山田", "firstName": f"太郎 {number}", "leadScore": 60, **common},
        SFA: {"Email": address(number), "LastName": "山田", "FirstName": f"太郎 {number}", "MA_Score__c": 60}
        | {name.title(): value for name, value in common.items()},
    }  # fmt: skip
    for system, id_ in ((MA, lead(number)), (SFA, other(number))):
        stamp = "2026-11-22T10:00:00Z"
        patch.put(
            RecordRow(
                system, "Lead", id_, KIND, entity, 0, 0, "", 5, 0, 0.0, stamp, stamp, 0, entity, 0.0, 0,
                encode(values[system]), "",
            )
        )  # fmt: skip
        patch.put(KeyRow(system, KIND, key, "Lead", id_, 0))
    names = ("email", "last_name", "first_name", "company", "country", "title")
    halves = {name: Half("f00dcafe", f"value of {name}", f"value of {name}") for name in names}
    ends = (f"Lead/{lead(number)}", f"Lead/{other(number)}")
    patch.put(BaseRow(entity, ROUTE, encode_base(Base(*ends, halves))))


def _writes(past: Past, store: SqlStore) -> Iterator[Patch]:
    """Every turn: somebody changes a title, a page at a time; each change is written across."""
    now = time.time()
    heads: dict[int, int] = {}
    for turn in range(past.each):
        for start in range(0, past.people, PAGE):
            crowd = range(start, min(start + PAGE, past.people))
            share = (turn * past.people + start) / (past.each * past.people)
            yield _page(crowd, turn, now - past.days * DAY * (1 - share), heads, store)
    for start in range(0, past.people, 500):
        rows = store.get(
            RecordRow, [(MA, "Lead", lead(n)) for n in range(start, min(start + 500, past.people))]
        )
        patch = Patch()
        for row in rows:
            patch.put(row._replace(observed=heads[row.entity - 10]))
        yield patch


def _page(crowd: range, turn: int, at: float, heads: dict[int, int], store: SqlStore) -> Patch:
    run, page, *numbers = store.numbers(len(crowd) + 2)
    patch = Patch()
    patch.put(RunRow(run, ROUTE, "cycle", DIGEST, at, at + 3.0, "done", "all", b'{"read":{},"applied":250}'))
    change = [_title(turn), _title(turn + 1)]
    patch.put(
        ObservedRow(
            page, at, MA, KIND, run,
            encode(
                [["Lead", lead(n), heads.get(n, 0), {"title": change}, 0, f"activity {page + n}"] for n in crowd]
            ),
        )
    )  # fmt: skip
    for n, number in zip(crowd, numbers, strict=True):
        heads[n] = page
        patch.put(operation(number, n, run, at, "title", "Title", change))
    return patch


def operation(
    number: int,
    person: int,
    run: int,
    at: float,
    name: str,
    path: str,
    change: list[str],
    *,
    state: str = APPLIED,
) -> OperationRow:
    """One update of a person's record across."""
    old, new = change
    target = Ref(SFA, "Lead", other(person))
    work = Work(fields={path: FieldWork(name, old, new, new, new)}, source=Ref(MA, "Lead", lead(person)))
    body = encode_work(work)
    done = at + 2.0 if state == APPLIED else 0.0
    return OperationRow(
        number, 10 + person, ROUTE, run, "update", *target, 2, state, 0.0, 0, 0, DIGEST,
        content_hash(target, body), "", at + 1.0, done, "", body,
    )  # fmt: skip
