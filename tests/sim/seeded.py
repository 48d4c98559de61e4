"""Bugs put into the engine on purpose: what a simulation is worth is how many of them it finds.

Each entry replaces one thing in the engine for the length of a test; none is ever left in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

import sync.chunk
import sync.confirm
import sync.decide
import sync.doubt
import sync.pairs
import sync.read
import sync.resolve
import sync.scene
import sync.send
from sync.around import Around
from sync.plan import Half, Job, jobs_of
from sync.read import ReadCount, World
from sync.record import Page, Ref, Side
from sync.resolve import WriteTo
from sync.rows import DELETED, BatchRow, CursorRow, Patch, RecordRow
from sync.settle import Settlement
from sync.verify import Verdicts
from tests.sim.driver import Journal

Bug = Callable[[pytest.MonkeyPatch], None]


def resend_in_doubt_without_reading(patch: pytest.MonkeyPatch) -> None:
    """What was not answered is simply sent again."""

    def blind(world: World, side: Side, run: int, batch: BatchRow, rows: Sequence[Any], done: object) -> None:
        jobs = jobs_of(rows)
        around = Around(*sync.doubt.load_around(world, jobs, []))
        changes = Patch()
        settlement = Settlement(world.lens, around, world.numbers, world.clock.now(), changes)
        for job in jobs:
            settlement.again(job)
        changes.drop(batch)
        world.store.commit(changes)

    patch.setattr(sync.doubt, "_settle_batch", blind)


def look_up_before_the_server_gave_up(patch: pytest.MonkeyPatch) -> None:
    """A write in doubt is looked up at once, while it may still act."""
    patch.setattr(sync.doubt, "ripe_at", lambda world, side, batch: batch.sent_at)


def one_base_instead_of_a_pair(patch: pytest.MonkeyPatch) -> None:
    """Both sides are compared with the value that was decided from."""
    whole = Settlement._half

    def single(self: Settlement, work: Any, path: str, target: RecordRow, *more: Any) -> Half:
        half = whole(self, work, path, target, *more)
        source = half.of(self.lens.side(target.system).other)
        return replace(half, ma=source, sfa=source)

    patch.setattr(Settlement, "_half", single)
    patch.setattr(sync.decide, "_apply_fate", lambda *_: None)


def settle_from_what_is_seen_by_now(patch: pytest.MonkeyPatch) -> None:
    """The base takes the source's present value, not the one that was decided from."""
    whole = Settlement._half

    def present(self: Settlement, work: Any, path: str, target: RecordRow, *more: Any) -> Half:
        half = whole(self, work, path, target, *more)
        side = self.lens.side(target.system).other
        for row in self.around.records.values():
            known = self.lens.known(row)
            if (
                row.entity == target.entity
                and row.system == self.lens.system(side)
                and work.name in known.values
            ):
                return replace(half, **{side.value: known.values[work.name]})
        return half

    patch.setattr(Settlement, "_half", present)


def no_as_of_check(patch: pytest.MonkeyPatch) -> None:
    """A read that left before our write came back overwrites what we know."""
    patch.setattr("sync.note._is_stale", lambda record, row, reading: False)


def no_verify(patch: pytest.MonkeyPatch) -> None:
    """Nothing is read before it is written over."""

    def trusting(world: World, side: Side, run: int, jobs: Sequence[Job], *more: Any) -> Any:
        found = Verdicts()
        found.ready = list(jobs)
        return found

    patch.setattr(sync.send, "verify", trusting)


def sent_operations_are_superseded(patch: pytest.MonkeyPatch) -> None:
    """A write that has left is derived again beside itself."""
    load = sync.scene.load

    def forgetful(*given: Any) -> Any:
        scene = load(*given)
        scene.sent = frozenset()
        return scene

    patch.setattr(sync.chunk, "load", forgetful)


def opt_out_forgotten_at_create(patch: pytest.MonkeyPatch) -> None:
    """A person who is opted out is created as one who may be written to."""
    whole = sync.decide._want_consent

    def forgetful(scene: Any, entity: int, wants: Any, *more: Any) -> None:
        whole(scene, entity, wants, *more)
        wants.opted_out = frozenset()

    patch.setattr(sync.decide, "_want_consent", forgetful)


def opt_out_not_carried(patch: pytest.MonkeyPatch) -> None:
    """An opt-out stays where it was given."""
    patch.setattr(sync.decide, "_want_consent", lambda *_: None)


