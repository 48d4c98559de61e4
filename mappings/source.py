"""From bytes to a tree of texts with places: what a file says, before anybody asks what it means.

Every scalar stays text, so that 0312345678 keeps its zero and NO stays a country. No object is ever built
from a tag, aliases are counted, size and depth are bounded. It knows YAML and nothing of mappings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mappings.errors import START, At, Sink

MOST_BYTES = 1024 * 1024
MOST_DEPTH = 64
MOST_ALIASES = 32
MOST_NODES = 100_000


class Text(NamedTuple):
    """A scalar; `plain` = written without quotes."""

    at: At
    text: str
    plain: bool = True

    @property
    def is_null(self) -> bool:
        """True for nothing, `~` and `null` without quotes."""
        return self.plain and self.text in {"", "~", "null", "Null", "NULL"}


class Seq(NamedTuple):
    """A list."""

    at: At
    items: tuple[Node, ...]


class Map(NamedTuple):
    """A block of keys; duplicate keys were reported and left out."""

    at: At
    entries: tuple[Entry, ...]

    def get(self, key: str) -> Node | None:
        """The value under a key."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


Node: TypeAlias = Text | Seq | Map


class Entry(NamedTuple):
    """A key and its value."""

    key: Text
    value: Node


class _Stop(Exception):
    """The rest of the file cannot be read."""


def decode(data: bytes, sink: Sink) -> str | None:
    """Turn the bytes of a file into text: UTF-8 with or without a mark, any line ends."""
    if len(data) > MOST_BYTES:
        sink.error(
            START, "M002", "the file is larger than 1 MiB", "split it, or move tables into values_file:"
        )
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        sink.error(At(line, 1), "M003", "the file is not UTF-8", _encoding_hint(data))
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, sink: Sink) -> Node | None:
    """Read one YAML document; None if it cannot be read or is empty (reported)."""
    marks = len(sink.found)
    _look_for_wide_marks(text, sink)
    if len(sink.found) > marks:
        return None
    try:
        root = _Composer(sink).read(text)
    except _Stop:
        return None
    except MarkedYAMLError as error:
        _report_syntax(error, sink)
        return None
    except YAMLError as error:
        sink.error(START, "M001", "the file cannot be read as YAML", str(error).split("\n", maxsplit=1)[0])
        return None
    if root is None:
        sink.error(START, "M001", "the file is empty", "start with `version: 1`")
    return root


def _encoding_hint(data: bytes) -> str:
    try:
        data.decode("cp932")
    except UnicodeDecodeError:
        return "save it as UTF-8"
    return "it looks like Shift_JIS (cp932): save it as UTF-8"


# A key that is followed by a full-width colon, at the start of a line or behind `{` or `,`; not inside quotes.
_WIDE_COLON = re.compile(r"(?:^[ \t\u3000]*(?:- )*|[{,]\s*)(?P<key>[A-Za-z_][\w.-]*)\s*(?P<mark>：)")
_WIDE_SPACE = re.compile(r"^[ \t]*(?P<mark>\u3000)")


def _look_for_wide_marks(text: str, sink: Sink) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        bare = _without_quotes_and_comment(line)
        space = _WIDE_SPACE.search(bare)
        if space and bare.strip():
            at = At(number, space.start("mark") + 1)
            sink.error(
                at, "M005", "a full-width space (U+3000) stands in the indentation", "use ordinary spaces"
            )
        for found in _WIDE_COLON.finditer(bare):
            at = At(number, found.start("mark") + 1)
            hint = f"write «{found['key']}: » with an ordinary colon and a space"
            sink.error(at, "M004", f"a full-width colon stands behind «{found['key']}»", hint)


