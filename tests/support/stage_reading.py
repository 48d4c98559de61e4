"""From a scenario file to plain data: strict, and every complaint names file and line.

It decides which shapes of values there are (a name, a time, a table of …) and that a word which nobody knows is an
error. It may not know what any word of a scenario means; that is the vocabulary's affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class ScriptError(ValueError):
    """Something in a scenario file that cannot be understood, with its place."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file, its place, and the names that are declared so far (shared by all nodes of a file)."""

    file: str
    line: int
    value: Any
    declared: Mapping[str, list[str]]

    def refuse(self, what: str) -> NoReturn:
        """Complain about this place."""
        raise ScriptError(f"{self.file}:{self.line}: {what}")

    def entries(self) -> list[tuple[str, Node]]:
        """The keys of a table with their values."""
        if not isinstance(self.value, CommentedMap):
            self.refuse("a table such as { name: value } is expected here")
        return [
            (str(key), Node(self.file, self.value.lc.key(key)[0] + 1, value, self.declared))
            for key, value in self.value.items()
        ]

    def items(self) -> list[Node]:
        """The items of a list."""
        if not isinstance(self.value, CommentedSeq):
            self.refuse("a list such as [a, b] is expected here")
        return [
            Node(self.file, self.value.lc.item(index)[0] + 1, value, self.declared)
            for index, value in enumerate(self.value)
        ]


Shape: TypeAlias = Callable[[Node], Any]


def open_file(path: Path) -> Node:
    """The whole file as one node. Raises ScriptError."""
    try:
        found = YAML().load(path.read_text("utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScriptError(f"{path.name}:{line}: this is no YAML ({error.problem})") from None
    return Node(path.name, 1, found, {"people": [], "accounts": [], "deals": []})


# --- shapes ----------------------------------------------------------------------------------------------


def text(node: Node) -> str:
    """Words, also those that look like a number or a day."""
    if not isinstance(node.value, str | int | float | date) or isinstance(node.value, bool):
        node.refuse("a text is expected here")
    return str(node.value)


def blank_or_text(node: Node) -> str | None:
    """Words, or nothing."""
    return None if node.value is None else text(node)


def whole(node: Node) -> int:
    """A whole number, not below 0."""
    if not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < 0:
        node.refuse("a whole number is expected here")
    return int(node.value)


def number(node: Node) -> float:
    """A number."""
    if not isinstance(node.value, int | float) or isinstance(node.value, bool):
        node.refuse("a number is expected here")
    return float(node.value)


def yes_or_no(node: Node) -> bool:
    """true or false."""
    if not isinstance(node.value, bool):
        node.refuse("true or false is expected here")
    return node.value


def plain(node: Node) -> Any:
    """A single value as a vendor has it; a day is its ISO text."""
    if isinstance(node.value, CommentedMap | CommentedSeq):
        node.refuse("a single value is expected here")
    return str(node.value) if isinstance(node.value, date) else node.value


def span(node: Node) -> float:
    """A time such as 30s, 24h or 10d, in seconds."""
    match = re.fullmatch(r"(\d+)(s|m|h|d)", str(node.value))
    if match is None:
        node.refuse("a time such as 30s, 15m, 24h or 10d is expected here")
    return int(match[1]) * UNITS[match[2]]


def one_of(*words: str) -> Shape:
    """One of these words."""

    def read(node: Node) -> str:
        if str(node.value) not in words:
            node.refuse(f"{node.value!r} is not known here; choose one of {', '.join(words)}")
        return str(node.value)

    return read


def known(*kinds: str) -> Shape:
    """A name that was declared before, of one of these kinds: `people`, `accounts`, `deals`."""

    def read(node: Node) -> str:
        names = [name for kind in kinds for name in node.declared[kind]]
        if str(node.value) not in names:
            node.refuse(f"there is no {node.value!r} among the {' and '.join(kinds)} ({', '.join(names)})")
        return str(node.value)

    return read


def fresh(kind: str) -> Shape:
    """A name that is declared here."""

    def read(node: Node) -> str:
        name = text(node)
        if name in node.declared[kind]:
            node.refuse(f"{name!r} stands among the {kind} already")
        node.declared[kind].append(name)
        return name

    return read


def many(shape: Shape) -> Shape:
    """A list, or a single one without brackets."""

    def read(node: Node) -> list[Any]:
        return (
            [shape(item) for item in node.items()] if isinstance(node.value, CommentedSeq) else [shape(node)]
        )

    return read


def table(key: Shape, value: Shape) -> Shape:
    """A table whose keys are of one shape and whose values are of another."""

    def read(node: Node) -> dict[Any, Any]:
        return {
            key(Node(each.file, each.line, name, each.declared)): value(each) for name, each in node.entries()
        }

    return read


def words(must: Mapping[str, Shape] = MappingProxyType({}), **may: Shape) -> Shape:
    """A table with fixed words: those that must stand, and those that may."""
    shapes = {**must, **may}

    def read(node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, each in node.entries():
            if name not in shapes:
                each.refuse(f"{name!r} means nothing here; known words: {', '.join(shapes)}")
            found[name] = shapes[name](each)
        for name in must:
            if name not in found:
                node.refuse(f"{name!r} is missing here")
        return found

    return read


def either(shape: Shape, more: Shape) -> Shape:
    """A single value, or a table with fixed words."""

    def read(node: Node) -> Any:
        return more(node) if isinstance(node.value, CommentedMap) else shape(node)

    return read


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scenario: its word, what it was given, and where it stands."""

    word: str
    given: Any
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """File and line, and the word."""
        return f"{self.file}:{self.line}: {self.word}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A scenario: what it is called, what it proves, who is there at first, and what happens."""

    path: Path
    title: str
    proves: str
    start: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rates: str = ""
    steps: tuple[Step, ...] = ()
