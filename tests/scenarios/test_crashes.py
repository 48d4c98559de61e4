"""The process dies at every place in turn: between any two transactions of a busy cycle, before one or after it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sync.record import Ref
from tests.support.town import MARKETO, SALESFORCE, Town

EVERY = 7  # transactions between two places that are tried; a busy round has about sixty


def busy(town: Town) -> list[tuple[Ref, Ref]]:
    """Four linked people, and then all sorts of things at once."""
    people = []
    for number in range(4):
        mail = f"p{number}@firm.example"
        people.append(
            (town.lead(email=mail, lastName="Ito", leadScore=80), town.record(Email=mail, LastName="Ito"))
        )
    town.open()
    town.edit(people[0][0], title="T0")
    town.edit(people[0][1], Phone="03-1111-2222")
    town.edit(people[1][1], FirstName="F1")
    town.edit(people[2][0], unsubscribed=True)
    people[3] = (people[3][0], town.convert(people[3][1]))
    town.lead(email="n1@firm.example", lastName="Abe", leadScore=80)
    town.record(Email="n2@firm.example", LastName="Abe")
    for _ in range(2):
        town.lead(email="n3@firm.example", lastName="Abe", leadScore=80)
    return people


def check(town: Town, people: list[tuple[Ref, Ref]]) -> None:
    """Everything arrived, once."""
    everybody = [f"p{number}@firm.example" for number in range(4)] + [f"n{n}@firm.example" for n in (1, 2, 3)]
    sales = Counter(str(town.value(ref, "Email")) for ref in town.live(SALESFORCE))
    marketing = Counter(str(town.value(ref, "email")) for ref in town.live(MARKETO))
    assert sales == Counter(everybody)
    assert marketing == Counter([*everybody, "n3@firm.example"])
    assert town.value(people[0][1], "Title") == "T0"
    assert town.value(people[0][0], "phone") == "+81311112222"
    assert town.value(people[1][0], "firstName") == "F1"
    assert town.value(people[2][1], "HasOptedOutOfEmail") is True
    assert town.value(people[3][0], "sfaId") == people[3][1].id


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_at_any_transaction_loses_and_doubles_nothing(tmp_path: Path, when: str) -> None:
    """For every few transactions: crash there, begin again with the journal alone, and compare the vendors."""
    place, died = 0, True
    while died:
        folder = tmp_path / str(place)
        folder.mkdir()
        with Town(folder) as town:
            people = busy(town)
            died = town.crash_at(place, when)
            town.restart()
            town.quiet()
            check(town, people)
        place += EVERY
    assert place > 5 * EVERY