def cursor_moved_before_noting(patch: pytest.MonkeyPatch) -> None:
    """The place in the feed is kept first, what stood on the page afterwards."""
    whole = sync.read._note_page

    def hasty(world: World, page: Page, reading: Any, done: ReadCount, cursor: CursorRow | None) -> None:
        if cursor is not None:
            first = Patch()
            first.put(cursor)
            world.store.commit(first)
        whole(world, page, reading, done, None)

    patch.setattr(sync.read, "_note_page", hasty)


def sent_is_not_durable(patch: pytest.MonkeyPatch) -> None:
    """The mark «sent» is not yet on the disk when the request leaves."""
    whole = Journal.commit

    def lazy(self: Journal, changes: Patch, *, durable: bool = True) -> None:
        whole(self, changes, durable=durable and BatchRow not in changes.puts)

    patch.setattr(Journal, "commit", lazy)


def losers_are_not_listed(patch: pytest.MonkeyPatch) -> None:
    """A conflict is decided without a word."""
    whole = sync.resolve.resolve

    def silent(*given: Any) -> Any:
        verdict = whole(*given)
        return WriteTo(verdict.side) if isinstance(verdict, WriteTo) else verdict

    patch.setattr(sync.pairs, "resolve", silent)


def deleted_persons_are_made_anew(patch: pytest.MonkeyPatch) -> None:
    """A person whom somebody deleted is created again."""
    patch.setattr("sync.identify._deleted_across", lambda *_: None)


def no_claims(patch: pytest.MonkeyPatch) -> None:
    """Two records of one person are created side by side."""
    patch.setattr("sync.create._claims", lambda *_: ())


def new_ids_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """The records of one entity that merge elsewhere keep the old link."""
    patch.setattr("sync.identify._survivor", lambda scene, row: row)


def an_ignored_value_counts_as_a_change(patch: pytest.MonkeyPatch) -> None:
    """A value that the vendor did not take is carried back over the person's own."""
    patch.setattr(
        "sync.confirm._fate", lambda row, lens, path, sent, now: None if now == sent.sent else "changed"
    )


def evidence_is_believed_blindly(patch: pytest.MonkeyPatch) -> None:
    """«Last modified by us» makes every difference the vendor's own."""
    whole = sync.confirm.confirm

    def gullible(row: RecordRow, *given: Any, **more: Any) -> Any:
        return whole(row._replace(own=1), *given, **more)

    patch.setattr(sync.decide, "confirm", gullible)


def moved_fields_keep_their_base(patch: pytest.MonkeyPatch) -> None:
    """After a merge or conversion the halves of the old record count for the new one."""
    patch.setattr(sync.pairs, "_still_true", lambda scene, entity, old, halves, known: dict(halves))


def unseen_is_taken_for_deleted(patch: pytest.MonkeyPatch) -> None:
    """A record that a read by id does not give counts as deleted."""

    def harsh(
        held: dict[Ref, RecordRow], missing: set[Ref], reading: Any, numbers: Any, changes: Patch
    ) -> int:
        for ref in missing & set(held):
            changes.put(held[ref]._replace(state=DELETED, refetch_at=0.0))
        return 0

    patch.setattr(sync.read, "_note_unseen", harsh)


class Seeded(NamedTuple):
    """A bug, the profile that is to find it, and the seed from which to look (near where it was found last)."""

    bug: Bug
    profile: str = "default"
    first: int = 1


BUGS: tuple[Seeded, ...] = (
    Seeded(resend_in_doubt_without_reading),
    Seeded(look_up_before_the_server_gave_up, "hasty", 160),
    Seeded(one_base_instead_of_a_pair, first=40),
    Seeded(settle_from_what_is_seen_by_now, first=10),
    Seeded(no_as_of_check, "hasty", 220),
    Seeded(no_verify),
    Seeded(sent_operations_are_superseded, first=110),
    Seeded(opt_out_forgotten_at_create),
    Seeded(opt_out_not_carried),
    Seeded(cursor_moved_before_noting, first=270),
    Seeded(sent_is_not_durable, first=180),
    Seeded(losers_are_not_listed),
    Seeded(deleted_persons_are_made_anew, first=200),
    Seeded(no_claims, first=30),
    Seeded(new_ids_are_forgotten, "hasty", 180),
    Seeded(an_ignored_value_counts_as_a_change, first=40),
    Seeded(evidence_is_believed_blindly),
    Seeded(moved_fields_keep_their_base),
    Seeded(unseen_is_taken_for_deleted, "veiled"),
)
