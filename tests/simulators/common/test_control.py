"""A whole simulation: users type on both sides, a toy sync runs in between, the control endpoint judges
it.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.clock import ManualClock, SystemClock
from simulators.editors import DEFAULT_PAIRS, Plan
from simulators.history import OPT_OUTS, Pair
from simulators.run import Running
from simulators.stage import Settings, Stage
from simulators.verdict import judge
from simulators.world import Mix


class ToySync:
    """The smallest honest sync over both states: three observations per field; sales wins, and it says so."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.losers = stage, list[dict[str, str]]()
        self.targets = stage.targets()
        live = stage.live()
        self.base = {
            (target.person, pair): self._values(live, target.records, pair)
            for target in self.targets
            for pair in DEFAULT_PAIRS
        }

    @staticmethod
    def _values(live: Mapping[Any, Any], records: Mapping[Any, str], pair: Pair) -> tuple[Any, Any]:
        marketo, salesforce = (live[side][records[side]] for side in ("marketo", "salesforce"))
        return marketo.get(pair.marketo), salesforce.get(pair.salesforce)

    def run(self, *, tell: bool = True, latch: bool = True) -> None:
        """Carry over what changed since the last run; `tell` and `latch` can be broken on purpose."""
        live = self.stage.live()
        for target in self.targets:
            for pair in DEFAULT_PAIRS:
                self._carry(live, target.person, target.records, pair, tell)
            for pair in OPT_OUTS:
                out = self._values(live, target.records, pair)
                if out[0] != out[1]:
                    self._write(target.records, pair, latch, latch)

    def _carry(
        self, live: Mapping[Any, Any], person: int, records: Mapping[Any, str], pair: Pair, tell: bool
    ) -> None:
        old, new = self.base[person, pair], self._values(live, records, pair)
        if new[1] != old[1]:
            if new[0] != old[0] and tell:
                self.losers.append({"token": new[0], "state": "loser"})
            self._write(records, pair, new[1], None)
            self.base[person, pair] = (new[1], new[1])
        elif new[0] != old[0]:
            self._write(records, pair, None, new[0])
            self.base[person, pair] = (new[0], new[0])

    def _write(self, records: Mapping[Any, str], pair: Pair, marketo: Any, salesforce: Any) -> None:
        if marketo is not None:
            row = {"id": int(records["marketo"]), pair.marketo: marketo}
            self.stage.marketo.state.sync_leads("updateOnly", "id", [row])
        if salesforce is not None:
            row = {"Id": records["salesforce"], pair.salesforce: salesforce}
            self.stage.salesforce.state.update("Lead", [row])


@pytest.fixture
def running() -> Iterator[Running]:
    """Run forty persons, all on both sides and nobody behind a desk's mailbox."""
    settings = Settings(persons=40, overlap=1.0, seed=5, mix=Mix(role=0.0))
    with Running(settings, SystemClock()) as started:
        yield started
        servers = (started.control, started.marketo, started.salesforce)
        assert [server.failures for server in servers] == [[], [], []]


