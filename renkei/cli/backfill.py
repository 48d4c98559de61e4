"""The command that reads a whole route again: backfill."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from renkei import telling
from renkei.cli.agreeing import agreed
from renkei.cli.codes import DONE, LEFT, WRONG, code_of_results
from renkei.cli.delivery import show_result
from renkei.cli.opening import at_work
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Session, Verbose, session
from renkei.cli.reckoning import minutes, reckoned, show_systems
from renkei.cli.screen import as_json, counts, leave, paint, say
from renkei.cli.shared import ForecastOnly, Yes
from sync.errors import Fatal

if TYPE_CHECKING:
    from renkei.backfill import Stand, Wish
    from renkei.forecast import Forecast
    from sync.rules import Rules

_POLL = 0.3
_WAIT = 30.0  # seconds for the service to take a wish up


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(backfill)


def backfill(
    of: Annotated[str, typer.Argument(metavar="ROUTE", help="the route to read again")],
    since: Annotated[str, typer.Option("--since", help="only who was created from this date on")] = "",
    until: Annotated[str, typer.Option("--until", help="only who was created before this date")] = "",
    limit: Annotated[int, typer.Option("--limit", help="at most so many of each side; 0 = all", min=0)] = 0,
    where: Annotated[
        str, typer.Option("--where", help="only who meets this condition, as in a mapping")
    ] = "",
    canary: Annotated[int, typer.Option(help="records of each action sent ahead; 0 = none", min=0)] = 100,
    dry_run: ForecastOnly = False,
    stop: Annotated[bool, typer.Option("--stop", help="end an unfinished one")] = False,
    yes: Yes = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Read everything of a route again, once, in the lowest lane; deliver what differs, a canary first."""
    from renkei.backfill import Wish
    from renkei.backfilling import alone, outcome
    from renkei.daemon.beside import service_of

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    wish = Wish(since=_moment(since), until=_moment(until), limit=limit, where=where, canary=canary)
    if wish.since and wish.until and wish.since >= wish.until:
        raise Fatal(f"Nobody was created from {since} and before {until}.", "exchange --since and --until")
    _prepare(here, of, wish, stop=stop, dry_run=dry_run, asked=not yes)
    if service_of(here.project) is not None:
        _show(here, _beside(here, of, wish))
    with at_work(
        "backfill", project, env, lang, json=json, log_json=log_json, verbose=verbose, route=of
    ) as desk:
        world = desk.wired.worlds[of]
        data = outcome(desk.wired, world, alone(desk.wired, world, wish, desk.teller))
    _show(here, data)


def _prepare(here: Session, route: str, wish: Wish, *, stop: bool, dry_run: bool, asked: bool) -> None:
    """Everything that comes before the work: is it possible, what will it cost, does a person agree?"""
    from renkei.backfilling import condition_of, refuse_another, require_let_go, unfinished
    from renkei.wire import choose, load_rules

    (rules,) = choose(load_rules(here.project), route)
    condition_of(here.project, route, wish.where)
    require_let_go(here.project, rules)
    held = unfinished(here.project, route)
    if stop:
        _end(here, route, held)
    refuse_another(held, wish, route)
    known = _forecast(here, rules, held.wish if held else wish, held)
    if dry_run:
        _show_dry(here, route, known)
    agreed(here, "backfill.ask", asked=asked)


def _moment(text: str) -> str:
    """A date or time of this host as ISO, UTC ("" = none). Raises Fatal."""
    from connectors.stamps import iso

    if not text:
        return ""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Fatal(f"«{text}» is no date.", "write it as 2026-04-01 or 2026-04-01T09:00") from None
    return iso(when.astimezone(UTC).timestamp())


