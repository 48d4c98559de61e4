"""The memory of opt-outs: who said so, kept apart from what is seen, so that nothing that happens to a record lifts it.

A latch is a row among the keys: for a person's entity and for every address that the person has had, one per topic.
It is set when an opt-out is first seen and never dropped by the engine (protocol §4, §5; invariants C-1 and C-5).
"""

from __future__ import annotations

from collections.abc import Iterable

from sync.rows import KeyRow, RecordRow
from sync.scene import LATCH, NOWHERE, Scene, entity_name, lifted_name


def latched(scene: Scene, names: Iterable[str]) -> dict[str, str]:
    """Topics that are latched under any of these names, each with the record that said so."""
    found: dict[str, str] = {}
    for name in names:
        for topic, source in scene.latches.get(name, {}).items():
            found.setdefault(topic, source)
    return found


def set_latch(scene: Scene, name: str, topic: str, source: str) -> None:
    """Latch a topic under a name, unless it is."""
    topics = scene.latches.setdefault(name, {})
    if topic not in topics:
        topics[topic] = source
        scene.patch.put(KeyRow(NOWHERE, LATCH, name, topic, source, 0))


def end_lifts(scene: Scene, rows: Iterable[RecordRow], standing: Iterable[str]) -> None:
    """Forget that a record's opt-out was lifted, once the record no longer says it or another one says it anew: what
    it says from then on is newer."""
    latched_again = set(standing)
    for row in rows:
        for topic in sorted(scene.lifted.get(row[:3], ())):
            if topic in latched_again or scene.lens.known(row).consent.get(topic) is not True:
                scene.patch.drop(KeyRow(NOWHERE, LATCH, lifted_name(row), topic, "", 0))


def follow(scene: Scene, gone: int, keep: int) -> None:
    """Let the latches of an entity hold for the one that it has joined."""
    for topic, source in dict(scene.latches.get(entity_name(gone), {})).items():
        set_latch(scene, entity_name(keep), topic, source)


def record_name(row: RecordRow) -> str:
    """How a latch names the record that said so."""
    return f"{row.system}/{row.object}/{row.id}"
