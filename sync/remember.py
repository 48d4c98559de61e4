"""What is remembered of an entity: the bodies of standing rows, and what becomes of them when two entities join.

Pure over rows. It knows nothing of what a rule means by its memory; two memories of one rule join by a rule for any
JSON: what grows stays at its greatest, what was true stays true, what was told stays told. So a joined entity has
crossed and closed as often as either did, and nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sync.normalise import encode
from sync.rows import Patch, StandingRow
from sync.standing import Memory

OWN = ""  # the rule name under which the engine itself remembers something

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def memory_of(row: StandingRow | None) -> Memory:
    """What a row remembers ({} = there is none)."""
    return {} if row is None else _decode(row.body)


def standing_row(entity: int, rule: str, route: str, memory: Memory, wake: float = 0.0) -> StandingRow:
    """A memory as it is stored."""
    return StandingRow(entity, rule, route, wake, encode(memory))


class Past:
    """What the engine remembers of an entity that others have joined: their numbers, and whether a merge happened
    since it was decided last."""

    def __init__(self, row: StandingRow | None) -> None:
        held = memory_of(row)
        self.former: tuple[int, ...] = tuple(held.get("former", ()))
        self.merged = bool(held.get("merged", False))


def past_row(entity: int, route: str, former: Iterable[int], *, merged: bool) -> StandingRow:
    """The engine's own memory of an entity."""
    numbers = sorted(set(former) - {entity})
    return standing_row(entity, OWN, route, {"former": numbers, "merged": merged})


def join(
    gone: int, keep: int, ours: Mapping[str, StandingRow], theirs: Mapping[str, StandingRow], route: str,
    *, merged: bool,
) -> list[StandingRow]:  # fmt: skip
    """The rows that the surviving entity `keep` has from now on: `ours` are its own, `theirs` those of the one that
    is gone, both by rule. `merged`: the vendor made one record of two, so that nothing is to be announced of it."""
    found = [
        row._replace(entity=keep) if rule not in ours else _joined(ours[rule], row)
        for rule, row in theirs.items()
        if rule != OWN
    ]
    mine, other = Past(ours.get(OWN)), Past(theirs.get(OWN))
    former = {*mine.former, *other.former, *((gone,) if theirs else ())}
    quiet = merged or mine.merged or other.merged
    if former or quiet:
        found.append(past_row(keep, route, former, merged=quiet))
    return found


def follow(
    standings: dict[int, dict[str, StandingRow]], gone: int, keep: int, route: str, patch: Patch,
    *, merged: bool,
) -> None:  # fmt: skip
    """Let what is remembered of an entity go on under the one that it has joined, here and in the patch."""
    theirs = standings.pop(gone, {}) if gone != keep else {}
    ours = standings.setdefault(keep, {})
    for row in theirs.values():
        patch.drop(row)
    for row in join(gone, keep, ours, theirs, route, merged=merged):
        ours[row.rule] = row
        patch.put(row)


def _joined(ours: StandingRow, theirs: StandingRow) -> StandingRow:
    wakes = [row.wake for row in (ours, theirs) if row.wake > 0]
    memory = join_memories(memory_of(ours), memory_of(theirs))
    return standing_row(ours.entity, ours.rule, ours.route, memory, min(wakes, default=0.0))


def join_memories(ours: Memory, theirs: Memory) -> dict[str, Any]:
    """Two memories of one rule as one: by name, the survivor's where nothing better is known."""
    return {name: _join(ours.get(name), theirs.get(name)) for name in dict.fromkeys((*ours, *theirs))}


def _join(ours: Any, theirs: Any) -> Any:
    match ours, theirs:
        case (None, _):
            return theirs
        case (_, None):
            return ours
        case (bool(), bool()):
            return ours or theirs
        case (dict(), dict()):
            return join_memories(ours, theirs)
        case (list(), list()):
            return [*ours, *(each for each in theirs if each not in ours)]
        case (int() | float(), int() | float()) if not isinstance(ours, bool) and not isinstance(
            theirs, bool
        ):
            return max(ours, theirs)
        case _:
            return ours


def aliases(key: str, entity: int, former: Iterable[int]) -> tuple[str, ...]:
    """An effect's key, and as it reads under the numbers that the entity's former parts bore: the first part of the
    key (between colons) that is the entity's number stands for it."""
    parts = key.split(":")
    if str(entity) not in parts:
        return (key,)
    place = parts.index(str(entity))
    others = (":".join((*parts[:place], str(number), *parts[place + 1 :])) for number in former)
    return (key, *others)
