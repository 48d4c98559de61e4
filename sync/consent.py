"""Opt-outs: a latch, not a field. True on any record of a person or address becomes true on all of them; a record
that was deleted or merged away goes on saying what it said last.

Pure over a scene. Nothing here ever turns true to false. Blank and unreadable are unknown: never false, and
never the source of a write (protocol §4; invariants C-1 to C-6 of the domain rules). Only the side named as
authority may question a standing opt-out, and then a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sync.normalise import decode_body
from sync.plan import Base, FieldWork
from sync.record import Raw, Ref, Value
from sync.rows import DELETED, LIVE, MOVED, RecordRow
from sync.rules import Cell
from sync.scene import Scene


class OptOut(NamedTuple):
    """An opt-out to be set on one record: work by vendor path, and where the fact comes from."""

    row: RecordRow
    fields: dict[str, FieldWork]
    source: RecordRow


class Question(NamedTuple):
    """The authority took an opt-out back: a person has to show evidence."""

    topic: str
    row: RecordRow


def base_name(topic: str) -> str:
    """The name under which a topic's pair stands in the base."""
    return f"consent.{topic}"


def family(scene: Scene, entity: int) -> list[RecordRow]:
    """Every live record of the entity, and of anybody with the same address, twins included."""
    rows = [row for row in scene.rows(entity) if row.state not in (DELETED, MOVED)]
    keys = {address for row in rows if (address := scene.known(row).address)}
    found = {row.ref: row for row in rows}
    for key in keys:
        for system in scene.lens.rules.systems.values():
            found.update((row.ref, row) for row in scene.sharing(system, key))
    return list(found.values())


def opted_out(scene: Scene, rows: Iterable[RecordRow]) -> dict[str, RecordRow]:
    """Topics that any of these records opts out of, each with a record that says so."""
    found: dict[str, RecordRow] = {}
    for row in rows:
        for topic, value in scene.known(row).consent.items():
            if value is True and topic not in found:
                found[topic] = row
    return found


def decide_consent(scene: Scene, entity: int) -> tuple[list[OptOut], list[Question], dict[str, RecordRow]]:
    """What has to be set true, what has to be asked, and the topics that stand opted out."""
    if not scene.lens.rules.consent or not _is_concerned(scene, entity):
        return [], [], {}
    rows = family(scene, entity)
    gone = [row for row in scene.rows(entity) if row.state in (DELETED, MOVED)]
    standing = opted_out(scene, [*rows, *gone])
    questions = _taken_back(scene, entity, rows, standing)
    asked = {(question.topic, question.row.ref) for question in questions}
    writes: list[OptOut] = []
    for row in rows:
        fields = _missing(scene, row, standing, asked) if standing and row.state == LIVE else {}
        if fields:
            writes.append(OptOut(row, fields, _says_so(standing, fields)))
    return writes, questions, standing


def _is_concerned(scene: Scene, entity: int) -> bool:
    """False for the many who never were linked and of whom nobody, by record or address, has opted out."""
    if entity in scene.bases:
        return True
    known = (scene.known(row) for row in scene.rows(entity))
    return any(each.address in scene.opted or True in each.consent.values() for each in known)


def _says_so(standing: dict[str, RecordRow], fields: dict[str, FieldWork]) -> RecordRow:
    topics = (work.name.removeprefix(base_name("")) for work in fields.values())
    return standing[next(topics)]


def _missing(
    scene: Scene, row: RecordRow, standing: dict[str, RecordRow], asked: set[tuple[str, Ref]]
) -> dict[str, FieldWork]:
    known = scene.known(row)
    side = scene.lens.side(row.system)
    body = decode_body(row.body)
    fields: dict[str, FieldWork] = {}
    for topic in standing:
        cell = scene.lens.topic[topic].cells.get(side)
        path = cell.paths.get(row.object) if cell is not None else None
        if cell is None or path is None or known.consent.get(topic) is True or (topic, row.ref) in asked:
            continue
        fields[path] = opt_out_work(topic, body.get(path), cell)
    return fields


def opt_out_work(topic: str, expected: Raw, cell: Cell) -> FieldWork:
    """The one thing that is ever written to an opt-out: true."""
    out = True
    return FieldWork(base_name(topic), expected, cell.write(out), source=out, half=out)


def _taken_back(
    scene: Scene, entity: int, rows: Iterable[RecordRow], standing: dict[str, RecordRow]
) -> list[Question]:
    """Records of the authority on which an agreed opt-out now reads false."""
    authority = scene.lens.rules.authority
    if authority is None:
        return []
    base = scene.bases.get(entity)
    found: list[Question] = []
    for row in rows:
        if row.entity != entity or base is None or row.system != scene.lens.system(authority):
            continue
        for topic, value in scene.known(row).consent.items():
            if value is False and _agreed(base, topic) is True:
                found.append(Question(topic, row))
                standing.setdefault(topic, row)
    return found


def _agreed(base: Base, topic: str) -> Value:
    half = base.halves.get(base_name(topic))
    return half is not None and half.ma is True and half.sfa is True
