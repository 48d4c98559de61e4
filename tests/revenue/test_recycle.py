"""Return to nurture: once per deal, person and closing, at the right time, by reason, and never for who is excluded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenue.cases import KEPT, load
from revenue.days import day_of
from revenue.exclusions import Exclusions
from revenue.recycle import Recycle, recycle_rule
from revenue.routes import BlankReason, Reasons, Route
from revenue.task import TaskForm, TaskPaths
from sync.record import Raw, Side
from sync.remember import join_memories
from sync.rules import Effect, Fields
from sync.standing import Standing
from tests.support.standing import DAY, HOUR, NOON, Asked, Deal, ever, situation

REMIND = TaskForm(
    object="Task",
    paths=TaskPaths(
        subject="Subject", who="WhoId", find="Key", owner="Owner.Email", about="WhatId", due="Due"
    ),
    subject="失注理由: {name}",
    owner="owner",
    due=DAY,
    zone="Asia/Tokyo",
)
REASONS = Reasons(
    routes={
        "timing": Route(list="N-01", wake=90 * DAY, wake_from="revisit"),
        "rival": Route(list="N-04", wake=180 * DAY),
        "budget": Route(list="N-01", wake=30 * DAY),
        "unfit": Route(none="disqualify"),
    },
    blank_reason=BlankReason(then="timing", after=7 * DAY, remind=REMIND),
)
RULE = Recycle(
    reasons=REASONS,
    wait=DAY,
    never=Exclusions(never=("open_deal_at_account", "current_customer", "opted_out")),
    roles=("primary", "decision_maker"),
    zone="Asia/Tokyo",
)
DUE = NOON + DAY


class Person:
    """One person, and the deals that concern them."""

    def __init__(self, *deals: Deal, rule: Recycle = RULE) -> None:
        self.deals = list(deals)
        self.asked = Asked(recycle_rule(rule))
        self.ma: Fields | None = {}
        self.opted_out = False
        self.entity = 7

    def look(self, now: float, *, quiet: bool = False) -> Standing:
        return self.asked.look(
            situation(
                now=now,
                ma=self.ma,
                sfa={},
                quiet=quiet,
                entity=self.entity,
                related=tuple(deal.related for deal in self.deals),
                opted_out=frozenset({"all"} if self.opted_out else ()),
            )
        )

    def keys(self, now: float, *, quiet: bool = False) -> list[str]:
        return sorted(effect.key for effect in self.look(now, quiet=quiet).effects)

    def fields(self, now: float) -> tuple[object, ...]:
        found = self.look(now).fields.get(Side.SFA, {})
        return tuple(found.get(f"recycle.{name}") for name in ("wake_on", "key", "reason"))

    def code(self, name: str = "D1:1") -> str:
        return load(self.asked.memory)[name].code


def lost(reason: str = "timing", name: str = "D1", at: float = NOON) -> Deal:
    """A deal that was open and is lost."""
    deal = Deal(id=name)
    deal.turn("open", at - DAY)
    deal.turn("lost", at, {"reason": reason, "name": "導入案件", "owner": "rep@we.example"})
    return deal


def test_a_reason_that_no_rule_lists_is_not_blank() -> None:
    """A vendor's word that the mapping cannot read is asked about; nobody is reminded of what is filled in."""
    deal = Deal(unknown={"reason": "No decision"})
    deal.turn("lost", NOON)
    person = Person(deal)
    for now in (NOON, DUE, DUE + 8 * DAY):
        assert person.keys(now) == []
    (question,) = person.look(DUE + 9 * DAY).questions
    assert (question.kind, "No decision" in str(question.details)) == ("unknown_reason", True)


def test_a_lost_deal_returns_its_person_when_the_wait_is_over() -> None:
    """Nothing before; then the list of the reason, a day to wake, the key and the reason; the same every time."""
    person = Person(lost())
    assert person.look(NOON).effects == ()
    assert (person.asked.wake, person.look(DUE - 1).fields) == (DUE, {})
    (enrolment,) = person.look(DUE).effects
    values: dict[str, Raw] = {"list": "N-01", "member": True}
    assert enrolment == Effect("return:7:D1:1", Side.MA, "ListMember", values, who="lead", repeatable=True)
    assert person.look(DUE + 50 * DAY).effects == (enrolment,)
    assert person.fields(DUE + 50 * DAY) == ("2026-12-21", "return:7:D1:1", "timing")


