"""Rejected and un-worked leads: back to nurture once per time that it happens, and off the list when taken up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenue.exclusions import Exclusions
from revenue.leads import LeadReturns, Rejected, Unworked, lead_returns_rule
from revenue.routes import BlankReason, Reasons, Route
from revenue.task import TaskForm, TaskPaths
from sync.record import Side
from sync.standing import Standing
from tests.support.standing import DAY, HOUR, NOON, Asked, ever, situation

REMIND = TaskForm(
    object="Task",
    paths=TaskPaths(subject="Subject", who="WhoId", find="Key", about="WhatId"),
    subject="理由: {name}",
)
RULE = LeadReturns(
    rejected=Rejected(
        when=lambda fields: fields.get("status") == "rejected",
        reasons=Reasons(
            by="why",
            routes={"timing": Route(list="N-01", wake=90 * DAY), "student": Route(none="disqualify")},
            blank_reason=BlankReason(then="timing", after=7 * DAY, remind=REMIND),
        ),
    ),
    unworked=Unworked(
        still=lambda fields: fields.get("status") == "open", after=10 * DAY, route=Route(list="N-05")
    ),
    never=Exclusions(never=("opted_out",)),
    zone="Asia/Tokyo",
)


class Lead:
    """One lead under the rule."""

    def __init__(self, rule: LeadReturns = RULE) -> None:
        self.asked = Asked(lead_returns_rule(rule))

    def look(
        self, now: float, status: str, why: str = "", *, quiet: bool = False, out: bool = False
    ) -> Standing:
        topics = frozenset({"all"} if out else ())
        sfa = {"status": status, "why": why, "name": "山田"}
        return self.asked.look(situation(now=now, ma={}, sfa=sfa, quiet=quiet, opted_out=topics))

    def keys(
        self, now: float, status: str, why: str = "", *, quiet: bool = False, out: bool = False
    ) -> list[str]:
        return sorted(effect.key for effect in self.look(now, status, why, quiet=quiet, out=out).effects)


def test_a_rejected_lead_returns_by_its_reason() -> None:
    """At once, onto the reason's list, with a day to wake; the same every time."""
    lead = Lead()
    assert lead.keys(NOON, "open") == []
    standing = lead.look(NOON + HOUR, "rejected", "timing")
    (enrolment,) = standing.effects
    assert (enrolment.key, enrolment.values["list"]) == ("return:7:rejected:1", "N-01")
    assert standing.fields[Side.SFA] == {
        "lead_return.wake_on": "2026-12-21",
        "lead_return.key": "return:7:rejected:1",
        "lead_return.reason": "timing",
    }
    assert lead.look(NOON + 50 * DAY, "rejected", "timing").effects == (enrolment,)


def test_taken_up_again_is_off_the_list_and_rejected_again_is_a_second_return() -> None:
    """Each rejection has its number."""
    lead = Lead()
    lead.keys(NOON, "rejected", "timing")
    assert lead.keys(NOON + DAY, "working") == ["reopen:7:rejected:1"]
    assert lead.keys(NOON + 2 * DAY, "rejected", "timing") == ["return:7:rejected:2"]


def test_a_lead_that_nobody_touches_returns_after_ten_days() -> None:
    """Not a second before; touched in time, nothing ever happened."""
    lead, touched = Lead(), Lead()
    assert lead.keys(NOON, "open") == touched.keys(NOON, "open") == []
    assert lead.asked.wake == NOON + 10 * DAY
    assert lead.keys(NOON + 10 * DAY - 1, "open") == []
    assert lead.keys(NOON + 10 * DAY, "open") == ["return:7:unworked:1"]
    assert touched.look(NOON + 9 * DAY, "working").effects == ()
    assert touched.keys(NOON + 10 * DAY, "open") == []
    assert touched.keys(NOON + 20 * DAY, "open") == ["return:7:unworked:2"]


def test_an_unworked_lead_that_is_taken_up_leaves_its_list() -> None:
    """Sales is at work: nurture lets go. There was no day to wake."""
    lead = Lead()
    lead.keys(NOON, "open")
    standing = lead.look(NOON + 10 * DAY, "open")
    assert standing.fields[Side.SFA]["lead_return.wake_on"] is None
    assert lead.keys(NOON + 11 * DAY, "working") == ["reopen:7:unworked:1"]


