"""The fake Marketo's leads, without HTTP."""

from __future__ import annotations

import random

import pytest

from simulators.clock import ManualClock
from simulators.faults import Faults
from simulators.marketo.log import CHANGE_SCORE, DATA_VALUE_CHANGED, DELETE_LEAD, MERGE_LEADS, NEW_LEAD
from simulators.marketo.state import MarketoState
from simulators.marketo.upsert import RequestError
from tests.support.fake_marketo import fake_marketo

ALL = frozenset({NEW_LEAD, DATA_VALUE_CHANGED, CHANGE_SCORE, MERGE_LEADS, DELETE_LEAD})


def test_upsert_creates_then_updates_and_logs_each_change() -> None:
    """One row makes a lead and a log row; the same key again (in another case) changes it and logs old
    and new.
    """
    state = fake_marketo().state
    first = state.sync_leads("createOrUpdate", "email", [{"email": "a@x.example", "company": "A"}])
    second = state.sync_leads(
        "createOrUpdate", "email", [{"email": "A@X.example", "company": "B", "leadScore": "7"}]
    )
    assert [o.status for o in first + second] == ["created", "updated"]
    assert first[0].id == second[0].id
    rows = state.activities(0, ALL, 300).rows
    assert [(r.type, r.field, r.old, r.new) for r in rows] == [
        (NEW_LEAD, "", None, None),
        (DATA_VALUE_CHANGED, "email", "a@x.example", "A@X.example"),
        (DATA_VALUE_CHANGED, "company", "A", "B"),
        (CHANGE_SCORE, "leadScore", None, "7"),
    ]
    assert [entry.verb for entry in state.ledger] == ["create", "update"]
    assert state.ledger[1].changes["company"] == ("A", "B")


def test_an_unchanged_row_is_no_change() -> None:
    """Writing what stands there already answers `updated` but logs and stamps nothing."""
    marketo = fake_marketo()
    row = {"email": "a@x.example", "company": "A"}
    marketo.state.sync_leads("createOrUpdate", "email", [row])
    marketo.clock.advance(60)
    assert marketo.state.sync_leads("createOrUpdate", "email", [row])[0].status == "updated"
    assert len(marketo.state.log.rows) == 1
    assert len(marketo.state.ledger) == 1


def test_blank_clears_and_missing_means_null() -> None:
    """An empty text and null both clear; a cleared field is not in the row that is read."""
    state = fake_marketo().state
    lead = state.human_create({"email": "a@x.example", "company": "A", "phone": "1"})
    state.sync_leads("updateOnly", "id", [{"id": lead, "company": "", "phone": None}])
    assert state.lead(lead, ("id", "company", "phone")) == {"id": lead}


def test_custom_fields_do_not_move_updated_at() -> None:
    """The visible stamp follows standard fields, the one behind the extract filter follows all."""
    marketo = fake_marketo()
    state = marketo.state
    lead = state.human_create({"email": "a@x.example"})
    marketo.clock.advance(100)
    state.human_edit(lead, {"sfaId": "00Q1"})
    assert state.leads[lead].updated < state.leads[lead].touched
    state.human_edit(lead, {"company": "A"})
    assert state.leads[lead].updated == state.leads[lead].touched


def test_merge_keeps_the_winner_and_fills_its_blanks() -> None:
    """The loser is gone from every read, its values fill only what the winner lacked, the log names the
    loser.
    """
    state = fake_marketo().state
    winner = state.human_create({"email": "a@x.example", "company": "W"})
    loser = state.human_create({"email": "b@x.example", "company": "L", "phone": "1"})
    state.merge(winner, [loser])
    assert state.lead(loser, ("id",)) is None
    assert state.leads_by("email", ["b@x.example"], ("id",)) == []
    kept = {"email": "a@x.example", "company": "W", "phone": "1"}
    assert state.lead(winner, ("email", "company", "phone")) == kept
    merged = state.activities(0, {MERGE_LEADS}, 10).rows
    assert [(row.lead, row.others) for row in merged] == [(winner, (loser,))]
    assert state.merged_into == {loser: winner}


@pytest.mark.parametrize(
    ("winner", "losers", "code"),
    [(1001, [9], "1004"), (1001, [1001], "1076"), (1001, [], "1076"), (1001, list(range(2, 28)), "1080")],
)
def test_bad_merges_change_nothing(winner: int, losers: list[int], code: str) -> None:
    """A missing lead, a lead merged into itself and more than 25 losers are refused whole."""
    state = fake_marketo().state
    state.human_create({"email": "a@x.example"})
    before = state.everything()
    with pytest.raises(RequestError) as caught:
        state.merge(winner, losers)
    assert caught.value.code == code
    assert state.everything() == before


def test_delete_is_logged_and_a_second_one_skipped() -> None:
    """Deleting writes a type 37 row; a lead that is gone is skipped with 1004."""
    state = fake_marketo().state
    lead = state.human_create({"email": "a@x.example"})
    outcomes = state.delete_leads([lead, lead])
    assert [(o.status, o.code) for o in outcomes] == [("deleted", None), ("skipped", "1004")]
    assert [row.lead for row in state.activities(0, {DELETE_LEAD}, 10).rows] == [lead]


def test_late_visibility_hides_from_index_and_feed_only() -> None:
    """A late commit is missing by e-mail and in the feed, stands there by id at once, and turns up after
    the lag.
    """
    marketo = fake_marketo({"late_visibility": 1.0})
    state = marketo.state
    lead = state.human_create({"email": "a@x.example"})
    assert state.lead(lead, ("id",)) == {"id": lead}
    assert state.leads_by("id", [lead], ("id",)) == [{"id": lead}]
    assert state.leads_by("email", ["a@x.example"], ("id",)) == []
    assert state.activities(0, ALL, 10).rows == []
    marketo.clock.advance(1.0)
    assert state.leads_by("email", ["a@x.example"], ("id",)) == [{"id": lead}]
    assert len(state.activities(0, ALL, 10).rows) == 1


