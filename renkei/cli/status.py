"""The command that shows each route at a glance, also beside a running renkei: status."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli import service
from renkei.cli.leftover import leftover
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, counts, leave, paint, say, stamp, table

if TYPE_CHECKING:
    from renkei.backfill import Stand
    from renkei.settings import Project
    from state.answers import RouteScope, RouteStatus
    from state.reader import Reader

_DAY = 86_400.0
_FRESH = 15.0  # minutes: three cycles of five


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(status)


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

    here = session(project, env, lang, as_json=json)
    about = _scopes(here.project)
    routes = _routes(here, about, max_age)
    seen = see(here.project, [each.route for each in about])
    well = all(each["ok"] for each in routes) and not (seen.still or seen.mapping)
    if json:
        data = {"ok": well, "env": here.project.env, "routes": routes, "service": service.shown_data(seen)}
        as_json(data)
    else:
        _show(here, routes, set(seen.paused))
        service.show(here, seen)
    leave(0 if well else 1)


def _routes(here: Session, about: list[RouteScope], max_age: float | None) -> list[dict[str, Any]]:
    """How each route stands, as data with stable keys."""
    from renkei.daemon.comparison import is_well
    from renkei.wire import look
    from state.views import status as ask

    now = time.time()
    with look(here.project) as reader:
        found = ask(reader, about, since=now - _DAY)
        today = ask(reader, about, since=_midnight(now))
        more = _beyond(reader, about)
    routes = [
        _data(each, _oldest(here, each.route, max_age), now)
        | more.get(each.route, {})
        | {"written_today": dict(of_today.applied)}
        for each, of_today in zip(found, today, strict=True)
    ]
    shadows = _shadows(here.project)
    for each_ in routes:
        each_["shadow"] = each_["route"] in shadows
        each_["ok"] = each_["ok"] and is_well(each_["compared"] or {})
    return routes


def _midnight(now: float) -> float:
    local = datetime.fromtimestamp(now).astimezone()
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


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


def _shadows(project: Project) -> set[str]:
    """The routes that write nothing, as far as the mapping files can be read."""
    from mappings.errors import MappingError
    from renkei.wire import load_rules

    with suppress(MappingError):
        return {rules.route for rules in load_rules(project) if rules.shadow}
    return set()


def _beyond(reader: Reader, about: list[RouteScope]) -> dict[str, dict[str, Any]]:
    """By route: records that their system does not show, the numbers of brakes, an unfinished backfill, what came of
    the last two-sided comparison."""
    import msgspec

    from renkei.backfill import Stand, as_figures
    from renkei.daemon.notes import COMPARED, read_notes
    from renkei.inbox import PUT_RIGHT, STATED, behind, entry_of
    from state.service import notes
    from state.whole import brakes_of, unseen
    from sync.rows import BACKFILL

    compared = read_notes(reader)
    found: dict[str, dict[str, Any]] = {
        each.route: {
            "unseen": unseen(reader, each),
            "brake_numbers": [],
            "brake_ends": False,
            "backfill": None,
            "compared": compared.get(f"{COMPARED}{each.route}"),
        }
        for each in about
    }
    for row in brakes_of(reader, found):
        if row.field.rpartition("/")[2] in PUT_RIGHT:
            found[row.route]["brake_ends"] = True
        else:
            found[row.route]["brake_numbers"].append(entry_of(row, behind(reader, row)).number[:STATED])
    for route, note in notes(reader, BACKFILL).items():
        if route in found:
            stand: Stand = msgspec.json.decode(note.value, type=Stand)
            found[route]["backfill"] = as_figures(stand)
    return found


def _data(each: RouteStatus, max_age: float, now: float) -> dict[str, Any]:
    last = each.last_run
    read = {feed.system: feed.at for feed in each.feeds if feed.name == "front" and feed.complete}
    begun = {name: read.get(name, 0.0) for name in each.records}
    stale = (
        {name: at for name, at in begun.items() if at < now - 60.0 * max_age} if each.first_applied else {}
    )
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
        "read_completely": begun,
        "behind": max((now - at for at in begun.values()), default=0.0) if all(begun.values()) else None,
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


_HEAD = ("route", "last", "behind", "linked", "dirty", "today", "waits", "state")


def _show(here: Session, routes: list[dict[str, Any]], paused: set[str]) -> None:
    words = here.words
    rows = [_row(here, each, paused=each["route"] in paused) for each in routes]
    say(words("env", env=here.project.env), *table([words(f"status.{name}") for name in _HEAD], rows))
    for each in routes:
        say(*_troubles(here, each))
    for each in routes:
        say(*_compared(here, each))
    whole = [_read(here, each) for each in routes]
    say(*(f"{words('status.whole')}  {line}" for line in dict.fromkeys(whole) if line))


def _row(here: Session, each: dict[str, Any], *, paused: bool) -> list[str]:
    words, last = here.words, each["last_run"]
    when = words("status.never")
    if last:
        took = f"  {last['ended'] - last['started']:.0f} s" if last["ended"] else ""
        when = f"{stamp(last['started'])}{took}"
    waits = sum(each["open"].values()) + sum(each["holds"].values())
    behind = _span(each["behind"]) if each["behind"] is not None else "–"
    return [
        each["route"], when, behind, f"{each['linked']:,}", f"{each['to_decide']:,}",
        counts(each["written_today"]), f"{waits:,}", words(f"status.{_state(each, paused=paused)}"),
    ]  # fmt: skip


def _state(each: dict[str, Any], *, paused: bool) -> str:
    if not each["first_applied"]:
        return "first"
    if each["brakes"] or each["brake_numbers"]:
        return "brake"
    if each["last_run"] and each["last_run"]["state"] == "failed":
        return "broken"
    if each["too_old"]:
        return "old"
    if paused:
        return "paused"
    return "ok" if each["ok"] else "look"


def _span(seconds: float) -> str:
    """«41 s», «12 min», «1 h 12», «3 d»."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02}" if minutes < 2 * 1_440 else f"{minutes // 1_440} d"


