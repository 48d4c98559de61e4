"""The command that shows limits beside what is normal: limits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import typer

from renkei import telling
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, Route, Session, session
from renkei.cli.screen import as_json, paint, say, table

_CLOSE = 0.5


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(limits)


def limits(
    route: Route = "",
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What the brakes allow, beside what they count now and what was normal yesterday and in the last seven days."""
    from renkei.limits import limits_of

    here = session(project, env, lang, as_json=json)
    found = limits_of(here.project, route, time.time())
    if json:
        as_json({"ok": True, "env": here.project.env, "routes": found})
        return
    say(here.words("env", env=here.project.env))
    for each in found:
        _show(here, each)
    say(f"{here.words('next')}  {here.words('limits.set')}")


def _show(here: Session, route: dict[str, Any]) -> None:
    words = here.words
    say(paint(words("limits.head", route=route["route"], linked=f"{route['linked']:,}"), "bold"))
    for each in route["brakes"]:
        reason = telling.brake(words, each["reason"])
        say(paint("  " + words("plan.brake", reason=reason), "red"))
    head = ["", *(words(f"limits.{name}") for name in ("limit", "now", "yesterday", "week", "near")), ""]
    written = [each for each in route["limits"] if not each["system"]]
    watched = [each for each in route["limits"] if each["system"]]
    say(*(f"  {line}" for line in table(head, [_row(here, each) for each in written])))
    if watched:
        say(f"  {words('limits.sources')}")
        rows = [_row(here, each) for each in watched]
        say(*(f"  {line}" for line in table([""] * len(head), rows)[1:]))
    if route["brakes"] or any(each["brake"] for each in route["limits"]):
        say(f"{words('next')}  {words('limits.brake_next')}")


def _row(here: Session, each: Mapping[str, Any]) -> list[str]:
    near = "" if each["near"] is None else f"{each['near']:.0%}"
    near = paint(near, "yellow") if each["near"] is not None and each["near"] >= _CLOSE else near
    name = telling.word(here.words, "limit", each["name"])
    name = f"{each['system']} {name}" if each["system"] else name
    return [
        name,
        _spans(each["limit"]),
        _spans(each["now"]),
        _spans(each["yesterday"]),
        _spans(each["week"]),
        near,
        _brake(here, each["brake"]),
    ]


def _brake(here: Session, brake: Mapping[str, Any] | None) -> str:
    if brake is None:
        return ""
    figures = {name: f"{brake[name]:,}" for name in ("count", "limit")}
    return paint(here.words("limits.brake", **figures), "red")


def _spans(found: Mapping[str, int]) -> str:
    """Figures of a cycle, an hour and a day; what has no figure stands as a dash."""
    if not found:
        return ""
    return " / ".join(f"{found[span]:,}" if span in found else "-" for span in ("cycle", "hour", "day"))
