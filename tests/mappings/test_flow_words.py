"""Every word of the flows does what it says: its own behaviour fails when its step is taken out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from mappings.errors import MappingError
from mappings.grammar import Grammar
from mappings.words import grammar
from sync.errors import UnknownValue
from sync.record import Side
from sync.rules import Flow
from sync.standing import ACCOUNT, DEAL, OPENED, WHO, Tie
from tests.support.flow_texts import (
    DAY,
    HAND_OVER,
    HOT,
    HOUR,
    NOON,
    PERSON,
    both,
    deal,
    effect,
    given,
    stand,
)
from tests.support.flow_texts import DEAL as DEALS
from tests.support.mapping_texts import field

Behaviour = Callable[[Grammar], None]
MA, SFA = Side.MA, Side.SFA
FLOWING = PERSON + HAND_OVER
TODAY = date(2026, 11, 30)


def _recycle(words: Grammar) -> None:
    found = effect(stand(both(words=words)["jp-person"], "jp-deal.recycle", related=(deal(),)), "return:")
    assert found is not None
    assert (found.side, found.object, found.who, found.repeatable) == (MA, "ListMember", "lead", True)
    assert found.values == {"list": "N-01", "member": True}


def _people(words: Grammar) -> None:
    _roles(words)


def _roles(words: Grammar) -> None:
    rules = both(words=words)["jp-person"]
    mere_user = deal(roles=("User",))
    assert effect(stand(rules, "jp-deal.recycle", related=(mere_user,)), "return:") is None
    assert effect(stand(rules, "jp-deal.recycle", related=(deal(roles=("User",), primary=True),)), "return:")


def _one_of_many(words: Grammar) -> None:
    deals = (deal("006A"), deal("006B", outcome="open"))
    assert (
        given(stand(both(words=words)["jp-person"], "jp-deal", related=deals))["jp-deal.stage"]
        == "Closed Lost"
    )


def _recycle_when(words: Grammar) -> None:
    rules = both(words=words)["jp-person"]
    assert effect(stand(rules, "jp-deal.recycle", related=(deal(stage="Cancelled"),)), "return:") is None


def _wait(words: Grammar) -> None:
    rules = both(words=words)["jp-person"]
    early = stand(rules, "jp-deal.recycle", related=(deal(lost_at=NOON - HOUR),))
    assert effect(early, "return:") is None
    assert early.wake == NOON + HOUR
    assert effect(stand(rules, "jp-deal.recycle", related=(deal(lost_at=NOON - 2 * HOUR),)), "return:")


def _never(words: Grammar) -> None:
    rules = both(words=words)["jp-person"]
    out = stand(rules, "jp-deal.recycle", related=(deal(),), opted_out=frozenset({"all"}))
    assert effect(out, "return:") is None


def _by(words: Grammar) -> None:
    rules = both(DEALS.replace("by: reason", "by: stage").replace("Price", "Closed Lost"), words=words)
    found = effect(stand(rules["jp-person"], "jp-deal.recycle", related=(deal(),)), "return:")
    assert found is not None
    assert found.values["list"] == "N-03"


def _routes(words: Grammar) -> None:
    rules = both(words=words)["jp-person"]
    found = effect(stand(rules, "jp-deal.recycle", related=(deal(reason="Price"),)), "return:")
    assert found is not None
    assert found.values["list"] == "N-03"


def _list(words: Grammar) -> None:
    _routes(words)


def _wake(words: Grammar) -> None:
    found = stand(both(words=words)["jp-person"], "jp-deal.recycle", related=(deal(),))
    assert given(found)["jp-deal.recycle.wake_on"] == (TODAY + timedelta(days=90)).isoformat()


def _wake_from(words: Grammar) -> None:
    rules = both(words=words)
    assert "Revisit_On__c" in rules["jp-deal"].paths(SFA)["Opportunity"]
    asked = deal(**{"wake_from.Timing": "2027-04-01"})  # type: ignore[arg-type]
    found = stand(rules["jp-person"], "jp-deal.recycle", related=(asked,))
    assert given(found)["jp-deal.recycle.wake_on"] == "2027-04-01"


def _wake_to(words: Grammar) -> None:
    rule = field(both(words=words)["jp-person"], "jp-deal.recycle.wake_on")
    assert (rule.flow, rule.cells[MA].paths) == (Flow.TO_MA, {"Lead": "revisitOn"})
    assert rule.blank == "propagate"


def _none(words: Grammar) -> None:
    found = stand(both(words=words)["jp-person"], "jp-deal.recycle", related=(deal(reason="Bad fit"),))
    assert not found.effects
    assert "disqualify" in str(found.memory)


def _blank_reason(words: Grammar) -> None:
    rules = both(words=words)["jp-person"]
    new = stand(rules, "jp-deal.recycle", related=(deal(reason=None),))
    task = effect(new, "remind:")
    assert task is not None
    assert (task.object, task.values["WhatId"], task.values["Owner.Email"]) == ("Task", "006A", "rep@our.jp")
    assert not new.questions


def _subject(words: Grammar) -> None:
    new = stand(both(words=words)["jp-person"], "jp-deal.recycle", related=(deal(reason=None),))
    task = effect(new, "remind:")
    assert task is not None
    assert task.values["Subject"] == "why, Big one?"


def _after(words: Grammar) -> None:
    rules = both(words=words)["jp-person"]
    week = stand(rules, "jp-deal.recycle", related=(deal(reason=None, lost_at=NOON - 6 * DAY),))
    assert effect(week, "return:") is None
    assert week.wake == NOON - 6 * DAY + 2 * HOUR + 7 * DAY


def _then(words: Grammar) -> None:
    rules = both(DEALS.replace("other_reason: Price", "other_reason: hold"), words=words)["jp-person"]
    old = deal(reason=None, lost_at=NOON - 8 * DAY)
    found = effect(stand(rules, "jp-deal.recycle", related=(old,)), "return:")
    assert found is not None
    assert found.values["list"] == "N-03"


def _other_reason(words: Grammar) -> None:
    found = effect(
        stand(both(words=words)["jp-person"], "jp-deal.recycle", related=(deal(reason="?"),)), "return:"
    )
    assert found is not None
    assert found.values["list"] == "N-03"


def _hot(words: Grammar, score: int, *, hot: bool) -> bool:
    found = stand(
        both("", FLOWING, words)["jp-person"], "score.hot", fields={MA: {"score": score}}, memory={"hot": hot}
    )
    return given(found, MA)["score.hot"] is True


def _enter(words: Grammar) -> None:
    assert _hot(words, 70, hot=False)
    assert not _hot(words, 69, hot=False)


def _leave(words: Grammar) -> None:
    assert _hot(words, 60, hot=True)
    assert not _hot(words, 59, hot=True)


def _handed(words: Grammar, memory: object = None, **fields: object) -> object:
    rules = both("", FLOWING, words)["jp-person"]
    values = {"email": "a@x.jp", "score": 80, "score.hot": True, **fields}
    return stand(rules, "hand_over", fields={MA: values, SFA: {"owner": "rep@our.jp"}}, memory=memory or {})


def _dwell(words: Grammar) -> None:
    told = _handed(words).memory  # type: ignore[attr-defined]
    cold = _handed(words, told, **{"score.hot": False}).memory  # type: ignore[attr-defined]
    again = _handed(words, cold)
    assert effect(again, "hand-over:7:2") is None  # type: ignore[arg-type]
    assert again.wake == NOON + DAY  # type: ignore[attr-defined]


def _task(words: Grammar) -> None:
    task = effect(_handed(words), "hand-over:")  # type: ignore[arg-type]
    assert task is not None
    assert (task.object, task.who, task.find) == ("Task", "WhoId", "Renkei_Key__c")
    assert task.values == {
        "Subject": "a@x.jp is hot", "ActivityDate": "2026-12-02", "Owner.Email": "rep@our.jp",
        "Description": "score\nscore: 80",
    }  # fmt: skip


def _notice(words: Grammar) -> None:
    notice = effect(_handed(words), "notice:")  # type: ignore[arg-type]
    assert notice is not None
    assert notice.channel == "sales"


def _hand_over_never(words: Grammar) -> None:
    assert not _handed(words, email="a@rival.jp").effects  # type: ignore[attr-defined]


def _lead_return(words: Grammar, status: str, reason: str | None, at: float) -> object:
    rules = both("", FLOWING, words)["jp-person"]
    sfa = {"email": "a@x.jp", "lead_status": status, "reject_reason": reason}
    first = stand(rules, "lead_return", fields={MA: {"email": "a@x.jp"}, SFA: sfa})
    return stand(
        rules, "lead_return", fields={MA: {"email": "a@x.jp"}, SFA: sfa}, memory=first.memory, now=at
    )


def _rejected(words: Grammar) -> None:
    found = effect(_lead_return(words, "Rejected", "Timing", NOON), "return:")  # type: ignore[arg-type]
    assert found is not None
    assert found.values["list"] == "N-01"


def _unworked(words: Grammar) -> None:
    found = effect(_lead_return(words, "Open", None, NOON + 10 * DAY), "return:")  # type: ignore[arg-type]
    assert found is not None
    assert found.values["list"] == "N-05"


def _unworked_after(words: Grammar) -> None:
    assert effect(_lead_return(words, "Open", None, NOON + 9 * DAY), "return:") is None  # type: ignore[arg-type]


def _unworked_while(words: Grammar) -> None:
    assert effect(_lead_return(words, "Working", None, NOON + 10 * DAY), "return:") is None  # type: ignore[arg-type]


def _unworked_wake(words: Grammar) -> None:
    found = _lead_return(words, "Open", None, NOON + 10 * DAY)
    assert given(found)["lead_return.wake_on"] == (TODAY + timedelta(days=40)).isoformat()  # type: ignore[arg-type]


def _fields_on(words: Grammar) -> None:
    rules = both(words=words)
    assert (rules["jp-deal"].relays, rules["jp-deal"].sides) == (True, (SFA,))
    assert field(rules["jp-person"], "jp-deal.stage").cells[MA].paths == {"Lead": "dealStage"}
    assert rules["jp-person"].related == (rules["jp-deal"],)
    assert set(rules["jp-deal"].ties) == {
        Tie("OpportunityContactRole", "OpportunityId", DEAL), Tie("OpportunityContactRole", "ContactId", WHO),
        Tie("Opportunity", "AccountId", ACCOUNT),
    }  # fmt: skip
    assert set(rules["jp-person"].ties) == {
        Tie("Contact", "AccountId", ACCOUNT), Tie("Lead", "ConvertedOpportunityId", OPENED)
    }  # fmt: skip


def _row_when(words: Grammar) -> None:
    deals = (deal("006A", won_date="2026-11-01"), deal("006B", outcome="won", won_date="2026-10-01"))
    assert (
        given(stand(both(words=words)["jp-person"], "jp-deal", related=deals))["jp-deal.won_date"]
        == "2026-10-01"
    )


def _unlisted(words: Grammar) -> None:
    cell = field(both(words=words)["jp-deal"], "outcome").cells[SFA]
    assert cell.read("Closed Won") == "won"
    assert cell.read("Prospecting") == "open"


def _amount(words: Grammar, **values: object) -> object:
    rules = both(words=words)
    assert "CurrencyIsoCode" in rules["jp-deal"].paths(SFA)["Opportunity"]
    dollars = deal(amount="100", **{"amount.currency": "USD", "signed": "2026-02-01", **values})  # type: ignore[arg-type]
    return given(stand(rules["jp-person"], "jp-deal", related=(dollars,)))["jp-deal.amount"]


def _currency(words: Grammar) -> None:
    assert _amount(words) == "15000"


def _to(words: Grammar) -> None:
    assert _amount(words) == "15000"


def _rate_of(words: Grammar) -> None:
    assert _amount(words, **{"deal.close_date": "2025-01-01"}) == "15000"  # no rate was listed for that day


def _sum(words: Grammar) -> None:
    deals = (deal("006A", outcome="won", amount="10"), deal("006B", outcome="won", amount="20"))
    assert given(stand(both(words=words)["jp-person"], "jp-deal", related=deals))["jp-deal.won_total"] == "30"


def _sum_when(words: Grammar) -> None:
    deals = (deal("006A", outcome="won", amount="10"), deal("006B", amount="20"))
    assert given(stand(both(words=words)["jp-person"], "jp-deal", related=deals))["jp-deal.won_total"] == "10"


def _of(words: Grammar) -> None:
    _refuses(words, DEALS.replace("of: deals_of_person", "of: everything"))


def _refuses(words: Grammar, text: str) -> None:
    with pytest.raises(MappingError):
        both(text, words=words)


def _reference(more: str) -> str:
    return (
        PERSON
        + "  account: { marketo: companyId, flow: <-, salesforce: { Contact: AccountId }, type: reference,\n"
        + f"             to: jp-account{more} }}\n"
    )


def _missing(words: Grammar) -> None:
    rule = field(both("", _reference(", missing: leave"), words)["jp-person"], "account")
    assert (rule.refers, rule.missing) == ("account", "leave")


def _user_by(words: Grammar) -> None:
    assert field(both("", words=words)["jp-person"], "owner").cells[SFA].paths["Lead"] == "Owner.Email"


def _zone(words: Grammar) -> None:
    midnight = NOON + 15 * HOUR  # 2026-12-01 in Tokyo, still 30 November in UTC
    found = stand(both(words=words)["jp-person"], "jp-deal.recycle", related=(deal(),), now=midnight)
    assert given(found)["jp-deal.recycle.wake_on"] == (TODAY + timedelta(days=91)).isoformat()


FAILURES = (AssertionError, MappingError, UnknownValue, StopIteration, KeyError, pytest.fail.Exception)

FLOW_BEHAVIOURS: dict[tuple[str, str], Behaviour] = {
    ("file", "time_zone"): _zone,
    ("file", "people"): _people,
    ("file", "recycle"): _recycle,
    ("file", "hand_over"): _task,
    ("objects", "fields_on"): _fields_on,
    ("row", "when"): _row_when,
    ("row", "unlisted"): _unlisted,
    ("row", "to"): _to,
    ("row", "missing"): _missing,
    ("row", "by"): _user_by,
    ("row", "currency"): _currency,
    ("row", "rate_of"): _rate_of,
    ("compute", "sum"): _sum,
    ("compute", "of"): _of,
    ("compute", "when"): _sum_when,
    ("people", "roles"): _roles,
    ("people", "one_of_many"): _one_of_many,
    ("recycle", "when"): _recycle_when,
    ("recycle", "wait"): _wait,
    ("recycle", "never"): _never,
    ("recycle", "by"): _by,
    ("recycle", "routes"): _routes,
    ("recycle", "blank_reason"): _blank_reason,
    ("recycle", "other_reason"): _other_reason,
    ("return_route", "list"): _list,
    ("return_route", "wake"): _wake,
    ("return_route", "wake_from"): _wake_from,
    ("return_route", "wake_to"): _wake_to,
    ("return_route", "none"): _none,
    ("blank_reason", "remind"): _blank_reason,
    ("blank_reason", "subject"): _subject,
    ("blank_reason", "after"): _after,
    ("blank_reason", "then"): _then,
    ("hand_over", "when"): _task,
    ("hand_over", "task"): _task,
    ("hand_over", "notice"): _notice,
    ("hand_over", "never"): _hand_over_never,
    ("hand_over", "rejected"): _rejected,
    ("hand_over", "unworked"): _unworked,
    ("task", "subject"): _task,
    ("task", "due"): _task,
    ("task", "owner"): _task,
    ("task", "reasons"): _task,
    ("unworked", "after"): _unworked_after,
    ("unworked", "while"): _unworked_while,
    ("unworked", "list"): _unworked,
    ("unworked", "wake"): _unworked_wake,
    ("threshold", "enter"): _enter,
    ("threshold", "leave"): _leave,
    ("threshold", "dwell"): _dwell,
}


@pytest.mark.parametrize(("place", "word"), FLOW_BEHAVIOURS)
def test_a_word_does_what_it_says_and_nothing_without_its_step(place: str, word: str) -> None:
    """The word's behaviour holds, and fails when its step is taken out of the table."""
    FLOW_BEHAVIOURS[place, word](grammar())
    with pytest.raises(FAILURES):
        FLOW_BEHAVIOURS[place, word](grammar().without(place, word))


