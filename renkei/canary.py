"""The few that go ahead of a first delivery: which they are, what their return means, who is looked at once more.

It decides which operations are the canary, and that those of a canary that failed, or that was killed, belong to the
next one. Choosing is by content hash, so that it is as good as random and the same when repeated. It holds no rule
about persons or fields.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from renkei.drain import wait_until
from sync.plan import FieldWork, Work, action_of, content_hash, decode_work, encode_work, target_of
from sync.read import ReadCount, World, read_refs
from sync.record import Record, Ref, Value
from sync.refuse import part
from sync.rows import (
    APPLIED,
    IGNORED,
    LIVE,
    OPEN_STATES,
    PENDING,
    CursorRow,
    OperationRow,
    Patch,
    RecordRow,
)
from sync.rules import ActionKind

TOLERANCE = 0.02
_CHUNK = 1_000


@dataclass(slots=True)
class Canary:
    """What became of the few: by (system, action) how many were sent, and how many did not come back as sent;
    `fields` counts values that differ by (system, path); `failed`: the operations that did not."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)

    @property
    def alarms(self) -> list[tuple[str, str]]:
        """Kinds of action of which more than two in a hundred went wrong."""
        return [kind for kind, sent in self.sent.items() if self.wrong[kind] > sent * TOLERANCE]

    def fail(self, row: OperationRow) -> None:
        """Count an operation that did not come back as sent."""
        self.wrong[row.system, row.action] += 1
        self.failed.append(row.id)


def as_data(canary: Canary) -> dict[str, Any]:
    """A canary as JSON with stable keys."""
    return {
        "ok": not canary.alarms,
        "sent": {" ".join(kind): number for kind, number in canary.sent.items()},
        "wrong": {" ".join(kind): number for kind, number in canary.wrong.items() if number},
        "fields": {" ".join(where): number for where, number in canary.fields.items()},
        "reasons": dict(canary.reasons),
    }


def from_data(data: Mapping[str, Any]) -> Canary:
    """A canary out of its data, for the same screens."""

    def pairs(found: Mapping[str, int]) -> Counter[tuple[str, str]]:
        split = (name.partition(" ") for name in found)
        return Counter({(first, rest): found[f"{first} {rest}"] for first, _, rest in split})

    return Canary(pairs(data["sent"]), pairs(data["wrong"]), pairs(data["fields"]), Counter(data["reasons"]))


def choose(operations: Iterable[tuple[int, str, str, str]], number: int) -> tuple[dict[str, int], list[int]]:
    """How many operations (id, system, action, content hash) each system gets, and at most `number` of each system
    and action, picked as evenly as the hashes are. Keeps a few times what it picks, however many there are."""
    totals: dict[str, int] = {}
    groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for id_, system, action, content in operations:
        totals[system] = totals.get(system, 0) + 1
        group = groups.setdefault((system, action), [])
        group.append((content, id_))
        if len(group) >= 8 * number + _CHUNK:
            group.sort()
            del group[number:]
    return totals, sorted(id_ for group in groups.values() for _hash, id_ in sorted(group)[:number])


def look_back(world: World, ids: Sequence[int], ended: float, keep: Callable[[], None]) -> Canary:
    """Read the canary's records again, once the vendors show what was written, and compare value by value."""
    found = Canary()
    for side in world.lens.rules.sides:
        system = world.lens.system(side)
        rows = [row for row in rows_of(world, ids) if row.system == system]
        if not rows:
            continue
        wait_until(world, ended + world.connectors[side].capabilities.visibility_lag, keep)
        refs = [target_of(row) for row in rows if row.record]
        records = read_refs(world, side, world.numbers(), list(dict.fromkeys(refs)), ReadCount())
        for row in rows:
            _judge(world, row, records.get(target_of(row)), found)
    return found


def to_try_again(world: World) -> list[int]:
    """The operations of the last canary that have to come back well before anything else leaves, made ready to be
    sent: what was decided anew for these records, what failed as it stands, and what was kept otherwise than sent
    once more. Empty where no canary failed or was killed."""
    ids = remembered(world)
    if not ids:
        return []
    rows = rows_of(world, ids)
    waiting: dict[tuple[int, str], list[int]] = {}
    for row in world.store.open_operations({row.entity for row in rows}):
        if row.action != ActionKind.OPT_OUT:
            waiting.setdefault((row.entity, row.system), []).append(row.id)
    found = {id_ for row in rows for id_ in waiting.get((row.entity, row.system), ())}
    kept = [
        row for row in rows
        if row.state in (APPLIED, IGNORED) and (row.entity, row.system) not in waiting
    ]  # fmt: skip
    found.update(_sent_again(world, kept))
    return sorted(found)


