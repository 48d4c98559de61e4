"""What people do, what becomes visible when, and the faults inside the organisation."""

from __future__ import annotations

import pytest

from simulators.salesforce.directory import HUMAN_USERS
from simulators.salesforce.stamps import seconds_of
from simulators.salesforce.state import SalesforceState
from tests.support.fake_salesforce import START, advance, lead, organisation, soql


def _leads(state: SalesforceState, count: int) -> list[str]:
    return [state.human_create("Lead", lead(number)) for number in range(count)]


def test_a_merge_leaves_a_pointer_and_chains() -> None:
    """Checklist: merge. The loser is deleted and names the winner; the winner's stamp moves; chains can be followed."""
    state = organisation()
    one, two, three = _leads(state, 3)
    advance(state, 1)
    assert state.human_merge("Lead", two, one, {"Phone": "03"}) == two
    state.human_merge("Lead", three, two)
    rows = soql(state, "SELECT Id, IsDeleted, MasterRecordId FROM Lead ORDER BY Id", deleted=True)
    assert [(row["IsDeleted"], row["MasterRecordId"]) for row in rows] == [
        (True, two),
        (True, three),
        (False, None),
    ]
    merges = [entry for entry in state.ledger if entry.verb == "merge"]
    assert [(entry.id, entry.into) for entry in merges] == [(one, two), (two, three)]
    assert len(state.changed_since("Lead", f"{'2026-11-22T00:00:00.999+0000'}")) == 3


def test_merged_accounts_hand_over_their_contacts() -> None:
    """Children of the losing account move to the winner, with new stamps."""
    state = organisation()
    contact = state.human_convert(_leads(state, 1)[0])
    loser = state.tables["Contact"].rows[contact]["AccountId"]
    winner = state.human_create("Account", {"Name": "Winner"})
    advance(state, 1)
    state.human_merge("Account", winner, loser)
    (row,) = soql(state, "SELECT AccountId, SystemModstamp FROM Contact")
    assert row == {"AccountId": winner, "SystemModstamp": "2026-11-22T00:00:01.000+0000"}


def test_undelete_and_hard_delete() -> None:
    """A restored record keeps its id but not a unique value taken meanwhile; an erased one is in no query."""
    state = organisation()
    one, two = _leads(state, 2)
    state.human_delete("Lead", one)
    state.human_edit("Lead", two, {"Marketo_Id__c": "1000"})
    state.human_undelete("Lead", one)
    assert soql(state, "SELECT Id, Marketo_Id__c FROM Lead WHERE Marketo_Id__c = null") == [
        {"Id": one, "Marketo_Id__c": None}
    ]
    state.human_hard_delete("Lead", two)
    assert [row["Id"] for row in soql(state, "SELECT Id FROM Lead", deleted=True)] == [one]
    assert [key for _, key in state.table("Lead").deleted_log] == [one, two]


def test_the_recycle_bin_is_emptied_after_fifteen_days() -> None:
    """queryAll shows a deleted record for 15 days; one that was restored in between stays."""
    state = organisation()
    one, two = _leads(state, 2)
    state.human_delete("Lead", one)
    state.human_delete("Lead", two)
    advance(state, 60)
    state.human_undelete("Lead", two)
    advance(state, 14 * 86_400)
    assert len(soql(state, "SELECT Id FROM Lead", deleted=True)) == 2
    advance(state, 2 * 86_400)
    assert [row["Id"] for row in soql(state, "SELECT Id FROM Lead", deleted=True)] == [two]


def test_a_conversion_makes_contact_and_account_and_seals_the_lead() -> None:
    """Checklist: conversion. Mapped custom fields pass, the lead points to what it became and cannot be written."""
    state = organisation()
    key = state.human_create("Lead", lead(0, Country="日本", MA_Score__c=70, HasOptedOutOfEmail=True))
    contact = state.human_convert(key)
    (made,) = soql(
        state,
        "SELECT LastName, Email, MailingCountry, MA_Score__c, Marketo_Id__c, HasOptedOutOfEmail, Account.Name "
        "FROM Contact",
    )
    assert made["MailingCountry"] == "日本"
    assert (made["MA_Score__c"], made["Marketo_Id__c"], made["HasOptedOutOfEmail"]) == (70.0, "1000", True)
    assert made["Account"]["Name"] == "Company 0"
    (row,) = soql(state, "SELECT IsConverted, ConvertedDate, ConvertedContactId, Status FROM Lead")
    assert row == {
        "IsConverted": True,
        "ConvertedDate": "2026-11-22",
        "ConvertedContactId": contact,
        "Status": "Closed - Converted",
    }
    (result,) = state.update("Lead", [{"Id": key, "Phone": "03"}])
    assert result.errors[0].code == "CANNOT_UPDATE_CONVERTED_LEAD"
    (result,) = state.upsert("Lead", "Marketo_Id__c", [lead(0)])
    assert result.errors[0].code == "CANNOT_UPDATE_CONVERTED_LEAD"
    with pytest.raises(ValueError, match="converted"):
        state.human_edit("Lead", key, {"Phone": "03"})
    converts = [entry for entry in state.ledger if entry.verb == "convert"]
    assert [(entry.id, entry.into) for entry in converts] == [(key, contact)]