def test_reasons_are_what_marketing_has_now() -> None:
    """A task tells the score and the grade that made the person hot, not what sales was told last; its owner is the one
    whom sales knows."""
    text = FLOWING.replace(
        "fields:\n", "fields:\n  grade: { flow: ->, salesforce: MA_Grade__c, compute: { bands: score } }\n"
    )
    text = text.replace("reasons: [score]", "reasons: [score, grade]")
    rules = both("", text, hot=HOT.replace("domains:", "  bands: { A: 70, D: 0 }\ndomains:"))["jp-person"]
    fresh = {"email": "a@x.jp", "score": 80, "score.hot": True, "owner": "old@our.jp"}
    stale = {"email": "a@x.jp", "score": 0, "grade": "D", "owner": "rep@our.jp"}
    task = effect(stand(rules, "hand_over", fields={MA: fresh, SFA: stale}), "hand-over:")
    assert task is not None
    assert task.values["Description"] == "score\nscore: 80\ngrade: A"
    assert task.values["Owner.Email"] == "rep@our.jp"


def test_a_named_threshold_can_be_asked() -> None:
    """`score: hot` in a condition asks the field that the threshold's rule gives, not the number."""
    text = FLOWING + "create: { salesforce: { when: { score: hot } } }\n"
    when = both("", text)["jp-person"].create[SFA].when
    assert when({"score": 1, "score.hot": True})
    assert not when({"score": 99, "score.hot": False})
    assert not when({"score": 99})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    Price: { list: N-03 }", "    Price: { list: N-99 }"),
        ("wait: 2h", "wait: 3h"),
        ("roles: [primary, decision_maker]", "roles: [primary]"),
    ],
)
def test_another_flow_is_another_digest_of_the_people(old: str, new: str) -> None:
    """What a deal file says of people is part of the people's deciding rules."""
    before, after = both()["jp-person"], both(DEALS.replace(old, new))["jp-person"]
    assert before.deciding != after.deciding
    assert before.reading == after.reading


