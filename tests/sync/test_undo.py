"""Undo: what we wrote is taken back where it is still ours and agreed to differ from then on; nothing else moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from sync.commands import apply_commands
from sync.errors import InDoubt
from sync.ports import Outcome, Write
from sync.record import Raw, Record, Ref, Side
from sync.rows import APPLIED, DONE, REFUSED, CommandRow, OperationRow, Patch, RecordRow, RunRow
from sync.rules import ActionKind, Limit, Rules
from sync.said import Discard, TakeBack, Undo, command
from sync.settle import Settlement
from sync.undo import GONE, TOUCHED, UNMAPPED, Judged, Left, judge
from sync.undoable import EFFECT, LATER, OPT_OUT, Choice, choose
from tests.support.office import Crash, Town, world
from tests.support.people import MAPPING

People = dict[Ref, Ref]  # by the lead: the record at sales


def ticks(made: Town, count: int = 3) -> None:
    """Some everyday cycles."""
    for _ in range(count):
        made.tick()


def applied(made: Town, runs: Iterable[int] = ()) -> list[OperationRow]:
    """What was written, by these runs (() = by all)."""
    rows = made.store._tables[OperationRow].values()
    wanted = set(runs)
    return [row for row in rows if row.state == APPLIED and (not wanted or row.run in wanted)]


def chosen(made: Town, runs: Iterable[int], name: str = "") -> Choice:
    """What an undo of these runs is about."""
    rows = applied(made, runs)
    return choose(
        made.lens, rows, [row for row in applied(made) if row.id > min(each.id for each in rows)], name
    )


def undo(made: Town, runs: Iterable[int], name: str = "", **more: Any) -> tuple[int, Judged, Choice]:
    """Somebody takes these runs back; the number of the word, and what it says of the values."""
    choice = chosen(made, runs, name)
    judged = judge(made.store, made.lens, choice.items)
    return say(made, Undo(items=choice.items, what="run", **more)), judged, choice


def say(made: Town, word: Undo | Discard) -> int:
    """Somebody says something; the number of the word."""
    number = made.store.numbers(1)[0]
    patch = Patch()
    patch.put(command(made.clock.now(), "people", word)._replace(id=number))
    made.store.commit(patch)
    return number


def heard(made: Town, number: int) -> tuple[str, int]:
    """What became of a word, and under which run."""
    (row,) = made.store.get(CommandRow, [(number,)])
    return row.state, int(msgspec.json.decode(row.body).get("run", 0))


def state(made: Town) -> dict[Ref, dict[str, Raw]]:
    """Everything that both vendors hold."""
    return {
        ref: dict(record.values) for office in (made.ma, made.sfa) for ref, record in office._records.items()
    }


def sales_of(made: Town) -> People:
    """Whose record at sales is whose."""
    return {
        Ref("ma", "Lead", str(record.values["Marketo_Id__c"])): ref
        for ref, record in made.sfa._records.items()
        if record.values.get("Marketo_Id__c")
    }


def town(count: int = 6, mapping: str = MAPPING, rules: Any = lambda rules: rules) -> tuple[Town, People]:
    """People who are in step on both sides."""
    made = Town(mapping, rules=rules)
    made.cycle()
    for number in range(count):
        made.person(
            Side.MA, email=f"p{number}@x.example", lastName=f"n{number}", title="課長", leadScore=number
        )
    ticks(made, 4)
    people = sales_of(made)
    assert len(people) == count
    return made, people


def carried(made: Town, people: People) -> tuple[int, dict[Ref, dict[str, Raw]]]:
    """Everybody gets another title and score, which one run carries; its number, and what stood at sales before."""
    before = {ref: state(made)[ref] for ref in people.values()}
    for lead in people:
        made.ma.edit(lead, {"title": "部長", "leadScore": 50})
    run = made.tick().run
    ticks(made)
    return run, before


def at_sales(made: Town, people: People) -> dict[Ref, dict[str, Raw]]:
    """What stands at sales."""
    return {ref: state(made)[ref] for ref in people.values()}


def writes(made: Town, count: int = 4) -> int:
    """How much some more cycles write."""
    return sum(sum(made.tick().delivered.sent.values()) for _ in range(count))


# --- values ----------------------------------------------------------------------------------------------


def test_a_run_is_taken_back_whole_and_nothing_else_moves() -> None:
    """Every value stands as before the run, the marketing side as before the undo; then cycles write nothing."""
    made, people = town()
    run, before = carried(made, people)
    leads = {lead: state(made)[lead] for lead in people}
    number, judged, _choice = undo(made, [run])
    assert (len(judged.takes), judged.left) == (2 * len(people), [])
    ticks(made)
    assert heard(made, number)[0] == DONE
    assert at_sales(made, people) == before
    assert {lead: state(made)[lead] for lead in people} == leads
    assert writes(made) == 0
    assert made.store.holds_of([row.entity for row in made.store.get(RecordRow, people)]) == []


def test_the_undo_is_a_run_of_its_own() -> None:
    """All that it wrote stands under its number, which is not that of the cycle that delivered it."""
    made, people = town()
    run, _before = carried(made, people)
    number, _judged, _choice = undo(made, [run])
    cycle = made.tick().run
    own = heard(made, number)[1]
    assert own not in (0, cycle)
    (row,) = made.store.get(RunRow, [(own,)])
    assert row.trigger == "undo"
    assert len(applied(made, [own])) == len(people)


def test_what_somebody_has_changed_since_stays() -> None:
    """An edit at sales, an edit of the source, an edit there and back, and one that nobody has read yet: all stay."""
    made, people = town()
    run, before = carried(made, people)
    pairs = list(people.items())
    made.sfa.edit(pairs[0][1], {"Title": "次長"})
    made.ma.edit(pairs[1][0], {"title": "社長"})
    made.sfa.edit(pairs[2][1], {"MA_Score__c": 7})
    ticks(made)
    made.sfa.edit(pairs[2][1], {"MA_Score__c": 50})
    ticks(made)
    untouched = at_sales(made, people)
    _number, judged, choice = undo(made, [run])
    assert {(each.target, each.name, each.why) for each in (*choice.left, *judged.left)} == {
        (pairs[0][1], "title", TOUCHED), (pairs[1][1], "title", LATER), (pairs[2][1], "score", TOUCHED),
    }  # fmt: skip
    made.sfa.edit(pairs[3][1], {"Title": "顧問"})  # the journal has not heard of it
    ticks(made)
    now = at_sales(made, people)
    assert [now[pairs[at][1]]["Title"] for at in range(6)] == ["次長", "社長", "課長", "顧問", "課長", "課長"]
    assert now[pairs[2][1]]["MA_Score__c"] == 50
    for at in (0, 1, 3, 4, 5):
        assert now[pairs[at][1]]["MA_Score__c"] == before[pairs[at][1]]["MA_Score__c"] != 50
    assert untouched[pairs[3][1]]["Title"] == "部長"
    assert state(made)[pairs[3][0]]["title"] == "顧問"
    assert writes(made) == 0


def test_an_edit_between_deciding_and_sending_is_not_overwritten() -> None:
    """The record is read before it is written: what does not stand as we left it is left alone."""
    made, people = town(2)
    run, _before = carried(made, people)
    undo(made, [run])
    made.tick(send=False)
    first, second = people.values()
    made.sfa.edit(first, {"MA_Score__c": 99})
    ticks(made)
    now = at_sales(made, people)
    assert (now[first]["MA_Score__c"], now[second]["MA_Score__c"]) == (99, 1)
    assert writes(made) == 0


def test_a_record_that_leads_by_now_with_other_values_is_not_agreed_with_unasked() -> None:
    """Across, the person goes on as another record: where it has what we carried, our value goes back; where it has
    another one, nothing is agreed on yet, and the undo gives way to the mapping's `first:` and to its source."""
    made, people = town(1)
    run, _before = carried(made, people)
    ((lead, sales),) = people.items()
    winner = made.person(Side.MA, email="w@x.example", lastName="n0", title="部長", leadScore=70)
    made.ma.remove(lead, "merged", winner)
    undo(made, [run])
    ticks(made)
    assert (state(made)[sales]["Title"], state(made)[winner]["title"]) == ("課長", "部長")
    assert (state(made)[sales]["MA_Score__c"], state(made)[winner]["leadScore"]) == (70, 70)
    assert writes(made) == 0


