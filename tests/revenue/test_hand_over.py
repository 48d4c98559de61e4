"""Hand-over: one task and one notice per crossing, whoever rang the bell, and none for who is excluded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenue.exclusions import Exclusions
from revenue.hand_over import HandOver, Trigger, hand_over_rule
from revenue.task import TaskForm, TaskPaths, in_words
from sync.record import Side, Value
from sync.remember import join_memories
from sync.rules import Effect, Fields
from tests.support.standing import DAY, HOUR, NOON, Asked, ever, situation

PATHS = TaskPaths(
    subject="Subject",
    who="WhoId",
    find="Key",
    owner="Owner.Email",
    due="ActivityDate",
    text="Description",
    about="WhatId",
)
FORM = TaskForm(
    object="Task",
    paths=PATHS,
    subject="{name}様へ連絡",
    due=DAY,
    owner="owner",
    reasons=("points", "grade"),
    zone="Asia/Tokyo",
)
HOT = Trigger(name="score", when=lambda fields: fields.get("hot") is True, dwell=DAY)
RAISED = Trigger(name="hand_raise", when=lambda fields: fields.get("raised") is True, dwell=HOUR, event=True)
ASKED = Trigger(name="trial", when=lambda fields: fields.get("trial") is True, dwell=HOUR, event=True)
RULE = HandOver(
    triggers=(HOT, RAISED, ASKED),
    task=FORM,
    notice="sales",
    never=Exclusions(never=("opted_out", "competitor")),
)


def asked(rule: HandOver = RULE) -> Asked:
    return Asked(hand_over_rule(rule))


def tasks(made: Asked, now: float, *, quiet: bool = False, out: bool = False, **ma: Value) -> list[str]:
    """The numbers of the tasks that stand after one look."""
    topics = frozenset({"all"} if out else ())
    seen = situation(ma=ma, sfa={"name": "山田"}, now=now, quiet=quiet, opted_out=topics)
    return [each.key.rpartition(":")[2] for each in made.effects(seen) if each.object == "Task"]


def test_a_task_tells_who_when_and_why() -> None:
    """Subject, due day in the office's time zone, owner by e-mail, reasons with a value; and a notice beside it."""
    sfa: Fields = {"name": "山田", "owner": "rep@we.example", "grade": None}
    task, notice = asked().effects(situation(ma={"hot": True, "points": 82, "grade": "A"}, sfa=sfa))
    text = "score\npoints: 82\ngrade: A"
    values = {
        "Subject": "山田様へ連絡", "ActivityDate": "2026-09-22", "Owner.Email": "rep@we.example", "Description": text,
    }  # fmt: skip
    spare = ("Owner.Email",)
    assert task == Effect("hand-over:7:1", Side.SFA, "Task", values, who="WhoId", find="Key", spare=spare)
    told = {"subject": "山田様へ連絡", "text": text}
    assert notice == Effect("notice:7:1", Side.SFA, "Notice", told, channel="sales")


def test_the_due_day_is_counted_in_the_time_zone() -> None:
    """23:30 UTC is the next morning in Tokyo: due the day after that."""
    late = NOON + 9 * HOUR + 1_600  # 23:40 UTC
    task, _notice = asked().effects(situation(ma={"hot": True}, sfa={}, now=late))
    assert task.values["ActivityDate"] == "2026-09-23"


def test_parts_that_the_vendor_does_not_have_are_left_out() -> None:
    """No path, no value: neither appears; without a form there is a notice only, without a channel a task only."""
    bare = replace(FORM, paths=TaskPaths(subject="Subject", who="WhoId"), due=0.0)
    (task,) = asked(replace(RULE, task=bare, notice="")).effects(situation(ma={"hot": True}))
    assert (dict(task.values), task.find) == ({"Subject": "様へ連絡"}, "")
    (notice,) = asked(replace(RULE, task=None)).effects(situation(ma={"hot": True}, sfa={}))
    assert notice.values == {"subject": "score", "text": "score"}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{a} and {b}", "1 and true"),
        ("{none}{blank}.", "."),
        ("{a", "{a"),
        ("{}", "{}"),
        ("{a.b}", "x"),
        ("{a!r}", ""),
    ],
)
def test_a_template_names_fields_and_nothing_else(template: str, words: str) -> None:
    """A brace that is no field's name stays text; a template can reach into nothing."""
    assert in_words(template, {"a": 1, "b": True, "none": None, "blank": "", "a.b": "x"}) == words


