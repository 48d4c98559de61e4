"""Reading comes to an end, whatever a vendor answers: records that moved on, versions that go back, idle updates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

from simulators.salesforce.directory import HUMAN_USERS
from sync.beats import beats_of
from sync.errors import Retryable
from sync.ports import Paths
from sync.pulse import ALTERED
from sync.record import Page, Record, Ref, Side
from sync.rows import DELETED, MOVED, Patch, RecordRow
from tests.support.office import Town as Office
from tests.support.town import SALESFORCE, Town


def change(town: Town, fresh: RecordRow) -> None:
    """Change a row behind the engine's back."""
    patch = Patch()
    patch.put(fresh)
    town.store.commit(patch)


def fetched(town: Town, system: str, most: int = 20) -> list[int]:
    """How many records each read by id asks for from now on; more reads than `most` fail the test."""
    inner = town.windows[system].inner
    ask, counts = inner.fetch, []

    def fetch(kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        counts.append(len(refs))
        assert len(counts) <= most, "the same records are read again and again"
        return ask(kind, refs, paths)

    inner.fetch = fetch  # type: ignore[method-assign]
    return counts


def test_a_lead_converted_before_our_write_was_read_back_is_not_read_for_ever() -> None:
    """What moved on no longer asks to be read by id, though the vendor still shows the old record."""
    with Town() as town:
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        sales = town.record(Email="a@firm.example", LastName="Ito")
        town.open()
        town.edit(lead, title="Buyer")
        town.cycle()
        town.convert(sales)
        town.cycle()
        assert (town.row(sales).state, town.row(sales).refetch_at) == (MOVED, 0.0)
        change(town, town.row(sales)._replace(refetch_at=town.clock.now()))
        town.wait(400)
        counts = fetched(town, SALESFORCE)
        town.cycle()
        assert len(counts) <= 3
        assert town.row(sales).refetch_at == 0.0


def test_a_version_that_went_back_is_read_once_a_cycle_and_no_sooner_than_the_lag() -> None:
    """A record whose version is older than the one we hold is asked for again later, not at once."""
    with Town() as town:
        sales = town.record(Email="a@firm.example", LastName="Ito")
        town.open()
        change(town, town.row(sales)._replace(version="2099-01-01T00:00:00.000Z"))
        town.edit(sales, Title="New")
        counts = fetched(town, SALESFORCE)
        town.cycle()
        assert counts == [1]
        assert town.row(sales).refetch_at > town.clock.now()


def test_a_deleted_record_no_longer_asks_to_be_read() -> None:
    """Deletion clears the wish to be read by id, as moving does."""
    with Town() as town:
        sales = town.record(Email="a@firm.example", LastName="Ito")
        town.open()
        town.delete(sales)
        change(town, town.row(sales)._replace(refetch_at=town.clock.now() + 500))
        town.wait()
        town.cycle()
        assert (town.row(sales).state, town.row(sales).refetch_at) == (DELETED, 0.0)


def test_an_edit_that_we_do_not_map_is_read_by_one_sweep_only() -> None:
    """Sweeps by version do not read the same record again and again for as far as they reach back."""
    with Town() as town:
        sales = town.record(Email="a@firm.example", LastName="Ito")
        town.open()
        town.wait(2_000)
        town.cycle(sweep=900.0)
        town.edit(sales, OwnerId=HUMAN_USERS[1])
        town.wait()
        counts = fetched(town, SALESFORCE)
        for _ in range(3):
            town.cycle(sweep=900.0)
            town.wait()
        assert sum(counts) <= 1


def test_a_conversion_that_only_a_sweep_sees_is_noted() -> None:
    """A lead that we never held is found late, when it is a contact already: it is read, and known for what it has
    become, instead of being written to for ever."""
    with Town() as town:
        town.open()
        old = town.record(Email="a@firm.example", LastName="Ito")
        contact = town.convert(old)
        inner = town.windows[SALESFORCE].inner
        ask = inner.changes

        def changes(
            kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
        ) -> Iterator[Page]:
            """The feed, in which the lead shows too late for a front that has passed its time."""
            for page in ask(kind, since, paths, back=back, keys_only=keys_only):
                kept = tuple(each for each in page.records if keys_only or each.ref != old)
                events = tuple(each for each in page.events if keys_only or each.ref != old)
                yield page._replace(records=kept, events=events)

        inner.changes = changes  # type: ignore[method-assign]
        town.cycle(sweep=900.0)
        assert (town.row(old).state, town.row(old).moved_to) == (MOVED, f"Contact/{contact.id}")
        assert town.entity(old) == town.entity(contact)
        assert town.writes_to(old) == []


def no_answer(*_asked: object, **_more: object) -> Iterator[Page]:
    """A system that is down."""
    raise Retryable("no answer")


def test_who_changes_again_and_again_is_one_record_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three people who are edited all day, also while the other system gives no answer and nobody looks at the counts,
    are three: in the cycle, in the hour and in the day."""
    town = Office()
    people = [town.person(Side.MA, email=f"p{number}@x.example", lastName="Ito") for number in range(3)]
    for _ in range(3):
        town.cycle()
    counts = list[int]()
    for turn in range(12):
        for each in people:
            town.ma.edit(each, {"title": f"t{turn}"})
        with monkeypatch.context() as outage, suppress(Retryable):
            if turn % 4 != 3:
                outage.setattr(town.sfa, "changes", no_answer)
            town.cycle(100.0)
        beats = beats_of(town.store, ["ma"], "person")["ma"]
        counts.append(beats.fresh().of(ALTERED) + beats.since(0.0).of(ALTERED))
    assert counts == [3] * 12
