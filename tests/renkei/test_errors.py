"""`renkei errors` as a person uses it: what systems refused, by cause, tried again and given up, alone and beside the
service; judged on what the vendors hold."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from connectors.salesforce.connector import Salesforce
from renkei.cli.retrying import _end_retry, _parts
from renkei.errorwords import ERRORS
from renkei.failing import is_in_doubt
from renkei.failures import Failure
from renkei.fakes import Fakes
from renkei.settings import open_project
from renkei.speaker import speaker
from renkei.threads import SystemClock
from renkei.wire import build, open_systems
from sync.errors import InDoubt, Meaning
from sync.plan import Work
from sync.ports import FieldError, Outcome, Write
from sync.record import Ref
from sync.rows import DELETED, FAILED, IGNORED, LIVE, TWIN, UNCERTAIN, Patch, RecordRow
from tests.support.command import Place, new_place
from tests.support.serving import Serving, configure
from tests.support.tree import ROOT

LONG = "主任研究員補佐" * 30  # the sales side takes 128 characters of a title
CAUSE = "salesforce/string_too_long/title"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project after its first sync."""
    with Fakes("--persons", "30", "--role", "0", "--seed", "7") as fakes:
        made = new_place(tmp_path / "project", fakes)
        made.begin()
        yield made


def _pairs(place: Place, count: int) -> dict[str, str]:
    live = place.live()
    pairs = [(key, str(row["sfaId"])) for key, row in live["marketo"].items() if row.get("sfaId")]
    return dict([(ma, sfa) for ma, sfa in pairs if sfa in live["salesforce"]][:count])


def _type(place: Place, record: str, title: str) -> None:
    """Somebody types a title at marketing, past renkei."""
    (opened,) = open_systems(open_project(place.folder), ["marketo"], SystemClock()).values()
    try:
        done = opened.write("person", [Write(1, Ref("marketo", "Lead", record), {"title": title})])
        assert done[0].result == "applied"
    finally:
        opened.close()


def _refused(place: Place, capsys: Any, count: int = 2) -> dict[str, str]:
    """Some people whose title sales does not take."""
    pairs = _pairs(place, count)
    for ma in pairs:
        _type(place, ma, LONG)
    time.sleep(1.2)
    said = place.quick(capsys, "sync")
    assert (said.code, f"failed {count}" in said.out) == (1, True), said.out + said.err
    assert "wrote nothing of what was sent" in said.out
    return pairs


