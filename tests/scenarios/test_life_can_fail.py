"""Stories of lives are alarms: each of these rules is broken once, and the story that guards it turns red."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import sync.identify
import sync.life
from sync.identify import Ambiguous, Identity, New
from sync.record import LifeEvent
from sync.refuse import failed
from tests.support.share import one_in
from tests.support.stage import live
from tests.support.stage_words import read_script

LIFE = Path(__file__).parent / "life"
Break = Callable[[pytest.MonkeyPatch], None]

MAPPINGS = [
    ("updated_on_both_sides", "conflict: salesforce", "conflict: marketo", "marketing wins"),
    ("updated_at_sales", "first_name: { marketo: firstName, flow: <->", "first_name: { marketo: firstName, flow: ->",
     "names go one way"),
    ("mail_changed_at_sales", "email, flow: <->", "email, flow: ->", "addresses go one way"),
    ("created_at_sales_as_contact", "  marketo: { when: { email: present } }", "", "nobody is made at marketing"),
    ("converted_into_a_new_contact", "title, flow: <->, salesforce: Title",
     "title, flow: <->, salesforce: { Lead: Title }", "contacts have no title"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "what"), MAPPINGS, ids=[each[3] for each in MAPPINGS])
def test_a_mapping_that_breaks_the_rule_turns_the_story_red(
    tmp_path: Path, name: str, old: str, new: str, what: str
) -> None:
    """The story notices a rule of the mapping that says something else."""
    script = read_script(LIFE / f"{name}.yaml")
    held = script.mappings.get("person-flows.yaml", {})
    changes: Mapping[str, Mapping[str, str]] = {**script.mappings, "person-flows.yaml": {**held, old: new}}
    with pytest.raises(AssertionError, match=f"{name}.yaml:"):
        live(replace(script, mappings=changes), tmp_path)
    assert what


def _takes_everybody_for_new(patch: pytest.MonkeyPatch) -> None:
    """Addresses identify nobody."""
    patch.setattr("sync.identify._by_address", lambda _scene, row, _numbers: New(row))


def _makes_twins(patch: pytest.MonkeyPatch) -> None:
    """Who bears the address of a linked person is somebody else."""
    patch.setattr("sync.identify._twin", lambda _scene, row, _entity, _numbers: New(row))


def _guesses(patch: pytest.MonkeyPatch) -> None:
    """Of two who could be meant the first one is."""
    by_address, one_of = sync.identify._by_address, sync.identify._one_of

    def guess(scene, row, numbers) -> Identity:  # type: ignore[no-untyped-def]
        found = by_address(scene, row, numbers)
        others = (
            [ref for ref in found.candidates if ref.system != row.system]
            if isinstance(found, Ambiguous)
            else []
        )
        return one_of(scene, row, [scene.records[others[0]]], "guess", numbers) if others else found

    patch.setattr("sync.identify._by_address", guess)


def _forgets_the_deleted(patch: pytest.MonkeyPatch) -> None:
    """Whom the other side deleted may be made anew."""
    patch.setattr("sync.identify._deleted_across", lambda *_: None)


def _keeps_old_addresses(patch: pytest.MonkeyPatch) -> None:
    """An address that somebody left is still theirs."""
    patch.setattr("sync.note._move_keys", lambda *_: None)


def _taken_for(kind: str) -> Break:
    """Events of a kind are taken for deletions."""

    def broken(patch: pytest.MonkeyPatch) -> None:
        told = sync.life.note_events

        def note_events(events, *more):  # type: ignore[no-untyped-def]
            other = [
                each._replace(kind="deleted", into=None) if each.kind == kind else each for each in events
            ]
            told(other, *more)

        patch.setattr("sync.read.note_events", note_events)

    broken.__name__ = f"_{kind}_is_deleted"
    return broken


def _hears_nothing_of(kind: str) -> Break:
    """Events of a kind are not heard, and what the vendor shows of such records neither."""

    def broken(patch: pytest.MonkeyPatch) -> None:
        told = sync.life.note_events

        def note_events(events: list[LifeEvent], *more):  # type: ignore[no-untyped-def]
            told([each for each in events if each.kind != kind], *more)

        patch.setattr("sync.read.note_events", note_events)

    broken.__name__ = f"_{kind}_is_not_heard"
    return broken


def _knows_no_way_back(patch: pytest.MonkeyPatch) -> None:
    """Who was merged away is gone for ever, whatever the vendor shows."""
    patch.setattr("sync.note.is_merged", lambda *_: False)


def _leaves_questions_of_the_gone(patch: pytest.MonkeyPatch) -> None:
    """What was asked of somebody who has joined somebody else is asked for ever."""
    patch.setattr("sync.life._hand_on", lambda *_: None)


def _asks_the_others_no_more(patch: pytest.MonkeyPatch) -> None:
    """An answer says nothing of those who could have been meant too."""
    patch.setattr("sync.answering.mark_dirty", lambda *_: None)


def _hears_no_answer(patch: pytest.MonkeyPatch) -> None:
    """An answer is kept and not read."""
    patch.setattr("sync.pairs.answer_to", lambda *_: "")


def _knows_no_scope(patch: pytest.MonkeyPatch) -> None:
    """Everybody is everybody's business."""
    patch.setattr("sync.pairs.in_scope", lambda *_: True)


