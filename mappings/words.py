"""The words of a mapping file above its rows: systems, objects, match, create, scope, consent and the rest.

Each step takes the word's value into the draft; names of fields are resolved by the compiler.
"""

from __future__ import annotations

from types import MappingProxyType
from zoneinfo import available_timezones

from mappings import blocks, flowwords, later, rows
from mappings.blocks import object_create, ref
from mappings.draft import (
    ON_PEOPLE,
    CreateDraft,
    ExampleDraft,
    FileDraft,
    LimitDraft,
    MatchDraft,
    ObjectDraft,
    RowDraft,
)
from mappings.errors import did_you_mean
from mappings.grammar import (
    Grammar,
    Place,
    Reading,
    Word,
    refuse,
    want_choice,
    want_items,
    want_map,
    want_side,
    want_text,
    want_texts,
)
from mappings.source import Map, Node, Text
from sync.rules import Sign

KINDS = ("person", "account", "opportunity")
SIGNS = tuple(sign.value for sign in Sign)
LIMITS = ("create", "update", "blank", "setback", "delete", "opt_out", "effect", *SIGNS)


def _version(_draft: FileDraft, node: Node, reading: Reading) -> None:
    want_choice(node, ("1",), reading.sink, "version")


def _route(draft: FileDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "route")
    if text is None:
        return
    if len(text.text) <= 64 and all(letter.isalnum() or letter in "-_" for letter in text.text):
        draft.route, draft.route_at = text.text, text.at
    else:
        hint = "letters, digits, - and _, at most 64; e.g. jp-person"
        reading.sink.error(text.at, "M014", f"route cannot be «{text.text}»", hint)


def _kind(draft: FileDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, KINDS, reading.sink, "kind", later.KIND)
    draft.kind = text.text if text else ""


def _systems(draft: FileDraft, node: Node, reading: Reading) -> None:
    found = want_texts(node, reading.sink, "systems")
    if len({text.text for text in found}) != 2 or len(found) != 2:
        reading.sink.error(
            node.at, "M014", "systems names exactly two systems", "marketing first: [marketo, salesforce]"
        )
        return
    taken = [text for text in found if text.text in reading.grammar.row.words]
    for text in taken:
        reading.sink.error(
            text.at, "M014", f"a system cannot be called «{text.text}»", "it is a word of the grammar"
        )
    if not taken:
        draft.systems = found
        reading.systems = draft.names


def _zone(draft: FileDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "time_zone")
    if text is None:
        return
    if text.text in available_timezones():
        draft.zone = text.text
    else:
        hint = did_you_mean(text.text, tuple(available_timezones())) or "e.g. Asia/Tokyo"
        reading.sink.error(text.at, "M014", f"time_zone cannot be «{text.text}»", hint)


def _mode(draft: FileDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, ("live", "shadow"), reading.sink, "mode")
    draft.shadow = text is not None and text.text == "shadow"


def _objects(draft: FileDraft, node: Node, reading: Reading) -> None:
    for system, entry in reading.by_system(node, "objects").items():
        found = ObjectDraft(entry.value.at)
        if isinstance(entry.value, Text):
            object_create(found, entry.value, reading)
        else:
            reading.fill(reading.grammar.objects, entry.value, found, f"objects: {system}")
            _one_or_other(found, system, reading)
        draft.objects[system] = found
    for system in reading.systems:
        if isinstance(node, Map) and system not in draft.objects:
            reading.sink.error(
                node.at, "M011", f"objects says nothing of «{system}»", f"{{ {system}: Lead }}"
            )


def _one_or_other(found: ObjectDraft, system: str, reading: Reading) -> None:
    """An object of its own, or fields on the people of another route."""
    if found.fields_on is None and not found.create:
        hint = reading.grammar.objects.words["create"].about
        reading.sink.error(found.at, "M011", f"«create» is missing in objects: {system}", hint)
    elif found.fields_on is not None and found.create:
        hint = "keep one: an object of its own, or fields on people"
        reading.sink.error(
            found.fields_on.at, "M014", f"objects: {system} names both create and fields_on", hint
        )
    elif found.fields_on is not None:
        found.create = ON_PEOPLE


