"""Commands that only look, also beside a running renkei: status, trace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli import service
from renkei.cli.inbox import hold_data, name_of
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, counts, leave, paint, problem, say, shown, stamp, table

if TYPE_CHECKING:
    from renkei.settings import Project
    from state.answers import RouteScope, RouteStatus, Trace
    from sync.rules import Rules

_DAY = 86_400.0
_FRESH = 15.0  # minutes: three cycles of five
_CONVERTED = 3  # sync.rows.MOVED


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    for command in (status, trace):
        app.command()(command)


def status(
    max_age: Annotated[
        float | None,
        typer.Option(
            "--max-age",
            help="minutes after which what was read last is too old; default: three cycles, 15 at least",
            min=0.0,
        ),
    ] = None,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Each route at a glance: last cycle, what is left, what waits. Exit code 1 if one is not well."""
    from renkei.daemon.beside import see
    from renkei.wire import look
    from state.views import status as ask

    here = session(project, env, lang, as_json=json)
    about = _scopes(here.project)
    with look(here.project) as reader:
        found = ask(reader, about, since=time.time() - _DAY)
    seen = see(here.project, [each.route for each in about])
    routes = [_status_data(each, _oldest(here, each.route, max_age)) for each in found]
    well = all(each["ok"] for each in routes) and not (seen.still or seen.mapping)
    if json:
        data = {"ok": well, "env": here.project.env, "routes": routes, "service": service.shown_data(seen)}
        as_json(data)
    else:
        _show_status(here, routes)
        service.show(here, seen)
    leave(0 if well else 1)


def _oldest(here: Session, route: str, asked: float | None) -> float:
    """Minutes after which what a route has read is too old: as asked for, else three of its cycles."""
    return max(_FRESH, 3 * here.project.service.interval(route) / 60.0) if asked is None else asked


def _scopes(project: Project) -> list[RouteScope]:
    """What each route is about; where the files are wrong, what the running service works with. Raises Fatal,
    MappingError."""
    from mappings.errors import MappingError
    from renkei.daemon.beside import scopes_at_work
    from renkei.wire import load_rules, scopes

    try:
        return scopes(load_rules(project))
    except MappingError:
        found = scopes_at_work(project)
        if not found:
            raise
        return found


def _too_old(each: RouteStatus, oldest: float) -> dict[str, float]:
    """The systems whose last complete read began before a time, and when it did (unix seconds; 0 = never)."""
    begun = {feed.system: feed.at for feed in each.feeds if feed.name == "front" and feed.complete}
    return {name: begun.get(name, 0.0) for name in each.records if begun.get(name, 0.0) < oldest}


def _status_data(each: RouteStatus, max_age: float) -> dict[str, Any]:
    last = each.last_run
    stale = _too_old(each, time.time() - 60.0 * max_age) if each.first_applied else {}
    waiting = sum(each.operations.values()) + sum(each.holds.values())
    braked = bool(last and last.state == "braked")
    failed = bool(last and last.state == "failed")
    return {
        "route": each.route,
        "ok": each.first_applied and not (waiting or braked or failed or each.dirty or stale),
        "first_applied": each.first_applied,
        "last_run": {
            "id": last.id, "trigger": last.trigger, "state": last.state, "started": last.started,
            "ended": last.ended, "digest": last.digest, "figures": dict(last.figures),
        } if last else None,
        "why": str(last.figures.get("why", "")) if last else "",
        "brakes": [str(reason) for _action, reason in last.figures.get("brakes", [])] if last else [],
        "too_old": stale,
        "max_age": max_age,
        "to_decide": each.dirty,
        "open": dict(each.operations),
        "unreleased": dict(each.unreleased),
        "holds": dict(each.holds),
        "written_24h": dict(each.applied),
        "in_flight": dict(each.in_flight),
        "records": dict(each.records),
        "linked": each.linked,
    }  # fmt: skip


def _show_status(here: Session, routes: list[dict[str, Any]]) -> None:
    words = here.words
    head = [
        words(f"status.{name}") for name in ("route", "last", "linked", "dirty", "today", "waits", "state")
    ]
    rows: list[list[str]] = []
    for each in routes:
        last = each["last_run"]
        waits = sum(each["open"].values()) + sum(each["holds"].values())
        state = words("status.ok" if each["ok"] else "status.look")
        state = state if each["first_applied"] else words("status.first")
        when = stamp(last["started"]) if last else words("status.never")
        today = counts(each["written_24h"])
        rows.append(
            [each["route"], when, f"{each['linked']:,}", f"{each['to_decide']:,}", today, f"{waits:,}", state]
        )
    say(words("env", env=here.project.env), *table(head, rows))
    for each in routes:
        last = each["last_run"]
        if last and last["state"] == "failed":
            why = each["why"] or words("status.failed", when=stamp(last["started"]))
            say(paint(f"  {why}", "red"))
            say(f"  {words('next')}  {words('status.failed_next')}")
        for system, at in each["too_old"].items():
            when = stamp(at) if at else words("status.never")
            say(
                paint(
                    "  " + words("status.stale", system=system, when=when, minutes=f"{each['max_age']:g}"),
                    "red",
                )
            )
        if each["too_old"]:
            say(f"  {words('next')}  {words('status.stale_next')}")
        for reason in each["brakes"]:
            say(paint("  " + words("plan.brake", reason=telling.brake(words, reason)), "red"))
        if each["brakes"]:
            say(f"  {words('next')}  {words('sync.brake_next')}")
        left = {name: n for name, n in {**each["open"], **each["holds"]}.items() if n}
        if left:
            say("  " + words("sync.open", open=counts(telling.named(words, left))))


