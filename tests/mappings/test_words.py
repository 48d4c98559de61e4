"""Every word of the grammar does what it says: its own behaviour fails when its step is taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from types import MappingProxyType

import pytest

from mappings.conditions import Words
from mappings.errors import MappingError
from mappings.examples import run_examples
from mappings.grammar import Grammar, Place
from mappings.load import source_of
from mappings.transforms import text_type
from mappings.words import grammar
from sync.errors import UnknownValue
from sync.record import Side, Value
from sync.rules import ActionKind, ConsentRule, Flow, Rules, Sign
from tests.mappings.test_flow_words import FLOW_BEHAVIOURS
from tests.support.mapping_texts import BASE, HEAD, THRESHOLDS, field, mapping, rules

Behaviour = Callable[[Grammar], None]
MA, SFA = Side.MA, Side.SFA


def _refused(text: str, words: Grammar) -> str:
    """The codes of a text that must not compile."""
    problems = source_of(text, "person.yaml", {"thresholds.yaml": THRESHOLDS}, words).problems
    return " ".join(problem.code for problem in problems if problem.severity == "error")


def _version(words: Grammar) -> None:
    assert _refused(BASE.replace("version: 1", "version: 2"), words) == "M014"


def _route(words: Grammar) -> None:
    assert rules(BASE, words).route == "jp-person"


def _kind(words: Grammar) -> None:
    assert rules(BASE, words).kind == "person"


def _systems(words: Grammar) -> None:
    assert rules(BASE, words).systems == {MA: "marketo", SFA: "salesforce"}


def _mode(words: Grammar) -> None:
    assert rules(BASE + "mode: shadow\n", words).shadow
    assert not rules(BASE + "mode: live\n", words).shadow


def _objects(words: Grammar) -> None:
    assert rules(BASE, words).objects[MA].create == "Lead"


def _object_create(words: Grammar) -> None:
    assert rules(BASE, words).objects[SFA].create == "Lead"


def _object_follow(words: Grammar) -> None:
    assert rules(BASE, words).objects[SFA].all == ("Lead", "Contact")


def _defaults(words: Grammar) -> None:
    assert field(rules(BASE + "defaults: { conflict: marketo }\n", words), "email").conflict == "ma"


def _default_conflict(words: Grammar) -> None:
    assert field(rules(BASE + "defaults: { conflict: salesforce }\n", words), "email").conflict == "sfa"


def _default_first(words: Grammar) -> None:
    assert field(rules(BASE + "defaults: { first: salesforce }\n", words), "email").first == "sfa"


def _default_blank(words: Grammar) -> None:
    assert field(rules(BASE + "defaults: { blank: propagate }\n", words), "email").blank == "propagate"


def _default_unknown_value(words: Grammar) -> None:
    rules(BASE + "defaults: { unknown_value: hold_field }\n", words)
    assert _refused(BASE + "defaults: { unknown_value: keep }\n", words) == "M014"


def _fields(words: Grammar) -> None:
    names = [rule.name for rule in rules(BASE, words).fields]
    assert names == ["email", "last_name", "score", "marketo_id"]


def _flow(words: Grammar) -> None:
    found = rules(mapping("title: { marketo: title, flow: <-, salesforce: Title }"), words)
    assert field(found, "title").flow is Flow.TO_MA
    assert field(found, "email").flow is Flow.BOTH
    assert field(found, "score").flow is Flow.TO_SFA


def _type(words: Grammar) -> None:
    assert field(rules(BASE, words), "score").cells[MA].read("64") == 64


def _compute(words: Grammar) -> None:
    row = "full_name: { flow: ->, salesforce: Full_Name__c, compute: { join: [last_name] } }"
    compute = field(rules(mapping(row), words), "full_name").compute
    assert compute is not None
    assert compute({"last_name": "山田"}) == "山田"


def _join(words: Grammar) -> None:
    _compute(words)


def _with(words: Grammar) -> None:
    row = "twice: { flow: ->, salesforce: Twice__c, compute: { join: [last_name, email], with: ' / ' } }"
    compute = field(rules(mapping(row), words), "twice").compute
    assert compute is not None
    assert compute({"last_name": "山田", "email": "a@x.jp"}) == "山田 / a@x.jp"
    assert compute({"last_name": "山田", "email": None}) == "山田"
    assert compute({}) is None


def _bands(words: Grammar) -> None:
    compute = field(
        rules(mapping("g: { flow: ->, salesforce: G__c, compute: { bands: score } }"), words), "g"
    ).compute
    assert compute is not None
    assert [compute({"score": score}) for score in (100, 80, 79, 0, -1, None)] == [
        "A",
        "A",
        "B",
        "D",
        None,
        None,
    ]


def _values(words: Grammar) -> None:
    table = "{ 建設: Construction, 建設業: Construction, 小売: Retail }"
    row = f"industry: {{ marketo: i, flow: <->, salesforce: I, values: {table} }}"
    cells = field(rules(mapping(row), words), "industry").cells
    assert cells[SFA].read("Construction") == "建設"
    assert cells[MA].read("建設業") == "建設"
    assert cells[SFA].write("小売") == "Retail"
    with pytest.raises(UnknownValue):
        cells[SFA].read("Farming")


def _values_file(words: Grammar) -> None:
    row = "country: { marketo: c, flow: <->, salesforce: C, values_file: country.csv }"
    cells = field(rules(mapping(row), words, country_csv="日本,Japan\n中国,China\n"), "country").cells
    assert cells[SFA].read("Japan") == "日本"


def _region(words: Grammar) -> None:
    row = "phone: { marketo: phone, flow: <->, salesforce: Phone, type: phone, region: US }"
    assert field(rules(mapping(row), words), "phone").cells[MA].read("(415) 555-2671") == "+14155552671"


def _scale(words: Grammar) -> None:
    row = "rate: { marketo: rate, flow: ->, salesforce: Rate__c, type: decimal, scale: 2 }"
    assert field(rules(mapping(row), words), "rate").cells[MA].read(12.345) == "12.35"


def _on_create(words: Grammar) -> None:
    row = "company: { marketo: company, flow: ->, salesforce: Company, on_create: { blank: （会社名なし） } }"
    assert field(rules(mapping(row), words), "company").on_create_blank == "（会社名なし）"


def _write(words: Grammar) -> None:
    row = "source: { marketo: leadSource, flow: ->, salesforce: LeadSource, write: create_only }"
    assert field(rules(mapping(row), words), "source").create_only


def _conflict(words: Grammar) -> None:
    rows = [
        "a: { marketo: a, flow: <->, salesforce: A, conflict: marketo }",
        "b: { marketo: b, flow: <->, salesforce: B, conflict: salesforce }",
        "c: { marketo: c, flow: <->, salesforce: C, conflict: non_blank }",
        "d: { marketo: d, flow: <->, salesforce: D, type: date, conflict: max }",
        "e: { marketo: e, flow: <->, salesforce: E, type: decimal, conflict: min }",
        "f: { marketo: f, flow: <->, salesforce: F, type: boolean, conflict: all_true }",
        "g: { marketo: g, flow: <->, salesforce: G, type: boolean, conflict: any_true }",
        "h: { marketo: h, flow: <->, salesforce: H, conflict: hold }",
    ]
    found = rules(mapping(*rows, more="defaults: { conflict: marketo }\n"), words)
    policies = [field(found, name).conflict for name in "abcdefgh"]
    assert policies == ["ma", "sfa", "non_blank", "max", "min", "all_true", "any_true", "hold"]


def _first(words: Grammar) -> None:
    rows = [
        "a: { marketo: a, flow: <->, salesforce: A, first: marketo }",
        "b: { marketo: b, flow: <->, salesforce: B, first: hold }",
    ]
    found = rules(mapping(*rows, more="defaults: { first: salesforce }\n"), words)
    assert [field(found, name).first for name in ("a", "b", "email")] == ["ma", "hold", "sfa"]


def _blank(words: Grammar) -> None:
    row = "a: { marketo: a, flow: <->, salesforce: A, blank: propagate }"
    assert field(rules(mapping(row), words), "a").blank == "propagate"


def _drift(words: Grammar) -> None:
    row = "a: { marketo: a, flow: ->, salesforce: A, drift: restore }"
    assert field(rules(mapping(row), words), "a").drift == "restore"


def _order(words: Grammar) -> None:
    table = "values: { neu: New, alt: Old, older: Old, done: Done }"
    row = f"a: {{ marketo: a, flow: ->, salesforce: A, type: picklist, order: stages, {table} }}"
    assert field(rules(mapping(row), words), "a").stages == ("neu", "alt", "done")


_TOPIC = "consent: { all: { marketo: unsubscribed, flow: <->, salesforce: OptOut, true_means: opted_out } }\n"


def _topic(text: str, words: Grammar) -> ConsentRule:
    topics = rules(text, words).consent
    assert len(topics) == 1
    return topics[0]


def _consent(words: Grammar) -> None:
    topic = _topic(BASE + _TOPIC, words)
    assert (topic.topic, set(topic.cells)) == ("all", {MA, SFA})


def _authority(words: Grammar) -> None:
    assert rules(BASE + _TOPIC.replace("{ all", "{ authority: marketo, all"), words).authority is MA


def _topic_flow(words: Grammar) -> None:
    _consent(words)


def _true_means(words: Grammar) -> None:
    topic = _topic(BASE + _TOPIC.replace("opted_out", "agreed"), words)
    assert [topic.cells[MA].read(raw) for raw in (True, False, None)] == [False, True, None]
    opted_out: Value = True
    assert topic.cells[SFA].write(opted_out) is False


def _topic_blank(words: Grammar) -> None:
    topic = _topic(BASE + _TOPIC.replace("opted_out", "agreed, blank: not_agreed"), words)
    assert topic.blank_closes_gates


def _match(words: Grammar) -> None:
    text = BASE + "match: [ { same: [marketo_id] }, { same: [email], unless: role_address } ]\n"
    assert [(key.kind, key.field) for key in rules(text, words).match] == [
        ("id", "marketo_id"),
        ("email", "email"),
    ]


def _same(words: Grammar) -> None:
    _match(words)


def _unless(words: Grammar) -> None:
    (key,) = rules(BASE + "match: [ { same: [email], unless: role_address } ]\n", words).match
    assert key.unless_role
    (key,) = rules(BASE + "match: [ { same: [email] } ]\n", words).match
    assert not key.unless_role


def _create(words: Grammar) -> None:
    assert set(rules(BASE + "create: { salesforce: { need: [last_name] } }\n", words).create) == {SFA}


def _when(words: Grammar) -> None:
    found = rules(BASE + "create: { salesforce: { when: { score: { at_least: 70 } } } }\n", words).create[SFA]
    assert [found.when({"score": score}) for score in (70, 69, None)] == [True, False, False]


def _need(words: Grammar) -> None:
    assert rules(BASE + "create: { salesforce: { need: [last_name, email] } }\n", words).create[SFA].need == (
        "last_name",
        "email",
    )


def _scope(words: Grammar) -> None:
    found = rules(BASE + "scope: { salesforce: { last_name: present } }\n", words).scope
    assert set(found) == {SFA}
    assert found[SFA]({"last_name": "山田"})
    assert not found[SFA]({"last_name": None})


def _limits(words: Grammar) -> None:
    limits = rules(
        BASE + "limits: { create: { number: 7, share: 2 % }, opt_out: { number: 9 } }\n", words
    ).limits
    assert (limits[ActionKind.CREATE].number, limits[ActionKind.CREATE].share) == (7, 0.02)
    assert (limits[ActionKind.OPT_OUT].number, limits[ActionKind.OPT_OUT].share) == (9, 0.02)
    signs = rules(BASE + "limits: { emptied: { number: 200 }, setback: { share: 1 % } }\n", words).signs
    assert (signs[Sign.EMPTIED].number, signs[Sign.EMPTIED].share) == (200, 0.01)


def _number(words: Grammar) -> None:
    assert rules(BASE + "limits: { blank: { number: 7 } }\n", words).limits[ActionKind.BLANK].number == 7


def _share(words: Grammar) -> None:
    assert rules(BASE + "limits: { update: { share: 0.5 } }\n", words).limits[ActionKind.UPDATE].share == 0.5


_EXAMPLE = """\
examples:
  - { name: 点数, given: { marketo: { leadScore: 1 } }, expect: { salesforce: { MA_Score__c: 2 } } }
