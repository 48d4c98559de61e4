"""The long run: a hundred thousand random schedules of all profiles, each of them judged."""

from __future__ import annotations

import os

import pytest

from tests.sim.__main__ import explain
from tests.sim.driver import play
from tests.sim.profiles import PROFILES

SCHEDULES = int(os.environ.get("SOAK_SCHEDULES", "100000"))
BATCH = 1_000
FIRST = 1_000_000  # beside the seeds that every run of the suite plays
LARGEST = 20  # people in a schedule of those that take turns; larger ones take minutes


@pytest.mark.soak
@pytest.mark.parametrize("first", range(FIRST, FIRST + SCHEDULES, BATCH))
def test_a_hundred_thousand_schedules_hold(first: int) -> None:
    """Every profile takes its turn, and nothing that two vendors wrote down is against a promise."""
    names = sorted(name for name, kind in PROFILES.items() if kind.persons[1] <= LARGEST)
    for seed in range(first, min(first + BATCH, FIRST + SCHEDULES)):
        result = play(seed, names[seed % len(names)])
        assert not result.offences, explain(result)
