"""An opt-out reaches every record of the person, waits for nothing, and is never taken back by us."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.record import Ref
from sync.rules import ActionKind, Limit, Rules
from tests.support.town import MARKETO, SALESFORCE, Town

ADDRESS = "hanako@firm.example"
TOPICS = [("unsubscribed", "HasOptedOutOfEmail"), ("optOutSeminar", "Opt_Out_Seminar__c")]


def pair(town: Town, address: str = ADDRESS) -> tuple[Ref, Ref]:
    """One linked person at rest."""
    lead = town.lead(email=address, lastName="Ito", leadScore=80)
    record = town.record(Email=address, LastName="Ito")
    town.open()
    return lead, record


def withdrawn(town: Town) -> list[object]:
    """Everything that we ever turned from opted out to not."""
    paths = {path for topic in TOPICS for path in topic}
    return [
        entry
        for entry in town.api_entries
        for path, (old, new) in entry.changes.items()
        if path in paths and old is True and new is not True
    ]


def no_creates(rules: Rules) -> Rules:
    """The preset with brakes that nothing but an opt-out passes."""
    nothing = Limit(number=0, share=0.0)
    return replace(rules, limits={**rules.limits, ActionKind.CREATE: nothing, ActionKind.UPDATE: nothing})


@pytest.mark.parametrize(("ma", "sfa"), TOPICS)
def test_an_opt_out_crosses_from_either_side(town: Town, ma: str, sfa: str) -> None:
    """Each topic, set true by a person on one side, is true on the other one a cycle later."""
    lead, record = pair(town)
    other, other_record = pair(town, "taro@firm.example")
    town.edit(lead, **{ma: True})
    town.edit(other_record, **{sfa: True})
    town.cycle()
    assert town.value(record, sfa) is True
    assert town.value(other, ma) is True


def test_opt_outs_flow_while_a_brake_holds_everything_else(tmp_path: Path) -> None:
    """With brakes on creates and updates, newcomers wait and are counted, and the opt-out goes out at once."""
    with Town(tmp_path, no_creates) as town:
        lead, record = pair(town)
        for number in range(5):
            town.lead(email=f"p{number}@firm.example", lastName="Mori", leadScore=80)
        town.edit(lead, unsubscribed=True, title="Buyer")
        report = town.cycle()
        assert sorted(brake.action for brake in report.brakes) == ["create", "update"]
        assert town.value(record, "HasOptedOutOfEmail") is True
        assert town.value(record, "Title") is None
        assert town.live(SALESFORCE) == [record]


def test_an_opt_out_at_a_twin_reaches_everybody(town: Town) -> None:
    """True on a second lead of the person becomes true on the leading lead and at sales."""
    lead, record = pair(town)
    twin = town.lead(email=ADDRESS, lastName="Ito")
    town.quiet()
    town.edit(twin, unsubscribed=True)
    town.quiet()
    assert town.value(record, "HasOptedOutOfEmail") is True
    assert town.value(lead, "unsubscribed") is True


def test_an_opt_out_reaches_a_twin(town: Town) -> None:
    """Twins are never written, except that they are opted out too."""
    _lead, record = pair(town)
    twin = town.lead(email=ADDRESS, lastName="Ito")
    town.quiet()
    town.edit(record, HasOptedOutOfEmail=True)
    town.quiet()
    assert town.value(twin, "unsubscribed") is True


def test_an_opt_out_crosses_between_records_that_are_not_linked(town: Town) -> None:
    """A desk's address links nobody, and still whoever opts out under it is opted out on both sides."""
    lead = town.lead(email="info@firm.example", lastName="Ito")
    record = town.record(Email="info@firm.example", LastName="Mori")
    town.open()
    assert town.entity(lead) != town.entity(record)
    town.edit(lead, unsubscribed=True)
    town.quiet()
    assert town.value(record, "HasOptedOutOfEmail") is True
    assert town.value(record, "LastName") == "Mori"


def test_an_opt_out_between_verify_and_write_survives_the_write(town: Town) -> None:
    """A person opts out at sales just before our update of the title arrives: it stays, and crosses."""
    lead, record = pair(town)
    town.edit(lead, title="Buyer")
    town.before(SALESFORCE, "write", lambda: town.edit(record, HasOptedOutOfEmail=True))
    town.quiet()
    assert town.value(record, "HasOptedOutOfEmail") is True
    assert town.value(lead, "unsubscribed") is True
    assert town.value(record, "Title") == "Buyer"
    assert withdrawn(town) == []


