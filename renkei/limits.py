"""Limits beside what runs now and what is normal: what the brakes of a route allow, what they count now and which of
them stand, what it wrote yesterday and in the week before today.

It decides what counts as a day (from midnight to midnight on this host) and how near the busiest time, now included,
has come to a limit. Where the limits come from is the mapping's affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from renkei.running import DAY, HOUR, Standing, agreed_at, standing, windows
from renkei.settings import Project
from renkei.wire import load_rules, look, scopes
from sync.beats import Beats
from sync.guard import SPANS, allowed_of
from sync.normalise import Lens
from sync.pulse import CHANGED, Pulse
from sync.rules import ActionKind, Limit, Rules, Sign
from sync.source import key_fields
from sync.watch import all_changed, most_of

DAYS = 7
_SPANS = ("cycle", "hour", "day")


class Line(NamedTuple):
    """One limit: its name in the mapping, the system that it watches ("" = what is written), its figures by span
    (`now`: what the brakes would count), the share of the limit that the busiest time came to (None = no such time),
    and the brake that stands (None = none)."""

    name: str
    system: str
    number: int
    share: float
    limit: Mapping[str, int]
    now: Mapping[str, int]
    yesterday: Mapping[str, int]
    week: Mapping[str, int]
    near: float | None
    brake: Mapping[str, Any] | None


def limits_of(project: Project, route: str, now: float) -> list[dict[str, Any]]:
    """Every route with its limits, or the one. Raises Fatal for a route that nobody wrote."""
    from renkei.wire import choose

    return [_route(project, rules, now) for rules in choose(load_rules(project), route) if not rules.relays]


def _route(project: Project, rules: Rules, now: float) -> dict[str, Any]:
    from state.normal import applied, beats
    from state.views import status

    today = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday, week = ((today - timedelta(days=days)).timestamp() for days in (1, DAYS))
    with look(project) as reader:
        (state,) = status(reader, scopes((rules,)), since=now)
        rows = applied(reader, rules.route, week, today.timestamp())
        kept = beats(reader, rules.systems.values(), rules.kind)
        running, agreed = windows(reader, rules.route, now), agreed_at(reader, rules.route)
        brakes = standing(reader, rules.route)
    lines = [
        _action(kind, limit, state.linked, rows, yesterday, today.timestamp(), running[kind.value])
        for kind, limit in rules.limits.items()
    ]
    for system in (rules.systems[side] for side in rules.sides):
        pulses, held = _pulses(kept.get(system), now, agreed), state.records.get(system, 0)
        keys = key_fields(Lens(rules), rules.side(system))
        of = dict.fromkeys(Sign, held) | {Sign.UNLINKS: state.linked}
        lines += [_sign(sign, limit, system, of[sign], pulses, keys) for sign, limit in rules.signs.items()]
    named = {(line.name, line.system) for line in lines}
    return {"route": rules.route, "linked": state.linked, "records": dict(state.records),
            "limits": [_with_brake(line, brakes)._asdict() for line in lines],
            "brakes": [asdict(each) for each in brakes if (each.name, each.system) not in named]}  # fmt: skip


def _with_brake(line: Line, brakes: Iterable[Standing]) -> Line:
    """The line with the brake that stands by its limit; what that has counted was the busiest time, too."""
    mine = next((each for each in brakes if (each.name, each.system) == (line.name, line.system)), None)
    if mine is None:
        return line
    told = {name: value for name, value in asdict(mine).items() if name in ("count", "limit", "reason")}
    near = max(line.near or 0.0, round(mine.count / mine.limit, 3) if mine.limit else 1.0)
    return line._replace(near=near, brake=told)


def _action(
    kind: ActionKind,
    limit: Limit,
    linked: int,
    rows: Iterable[Any],
    yesterday: float,
    today: float,
    running: Mapping[str, int],
) -> Line:
    mine = [row for row in rows if row.action == kind.value]
    allowed = allowed_of(limit, linked)
    spans = {"hour": allowed} if kind is ActionKind.OPT_OUT else _allowed(allowed)
    days = [_busiest(mine, today - (day + 1) * 86_400, today - day * 86_400) for day in range(DAYS)]
    last = _busiest(mine, yesterday, today)
    week = {span: max(day[span] for day in days) for span in _SPANS}
    name = "opt_out" if kind is ActionKind.OPT_OUT else kind.value
    now = {span: running[span] for span in spans}
    near = _near(spans, week, now)
    return Line(name, "", limit.number, limit.share, spans, now, last, week, near, None)


def _busiest(rows: Iterable[Any], start: float, end: float) -> dict[str, int]:
    """The greatest number in a cycle and in an hour of a day, and the day's own."""
    inside = [row for row in rows if start <= row.hour * 3_600 < end]
    by_run, by_hour = Counter[int](), Counter[int]()
    for row in inside:
        by_run[row.run] += row.number
        by_hour[row.hour] += row.number
    return {
        "cycle": max(by_run.values(), default=0),
        "hour": max(by_hour.values(), default=0),
        "day": sum(by_run.values()),
    }


def _pulses(text: str | None, now: float, agreed: float) -> dict[str, Pulse]:
    """What no brake has looked at yet, and with it the counts of the last hour and of the last day."""
    beats = Beats() if text is None else msgspec.json.decode(text, type=Beats)
    found = {span: beats.since(max(now - each, agreed)) for span, each in (("hour", HOUR), ("day", DAY))}
    found = {"cycle": Pulse(), **found}
    for pulse in found.values():
        pulse.take(beats.fresh())
    return found


def _sign(
    sign: Sign, limit: Limit, system: str, of: int, pulses: Mapping[str, Pulse], keys: Collection[str]
) -> Line:
    if sign is Sign.ALL_CHANGED:
        factors = zip(_SPANS, SPANS, strict=True)
        spans = {span: most_of(limit, of, factor) for span, (_words, factor) in factors}
    else:
        spans = _allowed(allowed_of(limit, of))
    now = {span: _largest(sign, pulse, keys) for span, pulse in pulses.items()}
    return Line(sign.value, system, limit.number, limit.share, spans, now, {}, {}, _near(spans, now), None)


def _largest(sign: Sign, pulse: Pulse, keys: Collection[str]) -> int:
    """The greatest count of a sign in any field."""
    if sign is Sign.ALL_CHANGED:
        return all_changed(pulse)
    if sign is Sign.KEYS:
        return max((pulse.of(CHANGED, name) for name in keys), default=0)
    names = [counts for (kind, _field), counts in pulse.counts.items() if kind == sign.value]
    if sign in (Sign.RENAMED, Sign.TIME_SHIFT, Sign.COLUMN_SHIFT):
        return max((max(counts.values(), default=0) for counts in names), default=0)
    return max((sum(counts.values()) for counts in names), default=0)


def _allowed(allowed: int) -> dict[str, int]:
    return {span: allowed * factor for span, (_words, factor) in zip(_SPANS, SPANS, strict=True)}


def _near(limit: Mapping[str, int], *busiest: Mapping[str, int]) -> float | None:
    shares = [each[span] / most for each in busiest for span, most in limit.items() if span in each and most]
    return round(max(shares), 3) if shares else None