def test_the_next_look_is_the_earliest_that_anything_needs() -> None:
    """Of two deals that wait, the one that is due first."""
    person = Person(lost(at=NOON + HOUR), lost("rival", "D2"), lost("rival", "D3", NOON + 2 * HOUR))
    person.look(NOON + 3 * HOUR)
    assert person.asked.wake == DUE


def test_reopened_inside_the_wait_is_nothing() -> None:
    """A slip of the hand leaves no trace, not even a skip."""
    person = Person(lost())
    person.look(NOON + HOUR)
    person.deals[0].turn("open", NOON + 2 * HOUR)
    assert person.look(DUE + DAY) == Standing(memory={"cases": {}})
    assert person.asked.keys == set()


def test_lost_again_inside_the_wait_starts_the_wait_anew() -> None:
    """The second closing is due a day after it, the first never."""
    person = Person(lost())
    person.look(NOON)
    person.deals[0].turn("open", NOON + HOUR)
    person.deals[0].turn("lost", NOON + 2 * HOUR)
    assert person.keys(DUE) == []
    assert person.keys(DUE + 2 * HOUR) == ["return:7:D1:2"]


@pytest.mark.parametrize("outcome", ["open", "won"])
def test_reopened_or_won_after_the_return_takes_the_person_off_the_list(outcome: str) -> None:
    """The enrolment is not asked for any more, its opposite is, and there is no day to wake."""
    person = Person(lost())
    person.look(DUE)
    person.deals[0].turn(outcome, DUE + DAY)
    (removal,) = person.look(DUE + DAY).effects
    values: dict[str, Raw] = {"list": "N-01", "member": False}
    assert removal == Effect("reopen:7:D1:1", Side.MA, "ListMember", values, who="lead", repeatable=True)
    assert person.fields(DUE + 9 * DAY) == (None, None, None)


def test_lost_again_after_being_reopened_returns_a_second_time() -> None:
    """Closing 2 has its own key; while the same list is wanted again its removal is not asked for."""
    person = Person(lost())
    person.look(DUE)
    person.deals[0].turn("open", DUE + DAY)
    assert person.keys(DUE + DAY) == ["reopen:7:D1:1"]
    person.deals[0].turn("lost", DUE + 2 * DAY)
    assert person.keys(DUE + 2 * DAY) == ["reopen:7:D1:1"]
    assert person.keys(DUE + 3 * DAY) == ["return:7:D1:2"]
    assert person.fields(DUE + 3 * DAY)[1:] == ("return:7:D1:2", "timing")


def test_lost_again_for_another_reason_leaves_the_old_list() -> None:
    """A removal and an enrolment, each from its own closing."""
    person = Person(lost())
    person.look(DUE)
    person.deals[0].turn("open", DUE + DAY)
    person.look(DUE + DAY)
    person.deals[0].turn("lost", DUE + 2 * DAY, {"reason": "rival"})
    assert person.keys(DUE + 3 * DAY) == ["reopen:7:D1:1", "return:7:D1:2"]


def test_won_corrected_to_lost_returns() -> None:
    """A cancelled order is a loss; only then is there a closing."""
    person = Person(Deal())
    person.deals[0].turn("won", NOON - DAY)
    assert person.keys(NOON - DAY) == []
    person.deals[0].turn("lost", NOON, {"reason": "rival"})
    assert person.keys(DUE) == ["return:7:D1:1"]


def test_a_deal_that_opens_between_derive_and_enrolment_stops_it() -> None:
    """Asked again just before it leaves, the enrolment is not there any more."""
    person = Person(lost())
    assert person.keys(DUE) == ["return:7:D1:1"]
    person.deals[0].values["outcome"] = "open"  # read anew; the deal itself is decided a moment later
    assert person.keys(DUE + 1) == []
    person.deals[0].turn("open", DUE + 2)
    assert person.keys(DUE + 2) == ["reopen:7:D1:1"]


