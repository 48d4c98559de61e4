"""What waits for a person, as numbers; answers, approvals and discards, alone and beside the service."""

from __future__ import annotations

import re
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

ROUTE = "jp-person"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project after its first sync in which two different titles wait for a person, and three updates are many."""
    with Fakes("--persons", "40", "--role", "0", "--seed", "5") as fakes:
        made = new_place(tmp_path / "project", fakes)
        title = "title:      { marketo: title, flow: <->, salesforce: Title"
        made.edit_mapping(title, f"{title}, conflict: hold")
        made.edit_mapping("defaults:\n", "limits: { update: { number: 2, share: 0.0 } }\ndefaults:\n")
        made.begin()
        yield made


def _pairs(place: Place) -> list[tuple[str, str]]:
    live = place.live()
    pairs = [(key, str(row["sfaId"])) for key, row in live["marketo"].items() if row.get("sfaId")]
    return [(ma, sfa) for ma, sfa in pairs if sfa in live["salesforce"]]


def _write(place: Place, system: str, record: str, **values: Raw) -> None:
    """Somebody else types through the vendor's own interface."""
    (opened,) = open_systems(open_project(place.folder), [system], SystemClock()).values()
    try:
        done = opened.write("person", [Write(1, Ref(system, "Lead", record), values)])
        assert done[0].result == "applied"
    finally:
        opened.close()


def _collide(place: Place, number: int = 0) -> tuple[str, str]:
    """Two people type another title for the same person, one on each side."""
    ma, sfa = _pairs(place)[number]
    _write(place, "marketo", ma, title="主任研究員補佐")
    _write(place, "salesforce", sfa, Title="Deputy of Nothing")
    time.sleep(1.2)
    return ma, sfa


def _history(place: Place, capsys: Any, lead: str) -> list[dict[str, Any]]:
    """What is told of a person, newest first."""
    (found,) = place.quick(capsys, "trace", f"marketo:{lead}", "--json").data["found"]
    return list(found["history"])


def _only(place: Place, capsys: Any, kind: str) -> dict[str, Any]:
    entries = place.quick(capsys, "inbox", "--json").data["entries"]
    (found,) = [each for each in entries if each["kind"] == kind]
    return dict(found)


