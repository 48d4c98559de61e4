"""Persons' words: what is answered, approved and discarded is done, once, for the values that it was said of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from sync.holds import hold_hash
from sync.record import Raw, Ref, Side
from sync.rows import DISCARDED, DONE, NEW, REFUSED, CommandRow, HoldRow, OperationRow, Patch, RecordRow
from sync.rules import ActionKind, Limit, Rules
from sync.said import Answer, Approve, Discard, command
from tests.support.office import Town
from tests.support.people import MAPPING

HOLDS = MAPPING.replace("sfa: Title }", "sfa: Title, conflict: hold, first: hold }")


def say(made: Town, word: Answer | Approve | Discard | CommandRow) -> int:
    """Somebody says something; the number of the word."""
    number = made.store.numbers(1)[0]
    row = word if isinstance(word, CommandRow) else command(made.clock.now(), "people", word)
    patch = Patch()
    patch.put(row._replace(id=number))
    made.store.commit(patch)
    return number


def heard(made: Town, number: int) -> tuple[str, str]:
    """What became of a word, and why."""
    (row,) = made.store.get(CommandRow, [(number,)])
    body: dict[str, Any] = msgspec.json.decode(row.body)
    return row.state, str(body.get("why", ""))


def entity(made: Town, ref: Ref) -> int:
    """Whose record it is."""
    (row,) = made.store.get(RecordRow, [ref])
    return row.entity


def holds(made: Town, ref: Ref) -> list[HoldRow]:
    """What is asked of a person."""
    return made.store.holds_of([entity(made, ref)])


def answer(made: Town, hold: HoldRow, word: str, **more: Any) -> int:
    """Somebody answers what is asked now."""
    named: dict[str, Any] = {
        "entity": hold.entity,
        "field": hold.field,
        "kind": hold.kind,
        "hold": hold_hash(hold.body),
    }
    return say(made, Answer(answer=word, **named, **more))


def ticks(made: Town, count: int = 3) -> None:
    """Some everyday cycles."""
    for _ in range(count):
        made.tick()


def other(made: Town, side: Side) -> Ref:
    """The only record of a side."""
    (ref,) = (made.ma if side is Side.MA else made.sfa)._records
    return ref


def value(made: Town, ref: Ref, path: str) -> Raw:
    """What a vendor has."""
    return (made.ma if ref.system == "ma" else made.sfa)._records[ref].values.get(path)


# --- conflicts -------------------------------------------------------------------------------------------


def clash() -> tuple[Town, Ref, Ref, HoldRow]:
    """A title that both sides edited at once, and the question."""
    made = Town(HOLDS)
    made.cycle()
    lead = made.person(Side.MA, email="a@x.example", lastName="山田", title="課長")
    ticks(made, 4)
    sales = other(made, Side.SFA)
    made.ma.edit(lead, {"title": "部長"})
    made.sfa.edit(sales, {"Title": "次長"})
    ticks(made)
    (hold,) = holds(made, lead)
    assert (hold.field, hold.kind) == ("title", "conflict")
    return made, lead, sales, hold


@pytest.mark.parametrize(("word", "wins"), [("ma", "部長"), ("sfa", "次長")])
def test_a_conflict_is_settled_as_said(word: str, wins: str) -> None:
    """The side that was named wins, the question is gone, and nothing flows afterwards."""
    made, lead, sales, hold = clash()
    number = answer(made, hold, word)
    ticks(made)
    assert heard(made, number) == (DONE, "")
    assert (value(made, lead, "title"), value(made, sales, "Title")) == (wins, wins)
    assert holds(made, lead) == []
    assert made.tick().delivered.sent == {}


def test_both_values_may_be_left() -> None:
    """They are agreed to differ: nothing is written until somebody changes one, and then that goes across."""
    made, lead, sales, hold = clash()
    answer(made, hold, "leave_both")
    ticks(made)
    assert (value(made, lead, "title"), value(made, sales, "Title")) == ("部長", "次長")
    assert holds(made, lead) == []
    made.sfa.edit(sales, {"Title": "社長"})
    ticks(made)
    assert value(made, lead, "title") == "社長"


def test_an_answer_holds_for_the_values_that_it_was_given_for() -> None:
    """A value that changed meanwhile makes it a question of its own, before the answer is heard and after."""
    made, lead, sales, hold = clash()
    made.sfa.edit(sales, {"Title": "社長"})
    made.tick()
    late = answer(made, hold, "ma")
    made.tick()
    assert heard(made, late)[0] == REFUSED
    (fresh,) = holds(made, lead)
    answer(made, fresh, "ma")
    made.ma.edit(lead, {"title": "会長"})
    ticks(made)
    assert value(made, sales, "Title") == "社長"
    (asked,) = holds(made, lead)
    assert asked.answer == ""
    assert asked.body != fresh.body


@pytest.mark.parametrize("change", [{"answer": "lift"}, {"entity": 999}, {"for": "0"}, {"entity": "x"}])
def test_what_is_no_answer_is_refused_with_its_reason(change: dict[str, Any]) -> None:
    """Nothing is done, and the word says why."""
    made, lead, _sales, hold = clash()
    body = {"entity": hold.entity, "field": "title", "kind": "conflict", "answer": "ma"}
    body |= {"for": hold_hash(hold.body)} | change
    number = say(made, CommandRow(0, 1.0, "answer", "people", NEW, msgspec.json.encode(body)))
    made.tick()
    state, why = heard(made, number)
    assert state == REFUSED
    assert why
    assert holds(made, lead) == [hold]


def test_words_of_other_kinds_are_left_to_others() -> None:
    """A pause is not the engine's business."""
    made = Town()
    number = say(made, CommandRow(0, 1.0, "pause", "people", NEW, b"{}"))
    made.cycle()
    assert heard(made, number) == (NEW, "")


