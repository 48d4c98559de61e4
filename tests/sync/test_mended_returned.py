"""A vendor that answers with the values as they stand tells that it took one without keeping it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.json import decode

from sync.ports import Outcome, Write
from sync.record import Ref, Side
from sync.retrying import OF_A_TWIN
from sync.rows import IGNORED, REFUSED, TWIN, CommandRow, OperationRow, Patch
from sync.said import Retry, command
from tests.support.office import Town
from tests.support.town import MARKETO, SALESFORCE
from tests.support.town import Town as Streets


def test_a_value_that_comes_back_as_it_was_is_ignored_and_said_to_be() -> None:
    """What the answer shows unchanged is no agreement to differ: it is read once more, and listed as ignored."""
    town = Town()
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    for _ in range(3):
        town.cycle()
    inner = town.sfa.write

    def deaf(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        before = town.sfa.fetch(kind, [each.ref for each in writes], {"Lead": ("Title",)})
        inner(kind, [each._replace(values={**each.values, "Title": "部長"}) for each in writes])
        return [
            Outcome("applied", each.ref.id, {**each.values, **(was.values if was else {})})
            for each, was in zip(writes, before, strict=True)
        ]

    town.sfa.write = deaf  # type: ignore[method-assign]
    town.ma.edit(ref, {"title": "本部長"})
    for _ in range(3):
        town.cycle()
    town.cycle(400.0)
    town.cycle(400.0)
    rows = town.store._tables[OperationRow].values()
    assert [row.reason for row in rows if row.state == IGNORED] == ["ignored by the vendor: title"]


def _ignored(town: Streets, lead: Ref, sales: Ref) -> OperationRow:
    """A title that is typed at sales and not taken by marketing, which is listed."""
    town.strike(MARKETO, "ignored_field")
    town.edit(sales, Title="Chief")
    town.wait()
    town.cycle()
    town.wait(400.0)
    town.quiet()
    (listed,) = [row for row, _work in town.all_work(lead) if row.state == IGNORED]
    return listed


def test_who_leads_in_the_place_of_a_record_that_ignored_us_gets_the_value_once_a_person_says_so() -> None:
    """What is listed as ignored is the person's: with the record deleted, and a new one of the same value in its place,
    `retry` carries it there."""
    with Streets() as town:
        lead = town.lead(email="a@firm.example", lastName="Ito", title="Buyer", leadScore=80)
        town.open()
        (sales,) = town.live(SALESFORCE)
        listed = _ignored(town, lead, sales)
        town.delete(lead)
        town.wait()
        heir = town.lead(email="a@firm.example", lastName="Ito", title="Buyer")
        town.wait()
        town.quiet()
        assert town.entity(heir) == town.entity(sales)
        assert (town.value(heir, "title"), town.value(sales, "Title")) == ("Buyer", "Chief")
        word = command(town.clock.now(), town.world.lens.rules.route, Retry(operations=(listed.id,)))
        patch = Patch()
        patch.put(word._replace(id=town.store.numbers(1)[0]))
        town.store.commit(patch)
        town.quiet()
        assert town.value(heir, "title") == "Chief"


def test_a_value_for_who_has_become_a_twin_is_not_tried_again() -> None:
    """What a lead has ignored is not wanted by `retry` once another one leads in its place: a twin is never written,
    and what was agreed on with the record that leads stays. The word is refused, and says why."""
    with Streets() as town:
        lead, other = (
            town.lead(email=f"{each}@firm.example", lastName="Ito", title="Buyer", leadScore=80)
            for each in "ab"
        )
        town.open()
        ((sales,), (winner,)) = (town.having(SALESFORCE, "Email", f"{each}@firm.example") for each in "ab")
        listed = _ignored(town, lead, sales)
        town.merge(winner, sales)
        town.wait()
        town.quiet()
        assert (town.row(lead).role, town.entity(lead)) == (TWIN, town.entity(other))
        agreed = town.base(other)
        word = command(town.clock.now(), town.world.lens.rules.route, Retry(operations=(listed.id,)))
        patch, number = Patch(), town.store.numbers(1)[0]
        patch.put(word._replace(id=number))
        town.store.commit(patch)
        town.quiet()
        assert town.base(other) == agreed
        assert [row.state for row, _work in town.all_work(lead) if row.id == listed.id] == [IGNORED]
        (told,) = town.store.get(CommandRow, [(number,)])
        assert (told.state, decode(told.body)["why"]) == (REFUSED, OF_A_TWIN)
