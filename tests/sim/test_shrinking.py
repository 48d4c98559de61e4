"""A failing schedule is said in one line, and in a few steps that fail in the same way, anywhere and every time."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from tests.mutants.hunting import run_there
from tests.mutants.laying import lay_in, lay_out, mutants
from tests.sim.driver import play
from tests.sim.faults import NAMES
from tests.sim.shrinking import DEATHS, MIDST, QUIET, Chosen, Left, Tape, left_of, replay, shrink

pytestmark = pytest.mark.timeout(1_800)  # seconds; on a machine that has other work it takes minutes

EVERYTHING = (*sorted(NAMES), DEATHS, MIDST)


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine that decides conflicts without a word."""
    folder = tmp_path_factory.mktemp("shrinking")
    lay_out(folder)
    lay_in(mutants(("losers_unlisted",))[0], folder)
    return folder


def test_a_failing_schedule_is_shrunk_to_a_few_steps_that_fail_again(bad: Path) -> None:
    """Of dozens of steps at most a quarter is left, with fewer people, and the line that is printed fails again."""
    failed = run_there(bad, "tests.sim", "--seed", "1", "--count", "50")
    assert failed.returncode == 1
    whole, line, *rest = failed.stdout.splitlines()
    steps = list(takewhile(lambda told: not told.startswith("OFFENCE"), rest))
    left, count = map(int, re.findall(r"(\d+) of (\d+) steps are left", line)[0])
    assert count > 15
    assert left <= count // 4
    assert 0 < len(steps) < 80
    assert " persons=1" in line or " persons=2" in line
    for command in (whole, line.partition("#")[0]):
        _python, _m, module, *words = shlex.split(command)
        once_more = run_there(bad, module, *words)
        assert once_more.returncode == 1
        assert "OFFENCE lost edit" in once_more.stdout


def test_a_good_engine_passes_what_is_left(bad: Path) -> None:
    """The shrunk schedule turns green without the bug, and a good schedule is not shrunk at all."""
    failed = run_there(bad, "tests.sim", "--seed", "1", "--count", "50")
    words = shlex.split(failed.stdout.splitlines()[1].partition("#")[0])
    result = replay(int(words[4]), words[6], left_of(words[8]))
    assert not result.offences
    assert result.counts["cycles"]
    assert shrink(1, "calm") is None


def test_a_tape_changes_nothing() -> None:
    """Played from a tape, or with everything left, a schedule is the same to the last entry."""
    for seed in range(1, 4):
        tape = Tape(seed)
        recorded = Chosen(seed, "default", tape)
        once = recorded.run()
        assert [words for words in once.story if words[1] != "step"] == play(seed).story
        assert QUIET in tape.parts
        left = Left(tuple(range(recorded.number)), EVERYTHING, 99)
        assert Chosen(seed, "default", Tape(seed, tape.parts), left).run().trace == once.trace


def test_what_is_left_can_be_said_in_words() -> None:
    """The words of the line are read as they were meant."""
    left = Left((3, 14), ("slow", DEATHS), 2)
    assert left_of(str(left)) == left
    assert left_of(str(Left((), (), 1))) == Left((), (), 1)
