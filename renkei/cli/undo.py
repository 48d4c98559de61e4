"""The command that takes back what we wrote, alone and beside a running renkei: undo."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from renkei.cli.agreeing import agreed
from renkei.cli.codes import DONE, LEFT, code_of_results
from renkei.cli.delivery import show_result
from renkei.cli.looking import find_traces
from renkei.cli.opening import at_work
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Session, Verbose, session
from renkei.cli.screen import as_json, counts, leave, moment, paint, say, shown
from renkei.cli.shared import DryRun, Field, Yes
from sync.errors import Fatal

if TYPE_CHECKING:
    from renkei.undoing import Part
    from renkei.undone import Outcome
    from state.undoable import Meant
    from sync.rules import Rules

Name = Annotated[
    str, typer.Argument(help="a run's number, a field, a digest, an e-mail address or system:id")
]
AndPause = Annotated[
    bool, typer.Option("--and-pause", help="pause the route afterwards; needed for a rule that is at work")
]
DeleteCreated = Annotated[
    bool,
    typer.Option(
        "--delete-created",
        help="delete records that renkei created and nobody has touched; never without --yes",
    ),
]

_ONE_BY_ONE = ("effect", "optout", "final")
_SHOWN = 10


class What(StrEnum):
    """What names the writes that are meant."""

    RUN = "run"
    RULE = "rule"
    DIGEST = "digest"
    PERSON = "person"


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(undo)


def undo(
    what: Annotated[What, typer.Argument(help="what is named: run, rule, digest or person")],
    name: Name,
    field: Field = "",
    since: Annotated[str, typer.Option("--since", help="only what was written from this time on")] = "",
    who: Annotated[str, typer.Option("--who", help="only this person: an e-mail address or system:id")] = "",
    dry_run: DryRun = False,
    and_pause: AndPause = False,
    delete_created: DeleteCreated = False,
    yes: Yes = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Take back what renkei wrote, where it still stands as written; what was touched since is left alone."""
    from renkei.undoing import parts_of
    from renkei.wire import load_rules

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    rules = load_rules(here.project)
    only = name if what is What.RULE else field
    _refuse_strange(rules, what, name, only, and_pause=and_pause or dry_run)
    meant = _meant(here, rules, what, name, since, who)
    named = f"{what.value} {name}"
    parts = parts_of(here.project, rules, meant, what=named, field=only, delete=delete_created)
    _show_parts(here, parts, dry_run=dry_run or (delete_created and not yes))
    agreed(here, "undo.ask", asked=not yes)
    _end(here, _done(here, [part for part in parts if not part.empty]), and_pause=and_pause)


def _done(here: Session, parts: list[Part]) -> list[Outcome]:
    """Take it back, by the running service where there is one. Raises Fatal, Retryable."""
    from renkei.daemon.beside import service_of
    from renkei.undoing import alone, beside

    if service_of(here.project) is not None:
        return beside(here.project, parts)
    route = parts[0].route if len(parts) == 1 else ""
    with at_work(
        "undo", here.folder, here.env, here.words.lang, json=here.as_json, log_json=here.log_json,
        verbose=here.verbose, route=route,
    ) as desk:  # fmt: skip
        return alone(desk.wired, parts, desk.teller)


def _refuse_strange(rules: tuple[Rules, ...], what: What, name: str, field: str, *, and_pause: bool) -> None:
    """Raises Fatal for a field that no mapping has, and for a rule that would go on writing."""
    from mappings.errors import did_you_mean
    from renkei.story import field_names

    if field and field not in field_names(rules):
        raise Fatal(f"No mapping has a field «{field}».", did_you_mean(field, field_names(rules)))
    if what is What.RULE and not and_pause:
        step = (
            "add --and-pause: the route then waits until you have changed the mapping and say `renkei resume`"
        )
        raise Fatal(f"The rule of «{name}» is at work and would write again with its next change.", step)


def _meant(here: Session, rules: tuple[Rules, ...], what: What, name: str, since: str, who: str) -> Meant:
    from state.undoable import Meant

    begin = moment(since)
    entities = _entities(here, who, rules) if who else None
    match what:
        case What.RUN:
            if not name.isdigit() or not int(name):
                raise Fatal(f"«{name}» is no number of a run.", "`renkei trace` names the run of every write")
            return Meant(run=int(name), since=begin, entities=entities)
        case What.DIGEST:
            if len(name) < 4:
                raise Fatal(
                    f"«{name}» is too short for a digest.",
                    "give at least four signs of what `renkei plan` shows",
                )
            return Meant(digest=name, since=begin, entities=entities)
        case What.PERSON:
            return Meant(entities=_entities(here, name, rules), since=begin)
        case What.RULE:
            return Meant(since=begin, entities=entities)


def _entities(here: Session, who: str, rules: tuple[Rules, ...]) -> set[int]:
    """Who is meant by an e-mail address or system:id, under all numbers that they have borne."""
    return {number for each in find_traces(here, who, rules) for number in (each.entity, *each.former)}


