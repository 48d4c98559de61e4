"""The command line from an empty folder to a trace, against both fake vendors over real HTTP."""

from __future__ import annotations

import json
import re
import resource
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from renkei.fakes import Fakes
from renkei.scaffold import write_project
from renkei.settings import open_project
from renkei.speaker import speaker
from renkei.threads import SystemClock
from renkei.wire import open_systems
from sync.ports import Write
from sync.record import Ref
from tests.support.command import Place, clean_environment, new_place
from tests.support.tree import ROOT

WORLD = ("--persons", "120", "--role", "0", "--seed", "5")


@pytest.fixture(scope="module")
def untouched() -> Iterator[Fakes]:
    """Vendors that no test of this file writes to."""
    with Fakes(*WORLD) as running:
        yield running


@pytest.fixture
def fresh(untouched: Fakes, tmp_path: Path) -> Place:
    """A project that has never run."""
    return new_place(tmp_path, untouched)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A project after its first sync; every test leaves it at rest and its mapping as it was."""
    with Fakes(*WORLD) as running:
        made = new_place(tmp_path_factory.mktemp("project"), running)
        first = made.sync("--first")
        assert first.code == 0, first.out + first.err
        made.sync()
        yield made


def _edit(place: Place, rate: float = 50, seconds: float = 0.3) -> list[Any]:
    """Let people type for a moment; gives all that was ever typed."""
    plan = {"rate": rate, "seconds": seconds, "collide_share": 0.0, "optout_share": 0.0}
    place.fakes.ask("edits/start", plan)
    while place.fakes.ask("status")["running"]:
        pass
    edits: list[Any] = place.fakes.ask("edits")
    assert edits
    return edits


@pytest.fixture(autouse=True)
def _speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def test_check_asks_both_systems(fresh: Place, capsys: Any) -> None:
    """The preset passes against both live schemas, and --json says the same with stable keys."""
    said = fresh.quick(capsys, "check")
    assert said.code == 0, said.out + said.err
    assert "2 systems asked · 0 errors" in said.out
    data = fresh.quick(capsys, "check", "--json").data
    assert data["ok"]
    assert data["asked"] == ["marketo", "salesforce"]
    assert {problem["severity"] for problem in data["problems"]} <= {"note", "warning"}


def test_systems_shows_rights_and_calls(fresh: Place, capsys: Any) -> None:
    """Every system says what we may do there and how many calls are left."""
    said = fresh.quick(capsys, "systems")
    assert said.code == 0, said.out + said.err
    assert said.out.count("✓") >= 8
    assert "calls of today" in said.out


def test_what_makes_reading_everything_long_is_said_before(fresh: Place, capsys: Any) -> None:
    """Where nothing tells since when there are leads, `check` and `systems` warn of the jobs that it costs, count that
    as a warning and name the setting; `init` asks for it, and a day without quotation marks is one."""
    settings = fresh.folder / "renkei.yaml"
    text = settings.read_text("utf-8")
    day = re.search(r'earliest: "(\S+)"', text)
    assert day is not None
    for said in (fresh.quick(capsys, "check"), fresh.quick(capsys, "systems")):
        assert (said.code, "extract jobs" in said.out) == (0, False), said.out
    settings.write_text(text.replace(day[0], f"earliest: {day[1]}"), "utf-8")
    assert fresh.quick(capsys, "check").code == 0
    settings.write_text(text.replace(f"      {day[0]}\n", ""), "utf-8")
    for said in (fresh.quick(capsys, "check"), fresh.quick(capsys, "systems")):
        assert said.code == 0
        assert re.search(r"\d{3} extract jobs", said.out), said.out
        assert "write `earliest` for marketo into renkei.yaml" in said.out
    assert "1 warning," in fresh.quick(capsys, "check").out
    write_project(fresh.folder / "another")
    new = (fresh.folder / "another" / "renkei.yaml").read_text("utf-8")
    assert new.count("earliest: change-me") == 2


def test_schema_knows_the_real_fields(fresh: Place, capsys: Any) -> None:
    """The JSON Schema beside the project offers fields of both systems."""
    said = fresh.quick(capsys, "schema")
    assert said.code == 0, said.err
    text = (fresh.folder / ".renkei" / "schema" / "jp-person.json").read_text("utf-8")
    assert "HasOptedOutOfEmail" in text
    assert "leadScore" in text


def test_nothing_is_there_before_the_first_run(fresh: Place, capsys: Any) -> None:
    """Looking commands say in one sentence that there is no state yet, and what to run."""
    for command in (["status"], ["inbox"], ["trace", "a@b.example"], ["pause"], ["resume"]):
        said = fresh.quick(capsys, *command)
        assert said.code == 2
        assert said.err.splitlines()[0] == "error  There is no state for demo yet."
        assert "renkei sync --first" in said.err


def test_plan_shows_and_writes_nothing(fresh: Place, capsys: Any) -> None:
    """A plan counts creates and updates by system, is a file for its owner only, and touches no vendor."""
    before = fresh.fakes.ask("status")["writes"]
    path = fresh.folder / "plan.json"
    said = fresh.quick(capsys, "plan", "--out", str(path))
    assert said.code == 0, said.err
    assert "nothing is written to any system" in said.out
    assert re.search(r"create +\d+ +\d+", said.out)
    assert "renkei sync --first" in said.out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert fresh.fakes.ask("status")["writes"] == before
    again = fresh.quick(capsys, "plan", "--json").data["routes"][0]
    listed = json.loads(path.read_text("utf-8"))["routes"][0]
    assert again["total"] == len(listed["operations"]) > 0
    assert again["digest"] == listed["digest"]


def test_sync_refuses_before_the_first_plan_was_let_go(fresh: Place, capsys: Any) -> None:
    """A route that was never applied writes nothing, says why, and leaves with 2."""
    before = fresh.fakes.ask("status")["writes"]
    said = fresh.quick(capsys, "sync")
    assert said.code == 2
    assert "never applied" in said.out
    assert "sync --first" in said.out
    assert fresh.fakes.ask("status")["writes"] == before


def test_apply_delivers_what_is_listed_and_syncs_come_to_rest(tmp_path: Path, capsys: Any) -> None:
    """An applied plan is done, and the trace tells who has let it go; applied again it was done already; further syncs
    end with nothing to write."""
    path = str(tmp_path / "plan.json")
    with Fakes(*WORLD) as fakes:
        place = new_place(tmp_path / "project", fakes)
        assert place.quick(capsys, "plan", "--out", path).code == 0
        listed = len(json.loads(Path(path).read_text("utf-8"))["routes"][0]["operations"])
        data = place.quick(capsys, "apply", path, "--json").data["routes"][0]
        assert data["delivered"] == data["applied"] == listed
        lead = next(iter(place.live()["marketo"]))
        (story,) = place.quick(capsys, "trace", f"marketo:{lead}", "--json").data["found"]
        (told,) = [each for each in story["history"] if each["what"] == "approved"]
        assert (told["who"], told["how"][:5]) == (speaker(), "apply")
        assert data["not_delivered_moved"] == data["not_delivered_no_longer_wanted"] == []
        again = place.quick(capsys, "apply", path, "--json").data["routes"][0]
        assert again["delivered"] == 0
        assert len(again["not_delivered_done_by_another_run"]) == listed
        for _ in range(3):
            said = place.quick(capsys, "sync", "--json")
        assert said.code == 0, said.out
        assert said.data["routes"][0]["sent"] == {}


def test_what_has_moved_is_not_delivered(place: Place, capsys: Any) -> None:
    """A plan whose values were typed over meanwhile delivers none of them, names what moved and nothing else, and is
    not well."""
    path = str(place.folder / "plan-moved.json")
    record = next(key for key, row in place.live()["marketo"].items() if row.get("sfaId"))
    _type_title(place, record, "first thought", lastName="Umemoto")
    assert place.quick(capsys, "plan", "--out", path).code == 0
    _type_title(place, record, "second thought")
    told = place.quick(capsys, "apply", path).out
    assert ("now second thought" in told, "Umemoto" in told) == (True, False)
    said = place.quick(capsys, "apply", path, "--json")
    data = said.data["routes"][0]
    assert (said.code, said.data["ok"], data["ok"]) == (1, False, False)
    assert data["delivered"] == 0
    assert len(data["not_delivered_moved"]) == data["moved"] == 1
    assert place.quick(capsys, "sync").code == 0
    assert "second thought" in {row.get("Title") for row in place.live()["salesforce"].values()}


def test_an_edit_is_carried_over_and_explained(place: Place, capsys: Any) -> None:
    """One typed value reaches the other side with the next sync, and the trace tells both."""
    edits = _edit(place)
    said = place.quick(capsys, "sync")
    assert said.code == 0, said.out + said.err
    assert "all well" in said.out
    last = edits[-1]
    who = f"{last['side']}:{last['record']}"
    field = "title" if last["pair"][0] == "title" else "company"
    told = place.quick(capsys, "trace", who, "--field", field)
    assert told.code == 0, told.err
    assert f"→ {last['token']}" in told.out
    assert "in step" in told.out
    data = place.quick(capsys, "trace", who, "--json").data["found"][0]
    wrote = [line for line in data["history"] if line["what"] == "wrote" and line["new"] == last["token"]]
    assert len(wrote) == 1
    assert data["name"]
    japanese = place.quick(capsys, "trace", who, "--field", field, "--lang", "ja").out
    assert re.search(
        rf"書き込み .* 更新 · 規則 {field} · マッピング \w+ · 実行 \d+ · (確認済み|未確認)", japanese
    ), japanese
    assert not re.search(r"\b(update|rule|mapping|run|confirmed)\b", japanese.partition("renkei undo")[0]), (
        japanese
    )


def test_trace_finds_by_address(place: Place, capsys: Any) -> None:
    """An e-mail address in any spelling finds the person on both sides; nobody is said to be nobody."""
    number, lead = next((key, row) for key, row in place.live()["marketo"].items() if row.get("sfaId"))
    found = place.quick(capsys, "trace", str(lead["email"]).upper(), "--json").data["found"]
    refs = {record["ref"] for one in found for record in one["records"]}
    assert f"marketo:{number}" in refs
    assert f"salesforce:{lead['sfaId']}" in refs
    nobody = place.quick(capsys, "trace", "nobody@nowhere.example")
    assert nobody.code == 1
    assert "Nobody here answers" in nobody.err
    unknown = place.quick(capsys, "trace", "nobody@nowhere.example", "--field", "titel")
    assert unknown.code == 2
    assert "did you mean «title»?" in unknown.err


def test_trace_tells_of_opt_outs(place: Place, capsys: Any) -> None:
    """An opt-out is a field like any other to whoever asks: what stands where, and by its name alone."""
    leads = place.live()["marketo"]
    out = next(key for key, row in leads.items() if row["unsubscribed"] and row.get("sfaId"))
    data = place.quick(capsys, "trace", f"marketo:{out}", "--field", "consent.all", "--json").data
    ((line,),) = [found["fields"] for found in data["found"]]
    assert (line["field"], line["now"]) == ("consent.all", {"marketo": True, "salesforce": True})
    assert line["in_step"]
    assert "consent.seminar" in place.quick(capsys, "trace", f"marketo:{out}").out


def test_inbox_says_when_there_is_more_and_whom_a_refused_create_was_for(tmp_path: Path, capsys: Any) -> None:
    """A create that was refused has no id yet: the entry names the record that it was to be made from."""
    with Fakes("--persons", "60", "--seed", "5", "--role", "0.5") as running:
        desks = new_place(tmp_path, running)
        assert desks.quick(capsys, "sync", "--first", "--canary", "0").code == 1
        data = desks.quick(capsys, "inbox", "--json").data
        creates = [each for each in data["entries"] if each["records"][-1] == "marketo:Lead"]
        assert creates
        assert all(each["records"][0].startswith("salesforce:00Q") for each in creates)
        assert not data["more"]
        assert desks.quick(capsys, "inbox", "--json", "--limit", "1").data["more"]
        assert "more than 1 wait" in desks.quick(capsys, "inbox", "--limit", "1").out
        told = desks.quick(capsys, "trace", creates[0]["records"][0]).out
        assert "on one side only" in told
        assert re.search(r"  refused  marketo  email ", told)
        assert "wrote" not in told


def test_status_and_inbox_are_well(place: Place, capsys: Any) -> None:
    """With nothing left both say so with 0, in English and in Japanese."""
    said = place.quick(capsys, "status")
    assert said.code == 0, said.out
    assert "jp-person" in said.out
    assert place.quick(capsys, "inbox").out == "Nothing waits for a person.\n"
    assert place.quick(capsys, "inbox", "--lang", "ja").out == "判断待ちはありません。\n"
    assert "正常" in place.quick(capsys, "status", "--lang=ja").out


def test_status_says_when_what_we_know_is_too_old(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of an hour after the last complete read nothing is called well any more, each system is named with
    its time, and cycles that are run more rarely give it more time."""
    place.quick(capsys, "sync")
    assert place.quick(capsys, "status").code == 0
    later = time.time() + 960
    monkeypatch.setattr("renkei.cli.status.time", SimpleNamespace(time=lambda: later))
    said = place.quick(capsys, "status")
    assert said.code == 1
    assert re.search(r"too old: marketo was last read 20.*, which is more than 15 minutes ago\n", said.out)
    assert said.out.count("next  see why whatever schedules `renkei sync` does not run it") == 1
    data = place.quick(capsys, "status", "--json").data["routes"][0]
    assert set(data["too_old"]) == {"marketo", "salesforce"}
    assert not data["ok"]
    assert place.quick(capsys, "status", "--max-age", "30").code == 0
    settings = place.folder / "renkei.yaml"
    text = settings.read_text("utf-8")
    settings.write_text(f"{text}\nservice: {{ every: 1h }}\n", "utf-8")
    assert place.quick(capsys, "status").code == 0
    settings.write_text(text, "utf-8")