def test_the_next_change_of_the_source_flows_again() -> None:
    """Agreed to differ is not a pause: the next value goes across, from either side."""
    made, people = town(2)
    run, _before = carried(made, people)
    undo(made, [run])
    ticks(made)
    (lead, sales), (other, across) = people.items()
    made.ma.edit(lead, {"title": "社長", "leadScore": 51})
    made.sfa.edit(across, {"Title": "相談役"})
    ticks(made)
    now = state(made)
    assert (now[sales]["Title"], now[sales]["MA_Score__c"]) == ("社長", 51)
    assert now[other]["title"] == "相談役"


def test_an_undo_can_be_undone() -> None:
    """Our values are back, agreed by both sides, and the next change flows; also for the third time."""
    made, people = town()
    run, before = carried(made, people)
    ours = at_sales(made, people)
    for wanted in (before, ours, before, ours):
        number, _judged, _choice = undo(made, [run])
        ticks(made)
        assert at_sales(made, people) == wanted
        assert writes(made, 2) == 0
        run = heard(made, number)[1]
    lead, sales = next(iter(people.items()))
    made.ma.edit(lead, {"title": "課長"})
    ticks(made)
    made.ma.edit(lead, {"title": "部長"})
    ticks(made)
    assert state(made)[sales]["Title"] == "部長"


