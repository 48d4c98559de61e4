"""What the API may write: field rules, unique keys, upserts, duplicate rules, all-or-none."""

from __future__ import annotations

import time
from typing import Any

import pytest

from simulators.salesforce.directory import API_USER, HUMAN_USERS, QUEUE_USER
from simulators.salesforce.errors import RequestError
from simulators.salesforce.state import SalesforceState
from simulators.salesforce.writes import Options
from tests.support.fake_salesforce import advance, lead, organisation


@pytest.fixture
def state() -> SalesforceState:
    """An organisation without records."""
    return organisation()


def _one(state: SalesforceState, **values: Any) -> str:
    (result,) = state.create("Lead", [lead(0, **values)])
    assert result.id is not None
    return result.id


def _row(state: SalesforceState, key: str, name: str = "Lead") -> Any:
    (row,) = state.by_ids(name, [key], deleted=True)
    assert row is not None
    return row


def test_a_created_row_is_complete(state: SalesforceState) -> None:
    """Defaults, stamps, owner and last writer are filled by the organisation."""
    row = _row(state, _one(state))
    assert row["Name"] == "First0 Last0"
    assert row["Status"] == "Open - Not Contacted"
    assert row["HasOptedOutOfEmail"] is False
    assert row["OwnerId"] == row["LastModifiedById"] == row["CreatedById"] == API_USER
    assert row["SystemModstamp"] == row["CreatedDate"] == "2026-11-22T00:00:00.000+0000"


@pytest.mark.parametrize(
    ("values", "code", "fields"),
    [
        ({"LastName": ""}, "REQUIRED_FIELD_MISSING", ("LastName",)),
        ({"Company": None, "LastName": None}, "REQUIRED_FIELD_MISSING", ("LastName", "Company")),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG", ("FirstName",)),
        ({"Email": "ａ@mail.example"}, "INVALID_EMAIL_ADDRESS", ("Email",)),
        ({"Email": "dot.@mail.example"}, "INVALID_EMAIL_ADDRESS", ("Email",)),
        ({"Email": "a@nowhere"}, "INVALID_EMAIL_ADDRESS", ("Email",)),
        ({"Industry": "製造業"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ("Industry",)),
        ({"MA_Score__c": 10**18}, "NUMBER_OUTSIDE_VALID_RANGE", ("MA_Score__c",)),
        ({"OwnerId": "0055g0000000099AAA"}, "INVALID_CROSS_REFERENCE_KEY", ("OwnerId",)),
        ({"OwnerId": "somebody"}, "MALFORMED_ID", ("OwnerId",)),
        ({"IsConverted": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ("IsConverted",)),
    ],
)
def test_a_bad_value_refuses_its_row_alone(
    state: SalesforceState, values: dict[str, Any], code: str, fields: tuple[str, ...]
) -> None:
    """The row is refused with the vendor's code and the fields at fault; the row beside it is saved."""
    bad, good = state.create("Lead", [lead(0, **values), lead(1)])
    assert not bad.success
    assert (bad.errors[0].code, bad.errors[0].fields) == (code, fields)
    assert good.success
    assert len(state.table("Lead").rows) == 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Nope__c": 1}, "INVALID_FIELD"),
        ({"HasOptedOutOfEmail": "perhaps"}, "JSON_PARSER_ERROR"),
        ({"LastName": ["a"]}, "JSON_PARSER_ERROR"),
        ({"MA_Score__c": "many"}, "JSON_PARSER_ERROR"),
    ],
)
def test_an_unknown_field_or_wrong_json_type_refuses_the_whole_call(
    state: SalesforceState, values: dict[str, Any], code: str
) -> None:
    """Schema drift is seen at once: nothing of the call is executed."""
    with pytest.raises(RequestError) as refusal:
        state.create("Lead", [lead(1), lead(0, **values)])
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert state.table("Lead").rows == {}


def test_an_unrestricted_picklist_takes_anything(state: SalesforceState) -> None:
    """Only restricted picklists refuse unknown values, and an administrator may change which are."""
    assert _row(state, _one(state, LeadSource="Trade show"))["LeadSource"] == "Trade show"
    state.alter_field("Lead", "Industry", restricted=False)
    (result,) = state.create("Lead", [lead(1, Industry="製造業")])
    assert result.success


