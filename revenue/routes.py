"""Where people go who return to nurture, by the reason that sales gave.

Decides the way of one reason: a list and a day to wake them, nowhere, a question, or some patience for whoever has to
fill in a blank. It may not know to whom the reason belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from revenue.days import day_in, day_of, days_after
from revenue.task import TaskForm
from sync.rules import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way back: onto `list`, and woken after `wake` seconds (whole days; 0 = never) or on the day in the field
    `wake_from`, if that is filled and not over. `none`: no way back at all, skipped with this code."""

    list: str = ""
    wake: float = 0.0
    wake_from: str = ""
    none: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankReason:
    """What to do while the reason is blank: one task for the owner (`remind`), and after `after` seconds the route of
    the reason `then`. Both are counted from the moment the return is due."""

    then: str
    after: float = 0.0
    remind: TaskForm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Routes by reason, as it stands in the field `by`.

    `other_reason`: the reason whose route everybody takes whose own has none ("" = a person decides, in the inbox).
    `blank_reason`: without it a blank is asked about like an unknown reason.
    """

    by: str = "reason"
    routes: Mapping[str, Route] = field(default_factory=dict)
    blank_reason: BlankReason | None = None
    other_reason: str = ""


class Verdict(NamedTuple):
    """The way of one reason: its `route` (under which `reason` it was found), or none yet: look again at `until`,
    remind the owner meanwhile, or ask."""

    route: Route | None = None
    reason: str = ""
    until: float = 0.0
    remind: TaskForm | None = None
    ask: bool = False


def way_of(reasons: Reasons, reason: str, due: float, now: float) -> Verdict:
    """Where a reason leads at a time (unix seconds), for a return that is due since `due`."""
    blank = reasons.blank_reason
    if reason or blank is None:
        return _routed(reasons, reason)
    until = due + blank.after
    if now < until:
        return Verdict(until=until, remind=blank.remind)
    return _routed(reasons, blank.then)


def _routed(reasons: Reasons, reason: str) -> Verdict:
    for word in (reason, reasons.other_reason):
        if word and word in reasons.routes:
            return Verdict(route=reasons.routes[word], reason=reason or word)
    return Verdict(ask=True, reason=reason)


def wake_day(route: Route, values: Fields, at: float, zone: str) -> date | None:
    """The day on which somebody who returned at `at` is woken; None = never."""
    asked = day_in(values.get(route.wake_from), zone) if route.wake_from else None
    if asked is not None and asked >= day_of(at, zone):
        return asked
    return days_after(at, route.wake, zone) if route.wake else None
