"""Commands that set a project up: init, check, schema, systems."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei import telling
from renkei.cli.codes import WRONG, worst
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Session, session
from renkei.cli.screen import as_json, leave, paint, say, table

if TYPE_CHECKING:
    from mappings.answers import Answer
    from mappings.compile import Source
    from mappings.errors import Problem
    from sync.errors import RenkeiError

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
    from mappings.answers import findings
    from mappings.check import check as check_sources
    from mappings.errors import in_order
    from mappings.load import load
    from renkei.renaming import renamed_in

    here = session(project, env, lang, as_json=json)
    loaded = load([here.project.mappings])
    used = {name for source in loaded.sources for name in source.draft.names}
    known, silent = ({}, {}) if offline else _ask(here, loaded.sources)
    schemas = {name: answer.schemas for name, answer in known.items()}
    capabilities = {name: answer.capabilities for name, answer in known.items()}
    found = check_sources(loaded.sources, schemas, capabilities)
    found = list(in_order([*found, *findings(loaded.sources, known)]))
    tally = {kind: sum(each.severity == kind for each in found) for kind in _COLOUR}
    unknown = sorted(used - set(here.project.systems))
    renamed = renamed_in(here.project, loaded.rules)
    advised = [each for answer in known.values() for each in answer.advice]
    tally["error"] += len(unknown) + len(renamed)
    tally["warning"] += len(silent) + len(advised)
    if json:
        data = _check_data(found, tally, list(schemas), silent, unknown)
        as_json(data | _settings_data(renamed, advised))
    else:
        _show_check(here, found, silent)
        _show_settings(here, unknown, renamed, advised)
        _show_tally(here, len(loaded.sources), len(schemas), tally)
    leave(WRONG if tally["error"] or not loaded.sources else worst(silent.values()))


def _settings_data(renamed: Iterable[RenkeiError], advised: list[tuple[str, str]]) -> dict[str, Any]:
    told = [{"error": error.message, "next": error.next_step} for error in renamed]
    warned = [{"warning": what, "next": step} for what, step in advised]
    return ({"renamed": told} if told else {}) | ({"settings": warned} if warned else {})


def _show_settings(
    here: Session, unknown: list[str], renamed: Iterable[RenkeiError], advised: list[tuple[str, str]]
) -> None:
    """What is to be said of renkei.yaml."""
    words = here.words
    for name in unknown:
        say(f"{words('error')}  renkei.yaml names no system {name}, which a mapping uses")
    for error in renamed:
        say(f"{words('error')}  {error.message}", f"{words('next')}  {error.next_step}")
    for what, step in advised:
        say(f"{paint(words('warning'), 'yellow')}  {what}", f"{words('next')}  {step}")


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


def _show_check(here: Session, found: list[Problem], silent: dict[str, RenkeiError]) -> None:
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


def _show_tally(here: Session, files: int, asked: int, tally: dict[str, int]) -> None:
    errors, warnings, notes = (tally[kind] for kind in _COLOUR)
    say(here.words("check.files", files=files, asked=asked, errors=errors, warnings=warnings, notes=notes))


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return []


def _ask(here: Session, sources: Iterable[Source]) -> tuple[dict[str, Answer], dict[str, RenkeiError]]:
    """What the systems say of themselves, and why the others were not asked."""
    from mappings.answers import kinds_of
    from renkei.describing import ask_systems
    from sync.errors import RenkeiError

    found = ask_systems(here.project, kinds_of(sources))
    silent = {name: answer for name, answer in found.items() if isinstance(answer, RenkeiError)}
    return {name: each for name, each in found.items() if not isinstance(each, RenkeiError)}, silent


def schema(project: Folder = HERE, env: Env = None, json: AsJson = False, lang: Lang = None) -> None:
    """Write the JSON Schema with your real field names, for completion in an editor."""
    import json as json_text

    from mappings.load import load
    from mappings.schema import json_schema
    from renkei.settings import make_private, write_beside

    here = session(project, env, lang, as_json=json)
    loaded = load([here.project.mappings])
    known, silent = _ask(here, loaded.sources)
    make_private(here.project)
    folder = here.project.folder / ".renkei" / "schema"
    written: list[str] = []
    for source in loaded.sources:
        live = {name: known[name].schemas for name in source.draft.names if name in known}
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
    leave(worst(silent.values()))


def systems(project: Folder = HERE, env: Env = None, json: AsJson = False, lang: Lang = None) -> None:
    """Ask every system, briefly: can we sign in, what may we do, how many calls are left."""
    from mappings.answers import PERSON, kinds_of
    from mappings.load import load
    from renkei.asking import SHORT, ask_all
    from sync.errors import RenkeiError

    here = session(project, env, lang, as_json=json)
    needed = kinds_of(load([here.project.mappings]).sources)
    asked = {name: frozenset({PERSON, *needed.get(name, ())}) for name in here.project.systems}
    answers = ask_all({name: partial(_examined, here, name, kinds) for name, kinds in asked.items()}, SHORT)
    found: dict[str, dict[str, Any]] = {}
    for name, answer in answers.items():
        if isinstance(answer, RenkeiError):
            found[name] = {
                "ok": False,
                "checks": [],
                "error": telling.error(here.words, answer),
                "next": answer.next_step,
            }
        else:
            found[name] = answer
        found[name]["connector"] = here.project.systems[name].connector
    if json:
        well = all(each["ok"] for each in found.values())
        as_json({"ok": well, "env": here.project.env, "systems": found})
    else:
        _show_systems(here, found)
    refused = any(not each["ok"] and "error" not in each for each in found.values())
    leave(WRONG if refused else worst(each for each in answers.values() if isinstance(each, RenkeiError)))


def _examined(here: Session, name: str, kinds: frozenset[str]) -> dict[str, Any]:
    """What a system answers; connectors of others may offer neither probe nor limits. Raises RenkeiError where it
    cannot be reached or does not let us in: any further question would be answered in the same way."""
    from renkei.asking import HastyClock
    from renkei.wire import open_systems
    from sync.errors import RequestRefused

    opened: Any = open_systems(here.project, [name], HastyClock())[name]
    try:
        try:
            opened.describe("person")
        except RequestRefused as error:
            if not hasattr(opened, "probe"):
                raise
            return {"ok": False, "checks": _said_once(here, opened, kinds) or [_as_check(error)]}
        checks = _said_once(here, opened, kinds)
        ok = all(each["ok"] for each in checks)
        return {"ok": ok, "checks": checks, **(_warnings(opened) | _facts(opened) if ok else {})}
    finally:
        opened.close()


def _as_check(error: RenkeiError) -> dict[str, Any]:
    return {"name": "describe", "ok": False, "detail": str(error)}


def _said_once(here: Session, opened: Any, kinds: frozenset[str]) -> list[dict[str, Any]]:
    """A system's own checks of what these kinds need; a trouble that several of them meet is told with the first."""
    from mappings.answers import PERSON

    asks = getattr(opened, "probe", lambda *_: ())
    answers = asks() if kinds == {PERSON} else asks(kinds)  # a connector of others may know persons only
    told: set[str] = set()
    checks: list[dict[str, Any]] = []
    for each in answers:
        again = not each.ok and each.detail in told
        told.add(each.detail)
        checks.append(each._asdict() | ({"detail": here.words("systems.again")} if again else {}))
    return checks


