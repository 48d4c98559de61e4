"""The command that compares both sides of a route as they are now, also beside the running service: reconcile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from renkei.cli.codes import DONE, LEFT
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Route, Session, Verbose, session
from renkei.cli.reckoning import minutes, reckoned, show_systems
from renkei.cli.screen import as_json, counts, leave, paint, say, table
from renkei.cli.shared import ForecastOnly

if TYPE_CHECKING:
    from renkei.forecast import Forecast
    from renkei.reconcile import Sources
    from renkei.reconciled import Report
    from sync.rules import Rules

_SHOWN = 100


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(reconcile)


def reconcile(
    route: Route = "",
    show: Annotated[bool, typer.Option("--show", help="name the records")] = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="have what nothing explains read again, and show the plan")
    ] = False,
    dry_run: ForecastOnly = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Read both sides whole and compare them: what is missing, different, double or was never seen; writes nothing."""
    from renkei.reconciled import as_data
    from renkei.wire import choose, load_rules, require_state

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    require_state(here.project)
    every = load_rules(here.project)
    chosen = choose(every, route)
    if not json:
        say(here.words("env", env=here.project.env))
    if dry_run:
        _dry(here, chosen)
    found = [_compared(here, rules, every, show=show, mend=mend) for rules in chosen]
    plans = _plans(here, found) if mend else {}
    if json:
        data = [as_data(each) | {"plan": plans.get(each.route)} for each in found]
        as_json({"ok": all(each.well for each in found), "env": here.project.env, "routes": data})
    leave(DONE if all(each.well for each in found) else LEFT)


def _compared(here: Session, rules: Rules, every: tuple[Rules, ...], *, show: bool, mend: bool) -> Report:
    """Compare a route, and show what was found."""
    from renkei.reconcile import reconcile as compared

    place = here.project.state if mend else None
    with _sources(here, rules) as sources:
        report = compared(rules, every, sources, show=_SHOWN if show else 0, mend=place)
    if not here.as_json:
        _show(here, report)
    return report


@contextmanager
def _sources(here: Session, rules: Rules) -> Iterator[Sources]:
    """Connectors of its own and a look into the journal; the forecast first."""
    from contextlib import ExitStack

    from renkei.backfill import Wish
    from renkei.caughtup import until_read
    from renkei.daemon.beside import service_of
    from renkei.progress import teller
    from renkei.reconcile import LOOKS, Sources
    from renkei.threads import SystemClock
    from renkei.wire import look, open_systems, systems_of

    clock = SystemClock()
    with ExitStack() as stack:
        opened = open_systems(here.project, systems_of([rules]), clock, here.log())
        for each in opened.values():
            stack.callback(each.close)
        if not here.as_json:
            _forecast(here, rules, reckoned(here, rules, Wish(), opened))
        shower = stack.enter_context(teller(here.words, silent=here.as_json))
        reader = stack.enter_context(look(here.project))
        serving = service_of(here.project) is not None

        def pause() -> None:
            if serving:
                until_read(here.project, rules, time.time())

        yield Sources(
            connectors={side: opened[rules.systems[side]] for side in rules.sides}, reader=reader, clock=clock,
            progress=shower, pause=pause, looks=LOOKS if serving else 1,
        )  # fmt: skip


def _forecast(here: Session, rules: Rules, known: Forecast) -> None:
    words = here.words
    say(paint(rules.route, "bold"))
    show_systems(here, known, writes=False)
    say("  " + words("reconcile.time", minutes=minutes(known)))


def _dry(here: Session, chosen: tuple[Rules, ...]) -> NoReturn:
    from renkei.backfill import Wish

    found = [(rules, reckoned(here, rules, Wish())) for rules in chosen]
    if here.as_json:
        routes = [_dry_data(rules, known) for rules, known in found]
        as_json({"ok": True, "env": here.project.env, "routes": routes})
    else:
        for rules, known in found:
            _forecast(here, rules, known)
        say(here.words("reconcile.dry"))
    leave(DONE)


