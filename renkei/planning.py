"""What a plan would do, in figures and as a list.

It decides what is counted and which examples are shown; what still may be delivered is `planfile`'s, and delivering it
is `applying`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renkei import planfile
from renkei.drain import Total
from renkei.first import was_applied
from renkei.inbox import PUT_RIGHT, STATED, behind, entry_of
from renkei.planfile import Listed, RoutePlan
from renkei.syncing import brakes_as_data
from renkei.wire import Wired, look, scopes
from state.answers import FieldCount, PlanCounts, RouteStatus, Which
from state.views import operations, status
from state.views import plan as figures
from state.whole import brakes_of
from sync.consent import base_name
from sync.lifting import standing_mark
from sync.read import World
from sync.rules import ActionKind

if TYPE_CHECKING:
    from state.reader import Reader

EXAMPLES = 10


def planned(wired: Wired, world: World, total: Total, *, whole: bool) -> tuple[RoutePlan, dict[str, Any]]:
    """A route's plan as a file lists it (empty unless `whole`) and as a screen shows it, with stable keys; `total` is
    what making it came to."""
    rules = world.lens.rules
    listed: list[Listed] = []
    with look(wired.project) as reader:
        which = Which(route=rules.route)
        found = figures(reader, which)
        (now,) = status(reader, scopes((rules,)), since=0.0)
        last = 0
        while page := operations(reader, which, after=last, limit=1_000 if whole else EXAMPLES):
            listed += [planfile.listed(each) for each in page]
            last = page[-1].id
            if not whole:
                break
        ways = _ways_out(reader, rules.route)
    data = _figures(world, total, found, now) | ways
    data["examples"] = [example(each) for each in listed[:EXAMPLES]]
    return RoutePlan(rules.route, rules.digest, listed if whole else [], standing_mark(world)), data


def _ways_out(reader: Reader, route: str) -> dict[str, Any]:
    """What a brake on everything is let go by, which no plan without lines can do, and whether one ends by itself."""
    rows = [row for row in brakes_of(reader, [route]) if row.field.rpartition("/")[2] not in set(ActionKind)]
    ends = [row.field.rpartition("/")[2] in PUT_RIGHT for row in rows]
    entries = [entry_of(row, behind(reader, row)) for row, one in zip(rows, ends, strict=True) if not one]
    return {"brake_numbers": [each.number[:STATED] for each in entries], "brake_ends": any(ends)}


def _figures(world: World, total: Total, found: PlanCounts, now: RouteStatus) -> dict[str, Any]:
    actions: dict[str, dict[str, int]] = {}
    for each in found.actions:
        actions.setdefault(each.system, {})[each.action] = each.number
    return {
        "route": world.lens.rules.route,
        "digest": world.lens.rules.digest,
        "first_needed": not (world.lens.rules.relays or was_applied(world)),
        "linked": now.linked,
        "records": dict(now.records),
        "total": found.total,
        "actions": actions,
        "opt_outs_at_once": sum(each.get("optout", 0) for each in actions.values()),
        "fields": _by_name(world, found.fields),
        "holds": dict(now.holds),
        "brakes": brakes_as_data(total.brakes),
    }


def example(each: Listed) -> dict[str, Any]:
    """One line of a plan as a screen shows it, with stable keys."""
    fields = {
        path: {"field": name, "now": old, "then": new} for path, (name, old, new) in each.fields.items()
    }
    named = {name: getattr(each, name) for name in ("action", "system", "object", "record", "source")}
    return {**named, "fields": fields}


def _by_name(world: World, found: tuple[FieldCount, ...]) -> dict[str, int]:
    """Operations by our name of the field, the most frequent first."""
    names: dict[tuple[str, str], str] = {}
    rules = world.lens.rules
    ruled = [(rule.name, rule.cells) for rule in rules.fields]
    ruled += [(base_name(rule.topic), rule.cells) for rule in rules.consent]
    for name, cells in ruled:
        for side, cell in cells.items():
            names.update(dict.fromkeys(((world.lens.system(side), p) for p in cell.paths.values()), name))
    counted: dict[str, int] = {}
    for each in found:
        name = names.get((each.system, each.field), each.field)
        counted[name] = counted.get(name, 0) + each.number
    return dict(sorted(counted.items(), key=lambda item: -item[1]))
