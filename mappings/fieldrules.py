"""One row at a time: cells, arrow, type, computed values and policies become a field rule.

An option that could have no effect is an error: a line in a mapping does what it says or is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from mappings import digest
from mappings.columns import cell, columns
from mappings.compute import Computed, compile_compute
from mappings.draft import FileDraft, RowDraft
from mappings.errors import Problem, Sink
from mappings.grammar import Grammar
from mappings.links import links_of
from mappings.source import Text
from mappings.tables import Beside, inline_values, values_file
from mappings.thresholds import Bands
from mappings.transforms import Codec, Options, ValueMap, as_text
from sync.errors import UnknownValue
from sync.record import Side, Value
from sync.rules import Cell, FieldRule, First, Flow, Policy

_FLOWS = MappingProxyType({"->": Flow.TO_SFA, "<-": Flow.TO_MA, "<->": Flow.BOTH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A compiled row: its rule, its codec on the canonical (left) side and what its line said."""

    rule: FieldRule
    codec: Codec
    options: Options
    draft: RowDraft
    paths: Mapping[Side, Mapping[str, Text]]
    computed: Computed | None = None


class RowCompiler:
    """Compiles the rows of one file."""

    def __init__(
        self,
        draft: FileDraft,
        sides: Mapping[str, Side],
        bands: Mapping[str, Bands],
        beside: Beside,
        sink: Sink,
        words: Grammar,
    ) -> None:
        self.draft = draft
        self.sides = sides
        self.bands = bands
        self.beside = beside
        self.sink = sink
        self.grammar = words
        self.table_problems: list[Problem] = []

    def rows(self) -> tuple[Row, ...]:
        """Every row that could be compiled."""
        found = [self._row(row) for row in self.draft.rows]
        return tuple(row for row in found if row is not None)

    def _row(self, row: RowDraft) -> Row | None:
        before = len(self.sink.found)
        paths = self._paths(row)
        options = self._options(row)
        computed = compile_compute(row, self.draft, self.bands, self.sink) if row.compute else None
        if row.broken:  # the rest could only repeat what was said of the line
            return None
        flow = self._flow(row, paths)
        type_ = self._type(row, options)
        codecs = {side: self.grammar.types[type_](options, side) for side in Side}
        self._fitting(row, type_, flow, codecs[Side.MA])
        if len(self.sink.found) > before:
            return None
        rule = self._rule(row, type_, flow, paths, codecs, options, computed)
        return Row(
            rule=rule,
            codec=codecs[Side.MA],
            options=options,
            draft=row,
            paths=paths,
            computed=computed,
        )

    def _paths(self, row: RowDraft) -> dict[Side, Mapping[str, Text]]:
        """Columns by side; a user is known by the address, wherever the vendor keeps it."""
        found = {self.sides[name]: paths for name, paths in columns(row, self.draft, self.sink).items()}
        if row.type is None or row.type.text != "user":
            return found
        return {
            side: {name: _user_path(side, name, path) for name, path in paths.items()}
            for side, paths in found.items()
        }

    def _flow(self, row: RowDraft, paths: Mapping[Side, Mapping[str, Text]]) -> Flow:
        flow = _FLOWS[row.flow.text] if row.flow else Flow.NONE
        name = row.name.text
        if flow is Flow.NONE:
            if row.compute:
                self.sink.error(
                    row.at,
                    "M019",
                    f"«{name}» is computed and goes nowhere",
                    "add flow: -> or <- and the target",
                )
            elif len(paths) == 2:
                hint = "add flow: ->, <- or <->, or take one column out (then it is only read)"
                self.sink.error(row.at, "M019", f"«{name}» has two columns and no arrow", hint)
            elif not paths:
                self.sink.error(
                    row.at, "M019", f"«{name}» has no column", "name a field of one of the systems"
                )
            return flow
        for side in Side:
            self._end_of_arrow(row, flow, side, paths)
        return flow

    def _end_of_arrow(
        self, row: RowDraft, flow: Flow, side: Side, paths: Mapping[Side, Mapping[str, Text]]
    ) -> None:
        name, system = row.name.text, self.draft.names[0 if side is Side.MA else 1]
        at = row.place("flow")
        target, source = flow.into(side), flow.into(side.other)
        if row.compute and source:
            if flow is Flow.BOTH:
                self.sink.error(at, "M021", f"«{name}» is computed: it can only go one way", "use -> or <-")
            elif side in paths:
                hint = "take it out, or take compute out"
                self.sink.error(
                    row.place(system), "M021", f"«{name}» is computed and has a column in {system} too", hint
                )
            return
        if side not in paths:
            what = "points at" if target else "comes from"
            self.sink.error(
                at,
                "M019",
                f"the arrow of «{name}» {what} {system}, which has no column here",
                f"add {system}: …",
            )
        elif target and paths[side] and all(_is_read_only(row, path) for path in paths[side].values()):
            hint = "a path with a dot lies in another record: take the arrow out or name an own field"
            self.sink.error(row.place(system), "M020", f"«{name}» can only be read in {system}", hint)

    def _type(self, row: RowDraft, options: Options) -> str:
        named = row.type.text if row.type else ""
        if named not in self.grammar.types:
            return "picklist" if options.values is not None else "text"
        return named

    def _options(self, row: RowDraft) -> Options:
        unlisted = as_text(row.unlisted.text) if row.unlisted else None
        return Options(region=row.region, scale=row.scale, values=self._values(row), unlisted=unlisted)

    def _values(self, row: RowDraft) -> ValueMap | None:
        if row.values is not None and row.values_file is not None:
            self.sink.error(
                row.values_file.at, "M022", "values and values_file cannot stand together", "keep one"
            )
        if row.values is not None:
            return inline_values(row.values, self.sink)
        if row.values_file is None:
            return None
        table, own = values_file(row.values_file, self.draft.names, self.beside, self.sink)
        if own.found:
            self.table_problems.extend(own.found)
        return table

    def _fitting(self, row: RowDraft, type_: str, flow: Flow, codec: Codec) -> None:
        """Every option must be able to have an effect on this row."""
        self._fits_type(row, type_, flow)
        self._needed(row, type_, flow)
        self._fits_arrow(row, type_, flow)
        if (
            type_ == "picklist"
            and (row.values or row.values_file)
            and list(row.cells) == [self.draft.names[0]]
        ):
            hint = "the right-hand words have no column here"
            self.sink.error(
                row.place("values"), "M022", f"values translate nothing in «{row.name.text}»", hint
            )
        if type_ == "key" and flow is Flow.BOTH:
            hint = "the id of a record goes one way, into a field of the other side"
            self.sink.error(
                row.place("flow"), "M019", f"«{row.name.text}» is a key and cannot go both ways", hint
            )
        self._policy_fits(row, type_, codec)

    def _fits_type(self, row: RowDraft, type_: str, flow: Flow) -> None:
        """Words that only some types have."""
        self._needs(row, "region", type_ == "phone", "type: phone")
        self._needs(row, "scale", type_ == "decimal", "type: decimal")
        self._needs(row, "missing", type_ in {"reference", "user"}, "type: reference or user")
        self._needs(row, "to", type_ in {"reference", "money"}, "type: reference or money")
        self._needs(row, "by", type_ == "user", "type: user")
        self._needs(row, "currency", type_ == "money", "type: money")
        self._needs(row, "rate_of", type_ == "money" and row.to is not None, "type: money and to:")
        self._needs(
            row, "unlisted", flow is Flow.NONE and type_ == "picklist", "values: on a row without an arrow"
        )
        self._needs(
            row, "when", self.draft.kind == "opportunity" and flow is Flow.TO_MA, "a deal's row with <-"
        )

    def _fits_arrow(self, row: RowDraft, type_: str, flow: Flow) -> None:
        """Value tables, and words that only rows with some arrow have."""
        one_way = flow in {Flow.TO_SFA, Flow.TO_MA}
        both = flow is Flow.BOTH
        self._needs(row, "values", type_ == "picklist", "type: picklist")
        self._needs(row, "values_file", type_ == "picklist", "type: picklist")
        self._needs(row, "conflict", both, "flow: <->")
        self._needs(row, "first", both, "flow: <->")
        self._needs(row, "drift", one_way, "flow: -> or <-")
        self._needs(row, "order", type_ == "picklist" and bool(row.values or row.values_file), "values:")
        self._needs(row, "write", one_way, "flow: -> or <-")
        self._needs(row, "blank", flow is not Flow.NONE, "an arrow")
        self._needs(row, "on_create", flow is not Flow.NONE, "an arrow")

    def _needs(self, row: RowDraft, word: str, fits: bool, wanted: str) -> None:
        if word in row.places and not fits:
            message = f"«{word}» does nothing on «{row.name.text}»"
            self.sink.error(row.place(word), "M025", message, f"it needs {wanted}")

    def _needed(self, row: RowDraft, type_: str, flow: Flow) -> None:
        """Types that say nothing without a word of their own."""
        if type_ == "user" and row.by is None:
            self.sink.error(
                row.at, "M011", f"«{row.name.text}» does not say how users are known", "add by: email"
            )
        if type_ == "reference" and row.to is None:
            hint = "add to: and the route of the accounts"
            self.sink.error(row.at, "M011", f"«{row.name.text}» does not say what it refers to", hint)
        if type_ == "reference" and flow is Flow.BOTH:
            hint = "write -> or <-; the side that owns the record names it"
            self.sink.error(
                row.place("flow"), "M019", f"the reference «{row.name.text}» cannot go both ways", hint
            )
        if type_ == "money" and row.to is not None and self.draft.kind != "opportunity":
            hint = "amounts are converted where deals are; leave `to:` out here"
            self.sink.error(row.place("to"), "M025", f"«to» does nothing on «{row.name.text}»", hint)

    def _policy_fits(self, row: RowDraft, type_: str, codec: Codec) -> None:
        if row.conflict is None:
            return
        policy = row.conflict.text
        if policy in {"max", "min"} and codec.order is None:
            hint = "numbers and dates have an order"
            self.sink.error(
                row.conflict.at, "M025", f"«{row.name.text}» ({type_}) has no greater and smaller", hint
            )
        if policy in {"all_true", "any_true"} and type_ != "boolean":
            self.sink.error(row.conflict.at, "M025", f"«{policy}» needs type: boolean", "")

    def _rule(
        self,
        row: RowDraft,
        type_: str,
        flow: Flow,
        paths: Mapping[Side, Mapping[str, Text]],
        codecs: Mapping[Side, Codec],
        options: Options,
        computed: Computed | None,
    ) -> FieldRule:
        cells = _cells(type_, flow, paths, codecs)
        defaults = self.draft.defaults
        both = flow is Flow.BOTH
        return FieldRule(
            name=row.name.text,
            type=type_,
            cells=cells,
            flow=flow,
            fingerprint=digest.fingerprint(type_, cells, options, computed),
            conflict=self._policy(row.conflict or defaults.conflict) if both else "hold",
            first=self._first(row.first or defaults.first) if both else "hold",
            blank="propagate" if (row.blank or defaults.blank) == "propagate" else "keep",
            drift="restore" if row.drift == "restore" else "report",
            create_only=row.create_only,
            on_create_blank=self._literal(row, codecs[Side.MA]),
            compute=computed.apply if computed else None,
            inputs=frozenset(computed.fields if computed else ()),
            order=codecs[Side.MA].order,
            stages=_stages(options) if row.stages else (),
            key=type_ == "key",
            refers="account" if type_ == "reference" else "",
            missing="leave" if row.missing == "leave" else "wait",
        )

    def _policy(self, named: Text | None) -> Policy:
        if named is None:
            return "hold"
        side = self.sides.get(named.text)
        return cast("Policy", side.value if side else named.text)

    def _first(self, named: Text | None) -> First:
        side = self.sides.get(named.text) if named else None
        return side.value if side else "hold"

    def _literal(self, row: RowDraft, codec: Codec) -> Value:
        """`on_create: { blank: … }` as the field's type reads it."""
        text = row.on_create_blank
        if text is None:
            return None
        try:
            return codec.read(text.text)
        except UnknownValue:
            hint = "write a value that the field can have"
            self.sink.error(text.at, "M028", f"«{text.text}» can never be a value of «{row.name.text}»", hint)
            return None


def _cells(
    type_: str, flow: Flow, paths: Mapping[Side, Mapping[str, Text]], codecs: Mapping[Side, Codec]
) -> dict[Side, Cell]:
    """Where a row stands on either side. A key that is only read names the record of the other side."""
    key = type_ == "key"
    cells: dict[Side, Cell] = {}
    for side, found in paths.items():
        cells[side] = cell(found, codecs[side], is_id=key and flow.into(side.other), by_user=type_ == "user")
    if key and flow is Flow.NONE and len(cells) == 1:
        (side,) = cells
        cells[side.other] = cell({}, codecs[side.other], is_id=True)
    return cells


def _stages(options: Options) -> tuple[str, ...]:
    """The canonical words of `values:` in their order."""
    return tuple(dict.fromkeys(options.values.canonical.values())) if options.values is not None else ()


def _user_path(side: Side, object_: str, path: Text) -> Text:
    return path._replace(text=links_of(side, object_).users.get(path.text, path.text))


def _is_read_only(row: RowDraft, path: Text) -> bool:
    """A path with a dot lies in another record, unless it is the address by which a user is named."""
    return "." in path.text and not (row.type is not None and row.type.text == "user")
