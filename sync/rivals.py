"""Creates that must not leave, because whoever they are for is somebody who is known, or may be.

Pure over a scene. A create that is stopped gives up what it claimed, and its person is identified again.
"""

from __future__ import annotations

from collections.abc import Iterable

from sync.named import elsewhere
from sync.note import Numbers
from sync.plan import decode_work
from sync.record import SIDES, Ref
from sync.rows import LIVE, SUPERSEDED, KeyRow, OperationRow
from sync.rules import ActionKind
from sync.scene import Scene


def stop_rivals(scene: Scene, entity: int, numbers: Numbers) -> None:
    """Somebody who bears the address of a linked person, or is named by id in one of its records, is a twin of that
    person: a create that was planned before the link came back, or before one of its records took the address, does not
    leave. The same holds for a person whose own create is on its way, and for one whose counterpart was deleted."""
    stop_creates(scene, [each.ref for each in elsewhere(scene, entity)], numbers)
    for row in scene.rows(entity) if scene.claims else ():
        key = scene.known(row).address
        for side in SIDES if row.state == LIVE else ():
            claim = scene.claims.get((scene.lens.system(side), key), 0)
            if claim not in {0, *scene.operations[entity]}:
                sources = scene.sharing(scene.lens.system(side.other), key)
                stop_creates(scene, [each.ref for each in sources if each.entity != entity], numbers)


def stop_creates(scene: Scene, candidates: Iterable[Ref], numbers: Numbers) -> None:
    """Nobody who could be meant is created while that is a question: they are asked again."""
    for entity in sorted({scene.records[ref].entity for ref in candidates}):
        for operation in list(scene.operations[entity].values()):
            if operation.action == ActionKind.CREATE and operation.id not in scene.sent:
                scene.put_operation(operation._replace(state=SUPERSEDED, reason="ambiguous"))
                release_claims(scene, operation, numbers)
                for row in scene.rows(entity):
                    scene.put(row._replace(noted=numbers()))


def release_claims(scene: Scene, operation: OperationRow, numbers: Numbers) -> None:
    """Give up the claims of a create that will not leave, also those on an address that its person has left; whoever
    waited for them is asked again."""
    kind = scene.lens.rules.kind
    for key in decode_work(operation.body).claims:
        if scene.claims.get((operation.system, key)) == operation.id:
            del scene.claims[operation.system, key]
        scene.patch.drop(KeyRow(operation.system, kind, key, "", "", operation.id))
        for name in scene.lens.rules.systems.values():
            for row in scene.sharing(name, key):
                if operation.id not in scene.operations[row.entity]:
                    scene.put(row._replace(noted=numbers()))
