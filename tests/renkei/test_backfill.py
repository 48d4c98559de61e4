"""A whole route read again: what the feeds never told is found, nothing is written twice, kills cost little."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from renkei import backfilling
from renkei.backfill import DONE, SENDING, STEP, Backfill, Stand, Wish
from renkei.daemon.beside import answer_of, post
from renkei.fakes import Fakes
from renkei.settings import open_project
from renkei.wire import build
from sync.brakes import show_brakes
from sync.errors import Fatal, Retryable
from sync.guard import Brake
from sync.ports import Write
from sync.read import World
from sync.record import SIDES, Ref, Side
from sync.rows import CursorRow, Patch
from tests.support.command import Place, clean_environment, new_place
from tests.support.serving import Serving, apart, configure
from tests.support.tree import ROOT

ROUTE = "jp-person"


def _ready(folder: Path, fakes: Fakes) -> Place:
    """A project after its first sync."""
    made = new_place(folder, fakes)
    settings = folder / "renkei.yaml"
    settings.write_text(settings.read_text("utf-8") + "      overlap: 1.0\n", "utf-8")
    made.begin()
    time.sleep(1.2)  # the vendors' own lag
    made.sync()
    return made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The same with vendors of its own."""
    with Fakes("--persons", "80", "--role", "0", "--seed", "3") as fakes:
        yield _ready(tmp_path / "project", fakes)


def _type(place: Place, seconds: float = 1.0, **more: float) -> None:
    plan = {"rate": 40, "seconds": seconds, "collide_share": 0.0, "optout_share": 0.0}
    place.fakes.ask("edits/start", plan | more)
    while place.fakes.ask("status")["running"]:
        time.sleep(0.02)
    time.sleep(1.2)  # the vendors' own lag


def _overlook(place: Place) -> None:
    """Have the feeds say nothing of what was typed so far: as if a vendor had never told."""
    for pause in (1.5, 0.0):  # feeds hold back what is younger than the vendors' lag
        with build(open_project(place.folder)) as wired:
            (world,) = wired.worlds.values()
            patch = Patch()
            for side in SIDES:
                key = (world.lens.system(side), world.kind, "front")
                (row,) = wired.store.get(CursorRow, [key])
                *_, last = world.connectors[side].changes(world.kind, row.value, world.paths(side))
                patch.put(row._replace(value=last.cursor, at=world.clock.now()))
                patch.put(CursorRow(key[0], world.kind, "sweep", "", 1, 0, world.clock.now()))
            wired.store.commit(patch)
        time.sleep(pause)


def test_what_no_feed_ever_told_is_found_and_carried_over(place: Place, capsys: Any) -> None:
    """Edits that both feeds kept silent about stay unseen by a sync; a backfill finds them, sends a canary of them,
    reads it back, sends the rest, and a second one has nothing to write."""
    _type(place)
    _overlook(place)
    assert place.quick(capsys, "sync", "--json").data["routes"][0]["sent"] == {}
    assert apart(place)
    said = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--canary", "3")
    assert said.code == 0, said.out + said.err
    (route,) = said.data["routes"]
    assert route["backfill"]["phase"] == "done"
    assert route["canary"]["ok"]
    assert sum(route["backfill"]["to_send"].values()) == sum(route["sent"].values()) > 3
    assert route["backfill"]["read"]["marketo"] >= 60
    assert not apart(place)
    again = place.quick(capsys, "backfill", ROUTE, "--yes", "--json").data["routes"][0]
    assert again["sent"] == {}
    assert place.quick(capsys, "status").code == 0


def test_a_forecast_comes_first_and_nobody_is_taken_by_surprise(place: Place, capsys: Any) -> None:
    """The forecast tells calls, their share of the day and time; without a terminal it wants --yes; with --dry-run
    nothing is read or written."""
    calls = place.fakes.ask("status")["writes"]
    dry = place.quick(capsys, "backfill", ROUTE, "--dry-run", "--json")
    assert dry.code == 0
    known = dry.data["forecast"]
    assert known["records"]["marketo"] > 0
    assert known["calls_to_read"]["marketo"] >= 1
    assert known["seconds"] >= 0
    asked = place.quick(capsys, "backfill", ROUTE, "--json")
    assert asked.code == 2
    assert "--yes" in asked.err + asked.out
    assert "records to read" in place.quick(capsys, "backfill", ROUTE, "--dry-run").out
    assert place.fakes.ask("status")["writes"] == calls


