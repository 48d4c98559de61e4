"""Undo a create to its end: delete the record again, where nobody has touched it since (ADR 0012).

Pure. It decides whether a record is still only ours: by who wrote it last, as far as its vendor says so, by what reads
have told of it since, by what hangs on it. Whatever is in doubt stays, and is listed with the reason. An opted-out
person's record is never deleted: it bears the opt-out for everybody who asks the vendor. It does not know how anything
is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from sync.holds import BEARER, UNLINKED
from sync.normalise import decode_body
from sync.plan import FieldWork, Job, target_of
from sync.record import Ref
from sync.rows import APPLIED, DELETED, LIVE, UNSEEN, HoldRow, RecordRow
from sync.scene import Scene
from sync.work import Wanted, Wants

if TYPE_CHECKING:
    from sync.settle import Settlement

TOUCHED, TIED, TWINS = "touched", "tied", "twins"


def is_deleted(scene: Scene, hold: HoldRow) -> bool:
    """True for the mark of a create that was taken back to its end: the record is gone, and nothing is left to list."""
    if hold.kind != UNLINKED:
        return False
    details = msgspec.json.decode(hold.body)
    row = scene.records.get(Ref(*details["record"])) if details.get("delete") else None
    return row is not None and row.state == DELETED


def want_deleted(scene: Scene, entity: int, wants: Wants) -> None:
    """Want the record of an undone create gone, if a person said so and it is still only ours; else list why not."""
    hold = scene.holds[entity].get(("", UNLINKED))
    details: dict[str, Any] = msgspec.json.decode(hold.body) if hold is not None else {}
    if not details.get("delete"):
        return
    row = scene.records.get(Ref(*details["record"]))
    if row is None or row.state != LIVE:
        return  # not shown now: it waits
    why = _kept(scene, entity, row, details, wants)
    if why:
        wants.hold("", UNLINKED, {**details, "delete": False, "kept": why})
        return
    body = decode_body(row.body)
    fields = {
        path: FieldWork(scene.lens.name_of(row.system, row.object, path) or path, raw, None, None, None)
        for path, raw in body.items()
    }
    other = scene.leading(entity, scene.lens.side(row.system).other)
    source = other if other is not None else row
    run = int(details["run"])
    wants.undos[row.ref, run] = Wanted(source, fields, list(fields), again=True, run=run, delete=True)


def _kept(scene: Scene, entity: int, row: RecordRow, details: Mapping[str, Any], wants: Wants) -> str:
    """Why a record stays ("" = it may go)."""
    if row.own == 0 or row.observed != details["observed"]:
        return TOUCHED
    if wants.opted_out or True in scene.lens.known(row).consent.values():
        return BEARER
    same = [each for each in scene.rows(entity) if each.system == row.system and each.state in (LIVE, UNSEEN)]
    if row.entity != entity or len(same) > 1:
        return TWINS
    return TIED if scene.kin([row]) else ""


def gone_by_us(settlement: Settlement, job: Job) -> None:
    """The record is gone by our own hand: its row says so, as it would if the vendor had told."""
    held = settlement.around.records.get(target_of(job.row))
    if held is not None and held.state in (LIVE, UNSEEN):
        number = settlement.numbers()
        new = held._replace(
            state=DELETED,
            settled=number,
            settled_at=settlement.now,
            noted=number,
            refetch_at=0.0,
            unconfirmed="",
        )
        settlement.around.put(new)
        settlement.patch.put(new)
    settlement.patch.put(job.row._replace(state=APPLIED, done_at=settlement.now, reason=""))
    settlement.done.applied += 1
