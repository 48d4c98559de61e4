"""The words inside the small blocks: objects, defaults, match, create, limits, examples.

Each step takes the word's value into the block's draft; names of fields are resolved by the compiler.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from mappings import later
from mappings.draft import CreateDraft, DefaultsDraft, ExampleDraft, LimitDraft, MatchDraft, ObjectDraft
from mappings.grammar import (
    Place,
    Reading,
    Shape,
    Word,
    want_choice,
    want_map,
    want_side,
    want_text,
    want_texts,
    want_whole,
)
from mappings.source import Map, Node

BLANKS = ("keep", "propagate")


def ref(name: str) -> dict[str, Any]:
    """A shape that stands among the definitions of the JSON Schema."""
    return {"$ref": f"#/$defs/{name}"}


def enum(*words: str) -> dict[str, Any]:
    """One of some words."""
    return {"enum": list(words)}


FIELD_LIST: Shape = MappingProxyType({"type": "array", "items": ref("field_name")})


def _table(words: dict[str, Word[Any]]) -> Any:
    return MappingProxyType(words)


def object_create(found: ObjectDraft, node: Node, reading: Reading) -> None:
    """The object in which new records are made."""
    text = want_text(node, reading.sink, "the object")
    found.create = text.text if text else ""


def _object_follow(found: ObjectDraft, node: Node, reading: Reading) -> None:
    names = (text.text for text in want_texts(node, reading.sink, "follow"))
    found.follow = tuple(name for name in dict.fromkeys(names) if name != found.create)


def _fields_on(found: ObjectDraft, node: Node, reading: Reading) -> None:
    found.fields_on = want_text(node, reading.sink, "fields_on")


OBJECTS: Place[ObjectDraft] = Place(
    words=_table(
        {
            "create": Word(
                step=object_create,
                shape=ref("object_name"),
                about="The object of new records.",
            ),
            "follow": Word(
                step=_object_follow, shape=ref("object_names"), about="Objects that are read and updated too."
            ),
            "fields_on": Word(
                step=_fields_on,
                shape={"type": "string"},
                about="opportunity: no object of its own; written on the people of this route.",
            ),
        }
    ),
)


def _default_conflict(defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    words = ("non_blank", "hold")
    defaults.conflict = want_side(node, words, reading, "defaults: conflict", later.POLICY)


def _default_first(defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    defaults.first = want_side(node, ("hold",), reading, "defaults: first")


def _default_blank(defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    text = want_choice(node, BLANKS, reading.sink, "defaults: blank")
    defaults.blank = text.text if text else defaults.blank


def _default_unknown(_defaults: DefaultsDraft, node: Node, reading: Reading) -> None:
    """There is one policy in this version; the step refuses any other, so that nobody believes in one."""
    want_choice(node, ("hold_field",), reading.sink, "defaults: unknown_value")


DEFAULTS: Place[DefaultsDraft] = Place(
    words=_table(
        {
            "conflict": Word(
                step=_default_conflict, shape=ref("default_policy"), about="Both sides were edited: who wins."
            ),
            "first": Word(
                step=_default_first,
                shape=ref("first"),
                about="Both are filled and differ at the first sync: who wins.",
            ),
            "blank": Word(step=_default_blank, shape=enum(*BLANKS), about="Whether a blank is carried over."),
            "unknown_value": Word(
                step=_default_unknown,
                shape=enum("hold_field"),
                about="A word that is not listed: the field waits.",
            ),
        }
    )
)


def _same(line: MatchDraft, node: Node, reading: Reading) -> None:
    line.same = want_texts(node, reading.sink, "same")


def _unless(line: MatchDraft, node: Node, reading: Reading) -> None:
    line.unless_role = want_choice(node, ("role_address",), reading.sink, "unless") is not None


MATCH: Place[MatchDraft] = Place(
    later=later.MATCH,
    required=("same",),
    words=_table(
        {
            "same": Word(step=_same, shape=FIELD_LIST, about="A key field or the e-mail field."),
            "unless": Word(
                step=_unless, shape=enum("role_address"), about="info@, sales@ … never identify a person."
            ),
        }
    ),
)


def _when(rule: CreateDraft, node: Node, _reading: Reading) -> None:
    rule.when = node


def _need(rule: CreateDraft, node: Node, reading: Reading) -> None:
    rule.need = want_texts(node, reading.sink, "need")


CREATE: Place[CreateDraft] = Place(
    words=_table(
        {
            "when": Word(
                step=_when,
                shape=ref("condition"),
                about="Asked of the other side; none = all.",
            ),
            "need": Word(step=_need, shape=FIELD_LIST, about="Must be filled; until then the person waits."),
        }
    )
)


def _number(limit: LimitDraft, node: Node, reading: Reading) -> None:
    limit.number = want_whole(node, 0, 100_000_000, reading.sink, "number")


def _share(limit: LimitDraft, node: Node, reading: Reading) -> None:
    text = want_text(node, reading.sink, "share")
    if text is None:
        return
    figure = text.text.removesuffix("%").strip()
    try:
        share = float(figure) / (100 if text.text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if 0 <= share <= 1:
        limit.share = share
    else:
        reading.sink.error(text.at, "M014", f"share cannot be «{text.text}»", "e.g. 5 % or 0.05")


LIMIT: Place[LimitDraft] = Place(
    words=_table(
        {
            "number": Word(
                step=_number, shape={"type": "integer", "minimum": 0}, about="So many are allowed."
            ),
            "share": Word(
                step=_share,
                shape={"type": ["string", "number"]},
                about="Or this share of linked people.",
            ),
        }
    )
)


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


EXAMPLE: Place[ExampleDraft] = Place(
    required=("given", "expect"),
    words=_table(
        {
            "name": Word(step=_name, shape={"type": "string"}, about="What the example shows."),
            "given": Word(step=_given, shape=ref("vendor_values"), about="Values as one system has them."),
            "expect": Word(
                step=_expect, shape=ref("vendor_values"), about="Values as the other one gets them."
            ),
        }
    ),
)
