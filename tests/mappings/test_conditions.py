"""Conditions on fields: what they ask, and that nobody is met by the absence of an answer."""

from __future__ import annotations

import pytest

from sync.record import Side, Value
from sync.rules import Condition
from tests.support.mapping_texts import codes, mapping, rules, source

ROWS = (
    "country: { marketo: country }",
    "industry: { marketo: i, flow: <->, salesforce: I, values: { 建設: Construction, 建設業: Construction } }",
    "member: { marketo: member, type: boolean }",
    "since: { marketo: since, type: date }",
    "rate: { marketo: rate, type: decimal, scale: 1 }",
)


def _scope(condition: str) -> Condition:
    return rules(mapping(*ROWS, more=f"scope: {{ marketo: {condition} }}\n")).scope[Side.MA]


@pytest.mark.parametrize(
    ("condition", "given", "answer"),
    [
        ("{ country: JP }", {"country": "JP"}, True),
        ("{ country: JP }", {"country": "US"}, False),
        ("{ country: [JP, US] }", {"country": "US"}, True),
        ("{ country: [JP, blank] }", {"country": None}, True),
        ("{ country: 'present' }", {"country": "JP"}, False),
        ("{ country: 'present' }", {"country": "present"}, True),
        ("{ country: JP, score: { at_least: 70, below: 90 } }", {"country": "JP", "score": 89}, True),
        ("{ country: JP, score: { at_least: 70, below: 90 } }", {"country": "JP", "score": 90}, False),
        ("{ score: 070 }", {"score": 70}, True),
        ("{ email: ' A@X.JP' }", {"email": "a@x.jp"}, True),
        ("{ industry: 建設業 }", {"industry": "建設"}, True),
        ("{ member: true }", {"member": True}, True),
        ("{ since: { below: 2026/4/1 } }", {"since": "2026-03-31"}, True),
        ("{ rate: { at_least: 9.96 } }", {"rate": "10.0"}, True),
        ("{ rate: { at_least: 10 } }", {"rate": "9.9"}, False),
        (
            "{ any: [ { country: JP }, { score: 1 } ], member: true }",
            {"country": "JP", "member": False},
            False,
        ),
        ("{ not: { country: JP, score: 1 } }", {"country": "JP", "score": 2}, True),
        ("{ country: { not: [JP, US] } }", {"country": "DE"}, True),
    ],
)
def test_a_condition_is_typed_by_its_fields(condition: str, given: dict[str, Value], answer: bool) -> None:
    """Values in conditions are read as the field's type reads them, so that they can be met at all."""
    assert _scope(condition)(given) is answer


@pytest.mark.parametrize(
    ("condition", "blank", "answer"),
    [
        ("{ country: JP }", "country", False),
        ("{ country: { not: JP } }", "country", False),
        ("{ not: { country: JP } }", "country", False),
        ("{ score: { below: 70 } }", "score", False),
        ("{ not: { score: { at_least: 70 } } }", "score", False),
        ("{ not: { any: [ { country: JP }, { score: 1 } ] } }", "country", False),
        ("{ any: [ { country: JP }, { score: 1 } ] }", "country", True),
        ("{ not: { country: JP, score: 2 } }", "country", True),
        ("{ country: blank }", "country", True),
        ("{ country: present }", "country", False),
        ("{ not: { country: present } }", "country", True),
        ("{ member: { not: true } }", "member", False),
    ],
)
def test_a_field_without_value_meets_nothing_but_blank(condition: str, blank: str, answer: bool) -> None:
    """Null, and a field that was never read, satisfy no comparison, also not behind a not."""
    given: dict[str, Value] = {"country": "US", "score": 1, "member": True}
    for missing in ({**given, blank: None}, {name: value for name, value in given.items() if name != blank}):
        assert _scope(condition)(missing) is answer


@pytest.mark.parametrize(
    "condition",
    [
        "{}",
        "[]",
        "yes",
        "{ country: }",
        "{ country: [] }",
        "{ member: maybe }",
        "{ since: yesterday }",
        "{ country: { at_least: 3 } }",
        "{ member: { below: 3 } }",
        "{ score: { at_least: [1] } }",
        "{ industry: 農業 }",
        "{ any: { country: JP } }",
        "{ any: [] }",
    ],
)
def test_a_condition_that_nobody_could_meet_is_refused(condition: str) -> None:
    """Nonsense in a condition is an error, not a route that silently does nothing."""
    assert codes(source(mapping(*ROWS, more=f"scope: {{ marketo: {condition} }}\n")).problems) == ["M026"]


def test_create_asks_the_source_and_scope_its_own_side() -> None:
    """A create condition sees the fields of the other side; asking for what that side has not is an error."""
    row = "owner: { salesforce: Owner }"
    assert codes(
        source(mapping(row, more="create: { salesforce: { when: { owner: present } } }\n")).problems
    ) == ["M017"]
    assert codes(source(mapping(row, more="scope: { marketo: { owner: present } }\n")).problems) == ["M017"]
    found = rules(mapping(row, more="create: { marketo: { when: { owner: 田中 } } }\n"))
    assert found.create[Side.MA].when({"owner": "田中"})
