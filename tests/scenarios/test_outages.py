"""Vendors that answer too often «later», fail, or forget our token, in the middle of things: nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.errors import Fatal, Retryable
from sync.record import Ref
from tests.support.town import MARKETO, SALESFORCE, Town
from tests.support.town_parts import START


def pairs(town: Town, count: int) -> list[tuple[Ref, Ref]]:
    """Linked people at rest."""
    found = []
    for number in range(count):
        mail, name = f"p{number}@firm.example", f"Sato {number}"
        found.append((town.lead(email=mail, lastName=name), town.record(Email=mail, LastName=name)))
    town.open()
    return found


def edit_all(town: Town, people: list[tuple[Ref, Ref]]) -> None:
    """Everybody gets a title at marketing and a first name at sales."""
    for number, (lead, record) in enumerate(people):
        town.edit(lead, title=f"T{number}")
        town.edit(record, FirstName=f"F{number}")


def check_all(town: Town, people: list[tuple[Ref, Ref]]) -> None:
    """All of it stands on both sides."""
    for number, (lead, record) in enumerate(people):
        assert (town.value(lead, "title"), town.value(record, "Title")) == (f"T{number}", f"T{number}")
        assert (town.value(lead, "firstName"), town.value(record, "FirstName")) == (
            f"F{number}",
            f"F{number}",
        )


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
@pytest.mark.parametrize("kind", ["rate_limited", "server_error", "dropped_before", "half_answer"])
def test_a_side_that_cannot_be_read_stops_the_cycle_and_loses_nothing(
    town: Town, system: str, kind: str
) -> None:
    """While one side answers nothing the cycle says so and decides nothing; the next one goes on."""
    people = pairs(town, 10)
    edit_all(town, people)
    before = town.write_calls
    town.faults[system].set(kind, 1.0)
    with pytest.raises(Retryable):
        town.cycle()
    assert town.write_calls == before
    town.faults[system].quiet()
    town.wait(30.0)
    town.quiet()
    check_all(town, people)


def test_a_feed_that_breaks_off_goes_on_from_its_cursor(town: Town) -> None:
    """Salesforce fails after the second page of seven records: the pages that were noted are not asked for again."""
    town.salesforce.switches.page_size = 7
    people = pairs(town, 30)
    edit_all(town, people)
    town.wait(30.0)  # behind the overlap, so that the cursor is not held back
    pages: list[str] = []

    def fail_after_two(what: str, _count: int) -> None:
        pages.append(what)
        if pages.count(f"read {SALESFORCE}") == 2:
            town.faults[SALESFORCE].set("server_error", 1.0)

    whole = town.world
    town.world = replace(whole, progress=fail_after_two)
    with pytest.raises(Retryable):
        town.cycle()
    town.world = whole
    town.faults[SALESFORCE].quiet()
    report = town.cycle()
    assert 0 < report.read[SALESFORCE].read < 30
    town.quiet()
    check_all(town, people)


def test_a_first_read_that_breaks_off_decides_nothing_before_it_is_complete(town: Town) -> None:
    """As long as one side was not read to its end nobody is created anywhere; then everybody once."""
    town.salesforce.switches.page_size = 7
    for number in range(20):
        mail = f"p{number}@firm.example"
        town.lead(email=mail, lastName="Sato", leadScore=80)
        town.record(Email=mail, LastName="Sato")
    whole = town.world
    town.world = replace(
        whole,
        progress=lambda what, _n: town.faults[SALESFORCE].set("server_error", float("read sal" in what)),
    )
    with pytest.raises(Retryable):
        town.cycle(first=True)
    assert town.api_entries == []
    town.world = whole
    town.faults[SALESFORCE].quiet()
    town.open()
    assert len(town.live(MARKETO)) == len(town.live(SALESFORCE)) == 20


def test_an_expired_token_is_renewed_in_the_middle(town: Town) -> None:
    """Both tokens die between reading and writing: nobody notices."""
    people = pairs(town, 10)
    edit_all(town, people)
    town.before(SALESFORCE, "write", town.salesforce_api.sessions.end_all)
    town.before(MARKETO, "write", town.marketo_api.gate.expire_token)
    assert town.cycle().delivered.stopped == {}
    town.wait()
    town.quiet()
    check_all(town, people)


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
@pytest.mark.parametrize("kind", ["rate_limited", "server_error"])
def test_a_side_that_takes_no_writes_keeps_the_work(town: Town, system: str, kind: str) -> None:
    """Reading works and writing does not: the other side is served, this one's work waits and arrives later."""
    people = pairs(town, 10)
    edit_all(town, people)
    town.before(system, "write", lambda: town.faults[system].set(kind, 1.0))
    report = town.cycle()
    assert report.delivered.stopped or report.delivered.in_doubt
    served = [
        town.value(pair[1], "Title") if system == MARKETO else town.value(pair[0], "firstName")
        for pair in people
    ]
    assert None not in served
    town.faults[system].quiet()
    town.wait()
    town.quiet()
    check_all(town, people)


def test_wrong_credentials_stop_everything_and_say_what_to_do(town: Town) -> None:
    """A user who was taken away is a matter for a person: the cycle ends with a sentence and the next step."""
    people = pairs(town, 3)
    edit_all(town, people)
    before = town.write_calls
    town.salesforce_api.sessions.end_all()
    known = town.salesforce_api.sessions.credentials
    town.salesforce_api.sessions.credentials = replace(known, client_secret="changed")
    with pytest.raises(Fatal) as caught:
        town.cycle()
    assert caught.value.message
    assert caught.value.next_step
    assert town.write_calls == before
    town.salesforce_api.sessions.credentials = known
    town.wait()
    town.quiet()
    check_all(town, people)


def test_days_of_silence_are_caught_up(town: Town) -> None:
    """The engine sleeps over a weekend of edits, deletions and newcomers on both sides, and then has them all."""
    people = pairs(town, 10)
    town.wait(200_000.0)
    edit_all(town, people)
    gone = town.lead(email="gone@firm.example", lastName="Mori", leadScore=90)
    town.lead(email="new@firm.example", lastName="Ito", leadScore=90)
    town.record(Email="other@firm.example", LastName="Abe")
    town.delete(gone)
    town.wait(60_000.0)
    assert town.clock.now() > START + 260_000
    town.quiet()
    check_all(town, people)
    assert len(town.having(SALESFORCE, "Email", "new@firm.example")) == 1
    assert len(town.having(MARKETO, "email", "other@firm.example")) == 1
    assert town.having(SALESFORCE, "Email", "gone@firm.example") == []


def test_everything_at_once_for_a_while_loses_nothing(town: Town) -> None:
    """The heavy profile on both sides while people edit: when it is over, both sides agree and nobody is doubled."""
    from simulators.faults import PROFILES

    people = pairs(town, 25)
    heavy = {
        kind: share
        for kind, share in PROFILES["heavy"].items()
        if kind not in ("ignored_field", "altered_value")
    }
    for faults in town.faults.values():
        faults.use(heavy)
    for wave in range(6):
        for number, (lead, record) in enumerate(people):
            if number % 6 == wave:
                town.edit(lead, title=f"T{number}")
                town.edit(record, FirstName=f"F{number}")
        town.record(Email=f"new{wave}@firm.example", LastName="Abe")
        town.cycles(1)
    for faults in town.faults.values():
        faults.quiet()
    town.quiet()
    town.wait(3_700.0)
    town.quiet()
    check_all(town, people)
    assert len(town.live(MARKETO)) == len(town.live(SALESFORCE)) == 31
