"""Standing rules: what they give, remember, ask and announce, and when nothing is announced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync.cycle import Bounds, decide_noted
from sync.read import ReadCount, read_refs
from sync.record import Ref, Side
from sync.remember import aliases, join_memories, memory_of
from sync.rows import RecordRow, StandingRow
from sync.rules import Cell, CreateRule, FieldRule, Flow, Rules
from tests.support.crossings import DWELL, HOT
from tests.support.office import Town, world
from tests.support.people import MA_BLANK


def town() -> Town:
    """A town whose route was applied while nobody lived there."""
    made = Town(standing=(HOT,))
    made.cycle()
    return made


def lead(made: Town, score: int, mail: str = "a@x.example") -> Ref:
    """A lead with a score."""
    return made.person(Side.MA, email=mail, lastName="山田", leadScore=score)


def standing(made: Town, ref: Ref) -> StandingRow | None:
    """What the rule remembers of a record's entity."""
    (row,) = made.store.get(RecordRow, [ref])
    found = made.store.get(StandingRow, [(row.entity, "score")])
    return found[0] if found else None


def subjects(made: Town) -> list[str]:
    """Which crossings became tasks."""
    return [str(task.values["Subject"]) for task in made.sfa.tasks]


def ticks(made: Town, count: int = 3) -> None:
    """Some everyday cycles."""
    for _ in range(count):
        made.tick()


def test_each_crossing_is_one_task_and_is_remembered() -> None:
    """Up, a little down, down, up again: two crossings, two tasks."""
    made = town()
    ref = lead(made, 80)
    for score in (80, 60, 75, 40, 90):
        made.ma.edit(ref, {"leadScore": score})
        ticks(made)
    assert subjects(made) == ["1", "2"]
    row = standing(made, ref)
    assert row is not None
    assert dict(memory_of(row)) | {"since": 0} == {"hot": True, "crossing": 2, "silent": 0, "since": 0}


def test_a_given_field_is_asked_by_create_and_written_across() -> None:
    """Only the hot are created, and what the rule gives is mapped like any field."""

    def only_hot(rules: Rules) -> Rules:
        hot = FieldRule(
            name="hot", type="text", flow=Flow.TO_SFA, fingerprint="hot/1",
            cells={Side.SFA: replace(_title(rules), paths={"Lead": "Title", "Contact": "Title"})},
            compute=lambda fields: "hot" if fields["score.hot"] else "cold", inputs=frozenset({"score.hot"}),
        )  # fmt: skip
        fields = (*(rule for rule in rules.fields if rule.name != "title"), hot)
        when = CreateRule(when=lambda fields: fields["score.hot"] is True)
        return replace(rules, fields=fields, create={Side.SFA: when})

    made = Town(standing=(HOT,), rules=only_hot)
    made.cycle()
    hot = lead(made, 80, "hot@x.example")
    lead(made, 10, "cold@x.example")
    ticks(made)
    (made_there,) = made.sfa._records.values()
    assert made_there.values["Email"] == "hot@x.example"
    assert made_there.values["Title"] == "hot"
    made.ma.edit(hot, {"leadScore": 3})
    ticks(made)
    (made_there,) = made.sfa._records.values()
    assert made_there.values["Title"] == "cold"


def _title(rules: Rules) -> Cell:
    return next(rule for rule in rules.fields if rule.name == "title").cells[Side.SFA]


def test_a_quiet_cycle_writes_no_memory() -> None:
    """Memory costs a row where it changes and none where it does not; who has none costs none at all."""
    made = town()
    ref = lead(made, 80)
    lead(made, 1, "b@x.example")
    ticks(made, 5)
    assert made.store.row_writes["StandingRow"] == 1
    made.ma.edit(ref, {"leadScore": 81, "title": "部長"})
    ticks(made)
    assert made.store.row_writes["StandingRow"] == 1
    made.ma.edit(ref, {"leadScore": 2})
    ticks(made)
    assert made.store.row_writes["StandingRow"] == 2


