"""The query language: what is refused, what equals what, and that the plans change nothing but speed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.salesforce.errors import RequestError
from simulators.salesforce.soql_filter import Names, compile_condition
from simulators.salesforce.soql_run import compile_query
from simulators.salesforce.stamps import stamp
from simulators.salesforce.state import SalesforceState
from simulators.salesforce.table import Row
from tests.support.fake_salesforce import START, advance, lead, organisation, soql


@pytest.fixture
def state() -> SalesforceState:
    """Five leads, a second apart; the third has an apostrophe, the fourth no phone or score, the fifth is deleted."""
    made = organisation()
    rows = [
        lead(0, Phone="03-1111", MA_Score__c=10, Country="日本", HasOptedOutOfEmail=True),
        lead(1, Phone="03-2222", MA_Score__c=30, Country="JP", LastName="alpha"),
        lead(
            2,
            Phone="06-3333",
            MA_Score__c=20,
            Country="Japan",
            LastName="O'Neil",
            Email="Mixed.Case@Mail.example",
        ),
        lead(3, LastName="100% sure_"),
        lead(4),
    ]
    for row in rows:
        made.create("Lead", [row])
        advance(made, 1)
    made.delete("Lead", [made.changed_since("Lead")[4]["Id"]])
    return made


def _last_names(state: SalesforceState, where: str) -> set[str]:
    return {row["LastName"] for row in soql(state, f"SELECT LastName FROM Lead WHERE {where}")}


FIRST, SECOND, THIRD, FOURTH = "Last0", "alpha", "O'Neil", "100% sure_"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'ALPHA'", {SECOND}),
        ("LastName = 'O\\'Neil'", {THIRD}),
        ("Email = 'mixed.case@mail.EXAMPLE'", {THIRD}),
        ("Email IN ('MIXED.case@mail.example', 'person0@mail.example')", {FIRST, THIRD}),
        ("Phone = null", {FOURTH}),
        ("Phone = ''", {FOURTH}),
        ("Phone != '03-1111'", {SECOND, THIRD, FOURTH}),
        ("Phone <> null", {FIRST, SECOND, THIRD}),
        ("Phone NOT IN ('03-1111', '03-2222')", {THIRD, FOURTH}),
        ("MA_Score__c >= 20", {SECOND, THIRD}),
        ("MA_Score__c < 20", {FIRST}),
        ("MA_Score__c > 10 AND MA_Score__c <= 20", {THIRD}),
        ("HasOptedOutOfEmail = true", {FIRST}),
        ("HasOptedOutOfEmail = false", {SECOND, THIRD, FOURTH}),
        ("Country IN ('日本', 'jp')", {FIRST, SECOND}),
        ("LastName LIKE 'al%'", {SECOND}),
        ("LastName LIKE '_lpha'", {SECOND}),
        ("LastName LIKE '100\\% sure\\_'", {FOURTH}),
        ("LastName LIKE '100\\%sure_'", set()),
        ("NOT (MA_Score__c = 10 OR MA_Score__c = 30)", {THIRD, FOURTH}),
        ("(Country = 'JP' OR Country = 'Japan') AND NOT LastName = 'alpha'", {THIRD}),
        ("SystemModstamp > 2026-11-22T00:00:00Z AND SystemModstamp < 2026-11-22T09:00:02+09:00", {SECOND}),
        (
            "Owner.Email = 'Integration@sales.example' AND RecordType.Name = 'Standard' AND Phone = null",
            {FOURTH},
        ),
        ("Lead.LastName = 'alpha'", {SECOND}),
        ("marketo_id__C = '1002'", {THIRD}),
    ],
)
def test_conditions_find_what_the_vendor_would(state: SalesforceState, where: str, found: set[str]) -> None:
    """Comparisons ignore the case of text, null differs from every value, an empty text is null."""
    assert _last_names(state, where) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Id, FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE LastName = 'open", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE LastName = 'a\\q'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id = 'x' OR Id = 'y' AND Id = 'z'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > 2026-11-22T01:02:03 0000", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > 2026-02-30T01:02:03Z", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Id, id FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead; DELETE", "MALFORMED_QUERY"),
        ("SELECT Nope__c FROM Lead", "INVALID_FIELD"),
        ("SELECT Account.Name FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Nope = 1", "INVALID_FIELD"),
        ("SELECT Id FROM Lead ORDER BY Nope", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE LastName = 3", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE MA_Score__c = '3'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > '2026-11-22T01:02:03Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE HasOptedOutOfEmail > false", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Leads", "INVALID_TYPE"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_what_is_no_query_is_refused_with_the_vendors_code(
    state: SalesforceState, text: str, code: str
) -> None:
    """A request bug is told apart by code: malformed text, unknown field, unknown object."""
    with pytest.raises(RequestError) as refusal:
        soql(state, text)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_a_hidden_field_spoils_the_whole_query(state: SalesforceState) -> None:
    """Field-level security makes INVALID_FIELD of the entire query, until the right comes back."""
    state.hide_field("Lead", "Phone")
    with pytest.raises(RequestError, match="No such column 'Phone' on entity 'Lead'"):
        soql(state, "SELECT Id, Phone FROM Lead")
    state.show_field("Lead", "Phone")
    assert soql(state, "SELECT Phone FROM Lead LIMIT 1") == [{"Phone": "03-1111"}]


def test_order_by_several_keys_with_nulls_and_limit(state: SalesforceState) -> None:
    """Sort keys apply from left to right, nulls stand first unless asked otherwise, LIMIT and OFFSET cut the result."""
    up = soql(state, "SELECT LastName FROM Lead ORDER BY MA_Score__c, LastName DESC")
    assert [row["LastName"] for row in up] == [FOURTH, FIRST, THIRD, SECOND]
    down = soql(state, "SELECT LastName FROM Lead ORDER BY MA_Score__c DESC NULLS LAST LIMIT 2 OFFSET 1")
    assert [row["LastName"] for row in down] == [THIRD, FIRST]


def test_relationship_dots_give_nested_records(state: SalesforceState) -> None:
    """A dotted path comes back as a record within the record, null when the reference is empty."""
    with_account = state.human_convert(state.changed_since("Lead")[0]["Id"])
    alone = state.human_create("Contact", {"LastName": "Alone"})
    found = soql(state, "SELECT Id, Account.Name, Account.Owner.Email FROM Contact ORDER BY Id")
    assert [row["Id"] for row in found] == [with_account, alone]
    assert found[0]["Account"]["Name"] == "Company 0"
    assert found[0]["Account"]["Owner"]["Email"].endswith("@sales.example")
    assert found[1]["Account"] is None


def test_count_and_deleted_rows(state: SalesforceState) -> None:
    """COUNT() selects nothing, and only queryAll sees what lies in the recycle bin."""
    assert (
        compile_query(Names(state.schema, state.tables), "SELECT COUNT() FROM Lead", "68.0").query.paths == ()
    )
    assert len(soql(state, "SELECT Id FROM Lead")) == 4
    assert [r["IsDeleted"] for r in soql(state, "SELECT IsDeleted FROM Lead", deleted=True)].count(True) == 1


class Counting(dict[str, Row]):
    """The records of a table, counting how many are looked at."""

    looked = 0

    def get(self, key: Any, default: Any = None) -> Any:
        """Count and give a record."""
        self.looked += 1
        return super().get(key, default)


def test_a_keyset_page_looks_at_little_more_than_it_gives() -> None:
    """A page in the middle of many rows with one stamp costs what it holds, not what the object holds."""
    state = organisation()
    for start in range(0, 3000, 200):
        state.create("Lead", [lead(number) for number in range(start, start + 200)])
    table = state.table("Lead")
    last = table.ids[1499]
    table.rows = counting = Counting(table.rows)
    at = stamp(START)
    keyset = f"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > '{last}'))"
    upper = "SystemModstamp <= 2026-12-01T00:00:00Z"
    page = soql(
        state, f"SELECT Id FROM Lead WHERE {keyset} AND {upper} ORDER BY SystemModstamp ASC, Id ASC LIMIT 100"
    )
    assert [row["Id"] for row in page] == table.ids[1500:1600]
    assert counting.looked <= 101
    walked = soql(state, f"SELECT Id FROM Lead WHERE Id > '{last}' ORDER BY Id LIMIT 100")
    assert walked == page
    assert counting.looked <= 202


_MOMENTS = [stamp(START + second) for second in range(6)]
_ATOMS = st.one_of(
    st.builds(
        "SystemModstamp {} {}".format,
        st.sampled_from(["=", "!=", "<", ">", "<=", ">="]),
        st.sampled_from(_MOMENTS),
    ),
    st.builds("Id {} '@{}'".format, st.sampled_from(["=", ">", "<=", "!="]), st.integers(0, 11)),
    st.builds("Id IN ('@{}', '@{}')".format, st.integers(0, 11), st.integers(0, 11)),
    st.builds("Marketo_Id__c {} '{}'".format, st.sampled_from(["=", "!="]), st.integers(1000, 1012)),
    st.builds("Email NOT IN ('PERSON{}@mail.example')".format, st.integers(0, 12)),
    st.builds(
        "Email IN ('PERSON{}@mail.example', 'other{}@mail.example')".format,
        st.integers(0, 12),
        st.integers(0, 9),
    ),
)
_CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " AND ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " OR ".join(parts) + ")"),
        inner.map("NOT ({})".format),
    ),
    max_leaves=6,
)
_ORDERS = ["", " ORDER BY SystemModstamp, Id", " ORDER BY Id", " ORDER BY Email DESC"]


def _busy() -> SalesforceState:
    """Twelve leads edited, deleted, restored and erased in the course of five seconds."""
    state = organisation()
    keys = [result.id or "" for result in state.create("Lead", [lead(number) for number in range(12)])]
    for second in range(1, 6):
        advance(state, 1)
        state.update("Lead", [{"Id": keys[second], "Email": f"other{second}@mail.example"}])
        state.human_edit("Lead", keys[second % 3], {"Phone": str(second)})
        state.human_delete("Lead", keys[second + 6])
    state.human_undelete("Lead", keys[7])
    state.human_hard_delete("Lead", keys[8])
    return state


_BUSY = _busy()


@settings(max_examples=300)
@given(_CONDITIONS, st.sampled_from(_ORDERS), st.booleans())
def test_a_plan_finds_exactly_what_a_full_walk_finds(condition: str, order: str, deleted: bool) -> None:
    """Whatever the condition and order, the shortcut gives the rows that testing every row gives."""
    table = _BUSY.tables["Lead"]
    for place, key in enumerate(table.ids):
        condition = condition.replace(f"'@{place}'", f"'{key}'")
    text = f"SELECT Id, SystemModstamp FROM Lead WHERE {condition}{order}"
    names = Names(_BUSY.schema, _BUSY.tables)
    plan = compile_query(names, text, "68.0")
    assert plan.query.where is not None
    test = compile_condition(names, plan.spec, plan.query.where)
    walked = {r["Id"] for r in table.rows.values() if (deleted or not r["IsDeleted"]) and test(r)}
    found = soql(_BUSY, text, deleted=deleted)
    assert {row["Id"] for row in found} == walked
    assert len(found) == len(walked)
    if "SystemModstamp" in order:
        assert found == sorted(found, key=lambda row: (row["SystemModstamp"], row["Id"]))
