"""Where the mapping files say what a question of the inbox is about.

It decides which line answers which question: values that no row lists, rates and reasons are answered there, not in the
inbox. What such a line may say is the files' own affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from renkei.settings import Project

if TYPE_CHECKING:
    from mappings.compile import Source
    from renkei.inbox import Entry

_RECYCLE = "recycle"
_UNLISTED, _RATE, _REASON = "unknown_value", "no_rate", "unknown_reason"


class Line(NamedTuple):
    """One line of a mapping file, the file as a path; `table`: the file beside it that lists the field's values ("" =
    none)."""

    file: Path
    number: int
    table: str = ""


def line_of(project: Project, route: str, field: str) -> Line | None:
    """The line of a field; that of a field which a route of deals gives to people stands in the deals' file."""
    giver, _, name = field.rpartition(".")
    for source in _sources(project):
        wanted = field if source.draft.route == route else name if source.draft.route == giver else ""
        for row in source.rows:
            if row.rule.name == wanted:
                table = row.draft.values_file.text if row.draft.values_file is not None else ""
                return Line(Path(source.draft.file), row.draft.at.line, table)
    return None


def answer_of(project: Project, entry: Entry) -> tuple[str, dict[str, str]] | None:
    """How a question is answered outside the inbox: a phrase with its values; None = it is not, or by no line."""
    if entry.kind not in (_UNLISTED, _RATE, _REASON):
        return None
    found = _recycle(project, entry) if entry.kind == _REASON else line_of(project, entry.route, entry.field)
    if found is None:
        return None
    values = {"field": entry.field.rpartition(".")[2], "file": found.file.name, "line": str(found.number)}
    if entry.kind == _RATE:
        return "inbox.write_rate", {**values, "table": str(found.file.parent / "rates.csv")}
    if entry.kind == _REASON:
        return "inbox.route_reason", values
    if found.table:
        return "inbox.write_value", {**values, "table": str(found.file.parent / found.table)}
    return "inbox.list_value", values


def _recycle(project: Project, entry: Entry) -> Line | None:
    """Where reasons have their routes: of the deals that the question names, else of the people themselves."""
    for source in _sources(project):
        node, route = source.draft.flow_nodes.get(_RECYCLE), source.draft.route
        if node is not None and (route == entry.route or entry.field.startswith(f"{route}.")):
            return Line(Path(source.draft.file), node.at.line)
    return None


def _sources(project: Project) -> Iterator[Source]:
    from mappings.load import load

    yield from load([project.mappings]).sources
