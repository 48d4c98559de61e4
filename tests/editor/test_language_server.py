"""Mapping files in an editor: the schema through the very language server that editors run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings.schema import json_schema
from sync.record import Schema, SchemaField
from tests.support.language_server import LanguageServer
from tests.support.tree import ROOT

pytestmark = pytest.mark.editor

PRESETS = sorted((ROOT / "mappings" / "presets").rglob("person*.yaml"))
HEAD = "# yaml-language-server: $schema=schema.json\n"
START = f"""{HEAD}version: 1
route: jp-person
kind: person
systems: [marketo, salesforce]
objects: {{ marketo: Lead, salesforce: Lead }}
fields:
"""


def _schema(system: str, *paths: str) -> dict[str, Schema]:
    fields = {path: SchemaField(path, "text") for path in paths}
    return {"Lead": Schema(system=system, object="Lead", fields=fields)}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LanguageServer]:
    """An editor's server in a folder whose schema knows a few fields of two systems."""
    live = {
        "marketo": _schema("marketo", "email", "firstName", "leadScore"),
        "salesforce": _schema("salesforce", "Email", "FirstName", "MA_Score__c"),
    }
    (tmp_path / "schema.json").write_text(json.dumps(json_schema(live)), encoding="utf-8")
    (tmp_path / "any.json").write_text(json.dumps(json_schema()), encoding="utf-8")
    program = (
        ROOT / "tests" / "editor" / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    )
    with LanguageServer(program, tmp_path) as running:
        yield running


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_presets_have_no_red_lines(server: LanguageServer, preset: Path) -> None:
    """What we hand out as a start is clean in an editor before any system is connected."""
    text = "# yaml-language-server: $schema=any.json\n" + preset.read_text(encoding="utf-8")
    assert server.problems("person.yaml", text) == []


def test_a_misspelt_word_is_underlined(server: LanguageServer) -> None:
    """A key that the grammar does not know is a problem, and so is a type that does not exist."""
    row = "  score: { marketo: leadScore, flwo: ->, salesforce: MA_Score__c, type: intger }\n"
    problems = " ".join(server.problems("person.yaml", START + row))
    assert "flwo" in problems
    assert "integer" in problems


def test_completion_offers_the_real_field_names(server: LanguageServer) -> None:
    """In a system's column the editor offers that system's fields, and not the other's."""
    row = "  score:\n    marketo: \n"
    server.problems("person.yaml", START + row)
    offered = server.completions("person.yaml", START.count("\n") + 1, len("    marketo: "))
    assert {"email", "firstName", "leadScore"} <= set(offered)
    assert "MA_Score__c" not in offered
