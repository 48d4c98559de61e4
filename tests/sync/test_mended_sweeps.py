"""What only a second look shows: it is not forgotten when that look is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from renkei.drain import begin_sweeps, drain, sweep_reach
from sync.cycle import Bounds
from sync.errors import RequestRefused
from sync.ports import Paths
from sync.record import Page, Record, Ref
from sync.rows import LIVE, UNSEEN, RecordRow
from tests.support.town import MARKETO, SALESFORCE, Town

LONG = 4_000.0  # longer than the hour after which what was refused is asked for again


def hide_from_the_front(town: Town, late: Ref) -> None:
    """A record was committed so late that the feed has passed its time: only a sweep shows it."""
    inner = town.windows[SALESFORCE].inner
    ask = inner.changes

    def changes(
        kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        for page in ask(kind, since, paths, back=back, keys_only=keys_only):
            yield page._replace(records=tuple(each for each in page.records if back or each.ref != late))

    inner.changes = changes  # type: ignore[method-assign]


def refuse_to_read(town: Town, refused: Ref, times: int) -> None:
    """So many reads by id that name a record are refused."""
    inner = town.windows[SALESFORCE].inner
    ask, left = inner.fetch, [times]

    def fetch(kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        if refused in refs and left[0]:
            left[0] -= 1
            raise RequestRefused("salesforce: the record cannot be read", "UNKNOWN_EXCEPTION")
        return ask(kind, refs, paths)

    inner.fetch = fetch  # type: ignore[method-assign]


def refuse_sweeps(town: Town, times: int) -> None:
    """So many sweeps of the right side are refused."""
    inner = town.windows[SALESFORCE].inner
    ask, left = inner.changes, [times]

    def changes(
        kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        if back and left[0]:
            left[0] -= 1
            raise RequestRefused("salesforce: no such field", "INVALID_FIELD")
        return ask(kind, since, paths, back=back, keys_only=keys_only)

    inner.changes = changes  # type: ignore[method-assign]


def test_somebody_whom_only_a_sweep_named_is_read_later_when_the_read_is_refused() -> None:
    """A vendor that refuses once to give a record that its sweep has named is asked for it again, though it never
    names it a second time: the person gets a counterpart."""
    with Town() as town:
        town.open()
        late = town.record(Email="late@firm.example", LastName="Ito")
        hide_from_the_front(town, late)
        refuse_to_read(town, late, times=1)
        town.cycle(sweep=900.0)
        assert town.row(late).state == UNSEEN
        town.wait(LONG)
        town.cycle()
        assert town.row(late).state == LIVE
        assert len(town.having(MARKETO, "email", "late@firm.example")) == 1


def test_an_edit_that_only_a_sweep_named_is_read_later_when_the_read_is_refused() -> None:
    """The same of an edit: the record stays what it was believed to be, and is asked for again."""
    with Town() as town:
        right = town.record(Email="a@firm.example", LastName="Ito", Title="Old")
        town.open()
        (left,) = town.having(MARKETO, "email", "a@firm.example")
        town.edit(right, Title="New")
        hide_from_the_front(town, right)
        refuse_to_read(town, right, times=1)
        town.cycle(sweep=900.0)
        assert town.row(right).state == LIVE
        town.wait(LONG)
        town.cycle()
        assert town.value(left, "title") == "New"


def test_somebody_nobody_could_read_stays_asked_for_however_often_it_is_refused() -> None:
    """What is refused again is put off again, and what else is read is not held up by it."""
    with Town() as town:
        town.open()
        late = town.record(Email="late@firm.example", LastName="Ito")
        hide_from_the_front(town, late)
        refuse_to_read(town, late, times=3)
        town.cycle(sweep=900.0)
        other = town.record(Email="other@firm.example", LastName="Abe")
        for _ in range(3):
            town.wait(LONG)
            town.cycle()
        assert town.row(late).state == LIVE
        assert town.row(other).state == LIVE
        assert town.store.get(RecordRow, [late])[0].refetch_at == 0.0


def test_a_sweep_that_was_refused_is_still_to_be_made() -> None:
    """A side that refuses to be read stops its sweep as well: the next one reaches back as far as that would have."""
    with Town() as town:
        town.open()
        begin_sweeps(town.world, town.clock.now())
        town.wait(2_000.0)
        refuse_sweeps(town, times=1)
        reach = sweep_reach(town.world)
        assert reach > 2_000.0
        report = town.cycle(sweep=reach)
        assert not report.swept
        assert [brake.reason for brake in report.brakes] == [
            "salesforce cannot be read: salesforce: no such field"
        ]
        refuse_sweeps(town, times=1)
        drain(town.world, Bounds(sweep=reach))
        assert sweep_reach(town.world) >= reach
        drain(town.world, Bounds(sweep=reach))
        assert sweep_reach(town.world) == 0.0
