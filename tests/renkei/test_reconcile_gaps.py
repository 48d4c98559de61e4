"""Each way in which a reading loses somebody: equal stamps over a page's border, commits that show up late, searches
that end early, formulas; and the buckets by which it is found. What is right is asked of the fake vendors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei.buckets import BUCKETS, bucket_of, digest_of, tallies, uneven
from sync.compare import STALE, UNKNOWN
from sync.errors import Retryable
from sync.record import Raw, Ref, Side
from sync.rows import RecordRow
from tests.support.comparing import LONG, Capped, Strict, compared, mended, named
from tests.support.town import MARKETO, SALESFORCE, Town

PEOPLE = 12


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Some people whom both sides know, all at rest for long; pages of five."""
    with Town(tmp_path) as made:
        made.salesforce.switches.page_size = 5
        for number in range(PEOPLE):
            made.record(Email=f"p{number}@firm.example", LastName=f"Sato {number}", Title="課長")
        made.wait()
        made.open()
        made.wait(LONG)
        made.quiet()
        yield made


def unseen(town: Town) -> set[Ref]:
    """Who stands at Salesforce and not in the journal."""
    live = town.live(SALESFORCE)
    return set(live) - {row.ref for row in town.store.get(RecordRow, live)}


def test_equal_stamps_over_a_page_border_that_a_cursor_loses_are_found(town: Town) -> None:
    """People of one stamp over several pages, read by a cursor that goes on behind it, in the feed and in the sweep,
    and out of every later sweep's reach: exactly those whom it lost are named as never seen, and are people on both
    sides once they are read."""
    window = town.windows[SALESFORCE]
    honest, window.inner = window.inner, Strict(window.inner)
    town.faults[SALESFORCE].use({"equal_stamps": 1.0})
    for number in range(14):
        town.record(Email=f"q{number}@firm.example", LastName=f"Abe {number}")
    town.wait()
    town.cycle(sweep=900.0)
    town.faults[SALESFORCE].use({})
    window.inner = honest
    town.wait(LONG)
    town.quiet()
    lost = unseen(town)
    assert lost
    report = compared(town)
    assert named(report, UNKNOWN) == lost
    assert report.gaps.total() == len(lost)
    assert mended(town).well
    assert len([ref for ref in town.live(MARKETO) if str(town.value(ref, "email")).startswith("q")]) == 14


def test_a_comparison_whose_own_reading_loses_equal_stamps_is_not_complete(town: Town) -> None:
    """Records that are given by id and were not listed: the reading was not whole, which is an error and no verdict."""
    town.faults[SALESFORCE].use({"equal_stamps": 1.0})
    for ref in town.live(SALESFORCE):
        town.edit(ref, Title="部長")
    town.faults[SALESFORCE].use({})
    town.quiet()
    town.wait(LONG)
    town.quiet()
    broken = {Side.SFA: Strict(town.world.connectors[Side.SFA])}
    with pytest.raises(Retryable, match=r"did not list [0-9]+ records that it gives by id"):
        compared(town, sides=broken)
    assert compared(town).well


@pytest.mark.parametrize("most", [1, 5, PEOPLE - 1])
@pytest.mark.parametrize("side", list(Side))
def test_a_search_that_ends_early_and_calls_it_the_end_is_noticed(town: Town, side: Side, most: int) -> None:
    """As a cap of ten thousand rows would: the comparison ends with an error that says how many were withheld, asks the
    engine for nothing, and the same with everything is well."""
    system = town.world.lens.system(side)
    number = len(town.live(system))
    capped = {side: Capped(town.world.connectors[side], most)}
    with pytest.raises(Retryable, match=f"{system} did not list {number - most} records"):
        compared(town, sides=capped, mend=True)
    assert town.store.commands(town.world.lens.rules.route) == []
    assert compared(town).well


