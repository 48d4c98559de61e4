"""`check` says of mappings that load whether they can work: alone, together, and at the vendors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mappings.check import check
from mappings.errors import Problem
from sync.ports import Capabilities, Feed
from sync.record import Schema, SchemaField
from tests.support.mapping_texts import BASE, codes, found, mapping, place_of, schema, source

SOUND = """\
defaults: { conflict: salesforce, first: salesforce }
match: [ { same: [marketo_id] }, { same: [email], unless: role_address } ]
consent: { authority: marketo, all: { marketo: out, flow: <->, salesforce: Out__c, true_means: opted_out } }
"""

MARKETO = schema(
    "marketo",
    "Lead",
    SchemaField("id", "id", createable=False, updateable=False),
    SchemaField("email", "email", length=255),
    SchemaField("lastName", "text", length=80),
    SchemaField("leadScore", "integer"),
    SchemaField("out", "boolean"),
    SchemaField("industry", "text"),
    SchemaField("formula", "text", createable=False, updateable=False, moves_stamp=False),
)


def _person(name: str, *more: SchemaField) -> Schema:
    return schema(
        "salesforce",
        name,
        SchemaField("Id", "id", createable=False, updateable=False),
        SchemaField("Email", "email", length=255),
        SchemaField("LastName", "text", length=80, required=True),
        SchemaField("MA_Score__c", "decimal"),
        SchemaField("Marketo_Id__c", "text", unique=True),
        SchemaField("Out__c", "boolean"),
        *more,
    )


SALESFORCE = {"Lead": _person("Lead"), "Contact": _person("Contact")}
SCHEMAS = {"marketo": {"Lead": MARKETO}, "salesforce": SALESFORCE}


def _with(*more: SchemaField) -> dict[str, dict[str, Schema]]:
    return {"marketo": {"Lead": MARKETO}, "salesforce": {name: _person(name, *more) for name in SALESFORCE}}


def _live(
    text: str, schemas: dict[str, dict[str, Schema]] | None = None, **more: Capabilities
) -> list[Problem]:
    return check([source(text)], schemas or SCHEMAS, more)


def test_a_sound_mapping_has_no_findings() -> None:
    """Nothing is said of a mapping that is complete and fits both schemas."""
    assert check([source(BASE + SOUND)]) == []
    assert _live(BASE + SOUND) == []


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        (BASE + SOUND.replace(", first: salesforce", ""), "M040", "error"),
        (BASE + SOUND.replace("conflict: salesforce, ", ""), "M049", "note"),
        (BASE + SOUND.replace("authority: marketo, ", ""), "M043", "note"),
        (BASE + SOUND.replace("match: [", "#"), "M042", "warning"),
        (
            BASE + SOUND.replace("match: [", "#") + "create: { marketo: { when: { email: present } } }\n",
            "M042",
            "error",
        ),
        (BASE + SOUND.replace("consent: {", "#"), "M047", "warning"),
        (BASE + SOUND.replace(", unless: role_address", ""), "M048", "warning"),
        (
            BASE + SOUND.replace("{ same: [marketo_id] }, ", "") + "create: { salesforce: {} }\n",
            "M053",
            "warning",
        ),
        (
            BASE + SOUND.replace("{ same: [marketo_id] }", "{ same: [email], unless: role_address }"),
            "M046",
            "warning",
        ),
        (mapping("spare: { marketo: spare }", more=SOUND), "M046", "warning"),
        (
            mapping("c: { marketo: c, flow: ->, salesforce: { Lead: C, Contact: Account.C } }", more=SOUND),
            "M051",
            "note",
        ),
    ],
)
def test_a_gap_is_asked_for(text: str, code: str, severity: str) -> None:
    """What a person must decide or would regret is named once, as bad as it is."""
    problems = check([source(text)])
    assert [(problem.code, problem.severity) for problem in problems] == [(code, severity)]


def test_a_side_to_which_nothing_is_written_gets_no_new_records() -> None:
    """A create rule without any arrow to that side would make empty records."""
    text = mapping(more=SOUND + "create: { marketo: { when: { email: present } } }\n").replace("<->", "->", 2)
    assert "M052" in codes(
        check([source(text.replace("conflict: salesforce, first: salesforce", "blank: keep"))])
    )


@pytest.mark.parametrize(
    "used",
    [
        "create: { salesforce: { when: { spare: present } } }\n",
        "scope: { marketo: { not: { any: [ { spare: x } ] } } }\n",
    ],
)
def test_a_row_that_a_condition_asks_is_used(used: str) -> None:
    """A row without an arrow is not idle when a condition reads it, however deep."""
    assert check([source(mapping("spare: { marketo: spare }", more=SOUND + used))]) == []


def test_two_writers_of_one_field_are_found_in_one_file_and_in_two() -> None:
    """The same vendor field written by two rows is an error that names both."""
    inside = mapping("again: { marketo: title, flow: ->, salesforce: { Contact: MA_Score__c } }", more=SOUND)
    problem = found(check([source(inside)]), "M044")
    assert problem.line == place_of(inside, "again")[0]
    assert "salesforce.Contact.MA_Score__c: «score» (line 9) and «again»" in problem.message
    other = (
        (BASE + SOUND)
        .replace("jp-person", "other")
        .replace("<->, salesforce: LastName", "->, salesforce: Name2")
    )
    problems = check([source(BASE + SOUND), source(other, name="mappings/other.yaml")])
    clashes = [problem for problem in problems if problem.code == "M044"]
    assert {problem.file for problem in clashes} == {"mappings/other.yaml"}
    assert "jp-person (person.yaml:7) and other" in clashes[0].message
    assert not any("Out__c" in problem.message for problem in clashes)  # the same opt-out twice is one latch
    assert not any("LastName" in problem.message for problem in clashes)


def test_two_readers_of_one_field_are_fine() -> None:
    """Reading a field twice is nobody's problem."""
    rows = (
        "title: { marketo: title, flow: ->, salesforce: T1 }",
        "again: { marketo: title, flow: ->, salesforce: T2 }",
    )
    assert check([source(mapping(*rows, more=SOUND))]) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("marketo: lastName", "marketo: lastNmae", "M030", "lastNmae"),
        ("salesforce: LastName", "salesforce: { Lead: LastName, Contact: LastNane }", "M030", "LastNane"),
        ("marketo: out", "marketo: oot", "M030", "oot"),
        ("salesforce: MA_Score__c, type: integer", "salesforce: MA_Score__c", "M033", "MA_Score__c"),
        (
            "salesforce: MA_Score__c, type: integer",
            "salesforce: Out__c, type: integer",
            "M033",
            "Out__c, type",
        ),
        ("marketo: leadScore", "marketo: out", "M033", "out, flow: ->"),
        ("marketo: out", "marketo: lastName", "M033", "lastName, flow: <->, salesforce: Out"),
        ("flow: ->, salesforce: MA_Score__c, type: integer", "flow: ->, salesforce: Id", "M032", "Id }"),
        ("marketo: lastName", "marketo: formula", "M032", "formula"),
        ("create: Lead, follow: Contact", "create: Lead, follow: Kontact", "M038", "{ create"),
    ],
)
def test_a_cell_that_does_not_fit_the_vendor_is_named(old: str, new: str, code: str, at: str) -> None:
    """Unknown fields, missing rights, wrong types and unknown objects point at the cell."""
    text = (BASE + SOUND).replace(old, new, 1)
    hits = [problem for problem in _live(text) if problem.code == code and problem.severity == "error"]
    assert {(problem.line, problem.column) for problem in hits} == {place_of(text, at)}
    if code == "M030":
        assert "did you mean" in hits[0].hint


