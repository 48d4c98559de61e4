"""Tables beside a mapping: value maps, inline or CSV.

Reads through `Beside`, which gives the bytes of a file in the mapping's own folder; nothing outside it is read.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO
from typing import TypeAlias

from mappings.errors import START, At, Sink
from mappings.grammar import want_text
from mappings.source import MOST_BYTES, Map, Text
from mappings.transforms import ValueMap, as_text

Beside: TypeAlias = Callable[[str], bytes | None]


def inline_values(block: Map, sink: Sink) -> ValueMap:
    """A `values:` block. Keys are unique already; several left words may share a right one, the first wins back."""
    pairs: list[tuple[str, str]] = []
    for entry in block.entries:
        right = want_text(entry.value, sink, f"the right-hand word of «{entry.key.text}»")
        left = as_text(entry.key.text)
        if right is None or left is None:
            continue
        pairs.append((left, as_text(right.text) or right.text))
    if not block.entries:
        sink.error(block.at, "M022", "values lists nothing", "e.g. { 製造業: Manufacturing }")
    return _value_map(pairs)


def _value_map(pairs: list[tuple[str, str]]) -> ValueMap:
    back: dict[str, str] = {}
    for left, right in pairs:
        back.setdefault(right, left)
    return ValueMap(forward=dict(pairs), back=back)


def values_file(name: Text, systems: tuple[str, ...], beside: Beside, sink: Sink) -> tuple[ValueMap, Sink]:
    """A CSV of two columns, UTF-8 or cp932; a first line with the systems' names is a heading.

    Problems inside the table point into the table: they come back in a sink of their own.
    """
    folder = sink.file.rpartition("/")[0]
    own = Sink(f"{folder}/{name.text}" if folder else name.text)
    data = beside(name.text)
    if data is None:
        sink.error(
            name.at, "M023", f"«{name.text}» is not there", "the path counts from the mapping's own folder"
        )
        return _value_map([]), own
    if len(data) > MOST_BYTES:
        sink.error(name.at, "M002", f"«{name.text}» is larger than 1 MiB", "")
        return _value_map([]), own
    text = _table_text(data)
    if text is None:
        sink.error(
            name.at, "M003", f"«{name.text}» is neither UTF-8 nor Shift_JIS (cp932)", "save it as UTF-8"
        )
        return _value_map([]), own
    return _value_map(_pairs(text, systems, own)), own


def _table_text(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _pairs(text: str, systems: tuple[str, ...], sink: Sink) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    seen: dict[str, int] = {}
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            _pair(cells, At(reader.line_num, 1), systems, sink, seen, pairs)
    except csv.Error as error:
        sink.error(At(reader.line_num, 1), "M022", f"this line is no CSV ({error})", "mend its quotes")
    if not pairs:
        sink.error(START, "M022", "the table lists nothing", "two columns: left word, right word")
    return pairs


def _pair(
    cells: list[str],
    at: At,
    systems: tuple[str, ...],
    sink: Sink,
    seen: dict[str, int],
    pairs: list[tuple[str, str]],
) -> None:
    words = [as_text(cell) for cell in cells]
    if not any(words) or (not pairs and tuple(words) == systems):
        return
    left, right = (words[0], words[1]) if len(words) == 2 else (None, None)
    if left is None or right is None:
        sink.error(
            at, "M022", f"this line has {len(cells)} columns with a gap or too many", "left word,right word"
        )
    elif left in seen:
        sink.error(at, "M006", f"«{left}» stands twice", f"first on line {seen[left]}; keep one of them")
    else:
        seen[left] = at.line
        pairs.append((left, right))
