"""The grammar as a table: places, the words that may stand there, and what each word does.

One table serves the loader (each word has a step), the editor (each word has a JSON shape and a sentence)
and the tests (each word's own test must fail when its step is taken out). It decides which words exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar

from mappings.conditions import Words, condition_words
from mappings.draft import (
    ComputeDraft,
    CreateDraft,
    DefaultsDraft,
    ExampleDraft,
    FileDraft,
    LimitDraft,
    MatchDraft,
    ObjectDraft,
    RowDraft,
)
from mappings.errors import At, Sink, did_you_mean
from mappings.flowdrafts import (
    BlankReasonDraft,
    HandOverDraft,
    PeopleDraft,
    RecycleDraft,
    ReturnRouteDraft,
    TaskDraft,
    ThresholdDraft,
    UnworkedDraft,
)
from mappings.later import Later
from mappings.source import Entry, Map, Node, Seq, Text
from mappings.transforms import TYPES, TypeRule

D = TypeVar("D")
Shape: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Generic[D]):
    """One word of the grammar: what it does to the draft, its JSON Schema and what an editor says of it."""

    step: Callable[[D, Node, Reading], None]
    shape: Shape
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Generic[D]):
    """Where words stand. Words act in the order of this table, not of the file."""

    words: Mapping[str, Word[D]]
    later: Mapping[str, Later] = field(default_factory=lambda: MappingProxyType({}))
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """All places of a mapping file."""

    file: Place[FileDraft]
    objects: Place[ObjectDraft]
    defaults: Place[DefaultsDraft]
    row: Place[RowDraft]
    compute: Place[ComputeDraft]
    on_create: Place[RowDraft]
    consent: Place[FileDraft]
    topic: Place[RowDraft]
    match: Place[MatchDraft]
    create: Place[CreateDraft]
    limit: Place[LimitDraft]
    example: Place[ExampleDraft]
    people: Place[PeopleDraft]
    recycle: Place[RecycleDraft]
    return_route: Place[ReturnRouteDraft]
    blank_reason: Place[BlankReasonDraft]
    hand_over: Place[HandOverDraft]
    task: Place[TaskDraft]
    unworked: Place[UnworkedDraft]
    threshold: Place[ThresholdDraft]
    conditions: Words = field(default_factory=condition_words)
    types: Mapping[str, TypeRule] = field(default_factory=lambda: TYPES)

    def without(self, place: str, word: str) -> Grammar:
        """The same grammar with one word accepted and doing nothing (for tests)."""
        old: Place[Any] = getattr(self, place)
        idle = replace(old.words[word], step=_do_nothing)
        changes: dict[str, Any] = {place: replace(old, words=MappingProxyType({**old.words, word: idle}))}
        return replace(self, **changes)


def _do_nothing(_draft: object, _node: Node, _reading: Reading) -> None:
    """A step that was taken out."""


@dataclass(slots=True)
class Reading:
    """One file being read: where problems go, the grammar, and the systems once their line was read."""

    sink: Sink
    grammar: Grammar
    systems: tuple[str, ...] = ()

    def fill(
        self, place: Place[D], node: Node, draft: D, what: str, *, columns: bool = False
    ) -> dict[str, Entry]:
        """Run the step of every word of a block; answers the entries that are no words (columns) when asked to."""
        block = want_map(node, self.sink, what)
        if block is None:
            return {}
        given = {entry.key.text: entry for entry in block.entries}
        for name, word in place.words.items():
            if name in given:
                word.step(draft, given[name].value, self)
        for name in place.required:
            if name not in given:
                self.sink.error(block.at, "M011", f"«{name}» is missing in {what}", place.words[name].about)
        rest = {name: entry for name, entry in given.items() if name not in place.words}
        columns_found = {name: entry for name, entry in rest.items() if columns and name in self.systems}
        unsure = columns and not self.systems  # the line of systems is broken: any key may be a column
        for name, entry in rest.items():
            if name not in columns_found and (name in place.later or not unsure):
                known = (*place.words, *self.systems) if columns else tuple(place.words)
                refuse(entry.key, place.later, known, self.sink)
        return columns_found

    def by_system(self, node: Node, what: str) -> dict[str, Entry]:
        """A block with one entry per system; other keys are reported."""
        block = want_map(node, self.sink, what)
        found: dict[str, Entry] = {}
        for entry in block.entries if block else ():
            if entry.key.text in self.systems:
                found[entry.key.text] = entry
            elif self.systems:
                hint = did_you_mean(entry.key.text, self.systems)
                self.sink.error(entry.key.at, "M016", f"«{entry.key.text}» is no system of this route", hint)
        return found


def refuse(
    key: Text, later: Mapping[str, Later], known: tuple[str, ...], sink: Sink, code: str = "M010"
) -> None:
    """Report a word that cannot stand here: a later version's by name, any other with the nearest known one."""
    if key.text in later:
        found = later[key.text]
        sink.error(key.at, found.code, f"«{key.text}» is not in this version", found.until_then)
        return
    odd = next((mark for mark in ("：", "\u3000") if mark in key.text), "")
    if odd:
        name = "a full-width colon" if odd == "：" else "a full-width space (U+3000)"
        sink.error(
            key.at,
            "M004" if odd == "：" else "M005",
            f"{name} stands in «{key.text}»",
            "use the ordinary one",
        )
        return
    sink.error(key.at, code, f"unknown word «{key.text}»", did_you_mean(key.text, known))


