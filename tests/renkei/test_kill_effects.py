"""kill -9 while people are handed over to sales and return to nurture: judged on what the vendors and people saw."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.renkei.kill_effects import kill_effects


def test_nothing_is_doubled_or_lost_when_killed_three_times(tmp_path: Path) -> None:
    """Tasks, notices and list members of a small world: each once, or listed as uncertain."""
    found = kill_effects(tmp_path / "project", count=3, seed=7, persons=150, deals=40, patience=5.0)
    assert found.wrong == []
    assert found.raised > 0
    assert found.lost_deals > 0
    assert found.tasks >= found.raised - found.uncertain
    assert found.returns > 0
    assert found.hand_overs_due > 0


@pytest.mark.soak
@pytest.mark.timeout(1_700)
def test_nothing_is_doubled_or_lost_when_killed_often(tmp_path: Path) -> None:
    """The same with sixty kills at moments that are new in every run."""
    seed = random.SystemRandom().randrange(10**6)
    found = kill_effects(tmp_path / "project", count=60, seed=seed, persons=400, deals=150)
    assert found.wrong == [], f"seed {seed}"
