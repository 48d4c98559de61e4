"""Collections of records, and the resources that list updated and deleted ids, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.salesforce.stamps import stamp
from tests.support.fake_salesforce import BASE, START, Rig, advance, lead, served

COLLECTION = f"{BASE}/composite/sobjects"


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Serve a quiet organisation with a client logged in."""
    with served() as running:
        yield running


def _typed(row: dict[str, Any], kind: str = "Lead") -> dict[str, Any]:
    return {"attributes": {"type": kind}, **row}


def _contact(number: int) -> dict[str, Any]:
    return _typed({"LastName": f"Contact{number}"}, "Contact")


def test_a_collection_answers_200_with_a_result_per_row(rig: Rig) -> None:
    """Checklist: collections rows. Mixed types, in order, errors with `statusCode`, whatever failed."""
    sent = [_typed(lead(0)), _typed(lead(1, Email="bad")), _contact(0)]
    answer = rig.http.post(COLLECTION, json={"allOrNone": False, "records": sent})
    assert answer.status_code == 200
    first, second, third = answer.json()
    assert first == {"id": first["id"], "success": True, "errors": []}
    assert second == {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_EMAIL_ADDRESS",
                "message": "Email: invalid email address: bad",
                "fields": ["Email"],
            }
        ],
    }
    assert third["id"].startswith("003")
    update = [
        _typed({"id": first["id"], "Phone": "03"}),
        _typed({"id": third["id"], "Phone": "04"}, "Contact"),
    ]
    assert [row["success"] for row in rig.http.patch(COLLECTION, json={"records": update}).json()] == [
        True,
        True,
    ]
    gone = rig.http.delete(
        COLLECTION, params={"ids": f"{first['id']},{third['id']},{first['id']},zzz"}
    ).json()
    assert [row["success"] for row in gone] == [True, True, False, False]
    assert [gone[place]["errors"][0]["statusCode"] for place in (2, 3)] == [
        "ENTITY_IS_DELETED",
        "MALFORMED_ID",
    ]


def test_all_or_none_names_the_innocent(rig: Rig) -> None:
    """With allOrNone one bad row rolls the others back, and they say so."""
    sent = {"allOrNone": True, "records": [_typed(lead(0)), _typed(lead(1, LastName=None))]}
    codes = [row["errors"][0]["statusCode"] for row in rig.http.post(COLLECTION, json=sent).json()]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert rig.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_an_upsert_of_a_collection_says_what_was_created(rig: Rig) -> None:
    """Rows of one type are inserted or updated by the external id."""
    at = f"{COLLECTION}/Lead/Marketo_Id__c"
    first = rig.http.patch(at, json={"records": [_typed(lead(0))]}).json()
    both = rig.http.patch(at, json={"records": [_typed(lead(1)), _typed(lead(0))]}).json()
    assert [row["created"] for row in first + both] == [True, True, False]
    assert both[1]["id"] == first[0]["id"]
    wrong = rig.http.patch(at, json={"records": [_contact(0)]})
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "records",
    [
        [_typed(lead(number)) for number in range(201)],
        [],
        [lead(0)],
        [row for number in range(6) for row in (_typed(lead(number)), _contact(number))],
        [_typed(lead(0)), _typed(lead(1, Nope__c=1))],
        ["text"],
    ],
    ids=["201 rows", "no rows", "no type", "12 runs of types", "unknown field", "no object"],
)
def test_a_malformed_collection_is_refused_whole(rig: Rig, records: list[Any]) -> None:
    """Too many rows, too many changes of type, or an unknown field: 400, and nothing is executed."""
    answer = rig.http.post(COLLECTION, json={"records": records})
    assert answer.status_code == 400
    assert "errorCode" in answer.json()[0]
    assert rig.state.ledger == []


