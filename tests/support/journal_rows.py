"""Every row of a journal's file as text, and where a system's name stands in them: read past all code of ours."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

TOLD = {"lease", "run", "sequence"}  # who owns it, what was done under which names, the next number


def rows_of(place: Path) -> list[tuple[str, tuple[Any, ...]]]:
    """Every row with its table, but for those that only tell of what was done."""
    with closing(sqlite3.connect(place)) as journal:
        tables = [name for (name,) in journal.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [
            (table, row)
            for table in sorted(set(tables) - TOLD)
            for row in journal.execute(f"SELECT * FROM {table}")
        ]


def bearing(name: str, rows: list[tuple[str, tuple[Any, ...]]]) -> set[str]:
    """Tables in which a system's name stands anywhere, also within a body; a field's name that begins so is none."""
    word = re.compile(rf"(?<![\w.]){name}(?!\w)")
    return {table for table, row in rows if any(word.search(_text(value)) for value in row)}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