def remembered(world: World) -> list[int]:
    """Operations of a canary that is not known to have gone well."""
    rows = world.store.get(CursorRow, [_place(world)])
    return [int(number) for number in json.loads(rows[0].value)] if rows else []


def remember(world: World, ids: Sequence[int]) -> None:
    """Keep the operations that the next canary has to look at; none = it went well."""
    row = CursorRow(*_place(world), json.dumps(list(ids)), 0, 0, world.clock.now())
    patch = Patch()
    if ids:
        patch.put(row)
    else:
        patch.drop(row)
    world.store.commit(patch)


def _place(world: World) -> tuple[str, str, str]:
    return "", "", f"canary {world.lens.rules.route}"


def _sent_again(world: World, rows: Sequence[OperationRow]) -> Iterator[int]:
    """Of operations that were delivered: those that came back well, and new ones for what came back otherwise."""
    for side in world.lens.rules.sides:
        system = world.lens.system(side)
        ours = [row for row in rows if row.system == system and row.record]
        refs = list(dict.fromkeys(target_of(row) for row in ours))
        seen = read_refs(world, side, world.numbers(), refs, ReadCount()) if refs else {}
        patch = Patch()
        for row in ours:
            record = seen.get(target_of(row))
            paths = _differing(world, record, decode_work(row.body)) if record is not None else []
            again = _anew(world, row, record, paths) if record is not None and paths else None
            if again is not None:
                patch.put(again)
            yield row.id if again is None else again.id  # what cannot be sent again is looked at again
        if patch:
            world.store.commit(patch)


def _anew(world: World, row: OperationRow, record: Record, paths: Sequence[str]) -> OperationRow | None:
    """An operation that writes again what was kept otherwise, as far as the rules still want it so; None = nothing."""
    work = part(decode_work(row.body), paths)
    source = _held(world, work.source)
    target = _held(world, record.ref)
    if source is None or target is None or (source.state, target.state) != (LIVE, LIVE):
        return None
    if source.entity != target.entity:
        return None
    known = world.lens.known(source).values
    still = {
        path: msgspec.structs.replace(each, expected=record.values[path])
        for path, each in work.fields.items()
        if _is_wanted(world, row.system, each, known)
    }
    if not still:
        return None
    lean = msgspec.structs.replace(
        work, fields=still, verify=tuple(path for path in work.verify if path in still), claims=(), unique="",
        without=(), errors=(),
    )  # fmt: skip
    body = encode_work(lean)
    return row._replace(
        id=world.numbers(), action=action_of(still, create=False).value, state=PENDING, at=0.0, attempts=0,
        again=0, entity=target.entity, hash=content_hash(record.ref, body), made_at=world.clock.now(),
        done_at=0.0, reason="", body=body,
    )  # fmt: skip


def _is_wanted(world: World, system: str, work: FieldWork, known: Mapping[str, Value]) -> bool:
    rule = world.lens.rule.get(work.name)
    cell = rule.cells.get(world.lens.side(system)) if rule is not None else None
    if rule is None or cell is None or cell.is_id:
        return False
    value = known.get(work.name) if rule.compute is None else rule.compute(known)
    return value == work.source and value is not None and cell.write(value) == work.desired


def _held(world: World, ref: Ref) -> RecordRow | None:
    rows = world.store.get(RecordRow, [tuple(ref)])
    return rows[0] if rows else None


def rows_of(world: World, ids: Sequence[int]) -> list[OperationRow]:
    """Operations by number."""
    return world.store.get(OperationRow, [(number,) for number in ids])


def _judge(world: World, row: OperationRow, record: Record | None, found: Canary) -> None:
    kind = (row.system, row.action)
    found.sent[kind] += 1
    if row.state not in (APPLIED, IGNORED):
        # A superseded one met a person's own change and is decided again: that is no fault of the mapping.
        if row.state in OPEN_STATES:
            found.reasons[row.reason or row.state] += 1
            found.fail(row)
        return
    if record is None:
        found.reasons["not shown by the vendor"] += 1
        found.fail(row)
        return
    differing = _differing(world, record, decode_work(row.body))
    found.fields.update((row.system, path) for path in differing)
    if differing:
        found.fail(row)


def _differing(world: World, record: Record, work: Work) -> list[str]:
    ref = record.ref
    read = world.lens.read_raw
    return [
        path
        for path, each in work.fields.items()
        if path in record.values
        and read(ref.system, ref.object, path, record.values[path])
        != read(ref.system, ref.object, path, each.desired)
    ]
