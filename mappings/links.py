"""What the vendors' objects are to each other: which field of a deal names its account, how a task is written.

Facts that no administrator has to write; they stand in a table beside the presets, by role and object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from mappings.errors import Sink
from mappings.source import Map, Node, Seq, Text, decode, parse
from sync.record import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLinks:
    """The object of contact roles, and its paths."""

    object: str
    deal: str
    person: str
    role: str
    primary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DealLinks:
    """The paths of a deal that flows need."""

    account: str
    name: str
    closed: str
    won: str
    close_date: str
    created: str
    owner: str
    roles: RoleLinks


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLinks:
    """How a task is written: its object, the paths of the person's and the deal's record, of its unique key, and of
    what it says."""

    object: str
    who: str
    about: str
    key: str
    subject: str
    due: str
    body: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLinks:
    """How a membership of a list is written."""

    object: str
    name: str
    who: str
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLinks:
    """What one object is to others. `account`, `opened`: paths of a person that name the account, and the deal that a
    conversion opened. `users`: path of a user's id -> path under which the user's address is read and written."""

    account: str = ""
    opened: str = ""
    users: Mapping[str, str] = field(default_factory=dict)
    task: TaskLinks | None = None
    list: ListLinks | None = None
    deal: DealLinks | None = None


NO_LINKS = ObjectLinks()


def links_of(side: Side, object_: str) -> ObjectLinks:
    """What is known of an object on a side; nothing for one that the table does not list."""
    return _table().get(side.value, {}).get(object_, NO_LINKS)


def list_links() -> ListLinks:
    """How a membership of a list is written on the marketing side."""
    return next(each.list for each in _table()[Side.MA.value].values() if each.list is not None)


@cache
def _table() -> dict[str, dict[str, ObjectLinks]]:
    sink = Sink("links.yaml")
    text = decode(files("mappings").joinpath("presets", "links.yaml").read_bytes(), sink)
    root = None if text is None else parse(text, sink)
    assert root is not None, sink.found
    return msgspec.convert(_plain(root), dict[str, dict[str, ObjectLinks]])


def _plain(node: Node) -> Any:
    match node:
        case Text():
            return node.text
        case Seq():
            return [_plain(item) for item in node.items]
        case Map():
            return {entry.key.text: _plain(entry.value) for entry in node.entries}