def _type_title(place: Place, record: str, title: str, **more: str) -> None:
    """Change one title at marketing, past renkei, and `more` with it."""
    (opened,) = open_systems(open_project(place.folder), ["marketo"], SystemClock()).values()
    (outcome,) = opened.write("person", [Write(0, Ref("marketo", "Lead", record), {"title": title, **more})])
    opened.close()
    assert outcome.result == "applied"


def test_a_refused_value_waits_in_the_inbox_and_can_be_tried_again(place: Place, capsys: Any) -> None:
    """A value that a vendor refuses is listed with its reason, fails again when tried again, and goes when mended."""
    record = next(key for key, row in place.live()["marketo"].items() if row.get("sfaId"))
    _type_title(place, record, "x" * 200)
    said = place.quick(capsys, "sync")
    assert said.code == 1
    assert "failed 1" in said.out
    (entry,) = place.quick(capsys, "inbox", "--json").data["entries"]
    assert (entry["kind"], entry["field"]) == ("failed", "title")
    assert entry["details"]["reason"]
    assert place.quick(capsys, "inbox", "--limit", "0").code == 2
    assert "refused:" in place.quick(capsys, "inbox").out
    assert place.quick(capsys, "status").code == 1
    again = place.quick(capsys, "retry", "jp-person")
    assert (again.code, "tried again 1" in again.out) == (1, True), again.out + again.err
    _type_title(place, record, "short enough")
    assert place.quick(capsys, "sync").code == 0
    assert place.quick(capsys, "inbox").code == 0
    assert "Nothing is refused" in place.quick(capsys, "retry").out


