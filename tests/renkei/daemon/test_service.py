"""The service as a process: ready, at work, asked for something, refused a second time, ended at any moment."""

from __future__ import annotations

import random
import signal
import time

from renkei.daemon.beside import post
from renkei.settings import Project, open_project
from renkei.wire import look
from state.service import command
from tests.support.command import Place
from tests.support.serving import Serving, apart, check_verdict, configure, secret_file, written


def test_a_change_flows_and_everybody_is_told_the_truth(place: Place) -> None:
    """From start to ready; an edit reaches the other side; figures, health and status say so; SIGTERM ends it."""
    with Serving(place) as service:
        service.until_ready()
        assert service.get("/health")[0] == 200
        place.fakes.ask("edits/start", {"rate": 20, "seconds": 1, "collide_share": 0.0, "optout_share": 0.1})
        service.until(lambda: place.fakes.ask("status")["edits"] > 5)
        place.fakes.ask("edits/stop", {})
        service.until_equal()
        service.until(lambda: service.figure("renkei_dirty_records") == 0)
        assert service.figure("renkei_records_written_total") > 0
        assert service.figure("renkei_calls_total") > service.figure("renkei_cycles_total")
        assert service.figure("renkei_ready") == 1
        said = place.renkei("status", "--json").data
        assert said["service"]["running"]["url"] == service.url
        assert set(said["service"]["quota"]) <= {"marketo", "salesforce"}
        assert service.get("/nothing")[0] == 404
        assert service.end() < 10
        check_verdict(place)
    assert place.renkei("status", "--json").data["service"]["running"] is None


def test_a_second_service_is_refused_in_one_sentence(place: Place) -> None:
    """It says who owns the state and leaves with 2; the first one does not notice."""
    with Serving(place) as service:
        service.until_ready()
        second = place.renkei("run")
        assert second.code == 2
        assert f":{service.process.pid})" in second.err
        assert second.err.count("\n") == 2
        service.until_ready()
        service.end()
    assert place.renkei("run", "--once").code == 0


def test_beside_the_service_sync_asks_and_others_say_why_not(place: Place) -> None:
    """`sync` has the service do it and shows what came of it; what must own the state names the service and a way; a
    word for the engine is read at once, however long the interval."""
    configure(place, every=300.0)
    with Serving(place) as service:
        service.until_ready()
        place.fakes.ask("edits/start", {"rate": 30, "seconds": 1, "collide_share": 0.0, "optout_share": 0.0})
        service.until(lambda: place.fakes.ask("status")["edits"] > 5)
        place.fakes.ask("edits/stop", {})
        time.sleep(1.1)  # the vendors' own lag
        said = place.renkei("sync", "--json")
        assert said.data["routes"][0]["sent"], said.out
        service.until_equal(5)
        for words in (("plan",), ("sync", "--first")):
            refused = place.renkei(*words)
            assert refused.code == 2
            assert "The service (" in refused.err
            assert "renkei sync" in refused.err
        project = open_project(place.folder)
        number = post(project, "answer", "jp-person", nonsense=True)
        service.until(lambda: _state(project, number) == "refused", 10)
        unknown = place.renkei("sync", "nobody")
        assert (unknown.code, "no such route" in unknown.err) == (2, True)
        service.end()


def _state(project: Project, number: int) -> str:
    with look(project) as reader:
        row = command(reader, number)
    return row.state if row is not None else ""


def test_the_end_in_the_middle_of_a_batch_at_a_vendor_that_hangs(place: Place) -> None:
    """Both vendors stop answering while the service writes: it still ends within ten seconds with 0, gives the state
    back, and the next one loses nothing and doubles nothing."""
    with Serving(place) as service:
        service.until_ready()
        before = written(place)
        place.fakes.ask("edits/start", {"rate": 60, "seconds": 6, "collide_share": 0.1, "optout_share": 0.1})
        service.until(lambda: written(place) > before + 5)
        vendors = place.fakes._process
        vendors.send_signal(signal.SIGSTOP)
        try:
            time.sleep(0.5)
            assert service.end() < 10
        finally:
            vendors.send_signal(signal.SIGCONT)
    place.fakes.ask("edits/stop", {})
    with Serving(place) as service:
        service.until_equal(60)
        service.end()
    check_verdict(place)


def test_ended_at_many_moments(place: Place) -> None:
    """Four ends at random moments while people edit: each within ten seconds and with 0; nothing lost or twice."""
    dice = random.Random(5)
    place.fakes.ask("edits/start", {"rate": 30, "seconds": 60, "collide_share": 0.1, "optout_share": 0.1})
    for number in (signal.SIGTERM, signal.SIGINT) * 2:
        with Serving(place) as service:
            assert service.url
            time.sleep(dice.random() * 0.8)
            assert service.end(number) < 10
    place.fakes.ask("edits/stop", {})
    with Serving(place) as service:
        service.until_equal(60)
        service.end()
    check_verdict(place)


