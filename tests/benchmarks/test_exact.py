"""The judge of the benchmarks' runs must see what is wrong and overlook what means the same."""

from __future__ import annotations

from typing import Any

from benchmarks.exact import FIELDS, KEY, compare

LEAD = {
    "email": "taro@example.jp", "firstName": "太郎", "lastName": "山田", "company": "株式会社例",
    "phone": "03-1234-5678",
    "title": "部長", "leadSource": "Web", "leadScore": 7, "unsubscribed": False, "optOutSeminar": True,
}  # fmt: skip


def _counterpart(lead: dict[str, Any], key: str = "1", **changed: Any) -> dict[str, Any]:
    return {theirs: lead.get(name) for name, theirs in FIELDS.items()} | {KEY: key} | changed


def test_what_means_the_same_is_exact() -> None:
    """Letter width, case, spaces and the form of a telephone number make no difference."""
    row = _counterpart(
        LEAD, Email="TARO@example.jp", Company=" 株式会社例 ", Phone="+81312345678", LastName="山田　"
    )
    verdict = compare({"1": LEAD}, {"00Q": row})
    assert verdict.ok
    assert verdict.exact == 1


def test_what_is_wrong_is_named() -> None:
    """Missing, doubled and foreign records and each differing field are counted by kind."""
    marketo = {str(number): LEAD for number in (1, 2, 3)}
    salesforce = {
        "a": _counterpart(LEAD, "1", Title="課長"),
        "b": _counterpart(LEAD, "2"),
        "c": _counterpart(LEAD, "2"),
        "d": _counterpart(LEAD, "9"),
        "e": _counterpart(LEAD, ""),
    }
    wrong = compare(marketo, salesforce).wrong
    assert wrong == {
        "unexpected without counterpart": 1, "differs: title": 1, "doubled": 1, "missing": 1, "of nobody": 1,
    }  # fmt: skip


def test_strangers_are_expected_where_there_are_some() -> None:
    """Records that only Salesforce knows are right when the world put them there, and only that many."""
    salesforce = {"a": _counterpart(LEAD, "1"), "b": _counterpart(LEAD, "")}
    assert compare({"1": LEAD}, salesforce, strangers=1).ok
    assert not compare({"1": LEAD}, salesforce, strangers=2).ok
