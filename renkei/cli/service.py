"""Commands of the service: run it, pause and resume what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei.cli.codes import AWAY, DONE, WRONG
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Route, Session, Verbose, session
from renkei.cli.screen import as_json, leave, paint, say, stamp
from renkei.cli.shared import Reason

if TYPE_CHECKING:
    from renkei.daemon.beside import Seen


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    for command in (run, pause, resume):
        app.command()(command)


def run(
    once: Annotated[bool, typer.Option("--once", help="one cycle of every route, then end")] = False,
    project: Folder = HERE,
    env: Env = None,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Keep both sides in step until told to stop: cycles, alarms, health and figures on loopback."""
    from renkei.daemon.board import State
    from renkei.daemon.house import Wishes, serve

    here = session(project, env, lang, as_json=False, log_json=log_json, verbose=verbose)
    try:
        states = serve(here.project, Wishes(once=once, json=log_json, verbose=verbose))
    except KeyboardInterrupt:  # asked to end before it had begun
        leave(DONE)
    if not once:
        leave(DONE)
    leave(WRONG if State.STOPPED in states else AWAY if set(states) - {State.WELL} else DONE)


def pause(
    route: Route = "",
    reason: Reason = "",
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Let the service send nothing but opt-outs, until `renkei resume`; reading and planning go on."""
    from renkei.daemon.notes import PAUSE

    _say_to_service(session(project, env, lang, as_json=json), PAUSE, route, reason=reason)


def resume(
    route: Route = "", project: Folder = HERE, env: Env = None, json: AsJson = False, lang: Lang = None
) -> None:
    """Let the service send again, and try a route that stood still."""
    from renkei.daemon.notes import RESUME

    _say_to_service(session(project, env, lang, as_json=json), RESUME, route)


def _say_to_service(here: Session, kind: str, route: str, **body: object) -> None:
    from renkei.daemon.beside import post, service_of
    from renkei.daemon.folder import Refused, read_folder
    from renkei.wire import choose, require_state

    require_state(here.project)
    found = read_folder(here.project)
    if route and not isinstance(found, Refused):
        choose(found, route)
    number = post(here.project, kind, route, **body)
    runs = service_of(here.project)
    if here.as_json:
        as_json(
            {"ok": True, "env": here.project.env, "route": route, "number": number, "running": bool(runs)}
        )
        return
    say(here.words(f"{kind}.done", route=route or here.words("all_routes")))
    if runs is None:
        say(here.words("service.later"))


def shown_data(seen: Seen) -> dict[str, Any]:
    """What `status --json` says of the service."""
    running = seen.running._asdict() if seen.running else None
    paused = {name: each._asdict() for name, each in seen.paused.items()}
    still = {name: dict(each) for name, each in seen.still.items()}
    return {
        "running": running,
        "paused": paused,
        "stands_still": still,
        "mapping_refused": seen.mapping or None,
        "quota": {name: dict(each) for name, each in seen.quota.items()},
    }


def _used(here: Session, system: str, each: Mapping[str, Any]) -> str:
    """A system's calls of the day: everybody's, ours, when our share is used up, and who waits."""
    words = here.words
    text = words("service.used", system=system, share=each["share"], daily=f"{each['daily']:,}")
    if each.get("own"):
        text += words("service.own", own=each["own"])
    if each.get("full"):
        text += words("service.full", at=_minute(each["full"]))
    waits = each.get("waits", {})
    if waits:
        lanes = ", ".join(words(f"lane.{lane}") for lane in waits)
        text += words("service.waits", lanes=lanes, at=_minute(max(waits.values())))
    return text


def _minute(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%H:%M %Z")


def show(here: Session, seen: Seen) -> None:
    """What `status` says of the service."""
    words = here.words
    if seen.running is not None:
        since, where = stamp(seen.running.since), seen.running.url
        say(words("service.runs", owner=seen.running.owner, since=since, where=where))
    if seen.quota:
        say(
            f"{words('service.quota')}  "
            + " · ".join(_used(here, name, each) for name, each in seen.quota.items())
        )
    for name, calls in seen.quota.items():
        if calls["ending"]:
            say(paint(f"{name}: {calls['ending']}", "yellow"))
    for name, each in seen.paused.items():
        reason = " · ".join(part for part in (each.reason, each.who) if part) or "–"
        text = words("service.paused", route=name, since=stamp(each.since), reason=reason)
        say(paint(text, "yellow"), f"  {words('next')}  renkei resume {name}")
    for name, still in seen.still.items():
        text = words(
            f"service.{still['state']}", route=name, since=stamp(still["since"]), reason=still["reason"]
        )
        say(paint(text, "red"))
    if seen.mapping:
        say(paint(words("service.mapping", reason=seen.mapping), "red"), f"  {words('next')}  renkei check")
