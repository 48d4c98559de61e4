"""The first schema of the journal (frozen: a change is a step of its own)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPEN = "state IN ('planned', 'waiting', 'pending', 'failed')"


def upgrade() -> None:
    """Create every table and index."""
    _records()
    _agreements()
    _operations()
    _feeds()
    _words()
    _ownership()


def _records() -> None:
    _table(
        "record",
        *_texts("system", "object", "id", "kind"),
        *_numbers("entity", "role", "state"),
        *_texts("moved_to"),
        *_numbers("as_of", "settled"),
        *_times("settled_at"),
        *_texts("version", "created"),
        *_numbers("own", "noted"),
        *_times("refetch_at"),
        *_numbers("observed"),
        *_bodies("body"),
        *_texts("unconfirmed"),
        key=("system", "object", "id"),
    )
    op.create_index("record_noted", "record", ["kind", "noted"])
    op.create_index("record_entity", "record", ["entity"])
    _partial_index("record_refetch", "record", "system", "kind", "refetch_at", where="refetch_at > 0")
    _partial_index("record_live", "record", "system", "kind", "state", where="state = 0")
    names = ("system", "kind", "hash", "object", "id")
    op.create_table(
        "key",
        *_texts(*names),
        *_numbers("operation"),
        sa.PrimaryKeyConstraint(*names),
        sqlite_with_rowid=False,
    )


def _agreements() -> None:
    _table("entity", *_numbers("id", "merged_into"), *_bodies("body"), key=("id",))
    _table("base", *_numbers("entity"), *_texts("route"), *_bodies("body"), key=("entity", "route"))
    _table(
        "standing",
        *_numbers("entity"),
        *_texts("rule", "route"),
        *_times("wake"),
        *_bodies("body"),
        key=("entity", "rule"),
    )
    _partial_index("standing_wake", "standing", "route", "wake", where="wake > 0")
    _table(
        "hold",
        *_numbers("entity"),
        *_texts("field", "kind", "route"),
        *_times("since"),
        *_bodies("body"),
        *_texts("answer"),
        key=("entity", "field", "kind"),
    )


def _operations() -> None:
    _table(
        "operation",
        *_numbers("id", "entity"),
        *_texts("route"),
        *_numbers("run"),
        *_texts("action", "system", "object", "record"),
        *_numbers("lane"),
        *_texts("state"),
        *_times("at"),
        *_numbers("attempts", "again"),
        *_texts("digest", "hash", "effect"),
        *_times("made_at", "done_at"),
        *_texts("reason"),
        *_bodies("body"),
        key=("id",),
    )
    op.create_index("operation_entity", "operation", ["entity", "state"])
    op.create_index("operation_run", "operation", ["run"])
    walk = ("route", "lane", "id", "state", "at", "run", "action")
    _partial_index("operation_open", "operation", *walk, where=_OPEN)
    applied = ("route", "done_at", "action", "state", "run")
    _partial_index("operation_applied", "operation", *applied, where="state = 'applied'")
    _partial_index("operation_effect", "operation", "effect", where="effect <> ''", unique=True)
    _table(
        "batch", *_numbers("id"), *_texts("system", "kind"), *_times("sent_at"), *_bodies("body"), key=("id",)
    )


def _feeds() -> None:
    names = ("system", "kind", "name")
    _table("cursor", *_texts(*names, "value"), *_numbers("complete", "as_of"), *_times("at"), key=names)
    _table(
        "observed",
        *_numbers("id"),
        *_times("at"),
        *_texts("system", "kind"),
        *_numbers("run"),
        *_bodies("body"),
        key=("id",),
    )


def _words() -> None:
    _table(
        "run",
        *_numbers("id"),
        *_texts("route", "trigger", "digest"),
        *_times("started", "ended"),
        *_texts("state", "released"),
        *_bodies("body"),
        key=("id",),
    )
    op.create_index("run_route", "run", ["route", "id"])
    _table(
        "rules",
        *_texts("route", "reading", "deciding"),
        *_numbers("applied"),
        *_times("since"),
        *_bodies("source"),
        key=("route",),
    )
    _table(
        "command",
        *_numbers("id"),
        *_times("at"),
        *_texts("kind", "route", "state"),
        *_bodies("body"),
        key=("id",),
    )
    _partial_index("command_new", "command", "route", "id", where="state = 'new'")


def _ownership() -> None:
    _table("sequence", *_texts("name"), *_numbers("next"), key=("name",))
    _table("lease", *_numbers("id"), *_texts("owner"), *_numbers("fence"), *_times("expires"), key=("id",))


def _table(name: str, *columns: sa.Column[object], key: tuple[str, ...]) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key))


def _partial_index(name: str, table: str, *columns: str, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, list(columns), unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def _texts(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[object]]:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return [sa.Column(name, number, autoincrement=False, nullable=False) for name in names]


def _times(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Double(), nullable=False) for name in names]


def _bodies(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]