def test_long_subjects_are_cut() -> None:
    """A vendor would refuse the whole task for a subject that is too long."""
    (task, _notice) = asked().effects(situation(ma={"hot": True, "name": "長" * 900}, sfa={}))
    assert len(str(task.values["Subject"])) == 255


def test_a_raised_hand_is_a_crossing_of_its_own() -> None:
    """Hot since yesterday, asks for a demo today: sales hears it at once, inside the score's dwell."""
    made = asked()
    assert tasks(made, NOON, hot=True) == ["1"]
    assert tasks(made, NOON + 2 * HOUR, hot=True, raised=True) == ["1", "2"]


def test_what_the_raised_hand_itself_scored_is_covered_by_it() -> None:
    """A form fills in points as well: the score that crosses a minute later announces nothing of its own."""
    made = asked()
    assert tasks(made, NOON, raised=True) == ["1"]
    assert tasks(made, NOON + 60, raised=True, hot=True) == ["1"]
    assert tasks(made, NOON + 3 * DAY, raised=True, hot=True) == ["1"]
    assert ever(made, "hand-over") == ["hand-over:7:1"]


@pytest.mark.parametrize(("pause", "numbers"), [(DAY - 1, ["1"]), (DAY, ["1", "2"])])
def test_a_raised_hand_covers_the_score_for_the_scores_dwell(pause: float, numbers: list[str]) -> None:
    """A day later a score that crosses is news of its own."""
    made = asked()
    assert tasks(made, NOON, raised=True) == ["1"]
    assert tasks(made, NOON + pause, raised=True, hot=True) == numbers


def test_two_crossings_in_one_look_are_one_hand_over() -> None:
    """A person who arrives hot and with a raised hand gets one task that names both."""
    made = asked()
    task, _notice = made.effects(situation(ma={"hot": True, "raised": True}, sfa={}))
    assert (task.key, task.values["Description"]) == ("hand-over:7:1", "score, hand_raise")


def test_two_events_are_two_hand_overs_unless_seen_at_once() -> None:
    """Events wait for no other trigger's dwell."""
    made = asked()
    assert tasks(made, NOON, raised=True) == ["1"]
    assert tasks(made, NOON + 60, raised=True, trial=True) == ["1", "2"]
    together = asked()
    assert tasks(together, NOON, raised=True, trial=True) == ["1"]


def test_the_latest_hand_over_covers_the_score() -> None:
    """Of two that sales has just heard of, the score joins the later one."""
    made = asked()
    tasks(made, NOON, raised=True)
    tasks(made, NOON + 60, raised=True, trial=True)
    seen = situation(ma={"raised": True, "trial": True, "hot": True}, now=NOON + 120)
    why = {each.key: each.values["Description"] for each in made.effects(seen) if each.object == "Task"}
    assert why == {"hand-over:7:1": "hand_raise", "hand-over:7:2": "score, trial"}


def test_a_hand_stays_raised_when_the_flag_is_taken_back() -> None:
    """The campaign that resets the flag must not take back a task that has not left yet."""
    made = asked()
    assert tasks(made, NOON, raised=True) == ["1"]
    assert tasks(made, NOON + 60) == ["1"]
    assert tasks(made, NOON + 2 * HOUR, raised=True) == ["2"]


def test_a_hand_raised_twice_within_its_dwell_is_one_hand_over() -> None:
    """Sent twice by an impatient person: one task; still raised when the dwell ends: a second one."""
    made = asked()
    assert tasks(made, NOON, raised=True) == ["1"]
    assert tasks(made, NOON + 60) == tasks(made, NOON + 120, raised=True) == ["1"]
    assert made.wake == NOON + HOUR
    assert tasks(made, NOON + HOUR, raised=True) == ["2"]


def test_who_is_excluded_is_skipped_with_the_code_and_told_when_it_ends() -> None:
    """The code stands in the memory; a person who is still hot when the exclusion ends is not lost."""
    made = asked()
    assert tasks(made, NOON, hot=True, out=True) == []
    assert made.memory["triggers"]["score"]["code"] == "opted_out"
    assert tasks(made, NOON + DAY, hot=True) == ["1"]
    assert "code" not in made.memory["triggers"]["score"]


