"""What a plan would do, in figures and as a list, and the delivery of operations that a person let go.

It decides what is counted and which examples are shown; what still may be delivered is `planfile`'s.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from renkei import planfile
from renkei.differences import Difference, add_late, differences
from renkei.drain import Total
from renkei.first import deliver_these, mark_applied, was_applied
from renkei.planfile import Listed, RoutePlan
from renkei.syncing import Result, look_around, plan_route
from renkei.wire import Wired, look, scopes
from state.answers import FieldCount, PlanCounts, RouteStatus, Which
from state.views import operations, status
from state.views import plan as figures
from sync.approving import Sorted
from sync.read import World

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
    data = _figures(world, total, found, now) | {"examples": [example(each) for each in listed[:EXAMPLES]]}
    return RoutePlan(rules.route, rules.digest, listed if whole else []), data


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
        "brakes": [
            {"action": each.action, "reason": each.reason, "count": each.count, "limit": each.limit}
            for each in total.brakes
        ],
    }


def example(each: Listed) -> dict[str, Any]:
    """One line of a plan as a screen shows it, with stable keys."""
    fields = {
        path: {"field": name, "now": old, "then": new} for path, (name, old, new) in each.fields.items()
    }
    named = {name: getattr(each, name) for name in ("action", "system", "object", "record")}
    return {**named, "fields": fields}


def _by_name(world: World, found: tuple[FieldCount, ...]) -> dict[str, int]:
    """Operations by our name of the field, the most frequent first."""
    names: dict[tuple[str, str], str] = {}
    for rule in world.lens.rules.fields:
        for side, cell in rule.cells.items():
            names.update(
                dict.fromkeys(((world.lens.system(side), p) for p in cell.paths.values()), rule.name)
            )
    counted: dict[str, int] = {}
    for each in found:
        name = names.get((each.system, each.field), each.field)
        counted[name] = counted.get(name, 0) + each.number
    return dict(sorted(counted.items(), key=lambda item: -item[1]))


class Applied(NamedTuple):
    """What came of a route's plan: how it went, its lines by what became of them, and those not delivered."""

    result: Result
    what: Sorted
    others: tuple[Difference, ...]


def apply_route(wired: Wired, world: World, part: RoutePlan) -> Applied:
    """Deliver what a plan lists and what is still wanted as listed. Raises Fatal, Retryable."""
    total = plan_route(wired, world)
    if total.gave_up is not None:
        raise total.gave_up
    what = planfile.sort_out(world, part)
    result = _deliver(wired, world, what.ready)
    result.total.read, result.total.changed = total.read, total.changed
    add_late(world, what)
    return Applied(result, what, tuple(differences(world, part, what)))


def _deliver(wired: Wired, world: World, ids: list[int]) -> Result:
    """Deliver these operations, which a person has seen and wanted, and say what is left afterwards."""
    rules = world.lens.rules
    done, _ = deliver_these(world, ids, "apply", wired.store.renew)
    mark_applied(world)
    total = Total(
        sent=done.sent, applied=done.settled.applied, failed=done.settled.failed, in_doubt=done.in_doubt,
        moved=done.moved, stopped=done.stopped,
    )  # fmt: skip
    result = Result(route=rules.route, digest=rules.digest, total=total, shadow=rules.shadow, partial=True)
    look_around(wired, world, result)
    return result
