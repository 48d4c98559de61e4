"""Brakes: may what was planned leave? (protocol §6)

Pure. Counts of planned work, of what was written in the last hour and day, and of what was lost at
the source are compared with limits; a brake names the action kind that it stops and why, in one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.rules import ActionKind, Limit

EVERYTHING = "all"
LOSS = Limit(number=50, share=0.01)


@dataclass(frozen=True, slots=True)
class Brake:
    """One action kind (or everything) that is stopped, and the reason with its figures."""

    action: str
    reason: str
    count: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the brakes look at. `planned`: operations by action. `hour`, `day`: those written since.
    `linked`: pairs of the route. `held`, `lost`: records held by system, and how many more
    this cycle's reading reports deleted or no longer shown. `leaving`: opt-outs let go and not yet applied."""

    planned: Mapping[str, int]
    hour: Mapping[str, int]
    day: Mapping[str, int]
    linked: int
    held: Mapping[str, int]
    lost: Mapping[str, int]
    leaving: int = 0


def guard(traffic: Traffic, limits: Mapping[ActionKind, Limit]) -> tuple[Brake, ...]:
    """Every brake that these figures put on; empty = all may leave."""
    found = [brake for system in traffic.lost if (brake := _loss(system, traffic)) is not None]
    for action, limit in limits.items():
        flood = action is ActionKind.OPT_OUT
        brake = _flood(limit, traffic) if flood else _excess(action, limit, traffic)
        if brake is not None:
            found.append(brake)
    return tuple(found)


def opt_outs_left(traffic: Traffic, limits: Mapping[ActionKind, Limit]) -> int:
    """How many opt-outs may leave unasked; the rest of a flood within an hour is planned and asked for."""
    limit = limits[ActionKind.OPT_OUT]
    return _allowed(limit, traffic) - traffic.hour.get(ActionKind.OPT_OUT.value, 0) - traffic.leaving


def released(brakes: tuple[Brake, ...]) -> str:
    """Which action kinds may leave, in the form that a run keeps."""
    stopped = {brake.action for brake in brakes}
    if EVERYTHING in stopped:
        return "" if ActionKind.OPT_OUT in stopped else ActionKind.OPT_OUT.value
    if not stopped:
        return EVERYTHING
    return ",".join(kind.value for kind in ActionKind if kind.value not in stopped)


def _flood(limit: Limit, traffic: Traffic) -> Brake | None:
    """The one brake of opt-outs: more within an hour than may leave unasked, those on their way included."""
    planned = traffic.planned.get(ActionKind.OPT_OUT.value, 0)
    count = planned + traffic.hour.get(ActionKind.OPT_OUT.value, 0) + traffic.leaving
    allowed = _allowed(limit, traffic)
    if not planned or count <= allowed:
        return None
    return Brake(
        ActionKind.OPT_OUT.value, f"{count:,} opt-outs within an hour, limit {allowed:,}", count, allowed
    )


def _excess(action: ActionKind, limit: Limit, traffic: Traffic) -> Brake | None:
    allowed = _allowed(limit, traffic)
    planned = traffic.planned.get(action.value, 0)
    if not planned:
        return None
    spans = (("this cycle", 0), ("in an hour", traffic.hour.get(action.value, 0)),
             ("in a day", traffic.day.get(action.value, 0)))  # fmt: skip
    for (span, written), factor in zip(spans, (1, 2, 6), strict=True):
        count = planned + written
        if count > allowed * factor:
            reason = f"{count:,} {action.value}s {span}, limit {allowed * factor:,}"
            return Brake(action.value, reason, count, allowed * factor)
    return None


def _allowed(limit: Limit, traffic: Traffic) -> int:
    return max(limit.number, int(limit.share * traffic.linked))


def _loss(system: str, traffic: Traffic) -> Brake | None:
    lost = traffic.lost[system]
    held = traffic.held.get(system, 0) + lost
    allowed = max(LOSS.number, int(LOSS.share * held))
    if lost <= allowed:
        return None
    return Brake(EVERYTHING, f"{system} lost {lost:,} of {held:,} records, limit {allowed:,}", lost, allowed)
