"""The service on hosts that behave badly: a full disk, a clock that is set, a channel that is told of it."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from renkei.settings import open_project
from tests.support.command import Place
from tests.support.serving import Serving, check_verdict, configure, secret_file


def _odd(place: Place, *options: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "tests.support.odd_host", str(place.folder), *options]


def _edit(place: Place, service: Serving, seconds: float = 1.0, rate: int = 20) -> None:
    place.fakes.ask(
        "edits/start", {"rate": rate, "seconds": seconds, "collide_share": 0.0, "optout_share": 0.1}
    )
    service.until(lambda: not place.fakes.ask("status")["running"])


def test_a_full_disk_stops_the_work_and_nothing_else(place: Place) -> None:
    """When the journal can grow no more the service lives, says that it is not ready and why, and ends when asked; on
    a larger disk everything goes on and nothing is missing."""
    with sqlite3.connect(open_project(place.folder).state) as journal:
        (pages,) = journal.execute("PRAGMA page_count").fetchone()
    journal.close()
    with Serving(place, entry=_odd(place, "--pages", str(pages + 2))) as service:
        assert service.url
        place.fakes.ask(
            "edits/start", {"rate": 100, "seconds": 60, "collide_share": 0.0, "optout_share": 0.0}
        )
        service.until(lambda: "disk is full" in " ".join(service.ready()["reasons"]), 60)
        place.fakes.ask("edits/stop", {})
        assert service.get("/health")[0] == 200
        service.end()
    with Serving(place) as service:
        service.until_equal(60)
        service.until_ready()
        service.end()
    check_verdict(place)


@pytest.mark.parametrize("step", [-8.0, 86_400.0])
def test_the_clock_is_set_while_it_runs(place: Place, step: float) -> None:
    """Some seconds back or a day forth: cycles go on in their interval, and edits made afterwards arrive; those after a
    day forth when the clock is right again, because nothing is written by a clock that the vendors contradict."""
    clock = place.folder / "clock"
    with Serving(place, entry=_odd(place, "--clock", str(clock))) as service:
        service.until_ready()
        clock.write_text(str(step), "utf-8")
        service.until(lambda: any(line["event"] == "the clock was set" for line in service.log))
        cycles = service.figure("renkei_cycles_total")
        service.until(lambda: service.figure("renkei_cycles_total") > cycles + 3)
        _edit(place, service)
        if step > 0:
            service.until(lambda: any(line.get("brakes") == ["all"] for line in service.log))
            clock.write_text("0", "utf-8")
        service.until_equal()
        service.end()
    check_verdict(place)


def test_a_clock_set_back_by_hours_does_not_stop_the_cycles(place: Place) -> None:
    """Whatever was scheduled under the other time is scheduled anew, and the service is ready again within seconds."""
    clock = place.folder / "clock"
    with Serving(place, entry=_odd(place, "--clock", str(clock))) as service:
        service.until_ready()
        clock.write_text("-7200", "utf-8")
        service.until(lambda: any(line["event"] == "the clock was set" for line in service.log))
        cycles = service.figure("renkei_cycles_total")
        service.until(lambda: service.figure("renkei_cycles_total") > cycles + 5)
        service.until_ready(5)
        assert service.ready()["ok"]
        service.end()


def test_a_service_that_slept_through_its_lease_writes_nothing_more(place: Place) -> None:
    """Stopped by the host until another one owns the state, it ends with 2 when it wakes up; the other one goes on."""
    configure(place, every=60.0)  # it is stopped while it waits, not in the middle of a commit
    with Serving(place, entry=_odd(place, "--lease", "2")) as sleeper:
        sleeper.until_ready()
        time.sleep(0.5)
        configure(place)
        sleeper.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        with Serving(place) as service:
            service.until_ready()
            sleeper.process.send_signal(signal.SIGCONT)
            assert sleeper.process.wait(20) == 2
            assert "taken over" in sleeper.text
            _edit(place, service)
            service.until_equal()
            service.end()
    check_verdict(place)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook on loopback: its address and what it was told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/T0/secret-path", told
        server.shutdown()


def test_silence_waiting_work_and_refused_files_are_told(
    place: Place, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    """A system that fails for longer than the settings allow, work that waits for it, and a broken mapping file are
    each told when they begin and when they are over."""
    url, told = hook
    settings = ", alerts: ops, silent: 2s, backlog: 2s"
    configure(place, more=settings, channels=f"channels: {{ ops: {{ url: {url} }} }}\n")
    mapping = place.folder / "mappings" / "person.yaml"
    good = mapping.read_text("utf-8")

    def heard(*parts: str) -> bool:
        return all(any(part in each["text"] for each in told) for part in parts)

    with Serving(place) as service:
        service.until_ready()
        place.fakes.ask("faults", {"salesforce": {"server_error": 1.0}})
        _edit(place, service)
        mapping.write_text(good.replace("route:", "rout:", 1), "utf-8")
        service.until(
            lambda: heard("nothing could be read", "waits for long", "mapping files were refused"), 60
        )
        place.fakes.ask("faults", {"profile": "none"})
        mapping.write_text(good, "utf-8")
        over = ("over – nothing could", "over – work of", "over – changed mapping")
        service.until(lambda: heard(*over), 60)
        service.end()
    assert len(told) == 6, told


def test_a_standstill_is_told_once_and_its_end_once(
    place: Place, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    """Across a restart the channel hears of wrong credentials once, in Japanese, and of their end once; its address,
    a secret, stands in no log."""
    url, told = hook
    configure(place, more=", alerts: ops, language: ja", channels="channels: { ops: {} }\n")
    address = secret_file(place, "channel_ops__url")
    address.touch(0o600)
    address.write_text(url, "utf-8")
    path = secret_file(place, "salesforce__client_secret")
    right = path.read_text("utf-8")
    path.write_text("a wrong secret", "utf-8")
    with Serving(place, "--verbose") as service:
        service.until(lambda: told)
        service.end()
        text = service.text
    with Serving(place, "--verbose") as service:
        service.until(lambda: any("stopped" in reason for reason in service.ready()["reasons"]))
        path.write_text(right, "utf-8")
        assert place.renkei("resume").code == 0
        service.until(lambda: len(told) > 1)
        service.until_ready()
        service.end()
        text += service.text
    assert ["停止しています" in each["text"] for each in told] == [True, True]
    assert ["解消" in each["text"] for each in told] == [False, True]
    assert "secret-path" not in text
    assert "alarm begins" in text
