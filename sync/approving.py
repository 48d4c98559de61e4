"""Let a plan go, or give it up, that a person has seen: a list of operations, each by its number and content.

What is still planned as it was seen is done as said. The rest is sorted into why not: another value is wanted by now,
another run has done it, nobody wants it any more. It decides nothing about brakes: who names a plan has seen them.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from sync.normalise import encode
from sync.read import World
from sync.rows import APPLIED, OPEN_STATES, PENDING, PLANNED, CommandRow, OperationRow, Patch
from sync.said import Seen

CHUNK = 1_000


class Sorted(msgspec.Struct):
    """A plan's operations by what may happen to them: `ready` as said, the others not, and why."""

    ready: list[int] = []
    moved: list[int] = []
    done_by_another_run: list[int] = []
    no_longer_wanted: list[int] = []


def plan_name(plan: Iterable[Seen], brake: str = "") -> str:
    """The name of a plan: equal names, equal operations with equal content behind the same brake on everything, by its
    mark."""
    digest = blake2b(brake.encode(), digest_size=6)
    for number, content in sorted(plan):
        digest.update(f"{number}:{content};".encode())
    return f"p{digest.hexdigest()}"


def sort_plan(world: World, plan: Iterable[Seen]) -> tuple[Sorted, list[OperationRow]]:
    """What of a plan stands as it was seen, and those operations."""
    found, ready = Sorted(), list[OperationRow]()
    listed = list(plan)
    for start in range(0, len(listed), CHUNK):
        part = listed[start : start + CHUNK]
        rows = {row.id: row for row in world.store.get(OperationRow, [(number,) for number, _hash in part])}
        wanted = _wanted_now(world, [row for row in rows.values() if row.state not in OPEN_STATES])
        for number, content in part:
            row = rows.get(number)
            if row is not None and row.route != world.lens.rules.route:
                row = None
            _sort(number, content, row, wanted, found)
            if row is not None and found.ready and found.ready[-1] == number:
                ready.append(row)
    return found, ready


def _sort(
    number: int, content: str, row: OperationRow | None, wanted: set[tuple[int, str]], found: Sorted
) -> None:
    if row is None:
        found.no_longer_wanted.append(number)
    elif row.hash != content:
        found.moved.append(number)
    elif row.state == PLANNED:
        found.ready.append(number)
    elif row.state == APPLIED or row.state in OPEN_STATES:
        found.done_by_another_run.append(number)
    elif (row.entity, row.system) in wanted:
        found.moved.append(number)
    else:
        found.no_longer_wanted.append(number)


def _wanted_now(world: World, gone: list[OperationRow]) -> set[tuple[int, str]]:
    """For whom other work took the place of operations that are gone."""
    rows = world.store.open_operations({row.entity for row in gone}) if gone else []
    return {(row.entity, row.system) for row in rows}


def with_result(row: CommandRow, found: Sorted) -> CommandRow:
    """The word with what became of the plan, instead of the plan."""
    said = msgspec.json.decode(row.body, type=dict[str, object])
    said.pop("plan", None)
    return row._replace(body=encode({**said, "result": found}))


def let_go(world: World, plan: Iterable[Seen], patch: Patch) -> Sorted:
    """Let what stands as it was seen leave with the next delivery."""
    found, ready = sort_plan(world, plan)
    for row in ready:
        patch.put(row._replace(state=PENDING, at=world.clock.now()))
    return found
