"""Feeds that lag, pages that end between two records of one moment, and reads that left before a write arrived."""

from __future__ import annotations

import pytest

from sync.record import Ref
from tests.support.town import LAG, MARKETO, SALESFORCE, Town


def pairs(town: Town, count: int) -> list[tuple[Ref, Ref]]:
    """Linked people at rest."""
    found = []
    for number in range(count):
        mail, name = f"p{number}@firm.example", f"Sato {number}"
        found.append((town.lead(email=mail, lastName=name), town.record(Email=mail, LastName=name)))
    town.open()
    return found


def test_a_stale_page_after_a_settlement_takes_nothing_back(town: Town) -> None:
    """Salesforce's feed still shows the record as it was before our write: the old value is neither seen nor sent."""
    ((lead, record),) = pairs(town, 1)
    town.edit(record, FirstName="Taro")
    town.edit(lead, title="Buyer")
    town.strike(SALESFORCE, "late_visibility")
    town.strike(MARKETO, "late_visibility")
    for _ in range(5):
        town.cycle()
        town.wait(LAG / 10)
    town.quiet()
    assert (town.value(lead, "title"), town.value(record, "Title")) == ("Buyer", "Buyer")
    assert (town.value(lead, "firstName"), town.value(record, "FirstName")) == ("Taro", "Taro")
    assert len([entry for entry in town.writes_to(record) if "Title" in entry.changes]) == 1
    assert len([entry for entry in town.writes_to(lead) if "firstName" in entry.changes]) == 1


def test_an_edit_right_after_our_write_is_not_taken_for_a_stale_page(town: Town) -> None:
    """A person edits the record within the lag after our write: the page that shows it is doubted, the record is read
    by id, and the edit arrives."""
    ((lead, record),) = pairs(town, 1)
    town.edit(lead, title="Buyer")
    town.cycle()
    town.edit(record, Title="Head of Purchasing")
    town.cycle()
    town.quiet()
    assert town.value(lead, "title") == town.value(record, "Title") == "Head of Purchasing"


@pytest.mark.parametrize("late", [0.0, 0.5])
def test_a_page_border_within_one_moment_loses_nobody(town: Town, late: float) -> None:
    """Thirty records of one stamp over pages of seven, some of them visible only later: every edit arrives."""
    town.salesforce.switches.page_size = 7
    people = pairs(town, 30)
    for faults in town.faults.values():
        faults.use({"equal_stamps": 1.0, "late_visibility": late})
    for wave in range(3):
        for number, (lead, record) in enumerate(people):
            if number % 3 == wave:
                town.edit(lead, title=f"T{number}")
            else:
                town.edit(record, FirstName=f"F{number}.{wave}")
        town.cycle()
        town.wait(LAG / 3)
    town.quiet()
    for number, (lead, record) in enumerate(people):
        assert (town.value(lead, "title"), town.value(record, "Title")) == (f"T{number}", f"T{number}")
        last = f"F{number}.{1 if number % 3 == 2 else 2}"
        assert (town.value(lead, "firstName"), town.value(record, "FirstName")) == (last, last)


def test_a_first_read_over_many_pages_sees_everybody_once(town: Town) -> None:
    """A first sync that meets newcomers and edits while it reads its pages ends complete."""
    town.salesforce.switches.page_size = 7
    for number in range(40):
        town.record(Email=f"p{number}@firm.example", LastName=f"Sato {number}")
    town.before(SALESFORCE, "changes", lambda: town.lead(email="p3@firm.example", lastName="Sato 3"))
    town.open()
    addresses = sorted(str(town.value(ref, "email")) for ref in town.live(MARKETO))
    assert addresses == sorted(f"p{number}@firm.example" for number in range(40))


def test_a_marketo_log_of_several_pages_is_read_to_its_end(town: Town) -> None:
    """More than three hundred activities in one go: every lead that they name is read."""
    people = pairs(town, 120)
    for number, (lead, _record) in enumerate(people):
        town.edit(lead, title=f"T{number}", phone="03-1234-5678", website=f"https://{number}.example")
    town.quiet()
    assert [town.value(record, "Title") for _lead, record in people] == [f"T{n}" for n in range(120)]


def test_a_late_activity_is_found_by_the_sweep(town: Town) -> None:
    """A reader who passed before an activity became visible finds it by sweeping, within one sweep."""
    ((lead, record),) = pairs(town, 1)
    town.faults[MARKETO].waiting.append("late_visibility")
    town.edit(lead, title="Buyer")
    town.cycle()
    town.wait()
    assert town.value(record, "Title") is None
    town.cycle(sweep=60.0)
    assert town.value(record, "Title") == "Buyer"
