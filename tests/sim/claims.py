"""What the engine itself says of records and fields, as plain words for the oracle.

Reads the journal; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from state.memory import MemoryStore
from sync.normalise import Lens, decode_body
from sync.plan import decode_work, target_of
from sync.record import Ref
from sync.rows import (
    DELETED,
    FAILED,
    IGNORED,
    LEADING,
    LIVE,
    TWIN,
    WAITING,
    HoldRow,
    OperationRow,
    RecordRow,
)  # fmt: skip
from tests.sim.vocabulary import Claim

SAID = {FAILED: "failed", IGNORED: "ignored", WAITING: "open"}


def claims(store: MemoryStore, lens: Lens) -> list[Claim]:
    """Everything that the journal says at this moment."""
    rows: list[OperationRow] = list(store._tables[OperationRow].values())
    return [
        *(claim for row in rows for claim in _of_operation(row)),
        *(claim for row in rows if row.state == IGNORED for claim in _of_heirs(store, row)),
        *(claim for hold in store._tables[HoldRow].values() for claim in _of_hold(store, hold)),
        *_of_records(store, lens),
    ]


def _of_operation(row: OperationRow) -> Iterator[Claim]:
    work = decode_work(row.body)
    target = target_of(row)
    about: Ref = target if target.id else work.source
    ignored = row.reason.partition(": ")[2].split(", ")
    for field in work.fields.values():
        if field.lost is not None:
            yield Claim("loser", *_name(about), field.name, str(field.lost), str(field.desired))
        if row.state in SAID and (row.state != IGNORED or field.name in ignored):
            yield Claim(SAID[row.state], *_name(about), field.name, str(field.desired))
    if row.state in {FAILED, WAITING} and row.action == "create":
        yield Claim(SAID[row.state], *_name(about), "")


def _of_heirs(store: MemoryStore, row: OperationRow) -> Iterator[Claim]:
    """What is listed as ignored is a person's: who leads in the place of a deleted record, with the value that stood
    there, is what a retry writes to (sync.retrying)."""
    held = store.get(RecordRow, [target_of(row)])
    if not held or held[0].state != DELETED:
        return
    ignored = row.reason.partition(": ")[2].split(", ")
    for heir in store.records_of([held[0].entity]):
        if heir.system == row.system and heir.role == LEADING and heir.state == LIVE:
            seen = decode_body(heir.body)
            for path, field in decode_work(row.body).fields.items():
                if field.name in ignored and seen.get(path) == field.expected:
                    yield Claim(SAID[IGNORED], *_name(heir.ref), field.name, str(field.desired))


def _of_hold(store: MemoryStore, hold: HoldRow) -> Iterator[Claim]:
    for row in store.records_of([hold.entity]):
        yield Claim("hold", *_name(row.ref), hold.field, hold.kind)


def _of_records(store: MemoryStore, lens: Lens) -> Iterator[Claim]:
    rows: list[RecordRow] = list(store._tables[RecordRow].values())
    for row in rows:
        if row.state != LIVE:
            continue
        if row.role == TWIN:
            yield Claim("twin", *_name(row.ref), "")
            continue
        across = lens.system(lens.side(row.system).other)
        others = [r for r in store.records_of([row.entity]) if r.system == across and r.role == LEADING]
        if any(other.state == DELETED for other in others):
            yield Claim("gone across", *_name(row.ref), "")


def _name(ref: Ref) -> tuple[str, str]:
    return ref.system, ref.id


def open_work(store: MemoryStore) -> list[str]:
    """Operations that should have left long ago, in words."""
    found: list[OperationRow] = list(store._open.values())
    waits = (FAILED, WAITING)
    return [
        f"{row.action} of {row.system} {row.record}: {row.state}" for row in found if row.state not in waits
    ]


def dump(store: MemoryStore) -> Iterator[str]:
    """The journal in lines, for stories."""
    for kind, table in store._tables.items():
        for row in table.values():
            if kind in {RecordRow, OperationRow, HoldRow} or kind.__name__ in {
                "BaseRow",
                "BatchRow",
                "KeyRow",
            }:
                yield f"{kind.__name__} {tuple(row)}"


def as_json(claims_: list[Claim]) -> bytes:
    """For hashing."""
    return msgspec.json.encode(sorted(claims_))
