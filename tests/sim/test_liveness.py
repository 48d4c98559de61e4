"""Work ends though something is broken for ever, and what people say to the engine itself is done and kept.

`lasting`: after the chaos a record refuses every write, or one end of a line is dead. `commanded`: people take back
what the engine wrote and give open work up while it works.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.sim.__main__ import explain
from tests.sim.driver import Result, play

pytestmark = pytest.mark.timeout(1_800)  # seconds; on a machine that has other work it takes minutes

SCHEDULES, BATCH = 100, 25
LONG, LONG_BATCH = 10_000, 500


def _hold(profile: str, first: int, count: int) -> list[Result]:
    results = []
    for seed in range(first, first + count):
        result = play(seed, profile)
        assert not result.offences, explain(result)
        results.append(result)
    return results


@pytest.mark.parametrize("first", range(1, SCHEDULES, BATCH))
def test_everything_else_is_done_though_one_thing_stays_broken(first: int) -> None:
    """In as many cycles as ever all that does not hang on it has arrived, and nobody hammers at what is broken."""
    results = _hold("lasting", first, BATCH)
    broken = Counter(words[3] for each in results for words in each.story if words[1] == "BROKEN for ever:")
    assert broken.keys() == {"record", "write", "find"}


@pytest.mark.parametrize("first", range(1, SCHEDULES, BATCH))
def test_what_people_take_back_and_give_up_stays_so(first: int) -> None:
    """Values that were taken back stand, what was given up is listed, and nothing else is lost by it."""
    counts: Counter[str] = Counter()
    for result in _hold("commanded", first, BATCH):
        counts += result.counts
    assert all(counts[what] for what in ("takes back", "discards", "keeps both"))


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1, LONG, LONG_BATCH))
def test_everything_else_is_done_in_the_long_run(first: int) -> None:
    """The same for ten thousand schedules."""
    assert len(_hold("lasting", first, LONG_BATCH)) == LONG_BATCH
