"""Worlds of n records, served by a process of their own: made once, then copied for every run.

It decides who stands where before a run and which of them somebody edits later. The process reads lines:
`open` forks a fresh copy and prints where it listens, `close` ends that copy. What happened is asked of the copy's
control address: calls by label, all live records of both sides. Nothing of ours is imported here.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import msgspec

from simulators.clock import SystemClock
from simulators.faults import Faults
from simulators.http import Front, Request, Response, json_response
from simulators.marketo.api import MarketoApi
from simulators.marketo.state import MarketoState
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.state import SalesforceState
from simulators.server import serve
from simulators.sides import MarketoSide, SalesforceSide
from simulators.world import Mix, World

LAG, TIMEOUT = 1.0, 30.0
Answer = Callable[[Request], Any]
MARKET = "market"
BOTH, ONLY_MARKETO, ONLY_SALESFORCE = (
    frozenset({"marketo", "salesforce"}),
    frozenset({"marketo"}),
    frozenset({"salesforce"}),
)
KINDS: Mapping[str, tuple[frozenset[str], ...]] = {
    "empty": (ONLY_MARKETO,),
    "half": (BOTH, ONLY_MARKETO, ONLY_SALESFORCE),
}

# Where people are to be recognised, every one of them can be: no desks' mailboxes, no values that differ.
MIXES: Mapping[str, Mix] = {"empty": Mix(), "half": Mix(role=0.0, spoilt=0.0)}


class Crowd(World):
    """Persons of whom each side knows exactly so many; in a `half` world half of them are the same people."""

    def __init__(self, records: int, kind: str, seed: int) -> None:
        turns = KINDS[kind]
        known = sum("marketo" in turn for turn in turns)
        super().__init__(seed, -(-records * len(turns) // known), 0.0, MIXES[kind])
        self.sides = {person.number: turns[person.number % len(turns)] for person in self.persons}


class _Clock(SystemClock):
    """The computer's clock, some seconds ago as long as people are entered: nobody copies what is a second old."""

    def __init__(self) -> None:
        self.ago = 3_600.0

    def now(self) -> float:
        return super().now() - self.ago


class Town:
    """Both vendors with their people, not yet served."""

    def __init__(self, records: int, kind: str, seed: int = 1) -> None:
        clock = _Clock()
        self.clock, self.quiet = clock, Faults(random.Random(seed))
        self.people = self._made(records, kind, seed)
        marketo = MarketoState(clock, random.Random(seed), self.quiet, visibility_lag=LAG)
        salesforce = SalesforceState(clock, random.Random(seed), self.quiet, visibility_lag=LAG)
        self.people.project_marketo(marketo)
        self.people.project_salesforce(salesforce)
        clock.ago = 0.0
        self.marketo, self.salesforce = MarketoApi(marketo), SalesforceApi(salesforce)

    def _made(self, records: int, kind: str, seed: int) -> World:
        return Crowd(records, kind, seed)

    def answers(self) -> dict[tuple[str, str], Answer]:
        """What the control address answers, by method and path."""
        return {
            ("GET", "/counts"): lambda _: self.counts(),
            ("GET", "/live"): lambda _: self.live(),
            ("POST", "/touch"): lambda asked: {"touched": self.touch(float(asked.first("share") or 0.01))},
        }

    def touch(self, share: float) -> int:
        """Somebody types a new title at every so-many-th lead of Marketo; gives how many."""
        state = self.marketo.state
        chosen = list(state.leads)[:: round(1 / share)]
        for number, lead in enumerate(chosen):
            state.human_edit(lead, {"title": f"新しい役職 {number}"})
        return len(chosen)

    def live(self) -> dict[str, Any]:
        """All live records by side and id, past any lag."""
        marketo = MarketoSide(self.marketo.state, self.marketo.lock)
        salesforce = SalesforceSide(self.salesforce.state, self.salesforce.lock)
        return {"marketo": marketo.live(), "salesforce": salesforce.live()}

    def counts(self) -> dict[str, Any]:
        """Calls by label and rows written, by side."""
        ma, sfa = self.marketo.state, self.salesforce.state
        return {
            "calls": {"marketo": dict(ma.calls), "salesforce": dict(sfa.calls)},
            "writes": {"marketo": dict(ma.writes), "salesforce": dict(sfa.writes)},
        }


class Control:
    """A front for `simulators.server.serve` that answers the one who measures."""

    def __init__(self, town: Town) -> None:
        self._town, self.lock = town, threading.Lock()
        self._answers = town.answers()

    def refuse(self, kind: str) -> Response:
        """Word a refusal of the server."""
        return json_response({"error": kind}, 503)

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        answer = self._answers.get((request.method, request.path))
        if answer is None:
            return json_response({"error": f"There is no {request.method} {request.path}."}, 404)
        with self._town.marketo.lock, self._town.salesforce.lock:
            return json_response(answer(request))


def open_town(town: Town, stack: ExitStack) -> dict[str, Any]:
    """Serve a town until the stack is closed; gives addresses and toy credentials."""
    fronts: dict[str, Front] = {
        "marketo": town.marketo, "salesforce": town.salesforce, "control": Control(town),
    }  # fmt: skip
    served = {
        name: stack.enter_context(serve(front, town.quiet, town.clock, server_timeout=TIMEOUT))
        for name, front in fronts.items()
    }
    town.salesforce.instance_url = served["salesforce"].url
    marketo, salesforce = town.marketo.credentials, town.salesforce.sessions.credentials
    clients = {
        "marketo": (marketo.client_id, marketo.client_secret),
        "salesforce": (salesforce.client_id, salesforce.client_secret),
    }
    return {"control": {"url": served["control"].url}} | {
        name: {"url": served[name].url, "client_id": client, "client_secret": secret}
        for name, (client, secret) in clients.items()
    }


def _town(records: int, kind: str, seed: int) -> Town:
    if kind != MARKET:
        return Town(records, kind, seed)
    from benchmarks.markets import MarketTown  # it is a town, so its module needs this one

    return MarketTown(records, kind, seed)


def _serve_copy(town: Town) -> None:
    """What a forked copy does: serve, announce, wait for SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with ExitStack() as stack:
        print(msgspec.json.encode(open_town(town, stack)).decode(), flush=True)
        while not stop.wait(1.0):
            if os.getppid() == 1:
                break  # whoever asked is gone


def main() -> None:
    """Make a world, say so, then open and close copies of it as asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000)
    parser.add_argument("--kind", choices=[*sorted(KINDS), MARKET], default="empty")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    town = _town(asked.records, asked.kind, asked.seed)
    gc.collect()
    gc.freeze()  # the copies share the memory of the original as long as nobody touches it
    print("ready", flush=True)
    copy = 0
    for line in sys.stdin:
        if copy:
            os.kill(copy, signal.SIGTERM)
            os.waitpid(copy, 0)
            copy = 0
        if line.strip() == "open":
            copy = os.fork()
            if copy == 0:
                _serve_copy(town)
                os._exit(0)
    if copy:
        os.kill(copy, signal.SIGTERM)
        os.waitpid(copy, 0)


if __name__ == "__main__":
    main()
