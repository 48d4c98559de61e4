"""What a person costs in row writes of the journal: the bound that the store was measured for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from revenue.hot import HotRule, hot_rule
from sync.record import Ref
from sync.rules import Rules
from tests.support.town import MARKETO, SALESFORCE, Town

COUNT = 250
FIXED = (
    30  # runs, batches, cursors, watermarks, observed pages: per page, request and cycle, never per person
)


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest) -> str:
    """Both kinds of journal."""
    return str(request.param)


def spent(town: Town) -> Counter[str]:
    """Row writes so far, by table."""
    return town.store.row_writes.copy()


def linked(town: Town) -> list[tuple[Ref, Ref]]:
    """People known to both sides, with a score and both ids in place, at rest."""
    found = []
    for number in range(COUNT):
        mail = f"p{number}@firm.example"
        found.append(
            (
                town.lead(email=mail, lastName="Sato", leadScore=70),
                town.record(Email=mail, LastName="Sato"),
            )
        )
    town.open()
    return found


def test_a_created_person_costs_at_most_nine_rows(town: Town) -> None:
    """From the first look at a lead to the settled create. To name the new record back at Marketo is an update (five
    more), and to read both back and agree on what nobody has filled costs three."""
    town.open()
    before = spent(town)
    for number in range(COUNT):
        town.lead(email=f"p{number}@firm.example", lastName="Sato", leadScore=65)
    reports = town.cycles(1)
    used = spent(town) - before
    assert reports[0].delivered.settled.applied == COUNT
    assert sum(used.values()) <= 9 * COUNT + FIXED, used
    town.quiet()
    used = spent(town) - before
    assert sum(used.values()) <= (9 + 5 + 3) * COUNT + 2 * FIXED, used


def _with_threshold(rules: Rules) -> Rules:
    return replace(rules, standing=(hot_rule(HotRule(field="score", enter=70, leave=60)),))


def test_what_is_remembered_of_a_person_costs_one_row(journal: str, tmp_path: Path) -> None:
    """Who crosses the threshold of hot leads is remembered as hot, once, and quiet cycles write nothing of it."""
    with Town(tmp_path if journal == "file" else None, _with_threshold) as town:
        _check_remembered_once(town)


def _check_remembered_once(town: Town) -> None:
    town.open()
    for number in range(COUNT):
        town.lead(email=f"p{number}@firm.example", lastName="Sato", leadScore=80)
    town.quiet()
    assert spent(town)["StandingRow"] == COUNT
    town.cycles(2)
    assert spent(town)["StandingRow"] == COUNT


def test_an_updated_person_costs_at_most_five_rows(town: Town) -> None:
    """An edit of a linked person, from the feed to the settled write; to read it back costs one more."""
    people = linked(town)
    before = spent(town)
    for lead, _record in people:
        town.edit(lead, title="Buyer")
    (report,) = town.cycles(1)
    used = spent(town) - before
    assert report.delivered.settled.applied == COUNT
    assert sum(used.values()) <= 5 * COUNT + FIXED, used
    town.quiet()
    used = spent(town) - before
    assert sum(used.values()) <= (5 + 1) * COUNT + 2 * FIXED, used


def test_an_unchanged_person_costs_nothing(town: Town) -> None:
    """Quiet cycles and sweeps over everybody write their run and their cursors, and not one row for a person."""
    linked(town)
    before = spent(town)
    town.cycles(5)
    town.cycle(sweep=900.0)
    used = spent(town) - before
    assert not {"RecordRow", "KeyRow", "BaseRow", "OperationRow", "ObservedRow"} & set(used)
    assert sum(used.values()) <= FIXED, used


def test_a_touched_but_equal_person_costs_one_row(town: Town) -> None:
    """Salesforce moves every record's stamp without changing a value: the new stamps are kept, so that no sweep reads
    the records again, and nothing is decided."""
    people = linked(town)
    before = spent(town)
    for _lead, record in people:
        town.salesforce.system_touch("Lead", record.id)
    (report,) = town.cycles(1)
    assert report.read[SALESFORCE].read >= COUNT
    assert report.decided.entities == 0
    assert report.read[MARKETO].read == 0
    used = spent(town) - before
    assert sum(used.values()) <= COUNT + FIXED, used
    calls = town.salesforce.calls["retrieve"]
    town.cycle(sweep=900.0)
    assert town.salesforce.calls["retrieve"] == calls
