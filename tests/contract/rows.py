"""Journal rows with everything filled in, so that a test names only what it is about."""

from __future__ import annotations

import msgspec

from sync.rows import (
    LEADING,
    LIVE,
    PENDING,
    BaseRow,
    BatchRow,
    CommandRow,
    CursorRow,
    EntityRow,
    HoldRow,
    KeyRow,
    ObservedRow,
    OperationRow,
    Patch,
    RecordRow,
    Row,
    RulesRow,
    RunRow,
    StandingRow,
)

RECORD = RecordRow(
    "ma",
    "lead",
    "1",
    "person",
    1,
    LEADING,
    LIVE,
    "",
    1,
    0,
    0.0,
    "",
    "",
    -1,
    1,
    0.0,
    0,
    b'{"email":"a@x.jp"}',
    "",
)
KEY_ROW = KeyRow("ma", "person", "h1", "lead", "1", 0)
CLAIM = KeyRow("sfa", "person", "h1", "", "", 10)
ENTITY = EntityRow(1, 0, b"{}")
BASE = BaseRow(1, "people", b"{}")
STANDING = StandingRow(1, "score", "people", 7.5, b'{"hot":true}')
OPERATION = OperationRow(
    10,
    1,
    "people",
    5,
    "update",
    "sfa",
    "Lead",
    "00Q1",
    2,
    PENDING,
    0.0,
    0,
    0,
    "d1",
    "c1",
    "",
    1.0,
    0.0,
    "",
    b"{}",
)
BATCH = BatchRow(20, "sfa", "person", 3.0, b"[10]")
HOLD = HoldRow(1, "phone", "conflict", "people", 7.5, b'{"ma":"1","sfa":"2"}', "")
CURSOR = CursorRow("ma", "person", "front", "token", 0, 1, 1.5)
OBSERVED = ObservedRow(30, 2.5, "ma", "person", 5, b"[]")
RUN = RunRow(5, "people", "cycle", "d1", 1.0, 0.0, "open", "", b"{}")
RULES = RulesRow("people", "r", "d", 1, 1.0, b"yaml")
COMMAND = CommandRow(40, 1.0, "approve", "people", "new", b"{}")

ONE_OF_EACH: tuple[Row, ...] = (
    RECORD, KEY_ROW, ENTITY, BASE, STANDING, OPERATION, BATCH, HOLD, CURSOR, OBSERVED, RUN, RULES, COMMAND,
)  # fmt: skip


def puts(*rows: Row) -> Patch:
    """A patch that writes these rows."""
    patch = Patch()
    for row in rows:
        patch.put(row)
    return patch


def drops(*rows: Row) -> Patch:
    """A patch that removes these rows."""
    patch = Patch()
    for row in rows:
        patch.drop(row)
    return patch


def batch(id_: int, *operations: int, system: str = "sfa") -> BatchRow:
    """A batch that left with these operations."""
    return BATCH._replace(id=id_, system=system, body=msgspec.json.encode(operations))
