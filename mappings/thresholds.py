"""thresholds.yaml: bands, named thresholds and lists of domains, written once and named everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from mappings.errors import Sink
from mappings.flowdrafts import ThresholdDraft
from mappings.grammar import Grammar, Reading, refuse, want_map, want_text, want_texts
from mappings.source import Entry, Node, decode, parse
from mappings.tables import Beside

Bands: TypeAlias = tuple[tuple[Decimal, str], ...]

THRESHOLDS = "thresholds.yaml"
DOMAINS = ("competitor", "own_staff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A score counts as reached from `enter` on and until it falls below `leave`; at most once in `dwell` seconds."""

    enter: int
    leave: int
    dwell: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Bands by field, highest first; named thresholds by field; e-mail domains by what they stand for."""

    bands: Mapping[str, Bands] = field(default_factory=dict)
    named: Mapping[str, Mapping[str, Threshold]] = field(default_factory=dict)
    domains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def thresholds(beside: Beside, folder: str, words: Grammar) -> tuple[Thresholds, Sink]:
    """What thresholds.yaml says, if there is one; its problems come in a sink of their own."""
    sink = Sink(f"{folder}/{THRESHOLDS}" if folder else THRESHOLDS)
    data = beside(THRESHOLDS)
    text = None if data is None else decode(data, sink)
    root = None if text is None else parse(text, sink)
    block = None if root is None else want_map(root, sink, THRESHOLDS)
    bands: dict[str, Bands] = {}
    named: dict[str, dict[str, Threshold]] = {}
    domains: dict[str, tuple[str, ...]] = {}
    for entry in block.entries if block else ():
        match entry.key.text:
            case "version":
                _version(entry, sink)
            case "domains":
                domains = _domains(entry.value, sink)
            case name:
                bands[name], named[name] = _of_field(entry.value, Reading(sink, words), name)
    found = Thresholds(
        bands={name: each for name, each in bands.items() if each},
        named={name: each for name, each in named.items() if each},
        domains=domains,
    )
    return found, sink


def _version(entry: Entry, sink: Sink) -> None:
    text = want_text(entry.value, sink, "version")
    if text and text.text != "1":
        sink.error(text.at, "M014", f"version cannot be «{text.text}»", "version: 1")


def _domains(node: Node, sink: Sink) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    block = want_map(node, sink, "domains")
    for entry in block.entries if block else ():
        if entry.key.text not in DOMAINS:
            refuse(entry.key, {}, DOMAINS, sink)
            continue
        names = want_texts(entry.value, sink, f"domains: {entry.key.text}")
        found[entry.key.text] = tuple(name.text.lower() for name in names)
    return found


def _of_field(node: Node, reading: Reading, name: str) -> tuple[Bands, dict[str, Threshold]]:
    bands: Bands = ()
    named: dict[str, Threshold] = {}
    block = want_map(node, reading.sink, f"thresholds of «{name}»")
    for entry in block.entries if block else ():
        if entry.key.text == "bands":
            bands = _bands(entry.value, reading.sink)
        else:
            threshold = _threshold(entry, reading)
            if threshold is not None:
                named[entry.key.text] = threshold
    return bands, named


def _threshold(entry: Entry, reading: Reading) -> Threshold | None:
    draft = ThresholdDraft()
    reading.fill(reading.grammar.threshold, entry.value, draft, f"the threshold «{entry.key.text}»")
    if draft.enter is None:
        return None
    leave = draft.enter if draft.leave is None else draft.leave
    if leave > draft.enter:
        hint = "leave is where it ends again: at or below enter"
        reading.sink.error(entry.key.at, "M024", f"«{entry.key.text}» ends above where it begins", hint)
        return None
    return Threshold(enter=draft.enter, leave=leave, dwell=draft.dwell)


def _bands(node: Node, sink: Sink) -> Bands:
    found: dict[Decimal, str] = {}
    block = want_map(node, sink, "bands")
    for entry in block.entries if block else ():
        text = want_text(entry.value, sink, f"where the band «{entry.key.text}» begins")
        if text is None:
            continue
        try:
            start = Decimal(text.text)
        except InvalidOperation:
            start = Decimal("NaN")
        if not start.is_finite():
            sink.error(text.at, "M024", f"«{text.text}» is no number", "e.g. { A: 80, B: 60 }")
        elif start in found:
            sink.error(
                text.at,
                "M024",
                f"the bands «{found[start]}» and «{entry.key.text}» begin at the same number",
                "",
            )
        else:
            found[start] = entry.key.text
    return tuple(sorted(found.items(), reverse=True))
