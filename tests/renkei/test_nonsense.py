"""What nobody can mean is refused in one sentence with a step that works, and what stands nowhere is called nothing.

Each command as typed by somebody in a hurry: wrong words, wrong times, wrong places.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.cli.app import run
from renkei.fakes import Fakes
from tests.support.command import Place, new_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project in which nothing was written yet."""
    with Fakes("--persons", "30", "--role", "0", "--seed", "7") as fakes:
        yield new_place(tmp_path / "project", fakes)


def test_a_place_where_no_plan_can_be_written_is_refused_before_anything_is_read(
    place: Place, capsys: Any
) -> None:
    """Nobody waits for a plan that then has nowhere to go: no system is asked."""
    before = place.fakes.ask("status")["calls"]
    for out in (place.folder / "nowhere" / "plan.json", place.folder):
        said = place.quick(capsys, "plan", "--out", str(out))
        assert (said.code, "cannot be written" in said.err) == (2, True), said.err
    assert place.fakes.ask("status")["calls"] == before


def test_a_plan_is_shown_only_by_what_it_can_have(place: Place, capsys: Any) -> None:
    """An action that there is not and a negative number are refused; a field that no line has is answered in words."""
    path = str(place.folder / "plan.json")
    assert place.quick(capsys, "plan", "--out", path).code == 0
    assert place.quick(capsys, "show", path, "--action", "craete").code == 2
    assert place.quick(capsys, "show", path, "--limit", "-3").code == 2
    none = place.quick(capsys, "show", path, "--field", "titel", "--lang", "en")
    assert (none.code, none.out) == (0, "The plan has no such line.\n")
    whole = json.loads(Path(path).read_text("utf-8"))["routes"][0]["operations"]
    assert len(place.quick(capsys, "show", path, "--limit", "0").out.splitlines()) == len(whole)


def test_what_was_done_meanwhile_is_not_called_blank(place: Place, capsys: Any) -> None:
    """A line of a plan that is done already is listed with what was planned, not as if a blank were wanted now, and a
    plan of which a line was not delivered ends with 1."""
    path = str(place.folder / "plan.json")
    place.quick(capsys, "plan", "--out", path)
    assert place.quick(capsys, "apply", path).code == 0
    again = place.quick(capsys, "apply", path)
    assert (again.code, "done by another run" in again.out) == (1, True)
    assert "now ∅" not in again.out
    listed = place.quick(capsys, "apply", path, "--json").data["routes"][0]["differences"]
    assert {tuple(each["wanted"]) for each in listed} == {()}


def test_what_waits_for_the_first_delivery_is_not_sent_to_the_inbox(place: Place, capsys: Any) -> None:
    """After a plan the inbox is empty, so the status names the command that delivers it."""
    place.quick(capsys, "plan")
    status = place.quick(capsys, "status")
    assert "renkei sync --first jp-person" in status.out
    assert "renkei inbox" not in status.out


def test_a_trace_claims_nothing_that_it_does_not_know(place: Place, capsys: Any) -> None:
    """A time to come is refused; a field with one side is not called in step; a link shows no number of the journal."""
    place.quick(capsys, "plan")
    live = place.live()
    known = {str(row["Email"]).lower() for row in live["salesforce"].values() if row.get("Email")}
    who = next(
        f"marketo:{key}" for key, row in live["marketo"].items() if str(row.get("email")).lower() in known
    )
    for at, said in (
        ("2999-01-01", "has not come yet"),
        ("0001-01-01T00:00", "is no date"),
        ("tomorrow", "is no date"),
    ):
        told = place.quick(capsys, "trace", who, "--at", at)
        assert said in told.err
        assert told.code == 2
    out = place.quick(capsys, "trace", who).out
    (full_name,) = (line for line in out.splitlines() if line.startswith("now  full_name"))
    assert "in step" not in full_name
    (linked,) = (line for line in out.splitlines() if "  linked  " in line)
    assert not re.search(r"\d+ → \d+", linked), linked


def test_a_replay_names_the_folder_in_which_it_found_nothing(place: Place, capsys: Any) -> None:
    """Not the project's own one, which is well, and no advice to begin anew."""
    (place.folder / "other").mkdir()
    said = place.quick(capsys, "replay", "--with", str(place.folder / "other"))
    assert (said.code, f"no mapping file in {place.folder / 'other'}" in said.err) == (2, True), said.err
    assert "renkei init" not in said.err


def test_a_wrong_option_is_answered_with_the_help_that_names_the_right_one(place: Place, capsys: Any) -> None:
    """The next step is the help of the very command."""
    said = place.quick(capsys, "errors", "show")
    assert (said.code, "renkei errors show --help" in said.err) == (2, True)
    said = place.quick(capsys, "replay", "--days", "-3", "--with", str(place.folder / "mappings"))
    assert (said.code, "renkei replay --help" in said.err) == (2, True)
    said = place.quick(capsys, "check", "--offline", "--lang", "fr")
    assert (said.code, "no screens in «fr»: write en or ja" in said.err, said.out) == (2, True, "")
    assert place.quick(capsys, "check", "--offline", "--lang", "JA").code == 0
    capsys.readouterr()
    assert (run([]), capsys.readouterr().err) == (2, "")  # a bare command shows its help and no error
    said = place.quick(
        capsys, "backfill", "jp-person", "--since", "2026-05-01", "--until", "2026-04-01", "--dry-run"
    )
    assert (said.code, "exchange --since and --until" in said.err) == (2, True)


def test_a_brake_is_left_by_commands_that_work_beside_the_service(place: Place, capsys: Any) -> None:
    """What a sync says of a brake leads to the command that lets it go, and that one works where it is typed."""
    place.edit_mapping("defaults:\n", "limits: { update: { number: 2, share: 0.0 } }\ndefaults:\n")
    assert place.quick(capsys, "sync", "--first", "--canary", "0").code == 0
    pairs = [key for key, row in place.live()["marketo"].items() if row.get("sfaId")]
    for key in pairs[:4]:
        place.fakes.ask(
            "human",
            {
                "side": "marketo",
                "action": "human_edit",
                "args": {"lead_id": int(key), "values": {"title": "x"}},
            },
        )
    time.sleep(1.2)
    said = place.quick(capsys, "sync")
    assert ("BRAKE" in said.out, "renkei apply" in said.out, "renkei status" in said.out) == (
        True,
        False,
        True,
    )
    approve = re.search(r"`renkei (approve \d+)`", place.quick(capsys, "status").out)
    assert approve is not None
    assert place.quick(capsys, *approve[1].split()).code == 0


def test_an_undo_that_a_brake_stops_offers_no_way_back_from_it(place: Place, capsys: Any) -> None:
    """Nothing was taken back yet, so there is nothing of ours to bring back."""
    place.edit_mapping("defaults:\n", "limits: { blank: { number: 2, share: 0.0 } }\ndefaults:\n")
    assert place.quick(capsys, "sync", "--first", "--canary", "0").code == 0
    said = place.quick(capsys, "undo", "rule", "full_name", "--and-pause", "--yes")
    assert ("BRAKE" in said.out, "taken back 0" in said.out) == (True, True), said.out + said.err
    assert "brings our values back" not in said.out
