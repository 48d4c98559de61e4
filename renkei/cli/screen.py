"""How answers reach the user: lines, tables, colours on a terminal, or one JSON object."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

import typer

from renkei.words import Words
from sync.errors import Fatal

_COLOURS: Mapping[str, str] = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1"}


def paint(text: str, colour: str) -> str:
    """A text in a colour where a terminal shows it."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if sys.stdout.isatty() else text


def say(*lines: str) -> None:
    """Print lines."""
    for line in lines:
        print(line, flush=True)


def as_json(data: object) -> None:
    """Print one JSON object with stable keys."""
    print(json.dumps(data, ensure_ascii=False, indent=1, default=str), flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns that line up, wide letters counted as two."""
    cells = [list(map(str, head)), *[list(map(str, row)) for row in rows]]
    widths = [max(width(row[place]) for row in cells) for place in range(len(head))]
    return [
        "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def stamp(moment: float) -> str:
    """A time of this host, to the second."""
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str) -> float:
    """A date or time of this host in unix seconds (0 = none). Raises Fatal."""
    try:
        return datetime.fromisoformat(text).astimezone().timestamp() if text else 0.0
    except (ValueError, OverflowError):
        raise Fatal(f"«{text}» is no date.", "write it as 2026-04-01 or 2026-04-01T09:00") from None


def counts(found: Mapping[str, int]) -> str:
    """«create 3 · update 12»."""
    return " · ".join(f"{name} {number:,}" for name, number in found.items()) or "0"


def shown(value: object) -> str:
    """A vendor's value for a person."""
    if value is None:
        return "∅"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def problem(words: Words, message: str, step: str, *, json_wanted: bool, log_json: bool = False) -> None:
    """Say what went wrong and what to do next: on stderr, as a line of the log where that is JSON; with `json_wanted`
    as one object on stdout too."""
    if log_json:
        from renkei.log import logger

        logger(as_json=True, verbose=True).error("failed", error=message, next=step)
    if json_wanted:
        as_json({"ok": False, "error": message, "next": step})
    if json_wanted or log_json:
        return
    print(f"{words('error')}  {message}", file=sys.stderr)
    if step:
        print(f"{words('next')}  {step}", file=sys.stderr, flush=True)


def stopping(words: Words, *, log_json: bool) -> None:
    """Say that the end was asked for. Called by a signal's handler: past all buffers, which may be in use."""
    text = words("stopping")
    line = (
        json.dumps({"event": "stopping", "level": "info", "said": text}, ensure_ascii=False)
        if log_json
        else text
    )
    os.write(2, f"{line}\n".encode())


def leave(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(code)
