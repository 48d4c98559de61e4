"""Mistakes in a mapping are named where they stand, all at once, with what was probably meant."""

from __future__ import annotations

import pytest

from mappings import later
from mappings.errors import MappingError, Problem
from mappings.load import compile_text
from tests.support.mapping_texts import BASE, HEAD, codes, found, mapping, place_of, source

ROW = "x: { marketo: x, flow: <->, salesforce: X }"


def _only(text: str) -> Problem:
    problems = source(text).problems
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.mark.parametrize(
    ("text", "code", "at", "hint"),
    [
        (mapping("x: { marketo: x, type: intger }"), "M012", "intger", "«integer»"),
        (mapping("x: { marketo: x, tpye: text }"), "M010", "tpye", "«type»"),
        (mapping("x: { marketo: x, flow: <->, salesfroce: X }"), "M010", "salesfroce", "«salesforce»"),
        (mapping(ROW.replace(" }", ", conflict: salesfroce }")), "M014", "salesfroce", "«salesforce»"),
        (mapping(ROW.replace(" }", ", blank: kep }")), "M014", "kep", "«keep»"),
        (
            mapping("x: { marketo: x, flow: >, salesforce: X }").replace(": >,", ": '=>',"),
            "M014",
            "'=>'",
            "->",
        ),
        (mapping(more="create: { salesforce: { wen: { email: present } } }\n"), "M010", "wen", "«when»"),
        (mapping(more="create: { salesforc: { need: [email] } }\n"), "M016", "salesforc:", "«salesforce»"),
        (mapping(more="create: { salesforce: { need: [emial] } }\n"), "M017", "emial", "«email»"),
        (mapping(more="scope: { marketo: { emial: present } }\n"), "M017", "emial", "«email»"),
        (mapping(more="scope: { marketo: { score: { atleast: 3 } } }\n"), "M010", "atleast", "«at_least»"),
        (mapping(more="match: [ { same: [emial] } ]\n"), "M017", "emial", "«email»"),
        (mapping(more="match: [ { same: [last_name] } ]\n"), "M027", "[last_name]", "email"),
        (mapping(more="limits: { creat: { number: 1 } }\n"), "M010", "creat:", "«create»"),
        (mapping(more="limits: { create: { share: lots } }\n"), "M014", "lots", "5 %"),
        (mapping(more="limits: { create: { number: -1 } }\n"), "M014", "-1", ""),
        (mapping(more="consent: { authority: pardot }\n"), "M014", "pardot", "marketo"),
        (mapping("x: { marketo: x, flow: <->, salesforce: { Laed: X } }"), "M018", "Laed", "«Lead»"),
        (
            mapping("x: { flow: ->, salesforce: X, compute: { join: [lastname] } }"),
            "M017",
            "lastname",
            "«last_name»",
        ),
        (mapping("x: { marketo: x, flow: <-, compute: { join: [x] } }"), "M021", "[x]", "another"),
        (BASE.replace("kind: person", "kind: persn"), "M014", "persn", "«person»"),
        (BASE.replace("jp-person", "'jp person'"), "M014", "'jp person'", "jp-person"),
        (BASE + "modes: shadow\n", "M010", "modes", "«mode»"),
    ],
)
def test_a_slip_is_named_with_its_place_and_the_word_meant(text: str, code: str, at: str, hint: str) -> None:
    """One wrong word gives one problem, at that word, with the nearest right one."""
    problem = _only(text)
    line, column = place_of(text, at)
    assert problem.code == code, str(problem)
    assert (problem.line, problem.column) == (line, column + at.startswith("["))
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("x: { marketo: x, salesforce: X }", "M019"),
        ("x: { flow: ->, salesforce: X }", "M019"),
        ("x: { marketo: x, flow: -> }", "M019"),
        ("x: { flow: <-> }", "M019"),
        ("x: { type: text }", "M019"),
        ("x: { compute: { join: [last_name] } }", "M019"),
        ("x: { salesforce: X, flow: <-, marketo: x }", "M015"),
        ("x: { flow: <->, marketo: x, salesforce: X }", "M015"),
        ("x: { marketo: x, flow: <->, salesforce: Account.Name }", "M020"),
        ("x: { marketo: x, flow: ->, salesforce: { Contact: Account.Name } }", "M020"),
        ("x: { marketo: x, flow: ->, salesforce: X, compute: { join: [last_name] } }", "M021"),
        ("x: { flow: <->, salesforce: X, compute: { join: [last_name] } }", "M021"),
        ("x: { flow: ->, salesforce: X, compute: { with: ' ' } }", "M021"),
        ("x: { flow: ->, salesforce: X, compute: { join: [last_name], bands: score } }", "M021"),
        ("x: { flow: ->, salesforce: X, compute: { bands: last_name } }", "M024"),
        ("x: { marketo: x, flow: ->, salesforce: X, conflict: marketo }", "M025"),
        ("x: { marketo: x, flow: ->, salesforce: X, first: marketo }", "M025"),
        ("x: { marketo: x, flow: <->, salesforce: X, drift: restore }", "M025"),
        ("x: { marketo: x, flow: <->, salesforce: X, write: create_only }", "M025"),
        ("x: { marketo: x, flow: <->, salesforce: X, conflict: max }", "M025"),
        ("x: { marketo: x, flow: <->, salesforce: X, type: integer, conflict: any_true }", "M025"),
        ("x: { marketo: x, flow: <->, salesforce: X, region: JP }", "M025"),
        ("x: { marketo: x, flow: <->, salesforce: X, scale: 2 }", "M025"),
        ("x: { marketo: x, type: boolean, blank: keep }", "M025"),
        ("x: { marketo: x, on_create: { blank: y } }", "M025"),
        ("x: { marketo: x, flow: <->, salesforce: X, type: text, values: { a: b } }", "M025"),
        ("x: { marketo: x, values: { a: b } }", "M022"),
        ("x: { marketo: x, flow: <->, salesforce: X, values: {} }", "M022"),
        ("x: { marketo: x, flow: <->, salesforce: X, type: key }", "M019"),
        ("x: { marketo: x, flow: ->, salesforce: X, type: integer, on_create: { blank: many } }", "M028"),
        ("x: { marketo: x, flow: ->, salesforce: X, type: phone, region: Japan }", "M014"),
        ("x: { marketo: x, flow: ->, salesforce: X, type: decimal, scale: many }", "M014"),
        ("x: marketo", "M013"),
        ("a.b: { marketo: x }", "M014"),
        ("any: { marketo: x }", "M014"),
    ],
)
def test_a_row_that_cannot_do_what_it_says_is_refused(row: str, code: str) -> None:
    """An arrow that lies, or an option that could have no effect, is an error and not silence."""
    text = mapping(row)
    problems = source(text).problems
    assert code in codes(problems), [str(problem) for problem in problems]
    assert {problem.line for problem in problems} == {text[: text.index(row)].count("\n") + 1}


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("all: { marketo: out, flow: ->, salesforce: Out, true_means: opted_out }", "M029"),
        ("all: { marketo: out, salesforce: Out, true_means: opted_out }", "M029"),
        ("all: { marketo: out, flow: <->, true_means: opted_out }", "M029"),
        ("all: { true_means: opted_out }", "M029"),
        ("all: { marketo: out, flow: <->, salesforce: Out }", "M011"),
        ("all: { marketo: out, flow: <->, salesforce: Out, true_means: maybe }", "M014"),
        ("all: { marketo: out, flow: <->, salesforce: Out, true_means: agreed, blank: agreed }", "M014"),
        ("all: { marketo: out, flow: <->, salesforce: Out, true_means: agreed, conflict: marketo }", "M010"),
        ("all: { marketo: out, flow: <->, salesforce: { Led: Out }, true_means: agreed }", "M018"),
        ("autority: marketo", "M010"),
    ],
)
def test_a_topic_that_is_no_latch_is_refused(topic: str, code: str) -> None:
    """An opt-out that goes one way, carries a policy or leaves its meaning open is an error."""
    assert codes(source(BASE + f"consent:\n  {topic}\n").problems) == [code]


