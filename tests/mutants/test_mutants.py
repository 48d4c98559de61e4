"""The net itself is tested: known bugs are put into copies of the engine, and schedules must turn red.

Each patch fits the code or the suite fails; those that were killed first, when all were last looked for, are killed
here once more. `python -m tests.mutants` looks for all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.hunting import earliest, hunt, told
from tests.mutants.laying import MIXED, ROOT, Mutant, Stale, is_mutated, lay_in, lay_out, mutants
from tests.sim.profiles import PROFILES

pytestmark = pytest.mark.timeout(1_800)  # seconds; on a machine that has other work it takes minutes

QUICKLY, FIRST = 500, 5
OWN, BLIND = 18, 5
BEFOREHAND = mutants()


def _name(mutant: Mutant) -> str:
    return mutant.name


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages into which bugs are put and taken out again."""
    folder = tmp_path_factory.mktemp("mutants")
    lay_out(folder)
    return folder


@pytest.mark.parametrize("mutant", BEFOREHAND, ids=_name)
def test_a_mutant_still_fits_and_changes_the_engine(mutant: Mutant, copy: Path) -> None:
    """The bug can be put in as it stands on paper, is then in the code, and can be taken out again."""
    lay_in(mutant, copy)
    assert is_mutated(copy, mutant)
    lay_in(mutant, copy, reverse=True)
    assert not is_mutated(copy, mutant)


def test_a_mutant_that_does_not_fit_is_said(copy: Path) -> None:
    """A patch against code that is not there any more is refused with its name."""
    mutant = BEFOREHAND[0]
    lay_in(mutant, copy)
    with pytest.raises(Stale, match=mutant.name):
        lay_in(mutant, copy)
    lay_in(mutant, copy, reverse=True)
    assert not is_mutated(copy, mutant)


def test_every_mutant_says_what_it_does_and_where_it_is_looked_for() -> None:
    """Each has its sentence, and a profile or a test that exists; production code is all that they touch."""
    assert all(mutant.what for mutant in BEFOREHAND)
    named = {mutant.profile for mutant in BEFOREHAND} - {"", MIXED}
    assert named <= PROFILES.keys()
    tests = [mutant.test for mutant in BEFOREHAND if mutant.test]
    assert all((ROOT / test.partition("::")[0]).is_file() for test in tests)
    lines = [line for each in BEFOREHAND for line in each.patch.read_text(encoding="utf-8").splitlines()]
    touched = {line[6:].partition("/")[0] for line in lines if line.startswith("+++ b/")}
    assert touched <= {"sync", "state", "revenue", "matching", "connectors", "mappings", "renkei"}


def test_there_are_enough_of_both_kinds() -> None:
    """Enough bugs by those who know the net, and enough by people who had not seen it."""
    blind = [mutant for mutant in BEFOREHAND if mutant.name.startswith("blind_")]
    assert len(blind) >= BLIND
    assert len(BEFOREHAND) - len(blind) >= OWN


def test_nothing_that_was_looked_for_lives() -> None:
    """When all were last looked for, every one of them was killed."""
    assert [name for name, at in told().items() if not at] == []


@pytest.mark.parametrize("name", earliest(FIRST))
def test_the_mutants_that_were_killed_first_are_killed_again(name: str) -> None:
    """A bug that the last long run found early does not outlive a few hundred schedules."""
    (mutant,) = mutants((name,))
    assert 0 < hunt(mutant, QUICKLY).at <= QUICKLY