def test_a_changed_mapping_makes_old_plans_void(place: Place, capsys: Any) -> None:
    """A plan made under other rules is refused; so is one of another state, and one changed by hand."""
    path = place.folder / "plan-late.json"
    assert place.quick(capsys, "plan", "--out", str(path)).code == 0
    text = path.read_text("utf-8")
    path.write_text(text.replace('"store": "', '"store": "0'), "utf-8")
    assert "belongs to another state" in place.quick(capsys, "apply", str(path)).err
    path.write_text(text[:-20], "utf-8")
    assert "no plan of renkei" in place.quick(capsys, "apply", str(path)).err
    path.write_text(text, "utf-8")
    place.edit_mapping("conflict: salesforce", "conflict: marketo")
    said = place.quick(capsys, "apply", str(path))
    assert said.code == 2
    assert "made under mapping" in said.err
    place.edit_mapping("conflict: marketo", "conflict: salesforce")


def test_a_second_process_is_kept_off_the_state(place: Place) -> None:
    """While one process owns the state another one is refused at once, and status works beside it."""
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom renkei.settings import open_project\n"
        "from renkei.wire import build\n"
        "with build(open_project(Path(sys.argv[1]))):\n    print('mine', flush=True)\n    sys.stdin.read()\n"
    )
    command = [*place.command()[:1], "-c", holder, str(place.folder)]
    owner = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "mine\n"
    refused = place.renkei("sync")
    looking = place.renkei("status")
    owner.communicate(timeout=30)
    assert refused.code == 2
    assert re.match(r"error  Another renkei \(.*\) works on this state\.\nnext  ", refused.err)
    assert looking.code == 0, looking.out + looking.err