def test_two_lost_deals_are_two_returns_and_the_earlier_day_wakes() -> None:
    """Each its own list; one field to wake by: the earliest day that is not over, key and reason of the last return."""
    person = Person(lost("rival"), lost("timing", "D2", NOON + 10 * DAY))
    assert person.keys(DUE) == ["return:7:D1:1"]
    assert person.fields(DUE) == ("2027-03-21", "return:7:D1:1", "rival")
    assert person.keys(DUE + 10 * DAY) == ["return:7:D1:1", "return:7:D2:1"]
    assert person.fields(DUE + 10 * DAY) == ("2026-12-31", "return:7:D2:1", "timing")
    new_year = person.asked.wake
    assert (day_of(new_year - 1, "Asia/Tokyo").isoformat(), day_of(new_year, "Asia/Tokyo").day) == (
        "2026-12-31",
        1,
    )
    assert person.fields(new_year - 1)[0] == "2026-12-31"
    assert person.fields(new_year)[0] == "2027-03-21"
    assert person.asked.wake == 0.0
    assert person.fields(new_year + 400 * DAY)[0] == "2027-03-21"


def test_a_list_that_another_return_needs_is_not_left() -> None:
    """One of two deals on the same list is reopened: the person stays; both: the person leaves."""
    person = Person(lost("timing"), lost("budget", "D2"), rule=replace(RULE, never=Exclusions()))
    assert person.keys(DUE) == ["return:7:D1:1", "return:7:D2:1"]
    person.deals[0].turn("open", DUE + DAY)
    assert person.keys(DUE + DAY) == ["return:7:D2:1"]
    person.deals[1].turn("open", DUE + 2 * DAY)
    assert person.keys(DUE + 2 * DAY) == ["reopen:7:D1:1", "reopen:7:D2:1"]


def test_a_list_is_left_only_when_nobody_of_two_cases_needs_it() -> None:
    """Who is excluded after the second return is still on that list: the first removal waits until both cases end."""
    person = Person(
        lost("timing"), lost("budget", "D2"), rule=replace(RULE, never=Exclusions(never=("opted_out",)))
    )
    person.keys(DUE)
    person.deals[0].turn("open", DUE + DAY)
    person.keys(DUE + DAY)
    person.opted_out = True
    assert person.keys(DUE + 2 * DAY) == person.keys(DUE + 3 * DAY, quiet=True) == []
    person.deals[1].turn("won", DUE + 4 * DAY)
    assert person.keys(DUE + 4 * DAY) == ["reopen:7:D1:1", "reopen:7:D2:1"]


@pytest.mark.parametrize(
    ("revisit", "wake_on"),
    [
        ("2027-02-01", "2027-02-01"),
        ("2026-09-22", "2026-09-22"),
        ("2026-09-21", "2026-12-21"),
        (None, "2026-12-21"),
        ("soon", "2026-12-21"),
    ],
)
def test_a_day_that_the_customer_named_is_taken(revisit: str | None, wake_on: str) -> None:
    """Unless it is over already: then the route's own wait counts, in days of the office's calendar."""
    person = Person(lost())
    person.deals[0].values["revisit"] = revisit
    assert person.fields(DUE)[0] == wake_on


def test_the_day_to_wake_is_counted_from_the_day_in_the_office() -> None:
    """Returned at 15:30 UTC: in Tokyo that is the next day already."""
    deal = lost("rival", at=NOON + 2 * HOUR)
    assert Person(deal).fields(DUE + 2 * HOUR)[0] == "2027-03-22"
    london = Person(deal, rule=replace(RULE, zone="Europe/London"))
    assert london.fields(DUE + 2 * HOUR)[0] == "2027-03-21"


def test_a_reason_without_a_way_back_is_a_skip_with_its_code() -> None:
    """«Not our customer» is disqualified: no list, no day, and it is written down why."""
    person = Person(lost("unfit"))
    assert person.look(DUE).effects == ()
    assert (person.code(), person.look(DUE).fields) == ("disqualify", {})


def test_an_opted_out_person_is_skipped_for_good() -> None:
    """The skip is recorded with its code and final: who opts in a year later is not returned for an old loss."""
    person = Person(lost())
    person.opted_out = True
    assert person.keys(DUE) == []
    person.opted_out = False
    assert person.keys(DUE + DAY) == []
    assert person.code() == "opted_out"


def test_who_is_excluded_after_returning_is_woken_no_more() -> None:
    """Not enrolled either, should that not have left yet; and off the list when the deal is reopened."""
    person = Person(lost())
    person.look(DUE)
    person.opted_out = True
    assert person.keys(DUE + DAY) == []
    assert (person.fields(DUE + DAY), person.code()) == ((None, None, None), "opted_out")
    person.opted_out = False
    assert person.keys(DUE + 2 * DAY) == []
    person.deals[0].turn("open", DUE + 3 * DAY)
    assert person.keys(DUE + 3 * DAY) == ["reopen:7:D1:1"]


