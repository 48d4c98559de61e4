"""The service where calls are short: who waits is said, and what people do goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.daemon.beside import post
from renkei.dayscalls import budget_of
from renkei.fakes import Fakes
from renkei.settings import open_project
from renkei.wire import build
from tests.support.command import Place, new_place
from tests.support.serving import Serving, configure

ROUTE = "jp-person"
EATEN = {"marketo": 35_000, "salesforce": 70_000}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project after its first sync, beside vendors of its own."""
    with Fakes("--persons", "60", "--role", "0", "--seed", "5") as fakes:
        made = new_place(tmp_path / "project", fakes)
        made.begin()
        yield made


def test_a_backfill_waits_and_says_so_while_people_are_served(place: Place) -> None:
    """Another application takes seven tenths of both days: a backfill reads and sends nothing and says until when it
    waits, on the screen, as data and as figures, and what people type and opt out of arrives as ever."""
    assert place.fakes.ask("calls", EATEN) == EATEN
    configure(place)
    with Serving(place) as service:
        service.until_ready()
        post(open_project(place.folder), "backfill", ROUTE)
        service.until(lambda: any(line["event"] == "backfill waits" for line in service.log))
        place.fakes.ask("edits/start", {"rate": 20, "seconds": 1, "collide_share": 0.0, "optout_share": 0.3})
        while place.fakes.ask("status")["running"]:
            time.sleep(0.02)
        assert place.fakes.ask("status")["opted_out"] > 0
        service.until_equal()
        service.until(lambda: service.figure("renkei_quota_lane_shut") == 2)
        assert service.figure("renkei_quota_share_calls") == 120_000
        service.until(lambda: _waits(place))
        said = place.renkei("status", "--json").data
        assert said["routes"][0]["backfill"]["phase"] == "reading"
        assert {name: each["share"] for name, each in said["service"]["quota"].items()} == {
            "marketo": 70,
            "salesforce": 70,
        }
        shown = place.renkei("status", LANG="en_GB.UTF-8").out
        assert "backfill waits for calls, and goes on by itself" in shown
        assert "marketo 70 % of 50,000, backfills wait until" in shown
        assert "バックフィルは" in place.renkei("status", "--lang", "ja").out
        service.end()


def _waits(place: Place) -> Any:
    quota = place.renkei("status", "--json").data["service"]["quota"]
    return {name for name, each in quota.items() if "backfill" in each.get("waits", {})} == {
        "marketo",
        "salesforce",
    }


def test_one_command_after_another_goes_on_with_the_days_count(place: Place) -> None:
    """What the first command has called stands in the journal, and the next one begins there."""
    with build(open_project(place.folder)) as wired:
        before = {name: budget_of(each) for name, each in wired.connectors.items()}
        own = {name: budget.standing().own for name, budget in before.items() if budget is not None}
    assert set(own) == {"marketo", "salesforce"}
    assert min(own.values()) > 0
    assert place.renkei("sync").code == 0
    with build(open_project(place.folder)) as wired:
        after = {name: budget_of(each) for name, each in wired.connectors.items()}
        assert all(budget is not None and budget.standing().own > own[name] for name, budget in after.items())
