"""`renkei undo` as a person uses it: alone and beside the service, judged on what the vendors hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.fakes import Fakes
from renkei.settings import open_project
from renkei.threads import SystemClock
from renkei.wire import open_systems
from sync.ports import Write
from sync.record import Raw, Ref
from tests.support.command import Place, new_place
from tests.support.serving import Serving, configure


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project after its first sync."""
    with Fakes("--persons", "30", "--role", "0", "--seed", "7") as fakes:
        made = new_place(tmp_path / "project", fakes)
        made.begin()
        yield made


def _pairs(place: Place, count: int = 4) -> dict[str, str]:
    live = place.live()
    pairs = [(key, str(row["sfaId"])) for key, row in live["marketo"].items() if row.get("sfaId")]
    return dict([(ma, sfa) for ma, sfa in pairs if sfa in live["salesforce"]][:count])


def _write(place: Place, system: str, record: str, **values: str) -> None:
    """Somebody else types through the vendor's own interface."""
    (opened,) = open_systems(open_project(place.folder), [system], SystemClock()).values()
    try:
        assert opened.write("person", [Write(1, Ref(system, "Lead", record), values)])[0].result == "applied"
    finally:
        opened.close()


def _titles(place: Place, pairs: dict[str, str]) -> list[Any]:
    live = place.live()["salesforce"]
    return [live[sfa].get("Title") for sfa in pairs.values()]


def _carried(place: Place, capsys: Any) -> tuple[dict[str, str], list[Any], str]:
    """Four leads get another title, which one run carries: who they are, what stood at sales, and the run."""
    pairs = _pairs(place)
    before = _titles(place, pairs)
    for ma in pairs:
        _write(place, "marketo", ma, title="主任研究員補佐")
    time.sleep(1.2)
    assert place.quick(capsys, "sync").code == 0
    assert set(_titles(place, pairs)) == {"主任研究員補佐"}
    time.sleep(1.2)
    assert place.quick(capsys, "sync").code == 0  # reads back what was written
    told = place.quick(capsys, "trace", f"marketo:{next(iter(pairs))}", "--field", "title", "--json").data
    wrote = next(line for line in told["found"][0]["history"] if line["what"] == "wrote")
    return pairs, before, str(wrote["run"])