def _forecast(here: Session, rules: Rules, wish: Wish, held: Stand | None) -> Forecast:
    known = reckoned(here, rules, wish)
    if here.as_json:
        return known
    words = here.words
    say(words("env", env=here.project.env), paint(rules.route, "bold"))
    show_systems(here, known, writes=True)
    say("  " + words("backfill.time", minutes=minutes(known), canary=wish.canary))
    if held is not None:
        read, sent = sum(held.read.values()), sum(held.sent.values())
        say("  " + words("backfill.goes_on", read=f"{read:,}", sent=f"{sent:,}"))
    return known


def _show_dry(here: Session, route: str, known: Forecast) -> NoReturn:
    from renkei.forecast import as_data

    if here.as_json:
        as_json({"ok": True, "env": here.project.env, "route": route, "forecast": as_data(known)})
    else:
        say(here.words("backfill.dry"))
    leave(DONE)


def _end(here: Session, route: str, held: Stand | None) -> NoReturn:
    """End an unfinished backfill, through the service where one runs."""
    from renkei.backfill import end
    from renkei.daemon.beside import post, service_of
    from renkei.wire import build
    from sync.rows import BACKFILL

    if held is not None and service_of(here.project) is not None:
        _wait(here, post(here.project, BACKFILL, route, stop=True), None)
    elif held is not None:
        with build(here.project, route=route) as wired:
            end(wired.worlds[route], held, "stopped")
    if here.as_json:
        as_json({"ok": True, "env": here.project.env, "route": route, "was_unfinished": held is not None})
    else:
        say(here.words("backfill.ended" if held else "backfill.none", route=route))
    leave(DONE)


def _beside(here: Session, route: str, wish: Wish) -> dict[str, Any]:
    """Have the service do it and watch. Raises Fatal, Retryable."""
    import msgspec

    from renkei.backfilling import Watched
    from renkei.daemon.beside import post
    from renkei.progress import teller
    from sync.rows import BACKFILL

    if not here.as_json:
        say(here.words("backfill.beside"))
    number = post(here.project, BACKFILL, route, **msgspec.to_builtins(wish))
    with teller(here.words, silent=here.as_json) as shower:
        routes = _wait(here, number, Watched(here.project, route, shower))
    data: dict[str, Any] = routes[0]
    return data


def _wait(here: Session, number: int, watched: Any) -> list[dict[str, Any]]:
    from renkei.daemon.beside import answer_of, service_of
    from sync.errors import Retryable

    began, told = time.monotonic(), ""
    while service_of(here.project) is not None:
        taken, routes = answer_of(here.project, number)
        if routes is not None:
            return routes
        if not taken and time.monotonic() - began > _WAIT:
            break
        brake = watched.look() if watched is not None else ""
        if brake and brake != told and not here.as_json:
            say(paint(here.words("status.backfill_braked", why=telling.brake(here.words, brake)), "yellow"))
        told = brake
        time.sleep(_POLL)
    raise Retryable(
        "The service gave no answer.", next_step="look with `renkei status`; it goes on when the service runs"
    )


def _show(here: Session, data: dict[str, Any]) -> NoReturn:
    from renkei.backfill import STOPPED
    from renkei.daemon.beside import as_result

    result, facts = as_result(data, partial=True), data["backfill"]
    stopped = facts["phase"] == STOPPED
    if here.as_json:
        as_json({"ok": data["ok"], "env": here.project.env, "routes": [data]})
    else:
        show_result(here, result)
        words = here.words
        meant = words("backfill.meant", meant=counts(facts["meant"]))
        say("  " + meant + "   " + words("backfill.to_send", planned=counts(facts["to_send"])))
        if stopped:
            step = words("backfill.stopped_next", route=data["route"])
            say(paint("  " + words("backfill.stopped"), "red"), f"  {words('next')}  {step}")
        elif facts["braked"]:
            say(f"  {words('next')}  {words('backfill.braked_next', route=data['route'])}")
    waits = stopped or facts["braked"]
    code = code_of_results([result])
    leave(LEFT if waits and code == DONE else code if code != WRONG else LEFT)