def test_numbers_are_rounded_and_empty_text_is_null(state: SalesforceState) -> None:
    """A field without decimals rounds half up; an empty text is stored as null."""
    row = _row(state, _one(state, MA_Score__c=41.5, Phone=""))
    assert (row["MA_Score__c"], row["Phone"]) == (42.0, None)


def test_a_unique_value_names_its_holder(state: SalesforceState) -> None:
    """DUPLICATE_VALUE carries the id of the record that has the value; case is not told."""
    key = _one(state, Marketo_Id__c="AbC")
    (result,) = state.create("Lead", [lead(1, Marketo_Id__c="aBc")])
    assert result.errors[0].code == "DUPLICATE_VALUE"
    wanted = f"duplicate value found: Marketo_Id__c duplicates value on record with id: {key[:15]}"
    assert result.errors[0].message == wanted
    state.delete("Lead", [key])
    assert state.create("Lead", [lead(1, Marketo_Id__c="aBc")])[0].success


def test_an_upsert_creates_once_and_updates_afterwards(state: SalesforceState) -> None:
    """External Id upsert is the idempotency device: sent twice, there is one record."""
    first = state.upsert("Lead", "Marketo_Id__c", [lead(0), lead(1)])
    again = state.upsert("Lead", "Marketo_Id__c", [lead(1, Phone="03"), lead(2)])
    assert [result.created for result in first + again] == [True, True, False, True]
    assert again[0].id == first[1].id
    assert len(state.table("Lead").rows) == 3


def test_an_upsert_needs_its_key_once_per_call(state: SalesforceState) -> None:
    """A missing key and a key sent twice are row errors; a field that is no external id refuses the call."""
    rows = [lead(0), {**lead(1), "Marketo_Id__c": "1000"}, lead(2), {"LastName": "x", "Company": "y"}]
    results = state.upsert("Lead", "Marketo_Id__c", rows)
    assert [result.success for result in results] == [False, False, True, False]
    assert results[0].errors[0].code == "DUPLICATE_VALUE"
    assert results[3].errors[0].code == "MISSING_ARGUMENT"
    with pytest.raises(RequestError, match="external ID"):
        state.upsert("Lead", "Phone", [lead(3)])


def test_an_external_id_that_is_not_unique_may_match_several(state: SalesforceState) -> None:
    """Without `unique` two records may share a key, and an upsert on it is refused."""
    state.alter_field("Lead", "Marketo_Id__c", unique=False)
    state.create("Lead", [lead(0), {**lead(1), "Marketo_Id__c": "1000"}])
    (result,) = state.upsert("Lead", "Marketo_Id__c", [lead(0)])
    assert result.errors[0].code == "DUPLICATE_EXTERNAL_ID"


def test_an_update_finds_what_is_gone(state: SalesforceState) -> None:
    """Deleted, unknown and malformed ids are told apart."""
    key = _one(state)
    state.delete("Lead", [key])
    sent = [{"Id": key}, {"Id": "00Q5g0000000999"}, {"Id": "0035g0000000999"}, {"Phone": "1"}]
    codes = [result.errors[0].code for result in state.update("Lead", sent)]
    assert codes == ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "MISSING_ARGUMENT"]
    assert state.delete("Lead", [key])[0].errors[0].code == "ENTITY_IS_DELETED"


def test_an_update_with_equal_values_still_moves_the_stamps(state: SalesforceState) -> None:
    """The vendor bumps both stamps for a write that changes nothing."""
    key = _one(state)
    advance(state, 5)
    state.update("Lead", [{"id": key, "Phone": None}])
    row = _row(state, key)
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-11-22T00:00:05.000+0000"
    assert state.ledger[-1].changes == {}


def test_who_wrote_last_is_told(state: SalesforceState) -> None:
    """LastModifiedById separates the integration user from people."""
    key = _one(state)
    state.human_edit("Lead", key, {"Phone": "03"})
    assert _row(state, key)["LastModifiedById"] in HUMAN_USERS
    state.update("Lead", [{"Id": key, "Phone": "04"}])
    assert _row(state, key)["LastModifiedById"] == API_USER