def _brakes(here: Session, each: dict[str, Any]) -> Iterator[str]:
    """The brakes of a route, each in its line, and what to do about them."""
    words = here.words
    for reason in each["brakes"]:
        yield paint("  " + words("plan.brake", reason=telling.brake(words, reason)), "red")
    for number in each["brake_numbers"]:
        yield f"  {words('next')}  {words('status.brake_next', number=number)}"
    if each["brake_ends"]:
        yield f"  {words('next')}  {words('status.brake_ends')}"
    elif each["brakes"] and not each["brake_numbers"]:
        yield f"  {words('next')}  {words('sync.brake_next')}"


def _troubles(here: Session, each: dict[str, Any]) -> Iterator[str]:
    """Whatever is not well with a route, each with its next step."""
    words, last = here.words, each["last_run"]
    if last and last["state"] == "failed":
        why = each["why"] or words("status.failed", when=stamp(last["started"]))
        yield paint(f"  {why}", "red")
        yield f"  {words('next')}  {words('status.failed_next')}"
    for system, at in each["too_old"].items():
        when = stamp(at) if at else words("status.never")
        text = words("status.stale", system=system, when=when, minutes=f"{each['max_age']:g}")
        yield paint(f"  {text}", "red")
    if each["too_old"]:
        yield f"  {words('next')}  {words('status.stale_next')}"
    yield from _brakes(here, each)
    left, first = {**each["open"], **each["holds"]}, not each["first_applied"]
    yield from leftover(here, each["route"], left, first=first, shadow=each["shadow"])
    if each["backfill"]:
        yield "  " + _backfill(here, each["backfill"])
        if each["backfill"]["why"] and each["backfill"]["phase"] != "stopped":
            yield paint("  " + _waits(here, each["backfill"]), "yellow")


def _compared(here: Session, each: dict[str, Any]) -> Iterator[str]:
    """How the last two-sided comparison of a route ended."""
    from renkei.daemon.comparison import gaps_of, is_well, line

    note = each["compared"] or {}
    text = line(note, here.words)
    if text:
        yield f"{each['route']}   {text}" if is_well(note) else paint(f"{each['route']}   {text}", "red")
    if gaps_of(note):
        yield f"  {here.words('next')}  {here.words('compared.next', route=each['route'])}"


def _backfill(here: Session, found: dict[str, Any]) -> str:
    """How far an unfinished backfill is, with rate and rest."""
    done, total = sum(found["read"].values()), sum(found["to_read"].values())
    rate = done / found["seconds"] if found["seconds"] else 0.0
    rest = _span(max(0, total - done) / rate) if rate and found["phase"] == "reading" else "–"
    return here.words(
        "status.backfill", phase=found["phase"], done=f"{done:,}", total=f"{total:,}", rate=f"{rate:,.0f}",
        rest=rest, sent=f"{sum(found['sent'].values()):,}", planned=f"{sum(found['to_send'].values()):,}",
    )  # fmt: skip


def _waits(here: Session, found: dict[str, Any]) -> str:
    """What an unfinished backfill waits for."""
    if found["braked"]:
        return here.words("status.backfill_braked", why=telling.brake(here.words, found["why"]))
    return here.words("status.backfill_waits", why=found["why"])


def _read(here: Session, each: dict[str, Any]) -> str:
    """When each system was last read to its end, and what it does not show."""
    read = {name: stamp(at) for name, at in each["read_completely"].items() if at}
    line = f"{each['route']}   " + " · ".join(f"{name} {when}" for name, when in read.items())
    hidden = counts(each["unseen"]) if each["unseen"] else ""
    return line + (f"   {here.words('status.unseen', unseen=hidden)}" if hidden else "") if read else ""