def test_late_updates_show_the_old_value_by_index() -> None:
    """Until an update is visible, a query finds the lead under its old key with its old values."""
    marketo = fake_marketo()
    state = marketo.state
    lead = state.human_create({"email": "old@x.example", "company": "Old"})
    marketo.faults.set("late_visibility", 1.0)
    state.human_edit(lead, {"email": "new@x.example", "company": "New"})
    assert state.leads_by("email", ["new@x.example"], ("id",)) == []
    assert state.leads_by("email", ["old@x.example"], ("company",)) == [{"company": "Old"}]
    assert state.lead(lead, ("company",)) == {"company": "New"}
    marketo.clock.advance(1.0)
    assert state.leads_by("email", ["new@x.example"], ("company",)) == [{"company": "New"}]


def test_a_late_row_appears_behind_the_reader() -> None:
    """A reader who passed while a row was hidden misses it from there on and finds it only by overlapping."""
    marketo = fake_marketo({"late_visibility": 1.0})
    marketo.state.human_create({"email": "a@x.example"})
    page = marketo.state.activities(0, ALL, 10)
    marketo.clock.advance(1.0)
    assert marketo.state.activities(page.position, ALL, 10).rows == []
    assert len(marketo.state.activities(0, ALL, 10).rows) == 1


def test_equal_stamps() -> None:
    """With that fault, commits close together share one modification stamp, and none goes back."""
    marketo = fake_marketo()
    state = marketo.state
    state.human_create({"email": "a@x.example"})
    marketo.faults.set("equal_stamps", 1.0)
    for number in range(3):
        marketo.clock.advance(0.3)
        state.human_create({"email": f"{number}@x.example"})
    stamps = [lead.created for lead in state.leads.values()]
    assert len(set(stamps)) == 1
    marketo.clock.advance(5)
    state.human_create({"email": "z@x.example"})
    assert state.log.rows[-1].time > stamps[0]


def test_the_lag_counts_from_the_stamp() -> None:
    """Also with shared stamps, a commit is visible at the latest one lag after the stamp that it bears."""
    marketo = fake_marketo({"late_visibility": 1.0, "equal_stamps": 1.0})
    for number in range(40):
        marketo.clock.advance(0.25)
        marketo.state.human_create({"email": f"{number}@x.example"})
    rows = marketo.state.log.rows
    assert max(row.visible - row.time for row in rows) <= 1.0
    assert len({row.time for row in rows}) < len(rows)


def test_row_faults_strike_api_writes_only() -> None:
    """Refused rows, ignored fields and altered values never touch what a person types."""
    marketo = fake_marketo({"row_refused": 1.0, "ignored_field": 1.0, "altered_value": 1.0})
    state = marketo.state
    lead = state.human_create({"email": "a@x.example", "company": " Typed "})
    state.human_edit(lead, {"title": " Boss "})
    assert state.lead(lead, ("company", "title")) == {"company": " Typed ", "title": " Boss "}
    refused = state.sync_leads("updateOnly", "id", [{"id": lead, "company": "B"}])[0]
    assert (refused.status, refused.code in {"719", "1008"}) == ("skipped", True)
    marketo.faults.set("row_refused", 0.0)
    assert state.sync_leads("updateOnly", "id", [{"id": lead, "company": "B"}])[0].status == "updated"
    assert state.lead(lead, ("company",)) == {"company": " Typed "}
    marketo.faults.set("ignored_field", 0.0)
    state.sync_leads("updateOnly", "id", [{"id": lead, "company": " new  firm "}])
    assert state.lead(lead, ("company",)) == {"company": "NEW FIRM"}


def test_a_race_makes_duplicates_only_when_switched_on() -> None:
    """Two overlapping upserts of a new e-mail make two leads with `races` on, one without."""
    for races, leads in ((False, 1), (True, 2)):
        marketo = fake_marketo()
        marketo.state.races = races
        arrived = marketo.clock.now()
        marketo.clock.advance(0.5)
        for _ in range(2):
            marketo.state.sync_leads("createOrUpdate", "email", [{"email": "a@x.example"}], snapshot=arrived)
        assert len(marketo.state.leads) == leads


def test_same_seed_same_story() -> None:
    """Two states with equal seeds and equal calls end with equal ledgers, faults included."""

    def story() -> list[object]:
        clock = ManualClock()
        faults = Faults(random.Random(3), {"row_refused": 0.3, "late_visibility": 0.3, "equal_stamps": 0.3})
        state = MarketoState(clock, random.Random(4), faults)
        seen: list[object] = []
        for number in range(50):
            clock.advance(0.2)
            rows = [{"email": f"{number % 7}@x.example", "company": str(number)}]
            seen.append(state.sync_leads("createOrUpdate", "email", rows))
            seen.append(state.leads_by("email", ["3@x.example"], ("company",)))
        return [seen, state.ledger]

    assert story() == story()


def test_unknown_requests_are_refused_whole() -> None:
    """Action and lookup field are checked before any row."""
    state = fake_marketo().state
    for action, lookup, code in (
        ("upsert", "email", "1003"),
        ("createOrUpdate", "id", "1003"),
        ("createOrUpdate", "nothing", "1006"),
        ("createOrUpdate", "company", "1003"),
    ):
        with pytest.raises(RequestError) as caught:
            state.sync_leads(action, lookup, [{"email": "a@x.example"}])
        assert caught.value.code == code
    assert state.leads == {}
