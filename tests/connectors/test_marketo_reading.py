"""How Marketo is read: few calls, cursors that cover what was read, extracts that survive interruptions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulators.marketo.extract import Pace
from simulators.marketo.log import DELETE_LEAD
from sync.errors import QuotaSpent, RequestRefused, Retryable
from sync.record import LifeEvent
from tests.connectors.rigs import MarketoRig
from tests.contract.connector_suite import heard, quiet, read_all


@pytest.fixture
def rig() -> Iterator[MarketoRig]:
    """A fresh vendor whose log is complete."""
    rig = MarketoRig("feed")
    yield rig
    rig.close()


@pytest.fixture
def bulk() -> Iterator[MarketoRig]:
    """A fresh vendor that is read by extract jobs."""
    rig = MarketoRig("bulk")
    yield rig
    rig.close()


def test_leads_are_gathered_until_a_call_is_full(rig: MarketoRig) -> None:
    """1,000 changed leads cost four activity pages and four reads, the fewest that the vendor allows."""
    refs = [rig.create(rig.person(number)) for number in range(1_000)]
    cursor = quiet(rig)
    for ref in refs:
        rig.edit(ref, {"lastName": "Changed"})
    rig.later()
    rig.state.calls.clear()
    assert len(read_all(rig, cursor).records) == 1_000
    assert rig.state.calls == {"activities": 4, "leads": 4}


@pytest.mark.parametrize("pause", [1.0, 7.0, 20.0, 300.0])
def test_what_shows_up_late_comes_by_the_feed(rig: MarketoRig, pause: float) -> None:
    """However often the feed is read, a change that becomes visible within the vendor's figure is not missed, and a
    read with nothing new costs one call."""
    connector = rig.opened(visibility_lag=30.0)
    refs = [rig.create(rig.person(number)) for number in range(20)]
    cursor = quiet(rig)
    missed = set(refs)
    for number in range(120):
        if number < len(refs):
            if number % 2:
                rig.faults.script.append("late_visibility")
            rig.edit(refs[number], {"lastName": f"Late{number}"})
        rig.later(pause)
        rig.state.calls.clear()
        found = heard(connector.changes("person", cursor, rig.paths))
        cursor = found.cursor
        missed -= found.records.keys()
        assert rig.state.calls["paging token"] == 0
        assert rig.state.calls["activities"] == 1
    connector.close()
    assert missed == set()
    assert rig.state.calls["leads"] == 0
    assert found.records == {}


def test_a_cursor_in_mid_log_stays_behind_what_is_not_settled(rig: MarketoRig) -> None:
    """Within the last seconds a cursor does not move with the pages, further back it does: whoever stops there and
    goes on later reads a late change among them, and nothing of the settled pages twice."""
    connector = rig.opened(visibility_lag=30.0)
    cursor = quiet(rig)
    settled = {rig.create(rig.person(number)) for number in range(300)}
    rig.later()
    late = rig.create(rig.person(300), late=True)
    fresh = {rig.create(rig.person(number)) for number in range(301, 901)}
    pages = list(connector.changes("person", cursor, rig.paths))
    rig.later(31)
    rest = heard(connector.changes("person", pages[1].cursor, rig.paths))
    connector.close()
    assert {record.ref for record in pages[0].records} == settled
    assert pages[1].cursor == pages[0].cursor != cursor
    assert set(rest.records) == {late} | fresh


def test_a_lead_that_changed_often_is_read_once_a_call(rig: MarketoRig) -> None:
    """Many activities of few leads are one read."""
    refs = [rig.create(rig.person(number)) for number in range(3)]
    cursor = quiet(rig)
    for turn in range(300):
        rig.edit(refs[turn % 3], {"lastName": f"Turn{turn}"})
    rig.later()
    rig.state.calls.clear()
    found = read_all(rig, cursor)
    assert {record.values["lastName"] for record in found.listed} == {"Turn297", "Turn298", "Turn299"}
    assert rig.state.calls["leads"] == 1


def test_empty_pages_are_not_the_end(rig: MarketoRig) -> None:
    """A page without activities that promises more is gone past."""
    rig.create(rig.person(1))
    rig.later()
    rig.api.feeds.empty_pages = 0.5
    assert len(read_all(rig).records) == 1


def test_a_vendor_that_only_promises_is_left_alone(rig: MarketoRig) -> None:
    """Endless empty pages end in an error that is tried again later."""
    rig.api.feeds.empty_pages = 1.0
    with pytest.raises(Retryable):
        read_all(rig)


def test_scores_are_seen(rig: MarketoRig) -> None:
    """A changed score, which is an activity of its own type, lists the lead with its number."""
    ref = rig.create(rig.person(1))
    cursor = quiet(rig)
    rig.edit(ref, {"leadScore": 30})
    rig.later()
    assert read_all(rig, cursor).records[ref].values["leadScore"] == 30


def test_a_named_lead_that_is_not_given_is_no_deletion(rig: MarketoRig) -> None:
    """A lead that a merge took away between feed and read is neither listed nor said to be deleted."""
    kept, gone = rig.create(rig.person(1)), rig.create(rig.person(2))
    cursor = quiet(rig)
    rig.edit(gone, {"lastName": "Changed"})
    rig.merge(kept, gone)
    rig.later()
    found = read_all(rig, cursor)
    assert found.events == [LifeEvent("merged", gone, kept)]
    assert set(found.records) == {kept}


def test_long_look_ups_go_as_a_form(rig: MarketoRig) -> None:
    """300 addresses do not fit into an address and are found all the same, in one call."""
    refs = {rig.create(rig.person(number, email=f"{'a' * 60}{number}@mail.example")) for number in range(300)}
    asked = [f"{'a' * 60}{number}@mail.example" for number in range(300)]
    rig.connector.describe("person")
    rig.state.calls.clear()
    found = rig.connector.find("person", "Lead", "email", asked, rig.paths)
    assert {record.ref for record in found} == refs
    assert rig.state.calls == {"leads": 1}


def test_too_many_hits_are_asked_for_in_halves(rig: MarketoRig) -> None:
    """More than 1,000 leads under the values asked for are found by halving, one value alone is refused."""
    for number in range(1_200):
        rig.create(rig.person(number, email=f"shared{number % 4}@mail.example"))
    asked = [f"shared{number}@mail.example" for number in range(4)]
    assert len(rig.connector.find("person", "Lead", "email", asked, rig.paths)) == 1_200
    for number in range(800):
        rig.create(rig.person(number, email="shared0@mail.example"))
    with pytest.raises(RequestRefused) as caught:
        rig.connector.find("person", "Lead", "email", asked[:1], rig.paths)
    assert caught.value.code == "1003"


def test_a_comma_finds_nobody(rig: MarketoRig) -> None:
    """A value with a comma would be two values: no address holds one, another field cannot be asked."""
    rig.create(rig.person(1))
    asked = ["x,p1@mail.example"]
    assert rig.connector.find("person", "Lead", "email", asked, rig.paths) == []
    with pytest.raises(RequestRefused):
        rig.connector.find("person", "Lead", "sfaId", asked, rig.paths)


def test_a_misspelt_field_is_an_error_and_no_null(rig: MarketoRig) -> None:
    """A field that the instance does not have is refused by its name."""
    with pytest.raises(RequestRefused, match="lastname"):
        heard(rig.connector.changes("person", None, {"Lead": ("lastname",)}))


def test_a_field_added_later_is_seen_without_a_restart(rig: MarketoRig) -> None:
    """A description that lacks a field is asked for anew before the field is refused."""
    ref = rig.create(rig.person(1))
    quiet(rig)
    rig.state.add_field("tier")
    rig.edit(ref, {"tier": "gold"})
    (found,) = rig.connector.fetch("person", [ref], {"Lead": ("tier",)})
    assert found is not None
    assert found.values == {"tier": "gold"}


def test_extracts_are_typed_as_reads_are(bulk: MarketoRig) -> None:
    """A lead of an extract and the same lead read by id are the same record."""
    awkward = ['quote " and , comma', "two\nlines", "佐藤　花子", "null?", "  spaces "]
    refs = [bulk.create(bulk.person(n, lastName=text, leadScore=n)) for n, text in enumerate(awkward)]
    refs.append(bulk.create({"email": "only@mail.example"}))
    bulk.later()
    found = read_all(bulk)
    assert [found.records[ref] for ref in refs] == bulk.connector.fetch("person", refs, bulk.paths)


def test_an_extract_goes_on_after_an_interruption(bulk: MarketoRig) -> None:
    """Whoever stops while a job runs finds the same job again by the cursor, without a second one."""
    refs = {bulk.create(bulk.person(number)) for number in range(5)}
    bulk.later()
    pages = bulk.connector.changes("person", None, bulk.paths)
    cursor = next(pages).cursor
    assert "jobs" in cursor
    assert set(read_all(bulk, cursor).records) == refs
    assert bulk.state.calls["extract create"] == 2  # two windows of 31 days since October


def test_a_job_of_another_mapping_is_not_used(bulk: MarketoRig) -> None:
    """Files of jobs that extract other columns are left alone, so that no value gets into another's place."""
    ref = bulk.create(bulk.person(1, company="Company"))
    bulk.later()
    cursor = next(bulk.connector.changes("person", None, {"Lead": ("company", "email")})).cursor
    found = heard(bulk.connector.changes("person", cursor, {"Lead": ("email", "company")}))
    assert found.records[ref].values == {"company": "Company", "email": "p1@mail.example"}
    assert bulk.state.calls["extract create"] == 4


