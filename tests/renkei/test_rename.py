"""A system gets another name: nobody is met for the first time, and `renkei rename-system` carries the state over."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from renkei.fakes import Fakes
from renkei.settings import open_project
from tests.support.command import Place, new_place
from tests.support.journal_rows import bearing, rows_of

OLD, NEW = "marketo", "marketo_jp"
WORLD = ("--persons", "30", "--role", "0", "--seed", "7")


@pytest.fixture(autouse=True)
def _speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def place(tmp_path: Path, capsys: Any) -> Iterator[Place]:
    """A project at rest after its first sync."""
    with Fakes(*WORLD) as fakes:
        made = new_place(tmp_path / "project", fakes)
        assert made.quick(capsys, "sync", "--first", "--canary", "0").code == 0
        made.quick(capsys, "sync")
        yield made


def call(place: Place, old: str, new: str) -> None:
    """Somebody renames a system in the settings, the mapping and the names of its secrets."""
    for path in (place.folder / "renkei.yaml", *(place.folder / "mappings").glob("*.yaml")):
        text = path.read_text("utf-8").replace(f"connector: {old} ", "connector: KEPT ")
        renamed = re.sub(rf"(?<![\w/-]){old}\b", new, text).replace("connector: KEPT ", f"connector: {old} ")
        path.write_text(renamed, "utf-8")
    for path in open_project(place.folder).secrets.glob(f"{old}__*"):
        path.rename(path.with_name(path.name.replace(old, new, 1)))


def rows(place: Place) -> list[tuple[str, Any]]:
    """Every row of the journal."""
    return rows_of(open_project(place.folder).state)


def test_a_renamed_system_stops_its_routes_and_makes_nobody(place: Place, capsys: Any) -> None:
    """Whatever is tried, nothing is written; the error and the inbox name the cause and the command."""
    before = place.live()
    call(place, OLD, NEW)
    for words in (("sync",), ("plan",), ("sync", "--first")):
        said = place.quick(capsys, *words)
        assert said.code == 2
        assert f"was kept under the system {OLD}, and its mapping names {NEW} now" in said.err
        assert f"`renkei rename-system {OLD} {NEW}`" in said.err
    check = place.quick(capsys, "check", "--offline")
    assert (check.code, f"`renkei rename-system {OLD} {NEW}`" in check.out) == (2, True)
    assert place.quick(capsys, "check", "--offline", "--json").data["renamed"][0]["next"]
    (entry,) = place.quick(capsys, "inbox", "--json").data["entries"]
    assert (entry["kind"], entry["details"]) == ("renamed", {"was": OLD, "now": NEW})
    assert "rename-system" in place.quick(capsys, "inbox").out
    assert place.live() == before


def test_the_old_name_again_is_as_before(place: Place, capsys: Any) -> None:
    """Who takes the new name back goes on without any command, and the question is gone."""
    call(place, OLD, NEW)
    place.quick(capsys, "sync")
    call(place, NEW, OLD)
    assert place.quick(capsys, "sync", "--json").data["routes"][0]["sent"] == {}
    assert place.quick(capsys, "inbox").code == 0


def test_a_dry_run_changes_nothing(place: Place, capsys: Any) -> None:
    """It says what would be carried over, and the journal is what it was."""
    call(place, OLD, NEW)
    before = rows(place)
    said = place.quick(capsys, "rename-system", OLD, NEW, "--dry-run", "--json")
    assert (said.code, said.data["dry_run"]) == (0, True)
    assert said.data["rows"]["record"] > 0
    assert said.data["known"] == said.data["asked"] == 20
    assert "Nothing was changed." in place.quick(capsys, "rename-system", OLD, NEW, "--dry-run").out
    assert rows(place) == before


def test_the_state_carried_over_goes_on_as_before(place: Place, capsys: Any) -> None:
    """After the command no row bears the old name, the next sync reads no more than any other and writes nothing, and
    whatever looks at the state finds it; the journal tells of it."""
    before = place.live()
    usual = sum(place.quick(capsys, "sync", "--json").data["routes"][0]["read"].values())
    call(place, OLD, NEW)
    said = place.quick(capsys, "rename-system", OLD, NEW, "--yes", "--json")
    assert said.code == 0, said.err
    assert bearing(OLD, rows(place)) == set()
    assert {"record", "key", "operation", "cursor"} <= bearing(NEW, rows(place))
    (route,) = place.quick(capsys, "sync", "--json").data["routes"]
    assert route["sent"] == {}
    assert place.quick(capsys, "check", "--offline").code == 0
    assert sum(route["read"].values()) <= usual
    assert place.live() == before
    assert place.quick(capsys, "inbox").code == 0
    (lead, *_others) = before[OLD]
    assert place.quick(capsys, "trace", f"{NEW}:{lead}").code == 0
    with closing(sqlite3.connect(open_project(place.folder).state)) as journal:
        query = "SELECT body FROM run WHERE trigger = 'rename-system'"
        ((body,),) = journal.execute(query).fetchall()
    assert f'"from":"{OLD}","to":"{NEW}"' in body.decode()


def test_another_account_is_not_taken_for_the_same(place: Place, capsys: Any) -> None:
    """The new name stands before an account that does not show the records: refused, and nothing is changed."""
    call(place, OLD, NEW)
    before = rows(place)
    with Fakes("--persons", "2", "--role", "0", "--seed", "99") as others:
        path = place.folder / "renkei.yaml"
        (here, there) = (str(each.places[OLD]["url"]) for each in (place.fakes, others))
        path.write_text(path.read_text("utf-8").replace(here, there), "utf-8")
        said = place.quick(capsys, "rename-system", OLD, NEW, "--yes")
    assert said.code == 2
    assert "it is another one" in said.err
    assert rows(place) == before


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("marketo", "nowhere", "renkei.yaml names no system nowhere"),
        ("salesforce", "marketo_jp", "renkei.yaml still names salesforce"),
        ("hubspot", "marketo_jp", "Nothing is kept under hubspot"),
    ],
)
def test_what_cannot_be_carried_over_is_refused(
    place: Place, capsys: Any, old: str, new: str, what: str
) -> None:
    """Names that are wrong, or not yet in the files, end with a sentence, a step and 2."""
    call(place, OLD, NEW)
    said = place.quick(capsys, "rename-system", old, new, "--yes")
    assert said.code == 2
    assert what in said.err
    assert re.match(r"error  [^\n]+\nnext  \S", said.err)


def test_nobody_is_asked_where_nobody_sits(place: Place, capsys: Any) -> None:
    """Without --yes and without a person the command ends before anything is changed."""
    call(place, OLD, NEW)
    said = place.quick(capsys, "rename-system", OLD, NEW, "--json")
    assert (said.code, said.data["ok"]) == (2, False)
    assert bearing(NEW, [each for each in rows(place) if each[0] == "record"]) == set()