def test_only_those_who_were_meant_are_written(place: Place, capsys: Any) -> None:
    """A condition over canonical fields, a span of creation and a limit each leave the others as they are."""
    _type(place, 2.0)
    _overlook(place)
    before = apart(place)
    assert len(before) > 4
    nobody = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--where", "{ last_name: [Nobody] }")
    assert nobody.data["routes"][0]["sent"] == {}, nobody.out
    assert set(apart(place)) == set(before)
    later = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--since", "2999-01-01").data
    assert later["routes"][0]["sent"] == {}
    few = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--limit", "20").data["routes"][0]
    assert few["backfill"]["meant"] == {"marketo": 20, "salesforce": 20}
    where = "{ not: { last_name: blank } }"
    rest = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--where", where).data["routes"][0]
    assert rest["sent"]
    assert not apart(place)
    wrong = place.quick(capsys, "backfill", ROUTE, "--yes", "--where", "{ lastname: [x] }")
    assert wrong.code == 2
    assert "did you mean «last_name»?" in wrong.err


def test_opt_outs_of_those_who_were_not_meant_go_at_once(place: Place, capsys: Any) -> None:
    """Nobody is meant, and still every opt-out that no feed told of arrives on the other side."""
    _type(place, 2.0, optout_share=1.0)
    _overlook(place)
    before = _opted_out_once(place)
    assert before
    said = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--where", "{ last_name: [Nobody] }")
    assert said.data["routes"][0]["sent"], said.out
    left = _opted_out_once(place)
    assert not left, place.quick(capsys, "trace", f"marketo:{left[0]}").out


def _opted_out_once(place: Place) -> list[str]:
    """Linked people who are opted out on one side only."""
    live = place.live()
    sides = live["marketo"], live["salesforce"]
    return [
        key
        for key, lead in sides[0].items()
        if lead.get("sfaId") in sides[1]
        and bool(lead["unsubscribed"]) != bool(sides[1][lead["sfaId"]]["HasOptedOutOfEmail"])
    ]


def test_a_canary_that_comes_back_otherwise_stops_it(place: Place, capsys: Any) -> None:
    """Nothing else leaves, also not with later syncs; mended, the same command begins with a canary again and ends;
    --stop gives the rest back to the ordinary cycles."""
    _type(place, 2.0)
    _overlook(place)
    place.fakes.ask("faults", {"salesforce": {"ignored_field": 1.0}, "marketo": {"ignored_field": 1.0}})
    stopped = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--canary", "2")
    assert stopped.code == 1
    assert stopped.data["routes"][0]["backfill"]["phase"] == "stopped"
    status = place.quick(capsys, "status")
    assert (status.code, "backfill stopped" in status.out) == (1, True)
    place.fakes.ask("faults", {"profile": "none"})
    assert sum(place.quick(capsys, "sync", "--json").data["routes"][0]["sent"].values()) < 3
    assert apart(place)
    well = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--canary", "2")
    assert well.data["routes"][0]["canary"]["ok"], well.out
    assert not apart(place)
    assert "No backfill" in place.quick(capsys, "backfill", ROUTE, "--stop").out


