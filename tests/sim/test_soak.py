"""The long run: a hundred thousand random schedules of all profiles, those of many people and of business in their own
numbers, each of them judged."""

from __future__ import annotations

import os

import pytest

from tests.sim import business
from tests.sim.__main__ import explain
from tests.sim.driver import play
from tests.sim.profiles import PROFILES

SCHEDULES = int(os.environ.get("SOAK_SCHEDULES", "100000"))
BATCH = 1_000
FIRST = 1_000_000  # beside the seeds that every run of the suite plays
LARGEST = 20  # people in a schedule of those that take turns; larger ones have a number of their own
WIDE, WIDE_BATCH = SCHEDULES // 50, 100
BUSINESS, BUSINESS_BATCH = SCHEDULES // 500, 20


@pytest.mark.soak
@pytest.mark.parametrize("first", range(FIRST, FIRST + SCHEDULES, BATCH))
def test_a_hundred_thousand_schedules_hold(first: int) -> None:
    """Every profile takes its turn, and nothing that two vendors wrote down is against a promise."""
    names = sorted(name for name, kind in PROFILES.items() if kind.persons[1] <= LARGEST)
    for seed in range(first, min(first + BATCH, FIRST + SCHEDULES)):
        result = play(seed, names[seed % len(names)])
        assert not result.offences, explain(result)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(FIRST, FIRST + WIDE, WIDE_BATCH))
def test_schedules_of_many_people_hold(first: int) -> None:
    """The same where sixty people and two hundred steps meet in one schedule."""
    for seed in range(first, min(first + WIDE_BATCH, FIRST + WIDE)):
        result = play(seed, "wide")
        assert not result.offences, explain(result)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(FIRST, FIRST + BUSINESS, BUSINESS_BATCH))
def test_schedules_of_business_hold(first: int) -> None:
    """Hand-overs, returns and won amounts hold too, however wild the schedule is."""
    names = sorted(business.WISHES)
    for seed in range(first, min(first + BUSINESS_BATCH, FIRST + BUSINESS)):
        name = names[seed % len(names)]
        played = business.play(seed, name)
        assert not played.offences, business.tell(played, name)
