"""Commands that plan and deliver: plan, apply, sync."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Route, Session, Verbose, session
from renkei.cli.screen import as_json, counts, leave, paint, say, shown, table

if TYPE_CHECKING:
    from renkei.planfile import Listed, RoutePlan, Sorted
    from renkei.progress import Teller
    from renkei.syncing import Result
    from renkei.wire import Wired
    from sync.read import World

EXAMPLES = 10


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    for command in (plan, apply, sync, retry):
        app.command()(command)


def _open(stack: ExitStack, here: Session, route: str) -> tuple[Wired, Teller]:
    from renkei.progress import teller
    from renkei.wire import build

    project = here.project
    shower = stack.enter_context(teller(here.words, silent=here.as_json))
    return stack.enter_context(build(project, route=route, progress=shower, log=here.log())), shower


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
    from renkei import planfile
    from renkei.syncing import plan_route

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    parts: list[RoutePlan] = []
    screens: list[dict[str, Any]] = []
    with ExitStack() as stack:
        wired, _ = _open(stack, here, route)
        for name, world in wired.worlds.items():
            total = plan_route(wired, world)
            if total.gave_up is not None:
                raise total.gave_up
            part, data = _planned(wired, world, whole=out is not None)
            parts.append(part)
            screens.append(data | {"route": name})
        made = planfile.Plan(
            planfile.VERSION,
            next(iter(wired.worlds.values())).clock.now(),
            here.project.env,
            wired.store_name,
            parts,
        )
    if out is not None:
        planfile.write_plan(out, made)
    if json:
        written = str(out) if out else None
        as_json({"ok": True, "env": here.project.env, "routes": screens, "written_to": written})
        return
    say(f"{here.words('env', env=here.project.env)}   {here.words('nothing_written')}")
    for data in screens:
        _show_plan(here, data)
    if out is not None:
        number = sum(len(part.operations) for part in parts)
        say(here.words("plan.written", number=f"{number:,}", path=out))


def _planned(wired: Wired, world: World, *, whole: bool) -> tuple[RoutePlan, dict[str, Any]]:
    from renkei import planfile
    from renkei.first import was_applied
    from renkei.wire import look, scopes
    from state.answers import Which
    from state.views import operations, status
    from state.views import plan as figures

    rules = world.lens.rules
    which = Which(route=rules.route)
    listed: list[Listed] = []
    with look(wired.project) as reader:
        found = figures(reader, which)
        (now,) = status(reader, scopes((rules,)), since=0.0)
        last = 0
        while page := operations(reader, which, after=last, limit=1_000 if whole else EXAMPLES):
            listed += [planfile.listed(each) for each in page]
            last = page[-1].id
            if not whole:
                break
    actions: dict[str, dict[str, int]] = {}
    for each in found.actions:
        actions.setdefault(each.system, {})[each.action] = each.number
    fields: dict[str, int] = {}
    names = _names(world)
    for one in found.fields:
        name = names.get((one.system, one.field), one.field)
        fields[name] = fields.get(name, 0) + one.number
    brakes = planfile.brakes_now(world) if was_applied(world) else ()
    data = {
        "digest": rules.digest,
        "first_needed": not was_applied(world),
        "linked": now.linked,
        "records": dict(now.records),
        "total": found.total,
        "actions": actions,
        "opt_outs_at_once": sum(each.get("optout", 0) for each in actions.values()),
        "fields": dict(sorted(fields.items(), key=lambda item: -item[1])),
        "holds": dict(now.holds),
        "brakes": [
            {"action": each.action, "reason": each.reason, "count": each.count, "limit": each.limit}
            for each in brakes
        ],
        "examples": [
            {
                "action": each.action, "system": each.system, "object": each.object, "record": each.record,
                "fields": {
                    path: {"field": name, "now": old, "then": new}
                    for path, (name, old, new) in each.fields.items()
                },
            }
            for each in listed[:EXAMPLES]
        ],
    }  # fmt: skip
    return planfile.RoutePlan(rules.route, rules.digest, listed if whole else []), data


def _names(world: World) -> dict[tuple[str, str], str]:
    """Our name of a field by system and vendor path."""
    found: dict[tuple[str, str], str] = {}
    for rule in world.lens.rules.fields:
        for side, cell in rule.cells.items():
            found.update(
                dict.fromkeys(((world.lens.system(side), p) for p in cell.paths.values()), rule.name)
            )
    return found


def _show_plan(here: Session, data: dict[str, Any]) -> None:
    words = here.words
    head = words("plan.head", digest=data["digest"], linked=f"{data['linked']:,}")
    say(f"{paint(data['route'], 'bold')}   {head}   {counts(data['records'])}")
    if not data["total"]:
        say(f"  {words('plan.nothing')}")
    systems = list(data["actions"])
    kinds = list(dict.fromkeys(kind for each in data["actions"].values() for kind in each))
    rows = [[kind, *(f"{data['actions'][name].get(kind, 0):,}" for name in systems)] for kind in kinds]
    say(*(f"  {line}" for line in table(["", *systems], rows)) if rows else ())
    if data["fields"]:
        say("  " + words("plan.fields", fields=counts(dict(list(data["fields"].items())[:8]))))
    if data["opt_outs_at_once"]:
        say("  " + words("plan.opt_outs", number=f"{data['opt_outs_at_once']:,}"))
    if data["holds"]:
        say("  " + words("plan.waits", holds=counts(data["holds"])))
    for brake in data["brakes"]:
        say(paint("  " + words("plan.brake", reason=brake["reason"]), "red"))
    if data["brakes"]:
        say(f"  {words('next')}  {words('sync.brake_next')}")
    for each in data["examples"]:
        say("  " + _example(each))
    if data["total"] > len(data["examples"]):
        say("  " + words("plan.more", number=f"{data['total'] - len(data['examples']):,}"))
    if data["first_needed"]:
        say("  " + words("plan.first"))


def _example(each: dict[str, Any]) -> str:
    changes = [
        f"{field['field']} {shown(field['now'])} → {shown(field['then'])}"
        for field in list(each["fields"].values())[:4]
    ]
    rest = len(each["fields"]) - len(changes)
    where = f"{each['system']} {each['record'] or each['object']}"
    return f"{each['action']:<6}  {where}   {' · '.join(changes)}{f' … +{rest}' if rest > 0 else ''}"


def apply(
    file: Annotated[Path, typer.Argument(help="a plan written by `renkei plan --out`")],
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Deliver what a plan lists and what is still wanted as listed; list the rest."""
    from renkei import planfile
    from renkei.syncing import as_data

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    read = planfile.read_plan(file)
    done: list[tuple[Result, Sorted]] = []
    with ExitStack() as stack:
        wired, _ = _open(stack, here, "")
        planfile.refuse_strange(read, file, here.project.env, wired.store_name)
        for part in read.routes:
            planfile.refuse_other_rules(part, wired.worlds, file)
        for part in read.routes:
            world = wired.worlds[part.route]
            done.append(_apply_route(wired, world, part))
    if json:
        routes = [
            as_data(result)
            | {
                "delivered": len(what.ready), "not_delivered_moved": what.moved,
                "not_delivered_done_by_another_run": what.done_by_another_run,
                "not_delivered_no_longer_wanted": what.no_longer_wanted,
            }
            for result, what in done
        ]  # fmt: skip
        as_json({"ok": all(r.well for r, _ in done), "env": here.project.env, "routes": routes})
    for result, what in done if not json else ():
        rest = here.words(
            "apply.rest", moved=len(what.moved), done=len(what.done_by_another_run),
            unwanted=len(what.no_longer_wanted),
        )  # fmt: skip
        say(
            f"{paint(result.route, 'bold')}   {here.words('apply.done', number=f'{len(what.ready):,}')}   {rest}"
        )
        _show_rest(here, result)
    leave(0 if all(result.well for result, _ in done) else 1)


