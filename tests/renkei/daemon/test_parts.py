"""The service's parts alone: calls that are left behind, bells, pauses, the picture, alarms, forecasts, settings."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from renkei.daemon.alarms import Alarm, Alarms
from renkei.daemon.bells import Bells
from renkei.daemon.board import Board, Picture, RoutePicture, State, health, ready
from renkei.daemon.calls import Calls
from renkei.daemon.folder import Folder, Refused
from renkei.daemon.notes import NEW, PAUSE, RESUME, Notes, paused
from renkei.daemon.phrases import PHRASES
from renkei.daemon.quota import Forecast, Spent, in_shares
from renkei.filling import filled
from renkei.log import Hiding
from renkei.scaffold import write_project
from renkei.serving import read_service
from renkei.settings import open_project
from renkei.threads import Inline
from state.memory import MemoryStore
from sync.errors import InDoubt, Retryable
from sync.narrow import opt_outs_only
from sync.rows import CommandRow, OperationRow, Patch, RunRow


def test_calls_that_do_not_end_are_given_up() -> None:
    """What runs when the end is near is in doubt, what waits was never sent, and whoever waited goes on at once."""
    calls, gate = Calls(1), threading.Event()
    running = calls.submit(gate.wait, 30)
    waiting = calls.submit(time.time)
    time.sleep(0.05)
    calls.give_up()
    with pytest.raises(InDoubt):
        running.result(1)
    for future in (waiting, calls.submit(time.time)):
        with pytest.raises(Retryable, match="nothing was sent"):
            future.result(1)
    gate.set()
    calls.close()


def test_calls_run_beside_the_caller_and_within_themselves() -> None:
    """A call made from within a call runs at once, so a full house cannot wait for itself; errors come back."""
    calls = Calls(1)
    assert calls.run(lambda: calls.run(threading.current_thread)).name == "vendor-0"
    with pytest.raises(ZeroDivisionError):
        calls.run(lambda: 1 // 0)
    calls.close()


def test_bells_ring_each_in_its_time_and_can_be_ended() -> None:
    """Every route rings at once and then in its interval; a poke ends a wait and is no ring; who is gone is silent."""
    bells = Bells()
    bells.hang({"slow": 300.0, "quick": 0.1})
    heard = [bells.wait(1.0) for _ in range(6)]
    assert sum("slow" in each for each in heard) == 1
    assert sum("quick" in each for each in heard) >= 4
    bells.hang({"slow": 300.0})
    bells.wait(0)
    bells.poke()
    assert bells.wait(5.0) == set()
    bells.begin_anew()
    assert bells.wait(1.0) == {"slow"}
    bells.close()


def _word(number: int, kind: str, route: str) -> CommandRow:
    return CommandRow(number, float(number), kind, route, NEW, b'{"reason": "why"}')


def test_the_last_word_about_a_route_or_about_all_stands() -> None:
    """Pauses and resumes of one route and of all are applied in the order in which they were said."""
    words = [_word(3, RESUME, "b"), _word(1, PAUSE, ""), _word(2, PAUSE, "a")]
    assert {name: each.since for name, each in paused(words, ["a", "b"]).items()} == {"a": 2.0}
    assert paused([*words, _word(4, RESUME, "")], ["a", "b"]) == {}
    assert paused(words, ["a"])["a"].reason == "why"


class _Due(MemoryStore):
    """Says that two operations are due."""

    def due(self, route: str, now: float, limit: int, besides: Collection[str] = ()) -> list[OperationRow]:
        """An opt-out and an update."""
        return [
            OperationRow._make([0] * len(OperationRow._fields))._replace(action=name)
            for name in ("optout", "update")
        ]


def test_a_narrow_journal_lets_only_opt_outs_go() -> None:
    """Nothing but opt-outs is shown as due, and no run releases anything else, whatever the brakes allowed."""
    store = _Due()
    narrow = opt_outs_only(store)
    assert [row.action for row in narrow.due("r", 0.0, 9)] == ["optout"]
    for number, (given, kept) in enumerate(
        [("all", "optout"), ("update,optout", "optout"), ("update", ""), ("", "")]
    ):
        patch = Patch()
        patch.put(RunRow(number, "r", "service", "", 0.0, 0.0, "open", given, b"{}"))
        narrow.commit(patch)
        assert store.get(RunRow, [(number,)])[0].released == kept


def test_health_and_readiness_follow_the_picture() -> None:
    """Silence is unhealthy; an outage, a standstill, a late route, a lost lease or the end is not ready, each said."""
    board = Board(lease=lambda: 10.0)
    now = time.monotonic()
    assert health(board, now)[0]
    assert not health(board, now + 1_000)[0]
    well = RoutePicture(route="r", every=10.0, state=State.WELL, done=now, seconds=1.0)
    board.picture = Picture(routes=(well,))
    assert ready(board, now + 29)[0]
    assert not ready(board, now + 31)[0]
    slow = RoutePicture(route="r", every=10.0, state=State.WELL, done=now, seconds=60.0)
    board.picture = Picture(routes=(slow,))
    assert ready(board, now + 170)[0]
    for state in (State.AWAY, State.STOPPED):
        board.picture = Picture(
            routes=(RoutePicture(route="r", every=9.0, state=state, reason="why", done=now),)
        )
        assert ready(board, now)[1]["reasons"] == [f"r: {state.value}: why"]
    board.picture = Picture(routes=(well,), stopping=True)
    assert ready(board, now)[1]["reasons"] == ["it is stopping"]
    board.picture, board.lease = Picture(routes=(well,)), lambda: 0.0
    assert "lease" in ready(board, now)[1]["reasons"][0]


class _Channel:
    """Keeps what it is told; fails as often as it is asked to."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failures: list[Exception] = []

    def tell(self, subject: str, text: str, key: str) -> None:
        """Take it, or fail."""
        if self.failures:
            raise self.failures.pop()
        self.told.append(text)


