"""What a refused write has brought all the same: a line may deliver a request twice, and bring only the second answer.

Pure. Where the target shows what was sent, and its vendor names nobody else, both sides have agreed on it as on any
write that arrived (protocol §3): it is nobody's edit, and gives way to a later one of its source. Where that is what
they had agreed on before, nothing says that anything arrived.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.normalise import Lens, decode_body
from sync.plan import FieldWork, Half, decode_work, target_of
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
        if target.ref != target_of(operation) or work.source != lead[side.other].ref:
            continue
        unconfirmed = scene.known(target).unconfirmed
        for path, each in work.fields.items():
            old = halves.get(each.name)
            if old is None or old.fingerprint != each.fingerprint or each.name in unconfirmed:
                continue
            if has_arrived(scene.lens, target, path, each, old):
                agreed = old.with_side(side, each.half)
                halves[each.name] = agreed.with_side(side.other, each.source)


def has_arrived(lens: Lens, target: RecordRow, path: str, field: FieldWork, old: Half | None) -> bool:
    """Whether a refused write has brought what its target shows: it reads as sent, nobody else wrote there last, and it
    is another value than the one agreed on before (`old`)."""
    seen = decode_body(target.body).get(path)
    shows = seen == field.desired or lens.read_raw(target.system, target.object, path, seen) == field.half
    differs = old is None or old.of(lens.side(target.system)) != field.half
    return shows and differs and target.own != 0
