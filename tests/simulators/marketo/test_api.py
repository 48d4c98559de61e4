"""The fake Marketo's dialect: envelope, codes, limits, order of results."""

from __future__ import annotations

import base64
import json

import pytest

from tests.support.fake_marketo import Marketo, fake_marketo

LEADS = "/rest/v1/leads.json"


@pytest.fixture
def marketo() -> Marketo:
    """Give an instance with one lead, number 1001."""
    fake = fake_marketo()
    fake.state.human_create({"email": "ann@x.example", "firstName": "Ann", "leadScore": 5})
    return fake


def test_results_stand_in_input_order_without_keys(marketo: Marketo) -> None:
    """Created, updated and skipped rows answer in the order of the input; skipped ones have reasons and
    no id.
    """
    rows = marketo.sync([{"email": "new@x.example"}, {"email": "ann@x.example"}, {"company": "no key"}])
    assert rows == [
        {"id": 1002, "status": "created"},
        {"id": 1001, "status": "updated"},
        {
            "status": "skipped",
            "reasons": [{"code": "1003", "message": "Value for lookup field 'email' is missing"}],
        },
    ]


@pytest.mark.parametrize(
    ("row", "more", "code"),
    [
        ({"email": "ann@x.example"}, {"action": "createOnly"}, "1005"),
        ({"email": "nobody@x.example"}, {"action": "updateOnly"}, "1004"),
        ({"id": 77}, {"action": "updateOnly", "lookupField": "id"}, "1004"),
        ({"email": "twin@x.example"}, {}, "1007"),
        ({"email": "ann@x.example", "nonsense": 1}, {}, "1006"),
        ({"email": "ann@x.example", "createdAt": "2026-01-01T00:00:00Z"}, {}, "1011"),
        ({"email": "ann@x.example", "leadScore": "many"}, {}, "1001"),
        ({"email": "ann@x.example", "unsubscribed": "perhaps"}, {}, "1001"),
        ({"email": "ann@x.example", "company": "x" * 256}, {}, "1003"),
        ({"email": "ｆｕｌｌ@x.example"}, {}, "1003"),
        ({"email": "ann@x.example"}, {"partitionName": "Elsewhere"}, "1008"),
    ],
)
def test_rows_are_skipped_with_their_code(
    marketo: Marketo, row: dict[str, object], more: dict[str, object], code: str
) -> None:
    """Each reason to skip a row has the vendor's code, and the call still succeeds."""
    for _ in range(2):
        marketo.state.human_create({"email": "twin@x.example"})
    (result,) = marketo.sync([row], **more)
    assert (result["status"], result["reasons"][0]["code"]) == ("skipped", code)
    assert "id" not in result


def test_create_duplicate_and_async(marketo: Marketo) -> None:
    """createDuplicate makes a second lead of one e-mail; an asynchronous call answers without ids."""
    assert marketo.sync([{"email": "ann@x.example"}], action="createDuplicate") == [
        {"id": 1002, "status": "created"}
    ]
    assert marketo.sync([{"email": "bob@x.example"}], asyncProcessing=True) == [{"status": "created"}]


def test_limits_of_a_write(marketo: Marketo) -> None:
    """More than 300 rows are refused in the body, more than 1 MB and 8 KB of URI by HTTP status."""
    rows = [{"email": f"{i}@x.example"} for i in range(301)]
    assert marketo.code("POST", LEADS, body={"input": rows}) == "1003"
    assert marketo.code("POST", LEADS, body={"input": []}) == "1002"
    assert len(marketo.sync(rows[:300])) == 300
    assert marketo.send("POST", LEADS, body=b"x" * (1024 * 1024 + 1)).status == 413
    assert marketo.send("GET", LEADS, {"filterValues": "x" * 8200}).status == 414


def test_long_filters_go_by_post(marketo: Marketo) -> None:
    """`POST ?_method=GET` with a form body reads like a GET."""
    body = b"filterType=email&filterValues=ann%40x.example&fields=id%2Cemail"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    rows = marketo.rows("POST", LEADS, {"_method": "GET"}, body=body, headers=headers)
    assert rows == [{"id": 1001, "email": "ann@x.example"}]


def test_reading_by_filter(marketo: Marketo) -> None:
    """Default fields, missing nulls, an empty result for no match, pages of 300 and refusals."""
    query = {"filterType": "email", "filterValues": "ann@x.example"}
    (row,) = marketo.rows("GET", LEADS, query)
    assert set(row) == {"id", "email", "createdAt", "updatedAt", "firstName"}
    assert marketo.rows("GET", LEADS, query | {"filterValues": "no@x.example"}) == []
    assert marketo.code("GET", LEADS, query | {"fields": "nonsense"}) == "1006"
    assert marketo.code("GET", LEADS, query | {"filterType": "company"}) == "1003"
    assert marketo.code("GET", LEADS, query | {"filterValues": ",".join(map(str, range(301)))}) == "1003"
    assert marketo.code("GET", LEADS, {"filterType": "email"}) == "1002"


