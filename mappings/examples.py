"""Runs the `examples:` of a mapping: values in, values out, no vendor called."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.compile import Source
from mappings.draft import ExampleDraft
from mappings.errors import Problem, Sink, did_you_mean, errors
from mappings.source import Entry, Map, Text
from mappings.transforms import as_text
from sync.errors import UnknownValue
from sync.record import Raw, Side, Value
from sync.rules import Cell, FieldRule, Rules


def run_examples(source: Source) -> list[Problem]:
    """What each example really gives where that differs from what it expects; nothing for files with errors."""
    sink = Sink(source.draft.file)
    rules = source.rules
    if rules is None or errors(source.problems):
        return []
    for example in source.draft.examples:
        _run(example, rules, sink)
    return sink.found


def _run(example: ExampleDraft, rules: Rules, sink: Sink) -> None:
    systems = {name: side for side, name in rules.systems.items()}
    for system, expected in example.expect.items():
        side = systems[system]
        source = rules.systems[side.other]
        given = example.given.get(source)
        if given is None:
            sink.error(
                expected.at,
                "M050",
                f"the example gives nothing for {source}",
                f"given: {{ {source}: {{ … }} }}",
            )
            continue
        fields = _canonical(given, rules, side.other, sink)
        for entry in expected.entries:
            _compare(example, entry, fields, rules, side, sink)
    if not example.expect:
        sink.error(
            example.at, "M050", "the example expects nothing", "name a system and values under expect:"
        )


def _canonical(given: Map, rules: Rules, side: Side, sink: Sink) -> dict[str, Value]:
    found: dict[str, Value] = {}
    raw = {entry.key.text: entry for entry in given.entries}
    known = _paths(rules, side)
    for path, entry in raw.items():
        if path not in known:
            hint = did_you_mean(path, known)
            sink.error(entry.key.at, "M050", f"no row reads «{path}» of {rules.systems[side]}", hint)
    for name, cell in _cells(rules, side).items():
        path = next((path for path in cell.paths.values() if path in raw), "")
        if not path:
            continue
        try:
            found[name] = cell.read(_raw(raw[path]))
        except UnknownValue:
            message = f"«{_shown(_raw(raw[path]))}» is a value that «{name}» does not list: it would wait"
            sink.error(raw[path].value.at, "M050", message, "list it in values: or give another")
    return found


def _compare(
    example: ExampleDraft, entry: Entry, fields: Mapping[str, Value], rules: Rules, side: Side, sink: Sink
) -> None:
    path = entry.key.text
    known = _paths(rules, side)
    target = rules.systems[side]
    if path not in known:
        sink.error(entry.key.at, "M050", f"no row knows «{path}» of {target}", did_you_mean(path, known))
        return
    name, cell = known[path]
    rule = next((rule for rule in rules.fields if rule.name == name), None)
    if rule is not None and not rule.flow.into(side):
        sink.error(
            entry.key.at, "M050", f"nothing is written to {target} {path}", f"«{name}» has no arrow there"
        )
        return
    if not isinstance(entry.value, Text):
        sink.error(entry.value.at, "M013", "an expected value is one word or text", "")
        return
    given = _sent(rule, cell, name, fields)
    wanted = _raw(entry)
    if as_text(given) != as_text(wanted):
        message = f"example «{example.name or 'without name'}»: {target} {path} gets «{_shown(given)}»"
        sink.error(
            entry.value.at,
            "M050",
            message,
            f"expected «{_shown(wanted)}»; mend the row «{name}» or the example",
        )


def _sent(rule: FieldRule | None, cell: Cell, name: str, fields: Mapping[str, Value]) -> Raw:
    """What a new record would get."""
    if rule is None:  # a consent topic: only an opt-out is ever written
        opted_out = fields.get(name)
        return cell.write(opted_out) if opted_out is True else None
    value = rule.compute(fields) if rule.compute else fields.get(name)
    return cell.write(rule.on_create_blank if value is None else value)


def _cells(rules: Rules, side: Side) -> dict[str, Cell]:
    """Cells of one side by field or topic."""
    return {rule.name: rule.cells[side] for rule in rules.fields if side in rule.cells} | {
        topic.topic: topic.cells[side] for topic in rules.consent if side in topic.cells
    }


def _paths(rules: Rules, side: Side) -> dict[str, tuple[str, Cell]]:
    """Field and cell by vendor path; where two objects use a path, they mean the same field."""
    return {path: (name, cell) for name, cell in _cells(rules, side).items() for path in cell.paths.values()}


def _raw(entry: Entry) -> Raw:
    """An example's value as a vendor would give it: text, or null."""
    value = entry.value
    return None if not isinstance(value, Text) or value.is_null else value.text


def _shown(raw: Raw) -> str:
    return as_text(raw) or "(blank)"
