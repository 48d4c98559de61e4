"""Hot people while another application eats: at a small size they arrive, and a broken reserve would be said."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.budget import EATEN, SHARE, budget_lines
from benchmarks.latency import Delays, latency


def test_hot_people_arrive_while_seven_tenths_are_eaten() -> None:
    """By the public commands: the backfill is still there at the end, everybody hot was told of once, and no call of
    ours was let in beyond our share; both vendors did count the other application's."""
    found = latency(120, 0.05, backfill=True, crossings=4, every=0.5, eaten=EATEN)
    assert (found.raised, found.missing, found.doubled) == (4, 0, 0)
    for used, highest, daily in found.quota.values():
        assert EATEN * daily < used
        assert highest <= SHARE * daily
    assert all(line.reached for line in budget_lines(found, found))


def test_what_is_slower_or_beyond_our_share_is_said() -> None:
    """Twice as long is no «as soon», and a single call in the reserve is one too many."""
    usual = Delays(people=9, raised=2, seconds={"task": [1.0, 2.0]}, missing=0, doubled=0)
    slow = replace(
        usual, seconds={"task": [2.0, 4.0]}, missing=1, quota={"one": [80, 80, 100], "two": [81, 81, 100]}
    )
    assert [line.reached for line in budget_lines(usual, slow)] == [False, False, True, False]