def test_assignment_rules_take_the_owner_unless_switched_off(state: SalesforceState) -> None:
    """With lead assignment on, create and update alike give the lead to the rule's owner."""
    key = _one(state, OwnerId=HUMAN_USERS[0])
    assert _row(state, key)["OwnerId"] == HUMAN_USERS[0]
    state.update("Lead", [{"Id": key, "Phone": "03"}], Options(auto_assign=True))
    assert _row(state, key)["OwnerId"] == QUEUE_USER
    state.switches.assignment_rule = False
    state.update("Lead", [{"Id": key, "OwnerId": HUMAN_USERS[1]}], Options(auto_assign=True))
    assert _row(state, key)["OwnerId"] == HUMAN_USERS[1]


@pytest.mark.parametrize(("mode", "allowed"), [("alert", True), ("block", False)])
def test_duplicate_rules_alert_or_block(state: SalesforceState, mode: str, *, allowed: bool) -> None:
    """A rule in alert mode can be overruled by the request, one in block mode cannot; matches span both objects."""
    key = _one(state)
    contact = state.human_create("Contact", {"LastName": "Same", "Email": "PERSON0@mail.example"})
    state.switches.duplicate_rules["Lead"] = mode
    twin = lead(1, Email="Person0@mail.example")
    (result,) = state.create("Lead", [twin])
    assert result.errors[0].code == "DUPLICATES_DETECTED"
    assert result.errors[0].matches == (("Lead", key), ("Contact", contact))
    (again,) = state.create("Lead", [twin], Options(allow_duplicates=True))
    assert again.success is allowed
    assert state.update("Lead", [{"Id": key, "Email": "PERSON0@mail.example"}])[0].success


def test_all_or_none_leaves_nothing_behind(state: SalesforceState) -> None:
    """One bad row undoes the good ones: rows, unique keys, feed, ledger; they are named as rolled back."""
    key = _one(state)
    before = (dict(state.table("Lead").rows), list(state.ledger), state.changed_since("Lead"))
    advance(state, 1)
    rows = [lead(1), {**lead(2), "Email": "bad"}]
    results = state.create("Lead", rows, Options(all_or_none=True))
    assert [result.errors[0].code for result in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INVALID_EMAIL_ADDRESS",
    ]
    state.update("Lead", [{"Id": key, "Phone": "1"}, {"Id": key, "Email": "x"}], Options(all_or_none=True))
    assert (dict(state.table("Lead").rows), list(state.ledger), state.changed_since("Lead")) == before
    assert state.create("Lead", [lead(1)])[0].success
    assert [row["Id"] for row in state.changed_since("Lead")] == sorted(state.table("Lead").rows)


def test_the_ledger_knows_every_write(state: SalesforceState) -> None:
    """Each committed row stands in the ledger with old and new values; refused rows do not."""
    key = _one(state, Phone="03")
    state.update("Lead", [{"Id": key, "Phone": "04"}, {"Id": key, "Email": "bad"}])
    state.delete("Lead", [key])
    assert [(e.seq, e.verb, e.actor) for e in state.ledger] == [
        (1, "create", "api"),
        (2, "update", "api"),
        (3, "delete", "api"),
    ]
    assert state.ledger[0].changes["Phone"] == (None, "03")
    assert state.ledger[1].changes == {"Phone": ("03", "04")}
    assert state.ledger[2].changes == {"IsDeleted": (False, True)}
    assert state.writes == {"create": 1, "update": 1, "delete": 1}
    assert state.calls == {"create": 1, "update": 1, "delete": 1}


def test_reads_in_process_page_by_stamp_and_id(state: SalesforceState) -> None:
    """`changed_since` walks every row once over pages, although many share a stamp."""
    state.create("Lead", [lead(number) for number in range(25)])
    seen: list[str] = []
    stamp, key = "", ""
    while page := state.changed_since("Lead", stamp, key, 10):
        seen += [row["Id"] for row in page]
        stamp, key = page[-1]["SystemModstamp"], page[-1]["Id"]
    assert seen == state.table("Lead").ids
    assert [row["Id"] for row in state.find("Lead", "Email", ["PERSON3@mail.example"])] == [seen[3]]
    assert [row["Id"] for row in state.find("Lead", "LastName", ["last4"])] == [seen[4]]
    assert state.by_ids("Lead", [seen[5][:15], "00Q5g0000000999"])[1] is None


def test_an_organisation_is_cheap() -> None:
    """Simulations make thousands of organisations; one costs far less than a millisecond."""
    started = time.perf_counter()
    for _ in range(200):
        organisation()
    assert (time.perf_counter() - started) / 200 < 0.001
