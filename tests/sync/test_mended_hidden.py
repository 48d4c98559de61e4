"""A create that meets a record which its vendor does not show: it is said once, and not tried again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from msgspec.json import decode

from sync.met import unread
from sync.ports import Outcome, Paths, Write
from sync.read import look_up_reading, note_found
from sync.record import EventKind, LifeEvent, Page, Record, Ref, Side
from sync.rows import FAILED, HoldRow, Patch
from tests.support.office import Office, Time, Town, world
from tests.support.people import SFA_BLANK

TAKEN = "hidden"


class Shy(Office):
    """A system that keeps a record from us and says that it exists."""

    def __init__(self, clock: Time) -> None:
        super().__init__("sfa", clock, tuple(SFA_BLANK), unique="Marketo_Id__c")
        self.creates = 0
        self.hides: Ref | None = Ref("sfa", "Lead", TAKEN)
        self.told: list[LifeEvent] = []

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """The feed, and what it has to tell of the record that it keeps."""
        for page in super().changes(kind, since, paths, back=back, keys_only=keys_only):
            told, self.told = self.told, []
            yield page._replace(events=(*page.events, *told))

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """What is created has a key that the hidden record has."""
        if self.hides is None or writes[0].ref.id:
            return super().write(kind, writes)
        self.creates += len(writes)
        return [Outcome("exists", self.hides.id) for _write in writes]


@pytest.fixture
def town() -> Town:
    """A town whose sales system keeps a record from us."""
    town = Town()
    town.sfa = Shy(town.clock)
    return town


def shy(town: Town) -> Shy:
    """The system that keeps the record."""
    assert isinstance(town.sfa, Shy)
    return town.sfa


def holds(town: Town) -> list[str]:
    """What is asked of a person."""
    return [hold.kind for hold in town.store._tables[HoldRow].values() if isinstance(hold, HoldRow)]


def live_through(town: Town) -> None:
    """Days go by."""
    for seconds in (10.0, 10.0, 4_000.0, 90_000.0, 90_000.0, 10.0):
        town.cycle(seconds)


ADDRESSES = ["ito@firm.example", "info@firm.example"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_create_that_meets_a_hidden_record_is_sent_once(town: Town, address: str) -> None:
    """The vendor says that the record exists and never shows it: one attempt, then a hold that names the record, for
    a desk's address too."""
    town.person(Side.MA, email=address, lastName="Ito")
    live_through(town)
    assert shy(town).creates == 1
    assert holds(town) == ["unseen"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_hidden_record_that_shows_is_adopted(town: Town, address: str) -> None:
    """As soon as the vendor shows it, it is the person's record."""
    lead = town.person(Side.MA, email=address, lastName="Ito")
    live_through(town)
    shy(town).hides = None
    shown = {**SFA_BLANK, "Email": address, "LastName": "Ito", "Marketo_Id__c": lead.id}
    shy(town).edit(Ref("sfa", "Lead", TAKEN), shown)
    live_through(town)
    assert (shy(town).creates, holds(town)) == (1, [])
    assert [ref.id for ref in shy(town)._records] == [TAKEN]


def deleted(town: Town) -> list[LifeEvent]:
    """It was deleted."""
    return [LifeEvent("deleted", Ref("sfa", "Lead", TAKEN))]


def _moved(kind: EventKind, object_: str) -> list[LifeEvent]:
    into = Ref("sfa", object_, "after")
    return [LifeEvent(kind, Ref("sfa", "Lead", TAKEN), into), LifeEvent("deleted", into)]


def converted(town: Town) -> list[LifeEvent]:
    """It became a contact, which was deleted."""
    return _moved("converted", "Contact")


def merged(town: Town) -> list[LifeEvent]:
    """It became part of another record, which was deleted."""
    return _moved("merged", "Lead")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("fate", [deleted, converted, merged])
def test_a_hidden_record_that_ends_leaves_a_tombstone(
    town: Town, fate: Callable[[Town], list[LifeEvent]], address: str
) -> None:
    """What became of the hidden record is told, and it is gone: the person is not created anew, and that is said."""
    lead = town.person(Side.MA, email=address, lastName="Ito")
    town.cycle()
    shy(town).told = fate(town)
    live_through(town)
    town.ma.edit(lead, {"title": "Buyer"})
    live_through(town)
    assert shy(town).creates == 1
    assert holds(town) == ["tombstone"]


def test_what_only_a_look_up_showed_of_a_record_leaves_a_tombstone(town: Town) -> None:
    """A sweep named it, no read by id gave it, and it was deleted after a look-up had found it: nobody is made anew."""
    named, here, patch = Ref("sfa", "Lead", TAKEN), world(town), Patch()
    patch.put(unread(named, here.kind, here.numbers(), 0.0))
    town.store.commit(patch)
    shown = Record(named, {**SFA_BLANK, "Email": ADDRESSES[0], "LastName": "Ito"})
    note_found(here, [shown], look_up_reading(here, Side.SFA, 1, indexed=True))
    shy(town).told = deleted(town)
    town.person(Side.MA, email=ADDRESSES[0], lastName="Ito")
    live_through(town)
    assert (shy(town).creates, holds(town)) == (0, ["tombstone"])


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_a_hidden_record_became_may_be_hidden_too(town: Town, address: str) -> None:
    """It was converted, and the contact is not shown either: the person waits, and the hold names the contact."""
    lead = town.person(Side.MA, email=address, lastName="Ito")
    town.cycle()
    shy(town).told = converted(town)[:1]
    live_through(town)
    town.ma.edit(lead, {"title": "Buyer"})
    live_through(town)
    assert shy(town).creates == 1
    (hold,) = (each for each in town.store._tables[HoldRow].values() if isinstance(each, HoldRow))
    assert (hold.kind, decode(hold.body)["record"]) == ("unseen", ["sfa", "Contact", "after"])


def test_a_record_that_was_asked_for_by_its_key_is_still_nobody(town: Town) -> None:
    """Of a hidden record only the key is known: what it shows later of itself is read like anybody's."""
    lead = town.person(Side.MA, email="ito@firm.example", lastName="Ito")
    town.cycle()
    shy(town).hides = None
    shown = {**SFA_BLANK, "Email": "abe@firm.example", "LastName": "Abe", "Marketo_Id__c": lead.id}
    shy(town).edit(Ref("sfa", "Lead", TAKEN), shown)
    live_through(town)
    found: list[Record | None] = town.ma.fetch("person", [lead], {"Lead": ("email", "lastName")})
    assert found[0] is not None
    assert found[0].values == {"email": "abe@firm.example", "lastName": "Abe"}


def test_a_record_in_full_view_that_is_said_to_bear_the_key_fails_the_create(town: Town) -> None:
    """It is shown without the key, however often it is read: the create fails and says so, and is tried again as
    rarely as whatever has failed."""
    shown = {**SFA_BLANK, "Email": "abe@firm.example", "LastName": "Abe"}
    shy(town).edit(Ref("sfa", "Lead", TAKEN), shown)
    town.cycle()
    town.person(Side.MA, email="ito@firm.example", lastName="Ito")
    for _ in range(20):
        town.cycle()
    assert shy(town).creates == 2
    assert [row.state for row in town.store._open.values()] == [FAILED]