def test_another_threshold_is_another_digest() -> None:
    """Who is hot is part of the rules, though it stands in another file."""
    assert both()["jp-person"].deciding != both(hot=HOT.replace("70", "75"))["jp-person"].deciding


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("marketo: { fields_on: jp-person }", "marketo: Lead", "M063"),
        ("salesforce: Opportunity", "salesforce: Lead", "M063"),
        ("stage: { marketo: dealStage, flow: <-", "stage: { marketo: dealStage, flow: <->", "M063"),
        ("to: JPY", "to: YEN", "M064"),
        ("then: Price }", "then: Value }", "M065"),
        ("other_reason: Price", "other_reason: Value", "M065"),
        ("Price: { list: N-03 }", "Price: { wake: 30d }", "M065"),
        ("Price: { list: N-03 }", "Price: { list: N-03, wake_to: other }", "M065"),
        ("kind: opportunity", "kind: account", "M066"),
        ("recycle:\n", "match: [ { same: [stage] } ]\nrecycle:\n", "M066"),
        ("by: reason", "by: nothing", "M017"),
        ("wait: 2h", "wait: soon", "M014"),
        ("never: [opted_out, bounced]", "never: [opted_in]", "M014"),
        ("time_zone: Asia/Tokyo", "time_zone: Asia/Tokio", "M014"),
    ],
)
def test_a_deal_file_that_cannot_do_what_it_says_is_refused(old: str, new: str, code: str) -> None:
    """What a deal file says wrong is named with its code."""
    assert old in DEALS
    with pytest.raises(MappingError) as caught:
        both(DEALS.replace(old, new, 1))
    assert f" {code} " in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("never: [competitor]", "never: [own_staff]", ""),
        ("never: [competitor]", "never: [opted_out]", ""),
        ("owner: owner", "owner: nobody", "M017"),
        ("    when: { lead_status: Rejected }\n", "", "M011"),
        ("{ score: hot }", "{ score: warm }", "M024"),
        ("{ hand_raise: true }", "{ score: hot }", "M026"),
    ],
)
def test_a_hand_over_that_cannot_be_is_refused(old: str, new: str, code: str) -> None:
    """A hand-over names fields, thresholds and exclusions that exist."""
    assert old in HAND_OVER
    text = PERSON + HAND_OVER.replace(old, new, 1)
    if not code:
        assert both("", text)
        return
    with pytest.raises(MappingError) as caught:
        both("", text)
    assert f" {code} " in str(caught.value)


