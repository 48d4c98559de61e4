"""Plans as files: what would be delivered, by operation and content hash, and what became of it by the time of apply.

It decides what still may be delivered: listed, still planned, same hash, same rules, same journal. Everything
else is sorted into why not. The file holds personal data and is written for its owner only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sync.approving import Sorted, sort_plan
from sync.errors import Fatal
from sync.read import World
from sync.record import Ref
from sync.rules import ActionKind
from sync.said import Seen

if TYPE_CHECKING:
    from state.answers import OperationInfo

VERSION = 1


class Listed(msgspec.Struct, frozen=True):
    """One operation as a plan lists it; `fields`: path -> [field, value now, value then], `source`: the record across
    that it follows from, as system:id ("" = the plan was written before this was kept)."""

    id: int
    hash: str
    action: str
    system: str
    object: str
    record: str
    fields: dict[str, tuple[str, Any, Any]]
    source: str = ""


class RoutePlan(msgspec.Struct, frozen=True):
    """The operations of one route under one mapping digest; `brake`: the mark of the brake on everything that was shown
    with them ("" = none stood)."""

    route: str
    digest: str
    operations: list[Listed]
    brake: str = ""


class Plan(msgspec.Struct, frozen=True):
    """A plan file: `store` is the journal's own name, `made_at` unix seconds."""

    plan: int
    made_at: float
    env: str
    store: str
    routes: list[RoutePlan]


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan for its owner only. Raises Fatal."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            # The mode above is for new files; one that stood there may be open to others.
            os.fchmod(handle, 0o600)
            file.write(msgspec.json.format(msgspec.json.encode(plan), indent=1))
    except OSError as error:
        raise Fatal(
            f"The plan {path} cannot be written ({error.strerror}).", "choose another place"
        ) from None


def refuse_place(path: Path) -> None:
    """Raises Fatal where no plan could be written, before somebody has waited for the plan."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise Fatal(f"The plan {path} cannot be written there.", "choose another place")


def read_plan(path: Path) -> Plan:
    """Read a plan. Raises Fatal for what is none."""
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        raise Fatal(
            f"The plan {path} cannot be read ({error.strerror}).", "write one with `renkei plan --out`"
        ) from None
    except msgspec.DecodeError:
        step = "write a new one with `renkei plan --out`"
        raise Fatal(f"{path} is no plan of renkei, or was changed by hand.", step) from None
    if plan.plan != VERSION:
        raise Fatal(f"{path} was written by another version of renkei.", "write a new plan")
    return plan


def refuse_strange(plan: Plan, path: Path, env: str, store: str) -> None:
    """Raises Fatal for a plan of another environment or journal."""
    if plan.env != env:
        raise Fatal(f"{path} was made for {plan.env}, this is {env}.", f"add --env {plan.env}, or plan again")
    if plan.store != store:
        raise Fatal(f"{path} belongs to another state.", "make a plan from this one with `renkei plan --out`")


def refuse_other_rules(part: RoutePlan, worlds: Mapping[str, World], path: Path) -> None:
    """Raises Fatal for a plan that was made under other rules."""
    if part.route not in worlds:
        raise Fatal(f"{path} plans for the route {part.route}, which no mapping has.", "look at a new plan")
    rules = worlds[part.route].lens.rules
    digest = rules.digest
    if part.digest != digest:
        what = f"{path} was made under mapping {part.digest} of {part.route}, which is now {digest}."
        raise Fatal(what, "look at a new plan")
    if rules.shadow and part.operations:
        raise Fatal(
            f"{path} lists lines of {part.route}, which is in `mode: shadow` and writes nothing.",
            "plan the other routes by their names, or take `mode: shadow` out of its mapping and plan again",
        )


def sort_out(world: World, part: RoutePlan) -> Sorted:
    """What of a listed plan may still be delivered."""
    return sort_plan(world, (Seen(each.id, each.hash) for each in part.operations))[0]


def chosen(plan: Plan, *, route: str = "", field: str = "", action: str = "") -> Iterator[Listed]:
    """The lines of a plan that concern a route, a field and an action ("" = any). Raises Fatal for an unknown route or
    action; which fields a mapping has a plan does not know."""
    if route and all(part.route != route for part in plan.routes):
        raise Fatal(
            f"The plan has no route {route}.", f"it has {', '.join(part.route for part in plan.routes)}"
        )
    if action and action not in set(ActionKind):
        raise Fatal(f"There is no action «{action}».", f"choose one of {', '.join(ActionKind)}")
    for part in plan.routes:
        for each in part.operations if route in ("", part.route) else ():
            names = {name for name, _now, _then in each.fields.values()}
            if action in ("", each.action) and (not field or field in names):
                yield each


def listed(info: OperationInfo) -> Listed:
    """One operation as a plan lists it."""
    fields = {path: (each[0], each[1], each[2]) for path, each in info.work["fields"].items()}
    source = Ref(*info.work.get("source", ("", "", "")))
    named = f"{source.system}:{source.id}" if source.id else ""
    return Listed(info.id, info.hash, info.action, *info.target, fields, named)