def test_several_runs_go_back_to_before_the_first() -> None:
    """An unbroken row of our writes goes back as one; what a later run has written is not the first one's."""
    made, people = town(2)
    run, before = carried(made, people)
    for lead in people:
        made.ma.edit(lead, {"title": "社長"})
    second = made.tick().run
    ticks(made)
    _number, judged, choice = undo(made, [run], "title")
    assert (judged.takes, {each.why for each in choice.left}) == ([], {LATER})
    ticks(made)
    undo(made, [run, second])
    ticks(made)
    assert at_sales(made, people) == before
    assert writes(made) == 0


def test_one_field_alone_may_be_taken_back() -> None:
    """The others of the same operations stay."""
    made, people = town(2)
    run, before = carried(made, people)
    undo(made, [run], "score")
    ticks(made)
    for ref, values in at_sales(made, people).items():
        assert (values["Title"], values["MA_Score__c"]) == ("部長", before[ref]["MA_Score__c"])
    assert writes(made) == 0


def test_a_field_that_has_left_the_mapping_is_listed() -> None:
    """It is not read any more, so nobody knows whose its value is by now; an undo that was under way for it ends."""
    made, people = town(2)
    run, _before = carried(made, people)
    undo(made, [run], "score")
    line = next(each for each in MAPPING.splitlines(keepends=True) if "leadScore" in each)
    made.lens = Town(MAPPING.replace(line, "")).lens
    number, judged, _choice = undo(made, [run], "score")
    assert {each.why for each in judged.left} == {UNMAPPED}
    ticks(made)
    assert heard(made, number)[0] == REFUSED
    assert {values["MA_Score__c"] for values in at_sales(made, people).values()} == {50}
    assert made.store.holds_of([row.entity for row in made.store.get(RecordRow, people)]) == []


def test_what_was_never_written_is_refused() -> None:
    """A word about operations or paths that are not known here does nothing, and the cycle goes on."""
    made, people = town(2)
    run, _before = carried(made, people)
    real = applied(made, [run])[0].id
    word = Undo(
        items=(TakeBack(10**9, "Title", 10**9), TakeBack(real, "Nothing", real), TakeBack(real, "", real))
    )
    number = say(made, word)
    made.tick()
    assert heard(made, number)[0] == REFUSED
    assert writes(made) == 0