def _stops_silently(patch: pytest.MonkeyPatch) -> None:
    """What cannot be read stops the route, and nobody is told."""
    patch.setattr("sync.cycle.show_brakes", lambda *_: None)


def _gives_all_up(patch: pytest.MonkeyPatch) -> None:
    """One refused field refuses its whole record."""

    def after_refusal(row, work, errors, _numbers, now):  # type: ignore[no-untyped-def]
        yield failed(row, work, errors, now)

    patch.setattr("sync.settle.after_refusal", after_refusal)


def _forgets_who_waited(patch: pytest.MonkeyPatch) -> None:
    """A word that the mapping learns is a value that nobody has agreed on."""
    patch.setattr("sync.pairs._waited_under", lambda *_: None)


def _guesses_words(patch: pytest.MonkeyPatch) -> None:
    """A value that no row lists holds nothing."""
    patch.setattr("sync.work.Wants.hold", lambda *_: None)


def _looks_at_nobody_again(patch: pytest.MonkeyPatch) -> None:
    """Changed rules are for those who change."""
    patch.setattr("sync.adopt._mark_all", lambda *_: None)


def _takes_one_base_for_all_places(patch: pytest.MonkeyPatch) -> None:
    """A base holds wherever the field has moved to."""
    patch.setattr("mappings.digest.fingerprint", lambda *_: "00000000")


def _takes_any_name(patch: pytest.MonkeyPatch) -> None:
    """A system that is called otherwise is met for the first time."""
    patch.setattr("sync.adopt.other_names", lambda *_: {})


def _renames_no_keys(patch: pytest.MonkeyPatch) -> None:
    """What a route was kept under stands still under the old name."""
    patch.setattr("state.rename._rules", lambda *_: 0)


def _takes_no_opt_out_of_others(patch: pytest.MonkeyPatch) -> None:
    """What somebody said holds for the record where it was said."""
    patch.setattr("sync.consent.latched", lambda *_: {})
    patch.setattr("sync.consent.set_latch", lambda *_: None)


def _is_linked_for_good(patch: pytest.MonkeyPatch) -> None:
    """A deleted record is nobody's place to take."""
    lead = sync.identify._lead

    def stays(scene, entity, side):  # type: ignore[no-untyped-def]
        found = scene.leading(entity, side)
        return found if found is not None else lead(scene, entity, side)

    patch.setattr("sync.identify._lead", stays)


ENGINE: list[tuple[str, Break]] = [
    ("created_on_both_sides_at_once", _takes_everybody_for_new),
    ("conflict_held_and_answered", _hears_no_answer),
    ("typed_anew_at_marketing", _hears_nothing_of("deleted")),
    ("mail_of_a_deleted_person_reused", _forgets_the_deleted),
    ("merged_at_sales", _taken_for("merged")),
    ("merge_chain_at_marketing", _taken_for("merged")),
    ("merge_undone_at_sales", _knows_no_way_back),
    ("converted_into_a_linked_contact", _taken_for("converted")),
    ("converted_then_merged", _taken_for("converted")),
    ("mail_reused_at_marketing", _keeps_old_addresses),
    ("mail_reused_keeps_the_opt_out", _takes_no_opt_out_of_others),
    ("twin_at_marketing", _makes_twins),
    ("twin_takes_over_at_sales", _is_linked_for_good),
    ("lead_and_contact_from_the_start", _guesses),
    ("lead_and_contact_from_the_start", _asks_the_others_no_more),
    ("lead_and_contact_become_one", _leaves_questions_of_the_gone),
    ("scope_left_at_marketing", _knows_no_scope),
    ("opt_out_field_hidden", _stops_silently),
    ("writing_forbidden_at_sales", _gives_all_up),
    ("word_removed_at_sales", _gives_all_up),
    ("word_unknown_at_marketing", _forgets_who_waited),
    ("word_unknown_at_sales", _guesses_words),
    ("word_unknown_at_sales", _looks_at_nobody_again),
    ("mapping_path_moved", _takes_one_base_for_all_places),
    ("system_renamed_at_marketing", _takes_any_name),
    ("system_renamed_at_sales", _renames_no_keys),
]


@pytest.mark.parametrize(
    ("name", "broken"), one_in(4, ENGINE, [f"{name}{rule.__name__}" for name, rule in ENGINE])
)
def test_code_that_breaks_the_rule_turns_the_story_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, broken: Break
) -> None:
    """The story notices an engine that goes wrong in one place."""
    broken(monkeypatch)
    with pytest.raises(
        (AssertionError, KeyError), match=rf"{name}.yaml:|still at work|has \d records|marketo"
    ):
        live(read_script(LIFE / f"{name}.yaml"), tmp_path)


def test_every_part_of_the_page_has_a_story_that_can_fail() -> None:
    """Each heading of docs/record-life.md under which stories stand has one that is broken here."""
    page = (Path(__file__).parents[2] / "docs" / "record-life.md").read_text("utf-8")
    guarded = {each[0] for each in (*MAPPINGS, *ENGINE)}
    for part in page.split("\n## ")[1:]:
        if "| story |" in part:
            assert any(f"`{name}`" in part for name in guarded), part.partition("\n")[0]
