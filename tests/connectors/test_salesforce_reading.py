"""How Salesforce is read: order of change, lives of records, queries that no value can break out of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.salesforce import Salesforce, soql
from connectors.salesforce.ids import full_id
from simulators.salesforce.directory import API_USER
from sync.errors import RequestRefused
from sync.record import LifeEvent, Ref
from tests.connectors.rigs import RigClock, SalesforceRig
from tests.contract.connector_suite import heard, quiet, read_all, update


@pytest.fixture
def rig() -> Iterator[SalesforceRig]:
    """A fresh organisation with its connector."""
    rig = SalesforceRig()
    yield rig
    rig.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[SalesforceRig]:
    """One organisation for many examples."""
    rig = SalesforceRig()
    yield rig
    rig.close()


def test_reading_everything_costs_what_was_said_before(rig: SalesforceRig) -> None:
    """The calls are those that the vendor counts: descriptions, and a query for each object and each 2,000 rows."""
    for number in range(2_100):
        rig.create(rig.person(number))
    rig.later()
    connector = rig.opened()
    said = connector.cost("person", rig.paths, 2_100)
    rig.state.calls.clear()
    assert len(heard(connector.changes("person", None, rig.paths)).records) == 2_100
    connector.close()
    assert said.calls == rig.calls - rig.state.calls["token"] == 6


def test_rows_in_the_overlap_come_again(rig: SalesforceRig) -> None:
    """The last seconds before the vendor's present are read twice, so that a late commit among them is not lost."""
    ref = rig.create(rig.person(1))
    cursor = read_all(rig).cursor
    assert set(read_all(rig, cursor).records) == {ref}
    hidden = rig.ref(rig.state.human_create("Lead", rig.person(2), commit_delay=3.0))
    rig.create(rig.person(3))
    rig.later(1)
    passed = read_all(rig, cursor)
    rig.later(3)
    assert hidden not in passed.records
    assert hidden in read_all(rig, passed.cursor).records


@pytest.mark.parametrize("pause", [1.0, 7.0, 20.0])
def test_what_shows_up_late_comes_by_the_feed(rig: SalesforceRig, pause: float) -> None:
    """A row that becomes visible within the vendor's figure is read by the feed however often that is asked, also
    where the figure is longer than the overlap that was set."""
    connector = rig.opened(visibility_lag=30.0, overlap=1.0)
    cursor, late = quiet(rig), set[Ref]()
    missed = set[Ref]()
    for number in range(60):
        if number < 20:
            delay = 29.0 * (number % 3) / 2
            late.add(rig.ref(rig.state.human_create("Lead", rig.person(number), commit_delay=delay)))
        rig.later(pause)
        found = heard(connector.changes("person", cursor, rig.paths))
        cursor = found.cursor
        missed |= late - found.records.keys()
        late -= found.records.keys()
    connector.close()
    assert late == set()
    assert missed


def test_records_tell_who_wrote_last(rig: SalesforceRig) -> None:
    """A record is our own while our user was the last to touch it."""
    ref = rig.create(rig.person(1))
    cursor = quiet(rig)
    rig.connector.write("person", [update(ref, LastName="Ours")])
    (ours,) = read_all(rig, cursor).listed
    rig.later(1)
    rig.edit(ref, {"LastName": "Theirs"})
    (theirs,) = rig.connector.fetch("person", [ref], rig.paths)
    assert rig.connector.client.user_id == API_USER
    assert ours.own is True
    assert theirs is not None
    assert theirs.own is False
    assert ours.by == ""
    assert theirs.by.startswith("user 005")
    assert theirs.version > ours.version


def test_fields_of_the_account_are_read_with_the_contact(rig: SalesforceRig) -> None:
    """A dotted path is read in the feed and by id alike, null where there is no account."""
    contact = rig.convert(rig.create(rig.person(1)))
    assert contact is not None
    alone = rig.ref(rig.state.human_create("Contact", {"LastName": "Alone"}), "Contact")
    rig.later()
    listed = read_all(rig).records
    fetched = rig.connector.fetch("person", [alone, contact], rig.paths)
    assert fetched == [listed[alone], listed[contact]]
    assert listed[contact].values["Account.Name"] == "Company 1"
    assert listed[alone].values["Account.Name"] is None
    assert str(listed[alone].values["CreatedDate"]).endswith("Z")


def test_what_was_deleted_for_good_is_found_by_the_sweep(rig: SalesforceRig) -> None:
    """A record that left no row behind is named by the log of deletions; merged ones stay merged."""
    kept, merged, binned, erased = (rig.create(rig.person(number)) for number in range(4))
    cursor = quiet(rig)
    rig.state.human_hard_delete("Lead", erased.id)
    rig.merge(kept, merged)
    rig.delete(binned)
    rig.later()
    front = read_all(rig, cursor)
    swept = heard(rig.connector.changes("person", cursor, rig.paths, back=300.0, keys_only=True))
    assert LifeEvent("deleted", erased) not in front.events
    assert set(swept.events) == {
        LifeEvent("deleted", erased),
        LifeEvent("deleted", binned),
        LifeEvent("merged", merged, kept),
    }


def test_an_undeleted_record_is_listed_again(rig: SalesforceRig) -> None:
    """A record that comes back from the recycle bin is a record like any other."""
    ref = rig.create(rig.person(1))
    rig.delete(ref)
    cursor = quiet(rig)
    rig.state.human_undelete("Lead", ref.id)
    rig.later()
    assert set(read_all(rig, cursor).records) == {ref}


def test_short_pages_are_not_the_end(rig: SalesforceRig) -> None:
    """A vendor that gives fewer rows than asked for is asked for the rest."""
    rig.state.switches.page_size = 50
    refs = {rig.create(rig.person(number)) for number in range(120)}
    rig.later()
    assert set(read_all(rig).records) == refs
    found = rig.connector.find(
        "person", "Lead", "Email", [f"p{n}@mail.example" for n in range(120)], rig.paths
    )
    assert {record.ref for record in found} == refs