"""


def _example_problems(words: Grammar, text: str) -> str:
    compiled = source_of(BASE + text, "person.yaml", {}, words)
    assert compiled.rules is not None
    return "; ".join(problem.message for problem in run_examples(compiled))


def _examples(words: Grammar) -> None:
    assert "MA_Score__c gets «1»" in _example_problems(words, _EXAMPLE)


def _example_name(words: Grammar) -> None:
    assert "点数" in _example_problems(words, _EXAMPLE)


def _given(words: Grammar) -> None:
    assert _example_problems(words, _EXAMPLE.replace(": 2 }", ": 1 }")) == ""


def _expect(words: Grammar) -> None:
    _examples(words)


BEHAVIOURS: dict[tuple[str, str], Behaviour] = {
    ("file", "version"): _version,
    ("file", "route"): _route,
    ("file", "kind"): _kind,
    ("file", "systems"): _systems,
    ("file", "mode"): _mode,
    ("file", "objects"): _objects,
    ("file", "defaults"): _defaults,
    ("file", "fields"): _fields,
    ("file", "match"): _match,
    ("file", "create"): _create,
    ("file", "scope"): _scope,
    ("file", "consent"): _consent,
    ("file", "limits"): _limits,
    ("file", "examples"): _examples,
    ("objects", "create"): _object_create,
    ("objects", "follow"): _object_follow,
    ("defaults", "conflict"): _default_conflict,
    ("defaults", "first"): _default_first,
    ("defaults", "blank"): _default_blank,
    ("defaults", "unknown_value"): _default_unknown_value,
    ("row", "flow"): _flow,
    ("row", "type"): _type,
    ("row", "compute"): _compute,
    ("row", "values"): _values,
    ("row", "values_file"): _values_file,
    ("row", "region"): _region,
    ("row", "scale"): _scale,
    ("row", "on_create"): _on_create,
    ("row", "write"): _write,
    ("row", "conflict"): _conflict,
    ("row", "first"): _first,
    ("row", "blank"): _blank,
    ("row", "drift"): _drift,
    ("row", "order"): _order,
    ("compute", "join"): _join,
    ("compute", "with"): _with,
    ("compute", "bands"): _bands,
    ("on_create", "blank"): _on_create,
    ("consent", "authority"): _authority,
    ("topic", "flow"): _topic_flow,
    ("topic", "true_means"): _true_means,
    ("topic", "blank"): _topic_blank,
    ("match", "same"): _same,
    ("match", "unless"): _unless,
    ("create", "when"): _when,
    ("create", "need"): _need,
    ("limit", "number"): _number,
    ("limit", "share"): _share,
    ("example", "name"): _example_name,
    ("example", "given"): _given,
    ("example", "expect"): _expect,
}


def _all_words() -> Iterator[tuple[str, str]]:
    words = grammar()
    for slot in dataclass_fields(Grammar):
        place = getattr(words, slot.name)
        if isinstance(place, Place):
            for word in place.words:
                yield slot.name, word


def test_every_word_has_its_behaviour() -> None:
    """No word of the grammar goes untested."""
    assert set(_all_words()) == {*BEHAVIOURS, *FLOW_BEHAVIOURS}


@pytest.mark.parametrize(("place", "word"), BEHAVIOURS)
def test_a_word_does_what_it_says_and_nothing_without_its_step(place: str, word: str) -> None:
    """The word's behaviour holds, and fails when its step is taken out of the table."""
    BEHAVIOURS[place, word](grammar())
    with pytest.raises((AssertionError, MappingError)):
        BEHAVIOURS[place, word](grammar().without(place, word))