def test_an_exclusion_that_ends_by_new_rules_releases_no_flood() -> None:
    """The domain list is shortened: everybody it held back is noted as quiet, and nobody is announced."""
    made = asked()
    assert tasks(made, NOON, hot=True, out=True) == []
    assert tasks(made, NOON + DAY, hot=True, quiet=True) == []
    assert tasks(made, NOON + 2 * DAY, hot=True) == []
    assert made.memory["triggers"]["score"]["code"] == "quiet"


def test_an_exclusion_takes_back_what_has_not_left() -> None:
    """Asked again just before it leaves: opted out meanwhile, so it does not leave."""
    made = asked()
    assert tasks(made, NOON, hot=True) == ["1"]
    assert tasks(made, NOON + 60, hot=True, out=True) == []


def test_nobody_is_told_before_there_is_a_record() -> None:
    """The notice waits until sales has a record of the person, however long that takes; then it is told once."""
    made = asked()
    assert [each.key for each in made.effects(situation(ma={"hot": True}))] == ["hand-over:7:1"]
    later = situation(ma={"hot": True}, sfa={}, now=NOON + 3 * DAY)
    assert [each.key for each in made.effects(later)] == ["hand-over:7:1", "notice:7:1"]


def test_a_merge_keeps_numbers() -> None:
    """The survivor goes on with the same crossing: the same number under its own name, which the journal translates."""
    made = asked()
    assert tasks(made, NOON, hot=True) == ["1"]
    merged = situation(ma={"hot": True}, sfa={}, now=NOON + HOUR, entity=99, quiet=True)
    assert [each.key for each in made.effects(merged)] == ["hand-over:99:1", "notice:99:1"]


def test_two_memories_joined_announce_nothing_again() -> None:
    """Two records that were both handed over turn out to be one person: the next crossing has a new number."""
    first, second = asked(), asked()
    tasks(first, NOON, hot=True)
    for day in (0, 2):
        tasks(second, NOON + day * DAY, hot=True)
        tasks(second, NOON + (day + 1) * DAY)
    first.memory = join_memories(first.memory, second.memory)
    assert (
        tasks(first, NOON + 4 * DAY, hot=True, quiet=True) == tasks(first, NOON + 5 * DAY, hot=True) == ["2"]
    )
    assert tasks(first, NOON + 6 * DAY) == []
    assert tasks(first, NOON + 7 * DAY, hot=True) == ["3"]


def test_who_never_crossed_costs_no_memory() -> None:
    """A hundred thousand cold people are a hundred thousand blanks."""
    made = asked()
    tasks(made, NOON)
    assert not any(made.memory.values())


def test_without_a_marketing_record_nothing_is_told_or_forgotten() -> None:
    """A deleted record falls out of sight, not out of memory."""
    made = asked()
    tasks(made, NOON, hot=True)
    kept = made.memory
    assert made.effects(situation(sfa={}, now=NOON + HOUR)) == ()
    assert made.memory == kept


LOOKS = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.sampled_from([60.0, HOUR, DAY]))


@given(st.lists(LOOKS, max_size=30))
def test_every_announcement_has_its_number_and_its_distance(
    looks: list[tuple[bool, bool, bool, float]],
) -> None:
    """For any sequence: none in a quiet look, at most one number a look, and nobody's dwell is broken."""
    made, now, last = asked(), NOON, dict.fromkeys(("score", "hand_raise"), 0.0)
    for hot, raised, quiet, pause in looks:
        now += pause
        before = made.memory.get("count", 0)
        tasks(made, now, hot=hot, raised=raised, quiet=quiet)
        new = made.memory["count"] - before
        assert new <= (not quiet)
        by = [
            name
            for name in last
            if new and made.memory["triggers"].get(name, {}).get("number") == made.memory["count"]
        ]
        assert len(by) >= new
        assert "hand_raise" not in by or now >= last["hand_raise"] + HOUR
        assert by != ["score"] or now >= max(last.values()) + DAY
        last |= dict.fromkeys(by, now)
    assert len(ever(made, "hand-over")) == made.memory.get("count", 0)
