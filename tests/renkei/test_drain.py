"""Draining a route: whose doubts it waits for."""

from __future__ import annotations

import json

import pytest

from renkei.drain import doubts
from sync.record import Side
from sync.rows import BatchRow, OperationRow, Patch
from tests.support.office import Town, world


@pytest.mark.parametrize(
    ("place", "mine", "moments"), [("sfa", True, 1), ("sfa", False, 0), ("desk", True, 1)]
)
def test_a_route_waits_for_its_own_doubts_only(place: str, mine: bool, moments: int) -> None:
    """What another route has under way to the same system is no reason to wait; what went to a channel is."""
    town = Town()
    town.cycle()
    town.person(Side.MA, email="p@x.example", lastName="山田", leadScore=80)
    town.tick()
    (operation, *_others) = town.store.get(OperationRow, [(number,) for number in range(3_000)])
    patch = Patch()
    patch.put(operation if mine else operation._replace(route="another"))
    patch.put(BatchRow(2_999, place, "person", town.clock.now(), json.dumps([operation.id]).encode()))
    town.store.commit(patch)
    found = doubts(world(town))
    assert len(found) == moments
    assert all(moment >= town.clock.now() for moment in found)