# --- who is who ------------------------------------------------------------------------------------------


def only_to_sales(rules: Rules) -> Rules:
    """People are created at sales only."""
    return replace(rules, create={Side.SFA: rules.create[Side.SFA]})


def doubles() -> tuple[Town, Ref, list[Ref], HoldRow]:
    """A lead whose address two records at sales bear."""
    made = Town(rules=only_to_sales)
    made.cycle()
    sales = [made.person(Side.SFA, Email="a@x.example", LastName=name) for name in ("one", "two")]
    lead = made.person(Side.MA, email="a@x.example", lastName="lead")
    ticks(made)
    (hold,) = holds(made, lead)
    assert hold.kind == "ambiguous"
    return made, lead, sales, hold


def test_a_person_says_which_record_is_meant() -> None:
    """It is linked; the other one becomes a twin that is left alone."""
    made, lead, sales, hold = doubles()
    stranger = made.person(Side.SFA, Email="b@x.example", LastName="b")
    made.tick()
    wrong = answer(made, hold, "link", record=tuple(stranger))
    made.tick()
    assert heard(made, wrong)[0] == REFUSED
    number = answer(made, hold, "link", record=tuple(sales[1]))
    ticks(made, 4)
    assert heard(made, number) == (DONE, "")
    assert entity(made, lead) == entity(made, sales[1])
    assert holds(made, lead) == []
    assert value(made, sales[1], "Marketo_Id__c") == lead.id
    assert value(made, sales[0], "Marketo_Id__c") is None
    assert value(made, lead, "lastName") == "two"


def test_a_person_says_that_it_is_somebody_new() -> None:
    """The record is created although the address is known; nobody is joined with anybody, then or later."""
    made, lead, sales, hold = doubles()
    number = answer(made, hold, "create")
    ticks(made, 4)
    assert heard(made, number) == (DONE, "")
    assert len(made.sfa._records) == 3
    assert entity(made, lead) not in {entity(made, ref) for ref in sales}
    for ref in sales:
        made.sfa.edit(ref, {"Title": "x"})
    ticks(made)
    assert entity(made, lead) not in {entity(made, ref) for ref in sales}
    assert len(made.sfa._records) == 3
    assert made.tick().delivered.sent == {}


def test_a_deleted_person_is_created_anew_on_a_persons_word() -> None:
    """The tombstone is lifted for this address."""
    made = Town(rules=only_to_sales)
    made.cycle()
    gone = made.person(Side.SFA, Email="a@x.example", LastName="a")
    made.tick()
    made.sfa.remove(gone)
    made.tick()
    lead = made.person(Side.MA, email="a@x.example", lastName="a")
    ticks(made)
    (hold,) = holds(made, lead)
    assert (hold.kind, len(made.sfa._records)) == ("tombstone", 0)
    answer(made, hold, "create")
    ticks(made, 4)
    assert len(made.sfa._records) == 1
    assert holds(made, lead) == []


