"""A mapping against what a vendor really has: unknown fields, rights, types, lengths, lists, required fields.

Reads one system's schemas and capabilities; knows no vendor. Everything points at the cell that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from mappings.compile import SIDES, Source
from mappings.errors import At, Sink, did_you_mean, nearest
from mappings.fieldrules import Row
from mappings.offline import start
from mappings.source import Text
from sync.ports import Capabilities
from sync.record import Schema, SchemaField, Side
from sync.rules import Flow

_ANY_TEXT = frozenset({"text", "email", "phone", "picklist", "id", "reference"})
# What each of our types can be read from and written to, in the vendor's terms ("other" always passes).
_READS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": frozenset(
            {*_ANY_TEXT, "integer", "decimal", "boolean", "date", "datetime", "multi_picklist"}
        ),
        "email": frozenset({"email", "text"}),
        "phone": frozenset({"phone", "text"}),
        "integer": frozenset({"integer", "decimal", "text"}),
        "decimal": frozenset({"decimal", "integer", "text"}),
        "boolean": frozenset({"boolean", "text", "picklist"}),
        "date": frozenset({"date", "text"}),
        "datetime": frozenset({"datetime", "text"}),
        "picklist": frozenset({"picklist", "text", "boolean", "integer"}),
        "key": frozenset({"id", "text", "integer", "reference"}),
        "reference": frozenset({"id", "text", "reference"}),
        "user": frozenset({"id", "text", "email", "reference"}),
        "money": frozenset({"decimal", "integer", "text"}),
        "corporate_number": frozenset({"text", "integer"}),
        "company_name": frozenset({"text"}),
        "domain": frozenset({"text", "email"}),
    }
)
_WRITES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "text": frozenset({"text", "email", "phone", "picklist"}),
        "email": frozenset({"email", "text"}),
        "phone": frozenset({"phone", "text"}),
        "integer": frozenset({"integer", "decimal"}),
        "decimal": frozenset({"decimal"}),
        "boolean": frozenset({"boolean"}),
        "date": frozenset({"date"}),
        "datetime": frozenset({"datetime"}),
        "picklist": frozenset({"picklist", "text"}),
        "key": frozenset({"text", "id"}),
        "reference": frozenset({"id", "text", "reference"}),
        "user": frozenset({"text", "email", "reference"}),
        "money": frozenset({"decimal"}),
        "corporate_number": frozenset({"text"}),
        "company_name": frozenset({"text"}),
        "domain": frozenset({"text"}),
    }
)


class _Here(NamedTuple):
    """One system of one file under check."""

    source: Source
    system: str
    side: Side
    schemas: Mapping[str, Schema]
    across: Mapping[str, Schema]
    sink: Sink


def check_live(
    source: Source,
    system: str,
    schemas: Mapping[str, Mapping[str, Schema]],
    capabilities: Capabilities | None,
    sink: Sink,
) -> None:
    """Compare one system's part of a file with its schemas; `schemas` is by system and object."""
    side = SIDES[source.draft.names.index(system)]
    other = next(name for name in source.draft.names if name != system)
    here = _Here(source, system, side, schemas[system], schemas.get(other, {}), sink)
    declared = source.draft.objects.get(system)
    own = declared if declared is not None and declared.fields_on is None else None
    for name in (own.create, *own.follow) if own else ():
        if name and name not in here.schemas:
            hint = did_you_mean(name, here.schemas)
            sink.error(own.at if own else start(source), "M038", f"{system} has no object «{name}»", hint)
    for row in source.rows:
        for object_, path in row.paths.get(here.side, {}).items():
            field = _field(here, object_, path)
            if field is not None:
                _cell(here, row, object_, path, field)
    _topics(here)
    _create(here, capabilities)


def _field(here: _Here, object_: str, path: Text) -> SchemaField | None:
    declared = here.source.draft.objects.get(here.system)
    schema = here.schemas.get(object_)
    if declared is not None and declared.fields_on is not None:  # written on people: whichever object has it
        schema = next((each for each in here.schemas.values() if path.text in each.fields), None)
        schema = schema or next(iter(here.schemas.values()), None)
    if schema is None:
        return None
    if path.text in schema.fields:
        return schema.fields[path.text]
    relation, dot, _ = path.text.rpartition(".")
    if dot and not any(name.startswith(f"{relation}.") for name in schema.fields):
        return None  # this vendor does not describe the paths of this relation: nothing to compare with
    where = f"{here.system} {object_}"
    here.sink.error(
        path.at, "M030", f"{where} has no field «{path.text}»", did_you_mean(path.text, schema.fields)
    )
    return None


