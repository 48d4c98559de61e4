"""A first delivery: opt-outs at once, a canary that can stop everything, the rest; and the end by a signal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from renkei.agreement import compare
from renkei.canary import choose, remember
from renkei.fakes import Fakes
from renkei.first import deliver_these
from renkei.settings import open_project
from renkei.syncing import plan_route
from renkei.wire import build, load_rules, look
from state.answers import Which
from state.views import contents
from sync.normalise import Lens
from tests.support.command import Place, clean_environment, new_place
from tests.support.tree import ROOT


@pytest.fixture(autouse=True)
def _speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def _written(place: Place) -> int:
    return sum(sum(each.values()) for each in place.fakes.ask("status")["writes"].values())


def test_a_canary_that_comes_back_otherwise_stops_everything(tmp_path: Path, capsys: Any) -> None:
    """When a vendor keeps values otherwise than sent, only canary and opt-outs were written; later the rest goes."""
    with Fakes("--persons", "150", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        total = place.quick(capsys, "plan", "--json").data["routes"][0]["total"]
        fakes.ask("faults", {"salesforce": {"ignored_field": 0.5}, "marketo": {"profile": "none"}})
        said = place.quick(capsys, "sync", "--first", "--canary", "5")
        assert said.code == 1
        assert "did not come back as sent" in said.out
        assert "renkei sync --first" in said.out
        assert _written(place) < total / 3
        assert place.quick(capsys, "sync").code == 2
        fakes.ask("faults", {"profile": "none"})
        place.quick(capsys, "sync", "--first")
        after = place.quick(capsys, "sync", "--json")
        assert after.data["routes"][0]["brakes"] == []
        assert fakes.ask("verdict", {"claims": []})["counts"].get("duplicate", 0) == 0


def test_opt_outs_wait_for_no_canary(tmp_path: Path, capsys: Any) -> None:
    """Whatever the canary says, everybody who is opted out on one side is opted out on the other."""
    with Fakes("--persons", "150", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        assert place.quick(capsys, "plan", "--json").data["routes"][0]["opt_outs_at_once"] > 0
        fakes.ask("faults", {"salesforce": {"ignored_field": 1.0}})
        place.quick(capsys, "sync", "--first", "--canary", "2")
        left = place.quick(capsys, "plan", "--json").data["routes"][0]
        assert left["first_needed"]
        assert left["actions"].get("marketo", {}).get("optout", 0) == 0


def test_a_polite_signal_is_answered_with_a_sentence(tmp_path: Path) -> None:
    """SIGTERM in the middle of a first sync is answered at once, ends it with 1 and a next step; the next run goes on
    to the end."""
    with Fakes("--persons", "1500", "--role", "0", "--seed", "2") as fakes:
        place = new_place(tmp_path, fakes)
        process = subprocess.Popen(
            place.command("sync", "--first"), cwd=ROOT, env=clean_environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while process.poll() is None and not _written(place):
            pass
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        first, error, step = said.splitlines()
        assert first == "stopping: finishing the calls in flight"
        assert error == "error  Stopped on request; everything noted so far is kept."
        assert step.startswith("next  ")
        assert place.renkei("sync", "--first").code == 0
        assert fakes.ask("verdict", {"claims": []})["ok"]


def test_a_terminal_sees_bars_with_rate_and_end(tmp_path: Path) -> None:
    """On a terminal progress is drawn as bars with a total; what stays on the screen is the result."""
    with Fakes("--persons", "800", "--role", "0", "--seed", "2") as fakes:
        place = new_place(tmp_path, fakes)
        reading, writing = os.openpty()
        process = subprocess.Popen(
            place.command("sync", "--first"), cwd=ROOT, env=clean_environment() | {"TERM": "xterm"},
            stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE,
        )  # fmt: skip
        os.close(writing)
        drawn = bytearray()
        with contextlib.suppress(OSError):  # a terminal whose last writer has gone ends with an error
            while part := os.read(reading, 65_536):
                drawn += part
        os.close(reading)
        _, said = process.communicate(timeout=60)
        text = drawn.decode()
        assert process.returncode == 0, said
        assert re.search(r"write salesforce .*\d+/\d+", text)
        assert "/s" in text
        assert "all well" in text


@pytest.mark.parametrize("canary", ["5", "1000"])
def test_a_failed_canary_is_tried_again_before_anything_else_leaves(
    tmp_path: Path, capsys: Any, canary: str
) -> None:
    """A repeated first sync sends the same records once more, also where nothing new is left to sample, and stops
    while they come back otherwise; once the vendor keeps what is sent they are mended, and the rest follows."""
    with Fakes("--persons", "100", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        fakes.ask("faults", {"salesforce": {"ignored_field": 1.0}})
        first = place.quick(capsys, "sync", "--first", "--canary", canary, "--json")
        failed = first.data["routes"][0]["canary"]
        assert not failed["ok"]
        wrong = failed["wrong"]["salesforce update"]
        again = place.quick(capsys, "sync", "--first", "--canary", "1", "--json")
        assert again.code == 1
        assert again.data["routes"][0]["canary"]["wrong"]["salesforce update"] >= wrong
        assert place.quick(capsys, "plan", "--json").data["routes"][0]["first_needed"]
        fakes.ask("faults", {"profile": "none"})
        well = place.quick(capsys, "sync", "--first", "--canary", "1", "--json")
        assert well.data["routes"][0]["canary"]["ok"], well.out
        assert well.data["routes"][0]["canary"]["sent"]["salesforce update"] >= wrong
        assert place.quick(capsys, "sync", "--json").data["ok"]
        (rules,) = load_rules(open_project(place.folder))
        assert compare(Lens(rules), place.live(), frozenset()).wrong == {}


def test_a_canary_of_none_is_the_explicit_way_past_a_failed_one(tmp_path: Path, capsys: Any) -> None:
    """`--canary 0` sends everything after a canary that failed, and the failure is forgotten with it."""
    with Fakes("--persons", "60", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        fakes.ask("faults", {"salesforce": {"ignored_field": 1.0}})
        assert place.quick(capsys, "sync", "--first", "--canary", "3").code == 1
        fakes.ask("faults", {"profile": "none"})
        data = place.quick(capsys, "sync", "--first", "--canary", "0", "--json").data["routes"][0]
        assert data["canary"] is None
        assert data["sent"]
        assert not place.quick(capsys, "plan", "--json").data["routes"][0]["first_needed"]


def test_a_canary_that_nobody_read_back_is_read_back_by_the_next_one(tmp_path: Path, capsys: Any) -> None:
    """Whoever was killed between sending a canary and reading it back has proved nothing: the next first sync looks
    at all of these records, and stops because of what the vendor did not keep."""
    with Fakes("--persons", "100", "--role", "0", "--seed", "9") as fakes:
        place = new_place(tmp_path, fakes)
        fakes.ask("faults", {"salesforce": {"ignored_field": 1.0}})
        with build(open_project(place.folder)) as wired:
            (world,) = wired.worlds.values()
            plan_route(wired, world)
            with look(wired.project) as reader:
                _totals, ids = choose(contents(reader, Which()), 1_000)
            remember(world, ids)
            deliver_these(world, ids, "canary", wired.store.renew)
        data = place.quick(capsys, "sync", "--first", "--canary", "1", "--json").data["routes"][0]
        assert sum(data["canary"]["sent"].values()) >= len(ids) > 20
        assert not data["canary"]["ok"]
        assert place.quick(capsys, "plan", "--json").data["routes"][0]["first_needed"]
