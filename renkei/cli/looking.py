"""The command that tells everything known of one person, now or at a time, also beside a running renkei: trace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli.inbox import hold_data, name_of
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, leave, moment, paint, problem, say, shown, stamp
from renkei.cli.shared import Field

if TYPE_CHECKING:
    from renkei.past import Past
    from state.answers import Trace
    from state.reader import Reader
    from sync.rules import Rules

_CONVERTED = 3  # sync.rows.MOVED
_SAID = ("wrote", "undone", "effect")  # lines whose author is renkei, if nobody else is named
_FAR = float("inf")


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(trace)


def trace(
    who: Annotated[str, typer.Argument(help="an e-mail address, or system:id")],
    field: Field = "",
    at: Annotated[str, typer.Option("--at", help="how it stood at this time")] = "",
    since: Annotated[str, typer.Option("--since", help="only what happened from this time on")] = "",
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Everything known of one person: who holds what, and who changed what, when, from what, by which rule."""
    from renkei.story import field_names
    from renkei.wire import load_rules
    from sync.errors import Fatal

    here = session(project, env, lang, as_json=json)
    rules = load_rules(here.project)
    if field and field not in field_names(rules):
        _refuse_field(field, rules)
    then = moment(at) or _FAR
    if time.time() < then < _FAR:
        raise Fatal(f"«{at}» has not come yet.", "leave out --at to see what stands now")
    stories = tell(here, rules, who, field=field, at=then, since=moment(since))
    if not stories:
        problem(
            here.words, here.words("trace.nobody", who=who), here.words("trace.nobody_next"), json_wanted=json
        )
        leave(1)
    if json:
        as_json({"ok": True, "env": here.project.env, "found": stories})
        return
    for story in stories:
        show(here, story)


def tell(
    here: Session, rules: tuple[Rules, ...], who: str, *, field: str, at: float, since: float
) -> list[dict[str, Any]]:
    """The stories of whoever is meant, as data with stable keys. `at`: as of then (infinity = now), `since`: only what
    happened from then on (unix seconds)."""
    from renkei.wire import look

    with look(here.project) as reader:
        found = _traces(here, reader, who, rules)
        return [_story(here, reader, each, rules, field, at, since) for each in found]


def _story(
    here: Session, reader: Reader, each: Trace, rules: tuple[Rules, ...], field: str, at: float, since: float
) -> dict[str, Any]:
    from renkei.past import Past
    from renkei.story import concerning, history, lines_at, name_of_person

    past, own = Past(each), concerning(each, rules)
    lines = history(past, own, field, lambda row: telling.refusal(here.words, row, rules))
    too_old = at < each.begins
    return {
        "entity": each.entity,
        "name": name_of_person(each),
        "records": [
            {"ref": name_of(r.ref), "object": r.ref.object, "state": r.state, "values": dict(r.values)}
            for r in each.records
        ],
        "at": None if at == _FAR else at,
        "kept_since": each.begins or None,
        "older_than_kept": too_old,
        "more": each.cut,
        "fields": [] if too_old else lines_at(past, own, field, at),
        "holds": [hold_data(hold) for hold in each.holds],
        "latches": _latches(reader, past, own, field),
        "history": [line for line in lines if since <= line["at"] <= at],
        "undo": _undo(lines, each, field) if at == _FAR else "",
    }


def _undo(lines: list[dict[str, Any]], each: Trace, field: str) -> str:
    """The command that takes back what was written last ("" = nothing that can be)."""
    last = next((line for line in lines if line["what"] in ("wrote", "undone")), None)
    if last is None or last["field"].startswith("consent."):
        return ""
    who = next((name_of(r.ref) for r in each.records if r.state != _CONVERTED), "")
    only = f" --field {field or last['field']}"
    return f"renkei undo run {last['run']} --who {who}{only}"


def _latches(reader: Reader, past: Past, rules: tuple[Rules, ...], field: str) -> list[dict[str, Any]]:
    """Opt-outs that stand whatever is read, and what a person has lifted, each with the record that says so."""
    from state.trace import latches
    from sync.consent import base_name
    from sync.scene import entity_name

    if not any(one.consent for one in rules):
        return []
    names = {entity_name(number): "person" for number in (past.trace.entity, *past.trace.former)}
    names |= dict.fromkeys(_addresses(past, rules), "address")
    rows = latches(reader, [*names, *map(_lifted, past.records)])
    return [
        {
            "field": base_name(row.object), "what": "latch" if row.hash in names else "lifted",
            "whom": names.get(row.hash, ""), "source": row.id or row.hash.removeprefix("lifted:"),
        }
        for row in rows
        if field in ("", base_name(row.object))
    ]  # fmt: skip


def _lifted(ref: tuple[str, ...]) -> str:
    return f"lifted:{'/'.join(ref)}"