def test_a_commit_that_shows_up_after_every_sweep_is_found(town: Town) -> None:
    """A long transaction makes a record and an edit visible two hours later, under the stamps of their beginning: no
    feed tells them, both are named, and carried once they are read."""
    sales = town.having(SALESFORCE, "Email", "p3@firm.example")[0]
    (lead,) = town.having(MARKETO, "email", "p3@firm.example")
    with town.salesforce_api.lock:
        delay = 2 * LONG
        town.salesforce.human_edit("Lead", sales.id, {"Title": "本部長"}, commit_delay=delay)
        values = {"Email": "late@firm.example", "LastName": "Late", "Company": "Acme"}
        late = Ref(SALESFORCE, "Lead", town.salesforce.human_create("Lead", values, commit_delay=delay))
    for hour in range(3):  # the feed goes on with others
        town.edit(town.having(SALESFORCE, "Email", "p4@firm.example")[0], Title=f"T{hour}")
        town.wait(LONG)
        town.quiet()
    assert town.value(lead, "title") == "課長"
    report = compared(town)
    assert (named(report, STALE), named(report, UNKNOWN)) == ({sales}, {late})
    assert report.gaps.total() == 2
    assert mended(town).well
    assert town.value(lead, "title") == "本部長"
    assert len(town.having(MARKETO, "email", "late@firm.example")) == 1


def test_a_formula_that_moves_no_stamp_is_found_and_carried(town: Town) -> None:
    """A field that the vendor computes and describes so changes without a stamp: named with its field, not written to,
    and carried across once it is read."""
    town.salesforce.alter_field("Lead", "Title", calculated=True, updateable=False, createable=False)
    sales = town.having(SALESFORCE, "Email", "p6@firm.example")[0]
    (lead,) = town.having(MARKETO, "email", "p6@firm.example")
    table = town.salesforce.tables["Lead"]
    with town.salesforce_api.lock:
        table.put({**table.rows[sales.id], "Title": "顧問"})
    town.wait(LONG)
    town.quiet()
    assert town.value(lead, "title") == "課長"
    (gap,) = compared(town).named
    assert (gap.kind, gap.refs, gap.field) == (STALE, (sales,), "title")
    assert mended(town).well
    assert town.value(lead, "title") == "顧問"
    assert not town.writes_to(sales) or all("Title" not in each.changes for each in town.writes_to(sales))


def test_a_gap_lies_in_the_one_bucket_that_differs(town: Town) -> None:
    """At rest every bucket is equal; a value that moved no stamp makes one bucket of one system differ, with as many
    records and another hash."""
    assert not any(compared(town).buckets.values())
    ref = town.having(SALESFORCE, "Email", "p5@firm.example")[0]
    table = town.salesforce.tables[ref.object]
    with town.salesforce_api.lock:
        table.put({**table.rows[ref.id], "Title": "顧問"})
    report = compared(town)
    (found,) = report.buckets[SALESFORCE]
    assert found.bucket == bucket_of(ref)
    assert found.system.records == found.journal.records > 0
    assert found.system.hashes != found.journal.hashes
    assert report.buckets[MARKETO] == ()
    assert named(report, STALE) == {ref}


RAW = st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.floats(-9, 9), st.text(max_size=3))
REFS = st.builds(
    Ref, st.just("left"), st.sampled_from(["Lead", "Contact"]), st.text("0123456789", max_size=3)
)
HELD = st.dictionaries(REFS, st.dictionaries(st.sampled_from("abc"), RAW, max_size=3), max_size=12)


def _counted(held: dict[Ref, dict[str, Raw]], *, turned: bool = False) -> dict[str, list[object]]:
    items = list(held.items())[:: -1 if turned else 1]
    return dict(tallies((ref.system, bucket_of(ref), digest_of(ref, values)) for ref, values in items))  # type: ignore[arg-type]


def _plain(held: dict[Ref, dict[str, Raw]]) -> object:
    """The same by Python's own equality, which 1 and true must not pass."""
    return {
        ref: {path: (isinstance(raw, bool), raw) for path, raw in values.items()}
        for ref, values in held.items()
    }


@given(HELD, HELD)
def test_buckets_are_equal_exactly_if_what_lies_in_them_is(
    one: dict[Ref, dict[str, Raw]], other: dict[Ref, dict[str, Raw]]
) -> None:
    """In whatever order the records come; a record more, fewer or otherwise makes its bucket differ, and no other."""
    assert _counted(one) == _counted(one, turned=True)
    wrong = {
        ref
        for ref in one.keys() | other.keys()
        if _plain({ref: one.get(ref, {})}) != _plain({ref: other.get(ref, {})})
    }
    wrong |= one.keys() ^ other.keys()
    empty = [(0, 0)] * BUCKETS
    here, there = _counted(one).get("left", empty), _counted(other).get("left", empty)
    found = {each.bucket for each in uneven(here, there)}  # type: ignore[arg-type]
    assert found == {bucket_of(ref) for ref in wrong}