def test_an_exclusion_that_could_never_apply_is_refused() -> None:
    """«competitor» without a single domain would look like protection and be none."""
    with pytest.raises(MappingError) as caught:
        both("", FLOWING, hot="version: 1\nscore: { hot: { enter: 70 } }\n")
    assert " M061 " in str(caught.value)


@pytest.mark.parametrize(
    "line", ["USD,2026-01-01", "ZZZ,2026-01-01,1", "USD,soon,1", "USD,2026-01-01,-1", 'USD,"']
)
def test_a_rate_that_means_nothing_is_named_in_its_file(line: str) -> None:
    """A bad line of rates.csv is an error there, never a silent zero."""
    with pytest.raises(MappingError) as caught:
        both(rates=f"currency,from,rate\n{line}\n")
    assert "rates.csv:" in str(caught.value)


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30), ("30 m", 1_800), ("24h", DAY), ("7d", 7 * DAY)]
)
def test_a_length_of_time_has_one_of_four_units(written: str, seconds: float) -> None:
    """`dwell` in seconds, minutes, hours or days is when the person may be announced again."""
    rules = both("", FLOWING, hot=HOT.replace("24h", written))["jp-person"]
    fields = {"email": "a@x.jp", "score.hot": True}
    told = stand(rules, "hand_over", fields={MA: fields, SFA: {}}, memory={}).memory
    cold = stand(rules, "hand_over", fields={MA: {**fields, "score.hot": False}, SFA: {}}, memory=told).memory
    assert stand(rules, "hand_over", fields={MA: fields, SFA: {}}, memory=cold).wake == NOON + seconds
