"""Whom a backfill brought before the feed could tell of them.

A backfill announces nothing of people whom it brings: what they came to long ago is no news. But one of them may have
got hot a moment ago, and the feed has not told of it yet. So what the rules remembered before is kept beside, and when
the feed tells of the very state that the backfill read, the entity is decided as if the feed had come first. Pure over
rows but for one cursor; it does not know what a rule remembers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sync.note import Numbers, mark_dirty
from sync.ports import Store
from sync.remember import memory_of, standing_row
from sync.rows import LIVE, CursorRow, Patch, RecordRow, StandingRow
from sync.standing import Memory

BROUGHT = "/brought"  # the rule name under which it is kept; no mapping can name a rule so
HEARD = "heard"


class Brought(NamedTuple):
    """`reads`: when the entity's records were read (sequence numbers). `before`: what each rule remembered until then.
    `told`: the feed has told of them since."""

    reads: tuple[int, ...]
    before: Mapping[str, Memory]
    told: bool

    @classmethod
    def of(cls, row: StandingRow | None) -> Brought | None:
        """What a row says; None without one."""
        held = memory_of(row)
        return cls(tuple(held["reads"]), held["before"], held["told"]) if held else None


def brought_row(
    entity: int, route: str, reads: Iterable[int], before: Mapping[str, StandingRow]
) -> StandingRow:
    """What is kept of an entity that a backfill has just brought."""
    memories = {rule: memory_of(row) for rule, row in before.items() if rule and rule != BROUGHT}
    return standing_row(
        entity, BROUGHT, route, {"reads": sorted(set(reads)), "before": memories, "told": False}
    )


def overtaken(rows: Iterable[RecordRow], heard: int) -> list[RecordRow]:
    """Those records whose state was read after `heard` (0 = nobody knows), and not written by us since: what the feed
    tells of them now may have happened before they were read."""
    return [row for row in rows if 0 < heard < row.as_of and row.state == LIVE and row.settled == 0]


def tell(rows: Iterable[RecordRow], standings: Iterable[StandingRow], numbers: Numbers, patch: Patch) -> None:
    """The feed tells of these records: who was brought in the state that was read is decided once more."""
    held = {row.entity: row for row in standings if row.rule == BROUGHT}
    for row in rows:
        kept = held.get(row.entity)
        brought = Brought.of(kept)
        if kept is not None and brought is not None and row.as_of in brought.reads:
            body = brought._replace(told=True)._asdict()
            patch.put(standing_row(kept.entity, BROUGHT, kept.route, body))
            mark_dirty([row], numbers, patch)


def heard_until(store: Store, front: CursorRow, lag: float) -> int:
    """Up to which read a feed has surely told everything, before it is read once more from where it stands (`front`):
    the last one that was `lag` seconds old by then, because a change shows up late (0 = nothing was read yet)."""
    if not front.complete:
        return 0
    rows = store.get(CursorRow, [(front.system, front.kind, HEARD)])
    held = rows[0] if rows else None
    fresh = _moved_on(held, front, lag)
    if fresh != held:
        patch = Patch()
        patch.put(fresh)
        store.commit(patch, durable=False)
    return fresh.as_of


def _moved_on(held: CursorRow | None, front: CursorRow, lag: float) -> CursorRow:
    """The place up to which everything was told; `value` is the read that follows it."""
    following = f"{front.as_of} {front.at}"
    if held is None:
        return front._replace(name=HEARD, value=following)
    number, at = held.value.split()
    if front.at - float(at) < lag:
        return held
    return held._replace(value=following, as_of=int(number), at=float(at))
