"""A source that falls silent: what its listings miss is asked for by id, and nothing is called gone without being
asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from sync.errors import Retryable
from sync.normalise import Lens
from sync.ports import Paths
from sync.record import Page, Record, Ref, Side
from tests.support.office import Office, Time, Town
from tests.support.people import SFA_BLANK

PEOPLE = 120


class Narrow(Office):
    """A system that can be narrowed: it lists nobody, or gives nobody by id either."""

    def __init__(self, clock: Time) -> None:
        super().__init__("sfa", clock, tuple(SFA_BLANK), unique="Marketo_Id__c")
        self.lists = self.gives = True
        self.away = False
        self.asked: list[int] = []

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """The feed, or its empty pages."""
        asked, away = list(self.asked), self.away  # it reads its own records in the same way
        self.away = False
        pages = list(super().changes(kind, since, paths, back=back, keys_only=keys_only))
        self.asked, self.away = asked, away
        for page in pages:
            yield page if self.lists else page._replace(records=(), events=())

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Records by id, and how many were asked for; once away, nobody is asked."""
        if self.away:
            self.away = False
            raise Retryable("It is away.")
        self.asked.append(len(refs))
        return super().fetch(kind, refs, paths) if self.gives else [None] * len(refs)


def peopled() -> tuple[Town, Narrow]:
    """A town whose people are known to marketing, before the first cycle."""
    town = Town()
    town.sfa = narrow = Narrow(town.clock)
    for number in range(PEOPLE):
        town.person(Side.MA, email=f"p{number}@x.example", lastName="山田")
    return town, narrow


def settled(edits: int) -> tuple[Town, Narrow]:
    """A town at rest, in which the feed of sales has just told so many edits."""
    town, narrow = peopled()
    for number in range(PEOPLE):
        town.person(Side.SFA, Email=f"p{number}@x.example", LastName="山田")
    for _ in range(6):
        town.cycle()
    town.tick(sweep=900.0)
    for number in range(edits):
        narrow.edit(Ref("sfa", "Lead", f"{number + 1:09d}"), {"Title": f"課長{number}"})
    for _ in range(3):
        town.tick()
    narrow.asked.clear()
    return town, narrow


def losses(town: Town, seconds: float = 60.0, sweep: float = 900.0) -> list[str]:
    """What the brakes say of records lost in one cycle."""
    return [brake.reason for brake in town.tick(seconds, sweep=sweep).brakes]


@pytest.mark.parametrize(("edits", "lists", "gives", "asked", "told"), [
    (10, True, True, 0, []),
    (4, False, False, 0, []),
    (10, False, True, 10, []),
    (10, False, False, PEOPLE, [f"sfa lost {PEOPLE} of {PEOPLE} records, limit 50"]),
], ids=["all as ever", "too few to tell", "an index behind", "nobody is shown"])  # fmt: skip
def test_what_a_sweep_misses_is_asked_for(
    edits: int, lists: bool, gives: bool, asked: int, told: list[str]
) -> None:
    """Nothing is asked while the sweep lists what the feed told; where it does not, those few are, and everybody only
    if these are not given."""
    town, narrow = settled(edits)
    narrow.lists, narrow.gives = lists, gives
    assert losses(town) == told
    assert sum(narrow.asked) == asked


@pytest.mark.parametrize("broken", [False, True], ids=["at once", "asking broke off"])
@pytest.mark.parametrize(("gives", "told"), [
    (True, []), (False, [f"sfa lost {PEOPLE} of {PEOPLE} records, limit 50"]),
])  # fmt: skip
def test_a_listing_of_everything_that_is_too_short_is_asked_about(
    gives: bool, told: list[str], broken: bool
) -> None:
    """Changed rules read everything anew, and a side lists nobody: who is given by id is there, else the route asks;
    where asking breaks off, the next cycle asks."""
    town, narrow = settled(0)
    narrow.lists, narrow.gives, narrow.away = False, gives, broken
    town.lens = Lens(replace(town.lens.rules, reading="other"))
    if broken:
        with pytest.raises(Retryable):
            losses(town, sweep=0.0)
    assert losses(town, sweep=0.0) == told
    assert sum(narrow.asked) == PEOPLE


def test_whom_we_have_made_and_not_read_back_is_asked_for_like_anybody() -> None:
    """A side falls silent before it has shown what we wrote there; nothing of that was ever marked, and still the route
    asks for it, and stands still where it is not given."""
    town, narrow = peopled()
    town.cycle()
    narrow.lists = narrow.gives = False
    town.lens = Lens(replace(town.lens.rules, reading="other"))
    assert losses(town, sweep=0.0) == [f"sfa lost {PEOPLE} of {PEOPLE} records, limit 50"]
    assert sum(narrow.asked) == PEOPLE
