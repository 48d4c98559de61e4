"""What the running service shows of itself: one picture, drawn by the thread that works, read by any other.

It decides what «alive» and «ready» mean, from the picture and the steady clock alone. Pictures are whole and never
changed, so nobody waits for anybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# A call may take the vendor's time limit and a little more; nothing else that works is silent for so long.
STALE = 180.0
CYCLES = 3


class State(StrEnum):
    """How a route is: not yet looked at, well, held up by an outage, or stopped until a person acts."""

    NEW = "new"
    WELL = "well"
    AWAY = "away"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePicture:
    """One route. `done` and `again`: the last complete cycle and the next try on the steady clock (0.0 = none);
    `done_at` the same in unix seconds. `paused`: why a person paused it, None = nobody did."""

    route: str
    every: float
    state: State = State.NEW
    reason: str = ""
    since: float = 0.0
    again: float = 0.0
    done: float = 0.0
    done_at: float = 0.0
    seconds: float = 0.0
    paused: str | None = None

    def late(self, now: float) -> bool:
        """True if three cycles' time has passed since one came to its end; a long cycle counts as the interval."""
        return not self.done or now - self.done > CYCLES * max(self.every, self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The whole service."""

    routes: tuple[RoutePicture, ...] = ()
    stopping: bool = False
    mapping: str = ""
    started: float = 0.0


@dataclass(slots=True)
class Board:
    """Where the picture hangs. `beat`: when the service last did anything, on the steady clock; `lease`: seconds for
    which the journal is surely ours."""

    picture: Picture = field(default_factory=Picture)
    lease: Callable[[], float] = lambda: 0.0
    beat: float = field(default_factory=time.monotonic)

    def live(self) -> None:
        """Something was done."""
        self.beat = time.monotonic()


def health(board: Board, now: float) -> tuple[bool, dict[str, Any]]:
    """Does the process still do anything? With the reason where not."""
    silent = max(0.0, now - board.beat)
    data: dict[str, Any] = {"ok": silent < STALE, "silent_seconds": round(silent, 1)}
    if not data["ok"]:
        data["reasons"] = [f"nothing was done for {silent:.0f} s"]
    return data["ok"], data


def ready(board: Board, now: float) -> tuple[bool, dict[str, Any]]:
    """Does every route do its work in time? With every reason why not."""
    picture = board.picture
    reasons = ["it is stopping"] if picture.stopping else []
    if board.lease() <= 0:
        reasons.append("the journal's lease is not held")
    if not picture.routes:
        reasons.append("no route is at work yet")
    for each in picture.routes:
        reasons += [f"{each.route}: {why}" for why in _not_ready(each, now)]
    routes = [_shown(each, now) for each in picture.routes]
    data = {
        "ok": not reasons,
        "reasons": reasons,
        "routes": routes,
        "mapping_refused": picture.mapping or None,
    }
    return not reasons, data


def _not_ready(each: RoutePicture, now: float) -> list[str]:
    if each.state in (State.AWAY, State.STOPPED):
        return [f"{each.state.value}: {each.reason}"]
    if each.late(now):
        age = f"{now - each.done:.0f} s ago" if each.done else "never"
        return [f"the last complete cycle was {age}, due every {each.every:g} s"]
    return []


def _shown(each: RoutePicture, now: float) -> dict[str, Any]:
    return {
        "route": each.route,
        "state": each.state.value,
        "reason": each.reason or None,
        "paused": each.paused is not None,
        "every": each.every,
        "last_complete": each.done_at or None,
        "again_in": round(max(0.0, each.again - now), 1) if each.again else None,
    }
