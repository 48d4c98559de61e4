"""Commands about plans: plan, show, apply."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli.codes import DONE, LEFT, code_of_results
from renkei.cli.delivery import show_rest
from renkei.cli.opening import at_work
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Route, Session, Verbose, session
from renkei.cli.screen import as_json, counts, leave, paint, say, shown, table
from renkei.cli.shared import Field

if TYPE_CHECKING:
    from renkei.applying import Applied
    from renkei.differences import Difference
    from renkei.planfile import Listed, Plan

PlanFile = Annotated[Path, typer.Argument(help="a plan written by `renkei plan --out`")]

SHOWN = 10
_NAMES = ("action", "system", "object", "record")


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    for command in (plan, show, apply):
        app.command()(command)


def plan(
    route: Route = "",
    out: Annotated[Path | None, typer.Option("--out", help="write the plan to this file")] = None,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Read both sides and show what would be written; write nothing."""
    from renkei.planfile import VERSION, Plan, refuse_place, write_plan
    from renkei.planning import planned
    from renkei.syncing import plan_route

    if out is not None:
        refuse_place(out)
    with at_work(
        "plan", project, env, lang, json=json, log_json=log_json, verbose=verbose, route=route
    ) as desk:
        here, wired = desk.here, desk.wired
        found = []
        for world in wired.worlds.values():
            total = plan_route(wired, world)
            if total.gave_up is not None:
                raise total.gave_up
            found.append(planned(wired, world, total, whole=out is not None))
        now = next(iter(wired.worlds.values())).clock.now()
        made = Plan(VERSION, now, here.project.env, wired.store_name, [part for part, _ in found])
    if out is not None:
        write_plan(out, made)
    screens = [data for _, data in found]
    stopped = any(each["brake_numbers"] or each["brake_ends"] for each in screens)
    _show_planned(here, screens, made, out, well=not stopped)
    leave(LEFT if stopped else DONE)


def _show_planned(
    here: Session, screens: list[dict[str, Any]], made: Plan, out: Path | None, *, well: bool
) -> None:
    """The plan of each route, and where it was written to."""
    if here.as_json:
        written = str(out) if out else None
        as_json({"ok": well, "env": here.project.env, "routes": screens, "written_to": written})
        return
    say(f"{here.words('env', env=here.project.env)}   {here.words('nothing_written')}")
    for data in screens:
        show_plan(here, data)
    if out is not None:
        number = sum(len(part.operations) for part in made.routes)
        say(here.words("plan.written", number=f"{number:,}", path=out))


def show_plan(here: Session, data: dict[str, Any], *, played: bool = False) -> None:
    """A route's plan in figures, with its first lines; `played`: only by a replay, so that nothing of it can be
    answered or let go."""
    words = here.words
    head = words("plan.head", digest=data["digest"], linked=f"{data['linked']:,}")
    say(f"{paint(data['route'], 'bold')}   {head}   {counts(data['records'])}")
    if not data["total"]:
        say(f"  {words('plan.nothing')}")
    systems = list(data["actions"])
    kinds = list(dict.fromkeys(kind for each in data["actions"].values() for kind in each))
    rows = [
        [
            telling.word(words, "action", kind),
            *(f"{data['actions'][name].get(kind, 0):,}" for name in systems),
        ]
        for kind in kinds
    ]
    say(*(f"  {line}" for line in table(["", *systems], rows)) if rows else ())
    if data["fields"]:
        say("  " + words("plan.fields", fields=counts(dict(list(data["fields"].items())[:8]))))
    if data["opt_outs_at_once"]:
        say("  " + words("plan.opt_outs", number=f"{data['opt_outs_at_once']:,}"))
    if data["holds"]:
        say(
            "  "
            + words(
                "replay.waits" if played else "plan.waits", holds=counts(telling.named(words, data["holds"]))
            )
        )
    for brake in data["brakes"]:
        say(paint("  " + words("plan.brake", reason=telling.brake(words, brake["reason"])), "red"))
    for step in () if played else _ways_out(here, data):
        say(f"  {words('next')}  {step}")
    for each in data["examples"]:
        say("  " + example_line(here, each))
    if data["total"] > len(data["examples"]):
        say("  " + words("plan.more", number=f"{data['total'] - len(data['examples']):,}"))
    if data["first_needed"]:
        say("  " + words("plan.first"))


def _ways_out(here: Session, data: dict[str, Any]) -> list[str]:
    """What to do about the brakes: one on everything is let go by its number, or put right."""
    steps = [here.words("status.brake_next", number=number) for number in data["brake_numbers"]]
    steps += [here.words("status.brake_ends")] if data["brake_ends"] else []
    if data["brakes"] and not steps:
        steps.append(here.words("sync.brake_next"))
    return steps