def _alarms(store: MemoryStore, channel: Any, language: str = "en") -> Alarms:
    alarms = Alarms(Notes(store), channel, Inline(), language, "test", lambda *_, **__: None)
    alarms.remember()
    return alarms


def test_an_alarm_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    """However often it is looked at, whether it flickers, and across a restart of the service."""
    store, channel = MemoryStore(), _Channel()
    alarm = Alarm("stopped", "jp-person", "The password is refused.")
    alarms = _alarms(store, channel)
    for moment in range(4):
        alarms.update([alarm], float(moment))
    alarms.update([], 5.0)
    alarms.update([alarm], 6.0)
    assert len(channel.told) == 1
    assert "the route jp-person stands still\nThe password is refused." in channel.told[0]
    again = _alarms(store, channel)
    again.update([alarm], 7.0)
    assert len(channel.told) == 1
    for moment in range(8, 12):
        again.update([], float(moment))
    assert len(channel.told) == 2
    assert "over" in channel.told[1]
    assert _alarms(store, channel).out == {}


def test_an_alarm_that_did_not_arrive_is_told_again_and_one_in_doubt_is_not() -> None:
    """A channel that surely took nothing is asked again a minute later; one that may have taken it is left alone."""
    store, channel = MemoryStore(), _Channel()
    alarms = _alarms(store, channel, "ja")
    channel.failures = [Retryable("away")]
    for moment in (0.0, 1.0, 2.0):
        alarms.update([Alarm("brake", "r/create", "5 creates")], moment)
    assert channel.told == []
    for moment in (70.0, 71.0):
        alarms.update([Alarm("brake", "r/create", "5 creates")], moment)
    assert len(channel.told) == 1
    assert "ブレーキ" in channel.told[0]
    channel.failures = [InDoubt("lost")]
    for moment in (72.0, 73.0, 200.0):
        alarms.update([Alarm("brake", "r/create", "5 creates"), Alarm("quota", "left", "9 of 10")], moment)
    assert len(channel.told) == 1


def test_both_languages_of_an_alarm_take_the_same_values() -> None:
    """Each phrase can be filled in in both languages."""
    values = dict.fromkeys(("env", "what", "subject", "reason", "number"), "x")
    assert all(filled(text, values) for phrase in PHRASES.values() for text in phrase)


