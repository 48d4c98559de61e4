"""Companies of Marketo: seen through their leads, closed by a native sync, kept apart from what is the lead's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sync.errors import RequestRefused
from sync.ports import Feed, Write
from sync.record import Ref
from tests.connectors.rigs import CompanyRig
from tests.contract.connector_suite import heard, quiet, read_all, results, update

KEY = "externalCompanyId"


@pytest.fixture
def rig() -> Iterator[CompanyRig]:
    """A fresh instance, asked for companies."""
    rig = CompanyRig()
    yield rig
    rig.close()


def company(key: str, **values: Any) -> Write:
    """A company that is to be made."""
    return Write(1, Ref("one", "Company", ""), {KEY: key, **values}, KEY)


def lead(rig: CompanyRig, **values: Any) -> Ref:
    """A lead that is there."""
    return rig.ref(str(rig.state.human_create({"email": "x@mail.example", **values})), "Lead")


def stored(rig: CompanyRig, ref: Ref, path: str) -> object:
    """What the vendor holds of a lead."""
    return rig.state.leads[int(ref.id)].values.get(path)


# --- reading ---------------------------------------------------------------------------------------------


def test_a_company_of_many_leads_is_listed_once(rig: CompanyRig) -> None:
    """A first reading takes each company once, however many leads name it; what no lead names is not seen."""
    ref = rig.create(rig.person(1))
    for number in range(350):
        lead(rig, externalCompanyId=ref.id, email=f"n{number}@mail.example")
    rig.state.human_company("alone", {"company": "Alone"})
    rig.later()
    found = read_all(rig)
    assert [record.ref for record in found.listed] == [ref]
    assert rig.state.calls["companies"] == 1


def test_a_quiet_cycle_is_one_call(rig: CompanyRig) -> None:
    """While nothing happens, one page of the log is all that is asked for."""
    rig.create(rig.person(1))
    cursor = quiet(rig)
    before = rig.calls
    assert read_all(rig, cursor).listed == []
    assert rig.calls == before + 1


def test_what_is_the_leads_own_is_no_change_of_a_company(rig: CompanyRig) -> None:
    """Scores and names of leads cost no reading of companies; a moved lead and a changed company do."""
    ref, other = rig.create(rig.person(1)), rig.create(rig.person(2))
    member = next(iter(rig.state.leads))
    cursor = quiet(rig)
    rig.state.human_edit(member, {"lastName": "New"})
    rig.state.human_score(member, 10, "Visited")
    rig.later()
    before = rig.calls
    own = read_all(rig, cursor)
    assert (own.listed, rig.calls) == ([], before + 1)
    rig.state.human_edit(member, {KEY: other.id})
    rig.later()
    moved = read_all(rig, own.cursor)
    assert other in moved.records
    rig.edit(ref, {"site": "Osaka"})
    rig.state.human_create({"email": "y@mail.example", KEY: ref.id})
    rig.later()
    assert read_all(rig, moved.cursor).records[ref].values["site"] == "Osaka"


@pytest.mark.parametrize("told", ["each", "one"])
def test_one_leads_activity_is_enough(rig: CompanyRig, told: Any) -> None:
    """Whether all leads tell of a changed company or one of them, it is read once."""
    ref = rig.create(rig.person(1))
    for number in range(5):
        lead(rig, externalCompanyId=ref.id, email=f"n{number}@mail.example")
    rig.state.company_changes = told
    cursor = quiet(rig)
    rig.edit(ref, {"site": "Osaka"})
    rig.later()
    found = read_all(rig, cursor)
    assert [record.values["site"] for record in found.listed] == ["Osaka"]


def test_a_key_with_a_comma_stops_nobody(rig: CompanyRig) -> None:
    """A company whose key cannot be asked for is passed over; looking for it by that key is refused."""
    odd, plain = rig.create(rig.person(1, externalCompanyId="a,b")), rig.create(rig.person(2))
    rig.later()
    assert set(read_all(rig).records) == {plain}
    assert rig.connector.fetch("account", [odd, plain], rig.paths)[0] is None
    with pytest.raises(RequestRefused):
        rig.connector.find("account", "Company", KEY, ["a,b"], rig.paths)


def test_a_path_that_companies_lack_is_named(rig: CompanyRig) -> None:
    """A misspelt field is refused by its name and never read as null."""
    with pytest.raises(RequestRefused, match="no company field 'sitee'"):
        list(rig.connector.changes("account", None, {"Company": ("sitee",)}))
    assert rig.connector.capabilities.find_paths["Company"] == {"id", KEY, "company"}


def test_companies_are_read_in_full_calls(rig: CompanyRig) -> None:
    """Keys are gathered over pages of leads until a call is full, and each window of creation dates ends with all of
    its companies. All of that costs about as many calls as were foretold."""
    refs = {rig.create(rig.person(number)) for number in range(1_010)}
    for number in range(40):
        lead(rig, externalCompanyId="C1", email=f"n{number}@mail.example")
    rig.clock.advance(35 * 86_400.0)
    late = {rig.create(rig.person(2_000 + number)) for number in range(10)}
    rig.later()
    connector = rig.opened()
    said = connector.cost("account", rig.paths, 1_020)
    connector.close()
    rig.state.calls.clear()
    found = read_all(rig)
    assert set(found.records) == refs | late
    assert len(found.listed) == 1_020
    assert rig.state.calls["companies"] == 5
    assert said.jobs == rig.state.calls["extract create"]
    assert abs(said.calls - rig.calls) <= 3, (said, rig.state.calls)
    for stop in range(len(found.pages)):
        before = {record.ref for page in found.pages[: stop + 1] for record in page.records}
        assert before | set(read_all(rig, found.pages[stop].cursor).records) == refs | late


# --- writing ---------------------------------------------------------------------------------------------


def test_companies_are_made_and_changed_under_their_key(rig: CompanyRig) -> None:
    """Creates and updates leave apart, each answered under the key and not under the vendor's number."""
    there = rig.create(rig.person(1))
    outcomes = rig.connector.write(
        "account", [company("C7", company="Seven"), company("C8", company="Eight")]
    )
    assert [(outcome.result, outcome.id) for outcome in outcomes] == [("applied", "C7"), ("applied", "C8")]
    (changed,) = rig.connector.write("account", [update(there, site="Osaka", **{KEY: there.id})])
    assert (changed.result, changed.id) == ("applied", there.id)
    assert rig.stored(there, "site") == "Osaka"


