"""docs/flows.md is true: its story plays as written, and every story that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.stage import play
from tests.support.stage_life_words import LIFE_EXPECTED, LIFE_STEPS
from tests.support.stage_words import EXPECTED, STEPS, read_script
from tests.support.tree import ROOT

FLOWS = Path(__file__).parent / "flows"
PAGE = (ROOT / "docs" / "flows.md").read_text("utf-8")


def test_the_story_of_the_page_plays_as_written(tmp_path: Path) -> None:
    """The block is read by the strict reader and comes out as it says; `check` is its step «expect»."""
    (block,) = re.findall(r"^```yaml scenario\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "page.yaml"
    path.write_text(block, "utf-8")
    script = read_script(path)
    assert {step.word for step in script.steps} >= {"lose", "reopen", "expect"}
    (tmp_path / "town").mkdir()
    play(script, tmp_path / "town")


def test_the_page_names_stories_that_exist_and_every_word() -> None:
    """Each line's story is a file of the folder; each step and each expectation is named."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.endswith("` |")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])}
    assert len(named) > 30
    assert {name for name in named if not (FLOWS / f"{name}.yaml").exists()} == set()
    of_life = {*LIFE_STEPS, *LIFE_EXPECTED}  # these stand in record-life.md
    assert {word for word in {*STEPS, *EXPECTED} - {"expect", *of_life} if f"`{word}`" not in PAGE} == set()
