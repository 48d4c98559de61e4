"""One route brought up to date: plan, canary and everything at first, afterwards cycles within the brakes.

It decides in which order these come and what counts as «all well». The command line and the demo both call it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from renkei import canary as canaries
from renkei.canary import Canary, choose, look_back, remember, to_try_again
from renkei.drain import Total, begin_sweeps, drain, sweep_reach
from renkei.first import deliver_these, mark_applied, was_applied
from renkei.progress import Teller
from renkei.saying import keep_word
from renkei.wire import Wired, look, scopes
from sync.cycle import Bounds
from sync.errors import Retryable
from sync.guard import Brake
from sync.read import World
from sync.rows import LANE_BACKFILL
from sync.rules import ActionKind

_WHOLE = 1_000_000
_HOURS = 12 * 3_600.0
_FAR = float("inf")


@dataclass(slots=True)
class Result:
    """What one command did on one route. `written`: by system what was taken meanwhile, whoever sent it.
    `open`, `holds`, `in_flight`, `dirty`: what is left afterwards; `partial`: the command was about some operations
    only, others may go on waiting for a sync."""

    route: str
    digest: str
    total: Total
    canary: Canary | None = None
    at_once: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)
    in_flight: dict[str, int] = field(default_factory=dict)
    dirty: int = 0
    shadow: bool = False
    partial: bool = False
    seconds: float = 0.0

    @property
    def first_needed(self) -> bool:
        """True if the route was never applied and nothing was sent therefore."""
        return self.total.waiting_for_first

    @property
    def well(self) -> bool:
        """True if nothing failed, waits, is held, braked or stopped."""
        total = self.total
        waits_rightly = self.shadow or self.partial
        left = {
            state: n for state, n in self.open.items() if n and not (waits_rightly and state == "planned")
        }
        alarms = self.canary.alarms if self.canary else []
        trouble = total.brakes or total.stopped or total.gave_up or total.waiting_for_first or alarms
        return not (trouble or left or self.holds or self.in_flight or (self.dirty and not self.partial))


def sync_route(
    wired: Wired, world: World, teller: Teller, *, first: bool = False, canary: int = 100
) -> Result:
    """Bring one route up to date. Raises Fatal; what can be tried again later is in the result."""
    began, since = time.monotonic(), world.clock.now()
    result = Result(
        route=world.lens.rules.route,
        digest=world.lens.rules.digest,
        total=Total(),
        shadow=world.lens.rules.shadow,
    )
    if first and not was_applied(world):
        _first(wired, world, teller, result, canary)
    else:
        result.total = drain(world, Bounds(sweep=sweep_reach(world), trigger="sync"), keep=wired.store.renew)
    look_around(wired, world, result, since)
    result.seconds = time.monotonic() - began
    return result


def plan_route(wired: Wired, world: World) -> Total:
    """Read and decide everything, send nothing."""
    return drain(
        world, Bounds(dirty=_WHOLE, seconds=_HOURS, send=False, trigger="plan"), keep=wired.store.renew
    )


def _first(wired: Wired, world: World, teller: Teller, result: Result, number: int) -> None:
    keep = wired.store.renew
    started = world.clock.now()
    result.total = plan_route(wired, world)
    if result.total.gave_up is not None or world.lens.rules.shadow:
        return
    keep_word(world, "sync --first", runs=sorted({run for run, _action in world.store.planned(result.route)}))
    totals, ids = choose(_planned(wired, world, opt_outs=False), number)
    for system, count in totals.items():
        teller.expect(f"write {system}", count)
    # Opt-outs wait for no canary.
    at_once = [id_ for id_, *_ in _planned(wired, world, opt_outs=True)]
    if at_once:
        done, _ = deliver_these(world, at_once, "opt-outs", keep)
        result.at_once = done.sent
    if number and not _canary_well(world, ids, result, keep):
        return
    begin_sweeps(world, started)
    bounds = Bounds(dirty=_WHOLE, seconds=_HOURS, first=True, lane=LANE_BACKFILL, trigger="first")
    planned_total = result.total
    result.total = drain(world, bounds, keep=keep)
    _carry_over(planned_total, result)
    if was_applied(world):
        mark_applied(world)


def _canary_well(world: World, chosen: list[int], result: Result, keep: Callable[[], None]) -> bool:
    """Send the chosen ones, and whatever an earlier canary left to be doubted; read all of it back."""
    ids = sorted({*chosen, *to_try_again(world)})
    if not ids:
        return True
    remember(world, ids)  # killed from here on, the next canary looks at all of these
    _done, ended = deliver_these(world, ids, "canary", keep)
    result.canary = look_back(world, ids, ended, keep)
    if result.canary.alarms:
        remember(world, result.canary.failed)
        return False
    remember(world, ())
    return True


def _carry_over(planned: Total, result: Result) -> None:
    """Count the reading and deciding of the plan, and the canary, with what followed."""
    total = result.total
    for system in planned.read:
        total.read[system] = total.read.get(system, 0) + planned.read[system]
        total.changed[system] = total.changed.get(system, 0) + planned.changed[system]
    total.linked += planned.linked
    total.decided += planned.decided
    total.conflicts += planned.conflicts
    for (system, _action), sent in (result.canary.sent if result.canary else {}).items():
        total.sent[system] = total.sent.get(system, 0) + sent
    for system, sent in result.at_once.items():
        total.sent[system] = total.sent.get(system, 0) + sent


def _planned(wired: Wired, world: World, *, opt_outs: bool) -> Iterator[tuple[int, str, str, str]]:
    """A route's planned opt-outs, or everything else that is planned, by what `choose` wants to know of it."""
    from state.answers import Which
    from state.views import contents

    with look(wired.project) as reader:
        for each in contents(reader, Which(route=world.lens.rules.route)):
            if (each[2] == ActionKind.OPT_OUT) is opt_outs:
                yield each


