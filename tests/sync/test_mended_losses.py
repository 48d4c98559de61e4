"""Records that a vendor no longer shows count as lost, and put the brake on."""

from __future__ import annotations

from collections.abc import Sequence

from renkei.threads import Inline
from sync.cycle import Bounds, run_cycle
from sync.ports import Paths
from sync.read import Numbering, World
from sync.record import Record, Ref, Side
from sync.rows import UNSEEN, Patch, RecordRow
from tests.support.office import Town

MANY = 60


def world(town: Town) -> World:
    return World(
        lens=town.lens, connectors={Side.MA: town.ma, Side.SFA: town.sfa}, store=town.store, clock=town.clock,
        executor=Inline(), numbers=Numbering(town.store),
    )  # fmt: skip


def blind(kind: str, refs: list[Ref], paths: Paths) -> list[None]:
    """A vendor that gives nothing by id."""
    return [None] * len(refs)


def linked(town: Town) -> list[Ref]:
    """Many persons on both sides."""
    people = [town.person(Side.MA, email=f"p{n}@x.example", lastName="山田") for n in range(MANY)]
    town.cycle()
    town.cycle()
    return people


def test_targets_that_a_check_before_writing_does_not_find_put_the_brake_on() -> None:
    """When many targets no longer show, their work waits and the next cycle stops everything, with its figures."""
    town = Town()
    for person in linked(town):
        town.ma.edit(person, {"title": "課長"})
    shown = town.sfa.fetch
    town.sfa.fetch = blind  # type: ignore[method-assign, assignment]
    assert run_cycle(world(town), Bounds()).delivered.sent == {}
    report = run_cycle(world(town), Bounds())
    assert [(brake.action, brake.count) for brake in report.brakes] == [("all", MANY)]
    town.sfa.fetch = shown  # type: ignore[method-assign]
    assert not run_cycle(world(town), Bounds()).brakes


def test_records_that_are_asked_for_by_id_and_not_given_count_as_lost() -> None:
    """A few losses are counted and stop nothing; what is known to be deleted is not counted twice."""
    town = Town()
    people = linked(town)
    town.ma.remove(people[0])
    patch = Patch()
    for row in town.store.get(RecordRow, people[:3]):
        patch.put(row._replace(refetch_at=1.0))
    town.store.commit(patch)
    town.ma.fetch = blind  # type: ignore[method-assign, assignment]
    report = run_cycle(world(town), Bounds())
    assert report.read["ma"].lost == 3
    assert not report.brakes
    assert [row.state for row in town.store.get(RecordRow, people[1:3])] == [UNSEEN, UNSEEN]


def _forget(town: Town, person: Ref, days: float) -> None:
    """Somebody deletes a record, and the vendor forgets the deletion while we are away."""
    town.ma.remove(person)
    line = town.ma._log.pop()
    town.ma._log.append(line._replace(event=None))
    town.clock.sleep(days * 86_400)


def test_who_was_away_longer_than_deletions_are_remembered_asks_for_every_record_by_id() -> None:
    """A deletion that no feed tells any more is found as a record that does not show, and counted."""
    town = Town()
    people = linked(town)
    _forget(town, people[7], days=15)
    report = run_cycle(world(town), Bounds())
    assert report.read["ma"].lost == 1
    assert [row.state for row in town.store.get(RecordRow, [people[7]])] == [UNSEEN]
    assert run_cycle(world(town), Bounds()).read["ma"].lost == 0


def test_who_was_away_for_days_only_asks_for_nothing_by_id() -> None:
    """Within the vendor's memory the feed is enough."""
    town = Town()
    people = linked(town)
    asked: list[int] = []
    fetch = town.ma.fetch

    def counted(kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        asked.append(len(refs))
        return fetch(kind, refs, paths)

    town.ma.fetch = counted  # type: ignore[method-assign]
    _forget(town, people[7], days=13)
    run_cycle(world(town), Bounds())
    assert max(asked, default=0) <= 1
