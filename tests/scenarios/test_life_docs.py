"""docs/record-life.md is whole: each of its rows has a story, each story a row, and each act its sides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.support.stage_life_words import LIFE_EXPECTED, LIFE_STEPS
from tests.support.stage_words import read_script
from tests.support.tree import ROOT

LIFE = Path(__file__).parent / "life"
PAGE = (ROOT / "docs" / "record-life.md").read_text("utf-8")
STORIES = {path.stem: read_script(path) for path in sorted(LIFE.glob("*.yaml"))}


class Row(NamedTuple):
    """One row of the page."""

    act: str
    at: str
    does: str
    never: str
    seen: str
    story: str


def _rows() -> list[Row]:
    cells = [
        [cell.strip() for cell in line[1:-1].split("|")]
        for line in PAGE.splitlines()
        if line.startswith("| ") and not line.startswith(("| act ", "| --- "))
    ]
    assert {len(each) for each in cells} == {6}
    return [Row(*each) for each in cells]


def test_each_row_has_its_story_and_each_story_its_row() -> None:
    """The last cell of a row is a file of the folder; no file is missing on the page, none is named twice."""
    named = [match for row in _rows() for match in re.findall(r"`(\w+)`", row.story)]
    assert sorted(named) == sorted(STORIES)
    assert len(named) == len(_rows()) > 70


def test_each_row_says_where_it_happens_and_what_is_done() -> None:
    """No row leaves its side or our answer open; the first row of an act says what never happens."""
    assert [row for row in _rows() if not row.at or not row.does] == []
    assert [row for row in _rows() if row.act and not row.act.startswith("…") and not row.seen] == []
    assert sum(bool(row.never) for row in _rows()) > 50


def test_each_story_ends_within_two_cycles_and_says_what_waits() -> None:
    """The last sync before the end is two cycles at most, and the end names how many records there are and what the
    inbox has: nothing may be left to a sync until rest."""
    for name, script in STORIES.items():
        syncs = [step.given for step in script.steps if step.word == "sync"]
        assert 0 < syncs[-1] <= 2, name
        assert {"inbox", "records"} <= script.steps[-1].given.keys(), name


def test_every_word_of_such_stories_stands_on_the_page() -> None:
    """Each step and each expectation about life is explained."""
    assert {word for word in {*LIFE_STEPS, *LIFE_EXPECTED} if f"`{word}`" not in PAGE} == set()
