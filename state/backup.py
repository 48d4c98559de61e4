"""Copying the journal as of one moment while its owner goes on writing.

It decides that a copy is whole or does not exist: it is made beside its name, checked, synced and only then named; and
that a copy which may be put back knows that it is one. It holds no lease, waits for nobody and makes nobody wait. It
may not know what is in the tables.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from state.journal import transaction
from state.lease import call_a_copy
from state.sql import open_database
from sync.errors import Fatal


def back_up(place: Path, target: Path, *, to_put_back: bool = True) -> int:
    """Copy the journal at `place` to the new file `target`, for its owner only; gives its size in bytes. Raises Fatal
    where there is no journal, the file exists already or the copy cannot be made; then nothing is left behind.
    `to_put_back`: whoever opens it first may do so long after its journal has gone on (ADR 0017)."""
    if target.exists():
        raise Fatal(f"{target} exists already; nothing was written.", "choose another name")
    part = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise Fatal(
            f"{part} cannot be made ({error.strerror}).", "choose another place, or remove it"
        ) from None
    try:
        _copy(place, part)
        if to_put_back:
            _mark(part)
        _settle(part, target)
    except (sqlite3.Error, OSError) as error:
        what = getattr(error, "sqlite_errorname", "") or type(error).__name__
        step = "check the disks of the state and of the backup: space, permissions"
        raise Fatal(f"The backup was not made ({what}).", step) from None
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return target.stat().st_size


def _copy(place: Path, part: Path) -> None:
    """All pages in one step: a reader of a write-ahead log sees one moment, and keeps no writer waiting."""
    engine = open_database(place, read_only=True)
    with closing(engine.raw_connection()) as pooled, closing(sqlite3.connect(part)) as copy:
        journal: Any = pooled.driver_connection
        journal.backup(copy)
        if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise Fatal(
                "The state is damaged, and so would be its copy.", "restore it from an earlier backup"
            )


def _mark(part: Path) -> None:
    """Have the copy know that it is one."""
    engine = open_database(part)
    with engine.connect() as connection, transaction(connection):
        call_a_copy(connection)


def _settle(part: Path, target: Path) -> None:
    """Make it last before it bears its name."""
    for path in (part, part.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if path is part:
            part.rename(target)
