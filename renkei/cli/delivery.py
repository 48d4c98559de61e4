"""The command that delivers: sync; and how what they did is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from renkei import telling
from renkei.cli.codes import code_of_results
from renkei.cli.leftover import leftover
from renkei.cli.opening import at_work
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Route, Session, Verbose, session
from renkei.cli.screen import as_json, counts, leave, paint, say

if TYPE_CHECKING:
    from renkei.syncing import Result


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(sync)


def sync(
    route: Route = "",
    first: Annotated[
        bool, typer.Option("--first", help="deliver a route's first plan, a canary first")
    ] = False,
    canary: Annotated[
        int, typer.Option(help="records of each action sent ahead with --first; 0 = none", min=0)
    ] = 100,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Bring both sides in step: read, decide, deliver, until nothing is left to do."""
    from renkei.daemon.beside import as_result, refuse_beside, service_of, sync_beside
    from renkei.syncing import sync_route

    here = session(project, env, lang, as_json=json)
    if service_of(here.project) is not None:
        if first:
            refuse_beside(here.project, "sync --first")
        _show_results(here, [as_result(each) for each in sync_beside(here.project, route)])
    with at_work(
        "sync", project, env, lang, json=json, log_json=log_json, verbose=verbose, route=route
    ) as desk:
        here, wired = desk.here, desk.wired
        results = [
            sync_route(wired, world, desk.teller, first=first, canary=canary)
            for world in wired.worlds.values()
        ]
    _show_results(here, results)


def _show_results(here: Session, results: list[Result]) -> NoReturn:
    from renkei.syncing import as_data

    if here.as_json:
        well = all(result.well for result in results)
        as_json({"ok": well, "env": here.project.env, "routes": [as_data(each) for each in results]})
    else:
        say(here.words("env", env=here.project.env))
        for result in results:
            show_result(here, result)
    leave(code_of_results(results))


def show_result(here: Session, result: Result) -> None:
    """A route's line: what was read and written, and whatever is not well."""
    words, total = here.words, result.total
    wrote = f"{words('sync.wrote')} {counts(result.written)}" if result.written else words("sync.nothing")
    if total.sent and not result.written:
        wrote = words("sync.none_taken")
    facts = [f"{words('sync.read')} {counts(total.read)}", wrote]
    facts += [words("sync.linked", number=f"{total.linked:,}")] if total.linked else []
    facts += [words("sync.conflicts", number=f"{total.conflicts:,}")] if total.conflicts else []
    facts.append(words("sync.seconds", seconds=f"{result.seconds:.1f}"))
    say(f"{paint(result.route, 'bold')}   " + "   ".join(facts))
    if result.canary is not None:
        _show_canary(here, result)
    show_rest(here, result)
    if result.well:
        say("  " + paint(words("sync.well"), "green"))


def _show_canary(here: Session, result: Result) -> None:
    canary, words = result.canary, here.words
    assert canary is not None
    say("  " + words("sync.canary", sent=f"{canary.sent.total():,}", wrong=f"{canary.wrong.total():,}"))
    for system, action in canary.alarms:
        text = words(
            "sync.canary_brake", wrong=canary.wrong[system, action], sent=canary.sent[system, action],
            action=telling.word(words, "action", action), system=system,
        )  # fmt: skip
        say(paint("  " + words("plan.brake", reason=text), "red"))
    if canary.alarms:
        fields = {f"{system}.{path}": number for (system, path), number in canary.fields.items()}
        reasons = {telling.reason(words, why): number for why, number in canary.reasons.items()}
        say(f"    {counts(fields | reasons)}", f"  {words('next')}  {words('sync.canary_next')}")


def show_rest(here: Session, result: Result) -> None:
    """Whatever is not well, each with its next step."""
    words, total = here.words, result.total
    if result.first_needed:
        say(
            "  " + words("sync.first_needed", route=result.route),
            f"  {words('next')}  {words('sync.first_next')}",
        )
        return
    for brake in total.brakes:
        say(paint("  " + words("plan.brake", reason=telling.brake(words, brake.reason)), "red"))
    if total.brakes:
        say(f"  {words('next')}  {words('sync.approve_next')}")
    for system, why in total.stopped.items():
        say(paint("  " + words("sync.stopped", system=system, why=why), "red"))
    if total.gave_up is not None:
        say(paint(f"  {words('error')}  {telling.error(words, total.gave_up)}", "red"))
        say(f"  {words('next')}  {total.gave_up.next_step}")
    left = {**result.open, **result.holds}
    say(*leftover(here, result.route, left, result.in_flight, shadow=result.shadow))
