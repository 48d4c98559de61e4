"""Brakes: may what was planned leave? (protocol §6)

Pure. Counts of planned work, of what was written in the last hour and day, and of what was lost at
the source are compared with limits; a brake names the action kind that it stops and why, in one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.rules import ActionKind, Limit, Sign, default_signs

EVERYTHING = "all"
LOSS = default_signs()[Sign.LOSS]
# How often the limit of a cycle is allowed in each span.
SPANS = (("this cycle", 1), ("in an hour", 2), ("in a day", 6))


@dataclass(frozen=True, slots=True)
class Brake:
    """One action kind (or everything) that is stopped, and the reason with its figures. `cause` names what has to be
    put right before anything leaves again; such a brake is gone as soon as that is done ("" = a person decides)."""

    action: str
    reason: str
    count: int
    limit: int
    cause: str = ""

    @property
    def name(self) -> str:
        """Under which name it stands in the inbox."""
        return self.cause or self.action


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


def guard(traffic: Traffic, limits: Mapping[ActionKind, Limit], loss: Limit = LOSS) -> tuple[Brake, ...]:
    """Every brake that these figures put on; empty = all may leave."""
    found = [brake for system in traffic.lost if (brake := _loss(system, traffic, loss)) is not None]
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
    counts = (
        planned,
        planned + traffic.hour.get(action.value, 0),
        planned + traffic.day.get(action.value, 0),
    )
    for (span, factor), count in zip(SPANS, counts, strict=True):
        if count > allowed * factor:
            reason = f"{count:,} {action.value}s {span}, limit {allowed * factor:,}"
            return Brake(action.value, reason, count, allowed * factor)
    return None


def allowed_of(limit: Limit, base: int) -> int:
    """How many are allowed in a cycle where the share is of so many."""
    return max(limit.number, int(limit.share * base))


def _allowed(limit: Limit, traffic: Traffic) -> int:
    return allowed_of(limit, traffic.linked)


def _loss(system: str, traffic: Traffic, limit: Limit) -> Brake | None:
    lost = traffic.lost[system]
    held = traffic.held.get(system, 0) + lost
    allowed = allowed_of(limit, held)
    if lost <= allowed:
        return None
    return Brake(EVERYTHING, f"{system} lost {lost:,} of {held:,} records, limit {allowed:,}", lost, allowed)