def test_paging_a_filter_and_too_many_matches(marketo: Marketo) -> None:
    """Many matches come in pages by token; more than 1,000 are refused with 1003."""
    for _ in range(999):
        marketo.state.human_create({"email": "twin@x.example"})
    query: dict[str, object] = {"filterType": "email", "filterValues": "twin@x.example", "fields": "id"}
    sizes, token = [], ""
    while True:
        answer = marketo.ask("GET", LEADS, query | ({"nextPageToken": token} if token else {}))
        sizes.append(len(answer["result"]))
        token = answer.get("nextPageToken", "")
        if not token:
            break
    assert sizes == [300, 300, 300, 99]
    for _ in range(2):
        marketo.state.human_create({"email": "twin@x.example"})
    assert marketo.code("GET", LEADS, query) == "1003"


def test_reading_by_id(marketo: Marketo) -> None:
    """The singular path gives one lead; a missing one is a failure of the whole call."""
    assert marketo.rows("GET", "/rest/v1/lead/1001.json", {"fields": "leadScore"}) == [{"leadScore": 5}]
    assert marketo.code("GET", "/rest/v1/lead/9.json") == "1004"


def test_describe_names_what_can_be_searched(marketo: Marketo) -> None:
    """describe gives REST and SOAP names with types; describe2 the filter types and what may be written."""
    fields = {f["rest"]["name"]: f for f in marketo.rows("GET", "/rest/v1/leads/describe.json")}
    assert fields["leadScore"]["dataType"] == "score"
    assert fields["id"]["rest"]["readOnly"] is True
    assert fields["email"]["soap"]["name"] == "Email"
    (described,) = marketo.rows("GET", "/rest/v1/leads/describe2.json")
    assert ["email"] in described["searchableFields"]
    assert ["company"] not in described["searchableFields"]
    assert {f["name"]: f["updateable"] for f in described["fields"]}["updatedAt"] is False


def _since(marketo: Marketo, text: str = "2020-01-01T00:00:00Z") -> str:
    answer = marketo.ask("GET", "/rest/v1/activities/pagingtoken.json", {"sinceDatetime": text})
    assert "result" not in answer
    return str(answer["nextPageToken"])


def test_lead_changes(marketo: Marketo) -> None:
    """New leads and changes of the asked fields, as texts; a score change and other fields are not there."""
    marketo.state.human_edit(1001, {"firstName": "Anna", "leadScore": 9, "company": "Other"})
    query = {"nextPageToken": _since(marketo), "fields": "firstName,leadScore"}
    answer = marketo.ask("GET", "/rest/v1/activities/leadchanges.json", query)
    assert [(row["activityTypeId"], row["leadId"]) for row in answer["result"]] == [(12, 1001), (13, 1001)]
    changed = {"id": 3, "name": "firstName", "newValue": "Anna", "oldValue": "Ann"}
    assert answer["result"][1]["fields"] == [changed]
    assert answer["result"][1]["marketoGUID"] == str(answer["result"][1]["id"])
    assert answer["moreResult"] is False
    assert base64.b32decode(answer["nextPageToken"])
    again = marketo.ask(
        "GET", "/rest/v1/activities/leadchanges.json", query | {"nextPageToken": answer["nextPageToken"]}
    )
    assert "result" not in again
    assert again["moreResult"] is False
    del query["fields"]
    assert marketo.code("GET", "/rest/v1/activities/leadchanges.json", query) == "1002"


def test_activities_by_type(marketo: Marketo) -> None:
    """Score changes are type 22; dates come in two forms; more than ten types and a strange token are
    refused.
    """
    path = "/rest/v1/activities.json"
    marketo.state.human_edit(1001, {"leadScore": 9})
    marketo.state.human_edit(1001, {"leadScore": 11})
    query = {"nextPageToken": _since(marketo), "activityTypeIds": "22"}
    answer = marketo.ask("GET", path, query)
    assert [row["attributes"][0]["value"] for row in answer["result"]] == ["9", "11"]
    assert {row["activityDate"][-1] for row in answer["result"]} == {"Z", "0"}
    assert marketo.code("GET", path, query | {"activityTypeIds": "1,2,3,4,5,6,7,8,9,10,11"}) == "1003"
    assert marketo.code("GET", path, query | {"nextPageToken": "NONSENSE"}) == "1003"
    deleted = "/rest/v1/activities/deletedleads.json"
    assert marketo.code("GET", deleted, {"nextPageToken": answer["nextPageToken"]}) == "1003"


def test_feed_pages_follow_each_other(marketo: Marketo) -> None:
    """Pages of 300 chain by token until moreResult is false, without a gap or a repetition."""
    for number in range(700):
        marketo.state.human_create({"email": f"{number}@x.example"})
    query: dict[str, object] = {"nextPageToken": _since(marketo), "activityTypeIds": "12"}
    seen: list[int] = []
    sizes: list[int] = []
    more = True
    while more:
        answer = marketo.ask("GET", "/rest/v1/activities.json", query)
        sizes.append(len(answer["result"]))
        seen += [row["id"] for row in answer["result"]]
        query["nextPageToken"], more = answer["nextPageToken"], answer["moreResult"]
    assert sizes == [300, 300, 101]
    assert len(set(seen)) == 701


