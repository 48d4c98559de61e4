"""The columns of a row: which path a field has in which object of a system.

A word stands for every object; a block names a path per object. Dotted paths lead into another record and can
only be read.
"""

from __future__ import annotations

from collections.abc import Mapping

from mappings.draft import FileDraft, RowDraft
from mappings.errors import Sink, did_you_mean
from mappings.grammar import want_text
from mappings.source import Map, Node, Text
from mappings.transforms import Codec
from sync.record import Side
from sync.rules import Cell


def columns(row: RowDraft, draft: FileDraft, sink: Sink) -> Mapping[str, Mapping[str, Text]]:
    """Paths by system and object, with their places."""
    return {system: _paths(node, system, draft, sink) for system, node in row.cells.items()}


def _paths(node: Node, system: str, draft: FileDraft, sink: Sink) -> Mapping[str, Text]:
    found = draft.objects.get(system)
    objects = (found.create, *found.follow) if found else ()
    if isinstance(node, Map):
        paths: dict[str, Text] = {}
        for entry in node.entries:
            if entry.key.text not in objects:
                hint = did_you_mean(entry.key.text, objects)
                sink.error(entry.key.at, "M018", f"«{entry.key.text}» is no object of {system} here", hint)
                continue
            path = want_text(entry.value, sink, "the path")
            if path is not None:
                paths[entry.key.text] = path
        return paths
    path = want_text(node, sink, f"the field of {system}")
    return {} if path is None else {name: path for name in objects if name}


def cell(paths: Mapping[str, Text], codec: Codec, *, is_id: bool = False, by_user: bool = False) -> Cell:
    """A column as the engine uses it. `by_user`: a path with a dot names a user and is written as well."""
    return Cell(
        paths={name: path.text for name, path in paths.items()},
        read=codec.read,
        write=codec.write,
        is_id=is_id,
        read_only=frozenset(name for name, path in paths.items() if "." in path.text and not by_user),
    )


def written_as(cells: Mapping[Side, Cell]) -> dict[str, object]:
    """Columns for digests: one path for all objects counts the same however many objects there are."""
    plain: dict[str, object] = {}
    for side, found in cells.items():
        different = set(found.paths.values())
        where: object = next(iter(different)) if len(different) == 1 else dict(found.paths)
        plain[side.value] = [where, found.is_id]
    return plain
