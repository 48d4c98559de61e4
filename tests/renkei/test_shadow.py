"""A route that only looks on: what it would have written, now and on a day, without anybody's values."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from renkei.daemon.daily import Daily, day_of
from renkei.daemon.notes import Notes
from renkei.fakes import Fakes
from renkei.settings import open_project
from renkei.shadow import report, span, summary
from renkei.threads import Inline
from renkei.wire import load_rules
from renkei.words import Words
from state.memory import MemoryStore
from sync.errors import Fatal
from tests.support.command import new_place


def test_what_would_have_been_written_is_counted_and_nothing_is_written(tmp_path: Path, capsys: Any) -> None:
    """Figures by direction and field with ids as examples; values only where they are asked for; a day without any
    work has none; nothing leaves, neither by a sync nor by a plan that is applied."""
    with Fakes("--persons", "150", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        place.edit_mapping("defaults:\n", "mode: shadow\ndefaults:\n")
        place.quick(capsys, "sync")
        said = place.quick(capsys, "shadow", "--json")
        assert said.code == 0, said.err
        (route,) = said.data["routes"]
        assert route["shadow"]
        assert route["would_differ"] > 30
        grade = next(each for each in route["fields"] if each["field"] == "grade")
        assert grade["system"] == "salesforce"
        assert 0 < len(grade["examples"]) <= 3
        assert all(set(each) == {"record", "source"} for each in grade["examples"])
        made = [row["examples"] for row in route["fields"] if row["action"] == "create"]
        assert made
        assert all(len({each["source"] for each in row}) == len(row) for row in made)
        assert "optout" in {each["action"] for each in route["fields"]}
        shown = place.quick(capsys, "shadow", "jp-person", "--show")
        assert "∅ → " in shown.out
        today = datetime.now(UTC).astimezone().date().isoformat()
        day = place.quick(capsys, "shadow", "--json", "--day", today).data["routes"][0]
        assert day["would_differ"] == route["would_differ"]
        none = place.quick(capsys, "shadow", "--json", "--day", "2001-01-01").data["routes"][0]
        assert (none["would_differ"], none["fields"]) == (0, [])
        assert place.quick(capsys, "shadow", "--day", "soon").code == 2
        path = str(place.folder / "plan.json")
        said = place.quick(capsys, "plan", "--out", path, "--json")
        assert said.code == 0
        planned = said.data["routes"][0]["fields"]  # under the names that the route itself gives them
        assert set(planned) <= {each["field"] for each in route["fields"]}
        assert "consent.all" in planned
        applied = place.quick(capsys, "apply", path)
        assert (applied.code, "`mode: shadow`" in applied.err) == (2, True)
        assert sum(sum(each.values()) for each in fakes.ask("status")["writes"].values()) == 0


def test_what_somebody_else_brought_in_step_counts_as_passed(tmp_path: Path, capsys: Any) -> None:
    """A difference that is gone later the same day no longer stands, and the day's report still tells of it; the lines
    for a log name no person."""
    with Fakes("--persons", "30", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        place.edit_mapping("defaults:\n", "mode: shadow\ndefaults:\n")
        place.quick(capsys, "sync")
        before = place.quick(capsys, "shadow", "--json").data["routes"][0]
        place.edit_mapping("  grade:", "  # grade:")
        place.quick(capsys, "sync")
        project = open_project(place.folder)
        (rules,) = load_rules(project)
        found = report(project, rules, datetime.now(UTC).astimezone().date().isoformat())
        assert found.stands < before["would_differ"]
        assert {row.field for row in found.rows if row.passed} >= {"grade"}
        lines = summary(found, Words("en"))
        assert lines[0].startswith("jp-person (")
        assert not any("@" in line for line in lines)
        place.edit_mapping("mode: shadow\n", "")
        told = place.quick(capsys, "shadow").out
        assert ("nothing leaves before its first `renkei apply`" in told, "next sync" in told) == (
            True,
            False,
        )


class _Ear:
    """A channel that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    def tell(self, subject: str, text: str, key: str) -> None:
        """Take one message."""
        self.heard.append((subject, text, key))


def test_a_service_tells_each_day_of_a_route_that_only_looks_on_once(tmp_path: Path, capsys: Any) -> None:
    """The first day tells nothing; when the next begins, yesterday is told once, also if the process was started anew,
    and no person is named."""
    with Fakes("--persons", "30", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        place.edit_mapping("defaults:\n", "mode: shadow\ndefaults:\n")
        place.quick(capsys, "sync")
        project = open_project(place.folder)
        rules = load_rules(project)
        ear, store, now = _Ear(), MemoryStore(), time.time()
        for moment in (now, now + 86_400.0, now + 86_401.0):
            notes = Notes(store)  # each look by a process of its own
            daily = Daily(project, notes, ear, Inline(), lambda *_args, **_more: None)  # type: ignore[arg-type]
            daily.look(rules, moment)
    ((subject, text, key),) = ear.heard
    assert subject.startswith("jp-person (")
    assert "grade" in text
    assert "@" not in text
    assert key == f"shadow jp-person {day_of(now)}"


def test_a_day_is_one_of_this_host() -> None:
    """It begins at midnight here and lasts until the next one; anything else is refused with an example."""
    begin, end = span("2026-04-01")
    assert datetime.fromtimestamp(begin, UTC).astimezone().isoformat().startswith("2026-04-01T00:00:00")
    assert end > begin + 80_000
    with pytest.raises(Fatal, match="no day"):
        span("1 April")