def trace(
    who: Annotated[str, typer.Argument(help="an e-mail address, or system:id")],
    field: Annotated[str, typer.Option("--field", help="only this field")] = "",
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Everything known of one person: who holds what, what was written, when, from what, by which rule."""
    from renkei.story import field_names
    from renkei.wire import load_rules

    here = session(project, env, lang, as_json=json)
    rules = load_rules(here.project)
    if field and field not in field_names(rules):
        _refuse_field(field, rules)
    found = _find(here, who, rules)
    if not found:
        problem(
            here.words, here.words("trace.nobody", who=who), here.words("trace.nobody_next"), json_wanted=json
        )
        leave(1)
    stories = [_story(here, each, rules, field) for each in found]
    if json:
        as_json({"ok": True, "env": here.project.env, "found": stories})
        return
    for story in stories:
        _show_story(here, story)


def _story(here: Session, each: Trace, rules: tuple[Rules, ...], field: str) -> dict[str, Any]:
    from renkei.story import history, name_of_person, now_lines

    return {
        "entity": each.entity,
        "name": name_of_person(each),
        "records": [
            {"ref": name_of(r.ref), "object": r.ref.object, "state": r.state, "values": dict(r.values)}
            for r in each.records
        ],
        "fields": now_lines(each, rules, field),
        "holds": [hold_data(hold) for hold in each.holds],
        "history": history(each, rules, field, lambda row: telling.refusal(here.words, row, rules)),
    }


def _refuse_field(field: str, rules: tuple[Rules, ...]) -> None:
    from mappings.errors import did_you_mean
    from renkei.story import field_names
    from sync.errors import Fatal

    raise Fatal(f"No mapping has a field «{field}».", did_you_mean(field, field_names(rules)))


def _find(here: Session, who: str, rules: tuple[Rules, ...]) -> tuple[Trace, ...]:
    from matching.email import email_key, normalise_email
    from matching.keys import key_hash
    from renkei.wire import look
    from state.trace import trace as ask
    from sync.normalise import ADDRESS
    from sync.record import Ref

    system, colon, id_ = who.partition(":")
    with look(here.project) as reader:
        if colon and system in here.project.systems:
            objects = {
                name
                for one in rules
                for side, each in one.systems.items()
                if each == system
                for name in one.objects[side].all
            }
            return ask(reader, refs=[Ref(system, name, id_) for name in sorted(objects)])
        address = normalise_email(who)
        return ask(reader, hashes=[key_hash(ADDRESS, email_key(address))]) if address else ()


def _show_story(here: Session, story: dict[str, Any]) -> None:
    words = here.words
    refs = " ⇄ ".join(
        f"{each['object']} {each['ref']}" for each in story["records"] if each["state"] != _CONVERTED
    )
    say(f"{paint(story['name'], 'bold')}   {refs}")
    alone = len({each["ref"].partition(":")[0] for each in story["records"]}) == 1
    for line in story["fields"]:
        now = " · ".join(f"{system} {shown(value)}" for system, value in line["now"].items())
        agreed = words("trace.agreed", value=" / ".join(map(shown, line["agreed"]))) if line["agreed"] else ""
        state = words("trace.alone" if alone else "trace.in_step" if line["in_step"] else "trace.apart")
        say(f"{words('trace.now')}  {line['field']}   {now}   {agreed}   {state}")
    for hold in story["holds"]:
        kind = telling.waits(words, hold["kind"], "")
        say(paint(f"{words('trace.holds')}  {hold['field']}   {kind}", "yellow"))
    for line in story["history"]:
        what = words(f"trace.{line['what']}")
        lost = "   " + words("trace.lost", value=shown(line["lost"])) if line["lost"] is not None else ""
        change = f"{shown(line['old'])} → {shown(line['new'])}"
        say(f"{stamp(line['at'])}  {what}  {line['system']}  {line['field']}  {change}   {line['how']}{lost}")
        if line["why"]:
            say(f"    {line['why']}", *([f"    {words('next')}  {line['next']}"] if line["next"] else ()))
