"""The command that shows what waits for a person: inbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from renkei import telling
from renkei.cli.codes import DONE, LEFT
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, leave, paint, say, shown, stamp, table
from renkei.cli.shared import Limit, OfRoute

if TYPE_CHECKING:
    from renkei.failures import Cause
    from renkei.inbox import Entry
    from renkei.seen import SeenPlan
    from state.answers import HoldInfo, OperationInfo, RecordInfo
    from sync.rules import Rules

_PLAIN = frozenset({"reason", "tried", "again_at", "count", "limit"})
_MOST_GROUPS = 12
REFUSED = ("failed", "ignored")  # shown by cause, and one by one only where there is more to say


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(inbox)


def inbox(
    what: Annotated[str, typer.Argument(help="a number of the list, or a route; default: everything")] = "",
    of_route: OfRoute = "",
    limit: Limit = 50,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Everything that waits for a person, with numbers; with a number: what can be answered, and what then happens."""
    from renkei.inbox import digits, find
    from renkei.wire import choose, load_rules

    here = session(project, env, lang, as_json=json)
    rules = load_rules(here.project)
    number, route = (what, of_route) if what[:1].isdigit() else ("", of_route or what)
    if route:
        choose(rules, route)
    found, told = _waiting(here, route)
    if number:
        _one(here, find(found, number), rules, digits(found), limit)
    else:
        _all(here, found, told, rules, limit)


def _waiting(here: Session, route: str) -> tuple[list[Entry], list[Cause]]:
    """What waits on a route ("" = on all), and what systems refused there; a value that was not kept only as long as
    it is news."""
    from renkei.failures import causes, failures
    from renkei.inbox import waiting

    refused = failures(here.project, route=route)
    known = {each.row.id for each in refused}
    found = waiting(here.project, route)
    return [each for each in found if each.kind not in REFUSED or each.operation in known], causes(refused)


def _all(
    here: Session, found: Sequence[Entry], told: Sequence[Cause], rules: tuple[Rules, ...], limit: int
) -> NoReturn:
    from renkei.cli.errors import as_data
    from renkei.inbox import digits, groups

    entries, more = _entries(here, found[:limit], rules, digits(found)), len(found) > limit
    if here.as_json:
        as_json(
            {
                "ok": not (entries or told), "env": here.project.env, "entries": entries, "more": more,
                "total": len(found), "groups": groups(found), "failures": [as_data(here, each) for each in told],
            }
        )  # fmt: skip
    elif not (entries or told):
        say(here.words("inbox.empty"))
    else:
        say(*_refused(here, told))
        questions = [each for each in groups(found) if each["kind"] not in REFUSED]
        _show(here, entries, questions, limit if more else 0)
    leave(LEFT if entries or told else DONE)


def _refused(here: Session, told: Sequence[Cause]) -> list[str]:
    """What systems refused, a line for each cause with the command that tells more."""
    rows = [
        (
            paint(each.name, "bold"), here.words("inbox.failure", number=f"{each.records:,}"),
            telling.word(here.words, "meaning", each.meaning), f"`renkei errors show {each.name}`",
        )
        for each in told
    ]  # fmt: skip
    return table(("",) * 4, rows)[1:]


def _one(here: Session, entry: Entry, rules: tuple[Rules, ...], size: int, limit: int) -> None:
    """One entry with its answers; of a brake also the first `limit` lines of what it stops."""
    from renkei.inbox import choices
    from renkei.mapped import answer_of
    from renkei.seen import keep_plan

    (data,) = _entries(here, [entry], rules, size)
    elsewhere = answer_of(here.project, entry)
    if elsewhere is not None:
        data["next"] = here.words(elsewhere[0], **elsewhere[1])
    own = next((one for one in rules if one.route == entry.route), None)
    offered = choices(entry, own, data["number"]) if own is not None else []
    does = [(each.command, _does(here, each.phrase, each.values)) for each in offered]
    plan = entry.plan if offered else None
    if plan is not None and plan.all:
        keep_plan(here.project, plan)
        told = _stopped(here, plan, limit)
        data["plan"] = {"name": plan.name, "operations": len(plan.all), "lines": told}
        does.append((f"approve {plan.name}", here.words("does.approve_plan")))
        does.append((f"discard {plan.name} --reason '…'", here.words("does.discard_plan")))
    does = [(f"renkei {command}", text) for command, text in does]
    if here.as_json:
        answers = [{"command": command, "does": text} for command, text in does]
        as_json({"ok": True, "env": here.project.env, "entry": data, "answers": answers})
    else:
        _show_one(here, data, does)


def _show_one(here: Session, data: dict[str, Any], does: list[tuple[str, str]]) -> None:
    from renkei.cli.planning import example_line

    say(*_lines(here, [data]))
    plan = data.get("plan")
    if plan is not None:
        say("  " + here.words("inbox.plan", plan=plan["name"], number=f"{plan['operations']:,}"))
        say(*(f"    {example_line(here, each)}" for each in plan["lines"]))
        more = plan["operations"] - len(plan["lines"])
        say(*(["    " + here.words("plan.more", number=f"{more:,}")] if more > 0 else []))
    if does or not data.get("next"):
        say("  " + here.words("inbox.can" if does else "inbox.elsewhere"))
    say(*(f"    {line}" for line in table(("", ""), does)[1:]))


