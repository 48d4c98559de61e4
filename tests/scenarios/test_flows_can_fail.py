"""Scenarios are alarms: each of these rules is broken once, and the scenario that guards it turns red."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import revenue.hand_over
import revenue.recycle
import revenue.task
import sync.enrol
from revenue.task import TaskForm
from sync.rules import Effect, Fields
from tests.support.stage import play
from tests.support.stage_words import read_script

FLOWS = Path(__file__).parent / "flows"
Break = Callable[[pytest.MonkeyPatch], None]

MAPPINGS = [
    ("score_trembles", "thresholds.yaml", "dwell: 24h", "dwell: 0m", "score crossings have no dwell"),
    ("still_hot_above_60", "thresholds.yaml", "leave: 60", "leave: 70", "below 70 nobody is hot any more"),
    ("hand_over", "person-flows.yaml", "{ score: hot }, ", "", "hot people are nobody's business"),
    ("hot_but_excluded", "person-flows.yaml", "never: [bounced, competitor, own_staff, erased]", "never: [erased]",
     "nobody is kept out"),
    ("reopened_within_the_wait", "deal.yaml", "wait: 24h", "wait: 1h", "an hour is waited only"),
    ("lost_by_reason", "deal.yaml", "予算なし: { list: 'N-02 予算', wake: 90d }",
     "予算なし: { list: 'N-03 価値', wake: 90d }", "a reason leads to another list"),
    ("lost_by_reason", "deal.yaml", ", wake_from: Revisit_On__c", "", "the day that sales named is not read"),
    ("open_deal_at_the_account", "deal.yaml", "[open_deal_at_account, ", "[", "open deals keep nobody"),
    ("opted_out_contact", "deal.yaml", "current_customer, opted_out, ", "current_customer, ", "opt-outs keep nobody"),
    ("blank_reason", "deal.yaml", "after: 7d", "after: 8d", "a blank reason counts a day later"),
    ("blank_reason", "deal.yaml", "remind: owner, ", "", "nobody is reminded"),
    ("unknown_reason", "deal.yaml", "other_reason: hold", "other_reason: 時期尚早", "other reasons take the first way"),
    ("deals_on_people", "deal.yaml", "evaluator, business_user]", "evaluator, business_user, other]",
     "other roles count"),
    ("several_deals_of_one_person", "deal.yaml", "[open_newest, won_newest, lost_newest]",
     "[won_newest, open_newest, lost_newest]", "won deals come first"),
    ("won_corrected_to_lost", "deal.yaml", "of: deals_of_person, when: { outcome: won }", "of: deals_of_person",
     "lost deals are added up too"),
    ("unworked_lead", "person-flows.yaml", "after: 10d", "after: 9d", "a day of patience is missing"),
    ("account_and_people", "account.yaml", "create:\n  marketo: { when: { name: present } }", "create: {}",
     "no company is made"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "old", "new", "what"), MAPPINGS, ids=[each[4] for each in MAPPINGS])
def test_a_mapping_that_breaks_the_rule_turns_the_scenario_red(
    tmp_path: Path, name: str, file: str, old: str, new: str, what: str
) -> None:
    """The scenario notices a rule of the mapping that says something else."""
    script = read_script(FLOWS / f"{name}.yaml")
    changes: Mapping[str, Mapping[str, str]] = {**script.mappings, file: {old: new}}
    with pytest.raises(AssertionError, match=f"{name}.yaml:"):
        play(replace(script, mappings=changes), tmp_path)
    assert what


def _never_looks_again(patch: pytest.MonkeyPatch) -> None:
    """Effects leave as they were decided."""

    def look_again(_world, _place, _run, jobs, *_more):  # type: ignore[no-untyped-def]
        found = sync.enrol.Enrolled()
        found.ready += jobs
        return found

    patch.setattr("sync.send.look_again", look_again)


def _has_no_key(patch: pytest.MonkeyPatch) -> None:
    """Tasks bear no key by which they could be found again."""
    made = revenue.task.task

    def task(
        form: TaskForm, key: str, at: float, fields: Fields, *, why: str = "", about: str = ""
    ) -> Effect:
        return made(form, key, at, fields, why=why, about=about)._replace(find="")

    patch.setattr("revenue.hand_over.task", task)


def _forgets_numbers(patch: pytest.MonkeyPatch) -> None:
    """A second closing is taken for the first one."""
    old = revenue.recycle.closing_of  # type: ignore[attr-defined]
    patch.setattr("revenue.recycle.closing_of", lambda related: replace(old(related), closings=1))


def _sends_uncertain_notices_again(patch: pytest.MonkeyPatch) -> None:
    """Whatever was left in doubt at a channel is sent once more."""
    made = revenue.hand_over._notice

    def notice(*arguments):  # type: ignore[no-untyped-def]
        return made(*arguments)._replace(repeatable=True)

    patch.setattr(revenue.hand_over, "_notice", notice)


def _announces_in_quiet_looks(patch: pytest.MonkeyPatch) -> None:
    """Merges are taken for news."""
    edge = revenue.hand_over._edge

    def loud(trigger, look):  # type: ignore[no-untyped-def]
        return edge(trigger, replace(look, situation=replace(look.situation, quiet=False)))

    patch.setattr(revenue.hand_over, "_edge", loud)


ENGINE: list[tuple[str, Break]] = [
    ("excluded_at_the_last_moment", _never_looks_again),
    ("opted_out_at_the_last_moment", _never_looks_again),
    ("lost_answer_to_the_task", _has_no_key),
    ("killed_after_the_task", _has_no_key),
    ("returned_reopened_lost_again", _forgets_numbers),
    ("killed_after_the_notice", _sends_uncertain_notices_again),
    ("lost_answer_to_the_notice", _sends_uncertain_notices_again),
    ("hot_before_the_first_sync", _announces_in_quiet_looks),
]


@pytest.mark.parametrize(("name", "broken"), ENGINE, ids=[f"{name}{rule.__name__}" for name, rule in ENGINE])
def test_code_that_breaks_the_rule_turns_the_scenario_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, broken: Break
) -> None:
    """The scenario notices an engine or a rule of the business that goes wrong in one place."""
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=f"{name}.yaml:"):
        play(read_script(FLOWS / f"{name}.yaml"), tmp_path)
