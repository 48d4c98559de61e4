"""Calls are short: another application eats most of a day's quota while a backfill runs, and the vendors count."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from sync.doubt import LEAVES
from sync.errors import QuotaSpent
from sync.record import Ref
from sync.rows import LANE_DELTA, LANE_HAND_OVER, LANE_OPT_OUT
from tests.support.budget_town import DAILY, EVERY, SERVER_TIMEOUT, SHARE, BudgetTown
from tests.support.town import MARKETO, SALESFORCE

PEOPLE = 40
HOURS = 3
MANY = 900
HOUR = int(3_600 / EVERY)


class Cast:
    """People who are the same on both sides."""

    def __init__(self, town: BudgetTown) -> None:
        self.leads: list[Ref] = []
        self.records: list[Ref] = []
        for number in range(PEOPLE):
            who = {"lastName": f"L{number}", "email": f"p{number}@mail.example"}
            self.leads.append(town.lead(**who))
            self.records.append(town.record(LastName=who["lastName"], Email=who["email"]))

    def act(self, town: BudgetTown, first: int) -> None:
        """An opt-out on either side, and somebody who becomes hot."""
        here, there, hot = range(first, first + 3)
        town.edit(self.leads[here], unsubscribed=True)
        town.happens(
            f"opt-out at marketo {first}", lambda: bool(town.value(self.records[here], "HasOptedOutOfEmail"))
        )
        town.edit(self.records[there], HasOptedOutOfEmail=True)
        town.happens(
            f"opt-out at salesforce {first}", lambda: bool(town.value(self.leads[there], "unsubscribed"))
        )
        town.edit(self.leads[hot], leadScore=90)
        town.happens(f"hand-over {first}", lambda: town.task_of(self.records[hot]) == 1)


def begun(folder: Path) -> tuple[BudgetTown, Cast]:
    """A town at rest, in which everybody then got a title that no feed has told of: even ones at Marketo, odd ones at
    Salesforce."""
    folder.mkdir()
    town = BudgetTown(folder)
    cast = Cast(town)
    town.begin()
    for number in range(PEOPLE):
        if number % 2:
            town.edit(cast.records[number], Title=f"T{number}")
        else:
            town.edit(cast.leads[number], title=f"T{number}")
    town.overlook()
    return town, cast


def titles(town: BudgetTown, cast: Cast) -> tuple[int, int]:
    """How many have their title at Marketo and at Salesforce."""
    return (
        sum(town.value(lead, "title") == f"T{number}" for number, lead in enumerate(cast.leads)),
        sum(town.value(record, "Title") == f"T{number}" for number, record in enumerate(cast.records)),
    )


def undisturbed(folder: Path) -> dict[str, int]:
    """How many cycles everything hot takes with neither backfill nor other application."""
    town, cast = begun(folder)
    with town:
        town.pass_by(2)
        cast.act(town, 0)
        town.pass_by(HOURS * HOUR)
        cast.act(town, 10)
        town.pass_by(3)
        return dict(town.delays)


@pytest.mark.parametrize(
    ("system", "phase", "back"),
    [(MARKETO, "sending", 4), (SALESFORCE, "reading", 23), (SALESFORCE, "sending", 23)],
)
def test_a_competing_application_eats_in_mid_backfill(
    system: str, phase: str, back: int, tmp_path: Path
) -> None:
    """Seven tenths of a day's calls go to somebody else while a backfill runs: none of our calls is let in beyond our
    share, the backfill pauses and says until when, opt-outs and hand-overs arrive after as many cycles as without
    both, and when calls are back everything arrives, each value once."""
    usual = undisturbed(tmp_path / "usual")
    town, cast = begun(tmp_path / "eaten")
    with town:
        stand = town.backfill()
        while stand.phase != phase:
            town.pass_by(1)
        town.eat(system, 0.7)
        town.pass_by(2)
        cast.act(town, 0)
        town.pass_by(HOURS * HOUR)
        cast.act(town, 10)
        town.pass_by(3)

        assert stand.phase == phase
        assert min(titles(town, cast)) < PEOPLE
        assert "«backfill» wait until 2026-11-22 0" in stand.why
        assert town.delays == usual
        assert set(usual.values()) <= {1, 2}
        assert town.highest(system) <= SHARE * DAILY[system]

        town.pass_by(2 * back, 1_800.0)
        assert stand.phase == "done"
        assert stand.failed == 0
        assert titles(town, cast) == (PEOPLE, PEOPLE)
        assert town.hot == []
        written = Counter(
            (entry.id, field)
            for entry in town.api_entries
            for field in entry.changes
            if field in ("title", "Title")
        )
        assert set(written.values()) == {1}
        assert len(written) == PEOPLE
        for each in (MARKETO, SALESFORCE):
            assert town.highest(each) <= SHARE * DAILY[each]
            assert town.budget(each).standing().rate == 1.0


def test_a_hand_over_takes_its_new_record_along(tmp_path: Path) -> None:
    """Somebody whom a paused backfill has planned to create raises a hand: record and task are there as soon as without
    a backfill, and the backfill makes no second one."""
    town, _cast = begun(tmp_path / "town")
    with town:
        new = town.lead(lastName="New", email="new@mail.example", leadScore=90)
        town.overlook()
        stand = town.backfill()
        while stand.phase != "sending":
            town.pass_by(1)
        town.eat(SALESFORCE, 0.7)
        town.pass_by(2)
        assert town.having(SALESFORCE, "Email", "new@mail.example") == []
        town.edit(new, demoRequest=True)
        town.happens("hand-over", lambda: sum(map(town.task_of, found())) == 1)

        def found() -> list[Ref]:
            return town.having(SALESFORCE, "Email", "new@mail.example")

        town.pass_by(4)
        assert town.delays == {"hand-over": 2}
        assert stand.phase == "sending"
        assert town.highest(SALESFORCE) <= SHARE * DAILY[SALESFORCE]
        town.pass_by(50, 1_800.0)
        assert (stand.phase, len(found())) == ("done", 1)


def test_a_hand_over_that_a_backfill_finds_does_not_wait_for_its_end(tmp_path: Path) -> None:
    """Two people got hot, one whom sales knows and one whom it does not, and a backfill is the first to read it: both
    are handed over within two cycles, though the backfill pauses for a day."""
    town, cast = begun(tmp_path / "town")
    with town:
        new = town.lead(lastName="New", email="new@mail.example")
        town.pass_by(2)
        town.edit(new, leadScore=90)
        town.edit(cast.leads[5], leadScore=90)
        town.overlook()
        stand = town.backfill()
        town.eat(SALESFORCE, 0.7)
        town.pass_by(1)
        town.happens("known", lambda: town.task_of(cast.records[5]) == 1)
        town.happens(
            "new", lambda: sum(map(town.task_of, town.having(SALESFORCE, "Email", "new@mail.example"))) == 1
        )
        town.pass_by(4)
        assert stand.phase == "reading"
        assert stand.why
        assert (town.delays, town.hot) == ({"known": 1, "new": 2}, [])
        town.pass_by(60, 1_800.0)
        assert (stand.phase, stand.why) == ("done", "")
        assert len(town.salesforce.tables["Task"].rows) == 2
        assert titles(town, cast) == (PEOPLE, PEOPLE)


def test_what_a_backfill_has_read_before_it_paused_is_its_own_affair(tmp_path: Path) -> None:
    """Calls end between two pages: whom the first one brought is no news to the cycles that come before the backfill
    goes on, so nobody is announced whom nobody has touched."""
    town, cast = begun(tmp_path / "town")
    with town:
        for number in range(MANY):
            town.lead(lastName=f"H{number}", email=f"h{number}@mail.example", leadScore=90)
        town.overlook()
        stand = town.backfill()
        assert town.work is not None
        seen: list[int] = []

        def read(what: str, count: int) -> None:
            if what == "read marketo" and count and not seen:
                seen.append(count)
                town.marketo_api.gate.spend(DAILY[MARKETO])

        town.work.world = replace(town.work.world, progress=read)
        with pytest.raises(QuotaSpent):
            town.work.step()
        assert stand.phase == "reading"
        town.pass_by(26, 1_800.0)
        assert stand.phase == "done"
        assert len(town.salesforce.tables["Task"].rows) == 0
        assert len(town.live(SALESFORCE)) == MANY + len(cast.records)


def test_every_write_goes_in_its_lane_and_in_time(tmp_path: Path) -> None:
    """An opt-out, a hand-over and a change leave in three lanes, and none is given longer to leave than whoever settles
    a lost answer would wait."""
    town, cast = begun(tmp_path / "town")
    with town:
        town.writes.clear()
        cast.act(town, 0)
        town.edit(cast.leads[20], phone="+81 3 1234 5678")
        town.pass_by(3)
        assert town.value(cast.records[20], "Phone") is not None
        assert {lane for lane, _left in town.writes} == {LANE_OPT_OUT, LANE_HAND_OVER, LANE_DELTA}
        assert all(0.0 < left <= LEAVES * SERVER_TIMEOUT for _lane, left in town.writes)


def test_the_last_calls_of_our_share_go_to_what_must_not_wait(tmp_path: Path) -> None:
    """Below one floor after the other ordinary changes, then hand-overs wait, and opt-outs arrive until our share is
    used up to the last call; the reserve stays with the others, and after the reset everything arrives."""
    town, cast = begun(tmp_path / "town")
    share = round(SHARE * DAILY[MARKETO])
    with town:
        town.eat_up_to(MARKETO, round(0.9 * share))
        town.pass_by(2)
        cast.act(town, 0)
        town.edit(cast.records[20], Phone="+81 3 1234 5678")
        town.pass_by(3)
        assert set(town.delays.values()) <= {1, 2}
        assert len(town.delays) == 3
        assert town.put_off > 0
        assert town.value(cast.leads[20], "phone") is None

        town.eat_up_to(MARKETO, round(0.98 * share) + 1)
        town.edit(cast.records[21], HasOptedOutOfEmail=True)
        town.happens("last", lambda: bool(town.value(cast.leads[21], "unsubscribed")))
        town.pass_by(3)
        assert town.delays["last"] <= 2
        assert town.refused == 0

        town.eat_up_to(MARKETO, share - 3)
        town.edit(cast.records[22], HasOptedOutOfEmail=True)
        town.pass_by(6)
        assert town.highest(MARKETO) <= share
        assert town.refused > 0
        assert town.used(MARKETO) == share
        town.pass_by(12, 1_800.0)
        assert town.value(cast.leads[22], "unsubscribed") is True
        assert town.value(cast.leads[20], "phone") is not None
