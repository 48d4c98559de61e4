"""The words of a row under `fields:` and of a topic under `consent:`.

Each step takes the word's value into the draft and refuses what can never fit; what needs other rows to judge
(types, systems, thresholds) is left to the compiler.
"""

from __future__ import annotations

from types import MappingProxyType

from mappings import later
from mappings.blocks import BLANKS, FIELD_LIST, enum, ref
from mappings.draft import ComputeDraft, RowDraft
from mappings.errors import did_you_mean
from mappings.grammar import (
    Place,
    Reading,
    Word,
    refuse,
    want_choice,
    want_map,
    want_side,
    want_text,
    want_texts,
    want_whole,
)
from mappings.source import Node, Text
from mappings.transforms import TYPES

ARROWS = ("->", "<-", "<->")
POLICIES = ("non_blank", "max", "min", "all_true", "any_true", "hold")


def _flow(row: RowDraft, node: Node, reading: Reading) -> None:
    row.flow = want_choice(node, ARROWS, reading.sink, "flow")


def _type(row: RowDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "type")
    if text is None:
        return
    if text.text in reading.grammar.types:
        row.type = text
    elif text.text in later.TYPE:
        refuse(text, later.TYPE, (), reading.sink)
    else:
        hint = did_you_mean(text.text, tuple(reading.grammar.types))
        reading.sink.error(text.at, "M012", f"unknown type «{text.text}»", hint)


def _compute(row: RowDraft, node: Node, reading: Reading) -> None:
    compute = ComputeDraft(node.at)
    reading.fill(reading.grammar.compute, node, compute, "compute")
    if sum(part is not None for part in (compute.join, compute.bands, compute.sum)) != 1:
        reading.sink.error(
            node.at,
            "M021",
            "compute needs one of join, bands and sum",
            "e.g. { join: [last_name, first_name] }",
        )
        return
    row.compute = compute


def _join(compute: ComputeDraft, node: Node, reading: Reading) -> None:
    compute.join = want_texts(node, reading.sink, "join") or None


def _with(compute: ComputeDraft, node: Node, reading: Reading) -> None:
    if isinstance(node, Text):
        compute.separator = node.text
    else:
        reading.sink.error(node.at, "M013", "with must be a text", "e.g. with: ' '")


def _bands(compute: ComputeDraft, node: Node, reading: Reading) -> None:
    compute.bands = want_text(node, reading.sink, "bands")


def _sum(compute: ComputeDraft, node: Node, reading: Reading) -> None:
    compute.sum = want_text(node, reading.sink, "sum")


def _of(compute: ComputeDraft, node: Node, reading: Reading) -> None:
    compute.of = want_choice(node, ("deals_of_person",), reading.sink, "of")


def _compute_when(compute: ComputeDraft, node: Node, _reading: Reading) -> None:
    compute.when = node


def _row_when(row: RowDraft, node: Node, _reading: Reading) -> None:
    row.when = node


def _unlisted(row: RowDraft, node: Node, reading: Reading) -> None:
    row.unlisted = want_text(node, reading.sink, "unlisted")


def _to(row: RowDraft, node: Node, reading: Reading) -> None:
    row.to = want_text(node, reading.sink, "to")


def _missing(row: RowDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, ("wait", "leave"), reading.sink, "missing")
    row.missing = text.text if text else row.missing


def _user_by(row: RowDraft, node: Node, reading: Reading) -> None:
    row.by = want_choice(node, ("email",), reading.sink, "by")


def _currency(row: RowDraft, node: Node, reading: Reading) -> None:
    row.currency = want_text(node, reading.sink, "currency")


def _rate_of(row: RowDraft, node: Node, reading: Reading) -> None:
    row.rate_of = want_text(node, reading.sink, "rate_of")


def _values(row: RowDraft, node: Node, reading: Reading) -> None:
    row.values = want_map(node, reading.sink, "values")


def _values_file(row: RowDraft, node: Node, reading: Reading) -> None:
    row.values_file = want_text(node, reading.sink, "values_file")


def _region(row: RowDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "region")
    if text is None:
        return
    if len(text.text) == 2 and text.text.isascii() and text.text.isupper():
        row.region = text.text
    else:
        reading.sink.error(text.at, "M014", f"region cannot be «{text.text}»", "two capital letters, e.g. JP")


def _scale(row: RowDraft, node: Node, reading: Reading) -> None:
    row.scale = want_whole(node, 0, 9, reading.sink, "scale")


def _on_create(row: RowDraft, node: Node, reading: Reading) -> None:
    reading.fill(reading.grammar.on_create, node, row, "on_create")


def _on_create_blank(row: RowDraft, node: Node, reading: Reading) -> None:
    row.on_create_blank = want_text(node, reading.sink, "on_create: { blank: … }")


def _write(row: RowDraft, node: Node, reading: Reading) -> None:
    row.create_only = want_choice(node, ("create_only",), reading.sink, "write") is not None


def _conflict(row: RowDraft, node: Node, reading: Reading) -> None:
    row.conflict = want_side(node, POLICIES, reading, "conflict", later.POLICY)


def _first(row: RowDraft, node: Node, reading: Reading) -> None:
    row.first = want_side(node, ("hold",), reading, "first")


