"""The command that tells everything known of one person, also beside a running renkei: trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli.inbox import hold_data, name_of
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, leave, paint, problem, say, shown, stamp

if TYPE_CHECKING:
    from state.answers import Trace
    from sync.rules import Rules

_CONVERTED = 3  # sync.rows.MOVED


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(trace)


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
    found = find_traces(here, who, rules)
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


def find_traces(here: Session, who: str, rules: tuple[Rules, ...]) -> tuple[Trace, ...]:
    """Whoever is meant by an e-mail address or `system:id`, also records that were merged."""
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
