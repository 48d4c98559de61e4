"""Lives with a process that dies in the middle, and under a transport that fails: they end as they always do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.share import one_in
from tests.support.stage import check_but_for_notices, end, play_under_faults, raised
from tests.support.stage_reading import Script, Step
from tests.support.stage_words import read_script

LIFE = Path(__file__).parent / "life"
DEATHS = [(1, "before"), (4, "after")]  # at which transaction of each sync, and on which side of it
DYING = [
    "created_at_marketing", "created_on_both_sides_at_once", "updated_on_both_sides", "deleted_at_marketing",
    "deleted_at_sales", "restored_lead", "restored_beside_a_replacement", "merged_at_marketing", "merged_at_sales",
    "merged_on_both_sides_crosswise", "merge_chain_at_sales", "merge_chain_at_marketing",
    "merge_keeps_the_opt_out_at_sales", "converted_into_a_new_contact", "converted_into_a_linked_contact",
    "converted_then_merged", "mail_changed_at_marketing", "mails_swapped", "mail_reused_at_sales", "twin_opts_out",
    "twin_takes_over_at_marketing", "lead_and_contact_become_one", "scope_left_at_marketing",
    "writing_forbidden_at_sales", "word_unknown_at_marketing", "mapping_field_added", "system_renamed_at_sales",
]  # fmt: skip
FAULTY = [
    "created_at_sales_as_contact", "updated_on_both_sides", "deleted_at_sales", "restored_lead",
    "merged_on_both_sides_crosswise", "merge_chain_at_marketing", "converted_into_a_linked_contact",
    "mail_changed_on_both_sides", "mail_reused_at_marketing", "twin_takes_over_at_sales",
    "lead_and_contact_become_one", "scope_left_at_marketing", "word_unknown_at_sales", "mapping_path_moved",
    "system_renamed_at_marketing",
]  # fmt: skip


def _plain(step: Step) -> bool:
    """Whether a step can be taken by a process that may die: what prepares a place in a cycle cannot be."""
    return step.word not in ("between_decision_and_sending", "kill", "fault")


def _dies_in_each_sync(script: Script, folder: Path, place: int, when: str) -> int:
    """Play a story; in every sync the process dies once after so many transactions and begins again. How often it
    died."""
    died = 0
    with raised(script, folder) as (town, moves, checks):
        for step in script.steps:
            if step.word == "expect":
                check_but_for_notices(checks, step)
            elif step.word == "sync":
                died += town.die_at(place, when)
                town.restart()
                town.rest()
            else:
                moves.act(step)
        end(script, town)
    return died


@pytest.mark.parametrize(("place", "when"), DEATHS)
@pytest.mark.parametrize("name", one_in(5, DYING))
def test_a_process_that_dies_in_every_sync_changes_no_life(
    tmp_path: Path, name: str, place: int, when: str
) -> None:
    """It dies before or after a transaction of each sync and begins again with the journal alone; what the story
    expects is so, nobody is there twice, and nothing is written any more."""
    script = read_script(LIFE / f"{name}.yaml")
    assert all(map(_plain, script.steps))
    assert _dies_in_each_sync(script, tmp_path, place, when) > 0


@pytest.mark.parametrize("name", one_in(5, FAULTY))
def test_a_transport_that_fails_again_and_again_changes_no_life(tmp_path: Path, name: str) -> None:
    """Answers are lost, halved or refused at either vendor; the story ends as it always does."""
    assert play_under_faults(read_script(LIFE / f"{name}.yaml"), tmp_path, 0.05) > 0