def want_map(node: Node, sink: Sink, what: str) -> Map | None:
    """The node as a block; anything else is reported."""
    if isinstance(node, Map):
        return node
    sink.error(node.at, "M013", f"{what} must be a block of keys", "e.g. { key: value }")
    return None


def want_text(node: Node, sink: Sink, what: str) -> Text | None:
    """The node as one filled word; anything else is reported."""
    if isinstance(node, Text) and not node.is_null and node.text.strip():
        return node
    sink.error(node.at, "M013", f"{what} must be one word or text", "")
    return None


def want_texts(node: Node, sink: Sink, what: str) -> tuple[Text, ...]:
    """The node as a list of words (one word stands for a list of one)."""
    items = node.items if isinstance(node, Seq) else (node,)
    found = [want_text(item, sink, what) for item in items]
    return tuple(text for text in found if text is not None)


def want_items(node: Node, sink: Sink, what: str) -> tuple[Node, ...]:
    """The node as a list."""
    if isinstance(node, Seq):
        return node.items
    sink.error(node.at, "M013", f"{what} must be a list", "begin each line with «- »")
    return ()


def want_choice(
    node: Node, allowed: tuple[str, ...], sink: Sink, what: str, later: Mapping[str, Later] | None = None
) -> Text | None:
    """The node as one of some words; a later version's word is refused by name."""
    text = want_text(node, sink, what)
    if text is None or text.text in allowed:
        return text
    if later and text.text in later:
        refuse(text, later, (), sink)
    else:
        hint = did_you_mean(text.text, allowed)
        sink.error(text.at, "M014", f"{what} cannot be «{text.text}»", hint)
    return None


def want_side(
    node: Node, words: tuple[str, ...], reading: Reading, what: str, later: Mapping[str, Later] | None = None
) -> Text | None:
    """The node as a system's name or one of some words; not judged while the systems are unknown."""
    if not reading.systems:
        return None
    return want_choice(node, (*reading.systems, *words), reading.sink, what, later)


def want_whole(node: Node, low: int, high: int, sink: Sink, what: str) -> int | None:
    """The node as a whole number within bounds."""
    text = want_text(node, sink, what)
    if text is None:
        return None
    if text.text.isascii() and text.text.isdigit() and low <= int(text.text[:12]) <= high:
        return int(text.text)
    sink.error(text.at, "M014", f"{what} must be a whole number from {low} to {high}", "")
    return None


def value_place(entry: Entry | None, fallback: At) -> At:
    """Where an entry's value stands."""
    return entry.value.at if entry else fallback
