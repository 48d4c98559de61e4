"""A project with accounts, deals and people from one preset: written, checked against the live schemas of every kind,
planned and delivered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mappings.answers import Answer, findings, kinds_of
from mappings.compile import Source
from mappings.load import load
from renkei.fakes import Fakes, place_secrets
from renkei.inbox import Entry
from renkei.mapped import answer_of
from renkei.scaffold import presets, write_project
from renkei.settings import open_project
from sync.errors import RequestRefused
from sync.ports import Capabilities
from tests.support.command import Place

FLOWS = "marketo-salesforce/flows"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The preset beside fake vendors who do business."""
    folder = tmp_path_factory.mktemp("flows")
    with Fakes("--persons", "40", "--role", "0", "--seed", "3", "--deals", "10") as fakes:
        write_project(folder, FLOWS, places=fakes.places)
        place_secrets(open_project(folder).secrets, fakes.places, fakes.systems)
        yield Place(folder=folder, fakes=fakes)


@pytest.fixture
def sources() -> tuple[Source, ...]:
    """The files of the preset as they are shipped, each under its own name."""
    folder = files("mappings") / "presets" / "marketo-salesforce"
    names = ("account.yaml", "deal.yaml", "person-flows.yaml")
    return load([Path(str(folder / name)) for name in names]).sources


def test_a_set_of_presets_becomes_one_project(tmp_path: Path) -> None:
    """Its files stand under the names that they have in a project, thresholds beside them, and they load without an
    error; what is part of a set is not offered alone."""
    made = write_project(tmp_path, FLOWS)
    names = {"account.yaml", "deal.yaml", "person.yaml", "thresholds.yaml"}
    assert {name.removeprefix("mappings/") for name in made.files if "/" in name} == names
    loaded = load([tmp_path / "mappings"])
    assert [each.kind for each in loaded.rules] == ["account", "opportunity", "person"]
    assert not [each for each in loaded.problems if each.severity == "error"]
    assert not {"marketo-salesforce/deal", "marketo-salesforce/person-flows"} & set(presets())


def test_every_kind_is_checked_against_its_live_schema(place: Place, capsys: Any) -> None:
    """`check`, `systems` and `schema` ask for accounts, deals, people and what effects need; a field that no deal has
    is found with its line."""
    said = place.quick(capsys, "check")
    assert said.code == 0, said.out + said.err
    assert "2 systems asked · 0 errors" in said.out
    told = place.quick(capsys, "systems")
    assert told.code == 0, told.out
    assert "describe companies" in told.out
    assert "Renkei_Key__c" in told.out
    assert place.quick(capsys, "schema").code == 0
    written = {path.name for path in (place.folder / ".renkei" / "schema").iterdir()}
    assert written == {"jp-account.json", "jp-deal.json", "jp-person.json"}
    assert "StageName" in (place.folder / ".renkei" / "schema" / "jp-deal.json").read_text("utf-8")
    path = place.folder / "mappings" / "deal.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("salesforce: StageName", "salesforce: StagName"), "utf-8")
    wrong = place.quick(capsys, "check")
    path.write_text(text.replace("marketo: dealStage", "marketo: dealStge"), "utf-8")
    other = place.quick(capsys, "check")
    path.write_text(text, "utf-8")
    assert (wrong.code, "did you mean «StageName»" in wrong.out) == (2, True)
    assert (other.code, "did you mean «dealStage»" in other.out) == (2, True)