def test_empty_pages_with_more_behind_them() -> None:
    """With a share of empty pages a reader that loops on moreResult still gets every row once."""
    marketo = fake_marketo(empty_pages=0.5)
    for number in range(20):
        marketo.state.human_create({"email": f"{number}@x.example"})
    query: dict[str, object] = {"nextPageToken": _since(marketo), "activityTypeIds": "12", "batchSize": 3}
    empty, seen, more = 0, 0, True
    while more:
        answer = marketo.ask("GET", "/rest/v1/activities.json", query)
        empty += "result" not in answer
        seen += len(answer.get("result", []))
        query["nextPageToken"], more = answer["nextPageToken"], answer["moreResult"]
    assert empty > 0
    assert seen == 20


def test_a_token_from_a_time_starts_there(marketo: Marketo) -> None:
    """sinceDatetime leaves out what is older, in whichever zone it is written; other forms are refused
    with 704.
    """
    marketo.clock.advance(3600)
    later = marketo.state.human_create({"email": "later@x.example"})
    since = "2026-09-21T23:00:00+0900"
    assert marketo.clock.now() > 1_790_000_000 + 3599
    query = {"nextPageToken": _since(marketo, since), "activityTypeIds": "12"}
    rows = marketo.rows("GET", "/rest/v1/activities.json", query)
    assert [row["leadId"] for row in rows] == [1001, later]
    query["nextPageToken"] = _since(marketo, "2026-09-21T14:30:00Z")
    assert [row["leadId"] for row in marketo.rows("GET", "/rest/v1/activities.json", query)] == [later]
    token = "/rest/v1/activities/pagingtoken.json"
    for bad in ("2026-09-21", "2026-09-21T00:00:00.000Z", "yesterday"):
        assert marketo.code("GET", token, {"sinceDatetime": bad}) == "704"


def test_deleted_leads_are_forgotten_after_a_fortnight(marketo: Marketo) -> None:
    """A deletion is reported for fourteen days, a merged-away lead never as a deletion."""
    other = marketo.state.human_create({"email": "b@x.example"})
    third = marketo.state.human_create({"email": "c@x.example"})
    marketo.state.human_merge(third, [other])
    assert marketo.rows("POST", "/rest/v1/leads/delete.json", body={"input": [{"id": 1001}]}) == [
        {"id": 1001, "status": "deleted"}
    ]
    query = {"nextPageToken": _since(marketo)}
    rows = marketo.rows("GET", "/rest/v1/activities/deletedleads.json", query)
    assert [row["leadId"] for row in rows] == [1001]
    marketo.clock.advance(15 * 86_400)
    assert "result" not in marketo.ask("GET", "/rest/v1/activities/deletedleads.json", query)


def test_merge_by_api(marketo: Marketo) -> None:
    """The merge answers without a result and logs type 32 with the losers' ids."""
    loser = marketo.state.human_create({"email": "b@x.example"})
    answer = marketo.ask("POST", "/rest/v1/leads/1001/merge.json", {"leadIds": str(loser)})
    assert set(answer) == {"requestId", "success"}
    query = {"nextPageToken": _since(marketo), "activityTypeIds": "32"}
    (row,) = marketo.rows("GET", "/rest/v1/activities.json", query)
    assert (row["leadId"], row["attributes"][0]) == (1001, {"name": "Merge IDs", "value": f"[{loser}]"})
    assert marketo.code("POST", "/rest/v1/leads/1001/merge.json") == "1002"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "code"),
    [
        ("GET", "/rest/v1/nothing.json", None, {}, "610"),
        ("PUT", LEADS, None, {}, "605"),
        ("POST", LEADS, b"{", {"content-type": "application/json"}, "609"),
        ("POST", LEADS, b"{}", {"content-type": "text/plain"}, "612"),
    ],
)
def test_request_bugs(
    marketo: Marketo, method: str, path: str, body: bytes | None, headers: dict[str, str], code: str
) -> None:
    """A wrong path, method, JSON or content type is refused inside HTTP 200."""
    assert marketo.code(method, path, body=body, headers=headers) == code


def test_refusals_of_the_server(marketo: Marketo) -> None:
    """Rate, concurrency and age are refused in the body, a server error as 502 without JSON."""
    codes = [
        json.loads(marketo.api.refuse(kind).body)["errors"][0]["code"]
        for kind in ("rate_limited", "too_many", "timed_out")
    ]
    assert codes == ["606", "615", "604"]
    assert marketo.api.refuse("server_error").status == 502


def test_a_race_over_http(marketo: Marketo) -> None:
    """An upsert that was on its way when another one made the lead makes a second one, with races on."""
    marketo.state.races = True
    arrived = marketo.clock.now()
    marketo.clock.advance(0.1)
    for _ in range(2):
        marketo.rows("POST", LEADS, body={"input": [{"email": "new@x.example"}]}, received=arrived)
    marketo.clock.advance(0.1)
    (row,) = marketo.sync([{"email": "new@x.example"}])
    assert row["reasons"][0]["code"] == "1007"