def test_a_tombstone_may_be_answered_with_another_record() -> None:
    """Somebody knows that the person is there under another address."""
    made = Town(rules=only_to_sales)
    made.cycle()
    gone = made.person(Side.SFA, Email="a@x.example", LastName="a")
    there = made.person(Side.SFA, Email="b@x.example", LastName="a")
    made.tick()
    made.sfa.remove(gone)
    made.tick()
    lead = made.person(Side.MA, email="a@x.example", lastName="a")
    ticks(made)
    (hold,) = holds(made, lead)
    answer(made, hold, "link", record=tuple(there))
    ticks(made, 4)
    assert entity(made, lead) == entity(made, there)
    assert value(made, there, "Marketo_Id__c") == lead.id


# --- consent ---------------------------------------------------------------------------------------------


def taken_back() -> tuple[Town, Ref, Ref, HoldRow]:
    """An opt-out that the authority took back, and the question."""
    made = Town()
    made.cycle()
    lead = made.person(Side.MA, email="a@x.example", lastName="a", unsubscribed=True)
    ticks(made, 4)
    sales = other(made, Side.SFA)
    assert value(made, sales, "HasOptedOutOfEmail") is True
    made.ma.edit(lead, {"unsubscribed": False})
    ticks(made)
    (hold,) = holds(made, lead)
    assert hold.kind == "consent"
    return made, lead, sales, hold


def test_an_opt_out_is_lifted_with_evidence_and_never_written_false() -> None:
    """Who, when and by what stands in the word; a person clears the other side; a newer opt-out latches again."""
    made, lead, sales, hold = taken_back()
    bare = answer(made, hold, "lift", who="", evidence="")
    made.tick()
    assert heard(made, bare)[0] == REFUSED
    number = answer(made, hold, "lift", who="sato", evidence="form of 2026-11-20")
    ticks(made, 4)
    assert heard(made, number) == (DONE, "")
    assert holds(made, lead) == []
    assert (value(made, lead, "unsubscribed"), value(made, sales, "HasOptedOutOfEmail")) == (False, True)
    made.sfa.edit(sales, {"Title": "x"})
    ticks(made)
    assert value(made, lead, "unsubscribed") is False
    made.sfa.edit(sales, {"HasOptedOutOfEmail": False})
    ticks(made)
    assert value(made, lead, "unsubscribed") is False
    made.sfa.edit(sales, {"HasOptedOutOfEmail": True})
    ticks(made)
    assert value(made, lead, "unsubscribed") is True


def test_a_newer_opt_out_of_the_authority_latches_again() -> None:
    """What was lifted is over as soon as somebody says it anew."""
    made, lead, sales, hold = taken_back()
    answer(made, hold, "lift", who="sato", evidence="form")
    ticks(made, 4)
    made.sfa.edit(sales, {"HasOptedOutOfEmail": False})
    ticks(made)
    made.ma.edit(lead, {"unsubscribed": True})
    ticks(made)
    assert value(made, sales, "HasOptedOutOfEmail") is True


# --- approvals -------------------------------------------------------------------------------------------


def few(rules: Rules) -> Rules:
    """Hardly anything may be created unasked."""
    return replace(rules, limits={**rules.limits, ActionKind.CREATE: Limit(number=1, share=0.0)})


def test_what_a_brake_stops_goes_when_it_is_approved() -> None:
    """Creates wait, other kinds of the same run do not; the approval lets exactly these go."""
    made = Town(rules=few)
    made.cycle()
    for number in range(4):
        made.person(Side.MA, email=f"p{number}@x.example", lastName="a")
    report = made.tick()
    assert [brake.action for brake in report.brakes] == ["create"]
    assert not made.sfa._records
    assert heard_of(made, Approve(action="update")) == REFUSED
    assert heard_of(made, Approve(action="nothing")) == REFUSED
    number = say(made, Approve(action="create", run=report.run))
    ticks(made)
    assert heard(made, number) == (DONE, "")
    assert len(made.sfa._records) == 4
    for number in range(4):
        made.person(Side.MA, email=f"q{number}@x.example", lastName="a")
    ticks(made)
    assert len(made.sfa._records) == 4


