"""Conditions on fields: from the structured YAML to a function of canonical fields.

Three answers inside: yes, no and «the field has no value». A field without value satisfies nothing but
`blank`, also not behind `not:`; only a clear yes counts in the end. Fields that were never read count as blank.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from mappings import later
from mappings.errors import At, Sink, did_you_mean
from mappings.source import Map, Node, Seq, Text
from mappings.transforms import Codec
from sync.errors import UnknownValue
from sync.record import Value
from sync.rules import Condition, Fields

Test: TypeAlias = Callable[[Fields], bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A field as conditions see it: its type's name, its codec on the canonical side and its named thresholds."""

    type: str
    codec: Codec
    thresholds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A condition and what a digest takes of it. `thresholds`: the named ones that it asks, as `field.name`."""

    test: Condition
    spec: str
    fields: tuple[str, ...]
    thresholds: frozenset[str] = frozenset()


FieldWord: TypeAlias = Callable[["Conditions", str, Asked, Node], Test]
JoinWord: TypeAlias = Callable[["Conditions", Node], Test]


def nobody(_fields: Fields) -> bool | None:
    """What a broken condition compiles to."""
    return None


class Conditions:
    """Compiles conditions over one set of fields; reports into the sink and goes on."""

    def __init__(self, fields: Mapping[str, Asked], sink: Sink, words: Words) -> None:
        self.fields = fields
        self.sink = sink
        self.words = words
        self._used: dict[str, None] = {}
        self._reached: set[str] = set()

    def compile(self, node: Node) -> Compiled:
        """One condition, e.g. the value of `when:`."""
        self._used, self._reached = {}, set()
        test = self.record(node)
        return Compiled(
            test=lambda fields: test(fields) is True, spec=spec(node), fields=tuple(self._used),
            thresholds=frozenset(self._reached),
        )  # fmt: skip

    def record(self, node: Node) -> Test:
        """Keys = and: field names, `any:` and `not:`."""
        if not isinstance(node, Map) or not node.entries:
            self.sink.error(node.at, "M026", "a condition is a block of fields", "e.g. { email: present }")
            return nobody
        tests: list[Test] = []
        for entry in node.entries:
            word = entry.key.text
            if word in self.words.joins:
                tests.append(self.words.joins[word](self, entry.value))
            elif word in self.fields:
                self._used[word] = None
                tests.append(self.field(word, self.fields[word], entry.value))
            else:
                self._unknown(entry.key)
        return _all(tests)

    def field(self, name: str, asked: Asked, node: Node) -> Test:
        """What is asked of one field: a value, a list = any of, or a block of comparisons."""
        match node:
            case Text():
                return self._word_or_value(name, asked, node)
            case Seq():
                if not node.items:
                    self.sink.error(
                        node.at, "M026", "an empty list is met by nobody", "name at least one value"
                    )
                return _any([self.field(name, asked, item) for item in node.items])
            case Map():
                return self._comparisons(name, asked, node)

    def _word_or_value(self, name: str, asked: Asked, node: Text) -> Test:
        if node.plain and node.text in self.words.values:
            return self.words.values[node.text](self, name, asked, node)
        if node.is_null:
            self.sink.error(
                node.at, "M026", f"what is asked of «{name}» is missing", "write present, blank or a value"
            )
            return nobody
        if node.text in asked.thresholds:
            reached = f"{name}.{node.text}"
            self._reached.add(reached)
            return lambda fields: None if (value := fields.get(reached)) is None else value is True
        wanted = self.literal(name, asked, node)
        return lambda fields: None if (value := fields.get(name)) is None else value == wanted

    def _comparisons(self, name: str, asked: Asked, node: Map) -> Test:
        tests: list[Test] = []
        for entry in node.entries:
            word = self.words.comparisons.get(entry.key.text)
            if word is None:
                hint = did_you_mean(entry.key.text, self.words.comparisons)
                self.sink.error(entry.key.at, "M010", f"unknown word «{entry.key.text}»", hint)
            else:
                tests.append(word(self, name, asked, entry.value))
        return _all(tests)

    def literal(self, name: str, asked: Asked, node: Text) -> Value:
        """A value as the field's type reads it."""
        try:
            value = asked.codec.read(node.text)
        except UnknownValue:
            self._impossible(name, asked, node)
            return None
        return value

    def _impossible(self, name: str, asked: Asked, node: Text) -> None:
        if asked.type in {"integer", "decimal"} and node.text[:1].isalpha():
            message = f"thresholds.yaml has no threshold «{node.text}» for «{name}»"
            hint = did_you_mean(node.text, tuple(asked.thresholds)) or (
                f"{name}: {{ {node.text}: {{ enter: 70, leave: 60, dwell: 24h }} }}"
            )
            self.sink.error(node.at, "M024", message, hint)
            return
        hint = f"«{name}» is of type {asked.type}"
        self.sink.error(node.at, "M026", f"«{node.text}» can never be a value of «{name}»", hint)

    def _unknown(self, key: Text) -> None:
        head = key.text.partition(".")[0]
        if head in later.CONDITION:
            found = later.CONDITION[head]
            self.sink.error(key.at, found.code, f"«{key.text}» is not in this version", found.until_then)
            return
        known = (*self.fields, *self.words.joins)
        self.sink.error(key.at, "M017", f"no field «{key.text}» to ask here", did_you_mean(key.text, known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The grammar's words in conditions, each with its step."""

    values: Mapping[str, FieldWord]
    comparisons: Mapping[str, FieldWord]
    joins: Mapping[str, JoinWord]


def _present(_conditions: Conditions, name: str, _asked: Asked, _node: Node) -> Test:
    return lambda fields: fields.get(name) is not None


def _blank(_conditions: Conditions, name: str, _asked: Asked, _node: Node) -> Test:
    return lambda fields: fields.get(name) is None


def _compare(
    conditions: Conditions, name: str, asked: Asked, node: Node, ask: Callable[[object, object], bool]
) -> Test:
    order = asked.codec.order
    if order is None or not isinstance(node, Text) or node.is_null:
        at: At = node.at
        conditions.sink.error(
            at, "M026", f"«{name}» ({asked.type}) cannot be compared here", "numbers and dates have an order"
        )
        return nobody
    literal = conditions.literal(name, asked, node)
    if literal is None:
        return nobody
    limit = order(literal)
    return lambda fields: None if (value := fields.get(name)) is None else ask(order(value), limit)


def _at_least(conditions: Conditions, name: str, asked: Asked, node: Node) -> Test:
    return _compare(conditions, name, asked, node, lambda value, limit: value >= limit)  # type: ignore[operator]


def _below(conditions: Conditions, name: str, asked: Asked, node: Node) -> Test:
    return _compare(conditions, name, asked, node, lambda value, limit: value < limit)  # type: ignore[operator]


def _field_not(conditions: Conditions, name: str, asked: Asked, node: Node) -> Test:
    return _negate(conditions.field(name, asked, node))


def _record_not(conditions: Conditions, node: Node) -> Test:
    return _negate(conditions.record(node))


def _record_any(conditions: Conditions, node: Node) -> Test:
    if not isinstance(node, Seq) or not node.items:
        conditions.sink.error(node.at, "M026", "`any:` takes a list of conditions", "any: [ { … }, { … } ]")
        return nobody
    return _any([conditions.record(item) for item in node.items])


def condition_words() -> Words:
    """The words of this version."""
    return Words(
        values=MappingProxyType({"present": _present, "blank": _blank}),
        comparisons=MappingProxyType({"at_least": _at_least, "below": _below, "not": _field_not}),
        joins=MappingProxyType({"any": _record_any, "not": _record_not}),
    )


def _negate(test: Test) -> Test:
    def negated(fields: Fields) -> bool | None:
        answer = test(fields)
        return None if answer is None else not answer

    return negated


def _all(tests: list[Test]) -> Test:
    def together(fields: Fields) -> bool | None:
        answers = [test(fields) for test in tests]
        if False in answers:
            return False
        return None if None in answers or not answers else True

    return together


def _any(tests: list[Test]) -> Test:
    def either(fields: Fields) -> bool | None:
        answers = [test(fields) for test in tests]
        if True in answers:
            return True
        return None if None in answers else False

    return either


def spec(node: Node) -> str:
    """The condition as JSON that does not depend on the order of keys."""
    return json.dumps(_plain(node), ensure_ascii=False, sort_keys=True)


def _plain(node: Node) -> object:
    match node:
        case Text():
            return {"word": node.text} if node.plain and node.text in {"present", "blank"} else node.text
        case Seq():
            return [_plain(item) for item in node.items]
        case Map():
            return {entry.key.text: _plain(entry.value) for entry in node.entries}
