"""Every story of the folder `life`, played over both fake vendors with the real parts of renkei, and judged by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stage import live
from tests.support.stage_words import read_script

LIFE = Path(__file__).parent / "life"
FILES = sorted(LIFE.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_life_comes_out_as_it_says(path: Path, tmp_path: Path) -> None:
    """What the file expects is what the vendors have two cycles later; nobody is there twice, no opt-out was undone,
    and nothing is written any more."""
    script = read_script(path)
    assert script.steps[-1].word == "expect"
    live(script, tmp_path)