def test_a_run_is_taken_back_and_brought_back(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run writes nothing; without a word of agreement nothing begins; what somebody touched is listed and stays;
    also where nobody had heard of it when the list was shown; the rest is as before, stays so, and comes back when the
    undo is undone; the trace tells who wanted both."""
    monkeypatch.setenv("SUDO_USER", "hanako")
    pairs, before, run = _carried(place, capsys)
    first, second, *_others = pairs.values()
    _write(place, "salesforce", first, Title="Deputy of Nothing")
    time.sleep(1.2)
    assert place.quick(capsys, "sync").code == 0
    dry = place.quick(capsys, "undo", "run", run, "--dry-run", "--json")
    (part,) = dry.data["routes"]
    assert (dry.code, part["values"], [each["why"] for each in part["left"]]) == (0, 3, ["touched"])
    assert "touched since" in place.quick(capsys, "undo", "run", run, "--dry-run").out
    digest = place.quick(capsys, "sync", "--json").data["routes"][0]["digest"]
    wider = place.quick(capsys, "undo", "digest", digest[:8], "--field", "title", "--dry-run", "--json").data
    assert wider["routes"][0]["fields"]["salesforce"] == {"title": 3}
    assert place.quick(capsys, "undo", "digest", digest, "--since", "2100-01-01", "--dry-run").code == 1
    asked = place.quick(capsys, "undo", "run", run)
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert _titles(place, pairs)[1:] == ["主任研究員補佐"] * 3
    _write(place, "salesforce", second, Title="Deputy")
    done = place.quick(capsys, "undo", "run", run, "--yes", "--json")
    (part,) = done.data["routes"]
    assert (done.code, part["taken_back"]) == (1, 2), done.out + done.err
    assert [(each["record"], each["why"]) for each in part["not_done"]] == [(second, "touched")]
    assert _titles(place, pairs) == ["Deputy of Nothing", "Deputy", *before[2:]]
    now = place.quick(capsys, "trace", f"marketo:{[*pairs][2]}", "--field", "title").out.splitlines()[1]
    assert now.endswith("   agreed to differ"), now
    time.sleep(1.2)
    place.quick(capsys, "sync")
    assert place.quick(capsys, "sync", "--json").data["routes"][0]["sent"] == {}
    own = str(done.data["routes"][0]["run"])
    back = place.quick(capsys, "undo", "run", own, "--yes")
    assert (back.code, "taken back 2 of 2" in back.out) == (0, True), back.out + back.err
    (found,) = place.quick(capsys, "trace", f"marketo:{[*pairs][2]}", "--json").data["found"]
    told = [
        (each["what"], each["who"], each["field"]) for each in found["history"] if each["who"] == "hanako"
    ]
    assert sorted(told) == [("asked_back", "hanako", "title")] * 2 + [("undone", "hanako", "title")] * 2
    assert _titles(place, pairs) == ["Deputy of Nothing", "Deputy", *["主任研究員補佐"] * 2]


def test_what_cannot_be_meant_is_refused(place: Place, capsys: Any) -> None:
    """Each says what is wrong and what to do next; a rule that is at work would write again."""
    for words, says in {
        ("run", "99999999"): "no run",
        ("run", "x"): "no number",
        ("rule", "title"): "--and-pause",
        ("rule", "titel", "--and-pause"): "title",
        ("digest", "ab"): "too short",
        ("person", "marketo:1", "--since", "soon"): "no date",
    }.items():
        said = place.quick(capsys, "undo", *words, "--yes")
        assert (said.code, says in said.err) == (2, True), said.out + said.err
    nobody = place.quick(capsys, "undo", "person", "nobody@nowhere.example", "--yes")
    assert (nobody.code, "nothing was written" in nobody.out) == (1, True)


def test_a_person_is_taken_back_beside_the_service(place: Place, capsys: Any) -> None:
    """The service does it with its next cycle, the others keep what we wrote, and a rule is taken back and paused."""
    pairs, before, _run = _carried(place, capsys)
    lead = next(iter(pairs))
    configure(place)
    with Serving(place) as serving:
        serving.ready()
        told = place.quick(capsys, "undo", "person", f"marketo:{lead}", "--field", "title", "--yes", "--json")
        assert (told.code, told.data["routes"][0]["taken_back"]) == (0, 1), told.out + told.err
        assert _titles(place, pairs) == [before[0], *["主任研究員補佐"] * 3]
        told = place.quick(capsys, "undo", "rule", "title", "--and-pause", "--yes", "--json")
        assert told.data["routes"][0]["taken_back"] >= 3, told.out + told.err
        assert _titles(place, pairs)[1:] == before[1:]
        assert "jp-person" in place.quick(capsys, "status", "--json").data["service"]["paused"]


def test_created_records_are_deleted_where_nobody_has_touched_them(place: Place, capsys: Any) -> None:
    """New leads become records at sales; one of them is edited there, one person opts out. A dry run and a call without
    --yes delete nothing and say how many it would be; with --yes exactly the untouched are gone from the vendor."""
    (opened,) = open_systems(open_project(place.folder), ["marketo"], SystemClock()).values()
    for number in range(5):
        values: dict[str, Raw] = {
            "email": f"new{number}@new.example",
            "lastName": "新",
            "company": "N",
            "leadScore": 90,
        }
        assert opened.write("person", [Write(1, Ref("marketo", "Lead", ""), values)])[0].result == "applied"
    opened.close()
    time.sleep(1.2)
    said = place.quick(capsys, "sync")
    assert said.code == 0, said.out + said.err
    time.sleep(1.2)
    place.quick(capsys, "sync")
    new = {
        str(row["Email"]): key
        for key, row in place.live()["salesforce"].items()
        if "@new.example" in str(row["Email"])
    }
    assert len(new) == 5
    leads = {
        str(row["email"]): key
        for key, row in place.live()["marketo"].items()
        if "@new.example" in str(row["email"])
    }
    told = place.quick(capsys, "trace", f"salesforce:{new['new0@new.example']}", "--json").data
    history = told["found"][0]["history"]
    run = next(str(line["run"]) for line in history if (line["what"], line["field"]) == ("wrote", "email"))
    edit = {"object_name": "Lead", "key": new["new0@new.example"], "changes": {"Title": "Deputy"}}
    place.fakes.ask("human", {"side": "salesforce", "action": "human_edit", "args": edit})
    (opened,) = open_systems(open_project(place.folder), ["marketo"], SystemClock()).values()
    out = Write(1, Ref("marketo", "Lead", leads["new1@new.example"]), {"unsubscribed": True})
    assert opened.write("person", [out])[0].result == "applied"
    opened.close()
    time.sleep(1.2)
    place.quick(capsys, "sync")
    dry = place.quick(capsys, "undo", "run", run, "--delete-created", "--dry-run", "--json").data["routes"][0]
    assert {each.partition(":")[2] for each in dry["deleted"]} == {
        new[f"new{n}@new.example"] for n in (2, 3, 4)
    }
    assert sorted(each["why"] for each in dry["left"] if not each["field"]) == ["bearer", "touched"]
    asked = place.quick(capsys, "undo", "run", run, "--delete-created")
    assert (asked.code, "3 of these records would be deleted" in asked.out, "--yes" in asked.out) == (
        0,
        True,
        True,
    )
    assert all(f"    salesforce:{new[f'new{n}@new.example']}\n" in asked.out for n in (2, 3, 4))
    assert set(new.values()) <= set(place.live()["salesforce"])
    only = ("--who", f"salesforce:{new['new2@new.example']}", "--delete-created", "--yes")
    one = place.quick(capsys, "undo", "run", run, *only)
    assert ("1 of 1 records deleted" in one.out, "brings our values back" in one.out) == (True, False), (
        one.out
    )
    done = place.quick(capsys, "undo", "run", run, "--delete-created", "--yes", "--json")
    (part,) = done.data["routes"]
    assert (part["gone"], part["not_done"]) == (2, []), done.out + done.err
    again = place.quick(capsys, "undo", "run", str(part["run"]), "--dry-run", "--json").data["routes"][0]
    assert again["linked_again"] == 2
    there = set(place.live()["salesforce"])
    assert {name for name, key in new.items() if key in there} == {"new0@new.example", "new1@new.example"}
    assert set(leads.values()) <= set(place.live()["marketo"])
    time.sleep(1.2)
    again = place.quick(capsys, "sync", "--json").data["routes"][0]
    assert again["sent"] == {}, again