def test_an_opt_out_while_the_person_is_created_crosses(town: Town) -> None:
    """Somebody opts out at marketing after the create was decided: the new record is opted out one cycle later."""
    town.open()
    lead = town.lead(email=ADDRESS, lastName="Ito", leadScore=80)
    town.before(SALESFORCE, "create", lambda: town.edit(lead, unsubscribed=True))
    town.quiet()
    (record,) = town.live(SALESFORCE)
    assert town.value(record, "HasOptedOutOfEmail") is True


def test_who_is_opted_out_is_created_opted_out(town: Town) -> None:
    """A newcomer who has opted out has opted out from the first moment on at the other side."""
    town.open()
    town.lead(email=ADDRESS, lastName="Ito", leadScore=80, unsubscribed=True)
    town.quiet()
    (record,) = town.live(SALESFORCE)
    assert town.value(record, "HasOptedOutOfEmail") is True
    assert town.writes_to(record)[0].changes["HasOptedOutOfEmail"] == (None, True)


def test_a_stale_false_at_the_first_sync_becomes_true(town: Town) -> None:
    """Opted out on one side only when the two are linked: both sides end opted out, whichever it was."""
    town.lead(email="a@firm.example", lastName="Ito", unsubscribed=True)
    town.record(Email="a@firm.example", LastName="Ito")
    town.lead(email="b@firm.example", lastName="Mori")
    town.record(Email="b@firm.example", LastName="Mori", HasOptedOutOfEmail=True)
    town.open()
    assert [town.value(ref, "unsubscribed") for ref in town.live(MARKETO)] == [True, True]
    assert [town.value(ref, "HasOptedOutOfEmail") for ref in town.live(SALESFORCE)] == [True, True]


def test_sales_cannot_take_an_opt_out_back(town: Town) -> None:
    """A false typed at the side that is no authority is set true again, and nothing else happens."""
    lead, record = pair(town)
    town.edit(lead, unsubscribed=True)
    town.quiet()
    town.edit(record, HasOptedOutOfEmail=False)
    town.quiet()
    assert town.value(record, "HasOptedOutOfEmail") is True
    assert town.value(lead, "unsubscribed") is True
    assert town.holds(lead) == []


def test_the_authority_is_asked_for_evidence(town: Town) -> None:
    """A false typed at the authority stands there, is asked about, and changes nothing at sales."""
    lead, record = pair(town)
    town.edit(lead, unsubscribed=True)
    town.quiet()
    town.edit(lead, unsubscribed=False)
    town.quiet()
    assert town.value(record, "HasOptedOutOfEmail") is True
    assert town.value(lead, "unsubscribed") is False
    assert [hold.kind for hold in town.holds(lead)] == ["consent"]


def test_a_marketo_merge_that_loses_the_opt_out_is_put_right(town: Town) -> None:
    """Marketo keeps the winner's false when it merges: the person had opted out, so the winner and its counterpart
    at sales are set true."""
    lead, record = pair(town)
    loser = town.lead(email="hanako.old@firm.example", lastName="Ito", unsubscribed=True)
    town.quiet()
    town.merge(lead, loser)
    assert town.value(lead, "unsubscribed") is False
    town.quiet()
    assert town.value(lead, "unsubscribed") is True
    assert town.value(record, "HasOptedOutOfEmail") is True


def test_a_conversion_that_loses_the_opt_out_is_put_right(town: Town) -> None:
    """A lead that had opted out is converted into a contact that had not: the contact is set true."""
    lead, record = pair(town)
    town.edit(lead, unsubscribed=True)
    town.quiet()
    contact = town.record("Contact", LastName="Ito", Email="other@firm.example")
    town.convert(record, contact)
    assert town.value(contact, "HasOptedOutOfEmail") is False
    town.quiet()
    assert town.value(contact, "HasOptedOutOfEmail") is True


@pytest.mark.parametrize("kind", ["lost_after_commit", "dropped_before", "server_error", "rate_limited"])
def test_an_opt_out_survives_a_request_that_is_lost(town: Town, kind: str) -> None:
    """Setting true twice is harmless, so whatever becomes of the request, the opt-out arrives."""
    lead, record = pair(town)
    town.edit(lead, unsubscribed=True)
    town.strike(SALESFORCE, kind)
    town.quiet()
    assert town.value(record, "HasOptedOutOfEmail") is True
    assert withdrawn(town) == []


def test_an_opt_out_outlives_the_record_that_said_it(town: Town) -> None:
    """The lead opts out and is deleted before sales could be reached: sales' record is opted out all the same."""
    lead, record = pair(town)
    town.edit(lead, unsubscribed=True)
    town.strike(SALESFORCE, "rate_limited")
    town.cycle()
    assert town.value(record, "HasOptedOutOfEmail") is False
    town.delete(lead)
    town.wait()
    town.quiet()
    assert town.value(record, "HasOptedOutOfEmail") is True