def test_who_asked_to_be_woken_is_decided_again_at_that_time() -> None:
    """The timer marks the person, is spent at once, and costs nothing before its time."""
    made = town()
    ref = lead(made, 80)
    made.tick()
    row = standing(made, ref)
    assert row is not None
    assert row.wake == made.clock.now() + DWELL
    ticks(made)
    assert made.tick().decided.entities == 0
    assert made.tick(DWELL).decided.entities == 1
    row = standing(made, ref)
    assert row is not None
    assert row.wake == 0.0
    assert made.tick().decided.entities == 0


def test_questions_become_holds_and_go_again() -> None:
    """What a rule asks stands in the inbox as long as it asks."""
    made = town()
    ref = lead(made, 13)
    ticks(made)
    (row,) = made.store.get(RecordRow, [ref])
    assert [(hold.field, hold.kind) for hold in made.store.holds_of([row.entity])] == [("score", "odd")]
    made.ma.edit(ref, {"leadScore": 14})
    ticks(made)
    assert not made.store.holds_of([row.entity])


@pytest.mark.parametrize("bounds", [{"first": True}, {"trigger": "backfill"}])
def test_what_a_first_sync_finds_is_no_news(bounds: dict[str, Any]) -> None:
    """Who was hot before is remembered and not announced; the next crossing is."""
    made = Town(standing=(HOT,)) if "first" in bounds else town()
    ref = lead(made, 80)
    made.tick(**bounds)
    ticks(made)
    assert subjects(made) == []
    for score in (10, 80):
        made.ma.edit(ref, {"leadScore": score})
        ticks(made)
    assert subjects(made) == ["2"]


def test_a_crossing_that_a_backfill_finds_is_announced() -> None:
    """A backfill keeps silent about people whom it brings, never about somebody known who crosses meanwhile."""
    made = town()
    known = lead(made, 10, "known@x.example")
    ticks(made)
    made.ma.edit(known, {"leadScore": 80})
    lead(made, 80, "brought@x.example")
    made.tick(trigger="backfill")
    ticks(made)
    assert subjects(made) == ["1"]


def brought(made: Town, ref: Ref) -> None:
    """A backfill reads somebody before the feed has told of them, and decides them."""
    around = world(made)
    assert read_refs(around, Side.MA, around.numbers(), [ref], ReadCount())
    decide_noted(around, Bounds(trigger="backfill"))


@pytest.mark.parametrize("known", [True, False])
def test_who_gets_hot_as_a_backfill_brings_them_is_announced_once(known: bool) -> None:
    """The backfill is silent about somebody whose change the feed has not told of yet; when it tells, that is news,
    whether sales knew the person before or not. Who was hot long before stays unannounced, also when edited later."""
    made = Town(
        standing=(HOT,), rules=lambda rules: replace(rules, create={Side.SFA: rules.create[Side.SFA]})
    )
    made.cycle()
    blank = {**MA_BLANK, "email": "old@x.example", "lastName": "鈴木", "leadScore": 90}
    old = made.ma.edit(Ref("ma", "Lead", ""), blank, late=float("inf"))  # long before the feed began
    if known:
        made.person(Side.SFA, Email="a@x.example", LastName="山田")
    ticks(made)
    brought(made, old)
    ticks(made)
    fresh = lead(made, 80)
    brought(made, fresh)
    assert subjects(made) == []
    ticks(made, 4)
    assert subjects(made) == ["1"]
    made.ma.edit(old, {"title": "部長"})
    made.ma.edit(fresh, {"title": "課長"})
    ticks(made, 4)
    assert subjects(made) == ["1"]


def test_before_the_first_plan_is_applied_nothing_is_announced() -> None:
    """Cycles that may not write yet remember in silence, so that the first sync does not hand over everybody."""
    made = Town(standing=(HOT,))
    lead(made, 80)
    ticks(made)
    made.cycle()
    ticks(made)
    assert len(made.sfa._records) == 1
    assert subjects(made) == []


