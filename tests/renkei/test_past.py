"""A trace against the vendors' own ledgers: what stood where at any time, and every change once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from renkei.past import Past
from renkei.story import history, lines_at
from state.answers import Change, First, OperationInfo, RecordInfo, Said, Trace
from state.reader import Reader
from state.trace import trace
from sync.record import Ref, Side
from sync.rows import APPLIED, IGNORED
from tests.support.told import changes_of, plain, value_at
from tests.support.town import MARKETO, SALESFORCE, Town, preset

FIELDS = {"title": ("title", "Title"), "phone": ("phone", "Phone"), "first_name": ("firstName", "FirstName")}
SCORE = ("leadScore", "MA_Score__c")
OUT = ("unsubscribed", "HasOptedOutOfEmail")
STEPS = 9


class Rest(NamedTuple):
    """A time at which everything was read and nothing was edited until `until`; who stood for each person then, and
    what both sides had agreed on."""

    at: float
    until: float
    people: tuple[tuple[Ref, Ref], ...]
    agreed: tuple[Mapping[str, tuple[object, object]], ...]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town whose journal is a file, as a trace reads it."""
    with Town(tmp_path) as made:
        yield made


def _people(town: Town) -> list[tuple[Ref, Ref]]:
    """Two pairs that knew each other before, and one whom renkei creates."""
    pairs = []
    for number in range(2):
        mail = f"p{number}@firm.example"
        lead = town.lead(email=mail, lastName="Sato", title="部長", leadScore=65)
        pairs.append((lead, town.record(Email=mail, LastName="Sato", Title="部長")))
    new = town.lead(email="new@firm.example", lastName="Mori", title="課長", leadScore=70)
    town.open()
    (made,) = town.having(SALESFORCE, "Email", "new@firm.example")
    return [*pairs, (new, made)]


def _rest(town: Town, people: list[tuple[Ref, Ref]]) -> Rest:
    agreed = [
        {name: (half.ma, half.sfa) for name, half in town.base(lead).halves.items()}
        for lead, _other in people
    ]
    return Rest(town.clock.now(), 0.0, tuple(people), tuple(agreed))


def _live(town: Town, dice: random.Random, people: list[tuple[Ref, Ref]]) -> list[Rest]:
    """Somebody edits, both sides are brought to rest; again and again. No value is edited twice before it is read."""
    rests = [_rest(town, people)]
    for step in range(STEPS):
        rests[-1] = rests[-1]._replace(until=town.clock.now())
        for place, (lead, other) in enumerate(people):
            field = dice.choice(sorted(FIELDS))
            ma, sfa = FIELDS[field]
            value = (
                dice.choice(["部長", "課長", "03-1234-5678", ""])
                if dice.random() < 0.3
                else f"{field} {step}"
            )
            match dice.choice(["marketo", "salesforce", "both", "score", "convert", "out", "nothing"]):
                case "marketo":
                    town.edit(lead, **{ma: value})
                case "salesforce":
                    town.edit(other, **{sfa: value})
                case "both":
                    town.edit(lead, **{ma: f"ours {step}"})
                    town.edit(other, **{sfa: f"theirs {step}"})
                case "score":
                    town.edit(lead, leadScore=dice.randrange(60, 99))
                case "out":
                    town.edit(lead, unsubscribed=True)
                case "convert" if other.object == "Lead":
                    people[place] = (lead, town.convert(other))
        town.wait()
        town.quiet()
        rests.append(_rest(town, people))
    rests[-1] = rests[-1]._replace(until=town.clock.now())
    return rests


def _told(town: Town, folder: Path, lead: Ref) -> Trace:
    with Reader(folder / "state.db") as reader:
        (found,) = trace(reader, refs=[lead])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_trace_at_any_time_says_what_the_ledgers_say(town: Town, tmp_path: Path, seed: int) -> None:
    """Random edits and conversions: at every rest, and until the next edit was read, each field of each side is told
    as the vendor's ledger has it, and as agreed what the journal had agreed on then."""
    people = _people(town)
    rests = _live(town, random.Random(seed), people)
    rules = town.world.lens.rules
    for place, (lead, _other) in enumerate(people):
        past = Past(_told(town, tmp_path, lead))
        for rest in rests:
            for at in (rest.at, (rest.at + rest.until) / 2, rest.until):
                lines = {line["field"]: line for line in lines_at(past, (rules,), "", at)}
                for field, paths in {**FIELDS, "score": SCORE, "consent.all": OUT}.items():
                    for ref, path in zip(rest.people[place], paths, strict=True):
                        truth = value_at(town, ref, path, rest.at)
                        assert plain(lines[field]["now"][ref.system]) == truth, (seed, at, ref, path)
                    held = rest.agreed[place].get(field)
                    assert tuple(lines[field]["agreed"] or ()) == (held or ()), (seed, at, field)


