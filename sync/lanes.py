"""In which lane a system is called: opt-outs before hand-overs before changes before backfills.

It decides nothing about how many calls there are: a connector that shares out a day's calls offers views of itself by
lane, and every other one is used as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

from sync.ports import Connector
from sync.read import World


def in_lane(connector: Connector, lane: int, latest: float = inf) -> Connector:
    """The connector with all of its calls in a lane, leaving until `latest` (unix seconds) or not at all."""
    view: Callable[[int, float], Connector] | None = getattr(connector, "in_lane", None)
    return connector if view is None else view(lane, latest)


def world_in_lane(world: World, lane: int) -> World:
    """A route's surroundings with its systems called in a lane."""
    return replace(world, connectors={side: in_lane(each, lane) for side, each in world.connectors.items()})