def test_a_job_that_the_vendor_dropped_is_started_again(bulk: MarketoRig) -> None:
    """A cursor that names jobs which exist no more leads to new ones, and to all leads."""
    refs = {bulk.create(bulk.person(number)) for number in range(5)}
    bulk.later()
    cursor = next(bulk.connector.changes("person", None, bulk.paths)).cursor
    bulk.api.extract._jobs.clear()
    assert set(read_all(bulk, cursor).records) == refs
    assert bulk.state.calls["extract create"] == 4


def test_a_job_that_failed_is_started_again_at_the_next_visit(bulk: MarketoRig) -> None:
    """A cancelled job ends the visit with an error for later, and the next visit reads everything."""
    refs = {bulk.create(bulk.person(number)) for number in range(5)}
    bulk.later()
    pages = bulk.connector.changes("person", None, bulk.paths)
    cursor = next(pages).cursor
    for job in bulk.api.extract._jobs.values():
        job.cancelled = True
    with pytest.raises(Retryable):
        list(pages)
    assert set(read_all(bulk, cursor).records) == refs


def test_a_full_queue_is_waited_for(bulk: MarketoRig) -> None:
    """Where other programs have filled the queue, reading stops and says when to come back."""
    bulk.create(bulk.person(1))
    bulk.api.extract.pace = Pace(queued=600.0)
    crowd = bulk.opened(earliest="2025-11-01", jobs_ahead=10)
    next(crowd.changes("person", None, bulk.paths))
    with pytest.raises(QuotaSpent):
        next(bulk.connector.changes("person", None, bulk.paths))
    bulk.later(20_000)
    assert len(read_all(bulk).records) == 1
    crowd.close()


