"""Asking the systems before mappings are trusted: the live schema of every kind that the routes use.

It decides that a refused kind is an answer and does not hide the others. What follows from the answers is
`mappings.answers`' affair; it knows no vendor.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mappings.answers import PERSON, Answer
from renkei.asking import ask_all
from renkei.settings import Project
from renkei.threads import SystemClock
from renkei.wire import open_systems
from sync.errors import RenkeiError, RequestRefused
from sync.record import Schema


def ask_systems(project: Project, kinds: Mapping[str, set[str]]) -> dict[str, Answer | RenkeiError]:
    """Ask the configured ones of these systems, all at the same time."""
    wanted = {name: kinds[name] for name in sorted(kinds.keys() & project.systems.keys())}
    return ask_all({name: partial(_ask, project, name, each) for name, each in wanted.items()})


def _ask(project: Project, name: str, kinds: set[str]) -> Answer:
    opened: Any = open_systems(project, [name], SystemClock())[name]
    try:
        schemas: dict[str, Schema] = {}
        closed: dict[str, RequestRefused] = {}
        for kind in sorted(kinds, key=lambda each: each != PERSON):
            try:
                schemas |= {each.object: each for each in opened.describe(kind)}
            except RequestRefused as error:
                if kind == PERSON:
                    raise
                closed[kind] = error
        rival = opened.rival() if hasattr(opened, "rival") else ""
        return Answer(schemas, opened.capabilities, closed, rival, advice_of(opened))
    finally:
        opened.close()


def advice_of(opened: Any) -> tuple[tuple[str, str], ...]:
    """What a system's settings could do better, and how; connectors of others may have nothing to say."""
    return tuple((each.what, each.step) for each in opened.advice()) if hasattr(opened, "advice") else ()
