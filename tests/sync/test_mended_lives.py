"""What a merge leaves behind: claims are given up, effects go on under the new name, twins say nothing of who leads."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.json import decode

from sync.life import Family, note_events
from sync.note import Noted
from sync.plan import Work, encode_work
from sync.ports import Paths
from sync.record import LifeEvent, Record, Ref, Side
from sync.rows import IGNORED, LANE_DELTA, PLANNED, OperationRow, Patch
from sync.rules import ActionKind
from tests.support.office import Town as Village
from tests.support.people import MA_BLANK, NOW, lens, numbers, reading, row
from tests.support.town import SALESFORCE, Town


def test_a_create_whose_person_was_merged_gives_its_address_free() -> None:
    """Somebody who comes later with that address is created, instead of waiting for work that is no more."""
    with Town() as town:
        winner = town.lead(email="w@firm.example", lastName="Ito", leadScore=80)
        town.record(Email="w@firm.example", LastName="Ito")
        town.open()
        loser = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.cycle(send=False)
        assert [each.action for each, _ in town.open_work(loser)] == ["create"]
        town.wait()
        town.merge(winner, loser)
        town.wait()
        town.quiet()
        later = town.lead(email="a@firm.example", lastName="Sato", leadScore=80)
        town.wait()
        town.quiet()
        assert len(town.having(SALESFORCE, "LastName", "Sato")) == 1
        assert town.holds(later) == []


def test_an_effect_that_has_not_left_goes_on_after_a_merge() -> None:
    """What must happen once is not dropped because its person goes on under another entity."""
    loser, winner = row("ma", "1", 8, {}), row("ma", "2", 9, {})
    other = row("sfa", "7", 9, {})
    task = OperationRow(
        40, 8, "people", 7, ActionKind.EFFECT.value, "sfa", "Task", "", LANE_DELTA, PLANNED, 0.0, 0, 0, "d", "h",
        "key", NOW, 0.0, "", encode_work(Work(fields={}, source=loser.ref)),
    )  # fmt: skip
    patch = Patch()
    found = Noted(dirty=[], lost_keys=set(), again=[])
    family = Family([loser, winner, other], [], [task], frozenset())
    event = LifeEvent("merged", loser.ref, Ref("ma", "Lead", "2"))
    note_events([event], family, reading("ma", 50), lens(), numbers(), patch, found)
    (kept,) = patch.puts[OperationRow].values()
    assert isinstance(kept, OperationRow)
    assert (kept.state, kept.entity) == (PLANNED, 9)


def test_what_became_of_a_value_in_a_twin_says_nothing_of_the_record_that_leads() -> None:
    """A vendor is found to have ignored us in a record that has become a twin meanwhile: the very value that stands
    there, typed into the record that leads, is a change and is carried."""
    with Town() as town:
        winner = town.lead(email="w@firm.example", lastName="Ito", title="Chief", leadScore=80)
        loser = town.lead(email="l@firm.example", lastName="Ito", title="Buyer", leadScore=80)
        town.open()
        (leads,), (twin,) = (town.having(SALESFORCE, "Marketo_Id__c", each.id) for each in (winner, loser))
        town.strike(SALESFORCE, "ignored_field")
        town.edit(loser, title="Head")
        town.wait()
        town.cycle()
        town.wait(400.0)
        town.cycle()
        town.merge(winner, loser)
        town.edit(leads, Title="Buyer")
        town.wait()
        town.quiet()
        assert town.entity(twin) == town.entity(leads)
        assert [row.state for row, work in town.all_work(twin) if "Title" in work.fields][-1] == IGNORED
        assert town.value(winner, "title") == "Buyer"


@pytest.mark.parametrize("late", [0.0, 60.0], ids=["survivor read", "survivor not read yet"])
def test_an_id_of_a_record_that_was_merged_before_anybody_read_it_means_the_survivor(late: float) -> None:
    """A journal that was put back from a copy has never seen who was created and merged since: the vendor's word is
    enough to know whom the id across means, and nobody is created a second time."""
    town = Village()
    winner = town.ma.edit(
        Ref("ma", "Lead", ""), {**MA_BLANK, "email": "w@x.example", "lastName": "Ito"}, late=late
    )
    loser = town.person(Side.MA, email="l@x.example", lastName="Ito")
    town.person(Side.SFA, Email="r@x.example", LastName="Ito", Title="CEO", Marketo_Id__c=loser.id)
    town.ma.remove(loser, "merged", winner)
    for _ in range(3):
        town.cycle()
    found = town.ma.find("person", "Lead", "lastName", ["Ito"], {"Lead": ("title",)})
    assert [(each.ref, each.values["title"]) for each in found] == [(winner, "CEO")]


def test_a_survivor_that_nobody_gives_is_asked_of_a_person_once_it_was_asked_for() -> None:
    """The same where the vendor does not give the survivor: its person stands in the inbox as not shown until it does,
    and what they have there is found then."""
    town = Village()
    late = 5_000.0
    winner = town.ma.edit(
        Ref("ma", "Lead", ""), {**MA_BLANK, "email": "w@x.example", "lastName": "Ito"}, late=late
    )
    loser = town.person(Side.MA, email="l@x.example", lastName="Ito")
    town.person(Side.SFA, Email="r@x.example", LastName="Ito", Title="CEO", Marketo_Id__c=loser.id)
    town.ma.remove(loser, "merged", winner)
    give = town.ma.fetch

    def fetch(kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        shows = town.clock.now() >= NOW + late
        return [
            each if shows or each is None or each.ref != winner else None for each in give(kind, refs, paths)
        ]

    town.ma.fetch = fetch  # type: ignore[method-assign]
    for _ in range(3):
        town.cycle()
    (hold,) = [each for each in town.store.holds_of(range(1_000)) if each.kind == "unseen"]
    assert decode(hold.body)["record"] == list(winner)
    town.cycle(late)
    town.cycle()
    assert [each.kind for each in town.store.holds_of(range(1_000))] == []
    found = town.ma.find("person", "Lead", "lastName", ["Ito"], {"Lead": ("title",)})
    assert [(each.ref, each.values["title"]) for each in found] == [(winner, "CEO")]
