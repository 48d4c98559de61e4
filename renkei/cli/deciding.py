"""Commands by which a person decides: decide, approve, discard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from renkei import telling
from renkei.cli.codes import DONE, LEFT
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, leave, say
from renkei.cli.shared import KeepBoth, Reason

if TYPE_CHECKING:
    from renkei.inbox import Entry
    from renkei.saying import Heard
    from renkei.seen import SeenPlan
    from sync.rules import Rules
    from sync.said import Answer, Approve, Discard

Number = Annotated[str, typer.Argument(help="a number of `renkei inbox`")]
NumberOrPlan = Annotated[
    str, typer.Argument(metavar="NUMBER|PLAN", help="a number of `renkei inbox`, or the plan that it names")
]


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    for command in (decide, approve, discard):
        app.command()(command)


def decide(
    number: Number,
    answer: Annotated[list[str], typer.Argument(help="one of the answers that `renkei inbox NUMBER` lists")],
    evidence: Annotated[
        str, typer.Option("--evidence", help="where and when a person agreed; for a lifted opt-out")
    ] = "",
    who: Annotated[str, typer.Option("--who", help="who says so; default: this user")] = "",
    remember: Annotated[
        bool, typer.Option("--remember", help="also show the mapping line that always decides so")
    ] = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Answer one question of the inbox, for the values that stand there now."""
    from renkei.inbox import answer_for
    from renkei.speaker import speaker

    here = session(project, env, lang, as_json=json)
    entry, rules = _entry(here, number)
    word = answer_for(entry, rules, answer, evidence, who or speaker())
    _say(here, entry, word, " ".join(answer), _always(here, entry, rules, word.answer) if remember else "")


def approve(
    number: NumberOrPlan, project: Folder = HERE, env: Env = None, json: AsJson = False, lang: Lang = None
) -> None:
    """Let go what a brake stops: it leaves with the next cycle. By a plan's name exactly what it lists, as far as that
    stands as it was seen."""
    from renkei.inbox import approve_for
    from renkei.seen import find_plan, is_plan_name
    from sync.said import Approve

    here = session(project, env, lang, as_json=json)
    if is_plan_name(number):
        plan = find_plan(here.project, number)
        word = Approve(action=plan.action, plan=plan.all, brake=plan.brake)
        _say_plan(here, plan, word, "plan.let_go")
        return
    entry, _rules = _entry(here, number)
    word = approve_for(entry)
    action = telling.word(here.words, "action", word.action)
    _say(here, entry, word, here.words("approve.what", action=action))


def discard(
    number: NumberOrPlan,
    reason: Reason = "",
    keep_both: KeepBoth = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Give up what was refused or what a brake stops; it is listed as different until a side changes."""
    from renkei.inbox import discard_for, need_reason
    from renkei.seen import find_plan, is_plan_name
    from sync.said import Discard

    here = session(project, env, lang, as_json=json)
    if is_plan_name(number):
        plan = find_plan(here.project, number)
        need_reason(reason)
        _say_plan(
            here, plan, Discard(reason=reason, keep_both=keep_both, plan=plan.operations), "discard.what"
        )
        return
    entry, _rules = _entry(here, number)
    word = discard_for(entry, reason, keep_both=keep_both)
    _say(here, entry, word, here.words("discard.what", number=f"{len(word.operations):,}"))


def _entry(here: Session, number: str) -> tuple[Entry, Rules]:
    from renkei.inbox import find, waiting
    from renkei.wire import choose, load_rules

    rules = load_rules(here.project)
    entry = find(waiting(here.project), number)
    (own,) = choose(rules, entry.route)
    return entry, own


def _say_plan(here: Session, plan: SeenPlan, word: Approve | Discard, what: str) -> None:
    """Say it of a plan, and what became of each of its operations; the exit code is 1 where not all was done."""
    from renkei.saying import say_and_hear

    words, heard = here.words, say_and_hear(here.project, plan.route, word)
    found, rest = _became(heard)
    if here.as_json:
        head = {
            "ok": not rest,
            "env": here.project.env,
            "plan": plan.name,
            "route": plan.route,
            "done": heard.done,
        }
        as_json(head | found)
    elif not heard.done:
        say(
            words(
                "decide.later",
                what=words("plan.named", plan=plan.name, what=words(what, number=f"{len(plan.all):,}")),
            )
        )
    else:
        say(words("plan.named", plan=plan.name, what=words(what, number=f"{len(found['ready']):,}")))
        _say_rest(here, found, _next(word))
    leave(LEFT if rest else DONE)


def _became(heard: Heard) -> tuple[dict[str, list[int]], int]:
    """A plan's operations by what became of them, and how many were not done."""
    keys = ("ready", "moved", "done_by_another_run", "no_longer_wanted")
    found = {key: heard.result.get(key, []) for key in keys}
    return found, sum(map(len, found.values())) - len(found["ready"])


def _say_rest(here: Session, found: dict[str, list[int]], step: str) -> None:
    moved, done, unwanted = found["moved"], found["done_by_another_run"], found["no_longer_wanted"]
    if moved or done or unwanted:
        say("  " + here.words("plan.rest", moved=len(moved), done=len(done), unwanted=len(unwanted)))
    if found["ready"] and step:
        say(f"{here.words('next')}  {here.words(step)}")


def _next(word: Answer | Approve | Discard) -> str:
    """The phrase for what follows once a word is done ("" = nothing leaves by it, and nothing is left to do)."""
    from sync.holds import LEAVE_BOTH, LIFT
    from sync.said import Answer, Discard

    if isinstance(word, Answer) and word.answer == LIFT:
        return "decide.lifted"
    nothing = isinstance(word, Discard) or (isinstance(word, Answer) and word.answer == LEAVE_BOTH)
    return "" if nothing else "decide.next"


def _say(here: Session, entry: Entry, word: Answer | Approve | Discard, what: str, always: str = "") -> None:
    from renkei.saying import say_and_hear

    heard = say_and_hear(here.project, entry.route, word)
    done, (found, rest) = heard.done, _became(heard)
    if here.as_json:
        as_json(
            {
                "ok": not rest, "env": here.project.env, "number": entry.number, "kind": entry.kind,
                "route": entry.route, "done": done, "remember": always or None,
            }
        )  # fmt: skip
        leave(LEFT if rest else DONE)
    say(here.words("decide.done" if done else "decide.later", what=what))
    step = _next(word)
    if rest:
        _say_rest(here, found, step)
    elif done and step:
        say(f"{here.words('next')}  {here.words(step)}")
    if always:
        say(always)
    leave(LEFT if rest else DONE)


def _always(here: Session, entry: Entry, rules: Rules, answer: str) -> str:
    """The line of the mapping that decides all such conflicts so; a mapping file is where rules are seen and taken
    back. Raises Fatal where no line does."""
    from renkei.mapped import line_of
    from sync.errors import Fatal
    from sync.record import Side

    names = {side.value: system for side, system in rules.systems.items()}
    found = line_of(here.project, entry.route, entry.field)
    if entry.kind != "conflict" or answer not in names or found is None:
        raise Fatal("No line of a mapping decides this for everybody.", "leave --remember out")
    return here.words(
        "decide.always", line=f"conflict: {names[Side(answer).value]}", field=entry.field, file=found.file.name,
        number=found.number,
    )  # fmt: skip
