"""The command that compares both sides of a route as they are now, also beside the running service: reconcile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from renkei.cli.codes import DONE, LEFT
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Route, Session, Verbose, session
from renkei.cli.screen import as_json, counts, leave, paint, say, table

if TYPE_CHECKING:
    from renkei.reconcile import Report, Sources
    from sync.rules import Rules

_CATCH_UP = 120.0  # seconds that the service has to read what was read here
_SHOWN = 100


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(reconcile)


def reconcile(
    route: Route = "",
    show: Annotated[bool, typer.Option("--show", help="name the records")] = False,
    mend: Annotated[bool, typer.Option("--mend", help="have what nothing explains read again")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="forecast only: read and write nothing")] = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Read both sides whole and compare them: what is missing, different, double or was never seen; writes nothing."""
    from renkei.reconcile import as_data
    from renkei.reconcile import reconcile as compared
    from renkei.wire import choose, load_rules, require_state

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    require_state(here.project)
    every = load_rules(here.project)
    chosen = choose(every, route)
    place = here.project.state if mend else None
    found: list[Report] = []
    if not json:
        say(here.words("env", env=here.project.env))
    for rules in chosen:
        with _sources(here, rules, dry=dry_run) as sources:
            if sources is None:
                continue
            report = compared(rules, every, sources, show=_SHOWN if show else 0, mend=place)
        found.append(report)
        if not json:
            _show(here, report)
    if json and not dry_run:
        data = [as_data(each) for each in found]
        as_json({"ok": all(each.well for each in found), "env": here.project.env, "routes": data})
    if dry_run:
        _dry(here, chosen)
    leave(DONE if all(each.well for each in found) else LEFT)


@contextmanager
def _sources(here: Session, rules: Rules, *, dry: bool) -> Iterator[Sources | None]:
    """Connectors of its own and a look into the journal; the forecast first (then, if `dry`, nothing)."""
    from contextlib import ExitStack

    from renkei.daemon.beside import service_of
    from renkei.progress import teller
    from renkei.reconcile import LOOKS, Sources
    from renkei.threads import SystemClock
    from renkei.wire import look, open_systems, systems_of

    if dry:
        yield None
        return
    clock = SystemClock()
    with ExitStack() as stack:
        opened = open_systems(here.project, systems_of([rules]), clock, here.log())
        for each in opened.values():
            stack.callback(each.close)
        if not here.as_json:
            _forecast(here, rules)
        shower = stack.enter_context(teller(here.words, silent=here.as_json))
        reader = stack.enter_context(look(here.project))
        serving = service_of(here.project) is not None

        def pause() -> None:
            if serving:
                _wait(here, rules, time.time())

        yield Sources(
            connectors={side: opened[rules.systems[side]] for side in rules.sides}, reader=reader, clock=clock,
            progress=shower, pause=pause, looks=LOOKS if serving else 1,
        )  # fmt: skip


def _wait(here: Session, rules: Rules, since: float) -> None:
    """Wait until the service has read both sides' feeds once more."""
    from renkei.wire import look
    from state.compared import cursors
    from sync.read import FRONT

    names = [(rules.systems[side], rules.kind, FRONT) for side in rules.sides]
    until = time.monotonic() + _CATCH_UP
    while time.monotonic() < until:
        with look(here.project) as reader:
            if all(row.at > since for row in cursors(reader, names)):
                return
        time.sleep(0.3)


def _reckoned(here: Session, rules: Rules) -> dict[str, dict[str, int]]:
    from contextlib import ExitStack

    from renkei.backfill import Wish
    from renkei.forecast import forecast
    from renkei.threads import SystemClock
    from renkei.wire import open_systems, systems_of

    with ExitStack() as stack:
        opened = open_systems(here.project, systems_of([rules]), SystemClock(), here.log())
        for each in opened.values():
            stack.callback(each.close)
        known = forecast(here.project, rules, opened, Wish())
    return {
        name: {
            "records": number,
            "calls": known.reads[name],
            "daily": known.daily[name],
            "used": known.used[name],
        }
        for name, number in known.records.items()
    }


def _forecast(here: Session, rules: Rules) -> None:
    words = here.words
    say(paint(rules.route, "bold"))
    for system, each in _reckoned(here, rules).items():
        daily = each["daily"]
        share = (
            words("backfill.share", share=100 * each["calls"] / daily, daily=f"{daily:,}", used=each["used"])
            if daily
            else ""
        )
        text = words("reconcile.forecast", system=system, records=f"{each['records']:,}", calls=each["calls"])
        say(f"  {text}{share}")


def _dry(here: Session, chosen: tuple[Rules, ...]) -> NoReturn:
    if here.as_json:
        routes = [{"route": rules.route, "forecast": _reckoned(here, rules)} for rules in chosen]
        as_json({"ok": True, "env": here.project.env, "routes": routes})
    else:
        for rules in chosen:
            _forecast(here, rules)
        say(here.words("reconcile.dry"))
    leave(DONE)


def _show(here: Session, report: Report) -> None:
    from sync.compare import KINDS

    words = here.words
    pairs = words("reconcile.pairs", compared=f"{report.compared:,}", equal=f"{report.equal:,}")
    say(f"  {words('reconcile.read', read=counts(report.read))}   {pairs}")
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
    if report.well:
        say(paint(f"  {words('reconcile.well')}", "green"))
        return
    say(paint("  " + words("reconcile.ill", gaps=f"{report.gaps.total():,}"), "red"))
    if report.asked:
        text = words("reconcile.asked", asked=f"{report.asked:,}", route=report.route)
    else:
        text = words("reconcile.next")
    say(f"  {words('next')}  {text}")
