"""How soon sales is told: at a small size everybody who was raised is told of once, and delays are counted right."""

from __future__ import annotations

import json

import pytest

from benchmarks.cases import Wrong
from benchmarks.latency import Delays, _delays, latency, latency_lines, percentile
from benchmarks.markets import MarketTown

EVENT = {"lead": "7", "time": 100.0}


def test_everybody_raised_is_told_of_once_also_beside_a_backfill() -> None:
    """By the public commands: a service, a backfill beside it that reads everybody, a task and a notice for each of
    those who got hot, whether the route knew them before or the backfill brings them."""
    found = latency(120, 0.05, backfill=True, crossings=4, every=0.5)
    assert (found.raised, found.missing, found.doubled) == (4, 0, 0)
    assert {what: len(seconds) for what, seconds in found.seconds.items()} == {"task": 4, "notice": 4}
    assert all(seconds > 0 for each in found.seconds.values() for seconds in each)
    assert found.backfill is not None
    assert found.backfill["phase"] == "done"
    assert found.backfill["read"]["marketo"] >= 120
    missed = next(line for line in latency_lines(found) if "missed" in line.what)
    assert (missed.measured, missed.reached) == ("0, 0, 0", True)


def test_delays_are_those_of_the_first_word_and_every_second_one_counts() -> None:
    """A task about somebody whom nobody raised is counted apart; two for one person are one delay and one doubled."""
    told = {"task": [("7", 112.0), ("7", 130.0), ("9", 101.0)], "notice": []}
    found = _delays(10, [EVENT], told, None, 0)
    assert found.seconds == {"task": [12.0], "notice": []}
    assert (found.missing, found.doubled, found.unasked) == (1, 1, 1)
    with pytest.raises(Wrong):
        latency_lines(found)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """By nearest rank, whatever the order; the last one is the largest."""
    values = [float(number) for number in range(20, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.95, 1.0)] == [10.0, 19.0, 20.0]
    assert percentile([3.0], 0.95) == 3.0


def test_a_promise_that_was_not_kept_is_said() -> None:
    """46 seconds at the 95th of a hundred are too many."""
    slow = [1.0] * 94 + [46.0] * 6
    found = Delays(
        people=100, raised=100, seconds={"task": slow, "notice": [1.0] * 100}, missing=0, doubled=0
    )
    assert [line.reached for line in latency_lines(found)] == [False, True, True]


def test_nobody_is_raised_twice_and_everybody_who_is_was_cold() -> None:
    """Those whom sales knows and all others take turns; each is hot afterwards and stays so."""
    town = MarketTown(80, "market")
    before = {lead: int(row.values.get("leadScore") or 0) for lead, row in town.marketo.state.leads.items()}
    raised = [int(town.raise_score()["lead"]) for _ in range(10)]
    assert len(set(raised)) == 10
    assert all(before[lead] < 55 for lead in raised)
    assert all(town.marketo.state.leads[lead].values["leadScore"] == 90 for lead in raised)
    known = {place.marketo for place in town.people.truth.values() if place.salesforce is not None}
    assert set(raised[::2]) <= known
    assert town.tasks() == []
    assert json.loads(json.dumps(town.counts()))["writes"] == {"marketo": {}, "salesforce": {}}