def test_paths_into_other_records_are_left_to_the_vendor() -> None:
    """A dotted path is compared only where the vendor describes such paths."""
    text = mapping(
        "c: { marketo: industry, flow: ->, salesforce: { Lead: Email2, Contact: Account.Name } }", more=SOUND
    )
    assert codes(_live(text, _with(SchemaField("Email2", "text")))) == ["M051"]
    described = _with(SchemaField("Email2", "text"), SchemaField("Account.Nam", "text"))
    assert sorted(codes(_live(text, described))) == ["M030", "M051"]


def test_values_are_compared_with_the_vendors_list() -> None:
    """A word that the vendor's restricted list has not is an error with the nearest one; words left out are noted."""
    row = "industry: { marketo: industry, flow: <->, salesforce: I, values: { 建設: Construction, 小売: Retail } }"
    text = mapping(row, more=SOUND)
    field = SchemaField("I", "picklist", picklist=("Constructions", "Retail", "Farming"), restricted=True)
    problems = _live(text, _with(field))
    wrong = [problem for problem in problems if problem.code == "M031"]
    assert {problem.severity for problem in wrong} == {"error"}
    assert {(problem.line, problem.hint) for problem in wrong} == {(11, "nearest: «Constructions»")}
    noted = [problem for problem in problems if problem.code == "M039"]
    assert all("Constructions, Farming" in problem.message for problem in noted)
    open_list = _live(text, _with(field._replace(restricted=False)))
    assert {problem.severity for problem in open_list if problem.code == "M031"} == {"warning"}