def _addresses(past: Past, rules: tuple[Rules, ...]) -> set[str]:
    """The hashes of every address that the person's records show."""
    from matching.email import email_key, normalise_email
    from matching.keys import key_hash
    from sync.normalise import ADDRESS, Lens

    found: set[str] = set()
    for one in rules:
        lens = Lens(one)
        for ref, record in past.records.items():
            path = lens.address_path(*ref[:2]) if ref.system in one.systems.values() else ""
            address = normalise_email(str(record.values.get(path) or "")) if path else None
            if address:
                found.add(key_hash(ADDRESS, email_key(address)))
    return found


def _refuse_field(field: str, rules: tuple[Rules, ...]) -> None:
    from mappings.errors import did_you_mean
    from renkei.story import field_names
    from sync.errors import Fatal

    raise Fatal(f"No mapping has a field «{field}».", did_you_mean(field, field_names(rules)))


def find_traces(here: Session, who: str, rules: tuple[Rules, ...]) -> tuple[Trace, ...]:
    """Whoever is meant by an e-mail address or `system:id`, also records that were merged."""
    from renkei.wire import look

    with look(here.project) as reader:
        return _traces(here, reader, who, rules)


def _traces(here: Session, reader: Reader, who: str, rules: tuple[Rules, ...]) -> tuple[Trace, ...]:
    from matching.email import email_key, normalise_email
    from matching.keys import key_hash
    from state.trace import trace as ask
    from sync.normalise import ADDRESS
    from sync.record import Ref

    system, colon, id_ = who.partition(":")
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


def show(here: Session, story: dict[str, Any]) -> None:
    """Print one person's story."""
    words = here.words
    refs = " ⇄ ".join(
        f"{each['object']} {each['ref']}" for each in story["records"] if each["state"] != _CONVERTED
    )
    say(f"{paint(story['name'], 'bold')}   {refs}")
    _show_fields(here, story)
    for hold in story["holds"]:
        kind = telling.waits(words, hold["kind"], "")
        say(paint(f"{words('trace.holds')}  {hold['field']}   {kind}", "yellow"))
    for latch in story["latches"]:
        whom = words(f"trace.{latch['whom']}") if latch["whom"] else ""
        say(words(f"trace.{latch['what']}", **{**latch, "whom": whom}))
    for line in story["history"]:
        _show_line(here, line)
    if story["kept_since"]:
        say(paint(words("trace.too_old", at=stamp(story["kept_since"])), "dim"))
    if story["more"]:
        say(paint(words("trace.cut"), "yellow"))
    if story["undo"]:
        say(words("trace.undo", command=story["undo"]))


def _show_fields(here: Session, story: dict[str, Any]) -> None:
    words = here.words
    when = words("trace.now") if story["at"] is None else words("trace.at", at=stamp(story["at"]))
    systems = {system for line in story["fields"] for system in line["now"]}
    for line in story["fields"]:
        now = " · ".join(f"{system} {shown(value)}" for system, value in line["now"].items())
        agreed = words("trace.agreed", value=" / ".join(map(shown, line["agreed"]))) if line["agreed"] else ""
        step = {True: "trace.in_step", False: "trace.apart", None: ""}[line["in_step"]]
        step = "trace.differ" if line["agreed_to_differ"] else step
        step = "trace.alone" if len(systems) < 2 else step
        state = words(step) if step else ""
        say(f"{when}  {line['field']}   {now}   {agreed}   {state}")
    if not story["fields"] and not story["older_than_kept"] and story["at"] is not None:
        say(f"{when}  {words('trace.not_yet')}")


def _show_line(here: Session, line: dict[str, Any]) -> None:
    words = here.words
    what = words(f"trace.{line['what']}")
    lost = "   " + words("trace.lost", value=shown(line["lost"])) if line["lost"] is not None else ""
    who = line["who"]
    if line["what"] == "changed":
        who = words("trace.somebody", system=line["system"]) + (f" ({who})" if who else "")
    altered = ""
    if line["fate"] == "altered":
        altered = "   " + words("trace.altered", system=line["system"], value=shown(line["altered_to"]))
    by = f"{who}   " if who and (line["what"] not in _SAID or who != "renkei") else ""
    place = f"{line['system']}:{line['record']}" if line["record"] and not line["field"] else line["system"]
    parts = [stamp(line["at"]), what, place, line["field"], _change(line)]
    say(
        "  ".join(part for part in parts if part) + f"   {by}{telling.how(words, line['how'])}{altered}{lost}"
    )
    if line["why"]:
        say(f"    {line['why']}", *([f"    {words('next')}  {line['next']}"] if line["next"] else ()))


def _change(line: dict[str, Any]) -> str:
    if line["what"] == "linked":
        return ""  # old and new are the journal's own numbers of the person
    if isinstance(line["new"], dict):
        return " / ".join(f"{system} {shown(value)}" for system, value in line["new"].items())
    if not (line["field"] and line["record"]) and line["old"] is None and line["new"] is None:
        return ""  # what happened as a whole, or was said
    return f"{shown(line['old'])} → {shown(line['new'])}"
