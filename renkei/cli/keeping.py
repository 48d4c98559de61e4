"""The commands that keep the state safe and small: backup, compact."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, say, stamp
from renkei.cli.shared import DryRun

if TYPE_CHECKING:
    from renkei.keep import Figures

_PATIENCE = 120.0
_POLL = 0.2


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(backup)
    app.command()(compact)


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


def compact(
    dry_run: DryRun = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Let go what is older than renkei.yaml keeps it, and give its room back; a running service does it daily."""
    from renkei.daemon.beside import service_of
    from renkei.keep import horizons
    from renkei.wire import require_state

    here = session(project, env, lang, as_json=json)
    require_state(here.project)
    now = time.time()
    limits = horizons(here.project.keep, now)
    if dry_run:
        found = _counted(here, now)
    elif service_of(here.project) is not None:
        found = _beside(here)
    else:
        found = _alone(here, now)
    data = {"ok": True, "env": here.project.env, "dry_run": dry_run, "older_than": limits._asdict(), **found}
    if json:
        as_json(data)
    else:
        _show(here, data)


def _counted(here: Session, now: float) -> dict[str, Any]:
    """What would go, asked beside whoever owns the state."""
    from renkei.keep import Compaction, horizons
    from renkei.wire import look

    with look(here.project) as reader:
        work = Compaction(reader, None, horizons(here.project.keep, now))
        while work.step():
            pass
    return {"gone": work.gone}


def _alone(here: Session, now: float) -> dict[str, Any]:
    from renkei.keep import Compaction, Figures, horizons
    from renkei.threads import Stop, SystemClock
    from renkei.wire import look
    from state.lease import this_process
    from state.store import SqlStore

    with (
        SqlStore(here.project.state, SystemClock(Stop()), this_process()) as store,
        look(here.project) as reader,
    ):
        before = Figures.of(store)
        work = Compaction(reader, store, horizons(here.project.keep, now))
        while work.step():
            pass
        if not store.room().gives:  # made before files gave room back by themselves
            store.rebuild()
        return _found(work.gone, before, Figures.of(store))


def _found(gone: Mapping[str, int], before: Figures, after: Figures) -> dict[str, Any]:
    return {"gone": dict(gone), "before": before._asdict(), "after": after._asdict()}


def _beside(here: Session) -> dict[str, Any]:
    """Have the service do it, and wait for a while; {} in `gone` = it is still at it."""
    from renkei.daemon.beside import post, service_of
    from renkei.daemon.notes import DONE, body_of
    from renkei.keep import COMPACT
    from renkei.wire import look
    from state.service import command

    number = post(here.project, COMPACT, "")
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and service_of(here.project) is not None:
        with look(here.project) as reader:
            row = command(reader, number)
        if row is not None and row.state == DONE:
            return body_of(row)
        time.sleep(_POLL)
    return {"gone": {}}


def _show(here: Session, data: dict[str, Any]) -> None:
    words, limits = here.words, data["older_than"]
    say(words("env", env=data["env"]))
    if not data["gone"]:
        say(words("compact.later"))
        return
    for name, number in data["gone"].items():
        before = limits[name] if name in limits else limits["writes"]
        say(words("compact.gone", what=words(f"compact.{name}"), number=f"{number:,}", before=stamp(before)))
    if "after" in data:
        sizes = {name: f"{data[name]['size'] / 2**20:,.1f}" for name in ("before", "after")}
        say(words("compact.size", **sizes))
    elif data["dry_run"]:
        say(words("undo.dry"))