def _warnings(opened: Any) -> dict[str, Any]:
    """What else writes its records, and what its settings could do better; each with what to do."""
    from renkei.describing import advice_of

    rival = opened.rival() if hasattr(opened, "rival") else ""
    found = [*([(rival, "docs/way-over.md")] if rival else ()), *advice_of(opened)]
    return {"warnings": [what for what, _ in found], "steps": [step for _, step in found]} if found else {}


def _facts(opened: Any) -> dict[str, Any]:
    facts = opened.capabilities
    capabilities = {
        "kinds": {kind: str(feed) for kind, feed in facts.feeds.items()},
        "write_batch": facts.write_batch,
        "unique_keys": {name: sorted(paths) for name, paths in facts.unique_keys.items()},
        "server_timeout": facts.server_timeout,
        "visibility_lag": facts.visibility_lag,
    }
    limits = getattr(opened, "limits", None)
    return {"capabilities": capabilities, **({"calls": limits()._asdict()} if limits else {})}


def _show_systems(here: Session, found: dict[str, dict[str, Any]]) -> None:
    words = here.words
    for name, each in found.items():
        say(f"{paint(name, 'bold')}  ({each['connector']})")
        if "error" in each:
            say(f"  {words('error')}  {each['error']}", f"  {words('next')}  {each['next']}")
        rows = [("✓" if line["ok"] else "✗", line["name"], line["detail"]) for line in each["checks"]]
        say(*(f"  {line}" for line in table(("", "", ""), rows)[1:]))
        for warning, step in zip(each.get("warnings", ()), each.get("steps", ()), strict=True):
            say(f"  {paint(words('warning'), 'yellow')}  {warning}", f"  {words('next')}  {step}")
        if "calls" in each:
            used, daily = each["calls"]["used"], each["calls"]["daily_calls"]
            say("  " + words("systems.used", used=f"{used:,}", daily=f"{daily:,}" if daily else "?"))
