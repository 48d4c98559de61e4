"""Computed fields: texts joined, and the band of a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from mappings.draft import ComputeDraft, FileDraft, RowDraft
from mappings.errors import Sink, did_you_mean
from mappings.source import Text
from mappings.thresholds import THRESHOLDS, Bands
from sync.record import Value
from sync.rules import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A derived value: the function, the fields it reads, what a digest takes of it, and all its words, if listed."""

    apply: Callable[[Fields], Value]
    fields: tuple[str, ...]
    spec: tuple[object, ...]
    words: tuple[str, ...] = ()


def compile_compute(
    row: RowDraft, draft: FileDraft, bands: Mapping[str, Bands], sink: Sink
) -> Computed | None:
    """The function of a `compute:`; its fields must stand on the side that the arrow comes from."""
    compute = row.compute
    assert compute is not None
    names = compute.join or ((compute.bands,) if compute.bands else ())
    source = _source_system(row, draft)
    fine = [_readable(name, source, draft, sink) for name in names]
    if not all(fine):
        return None
    if compute.bands is not None:
        return _bands(compute.bands, bands, draft, sink)
    return _join(compute)


def _source_system(row: RowDraft, draft: FileDraft) -> str:
    arrow = row.flow.text if row.flow else "->"
    return draft.names[1] if arrow == "<-" else draft.names[0]


def _readable(name: Text, source: str, draft: FileDraft, sink: Sink) -> bool:
    found = next((row for row in draft.rows if row.name.text == name.text), None)
    if found is None:
        sink.error(
            name.at,
            "M017",
            f"no field «{name.text}»",
            did_you_mean(name.text, (r.name.text for r in draft.rows)),
        )
        return False
    if source not in found.cells:
        hint = "the arrow comes from there: give the field a column or use another"
        sink.error(name.at, "M021", f"«{name.text}» has no column in {source}", hint)
        return False
    return True


def _join(compute: ComputeDraft) -> Computed:
    names = tuple(name.text for name in compute.join or ())
    separator = compute.separator

    def joined(fields: Fields) -> Value:
        parts = [str(value) for name in names if (value := fields.get(name)) is not None]
        return separator.join(parts).strip() or None

    return Computed(apply=joined, fields=names, spec=("join", names, separator))


def _bands(name: Text, bands: Mapping[str, Bands], draft: FileDraft, sink: Sink) -> Computed | None:
    steps = bands.get(name.text)
    if not steps:
        hint = f"{name.text}: {{ bands: {{ A: 80, B: 60 }} }}"
        sink.error(name.at, "M024", f"{THRESHOLDS} has no bands for «{name.text}»", hint)
        return None
    row = next(row for row in draft.rows if row.name.text == name.text)
    if row.type is None or row.type.text not in {"integer", "decimal"}:
        sink.error(name.at, "M021", f"«{name.text}» is no number", "bands need type: integer or decimal")
        return None

    def band(fields: Fields) -> Value:
        value = fields.get(name.text)
        if value is None:
            return None
        number = Decimal(str(value))
        return next((word for start, word in steps if number >= start), None)

    spec = ("bands", name.text, tuple((str(start), word) for start, word in steps))
    return Computed(apply=band, fields=(name.text,), spec=spec, words=tuple(word for _, word in steps))
