"""Too much at once is stopped before it leaves, and whatever is not concerned goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sync.record import Ref
from sync.rules import ActionKind, Limit, Rules
from tests.support.town import MARKETO, SALESFORCE, Town


def town_with(folder: Path, **limits: int) -> Town:
    """A town whose rules allow so many actions of a kind in a cycle, and more of the others."""
    chosen: Mapping[ActionKind, Limit] = {
        ActionKind(kind): Limit(number=number, share=0.0) for kind, number in limits.items()
    }

    def change(rules: Rules) -> Rules:
        return replace(rules, limits={**rules.limits, **chosen})

    return Town(folder, change)


def pairs(town: Town, count: int) -> list[tuple[Ref, Ref]]:
    """Linked people at rest."""
    found = []
    for number in range(count):
        mail = f"p{number}@firm.example"
        found.append((town.lead(email=mail, lastName="Ito"), town.record(Email=mail, LastName="Ito")))
    town.open()
    return found


def test_too_many_creates_stand_and_updates_go(tmp_path: Path) -> None:
    """Six newcomers where five are allowed: none is created, the brake says why, and edits go out."""
    with town_with(tmp_path, create=5) as town:
        people = pairs(town, 3)
        for number in range(6):
            town.lead(email=f"n{number}@firm.example", lastName="Abe", leadScore=80)
        town.edit(people[0][0], title="Buyer")
        (brake,) = town.cycle().brakes
        assert (brake.action, brake.count, brake.limit) == ("create", 6, 5)
        assert len(town.live(SALESFORCE)) == 3
        assert town.value(people[0][1], "Title") == "Buyer"


def test_work_behind_a_brake_follows_the_values(tmp_path: Path) -> None:
    """While updates stand, an edit that is taken back takes its operation with it, and the brake opens by itself."""
    with town_with(tmp_path, update=2) as town:
        people = pairs(town, 3)
        for lead, _record in people:
            town.edit(lead, title="Buyer")
        assert [brake.action for brake in town.cycle().brakes] == ["update"]
        town.edit(people[2][0], title=None)
        town.wait()
        assert town.cycle().brakes == ()
        assert [town.value(record, "Title") for _lead, record in people] == ["Buyer", "Buyer", None]


def test_a_mass_edit_by_an_import_is_stopped(tmp_path: Path) -> None:
    """Somebody's import overwrites a field of everybody at sales: marketing keeps its values until a person looks."""
    with town_with(tmp_path, update=10) as town:
        people = pairs(town, 30)
        for lead, _record in people:
            town.edit(lead, title="Buyer")
        town.cycle(first=True)
        town.wait()
        town.quiet()
        town.wait(90_000.0)
        for _lead, record in people:
            town.edit(record, Title="#N/A")
        town.quiet()
        assert [town.value(lead, "title") for lead, _record in people] == ["Buyer"] * 30


def test_too_many_opt_outs_are_written_up_to_the_limit(tmp_path: Path) -> None:
    """Ten opt-outs where three are allowed in an hour: three are written at once, a person is asked about the rest,
    and marketing's own word stands for all ten."""
    with town_with(tmp_path, optout=3) as town:
        people = pairs(town, 10)
        for lead, _record in people:
            town.edit(lead, unsubscribed=True)
        brakes = [brake for _ in range(3) for brake in town.cycle().brakes]
        assert {brake.action for brake in brakes} == {"optout"}
        assert len(town.having(SALESFORCE, "HasOptedOutOfEmail", value=True)) == 3
        assert len(town.having(MARKETO, "unsubscribed", value=True)) == 10


def test_a_side_that_loses_most_of_its_records_stops_everything(tmp_path: Path) -> None:
    """Sixty of eighty records disappear at sales: nothing but opt-outs is written while that is being read."""
    with town_with(tmp_path) as town:
        people = pairs(town, 80)
        for _lead, record in people[:60]:
            town.delete(record)
        town.edit(people[70][0], title="Buyer", unsubscribed=True)
        (brake,) = town.cycle().brakes
        assert (brake.action, brake.count) == ("all", 60)
        assert town.value(people[70][1], "Title") is None
        assert town.value(people[70][1], "HasOptedOutOfEmail") is True
        assert len(town.live(MARKETO)) == 80


def test_another_accident_under_a_standing_brake_has_a_day_of_its_own(tmp_path: Path) -> None:
    """Sixty are lost, and most of a day later sixty more: nobody has agreed to these, so the brake does not lapse with
    the day of the first ones."""
    with town_with(tmp_path) as town:
        people = pairs(town, 160)
        for _lead, record in people[:60]:
            town.delete(record)
        (first,) = town.cycle().brakes
        town.wait(80_000.0)
        for _lead, record in people[60:120]:
            town.delete(record)
        town.edit(people[150][0], title="Buyer")
        (second,) = town.cycle().brakes
        town.wait(10_000.0)
        (left,) = town.cycle().brakes
        assert (first.action, second.action, left.reason) == ("all", "all", second.reason)
        assert town.value(people[150][1], "Title") is None
        town.wait(80_000.0)
        assert town.cycle().brakes == ()


def test_a_plan_between_a_loss_and_the_next_cycle_does_not_open_the_brake(tmp_path: Path) -> None:
    """Who looks with a plan reads the loss: the brake that it shows stands for the next cycle, which reads none."""
    with town_with(tmp_path) as town:
        people = pairs(town, 80)
        for _lead, record in people[:60]:
            town.delete(record)
        town.edit(people[70][0], title="Buyer")
        (shown,) = town.cycle(send=False).brakes
        (brake,) = town.cycle().brakes
        assert (shown.action, brake.action, brake.count) == ("all", "all", 60)
        assert town.value(people[70][1], "Title") is None