def _show_parts(here: Session, parts: list[Part], *, dry_run: bool) -> None:
    """What would happen; ends the command where that is all, or nothing would."""
    from renkei.undoing import as_data

    data = [as_data(part) for part in parts]
    empty = all(part.empty for part in parts)
    if here.as_json:
        if dry_run or empty:
            as_json({"ok": not empty, "env": here.project.env, "dry_run": dry_run, "routes": data})
    else:
        say(here.words("env", env=here.project.env))
        for each in data:
            _show_part(here, each)
        if empty:
            say(here.words("undo.nothing" if parts else "undo.nobody"))
        elif dry_run:
            say(here.words("undo.dry"))
            if any(each["deleted"] for each in data):
                say(f"{here.words('next')}  {here.words('undo.delete_next')}")
    if empty or dry_run:
        leave(LEFT if empty else DONE)


def _show_part(here: Session, data: dict[str, Any]) -> None:
    words, left = here.words, data["left"]
    head = words(
        "undo.head",
        values=f"{data['values']:,}",
        unlinked=f"{len(data['unlinked']):,}",
        left=f"{len(left):,}",
    )
    say(f"{paint(data['route'], 'bold')}   {head}")
    for system, fields in data["fields"].items():
        say(f"  {system}   {counts(fields)}")
    if data["deleted"]:
        say(paint("  " + words("undo.delete", number=f"{len(data['deleted']):,}"), "red"))
        say(*(f"    {name}" for name in data["deleted"]))
    if data["linked_again"]:
        say("  " + words("undo.again", number=f"{data['linked_again']:,}"))
    if data["called_off"]:
        say("  " + words("undo.called_off", number=f"{data['called_off']:,}"))
    for each in data["examples"]:
        change = f"{shown(each['now'])} → {shown(each['then'])}"
        say(f"  {each['system']}:{each['record']}   {each['field']} {change}")
    if data["values"] > len(data["examples"]):
        say("  " + words("undo.more", number=f"{data['values'] - len(data['examples']):,}"))
    _show_left(here, data["left"])


def _show_left(here: Session, left: list[dict[str, Any]]) -> None:
    """What stays as it is, each with the reason; of frequent reasons the first few."""
    words = here.words
    seen: Counter[str] = Counter()
    for each in left:
        seen[each["why"]] += 1
        if each["why"] in _ONE_BY_ONE or seen[each["why"]] <= _SHOWN:
            why = words(f"undo.why.{each['why']}")
            record = f"{each['system']}:{each['record'] or '–'}"
            say(paint("  " + "   ".join(filter(None, (record, each["field"], why))), "yellow"))
    for why, number in seen.items():
        if why not in _ONE_BY_ONE and number > _SHOWN:
            rest = words("undo.more", number=f"{number - _SHOWN:,}")
            say(paint(f"  {rest}   {words(f'undo.why.{why}')}", "yellow"))


def _end(here: Session, done: list[Outcome], *, and_pause: bool) -> NoReturn:
    """Pause where that was wanted, and say what came of it."""
    from renkei.daemon.beside import post
    from renkei.daemon.notes import PAUSE
    from renkei.syncing import as_data as result_data
    from renkei.undoing import as_data, left_data

    for each in done if and_pause else ():
        post(here.project, PAUSE, each.part.route, reason=each.part.word.what)
    whole = all(each.run and not (each.rest or each.kept) for each in done)
    code = code_of_results([each.result for each in done])
    if here.as_json:
        routes = [
            as_data(each.part)
            | {"run": each.run, "taken_back": each.taken, "gone": each.deleted}
            | {"not_done": [left_data(one) for one in (*each.rest, *each.kept)]}
            | {"result": result_data(each.result)}
            for each in done
        ]
        data = {"ok": whole and code == DONE, "env": here.project.env, "dry_run": False, "paused": and_pause}
        as_json(data | {"routes": routes})
    else:
        _show_done(here, done, and_pause=and_pause)
    leave(code if whole or code != DONE else LEFT)


def _show_done(here: Session, done: list[Outcome], *, and_pause: bool) -> None:
    from renkei.undoing import left_data

    words = here.words
    for each in done:
        show_result(here, each.result)
        part = each.part
        values = f"{len(part.judged.takes):,}"
        facts = words("undo.done", taken=f"{each.taken:,}", values=values, run=each.run)
        say("  " + (facts if each.run else words("undo.not_yet")))
        if part.judged.deletes:
            wanted = f"{len(part.judged.deletes):,}"
            say("  " + words("undo.deleted", gone=f"{each.deleted:,}", wanted=wanted))
        _show_left(here, [left_data(one) for one in (*each.rest, *each.kept)])
        if each.run and (each.taken or len(part.judged.unlinks) > each.deleted):
            say(f"  {words('next')}  {words('undo.done_next', run=each.run)}")
        if and_pause:
            say("  " + words("undo.paused", route=part.route))
