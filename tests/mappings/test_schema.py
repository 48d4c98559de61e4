"""The JSON Schema says what the loader accepts, and knows the real fields when it is told of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mappings.schema import json_schema
from mappings.words import grammar
from sync.record import SchemaField
from tests.support.mapping_texts import schema

SNAPSHOT = Path("tests/mappings/snapshots/grammar.schema.json")
LIVE = {
    "marketo": {
        "Lead": schema("marketo", "Lead", SchemaField("email", "email"), SchemaField("leadScore", "integer"))
    },
    "salesforce": {
        "Lead": schema("salesforce", "Lead", SchemaField("Email", "email"), SchemaField("Company", "text")),
        "Contact": schema("salesforce", "Contact", SchemaField("Email", "email")),
    },
}


def test_the_schema_is_frozen() -> None:
    """The grammar that editors see changes only on purpose: UPDATE_SNAPSHOTS=1 writes the new one."""
    text = json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8")


def test_every_word_is_offered_with_a_sentence() -> None:
    """Each word of the grammar stands in the schema's properties with its description."""
    found = json_schema()
    assert set(found["properties"]) == set(grammar().file.words)
    assert set(found["$defs"]["row"]["properties"]) == set(grammar().row.words)
    assert all(row["description"] for row in found["$defs"]["row"]["properties"].values())
    assert found["required"] == list(grammar().file.required)


def test_real_names_are_offered_once_known() -> None:
    """Systems, objects, paths per object and rows come from the live schemas; nothing else is a column."""
    found = json_schema(LIVE, fields=("email", "score"))
    names = found["$defs"]
    assert names["system"] == {"enum": ["marketo", "salesforce"]}
    assert names["object_name"] == {"enum": ["Contact", "Lead"]}
    row = names["row"]
    assert list(row["properties"])[:2] == ["marketo", "salesforce"]
    assert row["additionalProperties"] is False
    column = names["column_salesforce"]["anyOf"]
    assert column[0] == {"enum": ["Company", "Email"]}
    assert column[2]["properties"]["Contact"]["anyOf"][0] == {"enum": ["Email"]}
    assert names["field_name"]["anyOf"][0] == {"enum": ["email", "score"]}


def test_every_reference_leads_somewhere() -> None:
    """No shape refers to a definition that is not there."""
    for found in (json_schema(), json_schema(LIVE)):
        wanted = set(_references(found))
        assert wanted
        assert {name.removeprefix("#/$defs/") for name in wanted} <= set(found["$defs"])


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [name for value in node.values() for name in _references(value)]
    return [name for value in node for name in _references(value)] if isinstance(node, list) else []


def test_a_system_that_could_not_be_asked_leaves_its_column_free() -> None:
    """With no schema of one system, its name is still offered and its column takes any path."""
    found = json_schema({**LIVE, "salesforce": {}})["$defs"]
    assert found["system"] == {"enum": ["marketo", "salesforce"]}
    assert found["column_salesforce"] == found["column"]