def test_a_quota_is_forecast_from_the_pace_of_the_last_hour() -> None:
    """Told when nine tenths are gone or four hours would use up the rest; never at rest, never for an unknown limit."""
    forecast = Forecast()
    assert forecast.running_out(
        {"a": Spent(100, 10_000), "b": Spent(9_500, 10_000), "c": Spent(5, 0)}, 0.0
    ) == {"b": "9,500 of 10,000 calls of the day are used"}
    assert forecast.running_out({"a": Spent(120, 10_000)}, 1_200.0) == {}
    found = forecast.running_out({"a": Spent(4_100, 10_000)}, 3_500.0)
    assert "4,100 of 10,000" in found["a"]
    assert forecast.running_out({"a": Spent(10, 10_000)}, 3_600.0) == {}


def test_the_calls_of_a_day_are_kept_in_whole_per_cent() -> None:
    """What commands beside show moves a hundred times a day at most; a system without a limit has no share."""
    counts = {"a": Spent(149, 10_000), "b": Spent(5, 0)}
    kept = {"a": {"share": 1, "daily": 10_000, "ending": "soon"}}
    assert in_shares(counts, {"a": "soon"}) == in_shares({"a": Spent(100, 10_000)}, {"a": "soon"}) == kept


def test_a_folder_is_taken_whole_or_refused(tmp_path: Path) -> None:
    """A change counts when it stands still; what is wrong is said with its line; touching a file is no change."""
    write_project(tmp_path)
    project = open_project(tmp_path)
    folder = Folder(project)
    path = tmp_path / "mappings" / "person.yaml"
    good = path.read_text("utf-8")
    assert folder.changed() is None
    path.write_text(good.replace("flow: <->", "flow: <=>", 1), "utf-8")
    assert folder.changed() is None
    refused = folder.changed()
    assert isinstance(refused, Refused)
    assert any(f":{good[: good.index('flow: <->')].count(chr(10)) + 1}:" in line for line in refused.lines)
    path.write_text(good, "utf-8")
    folder.changed()
    taken = folder.changed()
    assert isinstance(taken, tuple)
    assert taken[0].route == "jp-person"
    path.touch()
    assert (folder.changed(), folder.changed()) == (None, None)


def test_secrets_are_hidden_in_every_form_in_which_they_travel() -> None:
    """Plain, in a URL, in a form, in JSON, in base64, in keys and in lists; short words are left alone."""
    hiding = Hiding(['p/a+ss "w"', "no"])
    line = {
        "event": 'said p/a+ss "w"', "list": ["p%2Fa%2Bss%20%22w%22", "p%2Fa%2Bss+%22w%22"],
        "json": json.dumps('p/a+ss "w"'), "more": {'p/a+ss "w"': "cC9hK3NzICJ3Ig=="}, "number": 5,
    }  # fmt: skip
    said = json.dumps(hiding.processor(None, "", dict(line)))
    assert "ss" not in said
    assert "cC9h" not in said
    assert hiding("no secret, no harm") == "no secret, no harm"
    hiding.learn(["later secret"])
    assert hiding("a later secret") == "a …"


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ({"every": "soon"}, "service.every must be a time"),
        ({"every": True}, "service.every must be a time"),
        ({"port": "80"}, "service.port"),
        ({"language": "fr"}, "service.language"),
        ({"alerts": "nobody"}, "channel nobody"),
        ({"evry": 5}, "service.evry means nothing"),
        ({"routes": ["a"]}, "service.routes"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(block: dict[str, Any], wrong: str) -> None:
    """Each mistake in the `service:` block is one sentence that names the setting."""
    with pytest.raises(ValueError, match=wrong):
        read_service(block, {})


def test_times_have_units_and_routes_may_have_their_own() -> None:
    """Seconds, minutes, hours and days; a route without a time of its own has the common one."""
    block = {"every": "1m", "silent": "2h", "backlog": 90, "routes": {"a": "10s"}, "alerts": "ops"}
    found = read_service(block, {"ops": None})
    assert (found.every, found.silent, found.backlog) == (60.0, 7_200.0, 90.0)
    assert (found.interval("a"), found.interval("b")) == (10.0, 60.0)
