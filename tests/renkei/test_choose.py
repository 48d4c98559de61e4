"""The few that go first are picked evenly, in bounded memory, and the same when repeated."""

from __future__ import annotations

import random

from renkei.canary import choose


def test_the_smallest_hashes_of_each_kind_are_picked() -> None:
    """However many there are and in whatever order they come, the same few of each system and action go first."""
    planned = [
        (n, "sfa" if n % 3 else "ma", "create" if n % 2 else "update", f"{n * 7919 % 10_007:05}")
        for n in range(9_000)
    ]
    totals, chosen = choose(planned, 10)
    random.Random(1).shuffle(planned)
    assert totals == {"ma": 3_000, "sfa": 6_000}
    assert choose(planned, 10)[1] == chosen
    kinds: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for number, system, action, content in planned:
        kinds.setdefault((system, action), []).append((content, number))
    assert chosen == sorted(number for kind in kinds.values() for _, number in sorted(kind)[:10])


def test_no_canary() -> None:
    """Asked for none, none is picked, and the totals are still counted."""
    assert choose([(1, "sfa", "create", "ab")], 0) == ({"sfa": 1}, [])