def test_a_full_disk_is_one_sentence(place: Place) -> None:
    """When the journal cannot grow the command ends with one sentence, no traceback, and what was kept is whole."""
    _edit(place, 200)
    limit = (place.folder / ".renkei" / "demo" / "state.db").stat().st_size
    command = place.command("sync")
    ran = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=100, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit // 8, limit // 8)),
    )  # fmt: skip
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert ran.stderr.startswith("error  The disk")
    assert "Traceback" not in ran.stderr
    assert place.renkei("sync").code == 0


def test_logs_are_json_without_persons_or_secrets(place: Place) -> None:
    """Every call is one JSON line on stderr; no address, no telephone number, no secret, no value stands there."""
    token = _edit(place)[-1]["token"]
    said = place.renkei("sync", "--log-json")
    assert said.code == 0, said.err
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert {line["event"] for line in lines} == {"call"}
    assert all(line["system"] in {"marketo", "salesforce"} for line in lines)
    places = place.fakes.places
    for canary in (
        token,
        "@",
        "access_token",
        *(str(places[name]["client_secret"]) for name in place.fakes.systems),
    ):
        assert canary not in said.err


def test_a_brake_stands_until_a_person_lets_the_plan_go(place: Place, capsys: Any) -> None:
    """More updates than the limit wait, visibly; an applied plan lets them go and the windows begin anew."""
    place.edit_mapping("examples:", "limits: { update: { number: 3, share: 0.0 } }\n\nexamples:")
    _edit(place, 100)
    before = place.fakes.ask("status")["writes"]
    said = place.quick(capsys, "sync")
    assert said.code == 1
    assert re.search(r"BRAKE  \d+ updates this cycle, limit 3\n  next  .*renkei status", said.out)
    assert place.fakes.ask("status")["writes"] == before
    assert "stopped by a brake" in place.quick(capsys, "inbox").out
    assert "BRAKE" in place.quick(capsys, "status").out
    path = str(place.folder / "plan-braked.json")
    assert "BRAKE" in place.quick(capsys, "plan", "--out", path).out
    applied = place.quick(capsys, "apply", path)
    assert applied.code == 0, applied.out
    assert place.fakes.ask("status")["writes"] != before
    after = place.quick(capsys, "sync")
    assert after.code == 0, after.out
    assert place.quick(capsys, "inbox").code == 0
    place.edit_mapping("limits: { update: { number: 3, share: 0.0 } }\n\nexamples:", "examples:")


