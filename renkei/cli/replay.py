"""The command that plays the last days once more under other mapping files, also beside a running renkei: replay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Route, Session, session
from renkei.cli.planning import show_plan
from renkei.cli.screen import as_json, counts, paint, say, stamp

_MOST = 36_500.0  # days that any journal may go back


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(replay)


def replay(
    folder: Annotated[Path, typer.Option("--with", help="folder with the other mapping files")],
    route: Route = "",
    days: Annotated[
        float, typer.Option("--days", help="how far back to begin, more than 0", min=0.0, max=_MOST)
    ] = 7.0,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show what the last days would have led to under other mapping files; ask and write nothing anywhere."""
    from renkei.progress import teller
    from renkei.replaying import replay as played
    from renkei.replaying import rules_of

    here = session(project, env, lang, as_json=json)
    every = rules_of(here.project, folder)
    with teller(here.words, silent=json) as shower:
        found = played(here.project, every, route, days, shower)
    if json:
        as_json({"ok": True, "env": here.project.env, "days": days, "routes": found})
        return
    say(f"{here.words('env', env=here.project.env)}   {here.words('replay.nothing')}")
    for data in found:
        _show(here, data)


def _show(here: Session, data: dict[str, Any]) -> None:
    words = here.words
    show_plan(here, data, played=True)
    say("  " + words("replay.played", people=f"{data['people']:,}", changes=f"{data['observed']:,}",
                     since=stamp(data["since"])))  # fmt: skip
    in_fact = {
        f"{system} {action}": n for system, each in data["in_fact"].items() for action, n in each.items()
    }
    say("  " + words("replay.in_fact", actions=counts(in_fact) or "0"))
    if data["kept_since"]:
        say(paint("  " + words("replay.kept", since=stamp(data["kept_since"])), "yellow"))
    if data["never_read"]:
        say(paint("  " + words("replay.never_read", paths=", ".join(data["never_read"])), "yellow"))
    if data["cut"]:
        say(paint("  " + words("replay.cut", people=data["cut"]), "yellow"))
