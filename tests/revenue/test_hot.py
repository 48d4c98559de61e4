"""Hot people: in at one threshold, out at another, announced once per crossing and at most once in a dwell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenue.hand_over import HandOver, hand_over_rule
from revenue.hot import HotRule, hot_rule, hot_trigger
from revenue.task import TaskForm, TaskPaths
from sync.record import Side
from sync.rules import Effect
from tests.support.standing import DAY, HOUR, NOON, Asked, ever, situation

RULE = HotRule(field="points", enter=70, leave=60, dwell=DAY)
FORM = TaskForm(object="Task", paths=TaskPaths(subject="Subject", who="WhoId", find="Key"), subject="call")
SCORES = st.integers(40, 90)


class Office:
    """The two rules in the engine's order: the score's field is there when the hand-over asks for it."""

    def __init__(self) -> None:
        self.hot = Asked(hot_rule(RULE))
        self.hand_over = Asked(hand_over_rule(HandOver(triggers=(hot_trigger(RULE),), task=FORM)))

    def look(self, score: object, now: float, *, quiet: bool = False) -> tuple[Effect, ...]:
        seen: dict[str, object] = {"points": score}
        first = self.hot.look(situation(ma=seen, now=now, quiet=quiet))  # type: ignore[arg-type]
        fields = {**seen, **first.fields[Side.MA]}
        return self.hand_over.effects(situation(ma=fields, now=now, quiet=quiet))  # type: ignore[arg-type]

    @property
    def is_hot(self) -> bool:
        return bool(self.hot.memory["hot"])

    @property
    def announced(self) -> int:
        return len(ever(self.hand_over, "hand-over"))


def test_the_vector_from_practice() -> None:
    """70 to enter, 60 to leave: a score that trembles between the two moves nobody."""
    office, told = Office(), []
    for hour, score in enumerate([55, 62, 71, 69, 66, 61, 58, 72, 90, 40]):
        before = bool(office.hot.memory.get("hot"))
        office.look(score, NOON + hour * HOUR)
        told.append("-" if office.is_hot == before else "ENTER" if office.is_hot else "EXIT")
    assert told == ["-", "-", "ENTER", "-", "-", "-", "EXIT", "ENTER", "-", "EXIT"]
    assert office.hot.memory["crossing"] == 2


@pytest.mark.parametrize(
    ("score", "hot"), [(70, True), (69, False), ("70.0", True), ("69.99", False), (0, False)]
)
def test_the_threshold_itself_is_in(score: object, hot: bool) -> None:
    """At the threshold and above, also for scores that come as decimals."""
    office = Office()
    office.look(score, NOON)
    assert office.is_hot is hot


def test_each_named_threshold_is_a_field_of_its_own() -> None:
    """Two thresholds on one score know nothing of each other."""
    warm = HotRule(field="points", enter=40, leave=30, threshold="warm")
    rules = [hot_rule(RULE), hot_rule(warm)]
    seen = situation(ma={"points": 50})
    assert [rule.name for rule in rules] == ["score.hot", "score.warm"]
    assert [dict(rule.derive(seen).fields[Side.MA]) for rule in rules] == [
        {"score.hot": False},
        {"score.warm": True},
    ]
    assert [dict(rule.gives[Side.MA]) for rule in rules] == [
        {"score.hot": "boolean"},
        {"score.warm": "boolean"},
    ]


@pytest.mark.parametrize("score", [None, "", "hot", True])
def test_a_score_that_cannot_be_read_changes_nothing(score: object) -> None:
    """A blank is not cold."""
    office = Office()
    office.look(80, NOON)
    office.look(score, NOON + HOUR)
    assert office.is_hot
    assert office.announced == 1


def test_a_person_without_marketing_record_keeps_its_state() -> None:
    """While there is no record nothing is added to its fields and nothing is forgotten."""
    office = Office()
    office.look(80, NOON)
    kept = office.hot.memory
    standing = office.hot.look(situation(now=NOON + HOUR, sfa={}))
    assert (office.hot.memory, standing.fields) == (kept, {})
    assert office.hand_over.effects(situation(now=NOON + HOUR, sfa={})) == ()


def test_up_and_down_between_two_looks_is_nothing() -> None:
    """What nobody saw did not happen."""
    office = Office()
    assert office.look(55, NOON) == office.look(55, NOON + HOUR) == ()
    assert office.hot.memory == {"hot": False, "crossing": 0, "since": 0.0}


def test_who_is_hot_at_the_first_look_has_crossed_once() -> None:
    """A person who arrives hot is handed over at once."""
    office = Office()
    (task,) = office.look(85, NOON)
    assert task == Effect("hand-over:7:1", Side.SFA, "Task", {"Subject": "call"}, who="WhoId", find="Key")


def test_a_quiet_crossing_is_remembered_and_never_announced() -> None:
    """A first sync, a merge that adds two scores: the person is hot, nobody is called; the next crossing counts."""
    office = Office()
    assert office.look(85, NOON, quiet=True) == ()
    assert office.look(85, NOON + 2 * DAY) == ()
    assert office.hot.memory["crossing"] == 1
    office.look(50, NOON + 3 * DAY)
    assert [task.key for task in office.look(75, NOON + 4 * DAY)] == ["hand-over:7:1"]
    assert office.hot.memory["crossing"] == 2


def test_an_announcement_is_kept_up_while_the_person_is_hot() -> None:
    """The same effect every time it is asked, with the same words, until the person has cooled."""
    office = Office()
    first = office.look(85, NOON)
    assert office.look(72, NOON + HOUR) == first
    assert office.look(72, NOON + HOUR, quiet=True) == first
    assert office.look(50, NOON + 2 * HOUR) == ()


def test_a_crossing_inside_the_dwell_waits_for_its_end() -> None:
    """Still hot when the dwell ends: told then. Until then the first announcement is kept up."""
    office = Office()
    office.look(85, NOON)
    office.look(50, NOON + HOUR)
    assert [task.key for task in office.look(80, NOON + 2 * HOUR)] == ["hand-over:7:1"]
    assert office.hand_over.wake == NOON + DAY
    assert [task.key for task in office.look(80, NOON + DAY - 1)] == ["hand-over:7:1"]
    assert [task.key for task in office.look(80, NOON + DAY)] == ["hand-over:7:2"]
    assert office.hand_over.wake == 0.0


def test_a_crossing_that_is_over_before_the_dwell_ends_is_never_told() -> None:
    """Sales heard of this person within the dwell, and there is nothing to say now."""
    office = Office()
    office.look(85, NOON)
    office.look(50, NOON + HOUR)
    office.look(80, NOON + 2 * HOUR)
    office.look(50, NOON + 3 * HOUR)
    assert office.look(50, NOON + 2 * DAY) == ()
    assert office.announced == 1


def test_a_quiet_look_postpones_what_waits_for_the_dwell() -> None:
    """A merge at the wrong moment loses no hand-over."""
    office = Office()
    office.look(85, NOON)
    office.look(50, NOON + HOUR)
    office.look(80, NOON + 2 * HOUR)
    assert office.look(160, NOON + DAY, quiet=True) == ()
    assert office.hand_over.wake == NOON + DAY + 300
    assert [task.key for task in office.look(160, NOON + DAY + 300)] == ["hand-over:7:2"]


@given(st.lists(st.tuples(SCORES, st.sampled_from([HOUR, 5 * HOUR, DAY, 3 * DAY])), max_size=40))
def test_announcements_are_enterings_outside_the_dwell_and_those_that_outlast_it(
    looks: list[tuple[int, float]],
) -> None:
    """For any scores: told at entering unless told within a day; else when the day is over, if still hot."""
    office, now, hot, open_, told_at, told = Office(), NOON, False, False, None, 0
    for score, pause in looks:
        now += pause
        entered = not hot and score >= 70
        hot = score >= 60 if hot else score >= 70
        open_ = hot and (open_ or entered)
        if open_ and (told_at is None or now >= told_at + DAY):
            open_, told_at, told = False, now, told + 1
        office.look(score, now)
        assert (office.is_hot, office.announced) == (hot, told)


@given(st.lists(st.tuples(SCORES, st.booleans()), max_size=40))
def test_without_a_dwell_every_loud_entering_is_announced_once(looks: list[tuple[int, bool]]) -> None:
    """Looks days apart: announcements are the enterings in looks that were not quiet."""
    office, hot, told = Office(), False, 0
    for day, (score, quiet) in enumerate(looks):
        entered = not hot and score >= 70
        hot = score >= 60 if hot else score >= 70
        told += entered and not quiet
        office.look(score, NOON + 2 * day * DAY, quiet=quiet)
        assert office.announced == told
