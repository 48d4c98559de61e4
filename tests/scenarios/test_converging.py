"""Two sides that know some of the same people become two sides that know all of them, and then there is silence."""

from __future__ import annotations

from collections import Counter

import pytest

from matching.email import email_key, normalise_email
from simulators.world import Mix, World
from tests.support.town import MARKETO, SALESFORCE, Town

EMAIL = {MARKETO: "email", SALESFORCE: "Email"}


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest) -> str:
    """Both kinds of journal."""
    return str(request.param)


def settled(town: Town) -> World:
    """A town of sixty people, a third of them known to both sides, brought to rest."""
    world = World(7, 60, 0.3, Mix(role=0.0, contacts=0.3))
    world.project_marketo(town.marketo)
    world.project_salesforce(town.salesforce)
    town.open()
    return world


def addresses(town: Town, system: str) -> Counter[str]:
    """How many live records of a side stand under each person's address."""
    written = (str(town.value(ref, EMAIL[system])) for ref in town.live(system))
    return Counter(email_key(normalise_email(text) or text) for text in written)


def expected(world: World, system: str) -> set[str]:
    """The people who must be known to a side: its own, and the other side's as far as the rules create them."""
    return {
        email_key(person.email)
        for person in world.persons
        if system in world.sides[person.number] or system == MARKETO or person.score >= 60
    }


def test_both_sides_end_with_everybody_once(town: Town) -> None:
    """After the first sync each side holds everybody that the rules want there, and nobody twice."""
    world = settled(town)
    for system in EMAIL:
        found = addresses(town, system)
        assert set(found) == expected(world, system)
        assert set(found.values()) == {1}


def test_linked_records_name_each_other(town: Town) -> None:
    """Every record that has a counterpart carries its id, and the counterpart carries this record's."""
    settled(town)
    for ref in town.live(SALESFORCE):
        lead = str(town.value(ref, "Marketo_Id__c"))
        (there,) = [other for other in town.live(MARKETO) if other.id == lead]
        assert town.value(there, "sfaId") == ref.id


def test_nothing_is_written_once_everything_was_written(town: Town) -> None:
    """Further cycles, sweeps among them, write nothing at either vendor."""
    settled(town)
    before = len(town.api_entries)
    town.quiet()
    town.cycles(3)
    assert len(town.api_entries) == before


def test_a_quiet_cycle_costs_one_call_for_each_feed(town: Town) -> None:
    """Ten quiet cycles ask Marketo for activities and Salesforce for changed leads and contacts, and nothing else."""
    settled(town)
    before = {name: town.calls(name) for name in EMAIL}
    asked = [town.marketo.calls.copy(), town.salesforce.calls.copy()]
    town.cycles(10)
    assert {name: town.calls(name) - before[name] for name in EMAIL} == {MARKETO: 10, SALESFORCE: 20}
    assert town.marketo.calls - asked[0] == Counter({"activities": 10})
    assert town.salesforce.calls - asked[1] == Counter({"queryAll": 20})


def test_small_cycles_end_as_one_large_one(town: Town) -> None:
    """A sync whose first plan is delivered in many small cycles ends as one that does all at once."""
    world = World(7, 60, 0.3, Mix(role=0.0, contacts=0.3))
    world.project_marketo(town.marketo)
    world.project_salesforce(town.salesforce)
    for _ in range(30):
        if not town.cycle(first=True, dirty=7, chunk=3).left:
            break
    town.quiet()
    for system in EMAIL:
        assert addresses(town, system) == Counter(expected(world, system))
