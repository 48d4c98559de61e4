"""The words of a mapping file above its rows: systems, objects, match, create, scope, consent and the rest.

Each step takes the word's value into the draft; names of fields are resolved by the compiler.
"""

from __future__ import annotations

from types import MappingProxyType

from mappings import later, rows
from mappings.draft import (
    CreateDraft,
    DefaultsDraft,
    ExampleDraft,
    FileDraft,
    LimitDraft,
    MatchDraft,
    ObjectDraft,
    RowDraft,
)
from mappings.grammar import (
    Grammar,
    Place,
    Reading,
    Word,
    refuse,
    want_choice,
    want_items,
    want_map,
    want_text,
    want_texts,
    want_whole,
)
from mappings.source import Map, Node, Text

LIMITS = ("create", "update", "blank", "opt_out")


def _version(_draft: FileDraft, node: Node, reading: Reading) -> None:
    want_choice(node, ("1",), reading.sink, "version")


def _route(draft: FileDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "route")
    if text is None:
        return
    if len(text.text) <= 64 and all(letter.isalnum() or letter in "-_" for letter in text.text):
        draft.route = text.text
    else:
        hint = "letters, digits, - and _, at most 64; e.g. jp-person"
        reading.sink.error(text.at, "M014", f"route cannot be «{text.text}»", hint)


def _kind(draft: FileDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, ("person",), reading.sink, "kind", later.KIND)
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


def _mode(draft: FileDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, ("live", "shadow"), reading.sink, "mode")
    draft.shadow = text is not None and text.text == "shadow"


def _objects(draft: FileDraft, node: Node, reading: Reading) -> None:
    for system, entry in reading.by_system(node, "objects").items():
        found = ObjectDraft(entry.value.at)
        if isinstance(entry.value, Text):
            _object_create(found, entry.value, reading)
        else:
            reading.fill(reading.grammar.objects, entry.value, found, f"objects: {system}")
        draft.objects[system] = found
    for system in reading.systems:
        if isinstance(node, Map) and system not in draft.objects:
            reading.sink.error(
                node.at, "M011", f"objects says nothing of «{system}»", f"{{ {system}: Lead }}"
            )


def _object_create(found: ObjectDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "the object")
    found.create = text.text if text else ""


def _object_follow(found: ObjectDraft, node: Node, reading: Reading) -> None:
    names = (text.text for text in want_texts(node, reading.sink, "follow"))
    found.follow = tuple(dict.fromkeys(names))


def _defaults(draft: FileDraft, node: Node, reading: Reading) -> None:
    reading.fill(reading.grammar.defaults, node, draft.defaults, "defaults")


