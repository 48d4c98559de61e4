"""Decide a chunk of entities against the store: load what may be looked at, decide, and ask for the effects' keys.

The one place where deciding meets the journal; what it gives is a scene whose patch the caller commits, together with
whatever else belongs into that transaction. It decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sync.decide import Decided, decide
from sync.effects import keys_of, plan_effects
from sync.errors import Meaning
from sync.plan import decode_work, encode_work
from sync.ports import FieldError
from sync.read import World
from sync.referred import load_references, wake_referrers
from sync.related import kin_of
from sync.rows import IGNORED, LANE_DELTA, OperationRow, Patch
from sync.scene import Scene, load
from sync.work import Allowance, Context


def decide_chunk(world: World, entities: Collection[int], context: Context) -> tuple[Scene, Decided]:
    """Decide these entities; the result stands in the scene's patch, which is not committed yet."""
    scene = load(world.store, world.lens, entities, world.channels)
    if world.lens.related:
        scene.kin = kin_of(world.store, world.lens, scene.records.values())
    load_references(world, scene)
    done = decide(scene, entities, context)
    wake_referrers(world, scene)
    _list_ignored(world, done, scene.patch)
    if done.stood:
        keys = keys_of(scene, done.stood)
        known = world.store.effects(keys) if keys else ()
        done.operations += plan_effects(scene, done.stood, known, context)
    return scene, done


def decide_again(world: World, entities: Collection[int], run: int) -> None:
    """Decide these entities as they stand now, outside their turn; their marks stay. An opt-out that is found so is
    planned like everything else."""
    scene, _done = decide_chunk(world, entities, context_of(world, run))
    if scene.patch:
        world.store.commit(scene.patch)


def nothing_left() -> int:
    """No opt-out leaves without being counted."""
    return 0


def context_of(
    world: World, run: int, *, lane: int = LANE_DELTA, hot_run: int = 0, quiet_until: int = 0, quiet_new: bool = False,
    opt_outs: Allowance | None = None,
) -> Context:  # fmt: skip
    """The circumstances of deciding now, with what the route's systems say of themselves."""
    capabilities = {side: connector.capabilities for side, connector in world.connectors.items()}
    unique = {
        (world.lens.system(side), object_): capabilities[side].unique_keys.get(object_, frozenset())
        for side, objects in world.lens.rules.objects.items()
        for object_ in objects.all
    }
    lag = {world.lens.system(side): each.visibility_lag for side, each in capabilities.items()}
    return Context(
        numbers=world.numbers, now=world.clock.now(), run=run, unique=unique, lag=lag, lane=lane, hot_run=hot_run,
        quiet_until=quiet_until, quiet_new=quiet_new, opt_outs=opt_outs or Allowance(nothing_left),
    )  # fmt: skip


def _list_ignored(world: World, done: Decided, patch: Patch) -> None:
    """Mark operations whose value the vendor took without an error and did not keep; which fields stands as with those
    that it refused."""
    names: dict[int, list[str]] = {}
    for operation, name in done.ignored:
        names.setdefault(operation, []).append(name)
    for row in world.store.get(OperationRow, [(number,) for number in names]):
        reason = f"ignored by the vendor: {', '.join(sorted(names[row.id]))}"
        work = decode_work(row.body)
        paths = [path for path, field in work.fields.items() if field.name in names[row.id]]
        told = tuple(FieldError(path, IGNORED, "", Meaning.IGNORED) for path in paths)
        known = tuple(error for error in work.errors if error.code == IGNORED and error.path not in paths)
        body = encode_work(msgspec.structs.replace(work, errors=(*known, *told)))
        patch.put(row._replace(state=IGNORED, reason=reason, body=body))
