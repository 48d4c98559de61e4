"""`renkei replay`: under the rules of the time it writes what was written, judged by the vendors' ledgers; under other
rules what these ask for; and it touches nothing."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.cli.options import Session
from renkei.cli.planning import show_plan
from renkei.fakes import Fakes, place_secrets
from renkei.scaffold import write_project
from renkei.settings import open_project
from renkei.words import Words
from tests.support.command import Place, new_place

Counts = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, float, int]]:
    """A project in which people typed for a while and nothing is left to do; when that began, and how long the vendors'
    ledgers were by then."""
    with Fakes("--persons", "60", "--role", "0", "--seed", "11") as fakes:
        place = new_place(tmp_path_factory.mktemp("replay") / "project", fakes)
        place.begin()
        for _ in range(2):
            place.sync()
        began, before = time.time(), sum(map(len, fakes.ask("ledger").values()))
        for _ in range(3):
            wish = {"rate": 40, "seconds": 0.6, "collide_share": 0.0, "optout_share": 0.1}
            fakes.ask("edits/start", wish)
            while fakes.ask("status")["running"]:
                time.sleep(0.02)
            time.sleep(1.2)
            assert place.sync().code == 0
        yield place, began, before


def _replayed(place: Place, capsys: Any, began: float, folder: Path) -> dict[str, Any]:
    return _of_people(place, capsys, began, folder)


def _mappings(place: Place, tmp_path: Path, old: str = "", new: str = "") -> Path:
    """The project's mapping files in another folder, one line changed."""
    folder = tmp_path / "mappings-new"
    shutil.copytree(place.folder / "mappings", folder)
    text = (folder / "person.yaml").read_text("utf-8")
    assert old in text
    (folder / "person.yaml").write_text(text.replace(old, new), "utf-8")
    return folder


def _written(place: Place, before: int) -> tuple[Counter[tuple[str, str]], int]:
    """Values that the API wrote since, by system and path; and how many records that concerned."""
    entries = [(name, each) for name, found in place.fakes.ask("ledger").items() for each in found]
    fresh = sorted(entries, key=lambda pair: pair[1]["time"])[before:]
    mine = [(name, each) for name, each in fresh if each["actor"] == "api"]
    return Counter((name, path) for name, each in mine for path in each["changes"]), len(mine)


def test_under_the_same_rules_it_writes_what_was_written(
    lived: tuple[Place, float, int], capsys: Any, tmp_path: Path
) -> None:
    """As many writes of each field at each system as the vendors wrote down, and as many as the journal says itself."""
    place, began, before = lived
    data = _replayed(place, capsys, began, _mappings(place, tmp_path))
    values, writes = _written(place, before)
    assert writes > 20
    assert data["total"] == writes
    assert data["actions"] == data["in_fact"]
    assert sum(data["fields"].values()) == values.total()
    assert data["observed"] >= values.total()
    assert data["holds"] == {}


def test_under_other_rules_it_writes_what_these_ask_for(
    lived: tuple[Place, float, int], capsys: Any, tmp_path: Path
) -> None:
    """A field that is no longer carried is not written, everything else is as it was."""
    place, began, _before = lived
    same = _replayed(place, capsys, began, _mappings(place, tmp_path))
    text = (place.folder / "mappings" / "person.yaml").read_text("utf-8")
    line = next(line for line in text.splitlines() if line.strip().startswith("title:"))
    folder = _mappings(place, tmp_path / "other", line, line.replace("<->", "<-"))
    other = _replayed(place, capsys, began, folder)
    assert other["digest"] != same["digest"]
    assert same["fields"]["title"] > other["fields"].get("title", 0) > 0
    assert {k: n for k, n in other["fields"].items() if k != "title"} == {
        k: n for k, n in same["fields"].items() if k != "title"
    }


def test_what_only_a_replay_asks_stands_in_no_inbox(capsys: Any) -> None:
    """Its questions and brakes are told without a command that could answer them or let them go."""
    nothing: dict[str, Any] = {key: {} for key in ("actions", "fields", "records", "examples")}
    figures = {"digest": "d", "linked": 0, "total": 0, "opt_outs_at_once": 0, "first_needed": False}
    data = {"route": "r", "holds": {"conflict": 2}, "brakes": [{"reason": "why"}], **nothing, **figures}
    here = Session(folder=Path(), env=None, as_json=False, words=Words("en"))
    show_plan(here, data, played=True)
    told = capsys.readouterr().out
    assert "would wait for a person   conflict 2" in told
    assert "`renkei" not in told
    assert "→ renkei" not in told