@pytest.mark.parametrize("seed", range(4))
def test_every_change_of_the_ledgers_is_told_once(town: Town, tmp_path: Path, seed: int) -> None:
    """What people changed and what we wrote, each with its old and its new value, nothing else and nothing twice."""
    people = _people(town)
    first = {ref: town.clock.now() for pair in people for ref in pair}
    _live(town, random.Random(seed + 100), people)
    rules = town.world.lens.rules
    for lead, _other in people:
        found = _told(town, tmp_path, lead)
        lines = history(Past(found), (rules,), "")
        for record in found.records:
            begun = first.get(record.ref, found.firsts[record.ref].at)
            for field, paths in {**FIELDS, "score": SCORE}.items():
                path = paths[0] if record.ref.system == MARKETO else paths[1]
                truth = [each for each in changes_of(town, record.ref, path) if each.time > begun]
                told = [
                    line
                    for line in reversed(lines)
                    if (line["record"], line["field"]) == (record.ref.id, field) and line["at"] > begun
                    if line["what"] in ("wrote", "changed", "by_us")
                    and plain(line["old"]) != plain(line["new"])
                ]
                assert [(plain(line["old"]), plain(line["new"])) for line in told] == [
                    (each.old, each.new) for each in truth
                ], (seed, record.ref, path)
                by_us = [line["what"] == "wrote" for line in told]
                assert by_us == [each.actor == "api" for each in truth], (seed, record.ref, path)
                assert {line["fate"] for line in told if line["what"] == "wrote"} <= {"confirmed"}


def test_what_happened_to_records_stands_in_the_history(town: Town, tmp_path: Path) -> None:
    """First reads, the link with its reason, a conversion, a merge and a deletion, each once with its time."""
    lead = town.lead(email="a@firm.example", lastName="Sato", leadScore=65)
    other = town.record(Email="a@firm.example", LastName="Sato")
    town.open()
    began = town.clock.now()
    contact = town.convert(other)
    town.wait()
    town.quiet()
    second = town.lead(email="b@firm.example", lastName="Sato")
    town.wait()
    town.quiet()
    town.merge(lead, second)
    town.wait()
    town.quiet()
    town.delete(contact)
    town.wait()
    town.quiet()
    found = _told(town, tmp_path, lead)
    lines = [line for line in history(Past(found), (town.world.lens.rules,), "title") if not line["field"]]
    told = [(line["what"], line["record"]) for line in reversed(lines)]
    assert sorted(told[:3]) == sorted([("first", lead.id), ("first", other.id), ("linked", told[2][1])])
    assert [each for each in told[3:] if each[0] not in ("first", "linked")] == [
        ("converted", other.id), ("merged", second.id), ("deleted", contact.id),
    ]  # fmt: skip
    linked = next(line for line in lines if line["what"] == "linked" and line["record"] == told[2][1])
    assert linked["at"] < began
    assert linked["how"].startswith("address")


def test_before_the_first_read_nothing_is_told(town: Town, tmp_path: Path) -> None:
    """A record is told of from the run on that read it first, and agreed on since both were linked."""
    before = town.clock.now()
    town.wait(100.0)
    lead = town.lead(email="a@firm.example", lastName="Sato", title="部長", leadScore=65)
    town.wait()
    town.open()
    rules = town.world.lens.rules
    past = Past(_told(town, tmp_path, lead))
    assert lines_at(past, (rules,), "title", before) == []
    (now,) = lines_at(past, (rules,), "title", town.clock.now())
    assert now["now"] == {MARKETO: "部長", SALESFORCE: "部長"}
    assert past.trace.firsts[lead].at > before + 100.0
    assert past.leading(rules.systems[Side.MA], before) is None


LEAD, OTHER = Ref(MARKETO, "Lead", "1"), Ref(SALESFORCE, "Lead", "00Q1")
WRITE = OperationInfo(
    id=50, entity=1, route="jp-person", run=40, action="update", target=OTHER, lane=2, state=APPLIED, at=0.0,
    attempts=0, digest="7f3c", hash="", made_at=99.0, done_at=100.0, reason="",
    work={"fields": {"Title": ["title", "部長", "課長", "課長", "課長"]}, "source": list(LEAD)},
)  # fmt: skip