def test_a_brake_on_everything_stops_it_until_it_is_let_go(place: Place, capsys: Any) -> None:
    """What an accident at the source has put on stops a backfill as it stops the cycles: opt-outs leave, nobody else is
    written, output and status say why; let go, its canary still goes ahead, and the same command ends."""
    _type(place, 2.0, optout_share=0.3)
    _overlook(place)
    with build(open_project(place.folder)) as wired:
        (world,) = wired.worlds.values()
        patch = Patch()
        show_brakes(world, (Brake("all", "salesforce lost 70 of 80 records, limit 10", 70, 10),), patch)
        wired.store.commit(patch)
    assert _opted_out_once(place)
    said = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--canary", "2")
    (route,) = said.data["routes"]
    assert (said.code, route["backfill"]["phase"]) == (1, "canary"), said.out
    assert "lost 70 of 80" in route["brakes"][0]["reason"]
    assert route["open"]["planned"] == sum(route["backfill"]["to_send"].values()) > 0
    assert not _opted_out_once(place)
    assert "goes on once it is gone: salesforce lost 70 of 80" in place.quick(capsys, "status").out
    (number,) = (each["number"] for each in place.quick(capsys, "inbox", "--json").data["entries"])
    assert place.quick(capsys, "approve", number).code == 0
    assert place.quick(capsys, "sync", "--json").data["routes"][0]["open"]["planned"] > 4
    well = place.quick(capsys, "backfill", ROUTE, "--yes", "--json")
    assert well.data["routes"][0]["backfill"]["phase"] == "done", well.out
    assert well.data["routes"][0]["canary"]["ok"]
    assert not apart(place)


def test_an_accident_that_it_reads_itself_stops_it_before_any_cycle_has_looked(
    place: Place, capsys: Any
) -> None:
    """Titles emptied at marketing that no feed told of: the backfill reads them, and sends not even a canary."""
    place.edit_mapping("salesforce: Title }", "salesforce: Title, blank: propagate }")
    place.edit_mapping("\nconsent:", "\nlimits: { emptied: { number: 3, share: 0 } }\nconsent:")
    assert place.quick(capsys, "sync").code == 0
    with build(open_project(place.folder)) as wired:
        (world,) = wired.worlds.values()
        ids = [
            key for key, lead in place.live()["marketo"].items() if lead.get("title") and lead.get("sfaId")
        ][:8]
        writes = [Write(n, Ref("marketo", "Lead", key), {"title": None}) for n, key in enumerate(ids)]
        assert {each.result for each in world.connectors[SIDES[0]].write("person", writes)} == {"applied"}
    time.sleep(1.2)
    _overlook(place)
    said = place.quick(capsys, "backfill", ROUTE, "--yes", "--json", "--canary", "2")
    (route,) = said.data["routes"]
    assert (said.code, route["backfill"]["phase"], route["sent"]) == (1, "canary", {}), said.out
    assert "lost its value in 8 records" in route["brakes"][0]["reason"]
    assert len(apart(place)) == 8
    assert "goes on once it is gone" in place.quick(capsys, "status").out


def test_a_route_that_was_never_let_go_has_nothing_to_read_again(tmp_path: Path, capsys: Any) -> None:
    """It is refused with the command that reads it for the first time."""
    with Fakes("--persons", "20", "--role", "0", "--seed", "3") as fakes:
        place = new_place(tmp_path / "project", fakes)
        assert place.quick(capsys, "plan").code == 0
        said = place.quick(capsys, "backfill", ROUTE, "--yes")
        assert said.code == 2
        assert "renkei sync --first" in said.err