def test_brakes_hold_an_undo_like_anything_else() -> None:
    """More than may be updated unasked waits; ordinary work of the same people is not mixed with it."""

    def few(rules: Rules) -> Rules:
        return replace(rules, limits={**rules.limits, ActionKind.UPDATE: Limit(number=13, share=0.0)})

    made, people = town(6, rules=few)
    run, before = carried(made, people)
    ours = at_sales(made, people)
    made.clock.sleep(7_200.0)
    ticks(made)
    made.lens = Town(rules=lambda rules: replace(
        rules, limits={**rules.limits, ActionKind.UPDATE: Limit(number=2, share=0.0)}
    )).lens  # fmt: skip
    undo(made, [run])
    assert [brake.action for brake in made.tick().brakes] == ["update"]
    ticks(made)
    assert at_sales(made, people) == ours
    rows = [row for row in made.store._tables[OperationRow].values() if row.state == "planned"]
    assert len(rows) == len(people)
    say(made, Discard(operations=tuple(row.id for row in rows), reason="not that way"))
    ticks(made)
    assert at_sales(made, people) == ours != before
    assert made.store.open_operations([row.entity for row in rows]) == []


# --- what never goes back --------------------------------------------------------------------------------


def test_an_opt_out_is_never_lifted() -> None:
    """It is listed, and stands on both sides after everything was taken back."""
    made, people = town(2)
    (lead, sales), _other = people.items()
    made.ma.edit(lead, {"unsubscribed": True, "title": "部長"})
    run = made.tick().run
    ticks(made)
    _number, _judged, choice = undo(made, [run])
    assert [(each.target, each.why) for each in choice.left] == [(sales, OPT_OUT)]
    ticks(made)
    now = state(made)
    assert (now[sales]["Title"], now[sales]["HasOptedOutOfEmail"]) == ("課長", True)
    assert now[lead]["unsubscribed"] is True
    assert writes(made) == 0


def test_an_effect_is_listed() -> None:
    """A task that somebody got is not taken back by deleting it."""
    made, _people = town(1)
    row = applied(made)[0]._replace(action="effect", id=10**6)
    assert choose(made.lens, [row], []).left == (
        Left(row.id, Ref(row.system, row.object, row.record), "", EFFECT),
    )


# --- creates ---------------------------------------------------------------------------------------------


def test_the_undo_of_a_create_unlinks_and_lists() -> None:
    """Both records stay, nothing flows between them but opt-outs, nobody is created anew, and it is listed."""
    made, people = town(2)
    created = {row.run for row in applied(made) if row.action == ActionKind.CREATE}
    number, judged, _choice = undo(made, created)
    assert len(judged.unlinks) == 2
    ticks(made)
    _state, run = heard(made, number)
    (lead, sales), (other, across) = people.items()
    made.ma.edit(lead, {"title": "社長", "unsubscribed": True})
    made.sfa.edit(across, {"Title": "次長"})
    ticks(made)
    now = state(made)
    assert (now[sales]["Title"], now[sales]["HasOptedOutOfEmail"]) == ("課長", True)
    assert now[other]["title"] == "課長"
    assert len(made.sfa._records) == 2
    entities = [row.entity for row in made.store.get(RecordRow, people)]
    assert [hold.kind for hold in made.store.holds_of(entities)] == ["unlinked", "unlinked"]
    made.sfa.remove(sales)
    made.ma.edit(lead, {"title": "会長"})
    ticks(made)
    assert len(made.sfa._records) == 1
    say(made, Undo(items=(), relink=tuple(entities), relink_run=run))
    ticks(made)
    assert state(made)[other]["title"] == "次長"
    assert made.store.holds_of(entities) == []


def let_go(made: Town, people: People) -> tuple[Ref, Ref, int, list[int]]:
    """A create at sales, whose title came back across, is taken back with that title: the lead, its record at sales,
    the word's number and the entities."""
    ((lead, sales),) = people.items()
    made.sfa.edit(sales, {"Title": "社長"})
    ticks(made)
    assert state(made)[lead]["title"] == "社長"
    number, judged, _choice = undo(made, {row.run for row in applied(made)})
    assert (len(judged.takes), len(judged.unlinks)) == (1, 1)
    return lead, sales, number, [judged.unlinks[0].entity]


def kinds(made: Town, entities: list[int]) -> list[str]:
    """What is held of these."""
    return [hold.kind for hold in made.store.holds_of(entities)]