def _record(ref: Ref, title: str, unconfirmed: dict[str, object] | None = None) -> RecordInfo:
    path = "title" if ref.system == MARKETO else "Title"
    return RecordInfo(
        ref=ref, kind="person", entity=1, role=0, state=0, moved_to="", version="", created="",
        values={path: title}, unconfirmed=unconfirmed or {},
    )  # fmt: skip


def _made(
    sfa: str, *changes: Change, write: OperationInfo = WRITE, said: tuple[Said, ...] = (), **more: object
) -> Trace:
    firsts = {ref: First(10.0, 4, "first") for ref in (LEAD, OTHER)}
    begun = Change(at=90.0, ref=LEAD, values={"title": ("部長", "課長")}, own=0, run=40, by="user 005")
    return Trace(
        entity=1, former=(), records=(_record(LEAD, "課長"), _record(OTHER, sfa, more)), bases={}, holds=(),
        operations=(write,), changes=(*reversed(changes), begun), firsts=firsts, said=said,
    )  # fmt: skip


def _seen(at: float, new: str, own: int) -> Change:
    return Change(at=at, ref=OTHER, values={"Title": ("課長", new)}, own=own, run=41)


@pytest.mark.parametrize(
    ("made", "fate", "agreed", "step"),
    [
        (_made("課長"), "confirmed", ("課長", "課長"), "in step"),
        (_made("課長", Title=[50, "部長", "課長", 0]), "not read back yet", ("課長", "課長"), "in step"),
        (_made("課", _seen(110.0, "課", own=1)), "altered", ("課長", "課"), "in step"),
        (_made("課", _seen(110.0, "課", own=0)), "confirmed", ("課長", "課長"), "apart"),
        (
            _made(
                "部長", _seen(110.0, "部長", own=0),
                write=replace(WRITE, state=IGNORED, reason="ignored by the vendor: title"),
            ),
            "ignored", ("課長", "部長"), "apart",
        ),
        (
            _made("主任", _seen(110.0, "主任", own=0), said=(
                Said(120.0, "done", {"entity": 1, "field": "title", "answer": "leave_both"}),
            )),
            "confirmed", ("課長", "主任"), "agreed",
        ),
    ],
)  # fmt: skip
def test_what_became_of_a_write_and_what_is_agreed_since(
    made: Trace, fate: str, agreed: tuple[str, str], step: str
) -> None:
    """Read back as sent, not yet, altered by the vendor, edited by somebody, ignored, and left as it is by a person:
    only the last is agreed to differ."""
    past, rules = Past(made), (preset(),)
    (wrote,) = [line for line in history(past, rules, "title") if line["what"] == "wrote"]
    assert (wrote["fate"], wrote["rule"], wrote["digest"], wrote["run"]) == (fate, "title", "7f3c", 40)
    (before,) = lines_at(past, rules, "title", 95.0)
    (after,) = lines_at(past, rules, "title", 130.0)
    assert tuple(before["agreed"]) == ("部長", "部長")
    assert tuple(after["agreed"]) == agreed
    assert (after["in_step"], after["agreed_to_differ"]) == (step == "in step", step == "agreed")
    (changed,) = [
        line for line in history(past, rules, "title") if line["record"] == LEAD.id and line["field"]
    ]
    assert (changed["what"], changed["who"]) == ("changed", "user 005")


def test_a_conflict_is_told_with_both_values() -> None:
    """A write that overrode somebody's value says which one, beside the one that won."""
    work = {"fields": {"Title": ["title", "係長", "課長", "課長", "課長", "係長"]}, "source": list(LEAD)}
    lines = history(Past(_made("課長", write=replace(WRITE, work=work))), (preset(),), "title")
    (line,) = [line for line in lines if line["what"] == "conflict"]
    assert line["new"] == {MARKETO: "課長", SALESFORCE: "係長"}
    assert next(line["lost"] for line in lines if line["what"] == "wrote") == "係長"


def test_what_we_deleted_is_gone_from_then_on() -> None:
    """The deletion of a record that a create had made is one line, and the record is not told of afterwards."""
    gone = replace(WRITE, action="delete")
    past = Past(_made("課長", write=gone))
    assert past.is_there(OTHER, 99.0)
    assert not past.is_there(OTHER, 101.0)
    (line,) = [
        line for line in history(past, (preset(),), "") if line["record"] == OTHER.id and line["run"] == 40
    ]
    assert (line["what"], line["who"], line["field"]) == ("deleted", "renkei", "")
