"""Exit codes: one table, in docs/cli.md and in every command; and who is named when systems do not answer."""

from __future__ import annotations

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from renkei.cli import codes
from renkei.cli.codes import AWAY, DONE, LEFT, WRONG, code_of, code_of_results, worst
from renkei.cli.screen import stopping
from renkei.drain import Total
from renkei.fakes import Fakes
from renkei.syncing import Result
from renkei.threads import Stop
from renkei.words import Words
from sync.errors import Fatal, LeaseLost, QuotaSpent, RenkeiError, RequestRefused, Retryable
from tests.support.command import Place, new_place
from tests.support.tree import ROOT

NOWHERE = "http://127.0.0.1:9"
WORLD = ("--persons", "30", "--role", "0", "--seed", "5")


@pytest.fixture(autouse=True)
def _speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    """Vendors that are only looked at."""
    with Fakes(*WORLD) as running:
        yield running


@pytest.fixture
def place(fakes: Fakes, tmp_path: Path) -> Place:
    """A project that has never run."""
    return new_place(tmp_path, fakes)


def _calls(place: Place) -> Counter[str]:
    """What marketing was asked so far, by what the fake vendor calls it."""
    return Counter(place.fakes.ask("status")["calls"]["marketo"])


def test_the_page_lists_the_codes_that_there_are() -> None:
    """Each code of the program has its line in the table, and the table has no other."""
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    listed = {int(code) for code in re.findall(r"^\| (\d) \| \S", page, re.MULTILINE)}
    known = {value for name, value in vars(codes).items() if name.isupper() and isinstance(value, int)}
    assert listed == known == {DONE, LEFT, WRONG, AWAY}


def _of_an_outage() -> Fatal:
    error = Fatal("left cannot be reached.")
    error.__cause__ = Retryable("refused")
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Fatal("left refuses our credentials."), WRONG),
        (LeaseLost("taken over"), WRONG),
        (RequestRefused("no such field"), WRONG),
        (Retryable("busy"), AWAY),
        (QuotaSpent("no calls left"), AWAY),
        (_of_an_outage(), AWAY),
    ],
)
def test_an_error_has_one_code(error: RenkeiError, code: int) -> None:
    """What a person has to mend is 2, what passes by itself is 3, also where it ends a command for good."""
    assert code_of(error) == code


def test_what_has_to_be_mended_goes_before_what_passes() -> None:
    """Of several systems the one that needs a person decides."""
    assert worst([Retryable("busy"), Fatal("credentials")]) == WRONG
    assert worst([Retryable("busy")]) == AWAY
    assert worst([]) == DONE


@pytest.mark.parametrize(
    ("total", "left", "code"),
    [
        (Total(), {}, DONE),
        (Total(), {"failed": 1}, LEFT),
        (Total(gave_up=Retryable("busy")), {}, AWAY),
        (Total(stopped={"left": "busy"}), {"failed": 1}, AWAY),
        (Total(waiting_for_first=True), {}, WRONG),
    ],
)
def test_a_route_has_one_code(total: Total, left: dict[str, int], code: int) -> None:
    """Not let go before an outage, an outage before what is left, that before all well."""
    assert code_of_results([Result(route="one", digest="", total=total, open=left)]) == code


@pytest.mark.parametrize("command", ["sync", "plan", "check", "schema", "systems"])
def test_every_command_tells_wrong_settings_from_an_outage(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Refused credentials are 2, a host that is away is 3, both at once 2, in whatever command meets them."""
    monkeypatch.setattr("renkei.threads.SystemClock.sleep", lambda *_: None)  # tries again without a pause
    monkeypatch.setenv("RENKEI_SALESFORCE__LOGIN_URL", NOWHERE)
    assert place.quick(capsys, command).code == AWAY
    monkeypatch.setenv("RENKEI_MARKETO__CLIENT_SECRET", "not-the-secret")
    assert place.quick(capsys, command).code == WRONG
    monkeypatch.delenv("RENKEI_SALESFORCE__LOGIN_URL")
    assert place.quick(capsys, command).code == WRONG


@pytest.mark.parametrize("command", ["sync", "plan"])
def test_both_systems_sign_in_before_any_is_read(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The second system's wrong secret ends a command before the first one was read; each is named with its step."""
    monkeypatch.setenv("RENKEI_SALESFORCE__CLIENT_SECRET", "not-the-secret")
    before = _calls(place)
    said = place.quick(capsys, command)
    assert said.code == WRONG
    assert re.match(r"error  salesforce refuses our credentials[^\n]*\nnext  check client_id", said.err)
    assert set(_calls(place) - before) <= {"identity", "describe2", "usage"}  # no record, and no list of any
    monkeypatch.setenv("RENKEI_MARKETO__CLIENT_SECRET", "neither")
    both = place.quick(capsys, command).err.splitlines()
    assert len(both) == 2
    assert both[0].count("refuses our credentials") == 2
    assert both[1].startswith("next  marketo: check client_id")
    assert "; salesforce: check client_id" in both[1]
    told = place.quick(capsys, "status")
    assert told.code == LEFT
    assert "salesforce refuses our credentials" in told.out


def test_a_dead_host_is_said_once_and_soon(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`systems` asks each system at the same time and briefly: one that is away and one that never answers take
    seconds, and each has one error line and one next step."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(8)
        monkeypatch.setattr("renkei.asking.SHORT", 1.5)
        monkeypatch.setenv("RENKEI_MARKETO__REST_URL", f"http://127.0.0.1:{mute.getsockname()[1]}/rest")
        monkeypatch.setenv(
            "RENKEI_MARKETO__IDENTITY_URL", f"http://127.0.0.1:{mute.getsockname()[1]}/identity"
        )
        monkeypatch.setenv("RENKEI_SALESFORCE__LOGIN_URL", NOWHERE)
        began = time.monotonic()
        said = place.quick(capsys, "systems")
        assert time.monotonic() - began < 4.0
    assert said.code == AWAY
    assert said.out.count("error  ") == said.out.count("next  ") == 2
    assert "marketo gave no answer within 1.5 s." in said.out
    assert said.out.count("salesforce cannot be reached") == 1


def test_with_json_logs_the_last_error_is_json_too(
    place: Place, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line on stderr can be parsed, the error's with its next step, also of options that cannot be read; with
    --json the object stands on stdout besides."""
    monkeypatch.setenv("RENKEI_MARKETO__CLIENT_SECRET", "not-the-secret")
    said = place.quick(capsys, "sync", "--log-json")
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert said.code == WRONG
    assert (lines[-1]["event"], lines[-1]["level"]) == ("failed", "error")
    assert "marketo refuses our credentials" in lines[-1]["error"]
    assert lines[-1]["next"].startswith("check client_id")
    mistyped = place.quick(capsys, "sync", "--log-json", "--frist", "--json")
    assert json.loads(mistyped.err)["event"] == "failed"
    assert mistyped.data["ok"] is False


def test_the_end_that_was_asked_for_is_told_once(capfd: Any) -> None:
    """The first signal says that calls in flight are finished, in the form of the log; the second one ends at once."""
    stop = Stop(lambda: stopping(Words("en"), log_json=True))
    stop.wish()
    with pytest.raises(KeyboardInterrupt):
        stop.wish()
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["said"] == "stopping: finishing the calls in flight"
