"""Effects: each happens once, also across lost answers and crashes at any commit."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from sync.ports import FieldError
from sync.record import Side
from sync.rows import UNCERTAIN, OperationRow
from sync.rules import Effect
from sync.standing import Situation, Standing, StandingRule
from tests.support.office import Crash, Town

HOT = 70


def hot_lead(*, find: str = "", repeatable: bool = False) -> StandingRule:
    """A task for everybody who reaches the score, once per person."""

    def derive(situation: Situation) -> Standing:
        score = situation.of(Side.MA).get("score")
        if not isinstance(score, int) or score < HOT:
            return Standing(memory={})
        key, values = f"task:{situation.entity}:1", {"Subject": "call"}
        effect = Effect(key, Side.SFA, "Task", values, who="WhoId", find=find, repeatable=repeatable)
        return Standing(memory={}, effects=(effect,))

    return StandingRule(name="hot", derive=derive)


def town(find: str = "Key__c", people: int = 1, *, repeatable: bool = False) -> Town:
    made = Town(standing=(hot_lead(find=find, repeatable=repeatable),))
    made.cycle()
    for number in range(people):
        made.person(Side.MA, email=f"p{number}@x.example", lastName=f"山田{number}", leadScore=80)
    return made


def effects(made: Town) -> list[OperationRow]:
    rows = made.store.get(OperationRow, [(number,) for number in range(3_000)])
    return [row for row in rows if row.effect]


def test_an_effect_waits_for_the_person_to_be_created_and_then_happens_once() -> None:
    """A hot lead is created first; the task then names the created record, and never comes again."""
    made = town()
    for _cycle in range(5):
        made.tick()
    (task,) = made.sfa.tasks
    assert task.values["WhoId"] == task.values["WhoId"] != ""
    assert task.values["Subject"] == "call"
    (row,) = effects(made)
    assert task.values["Key__c"] == row.effect


def test_no_effect_for_those_below_the_threshold() -> None:
    """Nobody else gets a task."""
    made = town(people=0)
    made.person(Side.MA, email="cold@x.example", lastName="佐藤", leadScore=3)
    made.tick()
    made.tick()
    assert not made.sfa.tasks


def test_a_lost_answer_is_settled_by_reading_where_the_key_can_be_found() -> None:
    """The task arrived, its answer did not: it is found by its key and not sent again."""
    made = town()
    made.tick()
    made.sfa.lose = True
    for _cycle in range(4):
        made.tick()
    assert len(made.sfa.tasks) == 1
    assert [row.state for row in effects(made)] == ["applied"]


def test_a_lost_answer_without_a_key_is_listed_and_never_sent_again() -> None:
    """An effect that cannot be found again happens at most once: in doubt it is uncertain, for a person to see."""
    made = town(find="")
    made.tick()
    made.sfa.lose = True
    for _cycle in range(4):
        made.tick()
    assert len(made.sfa.tasks) == 1
    assert [row.state for row in effects(made)] == [UNCERTAIN]


def test_a_lost_answer_to_what_may_be_repeated_is_repeated() -> None:
    """To be put on a list twice is to be on the list: in doubt it is done once more, and ends applied."""
    made = town(find="", repeatable=True)
    made.tick()
    made.sfa.lose = True
    for _cycle in range(4):
        made.tick()
    assert len(made.sfa.tasks) == 2
    assert [row.state for row in effects(made)] == ["applied"]


@pytest.mark.parametrize(
    ("refused", "tasks", "states"), [("Owner", 1, ["applied"]), ("Subject", 0, ["failed"])]
)
def test_a_task_goes_on_without_what_it_can_do_without(refused: str, tasks: int, states: list[str]) -> None:
    """An owner who has left the firm costs the task its owner and not the person the task; anything else fails."""

    def derive(situation: Situation) -> Standing:
        key, values = f"task:{situation.entity}:1", {"Subject": "call", "Owner": "gone@x.example"}
        effect = Effect(key, Side.SFA, "Task", values, who="WhoId", find="Key__c", spare=("Owner",))
        return Standing(memory={}, effects=(effect,))

    made = Town(standing=(StandingRule(name="all", derive=derive),))
    made.cycle()
    made.person(Side.MA, email="p@x.example", lastName="山田", leadScore=80)
    made.sfa.refuse = FieldError(refused, "inactive", "nobody there")
    for _cycle in range(6):
        made.tick()
    assert [("Owner" in task.values, task.values["Subject"]) for task in made.sfa.tasks] == [
        (False, "call")
    ] * tasks
    assert [row.state for row in effects(made)] == states


def test_what_is_no_longer_wanted_does_not_leave_and_may_be_wanted_again() -> None:
    """A task that waits for its person is dropped when the score falls, and comes back under the same key."""
    made = town()
    made.tick(send=False)
    (lead,) = made.ma._records
    assert [row.state for row in effects(made)] == ["waiting"]
    made.ma.edit(lead, {"leadScore": 3})
    made.tick()
    assert [row.state for row in effects(made)] == ["superseded"]
    made.tick()
    assert not made.sfa.tasks
    made.ma.edit(lead, {"leadScore": 90})
    for _cycle in range(3):
        made.tick()
    assert len(made.sfa.tasks) == 1
    (row,) = effects(made)
    assert row.state == "applied"


@pytest.mark.parametrize("find", ["Key__c", ""])
def test_two_hundred_crashes_double_no_effect_and_lose_none_unlisted(find: str) -> None:
    """Whichever commit the process dies at, each task happens once, or is listed as uncertain."""
    for seed in range(40):
        made = town(find, people=5)
        made.store.dice = Random(seed)
        crashes = 0
        while crashes < 5:
            try:
                made.tick()
            except Crash:
                crashes += 1
        made.store.dice = None
        for _cycle in range(6):
            made.tick()
        happened = Counter(str(task.values["WhoId"]) for task in made.sfa.tasks)
        uncertain = sum(row.state == UNCERTAIN for row in effects(made))
        assert max(happened.values(), default=1) == 1
        assert len(happened) + (0 if find else uncertain) >= 5
        assert not find or (len(happened) == 5 and not uncertain)
