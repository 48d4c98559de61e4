"""The delivery of a plan that a person let go, and what it means for the brakes of its route.

It decides that a plan lets go what it has shown and nothing else. Its lines leave whatever brakes on their kind stand;
a brake on everything stops them unless the plan has shown that very one, and is taken off only where lines leave that
it has stopped. An old plan or an empty one takes off nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from renkei import planfile
from renkei.differences import Difference, add_late, differences
from renkei.drain import Total
from renkei.first import deliver_these, mark_applied, was_applied
from renkei.planfile import RoutePlan
from renkei.saying import keep_word
from renkei.syncing import Result, look_around, plan_route
from renkei.wire import Wired
from sync.approving import Sorted
from sync.brakes import judge_again
from sync.guard import EVERYTHING, Brake
from sync.lifting import lift, standing_mark
from sync.narrow import opt_outs_only
from sync.read import World
from sync.rows import Patch
from sync.rules import ActionKind
from sync.send import Delivered


class Applied(NamedTuple):
    """What came of a route's plan: how it went, its lines by what became of them, those not delivered one by one, and
    the brakes that stand no more."""

    result: Result
    what: Sorted
    others: tuple[Difference, ...]
    lifted: tuple[Brake, ...]


def apply_route(wired: Wired, world: World, part: RoutePlan) -> Applied:
    """Deliver what a plan lists and what is still wanted as listed. Raises Fatal, Retryable."""
    since = world.clock.now()
    total = plan_route(wired, world)
    if total.gave_up is not None:
        raise total.gave_up
    what = planfile.sort_out(world, part)
    stopped = _hold_back(part, what) if _is_stopped(world, part, total) else None
    sender = world if stopped is None else replace(world, store=opt_outs_only(world.store))
    if what.ready:
        keep_word(world, "apply", result={"ready": what.ready})
    done, _ = deliver_these(sender, what.ready, "apply", wired.store.renew)
    add_late(world, what)
    result = _result(world, total, done)
    if stopped is None:
        _let_go(world, part, what, result.total)
    look_around(wired, world, result, since)
    left = {each.name for each in result.total.brakes}
    lifted = tuple(each for each in total.brakes if each.name not in left)
    return Applied(result, what, tuple(differences(world, part, what, stopped or ())), lifted)


def _is_stopped(world: World, part: RoutePlan, total: Total) -> bool:
    """True under a brake on everything that the plan has not shown, or that no word takes off."""
    found = [each for each in total.brakes if each.action == EVERYTHING]
    return any(each.cause for each in found) or bool(found and standing_mark(world) != part.brake)


def _hold_back(part: RoutePlan, what: Sorted) -> list[int]:
    """Take from what is ready all but opt-outs, which wait for no brake; what was taken."""
    ready = set(what.ready)
    found = [each.id for each in part.operations if each.id in ready and each.action != ActionKind.OPT_OUT]
    what.ready = sorted(ready.difference(found))
    return found


def _result(world: World, planned: Total, done: Delivered) -> Result:
    total = Total(
        read=planned.read, changed=planned.changed, sent=done.sent, applied=done.settled.applied,
        failed=done.settled.failed, in_doubt=done.in_doubt, moved=done.moved, stopped=done.stopped,
        brakes=planned.brakes,
    )  # fmt: skip
    rules = world.lens.rules
    return Result(route=rules.route, digest=rules.digest, total=total, shadow=rules.shadow, partial=True)


def _let_go(world: World, part: RoutePlan, what: Sorted, total: Total) -> None:
    """Let a route go by its first plan, or take off what this plan has shown and delivered."""
    rules = world.lens.rules
    if rules.shadow or rules.relays:
        return
    if not was_applied(world):
        # Nothing was seen of what waits now by whoever looked at an empty plan, or at one of which nothing is left.
        if what.ready or not (part.operations or world.store.planned(rules.route)):
            mark_applied(world)
        else:
            total.waiting_for_first = True
        return
    stay = tuple(each for each in total.brakes if each.action == EVERYTHING)
    delivered = set(what.ready)
    if stay and any(each.id in delivered and each.action != ActionKind.OPT_OUT for each in part.operations):
        patch = Patch()
        lift(world, patch)
        world.store.commit(patch)
        stay = ()
    total.brakes = judge_again(world, stay)