def _defaults(draft: FileDraft, node: Node, reading: Reading) -> None:
    reading.fill(reading.grammar.defaults, node, draft.defaults, "defaults")


def _fields(draft: FileDraft, node: Node, reading: Reading) -> None:
    block = want_map(node, reading.sink, "fields")
    for entry in block.entries if block else ():
        row = _read_row(entry.key, entry.value, reading, reading.grammar.row, "a row")
        if "." in row.name.text or row.name.text in reading.grammar.conditions.joins:
            reading.sink.error(
                row.at, "M014", f"a field cannot be called «{row.name.text}»", "choose another name"
            )
        else:
            draft.rows.append(row)


def _read_row(name: Text, node: Node, reading: Reading, place: Place[RowDraft], what: str) -> RowDraft:
    row = RowDraft(name)
    before = len(reading.sink.found)
    columns = reading.fill(place, node, row, f"{what} «{name.text}»", columns=True)
    row.cells = {system: entry.value for system, entry in columns.items()}
    if isinstance(node, Map):
        row.places = {entry.key.text: entry.value.at for entry in node.entries}
        _columns_in_order(row, node, reading)
    row.broken = len(reading.sink.found) > before
    return row


def _columns_in_order(row: RowDraft, node: Map, reading: Reading) -> None:
    """An arrow must point at what stands beside it: left column, arrow, right column."""
    if len(reading.systems) != 2:
        return
    left, right = reading.systems
    order = [entry.key for entry in node.entries if entry.key.text in {left, right, "flow"}]
    wanted = sorted(order, key=lambda key: (left, "flow", right).index(key.text))
    if order != wanted:
        row_text = ", ".join(key.text for key in wanted)
        reading.sink.error(
            order[0].at,
            "M015",
            f"the columns of «{row.name.text}» stand in the wrong order",
            f"write {row_text}",
        )


def _match(draft: FileDraft, node: Node, reading: Reading) -> None:
    for item in want_items(node, reading.sink, "match"):
        line = MatchDraft(item.at)
        reading.fill(reading.grammar.match, item, line, "a line of match")
        draft.match.append(line)


def _create(draft: FileDraft, node: Node, reading: Reading) -> None:
    for system, entry in reading.by_system(node, "create").items():
        rule = CreateDraft(entry.value.at)
        reading.fill(reading.grammar.create, entry.value, rule, f"create: {system}")
        draft.create[system] = rule


def _scope(draft: FileDraft, node: Node, reading: Reading) -> None:
    draft.scope = {system: entry.value for system, entry in reading.by_system(node, "scope").items()}


def _consent(draft: FileDraft, node: Node, reading: Reading) -> None:
    """Words of the block by the table; every other key is a topic."""
    draft.consent_at = node.at
    block = want_map(node, reading.sink, "consent")
    place = reading.grammar.consent
    for entry in block.entries if block else ():
        if entry.key.text in place.words:
            place.words[entry.key.text].step(draft, entry.value, reading)
        elif isinstance(entry.value, Map):
            draft.topics.append(
                _read_row(entry.key, entry.value, reading, reading.grammar.topic, "the topic")
            )
        else:
            refuse(entry.key, place.later, tuple(place.words), reading.sink)


def _authority(draft: FileDraft, node: Node, reading: Reading) -> None:
    draft.authority = want_side(node, (), reading, "authority")


CONSENT: Place[FileDraft] = Place(
    words=MappingProxyType(
        {
            "authority": Word(
                step=_authority,
                shape=ref("system"),
                about="Where a person's own new consent may lift an opt-out.",
            )
        }
    )
)


def _limits(draft: FileDraft, node: Node, reading: Reading) -> None:
    block = want_map(node, reading.sink, "limits")
    for entry in block.entries if block else ():
        if entry.key.text not in LIMITS:
            refuse(entry.key, {}, LIMITS, reading.sink)
            continue
        limit = LimitDraft()
        reading.fill(reading.grammar.limit, entry.value, limit, f"limits: {entry.key.text}")
        draft.limits[entry.key.text] = limit