def test_all_mistakes_come_at_once() -> None:
    """Several errors in one file are all reported, in the order of the file."""
    rows = (
        "x: { marketo: x, type: intger }",
        "y: { marketo: y, flow: <->, salesforce: { Led: Y }, blank: kep }",
    )
    text = (
        mapping(*rows)
        .replace("kind: person", "kind: persn")
        .replace("leadScore, flow: ->", "leadScore, flow: =>")
    )
    problems = source(text).problems
    assert [(problem.line, problem.code) for problem in problems] == [
        (3, "M014"),
        (9, "M014"),
        (11, "M012"),
        (12, "M018"),
        (12, "M014"),
    ]


def test_a_broken_line_of_systems_does_not_blame_the_rows() -> None:
    """Where the systems are unknown, columns are not called unknown words."""
    text = BASE.replace("[marketo, salesforce]", "[marketo]") + "defaults: { conflict: salesforce }\n"
    assert codes(source(text).problems) == ["M014"]


def test_missing_words_are_named() -> None:
    """What a file must have and has not is said, with what it is for."""
    problems = source("version: 1\n").problems
    assert codes(problems) == ["M011"] * 5
    assert max(problem.message.split("»")[0] for problem in problems) == "«systems"
    assert codes(source(HEAD.replace("marketo: Lead, ", "") + "fields: {}\n").problems) == ["M011"]