def test_what_was_taken_counts_as_written_though_its_answer_was_lost(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two titles arrive and the vendor's answer does not: the doubt is settled by reading, and two were written."""
    pairs = _pairs(place, 2)
    for ma in pairs:
        _type(place, ma, "Chief of Echoes")
    time.sleep(1.2)
    write = Salesforce.write

    def lose(self: Salesforce, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        write(self, kind, writes)
        raise InDoubt("the answer was lost")

    monkeypatch.setattr(Salesforce, "write", lose)
    (route,) = place.quick(capsys, "sync", "--json").data["routes"]
    assert (_titles(place, pairs), route["sent"]) == (["Chief of Echoes"] * 2, {})
    assert route["written"] == {"salesforce": 2}


def _listed(place: Place, capsys: Any, *options: str) -> list[dict[str, Any]]:
    return list(place.quick(capsys, "errors", "list", "--json", *options).data["causes"])


def _titles(place: Place, pairs: dict[str, str]) -> list[Any]:
    live = place.live()["salesforce"]
    return [live[sfa].get("Title") for sfa in pairs.values()]


def test_what_is_refused_is_listed_by_cause_and_shown_one_by_one(place: Place, capsys: Any) -> None:
    """The cause has a name that can be typed, the vendor's code, our meaning, how many, since when, the next try and
    the next step; one by one it says what was to be written and the vendor's own words, and who leads where the record
    is gone. The inbox has a line for it."""
    assert place.quick(capsys, "errors", "list").code == 0
    nobody = place.quick(capsys, "errors", "list", "--system", "salesforse")
    assert (nobody.code, "names no system salesforse" in nobody.err) == (2, True)
    before = time.time()
    pairs = _refused(place, capsys)
    (cause,) = _listed(place, capsys)
    assert (cause["cause"], cause["code"], cause["meaning"], cause["field"], cause["records"]) == (
        CAUSE, "STRING_TOO_LONG", "length", "title", 2,
    )  # fmt: skip
    assert before - 2 < cause["since"] < time.time()
    assert 3_500 < cause["next_at"] - time.time() <= 3_600
    assert "shorten it" in cause["next"]
    for options, number in {
        ("--system", "salesforce"): 1, ("--system", "marketo"): 0, ("--cause", "salesforce/string_too_long"): 1,
        ("--cause", "salesforce/string"): 0, ("--route", "jp-person"): 1, ("jp-person",): 1,
    }.items():  # fmt: skip
        assert len(_listed(place, capsys, *options)) == number, options
    listed = place.quick(capsys, "errors", "list")
    assert (listed.code, CAUSE in listed.out, "too long" in listed.out) == (1, True, True)
    shown = place.quick(capsys, "errors", "show", CAUSE, "--json").data["failures"]
    assert {each["record"] for each in shown} == set(pairs.values())
    (field,) = shown[0]["fields"]
    assert (field["field"], field["path"], field["desired"]) == ("title", "Title", LONG)
    assert "data value too large" in shown[0]["message"]
    assert shown[0]["digest"]
    assert shown[0]["run"]
    assert shown[0]["attempts"] == 1
    one = place.quick(capsys, "errors", "show", str(cause["example"]))
    assert (one.code, "data value too large" in one.out, one.out.count("salesforce:")) == (1, True, 1)
    told = place.quick(capsys, "inbox").out
    (line,) = [each for each in told.splitlines() if CAUSE in each]
    assert re.search(rf"refused: 2 .*too long.*`renkei errors show {CAUSE}`", line)
    (told_json,) = place.quick(capsys, "inbox", "--json").data["failures"]
    assert told_json["cause"] == CAUSE
    assert "長すぎます" in place.quick(capsys, "errors", "list", "--lang", "ja").out
    assert shown[0]["leads"] == ""
    gone, one_of = Ref("salesforce", shown[0]["object"], shown[0]["record"]), str(shown[0]["id"])
    with build(open_project(place.folder)) as wired:
        (row,) = wired.store.get(RecordRow, [tuple(gone)])
        patch = Patch()
        patch.put(row._replace(id="00Q5gHEIR", state=LIVE))
        patch.put(row._replace(role=TWIN, state=DELETED))
        wired.store.commit(patch)
    (heir,) = place.quick(capsys, "errors", "show", one_of, "--json").data["failures"]
    assert (heir["record"], heir["leads"]) == (gone.id, "salesforce:00Q5gHEIR")
    told = place.quick(capsys, "errors", "show", one_of).out
    assert f"salesforce:{gone.id}   (gone; salesforce:00Q5gHEIR leads now)" in told


def test_trying_again_and_giving_up(place: Place, capsys: Any) -> None:
    """A dry run does nothing, nothing begins without a word of agreement, what is refused again stands there with one
    more attempt, what was mended arrives, and what is given up is listed as different with its reason."""
    pairs = _refused(place, capsys)
    first, second = pairs
    dry = place.quick(capsys, "errors", "retry", CAUSE, "--dry-run")
    assert (dry.code, "2 operations" in dry.out, "Nothing was done" in dry.out) == (0, True, True)
    asked = place.quick(capsys, "errors", "retry", CAUSE)
    assert (asked.code, "--yes" in asked.err) == (2, True)
    again = place.quick(capsys, "errors", "retry", "salesforce", "--yes", "--json")
    assert (again.code, again.data["tried"], again.data["left"]) == (1, 2, 2), again.out
    shown = place.quick(capsys, "errors", "show", CAUSE, "--json").data["failures"]
    assert {each["attempts"] for each in shown} == {2}
    assert all(21_000 < each["next_at"] - time.time() <= 21_600 for each in shown)
    for words, says in {
        ("retry",): "not said what is meant", ("retry", "nobody/1/x"): "errors list", ("retry", "99"): "errors list",
        ("retry", CAUSE, "jp-person", "--all", "--yes"): "not said what is meant",
        ("discard", CAUSE, "--yes"): "needs a reason", ("discard", CAUSE, "--reason", "x"): "--yes",
    }.items():  # fmt: skip
        said = place.quick(capsys, "errors", *words)
        assert (said.code, says in said.err) == (2, True), said.out + said.err
    counted = place.quick(capsys, "errors", "discard", CAUSE, "--dry-run", "--json")
    assert (counted.code, counted.data["dry_run"]) == (0, True), counted.err
    number = next(str(each["id"]) for each in shown if each["record"] == pairs[first])
    gone = place.quick(capsys, "errors", "discard", number, "--reason", "not that title", "--yes", "--json")
    assert (gone.code, gone.data["discarded"], gone.data["done"]) == (0, 1, True), gone.err
    (cause,) = _listed(place, capsys)
    assert cause["records"] == 1
    entries = place.quick(capsys, "inbox", "--json").data["entries"]
    given_up = [each for each in entries if each["kind"] == "discarded"]
    assert [(each["field"], each["details"]["reason"]) for each in given_up] == [("title", "not that title")]
    (story,) = place.quick(capsys, "trace", f"marketo:{first}", "--json").data["found"]
    told = [(each["what"], each["how"]) for each in story["history"] if each["who"] == speaker()]
    assert [what for what, _how in told] == ["discarded", "gave_up", "retried", "approved"]
    assert told[3][1].startswith("sync --first")
    assert told[1][1].endswith("not that title")
    _type(place, second, "short")
    time.sleep(1.2)
    mended = place.quick(capsys, "errors", "retry", "--all", "--yes")
    assert mended.code == 1, mended.out + mended.err  # what was given up is listed still
    assert _listed(place, capsys) == []
    assert _titles(place, pairs)[1] == "short"
    for words in (("errors", "retry", "--all", "jp-person", "--yes"), ("retry", "jp-person")):
        nothing = place.quick(capsys, *words)
        assert (nothing.code, nothing.out) == (0, "Nothing is refused.\n")
        assert place.quick(capsys, *(each.replace("jp-", "") for each in words)).code == 2


def test_what_may_have_happened_is_sent_once_more_by_its_name_only(capsys: Any) -> None:
    """Whoever tries everything again has not looked: what is in doubt stays, is counted, and is not called done."""
    states = {1: FAILED, 2: UNCERTAIN, 3: IGNORED}
    rows: list[Any] = [
        SimpleNamespace(id=number, route="one", state=state) for number, state in states.items()
    ]
    found = [Failure(row, Work({}, Ref("", "", "")), FieldError("", "", "", ""), "", "") for row in rows]
    meant = _parts(found, is_in_doubt)
    assert (meant.parts, meant.kept) == ({"one": (1, 3)}, 1)
    here: Any = SimpleNamespace(as_json=True, project=SimpleNamespace(env="test"))
    with pytest.raises(typer.Exit) as ended:
        _end_retry(here, meant, 0, [])
    told = json.loads(capsys.readouterr().out)
    assert (ended.value.exit_code, told["ok"], told["left"], told["kept"]) == (1, False, 0, 1)


def test_beside_the_service_the_words_go_through_the_journal(place: Place, capsys: Any) -> None:
    """The running service tries again what it is told to, and gives up what it is told to, in processes of their own;
    its log says nothing of what was refused but codes and figures."""
    configure(place, every=0.5)
    with Serving(place) as service:
        service.until_ready()
        pairs = _pairs(place, 2)
        for ma in pairs:
            _type(place, ma, LONG)
        service.until(lambda: sum(each["records"] for each in _listed(place, capsys)) == 2)
        for number, words in enumerate((("errors", "retry", CAUSE, "jp-person", "--yes"), ("retry",)), 2):
            again = place.renkei(*words, "--json")
            assert (again.code, again.data["tried"], again.data["left"]) == (1, 2, 2), again.out + again.err
            shown = place.quick(capsys, "errors", "show", CAUSE, "--json").data["failures"]
            assert {each["attempts"] for each in shown} == {number}
        gone = place.renkei("errors", "discard", CAUSE, "--reason", "no such title", "--yes", "--keep-both")
        assert gone.code == 0, gone.out + gone.err
        service.until(lambda: _listed(place, capsys) == [])
        service.end()
        assert LONG not in service.text
        assert "主任" not in json.dumps(service.log, ensure_ascii=False)
    assert place.quick(capsys, "sync").code == 0
    assert LONG not in _titles(place, pairs)


def test_every_meaning_has_a_word_and_a_line_of_the_page() -> None:
    """What a refusal can mean is said in both languages and stands in the table of docs/operations.md, and nothing
    else does."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = page.split("## What a system refused")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert listed == {each.value for each in Meaning}
    for each in Meaning:
        for key in (f"meaning.{each.value}", f"meaning.{each.value}_next"):
            assert all(ERRORS[key])