def test_many_ids_and_ill_formed_ones_are_fetched(rig: SalesforceRig) -> None:
    """More ids than a call takes are read in several, and an id that is none gives None."""
    refs = [rig.create(rig.person(number)) for number in range(2_100)]
    rig.connector.describe("person")
    rig.state.calls.clear()
    found = rig.connector.fetch("person", [*refs, rig.ref("no id at all")], rig.paths)
    assert [record and record.ref for record in found] == [*refs, None]


def test_fifteen_characters_name_the_same_record(rig: SalesforceRig) -> None:
    """An id without its checksum is completed before it is compared."""
    ref = rig.create(rig.person(1))
    (found,) = rig.connector.fetch("person", [ref._replace(id=ref.id[:15])], rig.paths)
    assert found is not None
    assert found.ref == ref
    assert full_id(ref.id[:15]) == ref.id


def test_a_field_that_our_user_cannot_see_is_an_error_and_no_null(rig: SalesforceRig) -> None:
    """Field-level security taken away stops the reading with the field's name, and given back lets it go on."""
    rig.create(rig.person(1))
    cursor = quiet(rig)
    rig.state.hide_field("Lead", "Company")
    with pytest.raises(RequestRefused) as caught:
        read_all(rig, cursor)
    assert "integration user" in caught.value.next_step
    with pytest.raises(RequestRefused, match="Compani"):
        rig.connector.fetch("person", [rig.ref("00Q5g00000000AAAAA")], {"Lead": ("Compani",)})
    rig.state.show_field("Lead", "Company")
    assert read_all(rig, cursor).listed == []


def test_unique_external_ids_are_known(rig: SalesforceRig) -> None:
    """The description tells which of our keys the organisation keeps unique, and what a lead becomes; nobody is asked
    before somebody looks."""
    known = rig.connector.capabilities
    assert rig.log == []
    assert {name: paths for name, paths in known.unique_keys.items() if paths} == {
        "Lead": {"Marketo_Id__c"},
        "Contact": {"Marketo_Id__c"},
        "Account": {"Marketo_Company_Id__c"},
        "Task": {"Renkei_Key__c"},
    }
    assert known.conversions == {"Lead": "Contact"}


def test_the_organisations_own_count_limits_us(rig: SalesforceRig) -> None:
    """The usage that comes with every reply is taken over; near the limit a reserve is left to others."""
    read_all(rig)
    budget = rig.connector.client.http.budget
    assert (budget.used, budget.daily_calls) == (rig.api.quota.used(rig.clock.now()), 100_000)
    assert rig.connector.limits().daily_calls == 100_000
    assert all(check.ok for check in rig.connector.probe())


@given(st.text(max_size=40))
def test_a_literal_is_never_more_than_its_value(shared: SalesforceRig, text: str) -> None:
    """Whatever a value holds, looking for it finds the record that holds it and no other."""
    try:
        mine = shared.create(shared.person(1, Company=text or None))
    except ValueError:
        return  # the organisation does not take this value
    other = shared.create(shared.person(2, Company="Other' OR Company != 'x"))
    shared.later()
    found = shared.connector.find("person", "Lead", "Company", [text], {"Lead": ("Company",)})
    refs = {record.ref for record in found}
    assert other not in refs or text == "Other' OR Company != 'x"
    held = str(shared.stored(mine, "Company"))
    assert all(str(record.values["Company"]).lower() == held.lower() for record in found)
    assert mine in refs or held != text
    shared.delete(mine)
    shared.delete(other)


@given(st.lists(st.text(min_size=1, max_size=80), max_size=400))
def test_queries_fit_into_addresses(values: list[str]) -> None:
    """However long the list, each query stays within what an address may hold, and no value gets lost."""
    queries = list(soql.having("Lead", ["Id"], "Email", "email", values))
    assert all(len(query.encode("utf-8")) <= 16_000 for query in queries)
    wanted = list(dict.fromkeys(values))
    assert sum(query.count(soql.literal(value)) > 0 for value in wanted for query in queries) >= len(wanted)


@pytest.mark.parametrize("name", ["Email FROM User", "a b", "x'", "Email--", "", "1a", "a..b", "Email\n"])
def test_a_name_is_never_more_than_a_name(name: str) -> None:
    """What is no field name does not get into a query."""
    with pytest.raises(RequestRefused):
        list(soql.having("Lead", [name], "Email", "email", ["x"]))


def test_values_that_a_field_cannot_hold_are_not_asked_for() -> None:
    """Numbers and ids are asked for as such, and what is neither cannot be found."""
    assert list(soql.having("Lead", ["Id"], "Id", "id", ["' OR Id != '"])) == []
    assert list(soql.having("Lead", ["Id"], "Score", "double", ["1 OR 1=1", "", "12"])) == [
        "SELECT Id FROM Lead WHERE Score IN (12)"
    ]


def test_a_clock_that_runs_ahead_sweeps_by_the_vendors(rig: SalesforceRig) -> None:
    """The sweep looks back from the vendor's present, whatever our own clock says."""

    class Ahead(RigClock):
        def now(self) -> float:
            return rig.clock.now() + 3_600

    connector = Salesforce("one", rig.connector.client.config, Ahead())
    rig.create(rig.person(1))
    heard(connector.changes("person", None, rig.paths))
    rig.later(1_000)
    fresh = rig.create(rig.person(2))
    rig.later(60)
    swept = heard(connector.changes("person", None, rig.paths, back=300.0, keys_only=True))
    assert set(swept.records) == {fresh}
    connector.close()
