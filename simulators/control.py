"""The control endpoint of a running simulation: users, faults, and the verdict at the end.

Translates JSON into calls of the stage; decides nothing itself. It listens on loopback only and is no
part of a vendor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from simulators.editors import DEFAULT_PAIRS, Plan
from simulators.faults import PROFILES
from simulators.history import SIDES, Pair
from simulators.http import Request, Response, json_response
from simulators.players import Game, Players
from simulators.stage import Stage
from simulators.verdict import judge
from simulators.verdict_scene import Flows

MOST_OFFENCES = 200


class Control:
    """A front for `simulators.server.serve`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.lock = threading.Lock()
        self._routes: Mapping[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("POST", "/control/edits/start"): self._start,
            ("POST", "/control/edits/stop"): self._stop,
            ("GET", "/control/edits"): self._edits,
            ("POST", "/control/faults"): self._faults,
            ("POST", "/control/calls"): self._calls,
            ("GET", "/control/state"): self._state,
            ("GET", "/control/status"): self._status,
            ("GET", "/control/ledger"): self._ledger,
            ("POST", "/control/verdict"): self._verdict,
            ("POST", "/control/human"): self._human,
            ("POST", "/control/deals/start"): self._play,
            ("POST", "/control/deals/stop"): self._rest,
            ("GET", "/control/deals"): self._deals,
            ("GET", "/control/market"): self._market,
            ("POST", "/control/flows"): self._flows,
            ("GET", "/control/firms"): self._firms,
            ("GET", "/control/notices"): self._told,
        }
        self._notices: list[dict[str, Any]] = []

    def refuse(self, kind: str) -> Response:
        """Word a refusal of the server."""
        return json_response({"error": f"The control endpoint could not answer ({kind})."}, 503)

    def __call__(self, request: Request) -> Response:
        """Answer one request; 400 with a sentence for what it cannot use."""
        if (request.method, request.path) == ("POST", "/control/notices"):
            return self._take(request)
        handler = self._routes.get((request.method, request.path))
        if handler is None:
            known = ", ".join(f"{method} {path}" for method, path in self._routes)
            return json_response({"error": f"There is no {request.method} {request.path}; use {known}."}, 404)
        try:
            body = msgspec.json.decode(request.body) if request.body else {}
            return json_response(handler(body))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            return json_response({"error": f"This cannot be used: {error!r}."}, 400)

    def _start(self, body: dict[str, Any]) -> Any:
        pairs = _pairs(body.pop("fields", None), DEFAULT_PAIRS)
        plan = Plan(**{name: float(value) for name, value in body.items()}, pairs=pairs)
        targets = self._stage.targets()
        self._stage.editors.start(plan, targets)
        return {"running": True, "persons": len(targets)}

    def _stop(self, _: dict[str, Any]) -> Any:
        self._stage.editors.stop()
        return self._status({})

    def _edits(self, _: dict[str, Any]) -> Any:
        return [edit._asdict() for edit in list(self._stage.editors.edits)]

    def _faults(self, body: dict[str, Any]) -> Any:
        """Take {"profile": name} or shares by kind, for both vendors or for those named as {"marketo":
        {…}}.
        """
        for side in SIDES:
            asked = body.get(side, body)
            shares = PROFILES[asked["profile"]] if "profile" in asked else asked
            if set(shares).isdisjoint(SIDES):
                self._stage.faults[side].use(shares)
        return {side: self._stage.faults[side].shares for side in SIDES}

    def _calls(self, body: dict[str, Any]) -> Any:
        """Another application calls the vendors: {"marketo": 35000}; gives how often it got through."""
        stage, now = self._stage, self._stage.clock.now()
        taken = dict.fromkeys(SIDES, 0)
        with stage.marketo.lock, stage.salesforce.lock:
            taken["marketo"] = stage.marketo.gate.spend(int(body.get("marketo", 0)))
            quota, most = stage.salesforce.quota, stage.salesforce.state.switches.daily_calls
            taken["salesforce"] = min(int(body.get("salesforce", 0)), max(0, most - quota.used(now)))
            quota.spend(now, taken["salesforce"])
        return taken

    def _state(self, _: dict[str, Any]) -> Any:
        return self._stage.live()

    def _status(self, _: dict[str, Any]) -> Any:
        stage, editors = self._stage, self._stage.editors
        return {
            "running": editors.running,
            "error": repr(editors.error) if editors.error else None,
            "edits": len(editors.edits),
            "collisions": editors.collisions,
            "opted_out": editors.opted_out,
            "faults_fired": {side: stage.faults[side].fired for side in SIDES},
            "calls": {"marketo": stage.marketo.state.calls, "salesforce": stage.salesforce.state.calls},
            "writes": {"marketo": stage.marketo.state.writes, "salesforce": stage.salesforce.state.writes},
        }

    def _ledger(self, _: dict[str, Any]) -> Any:
        history = self._stage.history()
        return {side: [entry._asdict() for entry in history.ledgers[side]] for side in SIDES}

    def _verdict(self, body: dict[str, Any]) -> Any:
        history = self._stage.history()
        claims, gap = body.get("claims", []), float(body.get("gap_seconds", 0.0))
        verdict = judge(history, claims, gap)
        answer = asdict(verdict)
        offences = [offence._asdict() for offence in verdict.offences[:MOST_OFFENCES]]
        return {"ok": verdict.ok, "counts": answer["counts"], "offences": offences} | {
            name: sorted(answer[name]) for name in ("losers", "filtered", "in_gap")
        }

    # --- business

    def _human(self, body: dict[str, Any]) -> Any:
        """Let a person act: {"side", "action": a state's method for people, "args": {…}}; gives what it answers."""
        side, action = body["side"], str(body["action"])
        keyhole, state = self._stage.sides[side], getattr(self._stage, side).state
        if not action.startswith(("human_", "add_")) or not hasattr(state, action):
            known = sorted(name for name in dir(state) if name.startswith(("human_", "add_")))
            raise ValueError(f"nobody can {action} there; choose one of {', '.join(known)}")
        with keyhole.lock:
            return {"answer": getattr(state, action)(**body.get("args", {}))}

    def _play(self, body: dict[str, Any]) -> Any:
        self._players().start(Game(**body))
        return {"running": True}

    def _rest(self, _: dict[str, Any]) -> Any:
        self._players().stop()
        return self._deals({})

    def _deals(self, _: dict[str, Any]) -> Any:
        players = self._players()
        log = [happening._asdict() for happening in list(players.world.log)]
        return {
            "running": players.running,
            "error": repr(players.error) if players.error else None,
            "log": log,
        }

    def _market(self, _: dict[str, Any]) -> Any:
        """The world's truth about business: firms, where people work, accounts, deals, domains, staff."""
        world = self._players().world
        return {
            "firms": [asdict(firm) for firm in world.firms],
            "home": {str(person): place for person, place in world.home.items()},
            "accounts": [[firm, site, record] for (firm, site), record in world.accounts.items()],
            "deals": [asdict(deal) | {"record": world.records.get(deal.number)} for deal in world.deals],
            "domains": world.domains(),
            "staff": world.staff,
        }

    def _flows(self, body: dict[str, Any]) -> Any:
        """Judge the flows; the body has the fields of `Flows`, sets as lists and rates as text."""
        verdict = self._stage.flows(msgspec.convert(body, Flows, strict=False))
        offences = [offence._asdict() for offence in verdict.offences[:MOST_OFFENCES]]
        return {"ok": verdict.ok, "counts": verdict.counts, "offences": offences}

    def _firms(self, _: dict[str, Any]) -> Any:
        """Live accounts and companies by id."""
        return self._stage.firms()

    def _take(self, request: Request) -> Response:
        """A channel that people read: keep what was said, under which key, and when."""
        said = request.body.decode("utf-8", "replace")
        key = request.headers.get("idempotency-key", "")
        self._notices.append({"time": self._stage.clock.now(), "key": key, "said": said})
        return json_response({"ok": True})

    def _told(self, _: dict[str, Any]) -> Any:
        return self._notices

    def _players(self) -> Players:
        players = self._stage.players
        if players is None:
            raise ValueError("there is no business in this world; start it with --deals 300")
        return players


def _pairs(given: Any, default: tuple[Pair, ...]) -> tuple[Pair, ...]:
    return tuple(Pair(str(marketo), str(salesforce)) for marketo, salesforce in given) if given else default
