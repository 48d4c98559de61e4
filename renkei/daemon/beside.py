"""Beside the running service: is there one, what does it say of itself, and how it is asked for something.

It decides who counts as the service: whoever holds the journal's lease and has left a note of being it. Everything
goes through the journal; the service's own page is never asked, so this works wherever the state can be read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from renkei.canary import from_data
from renkei.daemon.notes import (
    DONE,
    DROPPED,
    MAPPING,
    NEW,
    PROCESS,
    QUOTA,
    ROUTE,
    ROUTES,
    SYNC_NOW,
    Pause,
    read_notes,
    read_paused,
)
from renkei.drain import Total
from renkei.settings import Project
from renkei.speaker import speaker
from renkei.syncing import Result
from renkei.wire import look
from sync.errors import Fatal, Retryable
from sync.guard import Brake
from sync.normalise import encode
from sync.rows import CommandRow

if TYPE_CHECKING:
    from state.answers import RouteScope

PATIENCE = 150.0
_POLL = 0.2


class Running(NamedTuple):
    """The service: host and process, where its pages are ("" = nowhere), since when it runs (unix seconds)."""

    owner: str
    url: str
    since: float


class Seen(NamedTuple):
    """What the journal says of the service: None = it does not run. `still`: routes that stand still, with state,
    reason and since; `mapping`: why changed files were refused ("" = they were not); `quota`: the day's calls by
    system, as the service last counted them."""

    running: Running | None
    paused: Mapping[str, Pause]
    still: Mapping[str, Mapping[str, Any]]
    mapping: str
    quota: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


def see(project: Project, routes: list[str]) -> Seen:
    """Everything at a glance. Raises Fatal where the state cannot be read."""
    from state.lease import may_live
    from state.service import owner

    with look(project) as reader:
        notes, holder, pauses = read_notes(reader), owner(reader), read_paused(reader, routes)
    note = notes.get(PROCESS, {})
    runs = (
        bool(note) and holder.name == note["owner"] and holder.expires > time.time() and may_live(holder.name)
    )
    if not runs:
        return Seen(None, pauses, {}, "")
    still = {name.removeprefix(ROUTE): data for name, data in notes.items() if name.startswith(ROUTE)}
    running = Running(note["owner"], note["url"], note["since"])
    mapping = str(notes.get(MAPPING, {}).get("reason", ""))
    return Seen(running, pauses, still, mapping, notes.get(QUOTA, {}))


def scopes_at_work(project: Project) -> list[RouteScope]:
    """What the routes are about that the service works with, whatever the mapping files say by now; [] = it does not
    run."""
    from state.answers import RouteScope

    if service_of(project) is None:
        return []
    with look(project) as reader:
        found = read_notes(reader).get(ROUTES, {})
    return [
        RouteScope(route=route, kind=kind, systems=tuple(systems))
        for route, (kind, *systems) in found.items()
    ]


def service_of(project: Project) -> Running | None:
    """The service that owns this project's state, None = there is none."""
    with suppress(Fatal):
        return see(project, []).running
    return None


def refuse_beside(project: Project, command: str) -> None:
    """Raises Fatal if the service owns the state: this command has to."""
    running = service_of(project)
    if running is not None:
        raise Fatal(
            f"The service ({running.owner}) owns this state, so `renkei {command}` cannot.",
            "`renkei sync` works beside it; for this command stop the service first",
        )


def post(project: Project, kind: str, route: str, **body: object) -> int:
    """Say a word to the service, now or when it starts, with the name of whoever says it; its number. Raises Fatal."""
    from state.post import post_command

    said = encode({"who": speaker(), **body})
    return post_command(project.state, CommandRow(0, time.time(), kind, route, NEW, said))


def sync_beside(project: Project, route: str, patience: float = PATIENCE) -> list[dict[str, Any]]:
    """Have the service bring a route ("" = all) up to date, and wait for what came of it: one `as_data` each.

    Raises Fatal (no such route), Retryable (the service ended or did not answer).
    """
    from state.service import command

    number = post(project, SYNC_NOW, route)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with look(project) as reader:
            row = command(reader, number)
        if row is not None and row.state in (DONE, DROPPED):
            return _answer(row)
        if service_of(project) is None:
            break
        time.sleep(_POLL)
    step = "look with `renkei status`; what was asked for is done when the service runs"
    raise Retryable("The service gave no answer.", next_step=step)


def answer_of(project: Project, number: int) -> tuple[bool, list[dict[str, Any]] | None]:
    """Whether the service has taken a word up, and its answer once there is one. Raises Fatal, Retryable."""
    from state.service import command

    with look(project) as reader:
        row = command(reader, number)
    if row is None:
        return False, None
    return row.state != NEW, _answer(row) if row.state in (DONE, DROPPED) else None


def _answer(row: CommandRow) -> list[dict[str, Any]]:
    import json

    body = json.loads(row.body) if row.body else {}
    if row.state == DONE:
        return list(body["routes"])
    if "why" in body:
        raise Fatal(f"The service did nothing: {body['why']}.", "see `renkei status` for the routes")
    raise Retryable("The service ended before it had answered.", next_step="look with `renkei status`")


def as_result(data: Mapping[str, Any], *, partial: bool = False) -> Result:
    """A result out of its data, for the same screens."""
    gave_up = data["gave_up"]
    total = Total(
        cycles=data["cycles"], read=data["read"], changed=data["changed"], linked=data["linked"],
        decided=data["decided"], conflicts=data["conflicts"], sent=data["sent"], applied=data["applied"],
        failed=data["failed"], in_doubt=data["in_doubt"], moved=data["moved"],
        brakes=tuple(Brake(each["action"], each["reason"], each["count"], each["limit"]) for each in data["brakes"]),
        stopped=data["stopped"], waiting_for_first=data["first_needed"],
        gave_up=Retryable(gave_up["error"], gave_up["after"], gave_up["next"]) if gave_up else None,
    )  # fmt: skip
    return Result(
        route=data["route"], digest=data["digest"], total=total, written=data["written"],
        open=data["open"], holds=data["holds"],
        in_flight=data["in_flight"], dirty=data["to_decide"], seconds=data["seconds"],
        canary=from_data(data["canary"]) if data["canary"] else None, partial=partial,
        shadow=data["shadow"],
    )  # fmt: skip
