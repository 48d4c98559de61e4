"""What a refused write has brought all the same: a line may deliver a request twice, and bring only the second answer.

Pure over a scene. Where the target shows exactly what was sent, and its vendor names nobody else, both sides have
agreed on it as on any write that arrived (protocol §3): it is nobody's edit, and gives way to a later one of its
source.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.plan import Half, decode_work, target_of
from sync.record import Side
from sync.rows import FAILED, RecordRow
from sync.rules import ActionKind
from sync.scene import Scene


def agree_on_arrived(
    scene: Scene, entity: int, lead: Mapping[Side, RecordRow], halves: dict[str, Half]
) -> None:
    """Take the pair (decided from, sent) for agreed on in fields whose refused write stands at its target."""
    for operation in scene.operations[entity].values():
        if operation.state != FAILED or operation.action != ActionKind.UPDATE:
            continue
        side, work = scene.lens.side(operation.system), decode_work(operation.body)
        target = lead[side]
        if target.ref != target_of(operation) or target.own == 0 or work.source != lead[side.other].ref:
            continue
        known = scene.known(target)
        for each in work.fields.values():
            old = halves.get(each.name)
            shows = each.name not in known.unconfirmed and known.values.get(each.name) == each.half
            if shows and old is not None and old.fingerprint == each.fingerprint:
                agreed = old.with_side(side, each.half)
                halves[each.name] = agreed.with_side(side.other, each.source)
