"""Persons' words to a route: answers to what the inbox asks, approvals of what a brake stops, discards, retries,
undos.

Each word is a row that a cycle reads at its start and does in one transaction, or refuses with a reason that stands in
the row from then on («why»). It decides nothing about records: it writes down what was said, and marks the people
concerned, so that deciding does it.
"""

from __future__ import annotations

import msgspec

from sync.answering import answer
from sync.approving import let_go, with_result
from sync.discarding import discard
from sync.lifting import lift, standing_mark
from sync.normalise import encode
from sync.read import World
from sync.retrying import retry
from sync.rows import BACKFILL, DONE, REFUSED, CommandRow, CursorRow, Patch, RunRow
from sync.rules import ActionKind
from sync.said import ANSWER, APPROVE, EVERYTHING, KINDS, RETRY, UNDO, Approve, No
from sync.source import ENVIRONMENT, forget_identity
from sync.undo import undo


def apply_commands(world: World) -> int:
    """Do every word to this route that nobody has read yet, each in a transaction of its own; how many were done."""
    done = 0
    for row in world.store.commands(world.lens.rules.route):
        if row.kind not in KINDS:
            continue
        patch = Patch()
        try:
            patch.put(_do(world, row, patch)._replace(state=DONE))
            done += 1
        except (No, msgspec.DecodeError) as why:
            patch = Patch()
            patch.put(_refused(row, str(why)))
        world.store.commit(patch)
    return done


def _do(world: World, row: CommandRow, patch: Patch) -> CommandRow:
    if row.kind == ANSWER:
        return answer(world, row, patch)
    if row.kind == APPROVE:
        return _approve(world, row, patch)
    if row.kind == UNDO:
        return undo(world, row, patch)
    if row.kind == RETRY:
        retry(world, row, patch)
        return row
    return discard(world, row, patch)


def _refused(row: CommandRow, why: str) -> CommandRow:
    try:
        said = msgspec.json.decode(row.body, type=dict[str, object])
    except msgspec.DecodeError:
        said = {}
    return row._replace(state=REFUSED, body=encode({**said, "why": why}))


def _approve(world: World, row: CommandRow, patch: Patch) -> CommandRow:
    """Let planned work go that a brake stops; where everything is stopped, the brake's reason counts as seen. A system
    that has become another one is taken for what it says from now on."""
    said = msgspec.json.decode(row.body, type=Approve)
    if said.action == ENVIRONMENT:
        forget_identity(world, patch)
        return row
    if said.action != EVERYTHING and said.action not in {kind.value for kind in ActionKind}:
        raise No(f"there is no kind of action called {said.action}")
    if said.brake and said.brake != standing_mark(world):
        raise No("the brake has gone or changed since it was shown")
    if said.plan or said.brake:
        row = with_result(row, let_go(world, said.plan, patch))
    else:
        row = _release(world, row, said, patch)
    if said.action == EVERYTHING:
        lift(world, patch)
    return row


def _release(world: World, row: CommandRow, said: Approve, patch: Patch) -> CommandRow:
    """Let go what is planned, whatever it is by now; the word, with the runs that this was about."""
    planned = world.store.planned(world.lens.rules.route)
    runs = {run for run, action in planned if said.run in (0, run) and said.action in (EVERYTHING, action)}
    if not runs and said.action != EVERYTHING:
        raise No("nothing of this kind waits to be let go")
    apart = world.store.get(CursorRow, [("", BACKFILL, world.lens.rules.route)])
    for run in world.store.get(RunRow, [(number,) for number in sorted(runs)]):
        more = said.action
        if apart and run.trigger == BACKFILL:
            # An unfinished one sends a canary first; opt-outs wait for none.
            more = ActionKind.OPT_OUT.value if more in (EVERYTHING, ActionKind.OPT_OUT) else ""
        approved = released_too(approved_in(run), more)
        body = encode({**msgspec.json.decode(run.body), "approved": approved})
        patch.put(run._replace(released=released_too(run.released, approved), body=body))
    told = msgspec.json.decode(row.body, type=dict[str, object])
    return row._replace(body=encode({**told, "runs": sorted(runs)}))


def approved_in(run: RunRow) -> str:
    """Which action kinds of a run a person has let go, whatever brake stands."""
    return str(msgspec.json.decode(run.body).get("approved", ""))


def released_too(before: str, more: str) -> str:
    """What a run releases when more is let go."""
    if EVERYTHING in (before, more):
        return EVERYTHING
    return ",".join(sorted({*before.split(","), *more.split(",")} - {""}))