def look_around(
    wired: Wired, world: World, result: Result, since: float = _FAR, lane: int | None = None
) -> None:
    """Count what is left in the journal, and what was taken from a time on, in one lane only or in all."""
    from state.normal import taken
    from state.views import status

    with look(wired.project) as reader:
        result.written = taken(reader, result.route, since, lane)
        (found,) = status(reader, scopes((world.lens.rules,)), since=0.0)
    result.open = dict(found.operations)
    result.holds = dict(found.holds)
    result.in_flight = dict(found.in_flight)
    result.dirty = found.dirty


def as_data(result: Result) -> dict[str, Any]:
    """A result as JSON with stable keys."""
    total, canary = result.total, result.canary
    gave_up = total.gave_up
    return {
        "route": result.route,
        "digest": result.digest,
        "ok": result.well,
        "shadow": result.shadow,
        "cycles": total.cycles,
        "read": total.read,
        "changed": total.changed,
        "linked": total.linked,
        "decided": total.decided,
        "conflicts": total.conflicts,
        "sent": total.sent,
        "written": result.written,
        "applied": total.applied,
        "failed": total.failed,
        "moved": total.moved,
        "in_doubt": total.in_doubt,
        "first_needed": result.first_needed,
        "canary": canaries.as_data(canary) if canary else None,
        "brakes": brakes_as_data(total.brakes),
        "stopped": total.stopped,
        "gave_up": _told(gave_up) if gave_up else None,
        "open": result.open,
        "holds": result.holds,
        "in_flight": result.in_flight,
        "to_decide": result.dirty,
        "seconds": round(result.seconds, 2),
    }


def brakes_as_data(brakes: Iterable[Brake]) -> list[dict[str, Any]]:
    """Brakes as JSON with stable keys."""
    return [
        {"action": each.action, "reason": each.reason, "count": each.count, "limit": each.limit}
        for each in brakes
    ]


def _told(error: Retryable) -> dict[str, Any]:
    return {"error": error.message, "next": error.next_step, "after": error.after}
