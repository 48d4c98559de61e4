"""The fake Marketo's companies: the endpoints, and what leads take over from them."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.marketo import log
from simulators.marketo.commits import Telling
from tests.support.fake_marketo import Marketo, fake_marketo

COMPANIES = "/rest/v1/companies.json"
DELETE = "/rest/v1/companies/delete.json"
LEADS = "/rest/v1/leads.json"


@pytest.fixture
def marketo() -> Marketo:
    """Give an instance with company C1 (number 501) and its lead 1001."""
    fake = fake_marketo()
    fake.state.human_company(
        "C1", {"company": "Alpha", "website": "alpha.example", "corpNo": "1180301018771"}
    )
    fake.state.human_create({"email": "ann@alpha.example", "externalCompanyId": "C1"})
    return fake


def _sync(marketo: Marketo, rows: list[Any], **more: Any) -> Any:
    return marketo.rows("POST", COMPANIES, body={"input": rows, **more})


def _codes(rows: Any) -> list[str]:
    return [row["reasons"][0]["code"] if row["status"] == "skipped" else row["status"] for row in rows]


def test_sync_numbers_its_rows(marketo: Marketo) -> None:
    """Created and updated rows give seq and id, a skipped one seq and reasons; the key's letter case is no
    matter.
    """
    rows = _sync(marketo, [{"externalCompanyId": "C2", "company": "Beta"}, {"externalCompanyId": "c1"}, {}])
    assert rows == [
        {"seq": 0, "id": 502, "status": "created"},
        {"seq": 1, "id": 501, "status": "updated"},
        {
            "seq": 2,
            "status": "skipped",
            "reasons": [{"code": "1003", "message": "Value for lookup field 'externalCompanyId' is missing"}],
        },
    ]


@pytest.mark.parametrize(
    ("row", "more", "code"),
    [
        ({"externalCompanyId": "C1"}, {"action": "createOnly"}, "1017"),
        ({"externalCompanyId": "C9"}, {"action": "updateOnly"}, "1013"),
        ({"id": 77, "company": "X"}, {"dedupeBy": "idField"}, "1013"),
        ({"id": 501, "company": "X"}, {"dedupeBy": "idField"}, "updated"),
        ({"id": 501, "externalCompanyId": "C7"}, {"dedupeBy": "idField"}, "1011"),
        ({"externalCompanyId": "C1", "nonsense": 1}, {}, "1006"),
        ({"externalCompanyId": "C1", "updatedAt": "2026-01-01T00:00:00Z"}, {}, "1011"),
        ({"externalCompanyId": "C1", "numberOfEmployees": "many"}, {}, "1001"),
        ({"externalCompanyId": "C1", "annualRevenue": "nan"}, {}, "1001"),
        ({"externalCompanyId": "C1", "site": "x" * 256}, {}, "1003"),
    ],
)
def test_rows_have_their_codes(
    marketo: Marketo, row: dict[str, object], more: dict[str, object], code: str
) -> None:
    """Each reason to skip a company has the vendor's code, and the call still succeeds."""
    assert _codes(_sync(marketo, [row], **more)) == [code]


def test_the_same_key_twice_in_one_call(marketo: Marketo) -> None:
    """The second row of one key is skipped with 1036."""
    rows = [{"externalCompanyId": "C3", "company": "A"}, {"externalCompanyId": "c3", "company": "B"}]
    assert _codes(_sync(marketo, rows)) == ["created", "1036"]


def test_requests_are_refused_whole(marketo: Marketo) -> None:
    """A wrong action, a wrong key, idField with createOnly and 301 rows refuse the call."""
    for body in (
        {"input": [{}], "action": "createDuplicate"},
        {"input": [{}], "dedupeBy": "company"},
        {"input": [{"id": 1}], "dedupeBy": "idField", "action": "createOnly"},
        {"input": [{"externalCompanyId": str(n)} for n in range(301)]},
    ):
        assert marketo.code("POST", COMPANIES, body=body) == "1003"
    assert marketo.code("POST", COMPANIES, body={}) == "1002"


def test_reading_by_filter(marketo: Marketo) -> None:
    """Both names of a key work, default fields are id, key and stamps, nulls are left out, and others than the
    searchable fields are refused.
    """
    assert set(marketo.rows("GET", COMPANIES, {"filterType": "id", "filterValues": "501"})[0]) == {
        "seq",
        "id",
        "externalCompanyId",
        "createdAt",
        "updatedAt",
    }
    asked = {"filterValues": "C1,C9", "fields": "company,industry"}
    for kind in ("externalCompanyId", "dedupeFields"):
        rows = marketo.rows("GET", COMPANIES, asked | {"filterType": kind})
        assert rows == [{"seq": 0, "company": "Alpha"}]
    assert marketo.rows("GET", COMPANIES, {"filterType": "company", "filterValues": "none"}) == []
    assert marketo.code("GET", COMPANIES, {"filterType": "website", "filterValues": "x"}) == "1003"
    assert marketo.code("GET", COMPANIES, asked | {"filterType": "id", "fields": "email"}) == "1006"
    many = {"filterType": "id", "filterValues": ",".join(map(str, range(301)))}
    assert marketo.code("GET", COMPANIES, many) == "1003"


