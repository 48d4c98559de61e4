"""What follows for mapping files from how their systems answered: kinds that are closed, keys that tasks lack, rivals.

It decides which kinds a file needs of each system and what is a finding. It reads what it is given and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mappings.compile import SIDES, Source
from mappings.errors import At, Problem
from mappings.links import TaskLinks, links_of
from mappings.offline import start
from sync.errors import RequestRefused
from sync.ports import Capabilities
from sync.record import Schema, Side

PERSON, DEAL, EFFECT = "person", "opportunity", "effect"


class Answer(NamedTuple):
    """What a system says of itself. `closed`: kinds that it does not let us work with, and why; `rival`: what else
    writes its records, in a sentence ("" = nothing known); `advice`: what its settings could do better, and how."""

    schemas: Mapping[str, Schema]
    capabilities: Capabilities
    closed: Mapping[str, RequestRefused]
    rival: str
    advice: tuple[tuple[str, str], ...] = ()


def kinds_of(sources: Iterable[Source]) -> dict[str, set[str]]:
    """The kinds that these files need of each system."""
    found: dict[str, set[str]] = {}
    for source in sources:
        draft = source.draft
        for system in draft.names:
            declared = draft.objects.get(system)
            kind = draft.kind or PERSON
            if kind == DEAL and declared is not None and declared.fields_on is not None:
                kind = PERSON  # deals have no records there: they are shown on people
            kinds = found.setdefault(system, set())
            kinds.add(kind)
            if draft.hand_over is not None or draft.recycle is not None:
                kinds.add(EFFECT)
    return found


def findings(sources: Iterable[Source], answers: Mapping[str, Answer]) -> list[Problem]:
    """What follows for the files from how the systems answered."""
    found: list[Problem] = []
    for source in sources:
        for system in source.draft.names:
            if system in answers:
                found += _of(source, system, answers[system])
    return found


def _of(source: Source, system: str, answer: Answer) -> Iterator[Problem]:
    draft = source.draft
    refused = answer.closed.get(draft.kind)
    if refused is not None:
        message = f"{system} keeps its records of kind {draft.kind} closed: {refused.message}"
        yield _problem(source, start(source), "M071", "error", message, refused.next_step)
    if answer.rival and draft.kind == PERSON:
        hint = "docs/way-over.md says how to move over in steps; until then write with `mode: shadow` only"
        yield _problem(source, start(source), "M072", "warning", answer.rival, hint)
    task = _task(source, system)
    if task is not None:
        yield from _key_missing(source, system, task, answer)


def _task(source: Source, system: str) -> tuple[TaskLinks, At] | None:
    """How this file's effects make tasks in a system, and where it asks for them."""
    draft = source.draft
    block = draft.hand_over or draft.recycle
    declared = draft.objects.get(system)
    if block is None or declared is None or not declared.create:
        return None
    side = SIDES[draft.names.index(system)]
    links = links_of(side, declared.create).task if side is Side.SFA else None
    return (links, block.at) if links is not None else None


def _key_missing(
    source: Source, system: str, task: tuple[TaskLinks, At], answer: Answer
) -> Iterator[Problem]:
    links, at = task
    unique = answer.capabilities.unique_keys.get(links.object, frozenset())
    if EFFECT in answer.closed:
        message = f"{system} keeps {links.object} closed: {answer.closed[EFFECT].message}"
        yield _problem(source, at, "M073", "error", message, answer.closed[EFFECT].next_step)
    elif links.key not in unique:
        schema = answer.schemas.get(links.object)
        lacks = schema is not None and links.key not in schema.fields
        state = "has no field" if lacks else "has no unique field"
        message = f"{system} {links.object} {state} «{links.key}»: a task whose answer is lost could not be found again"
        hint = f"add {links.key} there: text, external id, unique, visible to our user"
        yield _problem(source, at, "M073", "error", message, hint)


def _problem(source: Source, at: At, code: str, severity: Any, message: str, hint: str) -> Problem:
    return Problem(
        file=source.draft.file, line=at.line, column=at.column, code=code, severity=severity, message=message,
        hint=hint,
    )  # fmt: skip
