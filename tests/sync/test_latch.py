"""Opt-outs over time: what was seen once stands, whatever becomes of the records that said so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.cycle import Bounds, run_cycle
from sync.normalise import Lens
from sync.record import Raw, Ref, Side
from sync.rules import ActionKind, Limit
from tests.support.office import Town, world
from tests.support.people import MAPPING

ADDRESS = "hanako@x.example"
NOBODY = MAPPING.replace("  authority: ma\n", "")


def pair(mapping: str = MAPPING, **ma: Raw) -> tuple[Town, Ref, Ref]:
    town = Town(mapping)
    lead = town.person(Side.MA, email=ADDRESS, lastName="花子", **ma)
    town.cycle()
    town.cycle()
    return town, lead, Ref("sfa", "Lead", "000000001")


def out(town: Town, ref: Ref) -> Raw:
    office, path = (town.ma, "unsubscribed") if ref.system == "ma" else (town.sfa, "HasOptedOutOfEmail")
    (record,) = office.fetch("person", [ref], {"Lead": (path,)})
    assert record is not None
    return record.values[path]


def holds(town: Town) -> set[str]:
    entities = {mark.entity for mark in town.store.dirty("person", ("ma", "sfa"), 0, 999)} | {*range(2_000)}
    return {hold.kind for hold in town.store.holds_of(entities)}


def test_cleared_on_both_sides_at_once_it_is_set_true_again() -> None:
    """Without an authority, an agreed opt-out that both sides clear between two cycles comes back on both."""
    town, lead, record = pair(NOBODY, unsubscribed=True)
    assert out(town, record) is True
    town.ma.edit(lead, {"unsubscribed": False})
    town.sfa.edit(record, {"HasOptedOutOfEmail": False})
    town.cycle()
    town.cycle()
    assert (out(town, lead), out(town, record)) == (True, True)


def test_cleared_before_it_was_delivered_it_still_arrives() -> None:
    """An opt-out that was seen once reaches the other side, also when it is taken back before anything has left."""
    town, lead, record = pair(NOBODY)
    town.ma.edit(lead, {"unsubscribed": True})
    town.clock.sleep(1)
    run_cycle(world(town), Bounds(send=False))
    town.ma.edit(lead, {"unsubscribed": False})
    town.cycle()
    town.cycle()
    assert (out(town, lead), out(town, record)) == (True, True)


def test_the_authority_is_asked_for_evidence_and_the_other_side_stays_out() -> None:
    """Taken back on the authority's own record: a hold, nothing written there, and true everywhere else."""
    town, lead, record = pair(unsubscribed=True)
    town.ma.edit(lead, {"unsubscribed": False})
    town.sfa.edit(record, {"HasOptedOutOfEmail": False})
    town.cycle()
    town.cycle()
    assert (out(town, lead), out(town, record)) == (False, True)
    assert holds(town) == {"consent"}


def test_a_single_record_cannot_take_its_opt_out_back_unseen() -> None:
    """Somebody whom only one side knows stays opted out: set again, or asked for on the authority's side."""
    town = Town(NOBODY)
    lead = town.person(Side.MA, email="info@x.example", unsubscribed=True)
    town.cycle()
    town.ma.edit(lead, {"unsubscribed": False})
    town.cycle()
    town.cycle()
    assert out(town, lead) is True


def test_the_address_stays_out_when_its_record_was_deleted() -> None:
    """An address that opted out and was deleted is opted out when it is imported again, and created so."""
    town, lead, record = pair(unsubscribed=True)
    town.ma.remove(lead)
    town.sfa.remove(record)
    town.cycle()
    again = town.person(Side.MA, email=ADDRESS.upper(), lastName="花子")
    town.cycle()
    town.cycle()
    assert out(town, again) is True


def test_the_opt_out_follows_the_person_to_a_new_address_and_keeps_the_old_one() -> None:
    """Changing the address takes the opt-out along, and the old address stays suppressed for whoever bears it."""
    town, lead, _record = pair(NOBODY, unsubscribed=True)
    town.ma.edit(lead, {"email": "new@x.example"})
    town.cycle()
    town.ma.edit(lead, {"unsubscribed": False})
    other = town.person(Side.MA, email=ADDRESS, lastName="別人")
    town.cycle()
    town.cycle()
    assert (out(town, lead), out(town, other)) == (True, True)


def test_a_flood_lets_its_limit_go_and_no_more() -> None:
    """Six opt-outs at a limit of three: three leave, three are planned behind the brake, and stay there."""
    town = Town()
    people = [town.person(Side.MA, email=f"p{number}@x.example", lastName="山田") for number in range(6)]
    town.cycle()
    town.cycle()
    limits = {**town.lens.rules.limits, ActionKind.OPT_OUT: Limit(number=3, share=0.0)}
    town.lens = Lens(replace(town.lens.rules, limits=limits))
    for person in people:
        town.ma.edit(person, {"unsubscribed": True})
    for _cycle in range(3):
        town.clock.sleep(10)
        report = run_cycle(world(town), Bounds())
        assert [brake.action for brake in report.brakes] == ["optout"]
    written = [out(town, Ref("sfa", "Lead", f"{number:09d}")) for number in range(1, 7)]
    assert written.count(True) == 3


@pytest.mark.parametrize("people", [300])
def test_a_desk_with_many_people_costs_one_look_at_each(people: int) -> None:
    """An opt-out of one address that hundreds share writes each record once; every record is looked at once."""
    town = Town(NOBODY)
    leads = [town.person(Side.MA, email="info@x.example", title=f"机{number}") for number in range(people)]
    town.cycle()
    town.ma.edit(leads[0], {"unsubscribed": True})
    report = town.cycle()
    assert report.delivered.settled.applied == people - 1
    assert all(out(town, lead) is True for lead in leads)