def test_a_conflict_is_answered_and_done(place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inbox shows a number, the number shows the answers and what each does; answered, the value is written with
    the next sync, the number names nothing any more, and the trace tells who has chosen which system's value."""
    monkeypatch.setenv("SUDO_USER", "hanako")
    ma, sfa = _collide(place)
    place.quick(capsys, "sync")
    entry = _only(place, capsys, "conflict")
    listed = place.quick(capsys, "inbox")
    assert entry["number"] in listed.out
    shown = place.quick(capsys, "inbox", entry["number"])
    assert f"renkei decide {entry['number']} marketo" in shown.out
    assert "«主任研究員補佐» is written to salesforce" in shown.out
    wrong = place.quick(capsys, "decide", entry["number"], "hubspot")
    assert (wrong.code, "is no answer" in wrong.err) == (2, True)
    said = place.quick(capsys, "decide", entry["number"], "marketo", "--remember")
    assert said.code == 0, said.err
    assert "conflict: marketo" in said.out
    assert place.quick(capsys, "sync").code == 0
    live = place.live()
    assert live["salesforce"][sfa]["Title"] == live["marketo"][ma]["title"] == "主任研究員補佐"
    (told,) = [each for each in _history(place, capsys, ma) if each["what"] == "answered"]
    assert (told["who"], told["how"], told["new"]) == ("hanako", "marketo", {"marketo": "主任研究員補佐"})
    assert told["lost"] == "Deputy of Nothing"
    line = "answered  title  marketo 主任研究員補佐   hanako   marketo   lost Deputy of Nothing (kept here)"
    assert line in place.quick(capsys, "trace", f"marketo:{ma}").out
    gone = place.quick(capsys, "decide", entry["number"], "salesforce")
    assert (gone.code, "any more" in gone.err) == (2, True)
    assert place.quick(capsys, "inbox", "--lang", "ja").out == "判断待ちはありません。\n"


def test_an_answer_is_for_the_values_that_were_shown(place: Place, capsys: Any) -> None:
    """When a value changes after the list was shown, its number is gone: nobody answers what nobody has seen. What is
    only planned waits for the next sync, and the status says so; of a value that no row lists the line is named."""
    _ma, sfa = _collide(place)
    place.quick(capsys, "sync")
    _write(place, "marketo", _pairs(place)[1][0], title="職位")
    _write(place, "marketo", _pairs(place)[2][0], industry="錬金術")
    time.sleep(1.2)
    assert place.quick(capsys, "plan").code == 0
    told = place.quick(capsys, "status").out
    assert "waits   conflict 1 · unknown_value 1   → renkei inbox" in told
    unlisted = place.quick(capsys, "inbox", _only(place, capsys, "unknown_value")["number"])
    assert re.search(r"list it under `values:` of industry, line \d+ of person.yaml", unlisted.out), (
        unlisted.out
    )
    assert "nothing is answered here" not in unlisted.out
    _write(place, "marketo", _pairs(place)[2][0], industry="製造業")
    assert "to leave   planned 1   → renkei sync jp-person" in told
    before = _only(place, capsys, "conflict")["number"]
    _write(place, "salesforce", sfa, Title="Vice President")
    time.sleep(1.2)
    place.quick(capsys, "sync")
    assert place.quick(capsys, "decide", before, "marketo").code == 2
    now = _only(place, capsys, "conflict")["number"]
    assert now != before
    left = place.quick(capsys, "decide", now, "leave")
    assert (left.code, "Done" in left.out, "leaves with" in left.out) == (0, True, False), left.err
    assert place.quick(capsys, "sync").code == 0
    assert place.live()["salesforce"][sfa]["Title"] == "Vice President"


def test_a_lifted_opt_out_is_said_to_be_written_by_nobody(place: Place, capsys: Any) -> None:
    """renkei writes nothing by it: a person clears the other side, and until then both are agreed to differ."""
    live = place.live()["marketo"]
    ma, sfa = next((ma, sfa) for ma, sfa in _pairs(place) if not live[ma]["unsubscribed"])
    for out in (True, False):
        _write(place, "marketo", ma, unsubscribed=out)
        time.sleep(1.2)
        place.quick(capsys, "sync")
    entry = _only(place, capsys, "consent")
    said = place.quick(capsys, "decide", entry["number"], "lift", "--evidence", "web form")
    assert (said.code, "leaves with" in said.out, "by hand" in said.out) == (0, False, True), (
        said.out + said.err
    )
    place.quick(capsys, "sync")
    assert place.live()["salesforce"][sfa]["HasOptedOutOfEmail"]
    told = place.quick(capsys, "trace", f"marketo:{ma}", "--field", "consent.all").out.splitlines()[1]
    assert told.endswith("   agreed to differ"), told


def test_what_a_brake_stops_is_let_go_or_given_up(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A brake's number is that of what it stops: with more behind it, it is another one, and nobody lets go what they
    have not seen. Approved, the planned work leaves; discarded with a reason, it is listed as different; who said so
    stands in the trace, and beside a pause."""
    monkeypatch.setenv("SUDO_USER", "hanako")
    for number, (ma, _sfa) in enumerate(_pairs(place)[:4]):
        _write(place, "marketo", ma, title=f"職位 {number}")
    time.sleep(1.2)
    assert place.quick(capsys, "sync").code == 1
    brake = _only(place, capsys, "brake")
    shown = place.quick(capsys, "inbox", brake["number"])
    assert "renkei approve" in shown.out
    assert [f"職位 {number}" in shown.out for number in range(4)] == [True] * 4
    few = place.quick(capsys, "inbox", brake["number"], "--limit", "1")
    assert (few.out.count("職位"), "3 more" in few.out) == (1, True)
    data = place.quick(capsys, "inbox", brake["number"], "--json")
    assert (data.code, data.data["ok"], len(data.data["entry"]["plan"]["lines"])) == (0, True, 4)
    status = place.quick(capsys, "status")
    assert (status.code, "BRAKE" in status.out) == (1, True)
    assert f"renkei approve {brake['number']}" in status.out
    assert place.quick(capsys, "decide", brake["number"], "yes").code == 2
    _write(place, "marketo", _pairs(place)[4][0], title="職位 4")
    time.sleep(1.2)
    place.quick(capsys, "sync")
    assert place.quick(capsys, "approve", brake["number"]).code == 2
    brake = _only(place, capsys, "brake")
    place.quick(capsys, "sync")
    assert _only(place, capsys, "brake")["number"] == brake["number"]
    assert "let go" in place.quick(capsys, "approve", brake["number"]).out
    place.quick(capsys, "sync")
    assert sum(str(row.get("Title")).startswith("職位") for row in place.live()["salesforce"].values()) == 5
    (told,) = [each for each in _history(place, capsys, _pairs(place)[0][0]) if each["what"] == "approved"][
        :1
    ]
    assert (told["who"], told["field"], told["how"][:12]) == ("hanako", "title", "update · run")
    for number, (ma, _sfa) in enumerate(_pairs(place)[4:8]):
        _write(place, "marketo", ma, title=f"破棄 {number}")
    time.sleep(1.2)
    place.quick(capsys, "sync")
    again = _only(place, capsys, "brake")
    assert place.quick(capsys, "discard", again["number"]).code == 2
    said = place.quick(capsys, "discard", again["number"], "--reason", "typed by mistake")
    assert said.code == 0, said.err
    place.quick(capsys, "sync")
    entries = place.quick(capsys, "inbox", "--json").data
    assert {each["kind"] for each in entries["entries"]} == {"discarded"}
    assert entries["groups"] == [{"kind": "discarded", "cause": "title", "count": 4}]
    assert not any(str(row.get("Title")).startswith("破棄") for row in place.live()["salesforce"].values())
    lines = _history(place, capsys, _pairs(place)[4][0])
    assert [each["who"] for each in lines if each["what"] in ("gave_up", "discarded")] == ["hanako", "hanako"]
    assert "破棄の指示" in place.quick(capsys, "trace", f"marketo:{_pairs(place)[4][0]}", "--lang", "ja").out
    place.quick(capsys, "pause", "--reason", "a look first")
    assert "a look first · hanako" in place.quick(capsys, "status").out


def test_beside_the_service_a_word_goes_through_the_journal(place: Place, capsys: Any) -> None:
    """The running service hears the answer, does it, and the other side shows it without any further command."""
    configure(place, every=0.5)
    with Serving(place) as service:
        service.until_ready()
        _ma, sfa = _collide(place)
        service.until(lambda: place.quick(capsys, "inbox", "--json").data["entries"])
        entry = _only(place, capsys, "conflict")
        assert place.renkei("decide", entry["number"], "marketo").code == 0
        service.until(lambda: place.live()["salesforce"][sfa]["Title"] == "主任研究員補佐")
        service.end()
