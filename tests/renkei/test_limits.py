"""Brakes from a person's side: limits beside what is normal, and a plan that is approved or given up by its name."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from renkei.fakes import Fakes
from renkei.inbox import approve_for, choices, entry_of
from renkei.settings import open_project
from renkei.threads import SystemClock
from renkei.wire import build, open_systems
from sync.errors import Fatal
from sync.ports import Write
from sync.record import Ref
from sync.rows import HoldRow, Patch
from sync.said import Approve
from tests.support.command import Place, Said, new_place
from tests.support.disaster import rules_of

LIMITS = """\
limits: { update: { number: 2, share: 0.0 }, emptied: { number: 7 }, unlinks: { number: 3, share: 0 } }
defaults:
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project after its first sync in which three updates are many."""
    with Fakes("--persons", "40", "--role", "0", "--seed", "5") as fakes:
        made = new_place(tmp_path / "project", fakes)
        made.edit_mapping("defaults:\n", LIMITS)
        made.begin()
        yield made


def _pairs(place: Place) -> list[tuple[str, str]]:
    live = place.live()
    pairs = [(key, str(row["sfaId"])) for key, row in live["marketo"].items() if row.get("sfaId")]
    return [(ma, sfa) for ma, sfa in pairs if sfa in live["salesforce"]]


def _type(place: Place, title: str, *records: str) -> None:
    """Somebody types a title in marketing, through the vendor's own interface."""
    (opened,) = open_systems(open_project(place.folder), ["marketo"], SystemClock()).values()
    try:
        writes = [Write(n, Ref("marketo", "Lead", key), {"title": title}) for n, key in enumerate(records, 1)]
        assert all(each.result == "applied" for each in opened.write("person", writes))
    finally:
        opened.close()
    time.sleep(1.2)  # until the vendor's own feed shows it