def test_pages_of_companies(marketo: Marketo) -> None:
    """Many companies come in pages, chained by a token beside moreResult."""
    for number in range(5):
        marketo.state.human_company(f"D{number}", {"company": "Same"})
    query: dict[str, object] = {"filterType": "company", "filterValues": "same", "batchSize": 2}
    sizes, more = [], True
    while more:
        answer = marketo.ask("GET", COMPANIES, query)
        sizes.append([row["seq"] for row in answer["result"]])
        more = answer.get("moreResult", False)
        query["nextPageToken"] = answer.get("nextPageToken", "")
    assert sizes == [[0, 1], [0, 1], [0]]


def test_describe(marketo: Marketo) -> None:
    """describe names the key, the searchable fields and what may be changed."""
    (described,) = marketo.rows("GET", "/rest/v1/companies/describe.json")
    assert (described["idField"], described["dedupeFields"]) == ("id", ["externalCompanyId"])
    assert described["searchableFields"] == [["id"], ["externalCompanyId"], ["company"]]
    fields = {field["name"]: field for field in described["fields"]}
    assert fields["annualRevenue"] == {
        "name": "annualRevenue",
        "displayName": "Annual Revenue",
        "dataType": "currency",
        "updateable": True,
    }
    assert (fields["externalCompanyId"]["updateable"], fields["externalCompanyId"]["length"]) == (False, 100)


def test_delete(marketo: Marketo) -> None:
    """A company in use is skipped with 1022, a missing one with 1013, a free one is deleted."""
    marketo.state.human_company("C2", {"company": "Beta"})
    rows = [{"externalCompanyId": key} for key in ("C1", "C2", "C2")]
    assert _codes(marketo.rows("POST", DELETE, body={"input": rows})) == ["1022", "deleted", "1013"]
    assert marketo.state.company("C2") is None
    assert marketo.code("POST", DELETE, body={"deleteBy": "name", "input": rows}) == "1003"


def test_a_lead_shows_its_companys_values(marketo: Marketo) -> None:
    """A lead that joins a company has the company's values, its own are gone; a lead moves by naming another
    company.
    """
    lead = marketo.state.human_create({"email": "b@x.example", "company": "Own", "industry": "Own"})
    marketo.state.human_company("C2", {"company": "Beta", "site": "Osaka"})
    names = ("company", "website", "industry", "site")
    assert marketo.sync([{"email": "b@x.example", "externalCompanyId": "c1"}])[0]["status"] == "updated"
    assert marketo.state.lead(lead, names) == {"company": "Alpha", "website": "alpha.example"}
    marketo.sync([{"email": "b@x.example", "externalCompanyId": "C2"}])
    assert marketo.state.lead(lead, names) == {"company": "Beta", "site": "Osaka"}
    born = marketo.sync([{"email": "new@x.example", "externalCompanyId": "C2"}])[0]["id"]
    assert marketo.state.lead(born, names) == {"company": "Beta", "site": "Osaka"}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"email": "ann@alpha.example", "company": "Alpha"}, "1021"),
        ({"email": "ann@alpha.example", "title": "Boss", "industry": "IT"}, "1021"),
        ({"email": "new@x.example", "externalCompanyId": "C1", "company": "Alpha"}, "1021"),
        ({"email": "free@x.example", "externalCompanyId": "C1", "website": None}, "1021"),
        ({"email": "free@x.example", "externalCompanyId": "C9"}, "1013"),
        ({"email": "ann@alpha.example", "externalCompanyId": None}, "1003"),
        ({"email": "free@x.example", "externalCompanyId": None}, "updated"),
        ({"email": "free@x.example", "company": "Mine"}, "updated"),
        ({"email": "ann@alpha.example", "title": "Boss"}, "updated"),
    ],
)
def test_company_fields_are_not_written_through_leads(
    marketo: Marketo, row: dict[str, object], code: str
) -> None:
    """With a company (already, or named in the row) its fields are refused with 1021 and nothing of the row is
    done; an unknown company and leaving one are refused, too.
    """
    marketo.state.human_create({"email": "free@x.example"})
    before = marketo.state.everything()
    assert _codes(marketo.sync([row])) == [code]
    assert (marketo.state.everything() == before) == (code != "updated" or "externalCompanyId" in row)