def test_leads_that_stood_so_before_return_nobody() -> None:
    """A first sync finds thousands of open and rejected leads; each is news only when it happens again."""
    lead = Lead()
    assert lead.keys(NOON, "rejected", "timing", quiet=True) == []
    assert lead.keys(NOON + 30 * DAY, "rejected", "timing") == []
    assert lead.keys(NOON + 31 * DAY, "open") == []
    assert lead.keys(NOON + 32 * DAY, "rejected", "timing") == ["return:7:rejected:2"]


def test_a_quiet_look_loses_no_lead_that_waits() -> None:
    """A merge when ten days are over: the return follows in the next look."""
    lead = Lead()
    lead.keys(NOON, "open")
    assert lead.keys(NOON + 10 * DAY, "open", quiet=True) == []
    assert lead.keys(lead.asked.wake, "open") == ["return:7:unworked:1"]


def test_a_blank_reason_reminds_about_the_person() -> None:
    """No deal to hang the task on: it names the person; after seven days the default way."""
    lead = Lead()
    (reminder,) = lead.look(NOON, "rejected").effects
    assert (reminder.key, reminder.who, dict(reminder.values)) == (
        "remind:7:rejected:1", "WhoId", {"Subject": "理由: 山田"},
    )  # fmt: skip
    assert lead.keys(NOON + 7 * DAY, "rejected") == ["return:7:rejected:1"]


@pytest.mark.parametrize(
    ("why", "out", "code"), [("student", False, "disqualify"), ("timing", True, "opted_out")]
)
def test_a_skip_is_recorded_with_its_code(why: str, out: bool, code: str) -> None:
    """No list for who does not belong here or does not want to hear from us."""
    lead = Lead()
    assert lead.keys(NOON, "rejected", why, out=out) == []
    assert lead.asked.memory["cases"]["rejected:1"]["code"] == code


def test_an_unknown_reason_asks() -> None:
    """A person decides, in the inbox."""
    (question,) = Lead().look(NOON, "rejected", "what").questions
    assert (question.field, question.kind) == ("lead_return.reason", "unknown_reason")


def test_one_of_the_two_may_be_missing() -> None:
    """A mapping without `unworked`, or without `rejected`, has just the other."""
    only_rejected = Lead(replace(RULE, unworked=None))
    assert only_rejected.keys(NOON, "open") == only_rejected.keys(NOON + 20 * DAY, "open") == []
    only_unworked = Lead(replace(RULE, rejected=None))
    assert only_unworked.keys(NOON, "rejected", "timing") == []
    assert only_unworked.keys(NOON + DAY, "open") == []
    assert only_unworked.keys(NOON + 11 * DAY, "open") == ["return:7:unworked:1"]


def test_a_person_without_sales_record_keeps_what_stands() -> None:
    """A deleted lead is neither worked nor taken up."""
    lead = Lead()
    lead.keys(NOON, "rejected", "timing")
    kept = lead.asked.memory
    assert lead.asked.look(situation(ma={}, now=NOON + DAY)).effects == ()
    assert lead.asked.memory == kept


LOOKS = st.tuples(
    st.sampled_from(["open", "working", "rejected"]),
    st.sampled_from(["timing", "", "student", "what"]),
    st.sampled_from([HOUR, 3 * DAY, 11 * DAY]),
    st.booleans(),
)


@given(st.lists(LOOKS, max_size=40))
def test_each_episode_returns_at_most_once(looks: list[tuple[str, str, float, bool]]) -> None:
    """For any story: keys never exceed the turns into a status, and a quiet look brings no new one."""
    lead, now, before, turns = Lead(), NOON, "", {"open": 0, "rejected": 0}
    for status, why, pause, quiet in looks:
        now += pause
        known = set(lead.asked.keys)
        lead.look(now, status, why, quiet=quiet)
        if status in turns and status != before:
            turns[status] += 1
        before = status
        assert not quiet or lead.asked.keys == known
    for key in ever(lead.asked, "return"):
        _kind, _entity, subject, number = key.split(":")
        assert int(number) <= turns["open" if subject == "unworked" else "rejected"]