def _blank(row: RowDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, BLANKS, reading.sink, "blank")
    row.blank = text.text if text else None


def _drift(row: RowDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, ("report", "restore"), reading.sink, "drift")
    row.drift = text.text if text else None


def _order(row: RowDraft, node: Node, reading: Reading) -> None:
    row.stages = want_choice(node, ("stages",), reading.sink, "order") is not None


def _true_means(row: RowDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, ("opted_out", "agreed"), reading.sink, "true_means")
    row.true_means = text.text if text else None


def _closes_gates(row: RowDraft, node: Node, reading: Reading) -> None:
    row.blank_closes_gates = want_choice(node, ("not_agreed",), reading.sink, "blank") is not None


_TEXT = {"type": "string"}
_FIELD = ref("field_name")

COMPUTE: Place[ComputeDraft] = Place(
    later=later.COMPUTE,
    words=MappingProxyType(
        {
            "join": Word(
                step=_join,
                shape=FIELD_LIST,
                about="Texts of these fields, blank ones left out.",
            ),
            "with": Word(
                step=_with, shape=_TEXT, about="What stands between the joined texts (default: nothing)."
            ),
            "bands": Word(step=_bands, shape=_FIELD, about="The band of this number, from thresholds.yaml."),
            "sum": Word(step=_sum, shape=_FIELD, about="opportunity: this amount, added up."),
            "of": Word(step=_of, shape=enum("deals_of_person"), about="opportunity: over which deals."),
            "when": Word(
                step=_compute_when, shape=ref("condition"), about="opportunity: only deals that meet this."
            ),
        }
    ),
)
ON_CREATE: Place[RowDraft] = Place(
    words=MappingProxyType(
        {
            "blank": Word(
                step=_on_create_blank, shape=_TEXT, about="What a new record gets where the source is blank."
            )
        }
    )
)
ROW: Place[RowDraft] = Place(
    later=later.ROW,
    words=MappingProxyType(
        {
            "flow": Word(
                step=_flow,
                shape=enum(*ARROWS),
                about="-> to the right, <- to the left, <-> both ways; no arrow = read for rules, written nowhere.",
            ),
            "type": Word(
                step=_type, shape=enum(*TYPES), about="How values are read and compared (default: text)."
            ),
            "compute": Word(
                step=_compute,
                shape=ref("compute"),
                about="Derives the value; the source has no column then.",
            ),
            "values": Word(
                step=_values,
                shape={"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
                about="Left word: right word. A word that is not listed holds this field.",
            ),
            "values_file": Word(
                step=_values_file, shape=_TEXT, about="The same from a CSV of two columns beside the file."
            ),
            "region": Word(
                step=_region,
                shape=_TEXT,
                about="type: phone: the country in which it is dialled (default JP).",
            ),
            "scale": Word(
                step=_scale, shape={"type": "integer"}, about="type: decimal: digits behind the point."
            ),
            "when": Word(
                step=_row_when,
                shape=ref("condition"),
                about="opportunity: taken from the newest deal that meets this.",
            ),
            "unlisted": Word(
                step=_unlisted,
                shape=_TEXT,
                about="What a word that is not listed reads as (rows written nowhere).",
            ),
            "to": Word(
                step=_to,
                shape=_TEXT,
                about="type: reference: the route of the record; type: money: the currency to carry.",
            ),
            "missing": Word(
                step=_missing,
                shape=enum("wait", "leave"),
                about="type: reference or user: nobody is there yet.",
            ),
            "by": Word(
                step=_user_by, shape=enum("email"), about="type: user: how users are known on both sides."
            ),
            "currency": Word(
                step=_currency, shape=_TEXT, about="type: money: the field that holds the currency's code."
            ),
            "rate_of": Word(
                step=_rate_of, shape=_FIELD, about="type: money: the date whose rate counts (rates.csv)."
            ),
            "on_create": Word(step=_on_create, shape=ref("on_create"), about="What a new record gets."),
            "write": Word(
                step=_write, shape=enum("create_only"), about="create_only: written into new records only."
            ),
            "conflict": Word(
                step=_conflict,
                shape=ref("policy"),
                about="Who wins when both sides were edited (<->).",
            ),
            "first": Word(step=_first, shape=ref("first"), about="Who fills at the first sync (<->)."),
            "blank": Word(
                step=_blank,
                shape=enum(*BLANKS),
                about="keep: a blank is never carried over; propagate: it is.",
            ),
            "order": Word(
                step=_order,
                shape=enum("stages"),
                about="The words of values: are stages, in their order; going back has a brake of its own.",
            ),
            "drift": Word(
                step=_drift,
                shape=enum("report", "restore"),
                about="What to do when the target of -> or <- was edited.",
            ),
        }
    ),
)
TOPIC: Place[RowDraft] = Place(
    required=("true_means",),
    words=MappingProxyType(
        {
            "flow": Word(step=_flow, shape=enum("<->"), about="An opt-out always goes to every side: <->."),
            "true_means": Word(
                step=_true_means,
                shape=enum("opted_out", "agreed"),
                about="What a true in this field stands for.",
            ),
            "blank": Word(
                step=_closes_gates,
                shape=enum("not_agreed"),
                about="Blank counts as not agreed for creates and enrolments.",
            ),
        }
    ),
)