def _asks(condition: str) -> Callable[[Grammar, dict[str, object]], bool]:
    def ask(words: Grammar, given: dict[str, object]) -> bool:
        text = mapping("ok: { marketo: ok, type: boolean }", more=f"scope: {{ marketo: {condition} }}\n")
        return rules(text, words).scope[MA](given)  # type: ignore[arg-type]

    return ask


CONDITIONS: dict[tuple[str, str], tuple[str, dict[str, object], dict[str, object]]] = {
    ("values", "present"): ("{ email: present }", {"email": "a@x.jp"}, {"email": None}),
    ("values", "blank"): ("{ email: blank }", {"email": None}, {"email": "a@x.jp"}),
    ("comparisons", "at_least"): ("{ score: { at_least: 70 } }", {"score": 70}, {"score": 69}),
    ("comparisons", "below"): ("{ score: { below: 70 } }", {"score": 69}, {"score": 70}),
    ("comparisons", "not"): ("{ score: { not: 70 } }", {"score": 69}, {"score": 70}),
    ("joins", "any"): ("{ any: [ { ok: true }, { score: 1 } ] }", {"score": 1}, {"score": 2, "ok": False}),
    ("joins", "not"): ("{ not: { ok: true } }", {"ok": False}, {"ok": True}),
}


