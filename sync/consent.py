"""Opt-outs: a latch, not a field. True on any record of a person or address becomes true on all of them, and stays:
what was seen once is remembered apart from the records, whatever becomes of them.

Pure over a scene. Nothing here ever turns true to false. Blank and unreadable are unknown: never false, and
never the source of a write (protocol §4; invariants C-1 to C-6 of the domain rules). Only the side named as
authority may question a standing opt-out, and then a person decides.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from sync.latch import end_lifts, latched, record_name, set_latch
from sync.normalise import decode_body
from sync.plan import FieldWork
from sync.record import Raw
from sync.rows import DELETED, LIVE, MOVED, RecordRow
from sync.rules import Cell
from sync.scene import Scene, entity_name

Standing: TypeAlias = dict[str, RecordRow | None]


class OptOut(NamedTuple):
    """An opt-out to be set on one record: work by vendor path, and the record where the fact comes from."""

    row: RecordRow
    fields: dict[str, FieldWork]
    source: RecordRow


class Question(NamedTuple):
    """The authority took an opt-out back: a person has to show evidence."""

    topic: str
    row: RecordRow


class Consent(NamedTuple):
    """What has to be set true, what has to be asked, and the topics that stand opted out."""

    writes: list[OptOut]
    questions: list[Question]
    standing: frozenset[str]


NOTHING = Consent([], [], frozenset())


def base_name(topic: str) -> str:
    """The name under which a topic's pair stands in the base."""
    return f"consent.{topic}"


def decide_consent(scene: Scene, entity: int) -> Consent:
    """Decide a person's opt-outs: those of the own records, and of everybody who shares an address."""
    if not scene.lens.rules.consent:
        return NOTHING
    own = scene.rows(entity)
    addresses = {address for row in own if (address := scene.known(row).address)}
    names = [entity_name(entity), *sorted(addresses)]
    standing = _standing(scene, own, addresses, names)
    end_lifts(scene, own, standing)
    if not standing:
        return NOTHING
    for topic, said in standing.items():
        for name in names:
            set_latch(scene, name, topic, record_name(said) if said is not None else "")
    live = [row for row in own if row.state == LIVE]
    asked = [Question(topic, row) for row in live for topic in standing if _taken_back(scene, row, topic)]
    concerned = {row.ref: row for row in (*live, *_neighbours(scene, addresses))}
    writes = [write for row in concerned.values() if (write := _write(scene, row, standing)) is not None]
    return Consent(writes, asked, frozenset(standing))


def _standing(scene: Scene, own: list[RecordRow], addresses: set[str], names: list[str]) -> Standing:
    """Topics that anybody with these records, addresses or latches has opted out of, and who says so now."""
    found: Standing = {}
    said = [*own]
    for address in sorted(addresses):
        said += scene.opted.get(address, ())
    for row in said:
        for topic, value in scene.known(row).consent.items():
            if value is True:
                found.setdefault(topic, row)
    for topic in latched(scene, names):
        found.setdefault(topic, None)
    return found


def _neighbours(scene: Scene, addresses: set[str]) -> list[RecordRow]:
    """Live records of others with these addresses; each address is served once in a scene."""
    found: list[RecordRow] = []
    for address in sorted(addresses - scene.served):
        scene.served.add(address)
        for system in scene.lens.rules.systems.values():
            found += scene.sharing(system, address)
    return found


def _write(scene: Scene, row: RecordRow, standing: Standing) -> OptOut | None:
    known = scene.known(row)
    side = scene.lens.side(row.system)
    body = decode_body(row.body)
    fields: dict[str, FieldWork] = {}
    source = row
    for topic, said in standing.items():
        cell = scene.lens.topic[topic].cells.get(side) if topic in scene.lens.topic else None
        path = cell.paths.get(row.object) if cell is not None else None
        if cell is None or path is None or known.consent.get(topic) is True or _taken_back(scene, row, topic):
            continue
        fields[path] = opt_out_work(topic, body.get(path), cell)
        source = said or source
    return OptOut(row, fields, source) if fields else None


def opt_out_work(topic: str, expected: Raw, cell: Cell) -> FieldWork:
    """The one thing that is ever written to an opt-out: true."""
    out = True
    return FieldWork(base_name(topic), expected, cell.write(out), source=out, half=out)


def _taken_back(scene: Scene, row: RecordRow, topic: str) -> bool:
    """True if the authority's record reads false where it had said or agreed true."""
    authority = scene.lens.rules.authority
    if authority is None or row.state in (DELETED, MOVED) or row.system != scene.lens.system(authority):
        return False
    if scene.known(row).consent.get(topic) is not False:
        return False
    names = [entity_name(row.entity), scene.known(row).address]
    return _agreed(scene, row.entity, topic) or latched(scene, names).get(topic) == record_name(row)


def _agreed(scene: Scene, entity: int, topic: str) -> bool:
    base = scene.bases.get(entity)
    half = base.halves.get(base_name(topic)) if base is not None else None
    return half is not None and half.ma is True and half.sfa is True