def test_the_whole_story_is_planned_and_let_go(place: Place, capsys: Any) -> None:
    """A first sync of all three routes ends with everybody delivered; deals, which are only followed, ask for no first
    plan. Compared, what the mapping leaves different is called its rule and can be shown, and companies that Marketo
    does not list are said to be given by id."""
    plan = place.quick(capsys, "plan", "--json").data["routes"]
    assert [each["route"] for each in plan] == ["jp-account", "jp-deal", "jp-person"]
    assert [each["first_needed"] for each in plan] == [True, False, True]
    assert place.quick(capsys, "sync", "--first", "--json").code in (0, 1)
    after = place.quick(capsys, "status", "--json").data["routes"]
    assert all(each["first_applied"] for each in after if each["route"] != "jp-deal")
    assert after[0]["linked"] > 0
    asked = place.quick(capsys, "inbox", "--json").data["entries"]
    (rate,) = [each["number"] for each in asked if each["kind"] == "no_rate"]
    step = place.quick(capsys, "inbox", rate, "--json").data["entry"]["next"]
    assert re.search(r"into \S+mappings/rates.csv, .* line \d+ of deal.yaml", step), step
    told = place.quick(capsys, "reconcile", "jp-account")
    assert re.search(r"given by id, but not listed, .*: marketo \d+", told.out), told.out
    (people,) = place.quick(capsys, "reconcile", "jp-person", "--show", "--json").data["routes"]
    assert people["explained"]["different"].keys() == {"by_rule"}
    assert {each["why"] for each in people["shown_explained"] if each["field"] == "lead_source"} == {
        "by_rule"
    }


def test_what_the_files_answer_is_named_with_its_line(tmp_path: Path) -> None:
    """A reason without a route, and a value of a field whose values stand in a table; other questions name no line."""
    write_project(tmp_path, FLOWS)
    path = tmp_path / "mappings" / "account.yaml"
    lines = path.read_text("utf-8").splitlines()
    number = next(at for at, line in enumerate(lines, 1) if line.strip().startswith("country:"))
    lines[number - 1] = (
        "  country: { marketo: billingCountry, flow: <-, salesforce: BillingCountry, values_file: c.csv }"
    )
    path.write_text("\n".join(lines), "utf-8")
    (tmp_path / "mappings" / "c.csv").write_text("marketo,salesforce\n日本,Japan\n", "utf-8")
    project = open_project(tmp_path)

    def told(kind: str, route: str, field: str) -> Any:
        return answer_of(project, Entry("1", kind, route, field, 0.0, 1))

    phrase, values = told("unknown_value", "jp-account", "country")
    assert (phrase, values["line"], Path(values["table"]).name) == ("inbox.write_value", str(number), "c.csv")
    phrase, values = told("unknown_reason", "jp-person", "jp-deal.recycle.reason")
    assert (phrase, values["file"]) == ("inbox.route_reason", "deal.yaml")
    deals = (tmp_path / "mappings" / "deal.yaml").read_text("utf-8").splitlines()
    assert deals[int(values["line"]) - 2].startswith("recycle:")
    assert told("conflict", "jp-account", "country") is None


def test_what_the_kinds_need_is_asked_of_the_right_system(sources: tuple[Source, ...]) -> None:
    """Deals are asked of the side that has them; effects of both sides."""
    kinds = kinds_of(sources)
    assert kinds["salesforce"] == {"account", "opportunity", "person", "effect"}
    assert kinds["marketo"] == {"account", "person", "effect"}


def test_what_stands_in_the_way_of_flows_is_a_finding(sources: tuple[Source, ...]) -> None:
    """A task without a unique key, companies that are closed, and another sync that writes the same people each come
    with their file and a next step."""

    def capable(system: str) -> Capabilities:
        return Capabilities(system=system, feeds={}, write_batch=1, fetch_batch=1, find_batch=1)

    closed = RequestRefused("Companies are managed by the CRM.", "1018", "leave accounts to it")
    answers = {
        "marketo": Answer({}, capable("marketo"), {"account": closed}, "Its own CRM sync writes people too."),
        "salesforce": Answer({}, capable("salesforce"), {}, ""),
    }
    found = {(each.code, Path(each.file).name): each for each in findings(sources, answers)}
    assert found["M071", "account.yaml"].severity == "error"
    assert found["M071", "account.yaml"].hint == "leave accounts to it"
    assert found["M072", "person-flows.yaml"].severity == "warning"
    assert "way-over" in found["M072", "person-flows.yaml"].hint
    assert "Renkei_Key__c" in found["M073", "person-flows.yaml"].message
    assert found["M073", "deal.yaml"].line > 1
    unique = Capabilities(
        system="salesforce", feeds={}, write_batch=1, fetch_batch=1, find_batch=1,
        unique_keys={"Task": frozenset({"Renkei_Key__c"})},
    )  # fmt: skip
    assert not findings(sources, {"salesforce": Answer({}, unique, {}, "")})