def test_every_word_of_conditions_is_listed() -> None:
    """No word of conditions goes untested."""
    words = grammar().conditions
    listed = {(place, word) for place in ("values", "comparisons", "joins") for word in getattr(words, place)}
    assert listed == set(CONDITIONS)


@pytest.mark.parametrize(("place", "word"), CONDITIONS)
def test_a_word_of_conditions_decides(place: str, word: str) -> None:
    """The word says yes and no where it should, and no longer once it is taken out of the table."""
    condition, yes, no = CONDITIONS[place, word]
    ask = _asks(condition)
    assert (ask(grammar(), yes), ask(grammar(), no)) == (True, False)
    less = _without_condition(place, word)
    with pytest.raises((AssertionError, MappingError)):
        assert (ask(less, yes), ask(less, no)) == (True, False)


def _without_condition(place: str, word: str) -> Grammar:
    words = grammar().conditions
    rest = {name: step for name, step in getattr(words, place).items() if name != word}
    changed: Words = replace(words, **{place: MappingProxyType(rest)})
    return replace(grammar(), conditions=changed)


TYPES: dict[str, tuple[object, object]] = {
    "text": (64, "64"),
    "key": (1048213.0, "1048213"),
    "email": ("Ａ@X.jp ", "a@x.jp"),
    "phone": ("03-1234-5678", "+81312345678"),
    "integer": ("64", 64),
    "decimal": ("1.50", "1.5"),
    "boolean": ("true", True),
    "date": ("2026/4/1", "2026-04-01"),
    "datetime": ("2026-04-01T09:00:00+09:00", "2026-04-01T00:00:00Z"),
    "picklist": ("甲", "甲"),
    "company_name": ("㈱　甲", "(株) 甲"),
    "corporate_number": ("T7123456789012", "7123456789012"),
    "domain": ("https://www.example.co.jp/", "example.co.jp"),
    "money": ("1200.50", "1200.5"),
    "user": ("Ａ@X.jp ", "a@x.jp"),
    "reference": (1048213.0, "1048213"),
}


def test_every_type_is_listed() -> None:
    """No type goes untested."""
    assert set(grammar().types) == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_a_type_reads_in_its_own_way(name: str) -> None:
    """`type:` chooses how a value is read; a type out of the table is refused, one that reads as text is noticed."""
    raw, canonical = TYPES[name]

    needed = {"user": ", by: email", "reference": ", to: jp-account"}.get(name, "")

    def read(words: Grammar) -> object:
        row = field(rules(mapping(f"x: {{ marketo: x, type: {name}{needed} }}"), words), "x")
        return row.cells[MA].read(raw)  # type: ignore[arg-type]

    assert read(grammar()) == canonical
    rest = {key: rule for key, rule in grammar().types.items() if key != name}
    with pytest.raises((MappingError, KeyError)):
        read(replace(grammar(), types=MappingProxyType(rest)))
    if name not in {"text", "key", "picklist", "reference"}:
        assert read(replace(grammar(), types=MappingProxyType({**rest, name: text_type}))) != canonical


def test_the_head_alone_says_what_is_missing() -> None:
    """A required word that is missing is named, with what it is for."""
    assert _refused(HEAD, grammar()) == "M011"
    assert isinstance(rules(BASE), Rules)
