"""The commands that show what systems refused: errors list, errors show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli.codes import DONE, LEFT
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Route, Session, session
from renkei.cli.screen import as_json, leave, paint, say, shown, stamp, table
from renkei.cli.shared import Limit, OfRoute
from sync.errors import Fatal

if TYPE_CHECKING:
    from renkei.failures import Cause, Failure
    from sync.rules import Rules

Name = Annotated[
    str, typer.Argument(help="a cause of `renkei errors list`, or the beginning of one, or an id")
]

group = typer.Typer(no_args_is_help=True, help="What systems refused, by cause.")


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    app.add_typer(group, name="errors")


@group.command("list")
def list_(
    route: Route = "",
    of_route: OfRoute = "",
    cause: Annotated[str, typer.Option("--cause", help="only this cause, or those that begin so")] = "",
    system: Annotated[str, typer.Option("--system", help="only what this system refused")] = "",
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What is refused now, by cause: how many, since when, when it is tried again, and what to do."""
    from renkei.failures import causes, failures

    here = opened(session(project, env, lang, as_json=json), of_route or route)
    if system and system not in here.project.systems:
        raise Fatal(
            f"renkei.yaml names no system {system}.", f"choose one of {', '.join(here.project.systems)}"
        )
    found = causes(failures(here.project, route=of_route or route, system=system, cause=cause))
    if json:
        told = [as_data(here, each) for each in found]
        as_json({"ok": not found, "env": here.project.env, "causes": told})
    elif not found:
        say(here.words("errors.none"))
    else:
        say(*(line for each in found for line in cause_lines(here, each)))
    leave(LEFT if found else DONE)


@group.command()
def show(
    what: Name,
    route: Route = "",
    of_route: OfRoute = "",
    limit: Limit = 20,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What was refused, one by one: what was to be written, the system's own words, and the next try."""
    from renkei.failures import failures, named

    here = opened(session(project, env, lang, as_json=json), of_route or route)
    found = named(failures(here.project, route=of_route or route), what)
    told = _told(here, found[:limit])
    if json:
        more = len(found) > limit
        as_json({"ok": False, "env": here.project.env, "failures": told, "more": more, "total": len(found)})
    else:
        say(*(line for each in told for line in _lines(here, each)))
        say(*([here.words("errors.more", limit=limit)] if len(found) > limit else []))
    leave(LEFT)


def opened(here: Session, route: str) -> Session:
    """This session. Raises Fatal for a route that there is not."""
    from renkei.wire import choose, load_rules

    if route:
        choose(load_rules(here.project), route)
    return here


# --- how it is shown -------------------------------------------------------------------------------------


def _step(here: Session, meaning: str) -> str:
    """The next step of a meaning; that of `other` for one that this version does not know."""
    key = f"meaning.{meaning}_next"
    text = here.words(key)
    return here.words("meaning.other_next") if text == key else text


def as_data(here: Session, each: Cause) -> dict[str, Any]:
    """One cause with stable keys."""
    from renkei.failures import cause_data

    return cause_data(each, _step(here, each.meaning))


def cause_lines(here: Session, each: Cause) -> list[str]:
    """One cause on a screen."""
    words = here.words
    records = words(
        "errors.line", records=f"{each.records:,}", since=stamp(each.since), when=_when(here, each.next_at)
    )
    return [
        f"{paint(each.name, 'bold')}   {telling.word(words, 'meaning', each.meaning)}",
        f"  {records}   {words('errors.example', number=each.example)}",
        f"  {words('next')}  {_step(here, each.meaning)}",
    ]


def _when(here: Session, at: float) -> str:
    return here.words("errors.when", at=stamp(at)) if at else here.words("errors.never")


def _told(here: Session, found: Sequence[Failure]) -> list[dict[str, Any]]:
    """These refusals as data, with the records that each is about."""
    from renkei.cli.inbox import name_of
    from renkei.failures import failure_data, leading_now
    from renkei.wire import load_rules, look
    from state.reader import operation_info, records_by_entity

    rules: tuple[Rules, ...] = load_rules(here.project)
    with look(here.project) as reader, reader.snapshot():
        records = records_by_entity(reader, {each.row.entity for each in found} - {0})
    told = []
    for each in found:
        family = records.get(each.row.entity, ())
        of = [name_of(record.ref) for record in family]
        leads = leading_now(each.row, family)
        special = telling.refusal(here.words, operation_info(each.row), rules).step
        step = special or _step(here, each.error.meaning)
        told.append(failure_data(each, of, step, name_of(leads.ref) if leads else ""))
    return told


def _lines(here: Session, each: dict[str, Any]) -> list[str]:
    words = here.words
    name = f"{each['system']}:{each['record'] or each['object']}"
    others = [record for record in each["records"] if record not in (name, each["leads"])]
    head = [paint(name, "bold")] + ([words("errors.leads", record=each["leads"])] if each["leads"] else [])
    changes = [
        (f"  {field['field']}", f"{shown(field['expected'])} → {shown(field['desired'])}")
        for field in each["fields"]
    ]
    tried = words(
        "errors.tried", attempts=each["attempts"], when=_when(here, each["next_at"]), route=each["route"],
        run=each["run"], digest=each["digest"][:8],
    )  # fmt: skip
    meaning = telling.word(words, "meaning", each["meaning"])
    said = words("errors.said", system=each["system"], code=each["code"], message=each["message"] or "–")
    return [
        f"{each['id']}   {'   '.join(head)}   {' '.join(others)}   {each['cause']}",
        f"  {meaning}   {said}",
        *table(("", ""), changes)[1:],
        f"  {tried}",
        f"  {words('next')}  {each['next']}",
    ]
