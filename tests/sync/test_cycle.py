"""Whole cycles: changed rules, brakes, shadow, first plan."""

from __future__ import annotations

from dataclasses import replace

from sync.cycle import Bounds, run_cycle
from sync.normalise import Lens
from sync.read import ANEW
from sync.record import Ref, Side
from sync.rows import DELETED, CursorRow, RecordRow, RulesRow
from sync.rules import ActionKind, Limit
from tests.support.office import Town, world
from tests.support.people import MAPPING


def title(town: Town, id_: str = "000000001") -> object:
    (found,) = town.sfa.fetch("person", [Ref("sfa", "Lead", id_)], {"Lead": ("Title",)})
    return found and found.values["Title"]


def test_a_route_that_was_never_applied_writes_nothing_at_all() -> None:
    """Before the first plan is applied not even an opt-out leaves; everything is planned."""
    town = Town()
    town.person(Side.MA, email="a@x.example", lastName="山田", unsubscribed=True)
    report = run_cycle(world(town), Bounds())
    assert report.waiting_for_first
    assert not report.delivered.sent
    assert sum(town.store.planned("people").values()) == 1


def test_a_shadow_route_decides_and_never_writes() -> None:
    """In shadow everything is decided and journaled, opt-outs included, and nothing leaves."""
    town = Town("mode: shadow\n" + MAPPING)
    town.person(Side.MA, email="a@x.example", lastName="山田", unsubscribed=True)
    report = run_cycle(world(town), Bounds(first=True))
    assert report.decided.operations == 1
    assert not report.delivered.sent


def test_changed_rules_decide_everybody_again_without_a_call() -> None:
    """A changed deciding part marks every record dirty from what is stored; a changed reading part reads anew."""
    town = Town()
    town.person(Side.MA, email="a@x.example", lastName="山田", title="課長")
    town.cycle()
    town.cycle()
    turned = Town(MAPPING.replace("title: { ma: title, flow: <->,", "title: { ma: title, flow: ->,"))
    town.lens = Lens(replace(turned.lens.rules, reading=town.lens.rules.reading, deciding="other"))
    report = town.cycle()
    assert report.read["ma"].read == 0
    assert report.decided.entities == 1
    asked = town.ma.calls
    town.lens = Lens(replace(town.lens.rules, reading="other"))
    town.cycle()
    assert town.ma.calls == asked + 2
    assert not town.store.get(CursorRow, [("ma", "person", ANEW)])


def test_a_deletion_is_not_missed_while_everything_is_read_anew() -> None:
    """A changed reading part keeps the feed's cursor: what was deleted since is still told."""
    town = Town()
    lead = town.person(Side.MA, email="a@x.example", lastName="山田")
    town.cycle()
    town.cycle()
    town.ma.remove(lead)
    town.lens = Lens(replace(town.lens.rules, reading="other"))
    town.cycle()
    (row,) = town.store.get(RecordRow, [lead])
    assert row.state == DELETED


def test_a_changed_rule_does_not_begin_the_windows_of_brakes_anew() -> None:
    """Only a person's consent to a whole plan restarts the counting of what was written."""
    town = Town()
    town.cycle()
    (agreed,) = town.store.get(RulesRow, [("people",)])
    town.lens = Lens(replace(town.lens.rules, deciding="other"))
    town.clock.sleep(500)
    run_cycle(world(town), Bounds())
    (after,) = town.store.get(RulesRow, [("people",)])
    assert (after.deciding, after.applied, after.since) == ("other", 1, agreed.since)


def _limited(town: Town, number: int) -> None:
    limits = {**town.lens.rules.limits, ActionKind.CREATE: Limit(number=number, share=0.0)}
    town.lens = Lens(replace(town.lens.rules, limits=limits))


def test_a_brake_stops_one_kind_of_action_and_stands_in_the_inbox() -> None:
    """Too many creates stay planned while updates and opt-outs go on; the brake says why, and goes when it may."""
    town = Town()
    first = town.person(Side.MA, email="first@x.example", lastName="山田", title="課長")
    town.cycle()
    town.cycle()
    _limited(town, 2)
    for number in range(3):
        town.person(Side.MA, email=f"p{number}@x.example", lastName="佐藤")
    town.ma.edit(first, {"title": "部長", "unsubscribed": True})
    report = run_cycle(world(town), Bounds())
    assert [(brake.action, brake.count, brake.limit) for brake in report.brakes] == [("create", 3, 2)]
    assert title(town) == "部長"
    (hold,) = town.store.holds_of([0])
    assert (hold.kind, hold.field) == ("brake", "people/create")
    _limited(town, 5)
    assert not run_cycle(world(town), Bounds()).brakes
    assert not town.store.holds_of([0])
    assert town.store.count_records("sfa", "person") == 4


def test_a_flood_of_opt_outs_lets_the_first_ones_go_and_asks_for_the_rest() -> None:
    """The one brake of opt-outs: the first n leave, the others are planned and listed."""
    town = Town()
    people = [town.person(Side.MA, email=f"p{number}@x.example", lastName="山田") for number in range(5)]
    town.cycle()
    town.cycle()
    limits = {**town.lens.rules.limits, ActionKind.OPT_OUT: Limit(number=2, share=0.0)}
    town.lens = Lens(replace(town.lens.rules, limits=limits))
    for person in people:
        town.ma.edit(person, {"unsubscribed": True})
    report = run_cycle(world(town), Bounds())
    assert report.delivered.settled.applied == 2
    assert [brake.action for brake in report.brakes] == ["optout"]
    assert town.store.planned("people")[report.run, "optout"] == 3


def test_a_loss_of_records_stops_everything_until_a_person_lets_a_plan_go() -> None:
    """Many records gone at once brake all writing, in the cycles after too; opt-outs go on, and consent ends it."""
    town = Town()
    people = [town.person(Side.MA, email=f"p{number}@x.example", lastName="山田") for number in range(60)]
    town.cycle()
    town.cycle()
    for person in people[:55]:
        town.ma.remove(person)
    town.ma.edit(people[56], {"title": "課長"})
    town.ma.edit(people[57], {"unsubscribed": True})
    for _cycle in range(3):
        town.clock.sleep(60)
        (brake,) = run_cycle(world(town), Bounds()).brakes
        assert (brake.action, brake.reason) == ("all", "ma lost 55 of 60 records, limit 50")
    assert title(town, "000000057") is None
    (found,) = town.sfa.fetch("person", [Ref("sfa", "Lead", "000000058")], {"Lead": ("HasOptedOutOfEmail",)})
    assert found is not None
    assert found.values["HasOptedOutOfEmail"] is True
    town.cycle()
    assert title(town, "000000057") == "課長"
    assert not run_cycle(world(town), Bounds()).brakes
