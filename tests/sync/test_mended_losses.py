"""Records that a vendor no longer shows count as lost, and put the brake on."""

from __future__ import annotations

from sync.cycle import Bounds, run_cycle
from sync.ports import Paths
from sync.read import Numbering, World
from sync.record import Ref, Side
from sync.rows import UNSEEN, Patch, RecordRow
from tests.support.office import Inline, Town

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
