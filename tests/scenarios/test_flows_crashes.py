"""The process dies at every place in turn, and the transport fails again and again: each thing is done once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stage import check_but_for_notices, play_under_faults, raised
from tests.support.stage_words import read_script

FLOWS = Path(__file__).parent / "flows"
EVERY = 17  # transactions between two places that are tried
UNDER_FAULTS = [
    "everything_at_once",
    "lost_by_reason",
    "returned_reopened_lost_again",
    "unworked_lead",
    "blank_reason",
]


def _until_the_end(folder: Path, place: int, when: str) -> bool:
    """Play the story, die once after so many transactions of its last sync; True if the process did die."""
    script = read_script(FLOWS / "everything_at_once.yaml")
    with raised(script, folder) as (town, moves, checks):
        *steps, busy, last = script.steps
        assert busy.word == "sync"
        for step in steps:
            moves.act(step)
        died = town.die_at(place, when)
        town.restart()
        town.rest()
        check_but_for_notices(checks, last)
    return died


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_at_any_transaction_does_each_thing_once(tmp_path: Path, when: str) -> None:
    """For every few transactions: die there, begin again with the journal alone, and check what the story expects.
    A notice may then be in doubt, which the journal says; it is never sent twice."""
    place, died = 0, True
    while died:
        folder = tmp_path / str(place)
        folder.mkdir()
        died = _until_the_end(folder, place, when)
        place += EVERY
    assert place > 5 * EVERY


@pytest.mark.parametrize("name", UNDER_FAULTS)
def test_a_transport_that_fails_again_and_again_changes_nothing(tmp_path: Path, name: str) -> None:
    """Answers are lost, halved or refused at either vendor and at the channel; the story ends as it always does."""
    assert play_under_faults(read_script(FLOWS / f"{name}.yaml"), tmp_path, 0.05) > 3