@pytest.mark.parametrize(("outcome", "code"), [("open", "open_deal_at_account"), ("won", "current_customer")])
def test_another_deal_at_the_account_stands_in_the_way(outcome: str, code: str) -> None:
    """A colleague's deal counts, without the person having a part in it."""
    other = Deal(id="D2", via="account", values={"outcome": outcome})
    person = Person(lost(), other)
    assert person.keys(DUE) == []
    assert person.code() == code


def test_an_unknown_reason_asks_and_waits() -> None:
    """A person decides; meanwhile nothing happens; corrected, the return follows."""
    person = Person(lost("something else"))
    assert person.look(NOON).questions == ()
    standing = person.look(DUE)
    (question,) = standing.questions
    assert (question.field, question.kind, standing.effects) == ("recycle.reason", "unknown_reason", ())
    assert question.details["cases"] == [{"about": "D1", "number": 1, "reason": "something else"}]
    person.deals[0].values["reason"] = "rival"
    standing = person.look(DUE + 60 * DAY)
    assert standing.questions == ()
    assert [effect.values["list"] for effect in standing.effects] == ["N-04"]


def test_an_unknown_reason_is_returned_once_the_rules_know_it() -> None:
    """New rules are looked at quietly first: what was waiting is not forgotten by that."""
    person = Person(lost("something else"))
    person.look(DUE)
    routes = {**REASONS.routes, "something else": Route(list="N-09")}
    person.asked.rule = recycle_rule(replace(RULE, reasons=replace(REASONS, routes=routes)))
    assert person.keys(DUE + DAY, quiet=True) == []
    assert person.asked.wake == DUE + DAY + 300
    assert person.keys(person.asked.wake) == ["return:7:D1:1"]


def test_all_other_reasons_may_have_a_route() -> None:
    """The mapping may name the route that everybody else takes; the reason stays the one that sales gave."""
    person = Person(lost("else"), rule=replace(RULE, reasons=replace(REASONS, other_reason="rival")))
    assert person.keys(DUE) == ["return:7:D1:1"]
    assert person.fields(DUE)[2] == "else"


def test_a_blank_reason_reminds_the_owner_and_takes_the_default_way() -> None:
    """One task on the deal when the return is due; after seven days the named route."""
    person = Person(lost(""))
    assert person.keys(NOON) == []
    (reminder,) = person.look(DUE).effects
    values = {
        "Subject": "失注理由: 導入案件",
        "Due": "2026-09-23",
        "Owner.Email": "rep@we.example",
        "WhatId": "D1",
    }
    assert reminder == Effect("remind:D1-1", Side.SFA, "Task", values, find="Key", spare=("Owner.Email",))
    assert person.asked.wake == DUE + 7 * DAY
    assert person.keys(DUE + 7 * DAY - 1) == ["remind:D1-1"]
    assert person.keys(DUE + 7 * DAY) == ["return:7:D1:1"]
    assert person.fields(DUE + 7 * DAY)[2] == "timing"


def test_a_deals_people_share_one_reminder() -> None:
    """Three people of a deal are one task for its owner: the key names the deal and the closing alone."""
    deal = lost("")
    first, second = Person(deal), Person(deal)
    second.entity = 8
    assert first.look(DUE).effects == second.look(DUE).effects != ()


def test_a_reason_that_is_filled_in_meanwhile_is_taken_at_once() -> None:
    """The reminder is not asked for any more, and the way is the one of the reason."""
    person = Person(lost(""))
    person.look(DUE)
    person.deals[0].values["reason"] = "rival"
    assert person.keys(DUE + DAY) == ["return:7:D1:1"]
    assert person.fields(DUE + DAY)[2] == "rival"


def test_without_a_default_way_a_blank_is_asked_about() -> None:
    """No word about blanks in the mapping: a person decides."""
    person = Person(lost(""), rule=replace(RULE, reasons=replace(REASONS, blank_reason=None)))
    assert [question.kind for question in person.look(DUE).questions] == ["unknown_reason"]


def test_a_reason_edited_after_the_return_is_noted_and_changes_nothing() -> None:
    """The person stays where they are; the memory says what sales thinks now."""
    person = Person(lost())
    before = person.look(DUE).effects
    person.deals[0].values["reason"] = "rival"
    assert person.look(DUE + DAY).effects == before
    assert person.fields(DUE + DAY)[2] == "timing"
    assert load(person.asked.memory)["D1:1"].later == "rival"


