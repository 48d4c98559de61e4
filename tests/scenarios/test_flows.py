"""Every scenario of the folder `flows`, played over both fake vendors with the real parts of renkei."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stage import play
from tests.support.stage_words import read_script

FLOWS = Path(__file__).parent / "flows"
FILES = sorted(FLOWS.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_comes_out_as_it_says(path: Path, tmp_path: Path) -> None:
    """What the file expects is what the vendors have; `check` is its step «expect»."""
    play(read_script(path), tmp_path)
