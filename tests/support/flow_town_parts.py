"""What a town with business is made of beside its people: faults that strike one sort of request, and who is told.

It decides which request is which, as the vendors' pages name them, and what a channel's receiver remembers. The town
itself stands in `tests.support.flow_town`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from simulators.clock import Clock
from simulators.http import Front, Request, Response, json_response
from simulators.server import Limits, Server
from simulators.wire import Incoming
from sync.ports import Connector, Outcome, Write
from tests.support.town_parts import Strikes, Window


def sends(thing: str, incoming: Incoming) -> bool:
    """Whether a request would make such a thing: Task, ListMember, Notice, Lead, Company."""
    path = incoming.target.partition("?")[0]
    if incoming.method not in ("POST", "DELETE"):
        return False
    match thing:
        case "ListMember":
            return "/lists/" in path and path.endswith("/leads.json")
        case "Company":
            return path.endswith("/companies.json")
        case "Notice":
            return path == "/notices"
        case _:
            kind = f'"type":"{thing}"'.encode()
            return "/composite/" in path and kind in incoming.body.replace(b" ", b"")


class AimedServer(Server):
    """A server at which a fault may be aimed at the next request that makes a certain thing."""

    def __init__(self, front: Front, faults: Strikes, clock: Clock, limits: Limits) -> None:
        self.aims: list[tuple[str, str]] = []
        self._strikes = faults
        super().__init__(front, faults, clock, limits, tls=None, port=0)

    def _answer(self, incoming: Incoming, sock: socket.socket) -> bool:
        for aim in self.aims:
            if sends(aim[1], incoming):
                self.aims.remove(aim)
                self._strikes.waiting.append(aim[0])
                break
        return super()._answer(incoming, sock)


class Notices:
    """Whoever is told things: keeps every message, in order."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.messages: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Response:
        """Take a message."""
        self.messages.append(json.loads(request.body))
        return json_response({"ok": True})

    def refuse(self, kind: str) -> Response:
        """Word a refusal."""
        return json_response({"error": kind}, 429 if kind == "rate_limited" else 503)


class FlowWindow(Window):
    """A window through which one may also see that a thing has been taken, before the answer is heard."""

    def __init__(self, inner: Connector) -> None:
        super().__init__(inner)
        self.after: list[tuple[str, Callable[[], object]]] = []

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Write, and do what was to happen after a write of that object."""
        outcomes = super().write(kind, writes)
        for entry in [entry for entry in self.after if entry[0] == writes[0].ref.object]:
            self.after.remove(entry)
            entry[1]()
        return outcomes