def test_an_existing_company_is_named_as_the_vendor_writes_it(rig: CompanyRig) -> None:
    """The key's letter case is no matter to the vendor; the record bears the vendor's."""
    there = rig.create(rig.person(1, externalCompanyId="Key"))
    (outcome,) = rig.connector.write("account", [company("KEY", company="Other")])
    assert (outcome.result, outcome.id) == ("exists", there.id)
    assert rig.stored(there, "company") == "p1@mail.example"


def test_a_company_keeps_its_key(rig: CompanyRig) -> None:
    """Another key for a company is refused under that field, a company without one under it, too; others go on."""
    there = rig.create(rig.person(1))
    moved, fine = rig.connector.write(
        "account", [update(there, **{KEY: "C9", "site": "Osaka"}), update(there, site="Kobe")]
    )
    assert [(error.path, error.code) for error in moved.errors] == [(KEY, "key_changed")]
    assert (fine.result, rig.stored(there, "site")) == ("applied", "Kobe")
    (nameless,) = rig.connector.write("account", [company("", company="X")])
    assert [(error.path, error.code) for error in nameless.errors] == [(KEY, "no_key")]


def test_a_refused_row_harms_no_other(rig: CompanyRig) -> None:
    """Rows that the vendor skips have their own reasons, those that pass wait; the same key twice is one company."""
    refs = [rig.create(rig.person(number)) for number in range(12)]
    rig.connector.describe("account")
    rig.faults.script += ["row_refused"] * 12
    outcomes = rig.connector.write("account", [update(ref, site="New") for ref in refs])
    assert set(results(outcomes)) <= {"refused", "retry", "gone"}
    assert all(outcome.errors for outcome in outcomes)
    twice = rig.connector.write("account", [company("C90", company="A"), company("C90", company="B")])
    assert results(twice) == ["applied", "retry"]


# --- what leads and companies have in common ---------------------------------------------------------------