def _examples(draft: FileDraft, node: Node, reading: Reading) -> None:
    for item in want_items(node, reading.sink, "examples"):
        example = ExampleDraft(item.at)
        reading.fill(reading.grammar.example, item, example, "an example")
        draft.examples.append(example)


FILE: Place[FileDraft] = Place(
    later=later.FILE,
    required=("version", "route", "kind", "systems", "objects", "fields"),
    words=MappingProxyType(
        {
            "version": Word(step=_version, shape={"const": 1}, about="The version of this grammar: 1."),
            "route": Word(step=_route, shape={"type": "string"}, about="The name in status, plan and trace."),
            "kind": Word(step=_kind, shape={"enum": list(KINDS)}, about="What is synced."),
            "systems": Word(
                step=_systems,
                shape={"type": "array", "items": ref("system"), "minItems": 2, "maxItems": 2},
                about="The two systems in the order of the columns, marketing first.",
            ),
            "time_zone": Word(
                step=_zone,
                shape={"type": "string"},
                about="Where days begin and end, e.g. Asia/Tokyo (default UTC).",
            ),
            "mode": Word(
                step=_mode,
                shape={"enum": ["live", "shadow"]},
                about="shadow: decide and journal, write nothing.",
            ),
            "objects": Word(
                step=_objects, shape=ref("objects"), about="The vendor objects that hold people."
            ),
            "defaults": Word(
                step=_defaults, shape=ref("defaults"), about="What holds for rows that say nothing."
            ),
            "fields": Word(
                step=_fields,
                shape={"type": "object", "additionalProperties": ref("row")},
                about="One row per field: left, arrow, right, options.",
            ),
            "match": Word(
                step=_match,
                shape={"type": "array", "items": ref("match")},
                about="Who is the same person, best first.",
            ),
            "create": Word(
                step=_create,
                shape=ref("create_by_system"),
                about="Who gets a new record; no block = never created there.",
            ),
            "scope": Word(
                step=_scope,
                shape=ref("condition_by_system"),
                about="Which records the route concerns; opt-outs ignore it.",
            ),
            "consent": Word(
                step=_consent, shape=ref("consent"), about="Opt-outs: once out, never switched back on."
            ),
            "people": Word(
                step=flowwords.people, shape=ref("people"), about="opportunity: whom a deal is about."
            ),
            "recycle": Word(
                step=flowwords.recycle,
                shape=ref("recycle"),
                about="opportunity: what becomes of the people of a lost deal.",
            ),
            "hand_over": Word(
                step=flowwords.hand_over,
                shape=ref("hand_over"),
                about="person: who is handed to sales, and how.",
            ),
            "limits": Word(step=_limits, shape=ref("limits"), about="Brakes, where the defaults do not fit."),
            "examples": Word(
                step=_examples,
                shape={"type": "array", "items": ref("example")},
                about="Run by `renkei check`.",
            ),
        }
    ),
)


def grammar() -> Grammar:
    """The grammar of this version."""
    return Grammar(
        file=FILE,
        objects=blocks.OBJECTS,
        defaults=blocks.DEFAULTS,
        row=rows.ROW,
        compute=rows.COMPUTE,
        on_create=rows.ON_CREATE,
        consent=CONSENT,
        topic=rows.TOPIC,
        match=blocks.MATCH,
        create=blocks.CREATE,
        limit=blocks.LIMIT,
        example=blocks.EXAMPLE,
        people=flowwords.PEOPLE,
        recycle=flowwords.RECYCLE,
        return_route=flowwords.RETURN_ROUTE,
        blank_reason=flowwords.BLANK_REASON,
        hand_over=flowwords.HAND_OVER,
        task=flowwords.TASK,
        unworked=flowwords.UNWORKED,
        threshold=flowwords.THRESHOLD,
    )
