"""What runs against the limits of a route now: the windows that the brakes look at, and the brakes that stand.

It decides to which limit a standing brake belongs. What a window allows is `renkei.limits`', what puts a brake on the
engine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from renkei.telling import form_of
from sync.rows import HoldRow, RulesRow
from sync.rules import ActionKind, Sign

if TYPE_CHECKING:
    from state.normal import Applied
    from state.reader import Reader

HOUR, DAY = 3_600.0, 86_400.0
_SIGNS = {**{sign.value: sign.value for sign in Sign}, "losses": Sign.LOSS.value}


@dataclass(frozen=True, slots=True)
class Standing:
    """A brake that stands: the limit that it belongs to and the system that it watches ("" = what is written), its
    figures, and its reason in the engine's words."""

    name: str
    system: str
    count: int
    limit: int
    reason: str


def agreed_at(reader: Reader, route: str) -> float:
    """Since when the windows of a route run: when a person last agreed to a plan as a whole (unix seconds)."""
    return max((row.since for row in reader.get(RulesRow, [(route,)])), default=0.0)


def windows(reader: Reader, route: str, now: float) -> dict[str, dict[str, int]]:
    """By action what waits for the next look of the brakes, with what was written in the hour and in the day before."""
    from state.normal import applied, leaving, planned

    agreed = agreed_at(reader, route)
    waits, on_its_way = planned(reader, route), leaving(reader, route)
    spans = {"hour": now - HOUR, "day": now - DAY}
    rows = {span: applied(reader, route, max(since, agreed), now + DAY) for span, since in spans.items()}
    found: dict[str, dict[str, int]] = {}
    for kind in ActionKind:
        ahead = waits.get(kind.value, 0) + (on_its_way if kind is ActionKind.OPT_OUT else 0)
        found[kind.value] = {"cycle": ahead} | {
            span: ahead + _written(each, kind) for span, each in rows.items()
        }
    return found


def _written(rows: list[Applied], kind: ActionKind) -> int:
    return sum(row.number for row in rows if row.action == kind.value)


def standing(reader: Reader, route: str) -> list[Standing]:
    """The brakes of a route that stand."""
    from state.whole import brakes_of

    return [_standing(row) for row in brakes_of(reader, [route])]


def _standing(row: HoldRow) -> Standing:
    body: Mapping[str, Any] = msgspec.json.decode(row.body)
    action, reason = row.field.rpartition("/")[2], str(body["reason"])
    form, parts = form_of(reason)
    if action in set(ActionKind):
        name, system = "opt_out" if action == ActionKind.OPT_OUT else action, ""
    else:
        name, system = _SIGNS.get(form.removeprefix("brake."), action), parts.get("system", "")
    return Standing(name, system, int(body["count"]), int(body["limit"]), reason)
