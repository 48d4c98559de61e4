"""The commands about what systems refused: errors list, show, retry, discard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli.agreeing import agreed
from renkei.cli.codes import DONE, LEFT, code_of_results
from renkei.cli.delivery import show_rest
from renkei.cli.opening import at_work
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Session, Verbose, session
from renkei.cli.screen import as_json, leave, paint, say, shown, stamp, table
from renkei.cli.shared import DryRun, KeepBoth, Limit, OfRoute, Reason, Yes
from sync.errors import Fatal

if TYPE_CHECKING:
    from renkei.failures import Cause, Failure
    from renkei.syncing import Result
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

    here = _opened(project, env, lang, of_route, as_json=json)
    if system and system not in here.project.systems:
        raise Fatal(
            f"renkei.yaml names no system {system}.", f"choose one of {', '.join(here.project.systems)}"
        )
    found = causes(failures(here.project, route=of_route, system=system, cause=cause))
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
    of_route: OfRoute = "",
    limit: Limit = 20,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What was refused, one by one: what was to be written, the system's own words, and the next try."""
    from renkei.failures import failures, named

    here = _opened(project, env, lang, of_route, as_json=json)
    found = named(failures(here.project, route=of_route), what)
    told = _told(here, found[:limit])
    if json:
        more = len(found) > limit
        as_json({"ok": False, "env": here.project.env, "failures": told, "more": more, "total": len(found)})
    else:
        say(*(line for each in told for line in _lines(here, each)))
        say(*([here.words("errors.more", limit=limit)] if len(found) > limit else []))
    leave(LEFT)


@group.command()
def retry(
    what: Annotated[str, typer.Argument(help="a cause, the beginning of one, or an id")] = "",
    everything: Annotated[bool, typer.Option("--all", help="whatever is refused")] = False,
    of_route: OfRoute = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Try again now what was refused, instead of waiting for the next try by itself."""
    from renkei.daemon.beside import service_of
    from renkei.failing import alone, beside, still_refused

    here = _opened(project, env, lang, of_route, as_json=json, log_json=log_json, verbose=verbose)
    parts = _by_route(_meant(here, what, of_route, everything=everything))
    _show_plan(here, "errors.retry_head", parts, dry_run=dry_run)
    agreed(here, "errors.ask", asked=not yes)
    if service_of(here.project) is not None:
        results = beside(here.project, parts)
    else:
        only = next(iter(parts)) if len(parts) == 1 else ""
        with at_work(
            "errors retry", project, env, lang, json=json, log_json=log_json, verbose=verbose, route=only
        ) as desk:
            results = alone(desk.wired, parts, desk.teller)
    _end_retry(here, parts, still_refused(here.project, parts), results)


def _end_retry(
    here: Session, parts: dict[str, tuple[int, ...]], left: int, results: Sequence[Result]
) -> None:
    from renkei.syncing import as_data

    tried, code = sum(map(len, parts.values())), code_of_results(results)
    code = LEFT if left and code == DONE else code
    if here.as_json:
        data = {"ok": code == DONE, "env": here.project.env, "dry_run": False, "tried": tried, "left": left}
        as_json(data | {"routes": [as_data(each) for each in results]})
    else:
        say(here.words("errors.retried", number=f"{tried:,}", left=f"{left:,}"))
        for each in results:
            show_rest(here, each)
    leave(code)


@group.command()
def discard(
    what: Name,
    reason: Reason = "",
    keep_both: KeepBoth = False,
    of_route: OfRoute = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Give up what was refused: it is listed as different until a side changes."""
    from renkei.failing import give_up, is_kept

    here = _opened(project, env, lang, of_route, as_json=json)
    if not (dry_run or reason.strip()):
        raise Fatal("A discard needs a reason.", "add --reason 'why'; it is kept with what was given up")
    meant = _meant(here, what, of_route)
    parts = _by_route(each for each in meant if not is_kept(each))
    kept = len({each.row.id for each in meant if is_kept(each)})
    _show_plan(here, "errors.discard_head", parts, dry_run=dry_run, kept=kept)
    agreed(here, "errors.ask", asked=not yes)
    done = give_up(here.project, parts, reason, keep_both=keep_both)
    number = sum(map(len, parts.values()))
    if here.as_json:
        data = {"ok": not kept, "env": here.project.env, "dry_run": False, "discarded": number}
        as_json(data | {"kept": kept, "done": done})
    else:
        say(here.words("errors.discarded" if done else "errors.later", number=f"{number:,}"))
    leave(LEFT if kept else DONE)


# --- what is meant ---------------------------------------------------------------------------------------


def _opened(folder: Any, env: str | None, lang: str | None, route: str, **form: bool) -> Session:
    """A session; raises Fatal for a route that there is not."""
    from renkei.wire import choose, load_rules

    here = session(folder, env, lang, **form)
    if route:
        choose(load_rules(here.project), route)
    return here


def _meant(here: Session, what: str, route: str, *, everything: bool = False) -> list[Failure]:
    """What a command is about; ends it where nothing is refused at all. Raises Fatal."""
    from renkei.failures import failures, named

    if bool(what) is everything:
        raise Fatal("It is not said what is meant.", "name a cause or an id, or give --all")
    found = failures(here.project, route=route)
    if everything and not found:
        if here.as_json:
            as_json(
                {"ok": True, "env": here.project.env, "dry_run": False, "tried": 0, "left": 0, "routes": []}
            )
        else:
            say(here.words("errors.none"))
        leave(DONE)
    return found if everything else named(found, what)


def _by_route(found: Iterable[Failure]) -> dict[str, tuple[int, ...]]:
    """The operations of each route, each once."""
    parts: dict[str, dict[int, None]] = {}
    for each in found:
        parts.setdefault(each.row.route, {})[each.row.id] = None
    return {route: tuple(ids) for route, ids in parts.items()}


def _show_plan(
    here: Session, head: str, parts: dict[str, tuple[int, ...]], *, dry_run: bool, kept: int = 0
) -> None:
    """What would be done; ends the command where that is all, or nothing would."""
    number = sum(map(len, parts.values()))
    over = dry_run or not number
    if here.as_json and over:
        ids = {route: list(each) for route, each in parts.items()}
        data = {"ok": bool(number), "env": here.project.env, "dry_run": dry_run, "operations": ids}
        as_json(data | {"kept": kept})
    elif not here.as_json:
        say(here.words(head, number=f"{number:,}"))
        say(*([here.words("errors.kept", number=f"{kept:,}")] if kept else []))
        say(*([here.words("errors.dry")] if over else []))
    if over:
        leave(DONE if number else LEFT)


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
    from renkei.failures import failure_data
    from renkei.wire import load_rules, look
    from state.reader import operation_info, records_by_entity

    rules: tuple[Rules, ...] = load_rules(here.project)
    with look(here.project) as reader, reader.snapshot():
        records = records_by_entity(reader, {each.row.entity for each in found} - {0})
    told = []
    for each in found:
        of = [name_of(record.ref) for record in records.get(each.row.entity, ())]
        special = telling.refusal(here.words, operation_info(each.row), rules).step
        told.append(failure_data(each, of, special or _step(here, each.error.meaning)))
    return told


def _lines(here: Session, each: dict[str, Any]) -> list[str]:
    words = here.words
    name = f"{each['system']}:{each['record'] or each['object']}"
    others = [record for record in each["records"] if record != name]
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
        f"{each['id']}   {paint(name, 'bold')}   {' '.join(others)}   {each['cause']}",
        f"  {meaning}   {said}",
        *table(("", ""), changes)[1:],
        f"  {tried}",
        f"  {words('next')}  {each['next']}",
    ]