def test_killed_while_it_reads_it_goes_on_where_it_stood(tmp_path: Path) -> None:
    """kill -9 in the middle of reading costs at most the calls in flight and three more; nothing is doubled."""
    with Fakes("--persons", "2500", "--role", "0", "--seed", "3") as fakes:
        place = _ready(tmp_path / "project", fakes)
        whole = _calls_of(place)
        began = _calls(place)
        process = subprocess.Popen(
            place.command("backfill", ROUTE, "--yes", "--json"), cwd=ROOT, env=clean_environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None and _calls(place) < began + whole * 0.7:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
        rest = place.renkei("backfill", ROUTE, "--yes", "--json")
        assert rest.code == 0, rest.out + rest.err
        both = _calls(place) - began
        # a second process signs in, looks at the descriptions and takes its turn first, as the first one did
        assert both <= whole + _calls_of_nothing(place) + 2 + 3
        assert fakes.ask("verdict", {"claims": []})["ok"]


def _calls(place: Place) -> int:
    return sum(sum(each.values()) for each in place.fakes.ask("status")["calls"].values())


def _calls_of(place: Place) -> int:
    before = _calls(place)
    ran = place.renkei("backfill", ROUTE, "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    return _calls(place) - before


def _calls_of_nothing(place: Place) -> int:
    """What every backfill calls before it reads its first page again."""
    before = _calls(place)
    place.renkei("backfill", ROUTE, "--dry-run", "--json")
    place.sync()
    return _calls(place) - before


def test_a_turn_that_broke_off_is_taken_again_before_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that ended in the middle of reading is made up for first: nobody is sent after a reading that did not come
    to its end."""
    done: list[str] = []

    def turn(_world: World) -> None:
        done.append("broken" if done.count("turn") == 2 and "broken" not in done else "turn")
        if done[-1] == "broken":
            raise Retryable("It is away.", 0.1)

    class Work(Backfill):
        def step(self, seconds: float = STEP) -> Stand:
            done.append("step")
            self.stand.phase = DONE if done.count("step") == 3 else SENDING
            return self.stand

    world: Any = SimpleNamespace(
        lens=SimpleNamespace(rules=SimpleNamespace(route=ROUTE)), clock=SimpleNamespace(now=lambda: 0.0)
    )
    stand = Stand(wish=Wish(), began=0.0, of={})
    for name, fake in {
        "TURN": -1.0, "_turn": turn, "Backfill": Work, "begin": lambda *_: stand,
        "condition_of": lambda *_: None, "drain": lambda *_, **__: None, "wait_until": lambda *_: None,
    }.items():  # fmt: skip
        monkeypatch.setattr(backfilling, name, fake)
    wired: Any = SimpleNamespace(project=None, store=SimpleNamespace(renew=lambda: None))
    assert backfilling.alone(wired, world, Wish(), cast("Any", None)).over
    assert done[done.index("broken") + 1] == "turn"


def test_beside_the_service_the_service_does_it(place: Place) -> None:
    """The command is a wish: the running service reads again between its cycles and answers with what came of it; a
    second wish is heard as well, one for no route or with a condition that means nothing is refused."""
    _type(place)
    _overlook(place)
    configure(place, every=0.5)
    with Serving(place) as service:
        service.until_ready()
        said = place.renkei("backfill", ROUTE, "--yes", "--json", "--canary", "2")
        assert said.code == 0, said.out + said.err
        (route,) = said.data["routes"]
        assert route["backfill"]["phase"] == "done"
        assert route["sent"]
        service.until_equal()
        assert any(line["event"] == "backfill ends" for line in service.log)
        again = place.renkei("backfill", ROUTE, "--yes")
        assert again.code == 0, again.out + again.err
        assert "jp-person" in again.out
        for route, where, why in (("nobody", "", "no such route"), (ROUTE, "{ nobody: [x] }", "nobody")):
            number = post(open_project(place.folder), "backfill", route, where=where)
            with pytest.raises(Fatal, match=why):
                service.until(partial(_answered, place, number))
        service.end()


def _answered(place: Place, number: int) -> bool:
    return answer_of(open_project(place.folder), number)[1] is not None


def test_connectors_begin_with_who_was_created_then(place: Place) -> None:
    """Both systems can begin at a time of creation: what they list from there holds everybody created since; of a span
    without anybody the sales side lists nobody, the marketing side asks for no extract."""
    with build(open_project(place.folder)) as wired:
        (world,) = wired.worlds.values()
        for side in SIDES:
            connector: Any = world.connectors[side]
            whole = _listed(world, side, None)
            middle = sorted(whole.values())[len(whole) // 2][:19] + "Z"
            start = connector.created("person", middle, "")
            found = _listed(world, side, start)
            later = {id_ for id_, created in whole.items() if created[:19] >= middle[:19]}
            assert later <= set(found)
        never = "2999-01-01T00:00:00Z"
        marketo, salesforce = (cast("Any", world.connectors[side]) for side in SIDES)
        assert "window" not in marketo.created("person", never, "")
        assert '"window":"20' in marketo.created("person", "", "")
        assert _listed(world, SIDES[1], salesforce.created("person", never, "")) == {}
        assert salesforce.created("person", "", never) is None


def _listed(world: World, side: Side, start: str | None) -> dict[str, str]:
    """Who is listed from a cursor on, with the time of creation."""
    pages = world.connectors[side].changes("person", start, world.paths(side))
    return {record.ref.id: record.created for page in pages for record in page.records}