def test_mapping_files_are_taken_or_refused_while_it_runs(place: Place) -> None:
    """A file with an error is refused with its line, told everywhere, and the last good version goes on; mended, it is
    taken, and what it changes happens."""
    with Serving(place) as service:
        service.until_ready()
        path = place.folder / "mappings" / "person.yaml"
        good = path.read_text("utf-8")
        path.write_text(good.replace("flow: <->", "flow: <=>", 1), "utf-8")
        service.until(lambda: service.ready()["mapping_refused"])
        line = good[: good.index("flow: <->")].count("\n") + 1
        assert f"person.yaml:{line}:" in service.ready()["mapping_refused"]
        said = place.renkei("status", "--json")
        assert (said.code, f":{line}:" in said.data["service"]["mapping_refused"]) == (1, True)
        assert service.figure("renkei_mapping_refused") == 1
        cycles = service.figure("renkei_cycles_total")
        service.until(lambda: service.figure("renkei_cycles_total") > cycles)
        path.write_text(good + "\n# mended\n", "utf-8")
        service.until(lambda: service.ready()["mapping_refused"] is None)
        service.until(lambda: any(each["event"] == "mapping taken" for each in service.log))
        place.fakes.ask("edits/start", {"rate": 20, "seconds": 1, "collide_share": 0.0, "optout_share": 0.0})
        service.until(lambda: place.fakes.ask("status")["edits"] > 3)
        place.fakes.ask("edits/stop", {})
        service.until_equal()
        service.end()
    check_verdict(place)


def test_paused_nothing_but_opt_outs_leaves(place: Place) -> None:
    """While paused, also across a restart, an opt-out reaches the other side and no other edit does; `resume` lets the
    rest follow."""
    assert place.renkei("pause", "jp-person", "--reason", "trade fair").code == 0
    with Serving(place) as service:
        service.until_ready()
        place.fakes.ask("edits/start", {"rate": 30, "seconds": 2, "collide_share": 0.0, "optout_share": 0.3})
        service.until(lambda: not place.fakes.ask("status")["running"])
        assert place.fakes.ask("status")["opted_out"] > 0
        service.end()
    with Serving(place) as service:
        service.until_ready()
        service.until(lambda: apart(place) and not _consents(apart(place)))
        before = service.figure("renkei_cycles_total")
        service.until(lambda: service.figure("renkei_cycles_total") > before + 4)
        assert apart(place)
        status = place.renkei("status", "--json").data
        assert status["service"]["paused"]["jp-person"]["reason"] == "trade fair"
        assert place.renkei("resume", "jp-person").code == 0
        service.until_equal()
        service.end()
    check_verdict(place)


def _consents(wrong: dict[str, list[str]]) -> list[str]:
    return [field for fields in wrong.values() for field in fields if field.startswith("consent")]


def test_a_vendor_that_is_down_and_comes_back(place: Place) -> None:
    """While one vendor fails every call the service lives, says that it is not ready and why, and tries again ever more
    slowly; what was waiting arrives once the vendor is back."""
    with Serving(place) as service:
        service.until_ready()
        place.fakes.ask("faults", {"marketo": {"server_error": 1.0}})
        service.until(lambda: any("away" in reason for reason in service.ready()["reasons"]), 60)
        assert service.get("/health")[0] == 200
        place.fakes.ask("edits/start", {"rate": 20, "seconds": 1, "collide_share": 0.0, "optout_share": 0.0})
        service.until(lambda: not place.fakes.ask("status")["running"])
        place.fakes.ask("faults", {"profile": "none"})
        service.until_ready(60)
        service.until_equal()
        service.end()
    check_verdict(place)


def test_wrong_credentials_stop_the_route_and_no_secret_is_told(place: Place) -> None:
    """A refused secret stands nowhere: not in the log, the pages, the journal, the status. The process goes on; a new
    secret and `resume` bring the route back."""
    path = secret_file(place, "marketo__client_secret")
    right, canary = path.read_text("utf-8"), "canary/+secret 7f3a"
    path.write_text(canary, "utf-8")
    with Serving(place, "--verbose") as service:
        service.until(lambda: any("stopped" in reason for reason in service.ready()["reasons"]))
        assert service.get("/health")[0] == 200
        said = place.renkei("status")
        assert said.code == 1
        assert "STOPPED" in said.out
        path.write_text(right, "utf-8")
        assert place.renkei("resume").code == 0
        service.until_ready()
        told = service.text + service.get("/metrics")[1] + service.get("/ready")[1] + said.out + said.err
        service.end()
    journal = b"".join(each.read_bytes() for each in place.folder.glob(".renkei/*/state.db*"))
    for secret in (canary, right, "canary%2F%2Bsecret", "canary/%2Bsecret", "canary/+secret"):
        assert secret not in told
        assert secret.encode() not in journal