def test_without_a_marketing_record_the_return_waits_thirty_days() -> None:
    """Created in time: returned then. Not: skipped, with its code."""
    late, never = Person(lost()), Person(lost())
    late.ma = never.ma = None
    assert late.keys(DUE) == never.keys(DUE) == []
    assert late.asked.wake == DUE + 30 * DAY
    late.ma = {}
    assert late.keys(DUE + 29 * DAY) == ["return:7:D1:1"]
    assert never.keys(DUE + 30 * DAY) == []
    assert never.code() == "no_marketing_record"


def test_losses_that_were_known_before_return_nobody() -> None:
    """A first sync finds ten years of lost deals; the next closing of one of them is news."""
    deal = Deal()
    deal.turn("lost", NOON, {"reason": "rival"}, quiet=True)
    person = Person(deal)
    assert person.keys(DUE, quiet=True) == person.keys(DUE + DAY) == []
    deal.turn("open", DUE + 2 * DAY)
    deal.turn("lost", DUE + 3 * DAY)
    assert person.keys(DUE + 4 * DAY) == ["return:7:D1:2"]


def test_a_quiet_look_keeps_what_waits_and_drops_what_is_overdue() -> None:
    """A rule that is new today announces no loss whose wait is over, and does those that still wait."""
    person = Person(lost(), lost("rival", "D2", NOON + DAY))
    assert person.keys(DUE + HOUR, quiet=True) == []
    assert person.keys(DUE + DAY) == ["return:7:D2:1"]
    assert person.code("D1:1") == "quiet"


def test_a_quiet_look_postpones_returns_and_removals() -> None:
    """A merge in the wrong moment: neither is lost, both follow in the next look."""
    person = Person(lost())
    person.look(NOON)
    assert person.keys(DUE, quiet=True) == []
    assert person.asked.wake == DUE + 300
    assert person.keys(DUE + 300) == ["return:7:D1:1"]
    assert person.keys(DUE + 400, quiet=True) == ["return:7:D1:1"]
    assert person.asked.wake == 0.0
    person.deals[0].turn("open", DUE + DAY)
    assert person.keys(DUE + DAY, quiet=True) == []
    assert person.asked.wake == DUE + DAY + 300
    assert person.keys(DUE + DAY + 300) == ["reopen:7:D1:1"]


def test_a_quiet_look_sends_no_reminder() -> None:
    """It follows in the next look."""
    person = Person(lost(""))
    person.look(NOON)
    assert person.keys(DUE, quiet=True) == []
    assert person.keys(person.asked.wake) == ["remind:D1-1"]


def test_who_joins_a_deal_long_after_its_loss_is_not_returned() -> None:
    """Within thirty days yes, later no: the role is a note for the record."""
    soon, late = Person(), Person()
    soon.deals = late.deals = [lost()]
    assert soon.keys(DUE + 30 * DAY) == ["return:7:D1:1"]
    assert late.keys(DUE + 31 * DAY) == []
    assert late.code() == "late"


@pytest.mark.parametrize(
    ("via", "roles", "returns"),
    [
        ("role", ("Decision Maker",), True),
        ("role", ("primary",), True),
        ("role", ("Business User",), False),
        ("opened", (), True),
        ("account", (), False),
    ],
)
def test_only_the_deals_own_people_return(via: str, roles: tuple[str, ...], returns: bool) -> None:
    """Never all contacts of the account."""
    deal = lost()
    deal.via, deal.roles = via, roles
    assert bool(Person(deal).keys(DUE)) is returns


def test_a_deal_out_of_sight_returns_nobody_and_takes_nobody_back() -> None:
    """Deleted, or the role taken away: an unsent enrolment is not asked for, a day to wake stays."""
    person = Person(lost())
    person.look(DUE)
    deal, person.deals = person.deals[0], []
    assert person.keys(DUE + DAY) == []
    assert person.fields(DUE + DAY)[0] == "2026-12-21"
    deal.via = "account"
    deal.turn("open", DUE + 2 * DAY)
    person.deals = [deal]
    person.asked.rule = recycle_rule(replace(RULE, never=Exclusions()))
    assert person.keys(DUE + 2 * DAY) == ["reopen:7:D1:1"]