def _default_conflict(defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    allowed = (*reading.systems, "non_blank", "hold")
    defaults.conflict = want_choice(node, allowed, reading.sink, "defaults: conflict", later.POLICY)


def _default_first(defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    defaults.first = want_choice(node, (*reading.systems, "hold"), reading.sink, "defaults: first")


def _default_blank(defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, rows.BLANKS, reading.sink, "defaults: blank")
    defaults.blank = text.text if text else defaults.blank


def _default_unknown(_defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    want_choice(node, ("hold_field",), reading.sink, "defaults: unknown_value")


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
    columns = reading.fill(place, node, row, f"{what} «{name.text}»", columns=True)
    row.cells = {system: entry.value for system, entry in columns.items()}
    if isinstance(node, Map):
        row.places = {entry.key.text: entry.value.at for entry in node.entries}
        _columns_in_order(row, node, reading)
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


def _same(line: MatchDraft, node: Node, reading: Reading) -> None:
    line.same = want_texts(node, reading.sink, "same")


def _unless(line: MatchDraft, node: Node, reading: Reading) -> None:
    line.unless_role = want_choice(node, ("role_address",), reading.sink, "unless") is not None


def _create(draft: FileDraft, node: Node, reading: Reading) -> None:
    for system, entry in reading.by_system(node, "create").items():
        rule = CreateDraft(entry.value.at)
        reading.fill(reading.grammar.create, entry.value, rule, f"create: {system}")
        draft.create[system] = rule


def _when(rule: CreateDraft, node: Node, _reading: Reading) -> None:
    rule.when = node


def _need(rule: CreateDraft, node: Node, reading: Reading) -> None:
    rule.need = want_texts(node, reading.sink, "need")


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
    draft.authority = want_choice(node, reading.systems, reading.sink, "authority")


def _limits(draft: FileDraft, node: Node, reading: Reading) -> None:
    block = want_map(node, reading.sink, "limits")
    for entry in block.entries if block else ():
        if entry.key.text not in LIMITS:
            refuse(entry.key, {}, LIMITS, reading.sink)
            continue
        limit = LimitDraft()
        reading.fill(reading.grammar.limit, entry.value, limit, f"limits: {entry.key.text}")
        draft.limits[entry.key.text] = limit


def _number(limit: LimitDraft, node: Node, reading: Reading) -> None:
    limit.number = want_whole(node, 0, 100_000_000, reading.sink, "number")


def _share(limit: LimitDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "share")
    if text is None:
        return
    figure = text.text.removesuffix("%").strip()
    percent = text.text.endswith("%")
    try:
        share = float(figure) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if 0 <= share <= 1:
        limit.share = share
    else:
        reading.sink.error(text.at, "M014", f"share cannot be «{text.text}»", "e.g. 5 % or 0.05")


def _examples(draft: FileDraft, node: Node, reading: Reading) -> None:
    for item in want_items(node, reading.sink, "examples"):
        example = ExampleDraft(item.at)
        reading.fill(reading.grammar.example, item, example, "an example")
        draft.examples.append(example)


def _name(example: ExampleDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "name")
    example.name = text.text if text else ""


def _given(example: ExampleDraft, node: Node, reading: Reading) -> None:
    example.given = _vendor_values(node, reading, "given")


def _expect(example: ExampleDraft, node: Node, reading: Reading) -> None:
    example.expect = _vendor_values(node, reading, "expect")


def _vendor_values(node: Node, reading: Reading, what: str) -> dict[str, Map]:
    found: dict[str, Map] = {}
    for system, entry in reading.by_system(node, what).items():
        block = want_map(entry.value, reading.sink, f"{what}: {system}")
        if block is not None:
            found[system] = block
    return found


def _ref(name: str) -> dict[str, object]:
    return {"$ref": f"#/$defs/{name}"}


_FIELD_LIST: dict[str, object] = {"type": "array", "items": _ref("field_name")}

FILE: Place[FileDraft] = Place(
    later=later.FILE,
    required=("version", "route", "kind", "systems", "objects", "fields"),
    words=MappingProxyType(
        {
            "version": Word(step=_version, shape={"const": 1}, about="The version of this grammar: 1."),
            "route": Word(step=_route, shape={"type": "string"}, about="The name in status, plan and trace."),
            "kind": Word(step=_kind, shape={"enum": ["person"]}, about="What is synced: person."),
            "systems": Word(
                step=_systems,
                shape={"type": "array", "items": _ref("system"), "minItems": 2, "maxItems": 2},
                about="The two systems in the order of the columns, marketing first.",
            ),
            "mode": Word(
                step=_mode,
                shape={"enum": ["live", "shadow"]},
                about="shadow: decide and journal, write nothing.",
            ),
            "objects": Word(
                step=_objects, shape=_ref("objects"), about="The vendor objects that hold people."
            ),
            "defaults": Word(
                step=_defaults, shape=_ref("defaults"), about="What holds for rows that say nothing."
            ),
            "fields": Word(
                step=_fields,
                shape={"type": "object", "additionalProperties": _ref("row")},
                about="One row per field: left, arrow, right, options.",
            ),
            "match": Word(
                step=_match,
                shape={"type": "array", "items": _ref("match")},
                about="Who is the same person, best first.",
            ),
            "create": Word(
                step=_create,
                shape=_ref("create_by_system"),
                about="Who gets a new record; no block = never created there.",
            ),
            "scope": Word(
                step=_scope,
                shape=_ref("condition_by_system"),
                about="Which records the route concerns; opt-outs ignore it.",
            ),
            "consent": Word(
                step=_consent, shape=_ref("consent"), about="Opt-outs: once out, never switched back on."
            ),
            "limits": Word(
                step=_limits, shape=_ref("limits"), about="Brakes, where the defaults do not fit."
            ),
            "examples": Word(
                step=_examples,
                shape={"type": "array", "items": _ref("example")},
                about="Run by `renkei check`.",
            ),
        }
    ),
)


def grammar() -> Grammar:
    """The grammar of this version."""
    return Grammar(
        file=FILE,
        row=rows.ROW,
        compute=rows.COMPUTE,
        on_create=rows.ON_CREATE,
        topic=rows.TOPIC,
        objects=Place(
            later=later.OBJECT,
            required=("create",),
            words=MappingProxyType(
                {
                    "create": Word(
                        step=_object_create, shape=_ref("object_name"), about="The object that is created."
                    ),
                    "follow": Word(
                        step=_object_follow,
                        shape=_ref("object_names"),
                        about="Objects that are read and updated too.",
                    ),
                }
            ),
        ),
        defaults=Place(
            words=MappingProxyType(
                {
                    "conflict": Word(
                        step=_default_conflict, shape=_ref("policy"), about="Both sides edited: who wins."
                    ),
                    "first": Word(
                        step=_default_first,
                        shape=_ref("first"),
                        about="Both filled at the first sync: who wins.",
                    ),
                    "blank": Word(
                        step=_default_blank,
                        shape={"enum": list(rows.BLANKS)},
                        about="Whether a blank is carried over.",
                    ),
                    "unknown_value": Word(
                        step=_default_unknown,
                        shape={"enum": ["hold_field"]},
                        about="A word not listed: the field waits.",
                    ),
                }
            )
        ),
        consent=Place(
            words=MappingProxyType(
                {
                    "authority": Word(
                        step=_authority,
                        shape=_ref("system"),
                        about="Where a person's own new consent may lift an opt-out.",
                    )
                }
            )
        ),
        match=Place(
            later=later.MATCH,
            required=("same",),
            words=MappingProxyType(
                {
                    "same": Word(step=_same, shape=_FIELD_LIST, about="A key field or the e-mail field."),
                    "unless": Word(
                        step=_unless,
                        shape={"enum": ["role_address"]},
                        about="info@ and sales@ never identify a person.",
                    ),
                }
            ),
        ),
        create=Place(
            words=MappingProxyType(
                {
                    "when": Word(
                        step=_when, shape=_ref("condition"), about="Asked of the other side's record."
                    ),
                    "need": Word(
                        step=_need, shape=_FIELD_LIST, about="Must be filled; else the person waits."
                    ),
                }
            )
        ),
        limit=Place(
            words=MappingProxyType(
                {
                    "number": Word(
                        step=_number, shape={"type": "integer", "minimum": 0}, about="At most so many."
                    ),
                    "share": Word(
                        step=_share,
                        shape={"type": ["string", "number"]},
                        about="Or this share of the linked people.",
                    ),
                }
            )
        ),
        example=Place(
            required=("given", "expect"),
            words=MappingProxyType(
                {
                    "name": Word(step=_name, shape={"type": "string"}, about="What the example shows."),
                    "given": Word(
                        step=_given, shape=_ref("vendor_values"), about="Values as one system has them."
                    ),
                    "expect": Word(
                        step=_expect, shape=_ref("vendor_values"), about="Values as the other gets them."
                    ),
                }
            ),
        ),
    )
