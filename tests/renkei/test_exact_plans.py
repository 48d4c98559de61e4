"""What a plan lists is what an apply writes, field by field, as the vendors themselves wrote it down.

Judged by the fake vendors' ledgers and the plan's file alone.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.fakes import Fakes
from tests.support.command import Place, new_place
from tests.support.serving import check_verdict

ITS_OWN = {"OwnerId", "RecordTypeId", "Status", "IsConverted"}  # what the vendor itself fills in a new record
Ledgers = dict[str, list[dict[str, Any]]]
LINES = tuple[str, str, str, tuple[tuple[str, Any, Any], ...]]


@pytest.fixture(params=["1", "2", "3"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A project in another world each time, nothing written yet."""
    with Fakes("--persons", "80", "--role", "0", "--seed", request.param) as fakes:
        yield new_place(tmp_path / "project", fakes)


def edit(place: Place, seconds: float = 0.5, optouts: float = 0.1) -> None:
    """Let people on both sides type for a moment."""
    wish = {"rate": 100, "seconds": seconds, "collide_share": 0.2, "optout_share": optouts}
    place.fakes.ask("edits/start", wish)
    while place.fakes.ask("status")["running"]:
        time.sleep(0.02)
    time.sleep(1.2)  # until the feeds show it


def plan(place: Place, capsys: Any) -> list[dict[str, Any]]:
    """Write a plan; its lines."""
    said = place.quick(capsys, "plan", "--out", str(place.folder / "plan.json"))
    assert said.code == 0, said.err
    routes = json.loads((place.folder / "plan.json").read_text("utf-8"))["routes"]
    return [line for part in routes for line in part["operations"]]


def apply(place: Place, capsys: Any) -> dict[str, Any]:
    """Let the plan go; what the command says of its only route."""
    said = place.quick(capsys, "apply", str(place.folder / "plan.json"), "--json")
    (data,) = said.data["routes"]
    assert isinstance(data, dict)
    return data


def ledger(place: Place) -> Ledgers:
    """Everything that the vendors wrote down, by system."""
    found = place.fakes.ask("ledger")
    assert isinstance(found, dict)
    return found


def written(place: Place, since: Ledgers) -> Counter[LINES]:
    """What the API wrote since, as lines; a create with all that it filled."""
    found: Counter[LINES] = Counter()
    for system, entries in ledger(place).items():
        for entry in entries[len(since[system]) :]:
            if entry["actor"] == "api":
                made = entry["verb"] == "create"
                changes = {
                    path: each for path, each in entry["changes"].items() if not (made and path in ITS_OWN)
                }
                found[as_line(system, entry["object"], "" if made else entry["id"], changes)] += 1
    return found


def as_line(system: str, object_: str, record: str, changes: dict[str, Any]) -> LINES:
    """A write as it can be counted, fields in their order; a blank that stays blank is none."""
    fields = [(path, plain(old), plain(new)) for path, (old, new) in sorted(changes.items())]
    return system, object_, record, tuple(each for each in fields if each[1] != each[2])


def plain(value: Any) -> Any:
    """A value as both know it: false is what a vendor shows of an unticked box, which it keeps as a blank."""
    return None if value is False else value


def planned(lines: list[dict[str, Any]]) -> Counter[LINES]:
    """A plan's lines, as they should come to be written."""
    return Counter(
        as_line(
            line["system"], line["object"], line["record"],
            {path: (now, then) for path, (_name, now, then) in line["fields"].items()},
        )
        for line in lines
    )  # fmt: skip


def test_on_a_frozen_world_what_is_planned_is_written_to_the_field(fresh: Place, capsys: Any) -> None:
    """The first plan, and one after a hundred edits and opt-outs on both sides: each line is written as listed, from
    the value listed to the value listed, and nothing besides."""
    for moment in ("first", "edited"):
        if moment == "edited":
            for _ in range(3):
                fresh.quick(capsys, "sync")
            edit(fresh)
        before = ledger(fresh)
        lines = plan(fresh, capsys)
        assert len(lines) >= 10
        assert written(fresh, before) == Counter()
        data = apply(fresh, capsys)
        assert written(fresh, before) == planned(lines)
        assert data["delivered"] == data["applied"] == len(lines)
        assert data["differences"] == []


def test_where_the_world_has_moved_the_rest_is_written_and_the_moved_is_listed(
    fresh: Place, capsys: Any
) -> None:
    """Of a plan that people have typed into, each line is either written as listed or stands among the differences with
    what is wanted now; what they typed since is overwritten by nothing, and the next syncs bring both sides in step."""
    fresh.quick(capsys, "sync", "--first")
    for _ in range(3):
        fresh.quick(capsys, "sync")
    edit(fresh)
    lines = plan(fresh, capsys)
    edit(fresh, seconds=1.0, optouts=0.0)
    before = ledger(fresh)
    data = apply(fresh, capsys)
    done, wanted = written(fresh, before), planned(lines)
    assert not done - wanted  # nothing that was not listed, nothing with other values
    others = {each["id"]: each for each in data["differences"]}
    left = planned([line for line in lines if line["id"] in others])
    assert done + left == wanted
    assert others
    assert len(done) >= 5
    assert {each["why"] for each in others.values()} <= {"moved", "no_longer_wanted"}
    moved = [each for each in others.values() if each["why"] == "moved"]
    assert any(
        planned_ != now is not None for each in moved for _field, planned_, now in each["fields"].values()
    )
    assert all(now == then for now, then in overwritten(before, ledger(fresh)))
    for _ in range(4):
        fresh.quick(capsys, "sync")
    check_verdict(fresh)


def overwritten(before: Ledgers, after: Ledgers) -> list[tuple[Any, Any]]:
    """For each value that the API wrote since over a value that a person had typed: what was typed last at that record,
    and what our write found there."""
    typed: dict[tuple[str, str, str], Any] = {}
    found = []
    for system, entries in after.items():
        for place, entry in enumerate(entries):
            for path, (old, new) in entry["changes"].items():
                key = (system, entry["id"], path)
                if entry["actor"] == "api" and place >= len(before[system]) and key in typed:
                    found.append((typed[key], old))
                typed[key] = new
    return found


def test_a_plan_is_read_line_by_line(fresh: Place, capsys: Any) -> None:
    """`show` gives what the file lists, chosen by field and action, as a screen, as JSON and for a spreadsheet; it asks
    no vendor."""
    lines = plan(fresh, capsys)
    path = str(fresh.folder / "plan.json")
    calls = fresh.fakes.ask("status")["calls"]
    data = fresh.quick(capsys, "show", path, "--limit", "0", "--json").data
    assert data["total"] == len(data["operations"]) == len(lines)
    table = list(
        csv.reader(
            io.StringIO(fresh.quick(capsys, "show", path, "--field", "score", "--limit", "0", "--csv").out)
        )
    )
    scored = [line for line in lines if any(name == "score" for name, *_ in line["fields"].values())]
    assert [row[3] for row in table[1:]] == [line["record"] for line in scored]
    assert {row[4] for row in table[1:]} == {"score"}
    assert [row[8] for row in table[1:]] == [str(line["id"]) for line in scored]
    assert {row[9].partition(":")[0] for row in table[1:]} == {"marketo"}  # also of creates
    creates = fresh.quick(capsys, "show", path, "--action", "create", "--limit", "0").out.splitlines()
    assert len(creates) == sum(line["action"] == "create" for line in lines)
    assert fresh.quick(capsys, "show", path, "nowhere").code == 2
    assert fresh.fakes.ask("status")["calls"] == calls
