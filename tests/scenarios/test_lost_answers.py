"""Requests whose answer never came: executed, executed late, or not at all. Exactly once is proved at the vendor."""

from __future__ import annotations

import pytest

from sync.record import Ref
from sync.rows import APPLIED
from tests.support.town import LAG, MARKETO, SALESFORCE, TIMEOUT, Town
from tests.support.town_parts import ProcessDied

LOST = ["lost_after_commit", "half_answer", "acts_late", "dropped_before"]
EMAIL = {MARKETO: "email", SALESFORCE: "Email"}


def newcomer(town: Town, system: str, number: int = 1) -> Ref:
    """A person whom only the other side of `system` knows, so that a record must be created there."""
    mail = f"p{number}@firm.example"
    if system == SALESFORCE:
        return town.lead(email=mail, lastName="Sato", leadScore=70)
    return town.record(Email=mail, LastName="Sato")


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
@pytest.mark.parametrize("kind", LOST)
def test_a_create_without_an_answer_makes_one_record(town: Town, system: str, kind: str) -> None:
    """Whatever became of the request, the person ends with one record, linked with the one it was made from."""
    town.open()
    newcomer(town, system)
    town.strike(system, kind, "create")
    town.quiet()
    assert town.faults[system].fired == {kind: 1}
    (made,) = town.having(system, EMAIL[system], "p1@firm.example")
    (source,) = town.live(SALESFORCE if system == MARKETO else MARKETO)
    assert town.entity(made) == town.entity(source)
    assert [entry.verb for entry in town.ledgers[system]].count("create") == 1


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
def test_a_request_in_doubt_is_not_looked_at_before_it_can_no_longer_act(town: Town, system: str) -> None:
    """Until server time-out and visibility lag have passed, nothing is sent again and nothing is created anew."""
    town.open()
    newcomer(town, system)
    town.strike(system, "acts_late", "create")
    assert town.cycle().delivered.in_doubt == 1
    asked = town.marketo.calls["sync leads"], town.salesforce.calls["create"]
    for _ in range(3):
        town.wait((TIMEOUT + LAG) / 4)
        town.cycle()
        assert town.in_doubt == 1
    late = int(system == MARKETO), int(system == SALESFORCE)
    made = town.marketo.calls["sync leads"], town.salesforce.calls["create"]
    assert made == (asked[0] + late[0], asked[1] + late[1])
    town.wait()
    town.quiet()
    assert len(town.live(system)) == 1


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
@pytest.mark.parametrize("kind", LOST)
def test_a_batch_of_creates_without_an_answer_makes_each_record_once(
    town: Town, system: str, kind: str
) -> None:
    """Forty people in one lost batch: forty records, all linked."""
    town.open()
    for number in range(40):
        newcomer(town, system, number)
    town.strike(system, kind, "create")
    town.quiet()
    assert sorted(str(town.value(ref, EMAIL[system])) for ref in town.live(system)) == sorted(
        f"p{number}@firm.example" for number in range(40)
    )
    assert len({town.entity(ref) for name in EMAIL for ref in town.live(name)}) == 40


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
@pytest.mark.parametrize("kind", LOST)
def test_an_update_without_an_answer_arrives(town: Town, system: str, kind: str) -> None:
    """A lost update is read back, and sent again only if the record still stands as expected."""
    lead = town.lead(email="p@firm.example", lastName="Sato")
    record = town.record(Email="p@firm.example", LastName="Sato")
    town.open()
    source, target = (lead, record) if system == SALESFORCE else (record, lead)
    town.edit(source, **{"title" if source is lead else "Title": "Buyer"})
    town.strike(system, kind)
    town.quiet()
    path = "Title" if target is record else "title"
    assert town.value(target, path) == "Buyer"
    changed = [entry for entry in town.writes_to(target) if path in entry.changes]
    assert len(changed) == 1
    (state,) = {row.state for row, work in town.all_work(target) if path in work.fields}
    assert state == APPLIED


def test_a_person_who_edits_a_record_in_doubt_is_not_overwritten(town: Town) -> None:
    """The lost write arrived, then a person typed over it: sales' newer word stands on both sides."""
    lead = town.lead(email="p@firm.example", lastName="Sato")
    record = town.record(Email="p@firm.example", LastName="Sato")
    town.open()
    town.edit(lead, title="Buyer")
    town.strike(SALESFORCE, "lost_after_commit")
    town.cycle()
    town.edit(record, Title="Head of Purchasing")
    town.wait()
    town.quiet()
    assert town.value(record, "Title") == town.value(lead, "title") == "Head of Purchasing"


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
def test_a_process_that_dies_before_the_answer_makes_one_record(town: Town, system: str) -> None:
    """The process ends between request and answer: the next one finds the open batch, waits, reads, and adopts."""
    town.open()
    newcomer(town, system)
    town.before(system, "create", town.unplug)
    with pytest.raises(ProcessDied):
        town.cycle()
    assert town.in_doubt == 1
    town.restart()
    town.quiet()
    assert len(town.having(system, EMAIL[system], "p1@firm.example")) == 1
    assert [entry.verb for entry in town.ledgers[system]].count("create") == 1


def test_under_every_transport_fault_at_once_nobody_is_doubled(town: Town) -> None:
    """With each kind of transport fault at a tenth, both sides still end with everybody exactly once."""
    for number in range(30):
        if number % 3:
            town.lead(email=f"p{number}@firm.example", lastName=f"Sato {number}", leadScore=70)
        if number % 2:
            town.record(Email=f"p{number}@firm.example", LastName=f"Sato {number}", Title="Buyer")
    for faults in town.faults.values():
        faults.use(dict.fromkeys([*LOST, "server_error", "rate_limited", "slow"], 0.1))
    everybody = {f"p{number}@firm.example" for number in range(30) if number % 3 or number % 2}
    town.cycles(12, first=True)
    for faults in town.faults.values():
        faults.quiet()
    town.quiet()
    for system, path in EMAIL.items():
        found = sorted(str(town.value(ref, path)) for ref in town.live(system))
        assert found == sorted(everybody)