def test_the_mappings_condition_is_asked_of_the_deal() -> None:
    """Renewals go to customer success: their losses return nobody."""
    rule = replace(RULE, when=lambda deal: deal.get("type") == "New" and deal.get("outcome") == "lost")
    person = Person(lost(), rule=rule)
    assert person.keys(DUE) == []
    person.deals[0].values["type"] = "New"
    assert person.keys(DUE + DAY) == ["return:7:D1:1"]


def test_a_merge_changes_no_key_that_was_written() -> None:
    """The survivor's enrolment bears its own number, which the journal translates; the key on the record stays."""
    person = Person(lost())
    person.look(DUE)
    person.entity = 99
    assert person.keys(DUE + DAY, quiet=True) == ["return:99:D1:1"]
    assert person.fields(DUE + DAY)[1] == "return:7:D1:1"


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_memories_that_are_joined_what_happened_counts(swapped: bool) -> None:
    """One of two records had returned, the other still waited: the person has returned, whichever record stays."""
    returned, waiting = Person(lost()), Person(lost())
    returned.look(DUE)
    waiting.look(NOON)
    kept, gone = (waiting, returned) if swapped else (returned, waiting)
    kept.asked.memory = join_memories(kept.asked.memory, gone.asked.memory)
    assert kept.keys(DUE + DAY, quiet=True) == ["return:7:D1:1"]
    assert kept.fields(DUE + DAY) == ("2026-12-21", "return:7:D1:1", "timing")


def test_a_person_without_sales_record_keeps_what_stands() -> None:
    """A deleted contact falls out of sight, not out of memory."""
    person = Person(lost())
    person.look(DUE)
    kept = person.asked.memory
    assert person.asked.look(situation(ma={}, now=DUE + DAY)).effects == ()
    assert person.asked.memory == kept


def test_the_memory_stays_small() -> None:
    """A deal that is reopened again and again leaves its last twenty closings."""
    person = Person(lost())
    for turn in range(1, 60):
        person.look(DUE + turn * 3 * DAY)
        person.deals[0].turn("open", DUE + turn * 3 * DAY + HOUR)
        person.look(DUE + turn * 3 * DAY + HOUR)
        person.deals[0].turn("lost", DUE + turn * 3 * DAY + 2 * HOUR)
    person.look(DUE + 400 * DAY)
    assert len(person.asked.memory["cases"]) <= KEPT + 1
    assert len(ever(person.asked, "return")) == 59


EVENTS = st.tuples(
    st.sampled_from(["D1", "D2", "D3"]),
    st.sampled_from(
        ["open", "lost", "won", "look", "quiet", "opt", "record", "role", "timing", "rival", "", "what"]
    ),
    st.sampled_from([HOUR, 10 * HOUR, DAY, 3 * DAY, 20 * DAY]),
)


@given(st.lists(EVENTS, max_size=40))
def test_each_closing_returns_a_person_at_most_once(events: list[tuple[str, str, float]]) -> None:
    """For any story of three deals: one key per deal and closing, none beyond the closings that there were, no
    enrolment for who is excluded or has no record, and asking twice gives the same (every look is asked twice)."""
    deals = {name: Deal(id=name) for name in ("D1", "D2", "D3")}
    person, now = Person(*deals.values()), NOON
    lists: dict[str, set[object]] = {}
    for name, event, pause in events:
        now += pause
        deal = deals[name]
        if event in {"open", "lost", "won"}:
            deal.turn(event, now)
        elif event == "opt":
            person.opted_out = not person.opted_out
        elif event == "record":
            person.ma = {} if person.ma is None else None
        elif event == "role":
            deal.via = "account" if deal.via == "role" else "role"
        elif event not in {"look", "quiet"}:
            deal.values["reason"] = event
        known = set(person.asked.keys)
        standing = person.look(now, quiet=event == "quiet")
        assert event != "quiet" or {effect.key for effect in standing.effects} <= known
        enrolments = [effect for effect in standing.effects if effect.key.startswith("return:")]
        assert not (person.opted_out and enrolments)
        members = Counter(
            (effect.values["list"], effect.values["member"]) for effect in standing.effects if effect.who
        )
        assert not {name for name, member in members if member} & {
            name for name, member in members if not member
        }
        for effect in enrolments:
            lists.setdefault(effect.key, set()).add(effect.values["list"])
    assert all(len(found) == 1 for found in lists.values())
    for key in ever(person.asked, "return"):
        _kind, _entity, name, number = key.split(":")
        assert 1 <= int(number) <= deals[name].asked.memory["count"]