@pytest.mark.parametrize("newer", ["社長", "会長"])
def test_what_a_create_has_written_back_returns_before_the_record_is_let_go(newer: str) -> None:
    """The value goes back, whatever stands across by then, and the undo is over; only the mark stays. Undoing that undo
    brings all of it back, or the newer value."""
    made, people = town(1)
    lead, sales, number, entities = let_go(made, people)
    made.sfa.edit(sales, {"Title": newer})
    ticks(made)
    assert (state(made)[lead]["title"], state(made)[sales]["Title"]) == ("課長", newer)
    assert (kinds(made, entities), writes(made)) == (["unlinked"], 0)
    run = heard(made, number)[1]
    items = chosen(made, [run]).items
    say(made, Undo(items=items, relink=tuple(entities), relink_run=run))
    ticks(made)
    assert (state(made)[lead]["title"], state(made)[sales]["Title"]) == (newer, newer)
    assert (kinds(made, entities), writes(made)) == ([], 0)


@pytest.mark.parametrize("planned", [True, False])
def test_undoing_an_undo_calls_off_what_it_has_not_taken_back_yet(planned: bool) -> None:
    """Nothing of it is written any more, whether it was planned by then or not."""
    made, people = town(1)
    lead, _sales, number, entities = let_go(made, people)
    if planned:
        made.tick(send=False)
        run = heard(made, number)[1]
    else:
        apply_commands(world(made))
        run = heard(made, number)[1]
    say(made, Undo(items=(), relink=tuple(entities), relink_run=run))
    assert writes(made) == 0
    assert (state(made)[lead]["title"], kinds(made, entities)) == ("社長", [])
    assert made.store.open_operations(entities) == []


def test_an_undo_ends_with_the_record_that_it_was_about() -> None:
    """Nobody takes back what stands in a pair of which one record was deleted: nothing waits for that for ever."""
    made, people = town(1)
    lead, sales, _number, entities = let_go(made, people)
    made.sfa.remove(sales)
    ticks(made)
    assert (state(made)[lead]["title"], kinds(made, entities)) == ("社長", ["unlinked"])
    assert writes(made) == 0


def test_a_create_whose_record_is_gone_is_listed() -> None:
    """There is nothing left to unlink."""
    made, people = town(1)
    created = {row.run for row in applied(made) if row.action == ActionKind.CREATE}
    made.sfa.remove(next(iter(people.values())))
    ticks(made)
    number, judged, _choice = undo(made, created)
    assert [each.why for each in judged.left] == [GONE]
    made.tick()
    assert heard(made, number)[0] == REFUSED


# --- accidents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("acts", [True, False])
def test_a_lost_answer_is_settled_by_reading(monkeypatch: pytest.MonkeyPatch, acts: bool) -> None:
    """Between the undo's write and its settlement the answer is lost: nothing is lost, nothing is doubled."""
    made, people = town(3)
    run, before = carried(made, people)
    undo(made, [run])
    asked: list[Write] = []
    real = made.sfa.write

    def once(kind: str, batch: list[Write]) -> list[Outcome]:
        asked.extend(batch)
        if acts or len(asked) > len(people):
            real(kind, batch)
        if len(asked) <= len(people):
            raise InDoubt("the answer was lost")
        return [Outcome("applied", id=write.ref.id) for write in batch]

    monkeypatch.setattr(made.sfa, "write", once)
    ticks(made, 5)
    assert at_sales(made, people) == before
    assert len(asked) == (1 if acts else 2) * len(people)
    assert writes(made) == 0


@pytest.mark.parametrize("seed", range(12))
def test_crashes_lose_nothing_and_double_nothing(seed: int) -> None:
    """The process dies at any commit, again and again; in the end the run is taken back and agreed to differ."""
    made, people = town(4)
    run, before = carried(made, people)
    number, _judged, _choice = undo(made, [run])
    made.store.dice = Random(seed)
    for _ in range(25):
        try:
            made.tick()
        except Crash:
            made.store.crash()
    made.store.dice = None
    ticks(made, 4)
    assert heard(made, number)[0] == DONE
    assert at_sales(made, people) == before
    assert writes(made) == 0


