"""The fake Marketo beside its own CRM sync: closed objects, CRM ids at the leads, and the rival writer."""

from __future__ import annotations

import random
import threading
import time

import pytest

from simulators.clock import ManualClock
from simulators.faults import Faults
from simulators.marketo.api import MarketoApi
from simulators.marketo.state import MarketoState
from simulators.native import NativeSync, SalesforceCrm
from simulators.salesforce.state import SalesforceState
from tests.support.fake_marketo import Marketo


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands."""
    return ManualClock()


@pytest.fixture
def state(clock: ManualClock) -> MarketoState:
    """Give an instance with the native sync on."""
    return MarketoState(clock, random.Random(1), Faults(random.Random(2)), native_sync=True)


@pytest.fixture
def crm(clock: ManualClock) -> SalesforceState:
    """Give the organisation that it syncs with."""
    return SalesforceState(clock, random.Random(3), Faults(random.Random(4)))


def _linked(state: MarketoState, crm: SalesforceState) -> tuple[int, str]:
    lead = state.human_create({"email": "a@x.example", "lastName": "Sato", "company": "A"})
    record = crm.human_create("Lead", {"Email": "a@x.example", "LastName": "Sato", "Company": "A"})
    state.link_crm(lead, "Lead", record)
    return lead, record


def test_the_crms_objects_are_closed(state: MarketoState, clock: ManualClock) -> None:
    """Companies, opportunities, roles and salespersons answer 1018, leads do not; without a native sync companies
    are open.
    """
    marketo = Marketo(clock=clock, faults=state.faults, state=state, api=MarketoApi(state))
    for method, path in (
        ("GET", "companies.json"),
        ("POST", "companies.json"),
        ("GET", "companies/describe.json"),
        ("POST", "companies/delete.json"),
        ("GET", "opportunities.json"),
        ("POST", "opportunities/roles.json"),
        ("GET", "salespersons/describe.json"),
    ):
        assert marketo.code(method, f"/rest/v1/{path}") == "1018"
    assert marketo.rows("GET", "/rest/v1/leads/describe.json")
    state.native_sync = False
    assert marketo.rows("GET", "/rest/v1/companies/describe.json")
    assert marketo.code("GET", "/rest/v1/opportunities.json") == "610"


def test_crm_ids_are_read_only_and_searchable(state: MarketoState) -> None:
    """A linked lead carries type and ids of its CRM record; they can be filtered by and not written; fields of its
    account are refused with 1021.
    """
    lead = state.human_create({"email": "a@x.example"})
    state.link_crm(lead, "Lead", "00Q1")
    assert state.leads_by("sfdcLeadId", ["00q1"], ("sfdcType",)) == [{"sfdcType": "Lead"}]
    state.link_crm(lead, "Contact", "0031", account="0011")
    names = ("sfdcType", "sfdcLeadId", "sfdcContactId", "sfdcAccountId")
    assert state.lead(lead, names) == {
        "sfdcType": "Contact",
        "sfdcContactId": "0031",
        "sfdcAccountId": "0011",
    }
    for row, code in (({"sfdcType": "Lead"}, "1011"), ({"company": "B"}, "1021"), ({"title": "B"}, None)):
        (outcome,) = state.sync_leads("updateOnly", "id", [{"id": lead, **row}])
        assert outcome.code == code
    assert [entry.actor for entry in state.ledger] == ["human", "native", "native", "api"]


def test_it_copies_both_ways_and_marketo_wins(
    state: MarketoState, crm: SalesforceState, clock: ManualClock
) -> None:
    """What changed goes over at the next run, not before; where both sides changed, Marketo's value stands; its
    commits are `native` in both ledgers.
    """
    lead, record = _linked(state, crm)
    sync = NativeSync(state, SalesforceCrm(crm), every=300)
    sync.run()
    state.human_edit(lead, {"title": "Chief", "phone": "1"})
    crm.human_edit("Lead", record, {"Phone": "2", "FirstName": "Jun"})
    clock.advance(299)
    assert sync.step() == 0
    clock.advance(1)
    assert sync.step() == 3
    assert sync.step() == 0
    assert state.lead(lead, ("title", "phone", "firstName")) == {
        "title": "Chief",
        "phone": "1",
        "firstName": "Jun",
    }
    row = crm.tables["Lead"].rows[record]
    assert (row["Title"], row["Phone"], row["FirstName"]) == ("Chief", "1", "Jun")
    assert (state.ledger[-1].actor, crm.ledger[-1].actor) == ("native", "native")
    assert state.calls == {}


def test_it_writes_over_an_api_client(state: MarketoState, crm: SalesforceState) -> None:
    """It carries on what an API client wrote, and replaces it when the CRM's user changes it afterwards."""
    lead, record = _linked(state, crm)
    sync = NativeSync(state, SalesforceCrm(crm))
    sync.run()
    state.sync_leads("updateOnly", "id", [{"id": lead, "title": "By API", "unsubscribed": True}])
    sync.run()
    assert crm.tables["Lead"].rows[record]["Title"] == "By API"
    assert crm.tables["Lead"].rows[record]["HasOptedOutOfEmail"] is True
    crm.human_edit("Lead", record, {"Title": "By hand"})
    sync.run()
    assert state.lead(lead, ("title",)) == {"title": "By hand"}


def test_what_it_leaves_alone(state: MarketoState, crm: SalesforceState) -> None:
    """Leads without a link, records that are gone, and names that may not be blank stay as they are."""
    lead, record = _linked(state, crm)
    state.human_create({"email": "free@x.example", "title": "Free"})
    sync = NativeSync(state, SalesforceCrm(crm))
    sync.run()
    state.human_edit(lead, {"lastName": None})
    sync.run()
    assert crm.tables["Lead"].rows[record]["LastName"] == "Sato"
    sync.run()
    assert state.lead(lead, ("lastName",)) == {"lastName": "Sato"}
    crm.human_delete("Lead", record)
    state.human_edit(lead, {"title": "Late"})
    assert sync.run() == 0


def test_it_runs_in_the_background(state: MarketoState, crm: SalesforceState) -> None:
    """Started with the vendors' locks it runs by itself until it is stopped."""
    lead, record = _linked(state, crm)
    state.human_edit(lead, {"title": "Chief"})
    lock = threading.Lock()
    sync = NativeSync(state, SalesforceCrm(crm), every=0.01)
    sync.start(lock)
    until = time.monotonic() + 5
    while crm.tables["Lead"].rows[record]["Title"] != "Chief" and time.monotonic() < until:
        time.sleep(0.01)
    sync.stop()
    assert crm.tables["Lead"].rows[record]["Title"] == "Chief"
    state.human_edit(lead, {"title": "Later"})
    time.sleep(0.05)
    assert crm.tables["Lead"].rows[record]["Title"] == "Chief"
