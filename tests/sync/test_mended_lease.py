"""A request leaves while the journal is ours and soon after it was stored, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from renkei.threads import Inline
from sync.cycle import Bounds, run_cycle
from sync.doubt import ripe_at
from sync.read import Numbering, World
from sync.record import Side
from sync.rows import BatchRow
from tests.support.office import Town

P = ParamSpec("P")
T = TypeVar("T")


class Slow(Inline):
    """An executor in whose queue writes stand for a while; reads run at once."""

    def __init__(self, town: Town, seconds: float) -> None:
        self.town = town
        self.seconds = seconds

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run it, after a wait if it is a write."""
        if fn.__name__ not in ("next", "changes", "fetch", "find"):
            self.town.clock.sleep(self.seconds)
        return super().submit(fn, *args, **kwargs)


def cycle(town: Town, waits: float) -> dict[str, int]:
    """One cycle whose writes wait before they leave; what was sent."""
    world = World(
        lens=town.lens, connectors={Side.MA: town.ma, Side.SFA: town.sfa}, store=town.store, clock=town.clock,
        executor=Slow(town, waits), numbers=Numbering(town.store),
    )  # fmt: skip
    return run_cycle(world, Bounds(first=True)).delivered.sent


def test_a_batch_that_stood_in_the_queue_too_long_does_not_leave() -> None:
    """Who settles a doubt counts from the time at which the batch was stored; a later request would be missed."""
    town = Town()
    town.person(Side.MA, email="a@x.example", lastName="山田")
    assert cycle(town, waits=0.6) == {}
    assert (town.store.count_records("sfa", "person"), town.store.batches("sfa")) == (0, [])
    assert cycle(town, waits=0.4) == {"sfa": 1}


def test_nothing_leaves_when_the_lease_has_run_out_in_the_queue() -> None:
    """The lease is looked at in the thread that sends, after the wait for a thread."""
    town = Town()
    town.person(Side.MA, email="a@x.example", lastName="山田")
    town.store.lease_left = lambda: 0.01  # type: ignore[method-assign]
    assert cycle(town, waits=0.0) == {}
    assert town.store.batches("sfa") == []
    town.store.lease_left = lambda: 30.0  # type: ignore[method-assign]
    assert cycle(town, waits=0.0) == {"sfa": 1}


def test_a_doubt_is_ripe_when_the_latest_request_can_no_longer_act_and_shows() -> None:
    """Latest moment to leave, then the server's time limit, then the lag."""
    town = Town()
    world = World(
        lens=town.lens, connectors={Side.MA: town.ma, Side.SFA: town.sfa}, store=town.store, clock=town.clock,
        executor=Inline(), numbers=Numbering(town.store),
    )  # fmt: skip
    assert ripe_at(world, Side.SFA, BatchRow(1, "sfa", "person", 100.0, b"[]")) == 100.0 + 0.5 + 2.0
