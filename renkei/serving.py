"""What renkei.yaml may say of the service and of the channels that it tells people through.

It decides names, units and defaults. Who is told what is the service's affair, how a channel is reached the channel's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
NEVER = -1
EVERY = 30.0
LEAST = 0.1
PORT = 8787


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How `renkei run` works. Times in seconds: `every` between two cycles of a route (`routes`: of one by name),
    `silent` after which a system of which nothing was read is told of, `backlog` after which waiting work is.
    `port` on loopback for health and metrics, 0 = any free one. `alerts`: the channel that is told, "" = none.
    `reconcile`: by route ("" = all others) the minute of the host's day at which both sides are compared, `NEVER`."""

    every: float = EVERY
    routes: Mapping[str, float] = field(default_factory=dict)
    port: int = PORT
    language: str = "en"
    alerts: str = ""
    silent: float = 6 * 3_600.0
    backlog: float = 3_600.0
    reconcile: Mapping[str, int] = field(default_factory=dict)

    def interval(self, route: str) -> float:
        """Seconds between two cycles of a route."""
        return self.routes.get(route, self.every)

    def compared_at(self, route: str) -> int | None:
        """The minute of the host's day at which both sides of a route are compared, None = never by itself."""
        minute = self.reconcile.get(route, self.reconcile.get("", NEVER))
        return None if minute == NEVER else minute


def read_service(document: Mapping[str, Any], channels: Mapping[str, object]) -> Service:
    """The `service:` block. Raises ValueError with one sentence of what is wrong."""
    known = ("every", "routes", "port", "language", "alerts", "silent", "backlog", "reconcile")
    for name in document:
        if name not in known:
            raise ValueError(f"service.{name} means nothing; known here: {', '.join(known)}")
    routes = document.get("routes") or {}
    if not isinstance(routes, Mapping):  # one kind of error for whatever the file says wrong
        raise ValueError("service.routes must hold names of routes and times")  # noqa: TRY004
    language = document.get("language", "en")
    if language not in ("en", "ja"):
        raise ValueError("service.language must be en or ja")
    alerts = document.get("alerts", "")
    if alerts and alerts not in channels:
        raise ValueError(f"service.alerts names the channel {alerts}, which channels: does not have")
    given: dict[str, Any] = {
        name: span(document[name], f"service.{name}")
        for name in ("every", "silent", "backlog")
        if name in document
    }
    each = {str(name): span(value, f"service.routes.{name}") for name, value in routes.items()}
    return Service(
        **given, routes=each, port=_port(document.get("port", PORT)), language=language, alerts=alerts,
        reconcile=_times(document.get("reconcile")),
    )  # fmt: skip


def _times(value: object) -> dict[str, int]:
    """What is said of comparing: one time for all routes, or times by route. Raises ValueError."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(name): _minute(each, f"service.reconcile.{name}") for name, each in value.items()}
    return {"": _minute(value, "service.reconcile")}


def _minute(value: object, where: str) -> int:
    if value is False or value == "off":
        return NEVER
    match = _TIME.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f'{where} must be a time of day such as "03:00", or off')
    return 60 * int(match[1]) + int(match[2])


def span(value: object, where: str) -> float:
    """A time such as 30s, 5m, 6h or a number of seconds. Raises ValueError."""
    match = _SPAN.fullmatch(str(value).strip())
    seconds = float(match[1]) * _UNITS[match[2] or "s"] if match and not isinstance(value, bool) else 0.0
    if seconds < LEAST:
        raise ValueError(f"{where} must be a time such as 30s, 5m or 6h")
    return seconds


def _port(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 65_536:
        raise ValueError("service.port must be a number from 0 (any free one) to 65535")
    return value
