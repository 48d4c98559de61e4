"""Copying the journal as of one moment while its owner goes on writing.

It decides that a copy is whole or does not exist: it is made beside its name, checked, synced and only then named; and
that a copy which may be put back knows that it is one. It holds no lease, waits for nobody and makes nobody wait. It
may not know what is in the tables.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

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
    except (sqlite3.Error, DBAPIError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        what = getattr(cause, "sqlite_errorname", "") or type(cause).__name__
        step = "check the disks of the state and of the backup: space, permissions"
        raise Fatal(f"The backup was not made ({what}).", step) from None
    finally:
        for each in (part, *_beside(part)):
            with suppress(FileNotFoundError):
                each.unlink()
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
    """Have the copy know that it is one, in the file itself: only that gets its name."""
    engine = open_database(part)
    with engine.connect() as connection:
        call_a_copy(connection)
    if any(each.exists() for each in _beside(part)):
        raise OSError(errno.EIO, "the log was not written back")


def _beside(part: Path) -> tuple[Path, ...]:
    """What SQLite keeps beside a journal as long as somebody has it open."""
    return tuple(part.with_name(f"{part.name}-{log}") for log in ("wal", "shm"))


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
