"""What vendors take away is named by `check` with the line of the mapping, and no more once it is given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mappings.check import check
from mappings.load import load
from tests.support.flow_town import FlowTown
from tests.support.stage_cast import Cast
from tests.support.stage_moves import Moves
from tests.support.stage_reading import Step
from tests.support.town import MARKETO, SALESFORCE

INDUSTRY = (
    "industry: { marketo: industry, flow: <->, salesforce: { Lead: Industry }, values: { 小売: Retail } }"
)
FILES = {"person-flows.yaml": {"  title:      {": f"  {INDUSTRY}\n  title:      {{"}}
KINDS = {
    MARKETO: ("person", "account", "effect"),
    SALESFORCE: ("person", "account", "opportunity", "effect"),
}
TITLE = {"at": "lead", "field": "Title"}
RETAIL = {"at": "lead", "field": "Industry", "word": "Retail"}
TAKEN = [
    ("hide_field", TITLE, "show_field", "M030", "title", "has no field «Title»"),
    ("hide_field", {"at": "marketo", "field": "title"}, "show_field", "M030", "title", "has no field «title»"),
    ("forbid_writing", TITLE, "allow_writing", "M032", "title", "cannot be changed by our API user"),
    ("forbid_writing", {"at": "marketo", "field": "title"}, "allow_writing", "M032", "title", "cannot be changed"),
    ("drop_word", RETAIL, "add_word", "M031", "industry", "«Retail» is no active value"),
    ("hide_field", {"at": "lead", "field": "HasOptedOutOfEmail"}, "show_field", "M030", "all", "HasOptedOutOfEmail"),
]  # fmt: skip


def _findings(town: FlowTown, folder: Path) -> set[tuple[str, str, str]]:
    """Errors: code, the field's name as its line begins, and the message."""
    systems = {name: town.windows[name] for name in KINDS}
    schemas: dict[str, Any] = {
        name: {each.object: each for kind in KINDS[name] for each in window.describe(kind)}
        for name, window in systems.items()
    }
    facts = {name: window.capabilities for name, window in systems.items()}
    found = [each for each in check(load([folder]).sources, schemas, facts) if each.severity == "error"]
    lines = {file: Path(file).read_text("utf-8").splitlines() for file in {each.file for each in found}}
    return {
        (each.code, lines[each.file][each.line - 1].split(":")[0].strip(), each.message) for each in found
    }


@pytest.mark.parametrize(
    ("act", "given", "back", "code", "field", "words"),
    TAKEN,
    ids=[f"{each[0]} {each[1]['at']} {each[1]['field']}" for each in TAKEN],
)
def test_what_is_taken_away_is_named_with_its_line(
    tmp_path: Path, act: str, given: dict[str, str], back: str, code: str, field: str, words: str
) -> None:
    """Nothing is wrong before, the one line is wrong while it is gone, and nothing is wrong once it is back."""
    with FlowTown(tmp_path, FILES) as town:
        moves, folder = Moves(town, Cast(town)), tmp_path / "mappings"
        assert _findings(town, folder) == set()
        moves.act(Step(act, given))
        found = _findings(town, folder)
        assert {(each[0], each[1]) for each in found} == {(code, field)}
        assert all(words in message for _code, _field, message in found)
        moves.act(Step(back, given))
        assert _findings(town, folder) == set()