def test_changed_rules_announce_nothing_but_what_happens_then_is() -> None:
    """A rule that comes later looks at everybody in silence; whoever crosses in the same cycle is announced."""
    made = Town()
    made.cycle()
    old, new = lead(made, 80, "old@x.example"), lead(made, 10, "new@x.example")
    ticks(made)
    made.lens = type(made.lens)(replace(made.lens.rules, standing=(HOT,), deciding="another"))
    made.ma.edit(new, {"leadScore": 80})
    ticks(made)
    row = standing(made, old)
    assert row is not None
    assert memory_of(row)["hot"]
    assert subjects(made) == ["1"]
    (task,) = made.sfa.tasks
    named = next(r for r in made.sfa._records.values() if r.ref.id == task.values["WhoId"])
    assert named.values["Email"] == "new@x.example"


def test_a_merge_announces_nothing_twice_and_loses_no_crossing() -> None:
    """Two people with crossings of their own become one: the numbers go on at the greater, nothing is told again."""
    made = town()
    one, two = lead(made, 80, "one@x.example"), lead(made, 80, "two@x.example")
    ticks(made)
    for score in (10, 80):
        made.ma.edit(two, {"leadScore": score})
        ticks(made)
    assert sorted(subjects(made)) == ["1", "1", "2"]
    made.ma.remove(two, "merged", one)
    ticks(made, 4)
    assert len(made.sfa.tasks) == 3
    row = standing(made, one)
    assert row is not None
    assert memory_of(row)["crossing"] == 2
    for score in (10, 80):
        made.ma.edit(one, {"leadScore": score})
        ticks(made)
    assert subjects(made)[3:] == ["3"]


def test_a_crossing_by_merge_is_remembered_in_silence() -> None:
    """The survivor got its score from the record that was merged into it: nobody did anything."""
    made = town()
    one, two = lead(made, 10, "one@x.example"), lead(made, 20, "two@x.example")
    ticks(made)
    made.ma.edit(one, {"leadScore": 90})
    made.ma.remove(two, "merged", one)
    ticks(made, 4)
    row = standing(made, one)
    assert row is not None
    assert memory_of(row)["hot"]
    assert not subjects(made)


def test_a_link_takes_the_memory_along() -> None:
    """A hot lead that finds its person across later is not handed over a second time."""
    made = town()
    made.lens = type(made.lens)(replace(made.lens.rules, create={}))
    ref = lead(made, 80, "one@x.example")
    ticks(made)
    made.person(Side.SFA, Email="one@x.example", LastName="山田")
    ticks(made)
    assert subjects(made) == ["1"]
    row = standing(made, ref)
    assert row is not None
    assert memory_of(row)["crossing"] == 1


def test_two_memories_become_one() -> None:
    """What grows stays at its greatest, what was true stays true, what was told stays told."""
    ours = {"hot": False, "crossing": 1, "told": [1], "deals": {"a": {"closing": 2}}, "since": "2026-01-01"}
    theirs = {"hot": True, "crossing": 3, "told": [1, 3], "deals": {"a": {"closing": 1}, "b": {"closing": 1}}}
    assert join_memories(ours, theirs) == {
        "hot": True, "crossing": 3, "told": [1, 3], "since": "2026-01-01",
        "deals": {"a": {"closing": 2}, "b": {"closing": 1}},
    }  # fmt: skip
    assert join_memories({}, theirs) == theirs


def test_a_key_answers_for_all_former_numbers() -> None:
    """Only the part that is the entity's number is replaced, the first one."""
    assert aliases("hand-over:7:7", 7, (3, 5)) == ("hand-over:7:7", "hand-over:3:7", "hand-over:5:7")
    assert aliases("reopen:x:2", 7, (3,)) == ("reopen:x:2",)