def _post(running: Running, path: str, body: object = None) -> Any:
    answer = httpx.post(f"{running.control.url}/control/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _get(running: Running, path: str) -> Any:
    return httpx.get(f"{running.control.url}/control/{path}").json()


def test_users_type_and_a_sync_is_judged(running: Running) -> None:
    """Users type at a rate with collisions and opt-outs; unsynced edits are lost, carried-over ones are
    all accounted for.
    """
    sync = ToySync(running.stage)
    plan = {"rate": 400, "collide_share": 0.3, "optout_share": 0.05, "seconds": 20, "window": 0.0}
    fields = [["title", "Title"], ["company", "Company"]]
    assert _post(running, "edits/start", {**plan, "fields": fields}) == {"running": True, "persons": 40}
    time.sleep(0.6)
    status = _post(running, "edits/stop")
    assert status["running"] is False
    assert status["error"] is None
    edits = _get(running, "edits")
    assert len(edits) == status["edits"] > 60
    assert {edit["side"] for edit in edits} == {"marketo", "salesforce"}
    assert status["collisions"] > 5
    assert status["opted_out"] > 0
    before = _post(running, "verdict", {"claims": []})
    assert before["ok"] is False
    assert {"lost edit", "opt-out on one side"} <= before["counts"].keys()

    sync.run()
    after = _post(running, "verdict", {"claims": sync.losers})
    assert after["ok"] is True, after["offences"][:3]
    counts = after["counts"]
    assert counts["standing"] + counts["replaced"] + counts["losers"] == counts["edits"] == len(edits)
    assert counts["losers"] > 0
    assert _post(running, "verdict", {"claims": []})["ok"] is False


def test_seeded_bugs_are_found() -> None:
    """A sync that hides its losers and one that takes opt-outs back are both found out."""
    for broken, kind in (({"tell": False}, "lost edit"), ({"latch": False}, "withdrawn opt-out")):
        clock = ManualClock()
        stage = Stage(Settings(persons=30, overlap=1.0, seed=5, mix=Mix(role=0.0, opted_out=0.0)), clock)
        sync = ToySync(stage)
        plan = Plan(collide_share=0.5, optout_share=0.3, window=0.0)
        for _ in range(100):
            clock.advance(0.1)
            stage.editors.step(plan, sync.targets)
        clock.advance(0.1)
        sync.run(**broken)
        verdict = judge(stage.history(), sync.losers)
        assert kind in verdict.counts
        assert not verdict.ok
        assert all(offence.kind == kind for offence in verdict.offences)


def test_the_collision_share_is_met() -> None:
    """At least the asked share of edits meets another one in the same field on the other side within the
    window.
    """
    clock = ManualClock()
    stage = Stage(Settings(persons=50, overlap=1.0, seed=2), clock)
    plan = Plan(collide_share=0.2, optout_share=0.0, window=0.0)
    targets = stage.targets()
    for _ in range(1500):
        clock.advance(0.01)
        stage.editors.step(plan, targets)
    assert stage.editors.collisions * 2 / len(stage.editors.edits) >= 0.18
    tokens = [edit.token for edit in stage.editors.edits]
    assert len(set(tokens)) == len(tokens)
    first = stage.editors.edits[0]
    assert stage.sides[first.side].ledger[0].time <= first.time
    assert first.replaced is not None


def test_targets_include_records_that_a_sync_made() -> None:
    """A person whose second record was made by API is edited too; one who stands on one side only is not."""
    stage = Stage(Settings(persons=20, overlap=0.0, seed=3, mix=Mix(role=0.0)), ManualClock())
    assert stage.targets() == []
    with pytest.raises(ValueError, match="no person has a record on both sides"):
        stage.editors.start(Plan(), [])
    person = next(p for p in stage.world.persons if stage.world.truth[p.number].salesforce is None)
    marketo = stage.world.truth[person.number].marketo
    row = {"LastName": "x", "Company": "y", "Marketo_Id__c": str(marketo)}
    (made,) = stage.salesforce.state.create("Lead", [row])
    (target,) = stage.targets()
    assert (target.person, target.records) == (
        person.number,
        {"marketo": str(marketo), "salesforce": made.id},
    )


def test_faults_can_be_switched(running: Running) -> None:
    """A profile for both, shares for both, shares for one vendor; a misspelt kind is refused with a
    sentence.
    """
    assert set(_post(running, "faults", {"profile": "light"})["salesforce"]) >= {"slow", "lost_after_commit"}
    assert _post(running, "faults", {"slow": 0.5}) == {"marketo": {"slow": 0.5}, "salesforce": {"slow": 0.5}}
    assert _post(running, "faults", {"marketo": {"profile": "none"}}) == {
        "marketo": {},
        "salesforce": {"slow": 0.5},
    }
    assert _post(running, "faults", {"profile": "none"}) == {"marketo": {}, "salesforce": {}}
    answer = httpx.post(f"{running.control.url}/control/faults", json={"sloww": 1})
    assert answer.status_code == 400
    assert "there is no fault 'sloww'" in answer.json()["error"]


def test_state_and_ledger_can_be_read(running: Running) -> None:
    """The dump has all live records of both sides, the ledger who wrote them."""
    state = _get(running, "state")
    assert (len(state["marketo"]), len(state["salesforce"])) == (40, 40)
    ledger = _get(running, "ledger")
    assert {entry["actor"] for entry in ledger["marketo"]} == {"human"}
    assert httpx.get(f"{running.control.url}/control/nothing").status_code == 404


@pytest.mark.parametrize("ending", ["signal", "stdin"])
def test_the_process(ending: str) -> None:
    """`python -m simulators` announces itself in one line, serves over TLS, and ends by signal or closed
    input.
    """
    command = [sys.executable, "-m", "simulators", "--persons", "20", "--tls", "--seed", "3", "--deals", "9"]
    command += ["--companies", "0.5", "--list", "N-01"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        said = json.loads(process.stdout.readline())
        assert said["pid"] == process.pid
        trusting = ssl.create_default_context(cafile=said["ca"])
        query = {
            "grant_type": "client_credentials",
            **{k: said["marketo"][k] for k in ("client_id", "client_secret")},
        }
        url = said["marketo"]["url"] + "/identity/oauth/token"
        assert httpx.get(url, params=query, verify=trusting).json()["token_type"] == "bearer"
        assert httpx.get(said["control"]["url"] + "/control/status").json()["running"] is False
        if ending == "signal":
            os.kill(process.pid, signal.SIGTERM)
        else:
            process.stdin.close()
        assert process.wait(timeout=20) == 0
    assert not Path(said["ca"]).exists()
