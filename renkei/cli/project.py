"""Commands that set a project up: init, check, schema, systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, leave, paint, say, table

if TYPE_CHECKING:
    from mappings.errors import Problem
    from sync.errors import RenkeiError
    from sync.ports import Capabilities
    from sync.record import Schema

_COLOUR = {"error": "red", "warning": "yellow", "note": "dim"}


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    for command in (init, check, schema, systems):
        app.command()(command)


def init(
    folder: Annotated[Path, typer.Argument(help="where the project shall stand")] = HERE,
    preset: Annotated[str, typer.Option(help="mapping to begin with, pair/name")] = "",
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Write a first project: renkei.yaml, a mapping from a preset, .gitignore."""
    from renkei.scaffold import write_project

    here = session(folder, None, lang, as_json=json)
    made = write_project(folder, preset)
    if json:
        as_json({"ok": True, "folder": str(folder), "preset": made.preset, "files": made.files})
        return
    words = here.words
    say(words("init.done", preset=made.preset, folder=folder))
    say(*(f"  {name}" for name in made.files))
    say(f"{words('next')}  {words('init.next', secrets='.renkei/<env>/secrets/')}")


def check(
    project: Folder = HERE,
    env: Env = None,
    offline: Annotated[bool, typer.Option("--offline", help="ask no system")] = False,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Check the mappings: alone, against each other, and against the live systems where they can be reached."""
    from mappings.check import check as check_sources
    from mappings.load import load

    here = session(project, env, lang, as_json=json)
    loaded = load([here.project.mappings])
    used = {name for source in loaded.sources for name in source.draft.names}
    schemas, capabilities, silent = ({}, {}, {}) if offline else _ask(here, used)
    found = check_sources(loaded.sources, schemas, capabilities)
    tally = {kind: sum(each.severity == kind for each in found) for kind in _COLOUR}
    unknown = sorted(used - set(here.project.systems))
    if json:
        as_json(_check_data(found, tally, list(schemas), silent, unknown))
    else:
        _show_check(here, found, len(loaded.sources), tally, list(schemas), silent)
        for name in unknown:
            say(f"{here.words('error')}  renkei.yaml names no system {name}, which a mapping uses")
    leave(2 if tally["error"] or unknown or not loaded.sources else 1 if silent else 0)


def _check_data(
    found: list[Problem],
    tally: dict[str, int],
    asked: list[str],
    silent: dict[str, RenkeiError],
    unknown: list[str],
) -> dict[str, Any]:
    problems = [
        {
            "file": each.file, "line": each.line, "column": each.column, "code": each.code,
            "severity": each.severity, "message": each.message, "hint": each.hint,
        }
        for each in found
    ]  # fmt: skip
    return {
        "ok": not tally["error"] and not unknown and not silent,
        "asked": asked,
        "not_asked": {name: str(error) for name, error in silent.items()},
        "unknown_systems": unknown,
        "counts": tally,
        "problems": problems,
    }


def _show_check(
    here: Session,
    found: list[Problem],
    files: int,
    tally: dict[str, int],
    asked: list[str],
    silent: dict[str, RenkeiError],
) -> None:
    words = here.words
    texts: dict[str, list[str]] = {}
    for each in found:
        where = f"{each.file}:{each.line}:{each.column}"
        say(f"{where}  {paint(words(each.severity), _COLOUR[each.severity])} {each.code}  {each.message}")
        if each.severity != "note":
            lines = texts.setdefault(each.file, _lines(each.file))
            if 0 < each.line <= len(lines):
                say(paint(f"{each.line:>5} | {lines[each.line - 1][:110]}", "dim"))
        if each.hint:
            say(f"  {words('next')}: {each.hint}")
    for name, error in silent.items():
        say(f"{paint(words('warning'), 'yellow')}  {words('check.not_asked', system=name, why=error)}")
    say(
        words(
            "check.files", files=files, asked=len(asked), errors=tally["error"], warnings=tally["warning"],
            notes=tally["note"],
        )
    )  # fmt: skip


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return []


def _ask(
    here: Session, used: set[str]
) -> tuple[dict[str, dict[str, Schema]], dict[str, Capabilities], dict[str, RenkeiError]]:
    """Live schemas and capabilities by system, and why the others were not asked."""
    from renkei.threads import SystemClock
    from renkei.wire import open_systems
    from sync.errors import RenkeiError

    schemas: dict[str, dict[str, Schema]] = {}
    capabilities: dict[str, Capabilities] = {}
    silent: dict[str, RenkeiError] = {}
    for name in sorted(used & set(here.project.systems)):
        try:
            opened = open_systems(here.project, [name], SystemClock())[name]
            try:
                schemas[name] = {each.object: each for each in opened.describe("person")}
                capabilities[name] = opened.capabilities
            finally:
                opened.close()
        except RenkeiError as error:
            schemas.pop(name, None)
            silent[name] = error
    return schemas, capabilities, silent


def schema(project: Folder = HERE, env: Env = None, json: AsJson = False, lang: Lang = None) -> None:
    """Write the JSON Schema with your real field names, for completion in an editor."""
    import json as json_text

    from mappings.load import load
    from mappings.schema import json_schema
    from renkei.settings import make_private, write_beside

    here = session(project, env, lang, as_json=json)
    loaded = load([here.project.mappings])
    used = list(dict.fromkeys(name for source in loaded.sources for name in source.draft.names))
    schemas, _, silent = _ask(here, set(used))
    make_private(here.project)
    folder = here.project.folder / ".renkei" / "schema"
    written: list[str] = []
    for source in loaded.sources:
        live = {name: schemas[name] for name in source.draft.names if name in schemas}
        rows = tuple(row.name.text for row in source.draft.rows)
        path = folder / f"{source.draft.route or Path(source.draft.file).stem}.json"
        write_beside(path, json_text.dumps(json_schema(live, fields=rows), ensure_ascii=False, indent=1))
        written.append(str(path))
    if json:
        not_asked = {name: str(error) for name, error in silent.items()}
        as_json({"ok": not silent, "written": written, "not_asked": not_asked})
    else:
        say(*(here.words("schema.written", path=path) for path in written))
        for name, error in silent.items():
            say(f"{here.words('warning')}  {here.words('check.not_asked', system=name, why=error)}")
    leave(1 if silent else 0)


def systems(project: Folder = HERE, env: Env = None, json: AsJson = False, lang: Lang = None) -> None:
    """Ask every system: can we sign in, what may we do, how many calls are left."""
    from renkei.threads import SystemClock
    from renkei.wire import open_systems
    from sync.errors import RenkeiError

    here = session(project, env, lang, as_json=json)
    found: dict[str, dict[str, Any]] = {}
    for name, settings in here.project.systems.items():
        try:
            opened = open_systems(here.project, [name], SystemClock())[name]
            try:
                found[name] = _examined(opened)
            finally:
                opened.close()
        except RenkeiError as error:
            found[name] = {"ok": False, "checks": [], "error": error.message, "next": error.next_step}
        found[name]["connector"] = settings.connector
    well = all(each["ok"] for each in found.values())
    if json:
        as_json({"ok": well, "env": here.project.env, "systems": found})
    else:
        _show_systems(here, found)
    leave(0 if well else 2)


def _examined(opened: Any) -> dict[str, Any]:
    """What a system answers; connectors of others may offer neither probe nor limits."""
    probe = getattr(opened, "probe", None)
    checks = [each._asdict() for each in probe()] if probe else []
    data: dict[str, Any] = {"ok": all(each["ok"] for each in checks), "checks": checks}
    if not data["ok"]:
        return data
    facts = opened.capabilities
    data["capabilities"] = {
        "kinds": {kind: str(feed) for kind, feed in facts.feeds.items()},
        "write_batch": facts.write_batch,
        "unique_keys": {name: sorted(paths) for name, paths in facts.unique_keys.items()},
        "server_timeout": facts.server_timeout,
        "visibility_lag": facts.visibility_lag,
    }
    limits = getattr(opened, "limits", None)
    if limits:
        data["calls"] = limits()._asdict()
    return data


def _show_systems(here: Session, found: dict[str, dict[str, Any]]) -> None:
    words = here.words
    for name, each in found.items():
        say(f"{paint(name, 'bold')}  ({each['connector']})")
        if "error" in each:
            say(f"  {words('error')}  {each['error']}", f"  {words('next')}  {each['next']}")
        rows = [("✓" if line["ok"] else "✗", line["name"], line["detail"]) for line in each["checks"]]
        say(*(f"  {line}" for line in table(("", "", ""), rows)[1:]))
        if "calls" in each:
            used, daily = each["calls"]["used"], each["calls"]["daily_calls"]
            say("  " + words("systems.used", used=f"{used:,}", daily=f"{daily:,}" if daily else "?"))