def _cell(here: _Here, row: Row, object_: str, path: Text, field: SchemaField) -> None:
    rule = row.rule
    name = f"{here.system} {object_}.{field.path}"
    into = rule.flow.into(here.side) and object_ not in rule.cells[here.side].read_only
    if into:
        _writable(here, row, object_, path.at, field)
        if field.type != "other" and field.type not in _WRITES[rule.type] and not _whole_decimal(row, field):
            _mismatch(
                here,
                path.at,
                f"{name} is {field.type}: «{rule.type}» cannot be written there",
                rule.type,
                field,
            )
        _length(here, row, path.at, field)
    if not rule.cells[here.side].is_id and (rule.flow is Flow.NONE or rule.flow.into(here.side.other)):
        if field.type != "other" and field.type not in _READS[rule.type]:
            _mismatch(
                here, path.at, f"{name} is {field.type}: it cannot be read as «{rule.type}»", rule.type, field
            )
        if not field.moves_stamp:
            hint = "they are seen when something else of the record changes, or in a full comparison"
            here.sink.warning(path.at, "M037", f"changes of {name} move no time stamp", hint)
    _words(here, row, path.at, field, into=into)


def _whole_decimal(row: Row, field: SchemaField) -> bool:
    return row.rule.type == "decimal" and row.options.scale == 0 and field.type == "integer"


def _mismatch(here: _Here, at: At, message: str, type_: str, field: SchemaField) -> None:
    fits = [name for name, reads in _READS.items() if field.type in reads and field.type in _WRITES[name]]
    hint = f"type: {fits[0]}" if fits and fits[0] != type_ else "take the arrow out or choose another field"
    here.sink.error(at, "M033", message, hint)


def _writable(here: _Here, row: Row, object_: str, at: At, field: SchemaField) -> None:
    name = f"{here.system} {object_}.{field.path}"
    created = (
        here.source.draft.objects[here.system].create == object_ and here.system in here.source.draft.create
    )
    if not row.rule.create_only and not field.updateable:
        hint = "give the API user the right, or take the arrow out"
        hint = (
            "`write: create_only` writes it into new records only" if field.createable and created else hint
        )
        here.sink.error(at, "M032", f"{name} cannot be changed by our API user", hint)
    elif row.rule.create_only and not field.createable:
        here.sink.error(at, "M032", f"{name} cannot be set on a new record", "take the arrow out")


def _length(here: _Here, row: Row, at: At, field: SchemaField) -> None:
    """Only a note: most values fit; the one that does not is refused by the vendor and listed."""
    if not field.length or row.options.values is not None or row.rule.compute is not None:
        return
    name = here.system
    text = row.rule.on_create_blank
    if isinstance(text, str) and len(text) > field.length:
        message = f"the text for blanks has {len(text)} characters, {name} takes {field.length}"
        here.sink.error(row.draft.place("on_create"), "M034", message, "shorten it")
    other = _source_length(here, row)
    if other > field.length:
        message = f"up to {other} characters go into {field.length} of {name}.{field.path}"
        here.sink.note(at, "M034", message, "longer values are refused there and listed as failed")


def _source_length(here: _Here, row: Row) -> int:
    """The longest text that the other side can send, 0 = unknown."""
    fields = [
        here.across[object_].fields.get(path.text)
        for object_, path in row.paths.get(here.side.other, {}).items()
        if object_ in here.across
    ]
    return max((field.length for field in fields if field is not None), default=0)


def _topics(here: _Here) -> None:
    drafts = {draft.name.text: draft for draft in here.source.draft.topics}
    for topic in here.source.topics:
        cell = topic.cells.get(here.side)
        draft = drafts[topic.topic]
        for object_, path in (cell.paths if cell else {}).items():
            field = _field(here, object_, Text(draft.place(here.system), path))
            if field is None:
                continue
            name = f"{here.system} {object_}.{path}"
            if field.type not in {"boolean", "other"}:
                message = f"{name} is {field.type}: an opt-out needs a boolean"
                here.sink.error(draft.place(here.system), "M033", message, "name a checkbox")
            if len(topic.cells) == 2 and not field.updateable:
                message = f"{name} cannot be changed by our API user: opt-outs would not arrive"
                here.sink.error(draft.place(here.system), "M032", message, "give the API user the right")