def test_company_fields_of_a_member_are_refused_alone(rig: CompanyRig) -> None:
    """The fields that are the company's are refused by name with a sentence, and what is left can be written."""
    ref = rig.create(rig.person(1))
    person = lead(rig, externalCompanyId=ref.id)
    values = {"company": "Own", "corpNo": "1", "title": "Chief"}
    (refused,) = rig.connector.write("person", [update(person, **values)])
    assert [(error.path, error.code) for error in refused.errors] == [("company", "1021"), ("corpNo", "1021")]
    assert "belongs to a company" in refused.errors[0].message
    assert results(rig.connector.write("person", [update(person, title="Chief")])) == ["applied"]
    assert stored(rig, person, "title") == "Chief"


def test_a_company_that_is_not_there_yet_refuses_the_tie_alone(rig: CompanyRig) -> None:
    """A lead that is to join an unknown company is not taken for deleted: that one field waits."""
    person = lead(rig)
    (refused,) = rig.connector.write("person", [update(person, title="Chief", **{KEY: "C404"})])
    assert (refused.result, [error.path for error in refused.errors]) == ("refused", [KEY])
    rig.connector.write("account", [company("C404", company="Late")])
    assert results(rig.connector.write("person", [update(person, **{KEY: "C404"})])) == ["applied"]


# --- beside the vendor's own sync --------------------------------------------------------------------------


def test_a_native_sync_closes_companies_and_says_so(rig: CompanyRig) -> None:
    """Describing tells that companies are closed and what to do; capabilities say so from then on, and no longer once
    the sync is off. Persons are not concerned."""
    rig.state.native_sync = True
    assert rig.connector.capabilities.feeds["account"] is Feed.VIA
    with pytest.raises(RequestRefused, match="CRM sync") as caught:
        rig.connector.describe("account")
    assert (caught.value.code, bool(caught.value.next_step)) == ("1018", True)
    told = rig.connector.capabilities
    assert told.feeds["account"] is Feed.NONE
    assert "1018" in told.read_only["account"]
    assert told.find_paths["Company"] == frozenset()
    assert rig.connector.describe("person")
    rig.state.native_sync = False
    rig.connector.describe("account")
    assert not rig.connector.capabilities.read_only


def test_a_sync_that_is_switched_on_later_is_no_reason_to_stop(rig: CompanyRig) -> None:
    """Reads of companies are refused, each write is with the same words and in one call; persons go on, their company
    fields refused."""
    ref = rig.create(rig.person(1))
    cursor = quiet(rig)
    rig.edit(ref, {"site": "Osaka"})
    rig.later()
    rig.state.native_sync = True
    rig.log.clear()
    outcomes = rig.connector.write("account", [update(ref, site="New")] * 3)
    assert [call.label for call in rig.log] == ["sync companies"]
    assert [(each.result, each.errors[0].code) for each in outcomes] == [("refused", "1018")] * 3
    assert "Next:" in outcomes[0].errors[0].message
    assert "account" in rig.connector.capabilities.read_only
    with pytest.raises(RequestRefused, match="CRM sync"):
        read_all(rig, cursor)
    person = lead(rig)
    rig.state.link_crm(int(person.id), "Contact", "0031", account="0011")
    (refused,) = rig.connector.write("person", [update(person, company="Own", title="Chief")])
    assert [error.path for error in refused.errors] == ["company"]


def test_what_the_flows_need_is_asked_for(rig: CompanyRig) -> None:
    """Companies, lists and campaigns are asked for where a project uses them; closed companies are told as such."""
    everything = ("person", "account", "effect")
    assert all(check.ok for check in rig.connector.probe(everything))
    rig.state.native_sync = True
    wrong = [check for check in rig.connector.probe(everything) if not check.ok]
    assert [check.name for check in wrong] == ["describe companies"]
    assert "CRM sync" in wrong[0].detail
    assert all(check.ok for check in rig.connector.probe())


def test_a_company_that_shows_late_is_read_again(rig: CompanyRig) -> None:
    """Where the leads already tell of a change that look-ups by key do not show yet, the company is read once more as
    soon as they must."""
    ref = rig.create(rig.person(1))
    cursor = quiet(rig)
    rig.faults.script.append("late_visibility")
    rig.edit(ref, {"site": "Osaka"})
    patient = rig.opened(visibility_lag=30.0)
    seen = []
    for _ in range(4):
        rig.clock.advance(12.0)
        found = heard(patient.changes("account", cursor, rig.paths))
        cursor = found.cursor
        seen += [record.values["site"] for record in found.listed]
    assert seen[0] == "Last1"
    assert seen[-1] == "Osaka"
    patient.close()
