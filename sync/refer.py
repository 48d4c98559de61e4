"""References: a value that is the id of a record of another kind, carried across as the id of its counterpart.

Pure over a scene, into which the counterparts were loaded (sync.referred). A value without one is not there to be
decided, so that a create goes without it and the field follows on its own. It is listed as waiting, unless the mapping
says that it may be left out (protocol §5).
"""

from __future__ import annotations

from sync.record import Side
from sync.rules import FieldRule, Rules
from sync.scene import Scene
from sync.work import Wants

WAITS = "reference"  # the kind of hold under which a field that waits for a link is listed


def references(rules: Rules) -> list[tuple[FieldRule, Side]]:
    """The fields of a route that refer to another kind, each one way, with the side whose ids they have."""
    return [
        (rule, side)
        for rule in rules.fields
        for side in rules.sides
        if rule.refers and rule.flow.into(side.other) and not rule.flow.into(side)
    ]


def translate(scene: Scene, entity: int, wants: Wants) -> None:
    """Put the ids across in place of the ids here; what has none is taken away, and waits."""
    for rule, side, counterparts in scene.references:
        row = scene.leading(entity, side)
        known = scene.known(row) if row is not None else None
        if row is None or known is None or known.values.get(rule.name) in (None, ""):
            continue
        value = str(known.values[rule.name])
        values = {name: each for name, each in known.values.items() if name != rule.name}
        if value in counterparts:
            values[rule.name] = counterparts[value]
        elif rule.missing == "wait":
            wants.hold(rule.name, WAITS, {"kind": rule.refers, "id": value})
        scene.see(row, known._replace(values=values))