def test_it_asks_nobody_and_leaves_nothing(
    lived: tuple[Place, float, int], capsys: Any, tmp_path: Path
) -> None:
    """No call, no write at a vendor, no file beside the journal, not a byte of the journal's rows."""
    place, _began, _before = lived
    folder = _mappings(place, tmp_path)
    state = open_project(place.folder).state
    before = (
        place.fakes.ask("status"),
        sorted(state.parent.iterdir()),
        place.quick(capsys, "status", "--json").data,
    )
    said = place.quick(capsys, "replay", "--days", "1", "--with", str(folder))
    assert said.code == 0, said.err
    assert "nothing is written" in said.out
    after = (
        place.fakes.ask("status"),
        sorted(state.parent.iterdir()),
        place.quick(capsys, "status", "--json").data,
    )
    assert after[0]["calls"] == before[0]["calls"]
    assert after[0]["writes"] == before[0]["writes"]
    assert after[1] == before[1]
    assert json.dumps(after[2]["routes"][0]["records"]) == json.dumps(before[2]["routes"][0]["records"])


def test_what_cannot_be_replayed_is_said(
    lived: tuple[Place, float, int], capsys: Any, tmp_path: Path
) -> None:
    """A folder that is not there, files with errors, an unknown route and a span without days are refused; a field that
    nobody has read yet is named."""
    place, began, _before = lived
    assert place.quick(capsys, "replay", "--with", str(tmp_path / "nowhere")).code == 2
    assert place.quick(capsys, "replay", "nobody", "--with", str(_mappings(place, tmp_path))).code == 2
    for days in ("0", "nan", "-1", "inf"):
        said = place.quick(capsys, "replay", "--days", days, "--with", str(tmp_path / "mappings-new"))
        assert (said.code, "days" in said.err) == (2, True), days
    text = (place.folder / "mappings" / "person.yaml").read_text("utf-8")
    line = next(line for line in text.splitlines() if line.strip().startswith("title:"))
    more = f"{line}\n  fax: {{ marketo: fax, flow: ->, salesforce: Fax }}"
    data = _replayed(place, capsys, began, _mappings(place, tmp_path / "fax", line, more))
    assert "marketo.fax" in data["never_read"]
    broken = _mappings(place, tmp_path / "broken", line, line.replace("title:", "title"))
    assert place.quick(capsys, "replay", "--with", str(broken)).code == 2


def test_another_threshold_shows_whom_it_would_have_handed_over(tmp_path: Path, capsys: Any) -> None:
    """Six people come to a score of 55 and are not hot; with hot from 50 they would have been handed over, each with
    one task, and with the rules of the time nobody."""
    folder = tmp_path / "project"
    with Fakes("--persons", "40", "--role", "0", "--seed", "3", "--deals", "10") as fakes:
        write_project(folder, "marketo-salesforce/flows", places=fakes.places)
        place_secrets(open_project(folder).secrets, fakes.places, fakes.systems)
        place = Place(folder=folder, fakes=fakes)
        assert place.sync("--first", "--canary", "0").code in (0, 1)
        place.sync()
        live = place.live()
        cold = [
            (key, int(row.get("leadScore") or 0))
            for key, row in live["marketo"].items()
            if (row.get("leadScore") or 0) < 45
            and live["salesforce"].get(str(row.get("sfaId")), {}).get("Email")
        ]
        began = time.time()
        for key, score in cold[:6]:
            fakes.ask(
                "human",
                {
                    "side": "marketo",
                    "action": "human_score",
                    "args": {"lead_id": int(key), "change": 55 - score},
                },
            )
        time.sleep(1.2)
        place.sync()
        same = _of_people(place, capsys, began, place.folder / "mappings")
        lower = tmp_path / "lower"
        shutil.copytree(place.folder / "mappings", lower)
        text = (lower / "thresholds.yaml").read_text("utf-8")
        (lower / "thresholds.yaml").write_text(
            text.replace("enter: 70, leave: 60", "enter: 50, leave: 40"), "utf-8"
        )
        other = _of_people(place, capsys, began, lower)
    assert same["observed"] == other["observed"] >= 6
    assert same["actions"] == same["in_fact"]
    assert "effect" not in same["actions"].get("salesforce", {})
    assert other["actions"]["salesforce"]["effect"] == len(cold[:6])


def _of_people(place: Place, capsys: Any, began: float, folder: Path) -> dict[str, Any]:
    days = str((time.time() - began) / 86_400.0)
    said = place.quick(capsys, "replay", "jp-person", "--days", days, "--with", str(folder), "--json")
    assert said.code == 0, said.err + said.out
    (data,) = said.data["routes"]
    assert isinstance(data, dict)
    return data
