"""The command that keeps the state safe: backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, session
from renkei.cli.screen import as_json, say


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(backup)


def backup(
    file: Annotated[Path, typer.Argument(help="a new file, written for its owner only")],
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Copy the state as of now into a file, also beside a running renkei."""
    from renkei.wire import require_state
    from state.backup import back_up

    here = session(project, env, lang, as_json=json)
    require_state(here.project)
    size = back_up(here.project.state, file)
    if json:
        as_json({"ok": True, "env": here.project.env, "written_to": str(file), "bytes": size})
    else:
        say(here.words("backup.done", path=file, size=f"{size:,}"))