def _stopped(here: Session, plan: SeenPlan, limit: int) -> list[dict[str, Any]]:
    """The first lines of what a brake stops, as `renkei plan` shows them: nobody agrees to what cannot be seen."""
    from renkei.planfile import listed
    from renkei.planning import example
    from renkei.wire import look
    from state.reader import operation_info
    from state.waiting import operations_by_number

    with look(here.project) as reader:
        rows = operations_by_number(reader, [each.id for each in plan.all[:limit]])
    return [example(listed(operation_info(row))) for row in rows]


def _does(here: Session, phrase: str, values: Any) -> str:
    said = {
        name: telling.word(here.words, "action", str(value)) if name == "action" else shown(value)
        for name, value in values.items()
    }
    return here.words(phrase, **said)


def _entries(
    here: Session, found: Sequence[Entry], rules: tuple[Rules, ...], size: int
) -> list[dict[str, Any]]:
    """These entries as data, with the records that each is about."""
    from renkei.wire import look
    from state.reader import hold_info, operation_info, records_by_entity
    from state.waiting import operations_by_number

    with look(here.project) as reader:
        rows = operations_by_number(reader, [each.operation for each in found if each.operation])
        stuck = {row.id: operation_info(row) for row in rows}
        entities = {each.entity for each in found} | {each.entity for each in stuck.values()}
        records = records_by_entity(reader, entities - {0})
    done: list[dict[str, Any]] = []
    for each in found:
        if each.hold is not None:
            data = hold_data(hold_info(each.hold, records))
        elif each.operation in stuck:
            row = stuck[each.operation]
            data = _stuck_data(row, records.get(row.entity, ()), telling.refusal(here.words, row, rules))
        else:
            continue  # settled in the meantime
        done.append({"number": each.number[:size], **data})
    return done


def hold_data(each: HoldInfo) -> dict[str, Any]:
    """A question, with stable keys."""
    return {
        "kind": each.kind, "route": each.route, "field": each.field, "since": each.since, "entity": each.entity,
        "records": [name_of(record.ref) for record in each.records], "details": each.details,
        "answer": each.answer,
    }  # fmt: skip


def _stuck_data(
    each: OperationInfo, records: tuple[RecordInfo, ...], refusal: telling.Refusal
) -> dict[str, Any]:
    """`records`: those of the person; the target of a create is none of them yet and stands last, without an id."""
    names = [field[0] for field in each.work.get("fields", {}).values()]
    refs = [record.ref for record in records if record.ref.system != each.target.system]
    return {
        "kind": each.state, "route": each.route, "field": ", ".join(names), "since": each.made_at,
        "entity": each.entity,
        "records": [name_of(each.target)] if each.target.id else [*map(name_of, refs), name_of(each.target)],
        "why": refusal.why, "next": refusal.step,
        "details": {"reason": each.reason, "tried": each.attempts, "again_at": each.at},
    }  # fmt: skip


def name_of(ref: Any) -> str:
    """A record as commands name it."""
    return f"{ref.system}:{ref.id or ref.object}"


def _show(here: Session, entries: list[dict[str, Any]], counted: list[dict[str, Any]], limit: int) -> None:
    words = here.words
    entries = [each for each in entries if each["kind"] not in REFUSED or each.get("next")]
    if not entries:
        return
    if len(counted) > 1:
        heads = [(f"{each['count']:,}", *_head(here, each)) for each in counted[:_MOST_GROUPS]]
        say(*(f"  {line}" for line in table(("", "", ""), heads)[1:]))
        rest = len(counted) - _MOST_GROUPS
        say(*([f"  {words('inbox.groups', number=rest)}"] if rest > 0 else []))
    order = {(each["kind"], each["cause"]): at for at, each in enumerate(counted)}
    say(*_lines(here, sorted(entries, key=lambda each: order.get((each["kind"], _cause(each)), len(order)))))
    say(*([words("inbox.more", limit=limit)] if limit else []))
    step = words("inbox.answer", number=entries[0]["number"])
    say(f"{words('next')}  {step}")
    if any(each["kind"] == "waiting" for each in entries):
        say(f"{words('next')}  {words('inbox.look')}")


def _head(here: Session, group: dict[str, Any]) -> tuple[str, str]:
    kind, cause = group["kind"], group["cause"]
    reads = telling.reason(here.words, cause) if kind in ("failed", "waiting", "ignored") else cause
    return paint(telling.word(here.words, "kind", kind), "bold"), reads


def _cause(each: dict[str, Any]) -> str:
    details = each["details"] if isinstance(each["details"], dict) else {}
    return str(details["reason"]) if "tried" in details else str(each["field"])


def _lines(here: Session, entries: list[dict[str, Any]]) -> Iterator[str]:
    rows = []
    for each in entries:
        details = each["details"] if isinstance(each["details"], dict) else {}
        kind = "failed" if "tried" in details else each["kind"]
        reason = each.get("why") or telling.brake(here.words, str(details.get("reason", "")))
        what = telling.waits(here.words, kind, reason)
        shape = " / ".join(f"{key} {_detail(value)}" for key, value in details.items() if key not in _PLAIN)
        rows.append(
            [
                each["number"], stamp(each["since"]), telling.word(here.words, "kind", each["kind"]),
                each["field"], " ⇄ ".join(each["records"]), what, shape,
            ]
        )  # fmt: skip
    for each, line in zip(entries, table(("",) * 7, rows)[1:], strict=True):
        yield line
        if each.get("answer"):
            yield f"  {here.words('inbox.answered', answer=each['answer'])}"
        if each.get("next"):
            yield f"  {here.words('next')}  {each['next']}"


def _detail(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_detail(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(_detail(each) for each in value)
    return shown(value)