def test_a_conversion_into_a_contact_fills_only_what_is_empty() -> None:
    """An existing contact keeps its values; a flag that is false is not empty, so the lead's opt-out is lost."""
    state = organisation()
    key = state.human_create("Lead", lead(0, Phone="03", HasOptedOutOfEmail=True))
    contact = state.human_create("Contact", {"LastName": "Kept", "Title": "CEO"})
    assert state.human_convert(key, contact=contact) == contact
    row = state.by_ids("Contact", [contact])[0]
    assert row is not None
    assert (row["LastName"], row["Title"], row["Phone"]) == ("Kept", "CEO", "03")
    assert row["HasOptedOutOfEmail"] is False


def test_people_cannot_do_what_makes_no_sense() -> None:
    """A wrong move of a test or scenario is an error at once, not a silent nothing."""
    state = organisation()
    key = state.human_create("Lead", lead(0))
    with pytest.raises(ValueError, match="INVALID_EMAIL_ADDRESS"):
        state.human_edit("Lead", key, {"Email": "bad"})
    with pytest.raises(ValueError, match="taken"):
        state.human_create("Lead", lead(0))
    with pytest.raises(ValueError, match="merged"):
        state.human_merge("Lead", key, key)
    with pytest.raises(ValueError, match="recycle bin"):
        state.human_undelete("Lead", key)
    assert len(state.ledger) == 1


def test_a_system_process_moves_only_the_system_stamp() -> None:
    """SystemModstamp moves without an edit; LastModifiedDate and the ledger do not."""
    state = organisation()
    (key,) = _leads(state, 1)
    advance(state, 3)
    state.system_touch("Lead", key)
    (row,) = soql(state, "SELECT SystemModstamp, LastModifiedDate FROM Lead")
    assert row["SystemModstamp"] > row["LastModifiedDate"]
    assert len(state.ledger) == 1


def test_a_delayed_commit_appears_behind_the_cursor() -> None:
    """Checklist: delayed-commit injector. A long transaction becomes visible later under its older stamp."""
    state = organisation()
    (one,) = _leads(state, 1)
    late = state.human_create("Lead", lead(7), commit_delay=120)
    state.human_edit("Lead", one, {"Phone": "1"}, commit_delay=120)
    advance(state, 60)
    state.human_edit("Lead", state.human_create("Lead", lead(8)), {"Phone": "2"})
    cursor = state.changed_since("Lead")[-1]["SystemModstamp"]
    assert late not in {row["Id"] for row in soql(state, "SELECT Id FROM Lead")}
    assert soql(state, "SELECT Phone FROM Lead WHERE Email = 'person0@mail.example'") == [{"Phone": None}]
    assert state.by_ids("Lead", [late])[0] is not None
    advance(state, 61)
    seen = {row["Id"]: row["SystemModstamp"] for row in state.changed_since("Lead")}
    assert seen[late] < cursor
    assert state.changed_since("Lead", cursor, "zzz") == []
    assert soql(state, f"SELECT Phone FROM Lead WHERE Id = '{one}'") == [{"Phone": "1"}]


def test_late_visibility_hides_a_write_from_queries_but_not_from_ids_and_keys() -> None:
    """A committed write is missing from feeds and queries for up to the lag; reads by id and unique key see it."""
    state = organisation({"late_visibility": 1.0})
    (result,) = state.create("Lead", [lead(0)])
    assert state.changed_since("Lead") == []
    assert soql(state, "SELECT Id FROM Lead WHERE Email = 'person0@mail.example'") == []
    assert soql(state, f"SELECT Id FROM Lead WHERE Id = '{result.id}'") == [{"Id": result.id}]
    assert soql(state, "SELECT Id FROM Lead WHERE Marketo_Id__c = '1000'") == [{"Id": result.id}]
    assert state.upsert("Lead", "Marketo_Id__c", [lead(0)])[0].id == result.id
    advance(state, state.visibility_lag)
    assert [row["Id"] for row in state.changed_since("Lead")] == [result.id]
    assert soql(state, "SELECT Id FROM Lead WHERE Email = 'person0@mail.example'") == [{"Id": result.id}]