def _braked(place: Place, capsys: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Four people whose titles wait behind the brake, and what the inbox says of it."""
    chosen = _pairs(place)[:4]
    _type(place, "Chief of Waiting", *(ma for ma, _sfa in chosen))
    assert place.quick(capsys, "sync").code == 1
    (entry,) = place.quick(capsys, "inbox", "--json").data["entries"]
    return chosen, place.quick(capsys, "inbox", entry["number"], "--json").data


def _titles(place: Place, chosen: list[tuple[str, str]]) -> list[str]:
    live = place.live()["salesforce"]
    return [str(live[sfa]["Title"]) for _ma, sfa in chosen]


def test_a_plan_is_approved_by_its_name_as_far_as_it_stands(place: Place, capsys: Any) -> None:
    """Four updates wait; one value moves on before the plan is approved by the name under which it was seen: three
    leave, the fourth is listed as moved, waits for no brake any more, and its new value arrives."""
    chosen, shown = _braked(place, capsys)
    plan = shown["entry"]["plan"]
    assert plan["operations"] == 4
    assert f"renkei approve {plan['name']}" in [each["command"] for each in shown["answers"]]
    kept = place.folder / ".renkei" / "production" / "seen" / f"{plan['name']}.json"
    kept = next(place.folder.glob(f".renkei/*/seen/{plan['name']}.json"), kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "Chief" not in kept.read_text("utf-8")
    _type(place, "Chief of Moving", chosen[3][0])
    assert place.quick(capsys, "sync").code == 1
    done = place.quick(capsys, "approve", plan["name"], "--json")
    assert (done.code, done.data["ok"]) == (1, False)
    assert (len(done.data["ready"]), len(done.data["moved"])) == (3, 1)
    assert done.data["done_by_another_run"] == done.data["no_longer_wanted"] == []
    assert place.quick(capsys, "sync").code == 0
    assert _titles(place, chosen) == ["Chief of Waiting"] * 3 + ["Chief of Moving"]


def test_a_plan_is_given_up_by_its_name(place: Place, capsys: Any) -> None:
    """A discard by name wants a reason, gives up exactly what was seen, lists it as different and leaves alone what was
    done in the meantime; a second word about the same plan finds nothing left of it."""
    chosen, shown = _braked(place, capsys)
    before = _titles(place, chosen)
    plan = shown["entry"]["plan"]["name"]
    assert place.quick(capsys, "discard", plan).code == 2
    said = place.quick(capsys, "discard", plan, "--reason", "an import", "--lang", "ja")
    assert (said.code, "4 件を破棄" in said.out) == (0, True)
    assert place.quick(capsys, "sync").code == 1
    entries = place.quick(capsys, "inbox", "--json").data["entries"]
    assert [each["kind"] for each in entries] == ["discarded"] * 4
    assert _titles(place, chosen) == before
    again = place.quick(capsys, "approve", plan, "--json")
    assert (again.code, again.data["ready"], len(again.data["no_longer_wanted"])) == (1, [], 4)


def test_a_plan_that_nobody_has_seen_has_no_name(place: Place, capsys: Any) -> None:
    """A name that was never shown is refused with the next step."""
    said = place.quick(capsys, "approve", "p0123456789ab", "--json")
    assert (said.code, said.data["ok"]) == (2, False)


def _delete(place: Place, pairs: list[tuple[str, str]]) -> None:
    """Somebody deletes people at sales."""
    for _ma, sfa in pairs:
        args = {"object_name": "Lead", "key": sfa}
        place.fakes.ask("human", {"side": "salesforce", "action": "human_delete", "args": args})
    time.sleep(1.2)


def _plan(place: Place, capsys: Any, name: str) -> str:
    path = str(place.folder / f"{name}.json")
    said = place.quick(capsys, "plan", "--out", path)
    stopped = re.search(r"renkei approve \d+", said.out) is not None
    assert (said.code, stopped) == (int(stopped), name == "new")
    assert ("renkei apply plan.json" in said.out) is (name == "many")
    return path


def _apply(place: Place, capsys: Any, path: str) -> tuple[int, int, list[str], list[str]]:
    """The exit code, how many lines were delivered, and the brakes that were taken off and that stand."""
    said = place.quick(capsys, "apply", path, "--json")
    (route,) = said.data["routes"]
    assert said.data["ok"] is (said.code == 0)
    return said.code, route["delivered"], *([b["action"] for b in route[key]] for key in ("lifted", "brakes"))


def test_a_plan_takes_off_no_brake_that_it_has_not_shown(place: Place, capsys: Any) -> None:
    """After nine linked people were deleted, neither an empty plan nor one from before takes off the brake on
    everything or gets past it, and no word for the brake as it was at five; a plan that shows it delivers and says what
    it took off. A brake on updates stands for those whom an old plan does not list, and what was agreed to uses up no
    limit."""
    while place.quick(capsys, "sync", "--json").data["routes"][0]["sent"]:
        pass
    chosen = _pairs(place)
    empty = _plan(place, capsys, "empty")
    _type(place, "Chief of Old Plans", chosen[0][0])
    old = _plan(place, capsys, "old")
    _delete(place, chosen[10:15])
    assert "BRAKE" in place.quick(capsys, "sync").out
    (seen,) = place.quick(capsys, "inbox", "--json").data["entries"]
    name = place.quick(capsys, "inbox", seen["number"], "--json").data["entry"]["plan"]["name"]
    _delete(place, chosen[15:19])
    assert "BRAKE" in place.quick(capsys, "sync").out
    assert [place.quick(capsys, "approve", each).code for each in (seen["number"], name)] == [2, 2]
    for path in (empty, old):
        assert _apply(place, capsys, path) == (1, 0, [], ["all"])
    said = place.quick(capsys, "apply", old)
    assert ("stopped by a brake" in said.out, "is off" in said.out) == (True, False)
    assert [each["kind"] for each in place.quick(capsys, "inbox", "--json").data["entries"]] == ["brake"]
    assert _titles(place, chosen[:1]) != ["Chief of Old Plans"]
    assert _apply(place, capsys, _plan(place, capsys, "new")) == (0, 1, ["all"], [])
    assert _titles(place, chosen[:1]) == ["Chief of Old Plans"]
    assert "all well" in place.quick(capsys, "sync").out
    _type(place, "Chief of Few", chosen[1][0])
    few = _plan(place, capsys, "few")
    _type(place, "Chief of Many", *(ma for ma, _sfa in chosen[2:6]))
    assert place.quick(capsys, "sync").code == 1
    assert _apply(place, capsys, few) == (1, 1, [], ["update"])
    assert "renkei approve" in place.quick(capsys, "status").out
    assert place.quick(capsys, "sync").code == 1
    assert _titles(place, chosen[1:4]).count("Chief of Many") == 0
    assert _apply(place, capsys, _plan(place, capsys, "many")) == (0, 4, ["update"], [])
    _type(place, "Chief of Last", chosen[6][0])
    assert place.quick(capsys, "sync").code == 0


def _stand(place: Place, name: str, reason: str, count: int, limit: int) -> None:
    """A brake stands, as a cycle leaves it in the inbox."""
    body = msgspec.json.encode({"reason": reason, "count": count, "limit": limit})
    patch = Patch()
    patch.put(HoldRow(0, f"jp-person/{name}", "brake", "jp-person", time.time(), body, ""))
    with build(open_project(place.folder)) as wired:
        wired.store.commit(patch)


def _lines(said: Said) -> dict[tuple[str, str], dict[str, Any]]:
    (route,) = said.data["routes"]
    return {(each["name"], each["system"]): each for each in route["limits"]}


def test_limits_stand_beside_what_was_normal(place: Place, capsys: Any) -> None:
    """Limits come from the mapping or are the usual ones, beside them stands what the brakes count now and which of
    them stand, watched sources count what they did, and the screen says in both languages where limits are set."""
    _braked(place, capsys)
    _stand(place, "all", "salesforce lost 55 of 69 records, limit 50", 55, 50)
    _stand(place, "clock", "the clock of marketo is 20 min ahead of ours, limit 15 min", 1_200, 900)
    said = place.quick(capsys, "limits", "--json")
    found = _lines(said)
    assert said.code == 0
    assert found["update", ""]["limit"] == {"cycle": 2, "hour": 4, "day": 12}
    assert set(found["opt_out", ""]["limit"]) == {"hour"}
    assert found["emptied", "salesforce"]["limit"]["cycle"] == 7
    assert found["unlinks", "salesforce"]["limit"] == {"cycle": 3, "hour": 6, "day": 18}
    assert found["unlinks", "salesforce"]["now"] == {"cycle": 0, "hour": 0, "day": 0}
    assert found["update", ""]["now"] == {"cycle": 4, "hour": 4, "day": 4}
    assert found["update", ""]["brake"] == {"count": 4, "limit": 2, "reason": "4 updates this cycle, limit 2"}
    assert (found["update", ""]["near"], found["loss", "salesforce"]["near"]) == (2.0, 1.1)
    assert found["loss", "salesforce"]["brake"]["count"] == 55
    assert found["create", ""]["brake"] is found["loss", "marketo"]["brake"] is None
    assert found["create", ""]["limit"]["cycle"] == 500
    assert found["loss", "marketo"]["now"] == {"cycle": 0, "hour": 0, "day": 0}
    english, japanese = (place.quick(capsys, "limits", "--lang", lang).out for lang in ("en", "ja"))
    assert ["BRAKE 4 of 2" in english, "BRAKE 55 of 50" in english, "20 min ahead" in english] == [True] * 3
    assert "上限" in japanese
    assert place.quick(capsys, "limits", "nowhere").code == 2


@pytest.mark.parametrize("cause", ["clock", "reading"])
def test_what_ends_by_itself_cannot_be_waved_through(cause: str) -> None:
    """A wrong clock and a field that cannot be read are facts: there is nothing to answer, and an approval is refused
    with what to do instead."""
    entry = entry_of(HoldRow(0, f"people/{cause}", "brake", "people", 1.0, b"{}", ""))
    assert choices(entry, rules_of(()), "123456") == []
    with pytest.raises(Fatal, match="cannot be approved"):
        approve_for(entry)


def test_a_system_that_has_moved_can_only_be_approved() -> None:
    """Nothing is planned behind another system under the same name, so nothing can be given up."""
    entry = entry_of(HoldRow(0, "people/environment", "brake", "people", 1.0, b"{}", ""))
    assert [each.command for each in choices(entry, rules_of(()), "123456")] == ["approve 123456"]
    assert approve_for(entry) == Approve(action="environment")
