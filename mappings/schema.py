"""The grammar as a JSON Schema, for completion and red lines in an editor (`renkei schema`).

Made from the same table of words as the loader. With live schemas it knows the real systems, objects and field
names; without them, any. It says what may be written where, the loader remains the judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from mappings.blocks import enum, ref
from mappings.grammar import Grammar, Place
from mappings.rows import POLICIES
from mappings.words import LIMITS, grammar
from sync.record import Schema, SchemaField

Json: TypeAlias = dict[str, Any]
Schemas: TypeAlias = Mapping[str, Mapping[str, Schema]]


def json_schema(schemas: Schemas | None = None, *, fields: tuple[str, ...] = ()) -> Json:
    """A JSON Schema (draft 7) of mapping files.

    `schemas` is by system (marketing first) and object; `fields` are names of rows, offered where rows are named.
    """
    words = grammar()
    live = schemas or {}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "renkei mapping" + (f": {' and '.join(live)}" if live else ""),
        **_block(words.file),
        "$defs": _names(live, fields) | _blocks(words, live) | _conditions(words),
    }


def _block(place: Place[Any], columns: Mapping[str, Json] | None = None, *, others: Any = False) -> Json:
    properties = {
        name: {"description": word.about, **_alone(word.shape)} for name, word in place.words.items()
    }
    found: Json = {
        "type": "object",
        "properties": {**(columns or {}), **properties},
        "additionalProperties": others,
    }
    if place.required:
        found["required"] = list(place.required)
    return found


def _alone(shape: Mapping[str, Any]) -> Json:
    """A shape as ordinary JSON; a reference stands alone, as draft 7 wants it."""
    return {"allOf": [dict(shape)]} if "$ref" in shape else dict(shape)


def _names(live: Schemas, fields: tuple[str, ...]) -> Json:
    systems = tuple(live)
    objects = sorted({name for found in live.values() for name in found})
    return {
        "system": enum(*systems) if systems else {"type": "string"},
        "object_name": enum(*objects) if objects else {"type": "string"},
        "object_names": {"anyOf": [ref("object_name"), {"type": "array", "items": ref("object_name")}]},
        "field_name": {"anyOf": [enum(*fields), {"type": "string"}]} if fields else {"type": "string"},
        "first": {"anyOf": [ref("system"), enum("hold")]},
        "policy": {"anyOf": [ref("system"), enum(*POLICIES)]},
        "default_policy": {"anyOf": [ref("system"), enum("non_blank", "hold")]},
    }


def _blocks(words: Grammar, live: Schemas) -> Json:
    columns = {system: ref(f"column_{system}") for system in live}
    free: Any = False if live else ref("column")
    limits = {name: _block(words.limit) for name in LIMITS}
    return {
        "column": _column({}),
        **{f"column_{system}": _column(objects) for system, objects in live.items()},
        "row": _block(words.row, columns, others=free),
        "compute": _block(words.compute),
        "on_create": _block(words.on_create),
        "objects": _by_system(live, {"anyOf": [ref("object_name"), _block(words.objects)]}),
        "defaults": _block(words.defaults),
        "match": _block(words.match),
        "create_by_system": _by_system(live, _block(words.create)),
        "condition_by_system": _by_system(live, ref("condition")),
        "consent": _block(words.consent, others=_block(words.topic, columns, others=free)),
        "limits": {"type": "object", "properties": limits, "additionalProperties": False},
        "example": _block(words.example),
        "people": _block(words.people),
        "recycle": _block(words.recycle),
        "return_route": _block(words.return_route),
        "blank_reason": _block(words.blank_reason),
        "hand_over": _block(words.hand_over),
        "task": _block(words.task),
        "unworked": _block(words.unworked),
        "vendor_values": _vendor_values(live),
    }


def _by_system(live: Schemas, shape: Any) -> Json:
    if not live:
        return {"type": "object", "additionalProperties": shape}
    return {"type": "object", "properties": dict.fromkeys(live, shape), "additionalProperties": False}


def _column(objects: Mapping[str, Schema]) -> Json:
    """A path for every object, or one per object; paths into other records (a.b) are free text."""
    if not objects:
        path: Json = {"type": "string"}
        return {"anyOf": [path, {"type": "object", "additionalProperties": path}]}
    every: dict[str, SchemaField] = {}
    for schema in objects.values():
        every.update(schema.fields)
    per_object = {name: {"anyOf": [_paths(schema.fields), _dotted()]} for name, schema in objects.items()}
    return {
        "anyOf": [
            _paths(every),
            _dotted(),
            {"type": "object", "properties": per_object, "additionalProperties": False},
        ]
    }


def _paths(fields: Mapping[str, SchemaField]) -> Json:
    return enum(*sorted(fields))


def _dotted() -> Json:
    return {"type": "string", "pattern": r"^[^.]+\.[^.]+"}


def _vendor_values(live: Schemas) -> Json:
    scalar: Json = {"type": ["string", "number", "boolean", "null"]}
    if not live:
        return _by_system(live, {"type": "object", "additionalProperties": scalar})
    shown: Json = {}
    for system, objects in live.items():
        paths = sorted({path for schema in objects.values() for path in schema.fields})
        shown[system] = {
            "type": "object",
            "properties": dict.fromkeys(paths, scalar),
            "additionalProperties": scalar,
        }
    return {"type": "object", "properties": shown, "additionalProperties": False}


def _conditions(words: Grammar) -> Json:
    scalar: Json = {"type": ["string", "number", "boolean"]}
    plain = [{"enum": [*words.conditions.values]}, scalar]
    compared = {name: ref("asked") if name == "not" else scalar for name in words.conditions.comparisons}
    block = {"type": "object", "properties": compared, "additionalProperties": False, "minProperties": 1}
    joins: Json = {}
    for name in words.conditions.joins:
        joins[name] = {"type": "array", "items": ref("condition")} if name == "any" else ref("condition")
    return {
        "asked": {"anyOf": [*plain, {"type": "array", "items": ref("asked")}, block]},
        "condition": {
            "type": "object",
            "properties": joins,
            "additionalProperties": ref("asked"),
            "minProperties": 1,
        },
    }