def test_an_undo_that_left_base_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seeded bug: the base stays what it was before the undo. The restored value then counts as somebody's edit and
    is carried to the source, which the cycles after an undo must never do."""
    made, people = town(2)
    run, _before = carried(made, people)
    real = Settlement._agree

    def leaves_base(self: Settlement, target: Any, work: Any, row: Any, returned: Any) -> None:
        if not work.undo:
            real(self, target, work, row, returned)

    monkeypatch.setattr(Settlement, "_agree", leaves_base)
    undo(made, [run])
    ticks(made)
    titles = {state(made)[lead]["title"] for lead in people}
    assert writes(made) > 0 or titles != {"部長"}


# --- creates that are deleted again ------------------------------------------------------------------------


def deleting(made: Town, count: int = 0) -> tuple[int, set[Ref]]:
    """A person says that what was created shall be deleted; the word's number, and whose records may go."""
    rows = [row for row in applied(made) if row.action == ActionKind.CREATE]
    items = choose(made.lens, rows, []).items
    judged = judge(made.store, made.lens, items, [row.id for row in rows])
    word = Undo(items=items, delete=tuple(each.operation for each in judged.deletes))
    return say(made, word), {each.target for each in judged.deletes}


def test_what_nobody_touched_is_deleted_and_stays_so() -> None:
    """The records are gone at sales, nobody is created anew, marketing keeps its own, and nothing is listed."""
    made, people = town(3)
    before = {lead: state(made)[lead] for lead in people}
    number, going = deleting(made)
    assert going == set(people.values())
    ticks(made)
    assert heard(made, number)[0] == DONE
    assert made.sfa._records == {}
    made.ma.edit(next(iter(people)), {"title": "社長"})
    ticks(made)
    assert made.sfa._records == {}
    assert {lead: state(made)[lead] for lead in list(people)[1:]} == {
        lead: before[lead] for lead in list(people)[1:]
    }
    entities = [row.entity for row in made.store.get(RecordRow, people)]
    assert made.store.holds_of(entities) == []
    assert writes(made) == 0


def test_whoever_somebody_has_touched_stays_and_is_listed() -> None:
    """An edit at sales, one of a field that renkei does not read, one there and back, one that nobody has read yet and
    one between deciding and sending: all these records stay, with the reason in the inbox; the others go."""
    made, people = town(7)
    refs = list(people.values())
    made.sfa.edit(refs[0], {"Title": "次長"})
    made.sfa.edit(refs[1], {"Fax": "1"})
    made.sfa.edit(refs[2], {"Title": "次長"})
    ticks(made)
    made.sfa.edit(refs[2], {"Title": "課長"})
    ticks(made)
    number, going = deleting(made)
    assert going == set(refs[3:])
    made.sfa.edit(refs[3], {"Title": "顧問"})  # the journal has not heard of it
    made.tick(send=False)
    made.sfa.edit(refs[4], {"Title": "監査"})
    made.sfa.edit(refs[5], {"Fax": "2"})
    ticks(made)
    assert heard(made, number)[0] == DONE
    assert set(made.sfa._records) == set(refs[:6])
    kept = {refs[3]: "touched", refs[4]: "touched", refs[5]: "touched"}
    for ref, why in kept.items():
        (row,) = made.store.get(RecordRow, [ref])
        (hold,) = [each for each in made.store.holds_of([row.entity]) if each.kind == "unlinked"]
        assert msgspec.json.decode(hold.body).get("kept") == why
    assert writes(made) == 0


def test_a_vendor_that_names_no_author_is_judged_by_what_reads_have_told() -> None:
    """Without a word of who wrote last, an edit there and back that was read in between keeps the record; the others
    go, because every value is as we left it."""
    made, people = town(3)
    real = made.sfa.fetch

    def mute(kind: str, refs: Any, paths: Any) -> list[Record | None]:
        return [found and found._replace(own=None) for found in real(kind, refs, paths)]

    made.sfa.fetch = mute  # type: ignore[method-assign]
    first = next(iter(people.values()))
    for title in ("次長", "課長"):
        made.sfa.edit(first, {"Title": title})
        ticks(made)
    _number, going = deleting(made)
    assert going == set(people.values()) - {first}
    ticks(made)
    assert set(made.sfa._records) == {first}


def test_the_record_of_an_opted_out_person_is_never_deleted() -> None:
    """Neither one who had opted out nor one who does so after the word: the record stays, and so does the opt-out."""
    made, people = town(2)
    (lead, sales), (other, across) = people.items()
    made.ma.edit(lead, {"unsubscribed": True})
    ticks(made)
    _number, going = deleting(made)
    assert going == {across}
    made.tick(send=False)
    made.ma.edit(other, {"unsubscribed": True})
    ticks(made)
    now = state(made)
    assert (now[sales]["HasOptedOutOfEmail"], now[across]["HasOptedOutOfEmail"]) == (True, True)
    assert writes(made) == 0