def test_a_company_change_reaches_each_leads_feed(marketo: Marketo) -> None:
    """Each lead of a changed company has a Change Data Value row and the new value; lead changes tell it."""
    other = marketo.state.human_create({"email": "bob@alpha.example", "externalCompanyId": "C1"})
    free = marketo.state.human_create({"email": "free@x.example"})
    token = marketo.ask(
        "GET", "/rest/v1/activities/pagingtoken.json", {"sinceDatetime": "2020-01-01T00:00:00Z"}
    )
    _sync(marketo, [{"externalCompanyId": "C1", "industry": "IT"}])
    query = {"nextPageToken": token["nextPageToken"], "fields": "industry"}
    rows = marketo.rows("GET", "/rest/v1/activities/leadchanges.json", query)
    told = [(row["leadId"], row["fields"][0]["newValue"]) for row in rows if row["activityTypeId"] == 13]
    assert told == [(1001, "IT"), (other, "IT")]
    assert marketo.state.lead(free, ("industry",)) == {}
    assert [(e.object, e.id, e.actor) for e in marketo.state.ledger[-3:]] == [
        ("Company", "C1", "api"),
        ("Lead", "1001", "api"),
        ("Lead", str(other), "api"),
    ]


@pytest.mark.parametrize(("telling", "count"), [("each", 2), ("one", 1), ("none", 0)])
def test_what_is_not_documented_is_a_switch(marketo: Marketo, telling: Telling, count: int) -> None:
    """Whether one, each or no lead's activities tell of a company change can be chosen; the values arrive anyway."""
    other = marketo.state.human_create({"email": "bob@alpha.example", "externalCompanyId": "C1"})
    marketo.state.company_changes = telling
    _sync(marketo, [{"externalCompanyId": "C1", "industry": "IT"}])
    rows = [row for row in marketo.state.log.rows if row.type == log.DATA_VALUE_CHANGED]
    assert len(rows) == count
    assert marketo.state.lead(other, ("industry",)) == {"industry": "IT"}


def test_a_person_changes_the_company_through_any_lead(marketo: Marketo) -> None:
    """A company field typed at one lead's screen changes the company and with it all its leads."""
    other = marketo.state.human_create({"email": "bob@alpha.example", "externalCompanyId": "C1"})
    marketo.state.human_edit(other, {"company": "Alpha KK", "title": "Boss"})
    company = marketo.state.company("C1")
    assert company is not None
    assert company.values["company"] == "Alpha KK"
    assert marketo.state.lead(1001, ("company", "title")) == {"company": "Alpha KK"}
    assert marketo.state.lead(other, ("company", "title")) == {"company": "Alpha KK", "title": "Boss"}


def test_a_company_made_later_takes_its_leads_in(marketo: Marketo) -> None:
    """Leads that name a company before it exists take its values over once it is made."""
    lead = marketo.state.human_create({"email": "b@x.example", "externalCompanyId": "C5", "company": "Own"})
    _sync(marketo, [{"externalCompanyId": "C5", "company": "Five"}])
    assert marketo.state.lead(lead, ("company",)) == {"company": "Five"}


def test_merging_keeps_the_winners_company(marketo: Marketo) -> None:
    """A winner with a company keeps all of its values; a winner without one joins the loser's company."""
    state = marketo.state
    loser = state.human_create({"email": "b@x.example", "company": "Own", "industry": "Own", "title": "Boss"})
    state.human_merge(1001, [loser])
    assert state.lead(1001, ("company", "industry", "title")) == {"company": "Alpha", "title": "Boss"}
    winner = state.human_create({"email": "c@x.example", "company": "Own", "industry": "Own"})
    state.human_merge(winner, [1001])
    assert state.lead(winner, ("company", "industry", "externalCompanyId")) == {
        "company": "Alpha",
        "externalCompanyId": "C1",
    }


def test_late_companies(marketo: Marketo) -> None:
    """A late change is seen by id at once, by key only after the lag."""
    marketo.faults.set("late_visibility", 1.0)
    _sync(marketo, [{"externalCompanyId": "C1", "site": "Osaka"}, {"externalCompanyId": "C2"}])
    by_key = {"filterType": "externalCompanyId", "filterValues": "C1,C2", "fields": "id,site"}
    assert marketo.rows("GET", COMPANIES, by_key) == [{"seq": 0, "id": 501}]
    by_id = {"filterType": "idField", "filterValues": "501", "fields": "site"}
    assert marketo.rows("GET", COMPANIES, by_id) == [{"seq": 0, "site": "Osaka"}]
    marketo.clock.advance(1.0)
    assert [row["id"] for row in marketo.rows("GET", COMPANIES, by_key)] == [501, 502]


def test_row_faults_strike_companies(marketo: Marketo) -> None:
    """Rows are refused, a field is silently kept and a text is altered, as at leads."""
    marketo.faults.set("row_refused", 1.0)
    row = {"externalCompanyId": "C1", "company": " new  name "}
    assert _codes(_sync(marketo, [row]))[0] in {"719", "1008"}
    assert _codes(marketo.rows("POST", DELETE, body={"input": [row]}))[0] in {"719", "1008"}
    marketo.faults.use({"ignored_field": 1.0})
    assert _codes(_sync(marketo, [row])) == ["updated"]
    assert marketo.state.lead(1001, ("company",)) == {"company": "Alpha"}
    marketo.faults.use({"altered_value": 1.0})
    _sync(marketo, [row])
    assert marketo.state.lead(1001, ("company",)) == {"company": "NEW NAME"}