def test_bands_and_texts_for_blanks_are_compared_too() -> None:
    """Computed words and on_create texts must stand in the vendor's list, and fit its length."""
    rows = (
        "grade: { flow: ->, salesforce: G, compute: { bands: score } }",
        "c: { marketo: industry, flow: ->, salesforce: C, on_create: { blank: （会社名なし） } }",
    )
    fields = (
        SchemaField("G", "picklist", picklist=("A", "B", "C"), restricted=True),
        SchemaField("C", "text", length=5),
    )
    problems = _live(mapping(*rows, more=SOUND), _with(*fields))
    assert "«D»" in problems[0].message
    assert {problem.code for problem in problems} == {"M031", "M034"}


def test_long_texts_into_short_fields_are_noted() -> None:
    """A target that is shorter than its source is named with both lengths."""
    text = (BASE + SOUND).replace("marketo: lastName, flow: <->", "marketo: lastName, flow: ->")
    short = {name: replace(person, fields=dict(person.fields)) for name, person in SALESFORCE.items()}
    short["Lead"] = replace(
        short["Lead"],
        fields={**SALESFORCE["Lead"].fields, "LastName": SchemaField("LastName", "text", length=20)},
    )
    problem = found(_live(text, {"marketo": {"Lead": MARKETO}, "salesforce": short}), "M034")
    assert ("80 characters go into 20" in problem.message, problem.severity) == (True, "note")


def test_a_formula_that_moves_no_stamp_is_named() -> None:
    """Reading a field whose changes nobody reports is a warning."""
    problems = _live(
        mapping("f: { marketo: formula, flow: ->, salesforce: LastName2 }", more=SOUND),
        _with(SchemaField("LastName2", "text")),
    )
    assert [(problem.code, problem.severity) for problem in problems] == [("M037", "warning")]


def test_what_a_new_record_needs_must_be_filled() -> None:
    """A required field without a row is an error, one that may be blank asks for `need:`."""
    create = SOUND + "create: { salesforce: { when: { email: present } } }\n"
    assert codes(_live(mapping(more=create))) == ["M041"]
    assert codes(_live(mapping(more=create.replace("} } }\n", "}, need: [last_name] } }\n")))) == []
    problems = _live(mapping(more=create), _with(SchemaField("Company", "text", required=True)))
    assert sorted(codes(problems)) == ["M035", "M041"]
    filled = "company: { marketo: industry, flow: ->, salesforce: Company, on_create: { blank: none } }"
    assert codes(
        _live(mapping(filled, more=create), _with(SchemaField("Company", "text", required=True)))
    ) == ["M041"]