def _without_quotes_and_comment(line: str) -> str:
    """The line with quoted texts blanked out and its comment cut off, same columns."""
    kept: list[str] = []
    quote = ""
    for i, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
            kept.append(" ")
        elif letter in "'\"" and (i == 0 or line[i - 1] in " [{,:\u3000"):
            quote = letter
            kept.append(" ")
        elif letter == "#" and (i == 0 or line[i - 1] in " \t\u3000"):
            break
        else:
            kept.append(letter)
    return "".join(kept)


def _report_syntax(error: MarkedYAMLError, sink: Sink) -> None:
    mark = error.problem_mark or error.context_mark
    at = At(mark.line + 1, mark.column + 1) if mark else START
    problem = str(error.problem or "not YAML")
    if "'\\t'" in problem:
        sink.error(at, "M007", "a tab stands in the indentation", "use spaces")
        return
    hint = "the mistake is often on the line before: a bracket, a quote or a colon that is missing"
    sink.error(at, "M001", f"not readable as YAML here ({problem})", hint)


class _Composer:
    """Builds the tree from YAML's events; one pass, no construction of objects."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._open: set[str] = set()
        self._aliases = 0
        self._nodes = 0

    def read(self, text: str) -> Node | None:
        events: Iterator[Event] = YAML(typ="safe", pure=True).parse(StringIO(text))
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop(
                        event, "M008", "a second document (---) begins here", "one file holds one mapping"
                    )
            elif isinstance(event, NodeEvent):
                root = self._node(event, events, 1)
        if isinstance(root, Text) and root.is_null:
            return None
        return root

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        if depth > MOST_DEPTH:
            self._stop(event, "M002", f"more than {MOST_DEPTH} levels deep", "")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._stop(event, "M008", f"the tag «{tag}» is not part of a mapping", "take it out")
        before = self._nodes
        self._count(event, 1)
        anchor: str | None = getattr(event, "anchor", None)
        if anchor:
            self._open.add(anchor)
        node = self._content(event, events, depth)
        if anchor:
            self._open.discard(anchor)
            self._anchors[anchor] = (node, self._nodes - before)
        return node

    def _content(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        if isinstance(event, MappingStartEvent):
            return self._map(event, events, depth)
        if isinstance(event, SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(child := next(events), SequenceEndEvent):
                items.append(self._node(child, events, depth + 1))
            return Seq(_at(event), tuple(items))
        assert isinstance(event, ScalarEvent)
        return Text(_at(event), event.value, plain=not event.style)

    def _map(self, event: Event, events: Iterator[Event], depth: int) -> Map:
        entries: dict[str, Entry] = {}
        while not isinstance(child := next(events), MappingEndEvent):
            key = self._node(child, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, Text):
                self._sink.error(key.at, "M013", "a key must be a word", "")
            elif key.text in entries:
                first = entries[key.text].key.at
                self._sink.error(
                    key.at,
                    "M006",
                    f"«{key.text}» stands twice here",
                    f"first on line {first.line}; keep one of them",
                )
            else:
                entries[key.text] = Entry(key, value)
        return Map(_at(event), tuple(entries.values()))

    def _alias(self, event: AliasEvent) -> Node:
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            self._stop(event, "M002", f"more than {MOST_ALIASES} aliases (*name)", "write the values out")
        if event.anchor in self._open:
            self._stop(event, "M002", f"«*{event.anchor}» stands inside itself", "write the values out")
        if event.anchor not in self._anchors:
            self._stop(event, "M001", f"«*{event.anchor}» has no «&{event.anchor}» before it", "")
        node, size = self._anchors[event.anchor]
        self._count(event, size)
        return node

    def _count(self, event: Event, size: int) -> None:
        self._nodes += size
        if self._nodes > MOST_NODES:
            self._stop(event, "M002", f"more than {MOST_NODES} values", "split the file")

    def _stop(self, event: Event, code: str, message: str, hint: str) -> None:
        self._sink.error(_at(event), code, message, hint)
        raise _Stop


def _at(event: Event) -> At:
    return At(event.start_mark.line + 1, event.start_mark.column + 1)