def _apply_route(wired: Wired, world: World, part: RoutePlan) -> tuple[Result, Sorted]:
    from renkei import planfile
    from renkei.first import mark_applied
    from renkei.syncing import plan_route

    total = plan_route(wired, world)
    if total.gave_up is not None:
        raise total.gave_up
    what = planfile.sort_out(world, part)
    result = _deliver(wired, world, what.ready, "apply")
    result.total.read, result.total.changed = total.read, total.changed
    mark_applied(world)
    return result, what


def _deliver(wired: Wired, world: World, ids: list[int], trigger: str) -> Result:
    """Deliver these operations and say what is left afterwards."""
    from renkei.drain import Total
    from renkei.first import deliver_these
    from renkei.syncing import Result, look_around

    rules = world.lens.rules
    done, _ = deliver_these(world, ids, trigger, wired.store.renew)
    total = Total(
        sent=done.sent, applied=done.settled.applied, failed=done.settled.failed, in_doubt=done.in_doubt,
        moved=done.moved, stopped=done.stopped,
    )  # fmt: skip
    result = Result(route=rules.route, digest=rules.digest, total=total, shadow=rules.shadow, partial=True)
    look_around(wired, world, result)
    return result


def sync(
    route: Route = "",
    first: Annotated[
        bool, typer.Option("--first", help="deliver a route's first plan, a canary first")
    ] = False,
    canary: Annotated[
        int, typer.Option(help="records of each action sent ahead with --first; 0 = none")
    ] = 100,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Bring both sides in step: read, decide, deliver, until nothing is left to do."""
    from renkei.syncing import as_data, sync_route

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    with ExitStack() as stack:
        wired, teller = _open(stack, here, route)
        results = [
            sync_route(wired, world, teller, first=first, canary=canary) for world in wired.worlds.values()
        ]
    well = all(result.well for result in results)
    if json:
        as_json({"ok": well, "env": here.project.env, "routes": [as_data(each) for each in results]})
    else:
        say(here.words("env", env=here.project.env))
        for result in results:
            show_result(here, result)
    leave(2 if any(each.first_needed for each in results) else 0 if well else 1)


def retry(
    route: Route = "",
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Try again now what a system refused, instead of waiting for its next try."""
    from renkei.first import refused
    from renkei.syncing import as_data

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    with ExitStack() as stack:
        wired, _ = _open(stack, here, route)
        results = [
            _deliver(wired, world, refused(wired.project, name), "retry")
            for name, world in wired.worlds.items()
        ]
    well = all(result.well for result in results)
    if json:
        as_json({"ok": well, "env": here.project.env, "routes": [as_data(each) for each in results]})
    for result in results if not json else ():
        tried = sum(result.total.sent.values())
        text = here.words("retry.done", number=f"{tried:,}") if tried else here.words("retry.none")
        say(f"{paint(result.route, 'bold')}   {text}")
        _show_rest(here, result)
    leave(0 if well else 1)


def show_result(here: Session, result: Result) -> None:
    """A route's line: what was read and written, and whatever is not well."""
    words, total = here.words, result.total
    wrote = f"{words('sync.wrote')} {counts(total.sent)}" if total.sent else words("sync.nothing")
    facts = [f"{words('sync.read')} {counts(total.read)}", wrote]
    facts += [words("sync.linked", number=f"{total.linked:,}")] if total.linked else []
    facts += [words("sync.conflicts", number=f"{total.conflicts:,}")] if total.conflicts else []
    facts.append(words("sync.seconds", seconds=f"{result.seconds:.1f}"))
    say(f"{paint(result.route, 'bold')}   " + "   ".join(facts))
    if result.canary is not None:
        _show_canary(here, result)
    _show_rest(here, result)
    if result.well:
        say("  " + paint(words("sync.well"), "green"))


def _show_canary(here: Session, result: Result) -> None:
    canary, words = result.canary, here.words
    assert canary is not None
    say("  " + words("sync.canary", sent=f"{canary.sent.total():,}", wrong=f"{canary.wrong.total():,}"))
    for system, action in canary.alarms:
        text = words(
            "sync.canary_brake", wrong=canary.wrong[system, action], sent=canary.sent[system, action],
            action=action, system=system,
        )  # fmt: skip
        say(paint("  " + words("plan.brake", reason=text), "red"))
    if canary.alarms:
        fields = {f"{system}.{path}": number for (system, path), number in canary.fields.items()}
        say(f"    {counts(fields | dict(canary.reasons))}", f"  {words('next')}  {words('sync.canary_next')}")


def _show_rest(here: Session, result: Result) -> None:
    words, total = here.words, result.total
    if result.first_needed:
        say(
            "  " + words("sync.first_needed", route=result.route),
            f"  {words('next')}  {words('sync.first_next')}",
        )
        return
    for brake in total.brakes:
        say(paint("  " + words("plan.brake", reason=brake.reason), "red"))
    if total.brakes:
        say(f"  {words('next')}  {words('sync.brake_next')}")
    for system, why in total.stopped.items():
        say(paint("  " + words("sync.stopped", system=system, why=why), "red"))
    if total.gave_up is not None:
        say(paint(f"  {words('error')}  {total.gave_up.message}", "red"))
        say(f"  {words('next')}  {total.gave_up.next_step}")
    left = {k: v for k, v in {**result.open, **result.holds, **result.in_flight}.items() if v}
    if left:
        say("  " + words("sync.open", open=counts(left)))
