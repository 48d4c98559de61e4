"""The command that carries a system's state over to its new name: rename-system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from renkei.cli.agreeing import agreed
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, counts, paint, say
from renkei.cli.shared import DryRun, Yes

if TYPE_CHECKING:
    from renkei.renaming import Found


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command("rename-system")(rename_system)


def rename_system(
    old: Annotated[str, typer.Argument(help="the name that the state knows")],
    new: Annotated[str, typer.Argument(help="the name that renkei.yaml and the mappings have by now")],
    dry_run: DryRun = False,
    yes: Yes = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Carry the state of a renamed system over to its new name: the same account, nobody met for the first time."""
    from renkei.daemon.beside import refuse_beside
    from renkei.renaming import carry_over, look_at, routes_of
    from renkei.wire import load_rules

    here = session(project, env, lang, as_json=json)
    routes = routes_of(load_rules(here.project), new)
    refuse_beside(here.project, "rename-system")
    found = look_at(here.project, old, new)
    if not json:
        say(here.words("env", env=here.project.env))
        say(paint(here.words("rename.head", old=old, new=new, rows=counts(found.rows)), "bold"))
        say(f"  {here.words('rename.compared', known=found.known, asked=found.asked)}")
    if not dry_run:
        agreed(here, "rename.ask", asked=not yes)
        found = found._replace(rows=carry_over(here.project, old, new))
    _tell(here, old, new, found, routes, done=not dry_run)


def _tell(here: Session, old: str, new: str, found: Found, routes: list[str], *, done: bool) -> None:
    if here.as_json:
        as_json(
            {
                "ok": True, "env": here.project.env, "dry_run": not done, "from": old, "to": new,
                "rows": dict(found.rows), "asked": found.asked, "known": found.known, "routes": routes,
            }
        )  # fmt: skip
    elif done:
        say(here.words("rename.done", old=old, new=new))
        say(f"{here.words('next')}  {here.words('rename.next', routes=', '.join(routes))}")
    else:
        say(here.words("rename.dry"))
