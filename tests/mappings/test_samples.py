"""Three mappings of a company with 300,000 people: they load together, and every line of them does something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings.check import check
from mappings.compile import Source, compile_source
from mappings.load import folder_of, load
from sync.record import Side
from sync.rules import ActionKind, Flow, Rules
from tests.support.mapping_texts import field

SAMPLES = Path("tests/mappings/samples")
FILES = ("japan.yaml", "overseas.yaml", "dealers.yaml")


def _compiled(name: str, text: str) -> Source:
    return compile_source(text.encode(), str(SAMPLES / name), folder_of(SAMPLES / name))


def _rules(name: str) -> Rules:
    (rules,) = load([SAMPLES / name]).rules
    return rules


def test_the_three_files_load_together() -> None:
    """No errors, no two writers, and exactly the warning that the dealers' shared addresses deserve."""
    loaded = load([SAMPLES])
    assert [rules.route for rules in loaded.rules] == ["dealer-person", "japan-person", "overseas-person"]
    assert loaded.problems == ()
    problems = check(loaded.sources)
    assert [(Path(p.file).name, p.code) for p in problems if p.severity != "note"] == [
        ("dealers.yaml", "M048")
    ]


def _lines() -> Iterator[tuple[str, int]]:
    for name in FILES:
        for number, line in enumerate((SAMPLES / name).read_text(encoding="utf-8").splitlines()):
            text = line.strip()
            if text == "examples:":
                break
            if text and not text.startswith("#"):
                yield name, number


@pytest.mark.parametrize(("name", "number"), list(_lines()))
def test_no_line_is_idle(name: str, number: int) -> None:
    """Taking any one line out changes the digest or breaks the file: no line only looks as if it did something."""
    lines = (SAMPLES / name).read_text(encoding="utf-8").splitlines(keepends=True)
    whole = _compiled(name, "".join(lines)).rules
    assert whole is not None
    rest = _compiled(name, "".join(lines[:number] + lines[number + 1 :])).rules
    assert rest is None or rest.digest != whole.digest, lines[number]


def test_what_the_japanese_lines_say() -> None:
    """Policies, tables, brakes and conditions of the largest route come out as its comments promise."""
    rules = _rules("japan.yaml")
    policies = {rule.name: (rule.conflict, rule.first) for rule in rules.fields if rule.flow is Flow.BOTH}
    assert policies["email"] == ("ma", "sfa")
    assert policies["first_name"] == ("non_blank", "sfa")
    assert policies["industry"] == ("sfa", "ma")
    assert policies["employees"] == ("max", "sfa")
    assert policies["visited_on"] == ("max", "hold")
    assert policies["sample_sent"] == ("any_true", "sfa")
    assert field(rules, "mobile").blank == "propagate"
    assert field(rules, "score").drift == "restore"
    assert field(rules, "country").cells[Side.SFA].read("Vietnam") == "ベトナム"
    limits = {kind: (limit.number, limit.share) for kind, limit in rules.limits.items()}
    assert limits[ActionKind.BLANK] == (50, 0.002)
    assert limits[ActionKind.OPT_OUT] == (500, 0.02)
    inside, when = rules.scope[Side.MA], rules.create[Side.SFA].when
    assert [inside({"email": "a@x.jp", "is_test": test}) for test in (False, None, True)] == [
        True,
        True,
        False,
    ]
    assert when({"score": 70})
    assert not when({"score": 70, "segment": "competitor"})
    assert not when({"score": 69, "hand_raise": False})


def test_what_the_overseas_lines_say() -> None:
    """The one-way route keeps people without a country out, and nobody may lift an opt-out."""
    rules = _rules("overseas.yaml")
    inside = rules.scope[Side.MA]
    assert [inside({"email": "a@x.com", "country": c}) for c in ("US", "JP", None)] == [True, False, False]
    assert rules.authority is None
    assert field(rules, "phone").conflict == "hold"
    assert field(rules, "title").conflict == "sfa"
    assert rules.objects[Side.SFA].all == ("Contact",)
    assert Side.MA not in rules.create


def test_what_the_dealer_lines_say() -> None:
    """The route that is being introduced writes nothing, and lets shared addresses identify a shop."""
    rules = _rules("dealers.yaml")
    assert rules.shadow
    assert [key.unless_role for key in rules.match if key.kind == "email"] == [False]
    assert rules.paths(Side.SFA)["Dealer_Staff__c"] == (
        "Mail__c",
        "Shop__c",
        "Marketo_Id__c",
        "HasOptedOutOfEmail",
    )
    assert "Last_Order__c" not in rules.paths(Side.SFA)["Lead"]