def _words(here: _Here, row: Row, at: At, field: SchemaField, *, into: bool) -> None:
    """Words that the vendor's list does not have, and words of the list that the row does not."""
    if not field.picklist:
        return
    ours = _ours(here, row)
    for word in ours:
        if word not in field.picklist and (into or row.options.values is not None):
            near = nearest(word, field.picklist)
            hint = f"nearest: «{near}»" if near else "people with this value would wait with this field"
            message = f"«{word}» is no active value of {here.system} {field.path}"
            place = (
                row.draft.place("values" if row.draft.values else "values_file") if row.options.values else at
            )
            (here.sink.error if field.restricted else here.sink.warning)(place, "M031", message, hint)
    missing = [word for word in field.picklist if row.options.values is not None and word not in ours]
    if missing and (row.rule.flow is Flow.NONE or row.rule.flow.into(here.side.other)):
        message = f"values of {here.system} {field.path} that no word stands for: {', '.join(missing[:8])}"
        here.sink.note(
            at, "M039", message, "people with them wait with this field; list them to carry them over"
        )


def _ours(here: _Here, row: Row) -> Iterable[str]:
    values = row.options.values
    if values is not None:
        return values.forward if here.side is Side.MA else values.back
    blank = row.rule.on_create_blank
    return (*(row.computed.words if row.computed else ()), *((blank,) if isinstance(blank, str) else ()))


def _create(here: _Here, capabilities: Capabilities | None) -> None:
    rule = here.source.draft.create.get(here.system)
    declared = here.source.draft.objects.get(here.system)
    schema = here.schemas.get(declared.create) if declared else None
    if rule is None or declared is None or schema is None:
        return
    written = {row.paths[here.side][declared.create].text: row for row in _into(here, declared.create)}
    need = {name.text for name in rule.need}
    for field in schema.fields.values():
        if not field.required or not field.createable:
            continue
        row = written.get(field.path)
        if row is None:
            message = f"{here.system} {declared.create} needs «{field.path}», which no row fills"
            here.sink.error(rule.at, "M035", message, "add a row with an arrow there")
        elif row.rule.name not in need and row.rule.on_create_blank is None and not _is_own_id(here, row):
            message = (
                f"{here.system} {declared.create} needs «{row.rule.name}»: people without it would be refused"
            )
            here.sink.warning(rule.at, "M041", message, f"add {row.rule.name} to need:")
    _unique(here, declared.create, schema, written, capabilities)


def _into(here: _Here, object_: str) -> list[Row]:
    return [
        row
        for row in here.source.rows
        if row.rule.flow.into(here.side)
        and object_ in row.paths.get(here.side, {})
        and object_ not in row.rule.cells[here.side].read_only
    ]


def _is_own_id(here: _Here, row: Row) -> bool:
    """True if the value is the other record's own id, which is never blank."""
    cell = row.rule.cells.get(here.side.other)
    return cell is not None and cell.is_id


def _unique(
    here: _Here, object_: str, schema: Schema, written: Mapping[str, Row], capabilities: Capabilities | None
) -> None:
    vendor = capabilities.unique_keys.get(object_, frozenset()) if capabilities else frozenset()
    unique = {path for path, row in written.items() if row.rule.key or row.rule.type == "email"}
    if any(path in vendor or schema.fields[path].unique for path in unique if path in schema.fields):
        return
    seconds = f"{capabilities.server_timeout:.0f} s" if capabilities else "its time limit"
    message = (
        f"{here.system} {object_} has no unique field of ours: «no duplicate create» holds there except for a "
        f"request that {here.system} executes later than {seconds} after it was sent"
    )
    hint = "a unique external-id field, filled by a row of `type: key`, makes it unconditional"
    if capabilities and object_ not in capabilities.unique_keys:
        hint = f"nothing to do: {here.system} can have no unique field; what is in doubt is read back after that time"
    here.sink.note(here.source.draft.create[here.system].at, "M036", message, hint)
