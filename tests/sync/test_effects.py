"""Effects: each happens once, also across lost answers and crashes at any commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest

from sync.record import Side
from sync.rows import UNCERTAIN, OperationRow
from sync.rules import Effect, EffectRule, Fields
from tests.support.office import Crash, Town

HOT = 70


def hot_lead(*, find: str) -> EffectRule:
    """A task for everybody who reaches the score, once per person."""

    def derive(_before: Fields | None, now: Fields, entity: int) -> Iterable[Effect]:
        if isinstance(score := now.get("score"), int) and score >= HOT:
            values = {"Subject": "call"}
            yield Effect(f"task/{entity}/1", Side.SFA, "Task", values, who="WhoId", find=find)

    return EffectRule(name="hot", source=Side.MA, derive=derive)


def town(find: str = "Key__c", people: int = 1) -> Town:
    made = Town(effects=(hot_lead(find=find),))
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
        made.cycle()
    (task,) = made.sfa.tasks
    assert task.values["WhoId"] == task.values["WhoId"] != ""
    assert task.values["Subject"] == "call"
    (row,) = effects(made)
    assert task.values["Key__c"] == row.effect


def test_no_effect_for_those_below_the_threshold() -> None:
    """Nobody else gets a task."""
    made = Town(effects=(hot_lead(find=""),))
    made.person(Side.MA, email="cold@x.example", lastName="佐藤", leadScore=3)
    made.cycle()
    made.cycle()
    assert not made.sfa.tasks


def test_a_lost_answer_is_settled_by_reading_where_the_key_can_be_found() -> None:
    """The task arrived, its answer did not: it is found by its key and not sent again."""
    made = town()
    made.cycle()
    made.sfa.lose = True
    for _cycle in range(4):
        made.cycle()
    assert len(made.sfa.tasks) == 1
    assert [row.state for row in effects(made)] == ["applied"]


def test_a_lost_answer_without_a_key_is_listed_and_never_sent_again() -> None:
    """An effect that cannot be found again happens at most once: in doubt it is uncertain, for a person to see."""
    made = town(find="")
    made.cycle()
    made.sfa.lose = True
    for _cycle in range(4):
        made.cycle()
    assert len(made.sfa.tasks) == 1
    assert [row.state for row in effects(made)] == [UNCERTAIN]


@pytest.mark.parametrize("find", ["Key__c", ""])
def test_two_hundred_crashes_double_no_effect_and_lose_none_unlisted(find: str) -> None:
    """Whichever commit the process dies at, each task happens once, or is listed as uncertain."""
    for seed in range(40):
        made = town(find, people=5)
        made.store.dice = Random(seed)
        crashes = 0
        while crashes < 5:
            try:
                made.cycle()
            except Crash:
                crashes += 1
        made.store.dice = None
        for _cycle in range(6):
            made.cycle()
        happened = Counter(str(task.values["WhoId"]) for task in made.sfa.tasks)
        uncertain = sum(row.state == UNCERTAIN for row in effects(made))
        assert max(happened.values(), default=1) == 1
        assert len(happened) + (0 if find else uncertain) >= 5
        assert not find or (len(happened) == 5 and not uncertain)