def test_a_record_that_somebody_else_is_linked_with_stays() -> None:
    """Somebody types the person a second time at sales: the two belong together now, so neither is deleted."""
    made, people = town(2)
    (_lead, sales), (_other, across) = people.items()
    _number, going = deleting(made)
    assert going == {sales, across}
    made.tick(send=False)
    second = made.person(Side.SFA, Email="p0@x.example", LastName="n0")
    ticks(made)
    assert set(made.sfa._records) == {sales, second}
    (row,) = made.store.get(RecordRow, [sales])
    (hold,) = [each for each in made.store.holds_of([row.entity]) if each.kind == "unlinked"]
    assert msgspec.json.decode(hold.body)["kept"] == "twins"


def test_a_system_that_deletes_nothing_is_named() -> None:
    """The word is refused with the system's name, and nothing is let go either."""
    made, people = town(2)
    made.sfa.capabilities = replace(made.sfa.capabilities, deletes=frozenset())
    number, _going = deleting(made)
    ticks(made)
    (row,) = made.store.get(CommandRow, [(number,)])
    assert (row.state, "sfa has no way of deleting" in msgspec.json.decode(row.body)["why"]) == (
        REFUSED,
        True,
    )
    assert set(made.sfa._records) == set(people.values())


def test_a_record_is_deleted_only_after_its_values_went_back_across(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales filled a field by itself, which came across: while marketing cannot be written to the record stays, because
    with it the other side of that value would be gone."""
    made, people = town(1)
    ((lead, sales),) = people.items()
    made.sfa.edit(sales, {"Industry": "Manufacturing"}, own=True)
    ticks(made)
    assert state(made)[lead]["industry"] == "製造業"
    items = chosen(made, {row.run for row in applied(made)}).items
    judged = judge(made.store, made.lens, items, [each.operation for each in items if not each.path])
    assert (len(judged.takes), [each.target for each in judged.deletes]) == (1, [sales])
    say(made, Undo(items=items, delete=(judged.deletes[0].operation,)))
    monkeypatch.setattr(
        made.ma, "write", lambda kind, batch: [Outcome("retry", after=300.0) for _write in batch]
    )
    ticks(made)
    assert (set(made.sfa._records), state(made)[lead]["industry"]) == ({sales}, "製造業")
    monkeypatch.undo()
    made.clock.sleep(600.0)
    ticks(made, 5)
    assert (made.sfa._records, state(made)[lead]["industry"]) == ({}, None)
    assert (kinds(made, [judged.unlinks[0].entity]), writes(made)) == ([], 0)


def test_few_are_deleted_unasked() -> None:
    """More than the lower limit of deletions waits for a person, although each was agreed to."""
    made, people = town(30)
    deleting(made)
    report = made.tick()
    assert [brake.action for brake in report.brakes] == ["delete"]
    assert set(made.sfa._records) == set(people.values())


@pytest.mark.parametrize("seed", range(8))
def test_deaths_and_lost_answers_delete_nothing_twice_and_nobody_else(seed: int) -> None:
    """Under both, the untouched are gone in the end, the touched one is there, and nobody was created anew."""
    made, people = town(4)
    refs = list(people.values())
    made.sfa.edit(refs[0], {"Title": "次長"})
    ticks(made)
    deleting(made)
    dice, real = Random(seed), made.sfa.write

    def once(kind: str, batch: list[Write]) -> list[Outcome]:
        if dice.random() < 0.4:
            if dice.random() < 0.5:
                real(kind, batch)
            raise InDoubt("the answer was lost")
        return real(kind, batch)

    made.sfa.write = once  # type: ignore[method-assign, assignment]
    made.store.dice = Random(seed)
    for _ in range(30):
        try:
            made.tick()
        except Crash:
            made.store.crash()
    made.store.dice = None
    made.sfa.write = real  # type: ignore[method-assign]
    ticks(made, 40)
    assert set(made.sfa._records) == {refs[0]}