def test_a_change_during_the_extract_is_seen(bulk: MarketoRig) -> None:
    """The feed is entered before the first job, so what changes while jobs run comes afterwards."""
    ref = bulk.create(bulk.person(1))
    bulk.later()
    pages = bulk.connector.changes("person", None, bulk.paths)
    heard_first = next(pages)
    bulk.edit(ref, {"lastName": "Meanwhile"})
    new = bulk.create(bulk.person(2))
    bulk.later(1)
    rest = heard(pages)
    assert not heard_first.last
    assert rest.records[ref].values["lastName"] == "Meanwhile"
    assert new in rest.records


def test_a_file_that_comes_late_and_in_parts_is_read(bulk: MarketoRig) -> None:
    """A job that says it is done before its file is there is waited for; long files come in parts."""
    bulk.api.extract.pace = Pace(file_after=5.0)
    refs = {bulk.create(bulk.person(number)) for number in range(40)}
    bulk.later()
    connector = bulk.opened(part_bytes=100)
    found = heard(connector.changes("person", None, bulk.paths))
    assert set(found.records) == refs
    assert bulk.state.calls["extract file"] > 10
    connector.close()


def test_the_first_window_is_found_by_looking(bulk: MarketoRig) -> None:
    """Without a setting the lowest lead ids tell when the instance began."""
    bulk.state._next_id = 1
    refs = {bulk.create(bulk.person(number)) for number in range(3)}
    bulk.later()
    connector = bulk.opened(earliest="")
    assert set(heard(connector.changes("person", None, bulk.paths)).records) == refs
    assert bulk.state.calls["extract create"] == 2
    connector.close()