def test_a_side_without_a_unique_key_states_its_condition() -> None:
    """Where a create could double, the condition is named with the vendor's own time limit; a unique field is advised
    only where there can be one."""
    text = mapping(more=SOUND + "create: { marketo: { when: { email: present } } }\n")
    limits = Capabilities(
        system="marketo",
        feeds={"person": Feed.FEED},
        write_batch=300,
        fetch_batch=300,
        find_batch=300,
        server_timeout=45,
    )
    problem = found(_live(text, marketo=limits), "M036")
    assert problem.severity == "note"
    assert "later than 45 s" in problem.message
    assert problem.hint.startswith("nothing to do: marketo can have no unique field")
    possible = found(_live(text, marketo=replace(limits, unique_keys={"Lead": frozenset()})), "M036")
    assert "a unique external-id field" in possible.hint
    unique = replace(limits, unique_keys={"Lead": frozenset({"email"})})
    assert _live(text, marketo=unique) == []


def test_create_only_needs_the_right_to_create() -> None:
    """A field for new records only is fine with `write: create_only`; without it the error says so."""
    row = "s: { marketo: industry, flow: ->, salesforce: Source, write: create_only }"
    create = SOUND + "create: { salesforce: { need: [last_name] } }\n"
    once = _with(SchemaField("Source", "text", updateable=False))
    assert _live(mapping(row, more=create), once) == []
    problem = _live(mapping(row.replace(", write: create_only", ""), more=create), once)[0]
    assert (problem.code, "create_only" in problem.hint) == ("M032", True)
    never = _with(SchemaField("Source", "text", updateable=False, createable=False))
    assert codes(_live(mapping(row, more=create), never)) == ["M032", "M032"]


def test_errors_of_the_loader_hide_no_findings() -> None:
    """A file that does not compile is checked as far as it was understood."""
    text = mapping("x: { marketo: x, type: intger }", more=SOUND).replace(
        "marketo: lastName", "marketo: lastNmae"
    )
    assert {"M012", "M030"} <= set(codes(_live(text)))


def test_examples_run_with_the_check() -> None:
    """An example that no longer holds is a finding like any other."""
    example = "examples: [ { given: { marketo: { leadScore: 82 } }, expect: { salesforce: { MA_Score__c: 80 } } } ]\n"
    text = BASE + SOUND + example
    problem = found(check([source(text)]), "M050")
    assert (problem.line, problem.column) == place_of(text, "80 }")
    assert check([source(text.replace("80 }", "82 }"))]) == []


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            "{ given: { marketo: { leadScoer: 1 } }, expect: { salesforce: { MA_Score__c: null } } }",
            "no row reads «leadScoer»",
        ),
        (
            "{ given: { marketo: { leadScore: 1 } }, expect: { salesforce: { MA_Scroe__c: 1 } } }",
            "no row knows «MA_Scroe__c»",
        ),
        (
            "{ given: { marketo: { leadScore: 1 } }, expect: { marketo: { email: a@x.jp } } }",
            "gives nothing for salesforce",
        ),
        (
            "{ given: { salesforce: { MA_Score__c: 1 } }, expect: { marketo: { leadScore: 1 } } }",
            "nothing is written to marketo",
        ),
        (
            "{ given: { marketo: { leadScore: many } }, expect: { salesforce: { MA_Score__c: null } } }",
            "it would wait",
        ),
        ("{ given: { marketo: { leadScore: 1 } }, expect: {} }", "expects nothing"),
    ],
)
def test_an_example_that_asks_nonsense_is_named(example: str, message: str) -> None:
    """An example that could never hold says why."""
    problem = found(check([source(BASE + SOUND + f"examples: [ {example} ]\n")]), "M050")
    assert message in problem.message


def test_examples_know_consent_and_texts_for_blanks() -> None:
    """An opt-out goes over, its absence writes nothing, a blank gets the text for new records."""
    row = "company: { marketo: company, flow: ->, salesforce: Company, on_create: { blank: （なし） } }"
    examples = """\
examples:
  - { given: { marketo: { out: true } }, expect: { salesforce: { Out__c: true, Company: （なし） } } }
  - { given: { marketo: { out: false, company: 東都 } }, expect: { salesforce: { Out__c: null, Company: 東都 } } }
"""
    assert check([source(mapping(row, more=SOUND + examples))]) == []