def example_line(here: Session, each: dict[str, Any]) -> str:
    """One line of a plan: action, record, and the first fields with what they become."""
    changes = [
        f"{field['field']} {shown(field['now'])} → {shown(field['then'])}"
        for field in list(each["fields"].values())[:4]
    ]
    rest = len(each["fields"]) - len(changes)
    where = f"{each['system']} {each['record'] or each['object']}"
    action = telling.word(here.words, "action", each["action"])
    return f"{action:<6}  {where}   {' · '.join(changes)}{f' … +{rest}' if rest > 0 else ''}"


def apply(
    file: PlanFile,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Deliver what a plan lists and what is still wanted as listed; list the rest."""
    from renkei.applying import apply_route
    from renkei.planfile import read_plan, refuse_other_rules, refuse_strange

    read = read_plan(file)
    with at_work("apply", project, env, lang, json=json, log_json=log_json, verbose=verbose) as desk:
        here, wired = desk.here, desk.wired
        refuse_strange(read, file, here.project.env, wired.store_name)
        for part in read.routes:
            refuse_other_rules(part, wired.worlds, file)
        done = [apply_route(wired, wired.worlds[part.route], part) for part in read.routes]
    if json:
        routes = [_apply_data(each) for each in done]
        well = all(each["ok"] for each in routes)
        as_json({"ok": well, "env": here.project.env, "routes": routes})
    else:
        _show_applied(here, done)
    code = code_of_results(each.result for each in done)
    leave(LEFT if code == DONE and any(each.others for each in done) else code)


def _apply_data(done: Applied) -> dict[str, Any]:
    from msgspec import to_builtins

    from renkei.syncing import as_data, brakes_as_data

    result, what, others, lifted = done
    return as_data(result) | {
        "ok": result.well and not others,
        "delivered": len(what.ready),
        "moved": len(what.moved),
        "not_delivered_moved": what.moved,
        "not_delivered_done_by_another_run": what.done_by_another_run,
        "not_delivered_no_longer_wanted": what.no_longer_wanted,
        "not_delivered_stopped_by_a_brake": [each.id for each in others if each.why == "stopped_by_a_brake"],
        "differences": to_builtins(others),
        "lifted": brakes_as_data(lifted),
    }


def _show_applied(here: Session, done: list[Applied]) -> None:
    words = here.words
    for result, what, others, lifted in done:
        rest = words(
            "apply.rest", moved=len(what.moved), done=len(what.done_by_another_run),
            unwanted=len(what.no_longer_wanted),
        )  # fmt: skip
        say(f"{paint(result.route, 'bold')}   {words('apply.done', number=f'{len(what.ready):,}')}   {rest}")
        for each in others[:SHOWN]:
            say("  " + _difference(here, each))
        if len(others) > SHOWN:
            say("  " + words("plan.more", number=f"{len(others) - SHOWN:,}"))
        for brake in lifted:
            say("  " + words("apply.lifted", reason=telling.brake(words, brake.reason)))
        show_rest(here, result)


def _difference(here: Session, each: Difference) -> str:
    changes = []
    unlike = {path: at for path, at in each.fields.items() if path not in each.wanted or at[1] != at[2]}
    fields = unlike or each.fields
    for path, (name, planned, wanted) in list(fields.items())[:4]:
        key = "apply.difference" if path in each.wanted else "apply.not_wanted"
        changes.append(here.words(key, field=name, planned=shown(planned), wanted=shown(wanted)))
    rest = len(fields) - len(changes)
    where = f"{each.system} {each.record or each.object}"
    return f"{here.words(f'apply.{each.why}')}   {where}   {' · '.join(changes)}{f' … +{rest}' if rest > 0 else ''}"


def show(
    file: PlanFile,
    route: Route = "",
    field: Field = "",
    action: Annotated[str, typer.Option("--action", help="only creates, updates, optouts …")] = "",
    limit: Annotated[int, typer.Option("--limit", help="lines at most; 0 = all", min=0)] = 50,
    csv: Annotated[bool, typer.Option("--csv", help="one line a field, for a spreadsheet")] = False,
    project: Folder = HERE,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show what a written plan lists, line by line, without asking anybody."""
    from renkei.planfile import chosen, read_plan
    from renkei.planning import example

    plan_ = read_plan(file)
    found = list(chosen(plan_, route=route, field=field, action=action))
    lines = found[: limit or None]
    if csv:
        _as_csv(lines, field)
        return
    if json:
        listed = [example(each) for each in lines]
        as_json({"ok": True, "env": plan_.env, "total": len(found), "operations": listed})
        return
    here = session(project, None, lang, as_json=json)
    if not found:
        say(here.words("show.none"))
    for each in lines:
        say(example_line(here, example(each)))
    if len(found) > len(lines):
        say(here.words("plan.more", number=f"{len(found) - len(lines):,}"))


def _as_csv(lines: Iterable[Listed], field: str) -> None:
    from csv import writer

    out = writer(sys.stdout, lineterminator="\n")
    out.writerow((*_NAMES, "field", "path", "now", "then", "operation", "source"))
    for each in lines:
        named = [getattr(each, name) for name in _NAMES]
        for path, (name, now, then) in each.fields.items():
            if field in ("", name):
                out.writerow((*named, name, path, now, then, each.id, each.source))