def test_a_hidden_change_of_email_is_found_under_the_old_one() -> None:
    """Queries see the version before the hidden write, also through the index of e-mail addresses."""
    state = organisation()
    (key,) = _leads(state, 1)
    state.human_edit("Lead", key, {"Email": "new@mail.example"}, commit_delay=10)
    assert soql(state, "SELECT Id FROM Lead WHERE Email = 'person0@mail.example'") == [{"Id": key}]
    assert soql(state, "SELECT Id FROM Lead WHERE Email = 'new@mail.example'") == []
    assert [row["Id"] for row in state.find("Lead", "Email", ["person0@mail.example"])] == [key]


def test_whatever_the_faults_a_stamp_is_visible_within_the_lag() -> None:
    """With equal stamps and late visibility at once, a reader that overlaps by the lag misses nothing."""
    state = organisation({"late_visibility": 0.5, "equal_stamps": 0.7})
    keys = _leads(state, 4)
    versions: dict[str, float] = {}
    for number in range(200):
        key = keys[number % 4]
        state.human_edit("Lead", key, {"Phone": str(number)})
        versions[key] = seconds_of(state.tables["Lead"].rows[key]["SystemModstamp"])
        advance(state, 0.05 + state.rng.random() * 0.3)
        now = state.clock.now()
        seen = {row["Id"]: row["Phone"] for row in state.changed_since("Lead")}
        for other, stamped in versions.items():
            if now - stamped >= state.visibility_lag:
                assert seen[other] == state.tables["Lead"].rows[other]["Phone"]
    assert state.faults.fired["late_visibility"] > 20
    assert state.faults.fired["equal_stamps"] > 20


def test_equal_stamps_share_a_moment() -> None:
    """Several commits carry one stamp although time went on; every row is still walked once."""
    state = organisation({"equal_stamps": 1.0})
    for number in range(5):
        state.create("Lead", [lead(number)])
        advance(state, 0.1)
    assert {row["SystemModstamp"] for row in state.changed_since("Lead")} == {"2026-11-22T00:00:00.000+0000"}
    assert len(state.changed_since("Lead")) == 5
    advance(state, 5)
    state.create("Lead", [lead(9)])
    assert state.changed_since("Lead")[-1]["SystemModstamp"] > "2026-11-22T00:00:05"


def test_a_row_may_be_locked_or_refused_by_a_rule() -> None:
    """Checklist: lock-row injector. One row of a batch fails with a lock or a validation rule, people are spared."""
    state = organisation({"row_refused": 0.5})
    results = state.create("Lead", [lead(number) for number in range(40)])
    codes = {result.errors[0].code for result in results if not result.success}
    assert codes == {"UNABLE_TO_LOCK_ROW", "FIELD_CUSTOM_VALIDATION_EXCEPTION"}
    assert 5 < sum(result.success for result in results) < 35
    assert all(state.human_create("Lead", lead(number)) for number in range(50, 60))


def test_a_field_may_be_ignored_and_a_value_altered() -> None:
    """An API write may silently keep an old value or store another; keys, required fields and people are spared."""
    state = organisation()
    (result,) = state.create("Lead", [lead(0, Phone="03-1111")])
    state.faults.set("ignored_field", 1.0)
    state.update("Lead", [{"Id": result.id, "Phone": "06-2222"}])
    assert state.ledger[-1].changes == {}
    (made,) = state.upsert("Lead", "Marketo_Id__c", [lead(1, Email=None, FirstName=None)])
    assert made.success
    state.faults.quiet()
    state.faults.set("altered_value", 1.0)
    state.update("Lead", [{"Id": result.id, "Phone": "06-2222"}])
    assert state.ledger[-1].changes == {"Phone": ("03-1111", "(06) 2222")}
    state.human_edit("Lead", result.id or "", {"Title": "  kacho  "}, user=HUMAN_USERS[0])
    assert state.ledger[-1].changes == {"Title": (None, "  kacho  ")}
    assert state.ledger[-1].time == START


def test_the_same_seed_gives_the_same_run() -> None:
    """A run can be repeated: seed and calls decide ids, stamps, faults and values."""

    def run() -> list[object]:
        state = organisation(
            {"row_refused": 0.2, "altered_value": 0.3, "late_visibility": 0.3, "equal_stamps": 0.3}
        )
        key = state.human_create("Lead", lead(99))
        for number in range(60):
            state.upsert("Lead", "Marketo_Id__c", [lead(number % 20, Title=f" t{number}")])
            state.human_edit("Lead", key, {"Phone": str(number)})
            advance(state, 0.2)
        return [*state.ledger, *state.changed_since("Lead")]

    assert run() == run()
