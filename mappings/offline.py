"""What can be said of mapping files without asking anybody: gaps, rows without use, two writers of one field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mappings.compile import SIDES, Source
from mappings.errors import START, At, Problem, Sink, did_you_mean
from mappings.fieldrules import Row
from mappings.source import Text
from sync.record import Side
from sync.rules import Flow


def check_file(source: Source, sink: Sink) -> None:
    """Questions that one file answers."""
    if len(source.draft.names) != 2 or not source.draft.rows:
        return
    _asks_first(source, sink)
    _asks_conflict(source, sink)
    if source.draft.kind != "opportunity":
        _identity(source, sink)
        _creates(source, sink)
    if source.draft.kind == "person":
        _consent(source, sink)
    _unused_rows(source, sink)
    for row in source.rows:
        _partly_read_only(source, row, sink)


def start(source: Source) -> At:
    """A place for what concerns the whole file: the line of its systems."""
    return source.draft.systems[0].at if source.draft.systems else START


def _asks_first(source: Source, sink: Sink) -> None:
    if source.draft.defaults.first is not None:
        return
    open_rows = [row for row in source.rows if row.rule.flow is Flow.BOTH and row.draft.first is None]
    if open_rows:
        left, right = source.draft.names
        names = _few(row.rule.name for row in open_rows)
        hint = f"add `defaults: {{ first: {right} }}`, or first: {left}, {right} or hold in the rows"
        message = f"nobody says which side fills at the first sync: {names}"
        sink.error(open_rows[0].draft.at, "M040", message, hint)


def _asks_conflict(source: Source, sink: Sink) -> None:
    if source.draft.defaults.conflict is not None:
        return
    open_rows = [row for row in source.rows if row.rule.flow is Flow.BOTH and row.draft.conflict is None]
    if open_rows:
        names = _few(row.rule.name for row in open_rows)
        hint = "`defaults: { conflict: … }` names the side that wins"
        sink.note(
            open_rows[0].draft.at, "M049", f"edited on both sides, these wait for a person: {names}", hint
        )


def _identity(source: Source, sink: Sink) -> None:
    draft = source.draft
    if not draft.match:
        hint = "add `match: [ { same: [email], unless: role_address } ]`"
        if draft.create:
            sink.error(start(source), "M042", "without `match:` every person would be created anew", hint)
        else:
            sink.warning(start(source), "M042", "without `match:` and `create:` nobody is ever linked", hint)
    seen: set[str] = set()
    types = {row.rule.name: row.rule.type for row in source.rows}
    for line in draft.match:
        for name in line.same:
            if name.text in seen:
                sink.warning(
                    name.at,
                    "M046",
                    f"this line is never reached: «{name.text}» was asked above",
                    "take it out",
                )
            seen.add(name.text)
            if types.get(name.text) == "email" and not line.unless_role:
                hint = "add `unless: role_address`"
                sink.warning(name.at, "M048", "shared addresses (info@, sales@) would identify persons", hint)


def _creates(source: Source, sink: Sink) -> None:
    for system, rule in source.draft.create.items():
        if system not in source.draft.names:
            continue
        side = SIDES[source.draft.names.index(system)]
        if not any(row.rule.flow.into(side) for row in source.rows):
            sink.error(
                rule.at, "M052", f"nothing is written to {system}: a new record would be empty", "add arrows"
            )
            continue
        keys = [row for row in source.rows if row.rule.key and row.rule.flow.into(side)]
        matched = {name.text for line in source.draft.match for name in line.same}
        for row in keys:
            if row.rule.name not in matched:
                hint = f"add `- {{ same: [{row.rule.name}] }}` as the first line of match"
                message = f"«{row.rule.name}» is written and never asked: links would rest on addresses alone"
                sink.warning(row.draft.at, "M053", message, hint)


def _consent(source: Source, sink: Sink) -> None:
    draft = source.draft
    if draft.consent_at is None:
        hint = "add a `consent:` block"
        sink.warning(start(source), "M047", "no `consent:` block: opt-outs are not carried over", hint)
    elif draft.authority is None:
        hint = "name the system where people give their own consent: `authority: …`"
        message = "no `authority:`: nobody can lift an opt-out, every «agreed» is set back"
        sink.note(draft.consent_at, "M043", message, hint)


def _unused_rows(source: Source, sink: Sink) -> None:
    draft = source.draft
    used = {
        name for found in source.asked.values() for condition in found.values() for name in condition.fields
    }
    used |= {name.text for line in draft.match for name in line.same}
    used |= {name for row in source.rows for name in (row.computed.fields if row.computed else ())}
    used |= source.used
    for row in source.rows:
        if row.rule.flow is Flow.NONE and row.rule.name not in used:
            hint = "add an arrow, use it in a condition, or take the row out"
            sink.warning(row.draft.at, "M046", f"«{row.rule.name}» is read and used by nothing", hint)


def _partly_read_only(source: Source, row: Row, sink: Sink) -> None:
    for side, cell in row.rule.cells.items():
        if not row.rule.flow.into(side) or not cell.read_only:
            continue
        system = source.draft.names[SIDES.index(side)]
        read_only = ", ".join(f"{name} ({cell.paths[name]})" for name in sorted(cell.read_only))
        written = ", ".join(sorted(set(cell.paths) - cell.read_only))
        message = f"«{row.rule.name}»: only read in {system} {read_only}; written in {written}"
        sink.note(row.draft.place(system), "M051", message)


class _Writer(NamedTuple):
    source: Source
    name: str
    at: At


def across(sources: Iterable[Source]) -> list[Problem]:
    """What several files do to each other: one route twice, one vendor field written twice (also within a file)."""
    given = tuple(sources)
    return [*_same_route(given), *_two_writers(given), *_other_routes(given), *_asked_of_people(given)]


def _asked_of_people(sources: Iterable[Source]) -> list[Problem]:
    """A deal's exclusions ask rows of its people's file."""
    names = {source.draft.route: {row.name.text for row in source.draft.rows} for source in sources}
    found: list[Problem] = []
    for source in sources:
        recycle, on = source.draft.recycle, source.bearing.on if source.bearing else ""
        for word in recycle.never if recycle is not None and on in names else ():
            if word.text == "bounced" and "bounced" not in names[on]:
                sink = Sink(source.draft.file)
                hint = f"add a row to {on}: bounced: {{ …, type: boolean }}"
                sink.error(word.at, "M061", "«bounced» would never keep anybody out", hint)
                found += sink.found
    return found


def _other_routes(sources: Iterable[Source]) -> list[Problem]:
    """References and deals name routes: of the right kind, and there."""
    kinds = {source.draft.route: source.draft.kind for source in sources}
    found: list[Problem] = []
    for source in sources:
        sink = Sink(source.draft.file)
        for row in source.draft.rows:
            if row.to is not None and row.type is not None and row.type.text == "reference":
                _named_route(row.to, "account", kinds, sink)
        for each in source.draft.objects.values():
            if each.fields_on is not None:
                _named_route(each.fields_on, "person", kinds, sink)
        found += sink.found
    return found


def _named_route(name: Text, kind: str, kinds: Mapping[str, str], sink: Sink) -> None:
    if kinds.get(name.text) == kind:
        return
    known = tuple(route for route, each in kinds.items() if each == kind)
    hint = did_you_mean(name.text, known) or f"write a mapping of kind {kind} beside this one"
    sink.error(name.at, "M062", f"there is no route «{name.text}» of kind {kind}", hint)


def _same_route(sources: Iterable[Source]) -> list[Problem]:
    seen: dict[str, str] = {}
    found: list[Problem] = []
    for source in sources:
        route, file = source.draft.route, source.draft.file
        if route and route in seen:
            sink = Sink(file)
            message = f"the route «{route}» stands in {seen[route]} too"
            sink.error(source.draft.route_at, "M045", message, "give each file a route of its own")
            found += sink.found
        seen.setdefault(route, file)
    return found


def _two_writers(sources: Iterable[Source]) -> list[Problem]:
    seen: dict[tuple[str, str, str], _Writer] = {}
    found: list[Problem] = []
    reported: set[tuple[str, At, str]] = set()
    for source in sources:
        for target, writer in _writers(source):
            first = seen.setdefault(target, writer)
            once = (source.draft.file, writer.at, target[2])
            if first.at == writer.at and first.source is source:
                continue
            if once in reported or _same_route_twice(first, writer) or _same_meaning(first, writer, target):
                continue
            reported.add(once)
            found.append(_clash(target, first, writer))
    return found


def _same_route_twice(first: _Writer, second: _Writer) -> bool:
    """Two files of one route are one mistake, named once."""
    return first.source is not second.source and first.source.draft.route == second.source.draft.route


def _same_meaning(first: _Writer, second: _Writer, target: tuple[str, str, str]) -> bool:
    """Two routes may carry the same opt-out: it is a latch, and setting it twice is harmless."""
    if first.source is second.source:
        return False
    return all(_is_topic(writer, target) for writer in (first, second))


def _is_topic(writer: _Writer, target: tuple[str, str, str]) -> bool:
    system, object_, path = target
    side = SIDES[writer.source.draft.names.index(system)]
    return any(
        topic.topic == writer.name and side in topic.cells and topic.cells[side].paths.get(object_) == path
        for topic in writer.source.topics
    )


def _writers(source: Source) -> Iterator[tuple[tuple[str, str, str], _Writer]]:
    for row in source.rows:
        for side, cell in row.rule.cells.items():
            if row.rule.flow.into(side) and not cell.is_id:
                for object_, path in cell.paths.items():
                    if object_ not in cell.read_only:
                        yield (
                            _target(source, side, object_, path),
                            _Writer(source, row.rule.name, row.draft.at),
                        )
    places = {topic.name.text: topic.at for topic in source.draft.topics}
    for topic in source.topics:
        for side, cell in topic.cells.items():
            for object_, path in cell.paths.items():
                yield _target(source, side, object_, path), _Writer(source, topic.topic, places[topic.topic])


def _target(source: Source, side: Side, object_: str, path: str) -> tuple[str, str, str]:
    return source.draft.names[SIDES.index(side)], object_, path


def _clash(target: tuple[str, str, str], first: _Writer, second: _Writer) -> Problem:
    sink = Sink(second.source.draft.file)
    system, object_, path = target
    if first.source is second.source:
        who = f"«{first.name}» (line {first.at.line}) and «{second.name}»"
    else:
        file = first.source.draft.file.rpartition("/")[2]
        who = f"{first.source.draft.route} ({file}:{first.at.line}) and {second.source.draft.route}"
    hint = "take the arrow and the target out of one of them (then it is only read)"
    sink.error(second.at, "M044", f"two writers of {system}.{object_}.{path}: {who}", hint)
    return sink.found[0]


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