@pytest.mark.parametrize("earliest", ["", "2025-01-15"])
def test_reading_everything_costs_what_was_said_before(bulk: MarketoRig, earliest: str) -> None:
    """Jobs, calls and waits are those that the vendor counts, but for files of months in which nobody was created; and
    where nothing tells of the first lead, what that costs is said, with what to do."""
    refs = {bulk.create(bulk.person(number)) for number in range(3)}
    bulk.later()
    connector = bulk.opened(earliest=earliest, window_calls=0)
    said = connector.cost("person", bulk.paths, len(refs))
    advised = connector.advice()
    connector.close()
    bulk.state.calls.clear()
    bulk.clock.slept.clear()
    fresh = bulk.opened(earliest=earliest, window_calls=0)
    assert set(heard(fresh.changes("person", None, bulk.paths)).records) == refs
    fresh.close()
    counted = bulk.state.calls
    assert said.jobs == counted["extract create"] == (22 if earliest else 247)
    assert said.waits == sum(bulk.clock.slept)
    empty = len(refs) - counted["extract file"]
    assert said.calls - empty == sum(counted.values()) - counted["identity"]
    assert [each.what.count("247 extract jobs") for each in advised] == ([] if earliest else [1])


def test_the_vendors_own_count_is_taken_over(rig: MarketoRig) -> None:
    """Calls of other applications count against the day's quota, too."""
    rig.state.calls.clear()
    before = rig.api.gate.used_today
    usage = rig.connector.limits()
    assert usage.used == before + 1
    assert usage.daily_calls == 50_000
    assert all(check.ok for check in rig.connector.probe())


def test_a_merged_lead_is_not_said_to_be_deleted_as_well(rig: MarketoRig) -> None:
    """Where the log names a loser as merged and as deleted, only the merge is told."""
    kept, gone, merged = (rig.create(rig.person(number)) for number in range(3))
    cursor = quiet(rig)
    rig.merge(kept, merged)
    rig.state._log(rig.clock.now(), int(merged.id), DELETE_LEAD)
    rig.delete(gone)
    rig.later()
    found = read_all(rig, cursor)
    assert found.events == [LifeEvent("merged", merged, kept), LifeEvent("deleted", gone)]


def test_a_lead_comes_with_what_its_last_activity_says(rig: MarketoRig) -> None:
    """A record out of the log names the activity that told of it, the last of several; one read by id names none."""
    ref = rig.create(rig.person(1))
    cursor = quiet(rig)
    rig.edit(ref, {"lastName": "One"})
    rig.edit(ref, {"lastName": "Two"})
    rig.later()
    (found,) = read_all(rig, cursor).records.values()
    last = max(row.id for row in rig.state.log.rows if row.lead == int(ref.id))
    assert found.by.endswith(f"activity {last})") or found.by == f"activity {last}"
    (by_id,) = rig.connector.fetch("person", [ref], rig.paths)
    assert by_id is not None
    assert by_id.by == ""
