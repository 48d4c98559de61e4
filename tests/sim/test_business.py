"""Schedules with business in them: hand-overs, returns and won amounts hold while calls fail and the process dies.

`python -m tests.sim.business --seed S --count N` plays more of them and tells what they came to.
"""

from __future__ import annotations

from typing import Any

import pytest

from state.store import SqlStore
from sync.rows import Patch, StandingRow
from tests.sim.business import play, tell


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_business_holds_whatever_fails(seed: int) -> None:
    """What two vendors wrote down is against no promise, and in each schedule there was something to judge."""
    played = play(seed)
    assert not played.offences, tell(played, "deals")
    assert played.counts["crossings"] + played.counts["closings"] > 0


def test_a_schedule_of_business_does_the_same_again() -> None:
    """Played twice, people do the same and both vendors write down the same."""
    assert play(1, "crashing").trace == play(1, "crashing").trace


def _forget(self: SqlStore, patch: Patch, **more: Any) -> None:
    """What the rules of the business remember is not kept."""
    patch.puts.pop(StandingRow, None)
    _commit(self, patch, **more)


_commit = SqlStore.commit


def test_a_bug_in_the_flows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a memory of what the rules of the business have announced, schedules turn red."""
    monkeypatch.setattr(SqlStore, "commit", _forget)
    assert any(play(seed, "calm").offences for seed in range(1, 12))