def test_the_text_of_an_error_can_be_clicked() -> None:
    """An exception reads as file:line:column and the next step."""
    with pytest.raises(MappingError) as caught:
        compile_text(mapping("x: { marketo: x, type: intger }"), "mappings/person.yaml")
    text = str(caught.value)
    assert text.startswith(
        "mappings/person.yaml:11:26  error M012  unknown type «intger»: did you mean «integer»?"
    )
    assert "renkei check" in text


def _later(place: str, word: str) -> str:
    rows = {
        "ROW": f"x: {{ marketo: x, flow: <->, salesforce: X, {word}: y }}",
        "TYPE": f"x: {{ marketo: x, type: {word} }}",
        "POLICY": f"x: {{ marketo: x, flow: <->, salesforce: X, conflict: {word} }}",
        "COMPUTE": f"x: {{ flow: ->, salesforce: X, compute: {{ join: [last_name], {word}: y }} }}",
    }
    blocks = {
        "FILE": f"{word}: []\n",
        "MATCH": f"match: [ {{ same: [email], {word}: y }} ]\n",
        "CONDITION": f"scope: {{ marketo: {{ {word}: y }} }}\n",
    }
    if place in rows:
        return mapping(rows[place])
    if place == "KIND":
        return BASE.replace("kind: person", f"kind: {word}")
    return BASE + blocks[place]


_LATER = [
    (place, word)
    for place in (
        "FILE",
        "KIND",
        "TYPE",
        "ROW",
        "COMPUTE",
        "POLICY",
        "MATCH",
        "CONDITION",
    )
    for word in getattr(later, place)
]


@pytest.mark.parametrize(("place", "word"), _LATER)
def test_a_word_of_a_later_version_is_refused_by_name(place: str, word: str) -> None:
    """A file written ahead of its time is refused with the word's own code and what to do until then."""
    expected = getattr(later, place)[word]
    problem = _only(_later(place, word))
    assert (problem.code, problem.hint) == (expected.code, expected.until_then)
    assert f"«{word}" in problem.message
    assert "not in this version" in problem.message


def test_codes_of_later_words_mean_one_thing() -> None:
    """Two words share a code only where they belong to the same feature."""
    by_code: dict[str, set[str]] = {}
    for place, word in _LATER:
        by_code.setdefault(getattr(later, place)[word].code, set()).add(word)
    shared = {code: words for code, words in by_code.items() if len(words) > 1}
    assert shared == {}


def test_a_threshold_that_is_nowhere_is_named_with_what_to_write() -> None:
    """«warm» is refused where it is asked, while thresholds.yaml knows only «hot»."""
    text = BASE + "create: { salesforce: { when: { score: warm } } }\n"
    thresholds = "score:\n  hot: { enter: 70, leave: 60, dwell: 24h }\n  bands: { A: 80 }\n"
    (problem,) = source(text, {"thresholds.yaml": thresholds}).problems
    assert (problem.file, problem.code) == ("person.yaml", "M024")
    assert "«warm»" in problem.message


@pytest.mark.parametrize(
    ("hot", "code"),
    [
        ("{ leave: 60 }", "M011"),
        ("{ enter: many }", "M014"),
        ("{ enter: 60, leave: 70 }", "M024"),
        ("{ enter: 70, dwell: 24 }", "M014"),
        ("{ enter: 70, stay: 24h }", "M010"),
    ],
)
def test_a_threshold_that_means_nothing_is_refused_in_its_file(hot: str, code: str) -> None:
    """What cannot be a threshold is named where it stands."""
    problems = source(BASE, {"thresholds.yaml": f"score:\n  hot: {hot}\n  bands: {{ A: 80 }}\n"}).problems
    assert [(problem.file, problem.code) for problem in problems] == [("thresholds.yaml", code)]


def test_a_match_line_of_several_fields_comes_later() -> None:
    """Fields in combination are refused, not read as alternatives."""
    problem = _only(BASE + "match: [ { same: [email, last_name] } ]\n")
    assert problem.code == "M162"


def test_bad_bands_are_named_in_their_file() -> None:
    """Bands that are no numbers, or begin at the same one, and a threshold without a number are reported there."""
    bands = "version: 2\nscore: { bands: { A: high, B: 60, C: 60 }, band: {} }\n"
    problems = source(BASE, {"thresholds.yaml": bands}).problems
    assert [(problem.line, problem.code) for problem in problems] == [
        (1, "M014"),
        (2, "M024"),
        (2, "M024"),
        (2, "M011"),
    ]


def test_a_full_width_mark_inside_a_key_is_named() -> None:
    """A key that swallowed a full-width space is not called unknown, the space is."""
    problems = source(mapping("x: { marketo: x, \u3000type: text }")).problems
    assert found(problems, "M005").hint == "use the ordinary one"