def _dry_data(rules: Rules, known: Forecast) -> dict[str, Any]:
    systems = {
        name: {
            "records": number, "calls": known.reads[name], "jobs": known.jobs[name],
            "daily": known.daily[name], "used": known.used[name],
        }
        for name, number in known.records.items()
    }  # fmt: skip
    return {"route": rules.route, "forecast": systems, "seconds": round(known.seconds)}


def _plans(here: Session, found: list[Report]) -> dict[str, dict[str, Any]]:
    """By route what would be written once the gaps were read again; they are read now, and nothing is written. Beside
    the service there is none: it reads them again and goes on within its brakes."""
    from renkei.asking import sign_in
    from renkei.cli.planning import show_plan
    from renkei.daemon.beside import service_of
    from renkei.planning import planned
    from renkei.progress import teller
    from renkei.syncing import plan_route
    from renkei.wire import build

    plans: dict[str, dict[str, Any]] = {}
    asked = [each.route for each in found if each.asked]
    if not asked or service_of(here.project) is not None:
        return plans
    for route in asked:
        with (
            teller(here.words, silent=here.as_json) as shower,
            build(here.project, route=route, progress=shower, log=here.log()) as wired,
        ):
            sign_in(wired, "reconcile")
            world = wired.worlds[route]
            total = plan_route(wired, world)
            if total.gave_up is not None:
                raise total.gave_up
            _, plans[route] = planned(wired, world, total, whole=False)
        if not here.as_json:
            say(here.words("reconcile.plan"))
            show_plan(here, plans[route])
            say(f"  {here.words('next')}  {here.words('reconcile.plan_next', route=route)}")
    return plans


def _buckets(here: Session, report: Report) -> str:
    from renkei.buckets import BUCKETS

    each = [
        here.words("reconcile.uneven", system=name, number=len(found), of=BUCKETS)
        for name, found in report.buckets.items()
    ]
    return here.words("reconcile.buckets", buckets=" · ".join(each))


def _show(here: Session, report: Report) -> None:
    from renkei.daemon.beside import service_of
    from sync.compare import KINDS

    words = here.words
    pairs = words("reconcile.pairs", compared=f"{report.compared:,}", equal=f"{report.equal:,}")
    say(f"  {words('reconcile.read', read=counts(report.read))}   {pairs}")
    say(f"  {_buckets(here, report)}")
    if report.by_id:
        say("  " + words("reconcile.by_id", records=counts(report.by_id)))
    head = [words(f"reconcile.{name}") for name in ("kind", "gaps", "explained", "why")]
    rows = []
    for kind in KINDS:
        reasons = report.explained[kind]
        why = " · ".join(
            f"{words(f'reconcile.why.{name}')} {number:,}" for name, number in reasons.most_common()
        )
        rows.append([words(f"reconcile.{kind}"), f"{report.gaps[kind]:,}", f"{reasons.total():,}", why])
    say(*(f"  {line}" for line in table(head, rows)))
    for each in report.named:
        refs = " · ".join(f"{ref.system}:{ref.id}" for ref in each.refs)
        say(f"    {words(f'reconcile.{each.kind}')}  {refs}  {each.field}".rstrip())
    for each in report.told:
        refs = " · ".join(f"{ref.system}:{ref.id}" for ref in each.refs)
        why = words(f"reconcile.why.{each.why}")
        say(paint(f"    {words(f'reconcile.{each.kind}')}  {why}  {refs}  {each.field}".rstrip(), "dim"))
    if report.well:
        say(paint(f"  {words('reconcile.well')}", "green"))
        return
    say(paint("  " + words("reconcile.ill", gaps=f"{report.gaps.total():,}"), "red"))
    if report.asked and service_of(here.project) is not None:
        text = words("reconcile.asked_beside", asked=f"{report.asked:,}")
    elif report.asked:
        text = words("reconcile.asked", asked=f"{report.asked:,}")
    else:
        text = words("reconcile.next")
    say(f"  {words('next')}  {text}")