def test_a_retrieve_keeps_the_order_and_fills_gaps_with_null(rig: Rig) -> None:
    """Reading by ids: same order, null for missing and deleted ones, both by POST and by GET."""
    one, two, three = (rig.state.human_create("Lead", lead(number)) for number in range(3))
    rig.state.human_delete("Lead", two)
    keys = [three, two, "00Q5g0000000999", one[:15]]
    answer = rig.http.post(f"{COLLECTION}/Lead", json={"ids": keys, "fields": ["Email", "Owner.Name"]}).json()
    assert [row and row["Id"] for row in answer] == [three, None, None, one]
    assert answer[0]["Email"] == "person2@mail.example"
    assert answer[0]["Owner"]["Name"]
    by_get = rig.http.get(f"{COLLECTION}/Lead", params={"ids": ",".join(keys), "fields": "Email"}).json()
    assert [row and row["Email"] for row in by_get] == [
        "person2@mail.example",
        None,
        None,
        "person0@mail.example",
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ids": ["nonsense"], "fields": ["Id"]}, "MALFORMED_ID"),
        ({"ids": ["00Q5g0000000999"] * 2001, "fields": ["Id"]}, "EXCEEDED_ID_LIMIT"),
        ({"ids": ["00Q5g0000000999"], "fields": ["Nope"]}, "INVALID_FIELD"),
        ({"ids": ["00Q5g0000000999"]}, "MISSING_ARGUMENT"),
    ],
)
def test_a_bad_retrieve_is_refused(rig: Rig, body: dict[str, Any], code: str) -> None:
    """At most 2,000 ids, all of them ids, and fields that exist."""
    answer = rig.http.post(f"{COLLECTION}/Lead", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def _window(start: float, end: float) -> dict[str, str]:
    return {"start": stamp(start), "end": stamp(end)}


def test_updated_ids_and_the_date_covered(rig: Rig) -> None:
    """Checklist: getUpdated. Live ids changed in the window; the covered date stays before commits still hidden."""
    early = rig.state.human_create("Lead", lead(0))
    advance(rig.state, 600)
    changed = rig.state.human_create("Lead", lead(1))
    gone = rig.state.human_create("Lead", lead(2))
    rig.state.human_delete("Lead", gone)
    advance(rig.state, 30)
    hidden = rig.state.human_create("Lead", lead(3), commit_delay=500)
    advance(rig.state, 200)
    at = f"{BASE}/sobjects/Lead/updated"
    answer = rig.http.get(at, params=_window(START + 300, START + 840)).json()
    assert answer == {"ids": [changed], "latestDateCovered": "2026-11-22T00:10:30.000+0000"}
    advance(rig.state, 400)
    answer = rig.http.get(f"{at}/", params=_window(START, START + 1200)).json()
    assert answer["ids"] == [early, changed, hidden]
    assert answer["latestDateCovered"] == "2026-11-22T00:20:00.000+0000"
    rig.state.switches.updated_ids = 2
    refused = rig.http.get(at, params=_window(START, START + 1200))
    assert refused.json()[0]["errorCode"] == "EXCEEDED_ID_LIMIT"


def test_deleted_ids_and_how_far_back_they_go(rig: Rig) -> None:
    """Checklist: getDeleted. Hard deletions are named, restored records are not, a trimmed log says so."""
    keys = [rig.state.human_create("Lead", lead(number)) for number in range(3)]
    advance(rig.state, 120)
    for key in keys:
        rig.state.human_delete("Lead", key)
    rig.state.human_undelete("Lead", keys[0])
    rig.state.human_hard_delete("Lead", keys[1])
    advance(rig.state, 300)
    at = f"{BASE}/sobjects/Lead/deleted"
    answer = rig.http.get(at, params=_window(START, START + 360)).json()
    assert [row["id"] for row in answer["deletedRecords"]] == keys[1:]
    assert answer["deletedRecords"][0]["deletedDate"] == "2026-11-22T00:02:00.000+0000"
    assert answer["earliestDateAvailable"] == "2026-11-22T00:00:00.000+0000"
    rig.state.trim_deletion_log("Lead")
    answer = rig.http.get(at, params=_window(START, START + 360)).json()
    assert answer["deletedRecords"] == []
    assert answer["earliestDateAvailable"] == "2026-11-22T00:07:00.000+0000"


@pytest.mark.parametrize(
    ("resource", "start", "end"),
    [("updated", -31, 0), ("deleted", -16, 0), ("updated", 0, 0), ("deleted", 1, 0)],
)
def test_a_window_that_does_not_fit_is_refused(rig: Rig, resource: str, start: float, end: float) -> None:
    """Updated reaches back 30 days, deleted 15; start lies more than a minute before end."""
    days = 86_400.0
    answer = rig.http.get(
        f"{BASE}/sobjects/Lead/{resource}", params=_window(START + start * days, START + end * days)
    )
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")
    bare = rig.http.get(f"{BASE}/sobjects/Lead/{resource}", params={"start": "yesterday", "end": "now"})
    assert bare.json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"