def test_wrong_credentials_and_addresses_are_one_sentence(place: Place, tmp_path: Path) -> None:
    """A refused sign-in ends with 2 and an unreachable host with 3, a sentence and a next step; no secret shows."""
    wrong = place.renkei("sync", RENKEI_MARKETO__CLIENT_SECRET="not-the-secret")
    assert wrong.code == 2
    assert re.match(r"error  [^\n]*marketo[^\n]*\nnext  \S", wrong.err), wrong.err
    assert "not-the-secret" not in wrong.out + wrong.err
    away = place.renkei("sync", RENKEI_SALESFORCE__LOGIN_URL="http://127.0.0.1:9")
    assert away.code == 3
    assert re.match(r"error  [^\n]*salesforce cannot be reached[^\n]*\nnext  \S", away.err), away.err
    told = place.renkei("status")
    assert told.code == 1
    assert "salesforce cannot be reached" in told.out
    half = place.renkei("check", RENKEI_MARKETO__CLIENT_SECRET="not-the-secret")
    assert half.code == 2
    assert "marketo was not asked" in half.out
    assert place.renkei("sync").code == 0
    assert place.renkei("status").code == 0
    assert "Traceback" not in wrong.err + away.err


def test_broken_files_are_named_with_line_and_column(place: Place, capsys: Any) -> None:
    """A broken mapping, an unknown field and an unknown route end with 2 and say where and what next."""
    place.edit_mapping("type: integer }", "type: intger }")
    said = place.quick(capsys, "check", "--offline")
    assert said.code == 2
    assert re.search(r"person\.yaml:\d+:\d+  error M\d+  .*intger", said.out)
    assert "integer" in said.out
    stopped = place.quick(capsys, "sync")
    assert stopped.code == 2
    assert "renkei check" in stopped.err
    place.edit_mapping("type: intger }", "type: integer }")
    place.edit_mapping("marketo: leadScore", "marketo: leadScoore")
    live = place.quick(capsys, "check")
    assert live.code == 2
    assert "leadScoore" in live.out
    assert "leadScore" in live.out
    place.edit_mapping("marketo: leadScoore", "marketo: leadScore")
    assert "There is no route jp-preson" in place.quick(capsys, "sync", "jp-preson").err


def test_errors_have_a_json_twin(place: Place, capsys: Any) -> None:
    """With --json a refusal is one JSON object on stdout, also for a mistyped option."""
    for arguments in (["sync", "nobody", "--json"], ["sync", "--frist", "--json"]):
        said = place.quick(capsys, *arguments)
        assert said.code == 2
        assert said.data["ok"] is False
        assert said.data["error"]