def heard_of(made: Town, word: Approve | Discard) -> str:
    """What becomes of a word."""
    number = say(made, word)
    made.tick()
    return heard(made, number)[0]


def test_everything_may_be_approved() -> None:
    """Whatever waits may go, and the brakes begin anew; a word for another brake than stands is refused."""
    made = Town(rules=few)
    made.cycle()
    for number in range(4):
        made.person(Side.MA, email=f"p{number}@x.example", lastName="a")
    made.tick()
    assert heard_of(made, Approve(action="all", brake="seen long ago")) == REFUSED
    assert heard_of(made, Approve(action="all")) == DONE
    assert len(made.sfa._records) == 4


# --- discards --------------------------------------------------------------------------------------------


def planned() -> tuple[Town, Ref, Ref, OperationRow]:
    """A change of title that is planned and has not left."""
    made = Town()
    made.cycle()
    lead = made.person(Side.MA, email="a@x.example", lastName="a", title="課長")
    ticks(made, 4)
    made.ma.edit(lead, {"title": "部長"})
    made.tick(send=False)
    (row,) = made.store.open_operations([entity(made, lead)])
    return made, lead, other(made, Side.SFA), row


def test_a_discarded_change_is_listed_until_it_changes_again() -> None:
    """It is not derived again by looking, and is when somebody edits the field."""
    made, lead, sales, row = planned()
    assert heard_of(made, Discard(operations=(row.id,), reason="")) == REFUSED
    assert value(made, sales, "Title") == "部長"
    made, lead, sales, row = planned()
    number = say(made, Discard(operations=(row.id,), reason="wrong list"))
    made.ma.edit(lead, {"leadScore": 5})
    ticks(made)
    assert heard(made, number) == (DONE, "")
    assert value(made, sales, "Title") == "課長"
    assert value(made, sales, "MA_Score__c") == 5
    (hold,) = holds(made, lead)
    assert (hold.field, hold.kind) == ("title", "discarded")
    (kept,) = made.store.get(OperationRow, [(row.id,)])
    assert (kept.state, kept.reason) == (DISCARDED, "wrong list")
    made.ma.edit(lead, {"title": "社長"})
    ticks(made)
    assert value(made, sales, "Title") == "社長"
    assert holds(made, lead) == []


def test_both_values_may_be_kept_when_a_change_is_discarded() -> None:
    """They are agreed to differ, and nothing is listed."""
    made, lead, sales, row = planned()
    say(made, Discard(operations=(row.id,), reason="both are right", keep_both=True))
    made.ma.edit(lead, {"leadScore": 5})
    ticks(made)
    assert (value(made, lead, "title"), value(made, sales, "Title")) == ("部長", "課長")
    assert holds(made, lead) == []


def test_a_discarded_create_frees_its_claim() -> None:
    """Nobody is created until the person changes, and whoever waited for the address is asked."""
    made = Town(rules=only_to_sales)
    made.cycle()
    lead = made.person(Side.MA, email="a@x.example", lastName="a")
    made.tick(send=False)
    (row,) = made.store.open_operations([entity(made, lead)])
    assert heard_of(made, Discard(operations=(row.id,), reason="a test person")) == DONE
    ticks(made)
    assert not made.sfa._records
    assert [hold.kind for hold in holds(made, lead)] == ["discarded"]
    made.ma.edit(lead, {"lastName": "b"})
    ticks(made)
    assert len(made.sfa._records) == 1


def test_what_cannot_be_discarded_is_refused() -> None:
    """Opt-outs, what is done, and what nobody knows."""
    made, lead, sales, row = planned()
    ticks(made)
    assert heard_of(made, Discard(operations=(row.id,), reason="late")) == REFUSED
    assert heard_of(made, Discard(operations=(10**9,), reason="unknown")) == REFUSED
    made.ma.edit(lead, {"unsubscribed": True})
    made.tick(send=False)
    (opt_out,) = made.store.open_operations([entity(made, lead)])
    assert heard_of(made, Discard(operations=(opt_out.id,), reason="no")) == REFUSED
    assert value(made, sales, "HasOptedOutOfEmail") is True
