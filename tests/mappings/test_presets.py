"""The presets load, say nothing wrong, and fit the vendors that they are written for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings.check import check
from mappings.load import load
from sync.errors import RenkeiError
from sync.ports import Capabilities
from sync.record import Schema, Side
from sync.rules import Flow
from tests.connectors.rigs import MarketoRig, Rig, SalesforceRig
from tests.support.mapping_texts import field

PRESETS = Path("mappings/presets/marketo-salesforce")


@pytest.fixture(scope="module")
def vendors() -> Iterator[dict[str, Rig]]:
    """Both fake vendors over HTTP, each with its connector."""
    rigs: dict[str, Rig] = {"marketo": MarketoRig(), "salesforce": SalesforceRig()}
    yield rigs
    for rig in rigs.values():
        rig.close()


def _described(vendors: dict[str, Rig]) -> tuple[dict[str, dict[str, Schema]], dict[str, Capabilities]]:
    schemas = {
        name: {schema.object: schema for schema in rig.connector.describe("person")}
        for name, rig in vendors.items()
    }
    return schemas, {name: rig.connector.capabilities for name, rig in vendors.items()}


@pytest.mark.parametrize("name", ["person.yaml", "person-oneway.yaml"])
def test_a_preset_fits_both_vendors(name: str, vendors: dict[str, Rig]) -> None:
    """Checked against the live schemas of both fake vendors, a preset has no error and no warning."""
    loaded = load([PRESETS / name])
    assert loaded.problems == ()
    problems = check(loaded.sources, *_described(vendors))
    assert [str(problem) for problem in problems if problem.severity != "note"] == []


def test_the_two_way_preset_states_where_a_create_could_double(vendors: dict[str, Rig]) -> None:
    """Salesforce has our unique key, Marketo has none: the note stands at Marketo alone."""
    problems = check(load([PRESETS / "person.yaml"]).sources, *_described(vendors))
    notes = [problem.message for problem in problems if problem.code == "M036"]
    assert [note.split()[0] for note in notes] == ["marketo"]


def test_the_one_way_preset_creates_under_a_unique_key_only(vendors: dict[str, Rig]) -> None:
    """The benchmark's preset writes nothing but opt-outs to Marketo, and its creates cannot double."""
    (rules,) = load([PRESETS / "person-oneway.yaml"]).rules
    assert {rule.flow for rule in rules.fields} == {Flow.TO_SFA}
    assert set(rules.create) == {Side.SFA}
    assert rules.create[Side.SFA].when({})
    problems = check(load([PRESETS / "person-oneway.yaml"]).sources, *_described(vendors))
    assert not [problem for problem in problems if problem.code == "M036"]


def test_every_path_of_a_preset_can_be_read(vendors: dict[str, Rig]) -> None:
    """The connectors read every path that the two-way preset names, dotted ones too."""
    (rules,) = load([PRESETS / "person.yaml"]).rules
    for side, rig in ((Side.MA, vendors["marketo"]), (Side.SFA, vendors["salesforce"])):
        try:
            pages = list(rig.connector.changes("person", None, rules.paths(side)))
        except RenkeiError as error:
            pytest.fail(str(error))
        assert pages[-1].last


def test_the_two_way_preset_means_what_it_says() -> None:
    """Keys, match order, consent and create rules of the preset come out as they are written."""
    (rules,) = load([PRESETS / "person.yaml"]).rules
    assert [(key.kind, key.field) for key in rules.match] == [
        ("id", "marketo_id"),
        ("id", "salesforce_id"),
        ("email", "email"),
    ]
    assert field(rules, "marketo_id").cells[Side.MA].is_id
    assert field(rules, "salesforce_id").cells[Side.SFA].is_id
    assert (rules.authority, [topic.topic for topic in rules.consent]) == (Side.MA, ["all", "seminar"])
    when = rules.create[Side.SFA].when
    assert [when({"email": "a@x.jp", "score": score}) for score in (60, 59, None)] == [True, False, False]
    assert field(rules, "company").cells[Side.SFA].read_only == {"Contact"}
