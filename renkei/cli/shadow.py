"""The command that compares a route in `mode: shadow` with what stands: shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Route, Session, session
from renkei.cli.screen import as_json, paint, say, shown, table

if TYPE_CHECKING:
    from renkei.shadow import Report


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(shadow)


def shadow(
    route: Route = "",
    day: Annotated[
        str, typer.Option("--day", help="what was wanted on this day; default: what is wanted now")
    ] = "",
    show: Annotated[bool, typer.Option("--show", help="examples with people's values")] = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What a route that only looks on (`mode: shadow`) would have written: by direction and field, with examples."""
    from renkei.shadow import as_data, report
    from renkei.wire import choose, load_rules

    here = session(project, env, lang, as_json=json)
    chosen = choose(load_rules(here.project), route)
    found = [report(here.project, rules, day, show=show) for rules in chosen]
    if json:
        as_json({"ok": True, "env": here.project.env, "routes": [as_data(each) for each in found]})
        return
    say(here.words("env", env=here.project.env))
    for each in found:
        _show(here, each)


def _show(here: Session, found: Report) -> None:
    from renkei.shadow import summary

    words = here.words
    say(paint(summary(found, words)[0], "bold"))
    if not found.shadow:
        say(f"  {words('shadow.not' if found.applied else 'shadow.never')}")
    if not found.rows:
        say(f"  {words('shadow.none')}")
        return
    head = [words(f"shadow.{name}") for name in ("into", "field", "action", "stands", "passed", "examples")]
    rows = [
        [
            row.system, row.field, telling.word(words, "action", row.action), f"{row.stands:,}", f"{row.passed:,}",
            " · ".join(_example(each) for each in row.examples),
        ]
        for row in found.rows
    ]  # fmt: skip
    say(*(f"  {line}" for line in table(head, rows)))


def _example(each: dict[str, Any]) -> str:
    change = f" {shown(each['now'])} → {shown(each['then'])}" if "then" in each else ""
    return f"{each['record'] or '← ' + each['source']}{change}"
