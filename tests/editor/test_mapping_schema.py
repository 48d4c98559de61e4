"""In an editor, a mapping file completes words and real field names, and a slip is underlined while it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from mappings.load import load
from mappings.schema import json_schema
from sync.record import SchemaField
from tests.support.language_server import LanguageServer
from tests.support.mapping_texts import schema

pytestmark = pytest.mark.editor

SERVER = Path("tests/editor/node_modules/yaml-language-server/bin/yaml-language-server").resolve()
PRESET = Path("mappings/presets/marketo-salesforce/person.yaml").resolve()
SAMPLES = Path("tests/mappings/samples").resolve()
FIRST = "# yaml-language-server: $schema=./person.schema.json\n"
HEAD = FIRST + "version: 1\nroute: r\nkind: person\nsystems: [marketo, salesforce]\n"
OBJECTS = "objects: { marketo: Lead, salesforce: Lead }\n"


def _texts(system: str, object_: str, *paths: str) -> dict[str, object]:
    return {object_: schema(system, object_, *(SchemaField(path, "text") for path in paths))}


def _live() -> dict[str, object]:
    """Schemas with exactly the paths that the preset names."""
    (rules,) = load([PRESET]).rules
    found: dict[str, object] = {}
    for side, system in rules.systems.items():
        extra = ("id", "Id")
        for object_, paths in rules.paths(side).items():
            plain = [path for path in paths if "." not in path]
            found.setdefault(system, {}).update(_texts(system, object_, *plain, *extra))  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """A language server in a folder with the schema of the preset's systems beside the mappings."""
    folder = tmp_path_factory.mktemp("mappings")
    known = json_schema(_live(), fields=("email", "score"))  # type: ignore[arg-type]
    (folder / "person.schema.json").write_text(json.dumps(known), encoding="utf-8")
    (folder / "any.schema.json").write_text(json.dumps(json_schema()), encoding="utf-8")
    with LanguageServer(SERVER, folder) as server:
        yield server


def test_the_preset_is_not_underlined(editor: LanguageServer) -> None:
    """The preset, as it stands, has no problem in an editor that knows the real fields."""
    text = PRESET.read_text(encoding="utf-8")
    assert editor.problems("preset.yaml", FIRST + text) == []


@pytest.mark.parametrize("name", ["japan.yaml", "overseas.yaml", "dealers.yaml"])
def test_samples_are_not_underlined(editor: LanguageServer, name: str) -> None:
    """Real-looking mappings have no problem against the grammar alone."""
    text = (SAMPLES / name).read_text(encoding="utf-8")
    assert editor.problems(name, FIRST.replace("person", "any") + text) == []


@pytest.mark.parametrize(
    ("row", "offered"),
    [
        ("  email: { f| }", {"marketo", "salesforce", "flow", "type", "compute"}),
        ("  email: { marketo: email, flow: <->, sa| }", {"salesforce", "conflict"}),
        ("  email: { salesforce: E| }", {"Email", "LastName", "MA_Score__c"}),
        ("  email: { marketo: e| }", {"email", "leadScore", "unsubscribed"}),
        ("  email: { flow: x| }", {"->", "<-", "<->"}),
        ("  email: { type: i| }", {"text", "integer", "picklist"}),
        ("  email: { conflict: m| }", {"marketo", "salesforce", "max", "hold"}),
        ("  email:\n    |", {"marketo", "salesforce", "flow"}),
        ("  email:\n    salesforce: |", {"Email", "LastName", "MA_Score__c"}),
        ("  email:\n    flow: |", {"->", "<-", "<->"}),
    ],
)
def test_an_editor_offers_words_and_real_fields(editor: LanguageServer, row: str, offered: set[str]) -> None:
    """Inside a row, short or written out, the systems, the words and the vendor's own field names are offered."""
    before, _, after = (HEAD + OBJECTS + "fields:\n" + row + "\n").partition("|")
    name = f"complete{crc32(row.encode())}.yaml"
    editor.problems(name, before + after)
    found = editor.completions(name, before.count("\n"), len(before) - before.rfind("\n") - 1)
    assert offered <= {label.strip("'\"") for label in found}, found


def test_a_field_that_the_vendor_has_not_is_underlined(editor: LanguageServer) -> None:
    """A slip in a vendor's field name is reported before anything is saved; a dotted path is left to the vendor."""
    rows = "  email: { marketo: emial }\n  company: { salesforce: Account.Name }\n"
    assert len(editor.problems("slip.yaml", HEAD + OBJECTS + "fields:\n" + rows)) == 1
