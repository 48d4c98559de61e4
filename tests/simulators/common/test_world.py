"""The hidden world: repeatable, overlapping as asked, spoilt only where it says so."""

from __future__ import annotations

import random

import pytest

from simulators import names
from simulators.clock import ManualClock
from simulators.faults import Faults
from simulators.marketo.state import MarketoState
from simulators.salesforce.state import SalesforceState
from simulators.world import Mix, World

GOLDEN = "c3ceb5ef69056e4ee4a7003c4780d404b2aca0750af1bda10cb159a78d7262d3"


def _states() -> tuple[MarketoState, SalesforceState]:
    clock, faults = ManualClock(), Faults(random.Random(1))
    return MarketoState(clock, random.Random(2), faults), SalesforceState(clock, random.Random(3), faults)


def _projected(world: World) -> tuple[MarketoState, SalesforceState]:
    marketo, salesforce = _states()
    world.project_marketo(marketo)
    world.project_salesforce(salesforce)
    return marketo, salesforce


def test_the_seed_decides_everything() -> None:
    """Equal seeds give equal persons, records and corruption, whatever is projected first; others differ."""
    one, two = World(7, 200, 0.5), World(7, 200, 0.5)
    marketo, salesforce = _projected(one)
    other_marketo, other_salesforce = _states()
    two.project_salesforce(other_salesforce)
    two.project_marketo(other_marketo)
    assert one.fingerprint() == two.fingerprint() == GOLDEN
    assert one.truth == two.truth
    assert sorted(one.corruptions) == sorted(two.corruptions)
    assert marketo.everything() == other_marketo.everything()
    assert [entry.changes for entry in salesforce.ledger] == [
        entry.changes for entry in other_salesforce.ledger
    ]
    assert World(8, 200, 0.5).fingerprint() != GOLDEN


@pytest.mark.parametrize("overlap", [0.0, 0.3, 1.0])
def test_overlap(overlap: float) -> None:
    """About the asked share of persons has a record on both sides, everybody has one on at least one."""
    world = World(3, 1000, overlap)
    _projected(world)
    both = sum(where.marketo is not None and where.salesforce is not None for where in world.truth.values())
    assert abs(both / 1000 - overlap) < 0.05
    assert all(where.marketo or where.salesforce for where in world.truth.values())


def test_only_logged_values_are_spoilt() -> None:
    """Each record equals its true person but for the values in the log, which stand there as logged."""
    world = World(5, 400, 0.6, Mix(spoilt=0.3))
    marketo, _ = _projected(world)
    spoilt = {(entry.person, entry.field): entry for entry in world.corruptions if entry.side == "marketo"}
    shown_as = {
        "email": "email",
        "family": "lastName",
        "company": "company",
        "phone": "phone",
        "title": "title",
    }
    for person in world.persons:
        record = world.truth[person.number].marketo
        if record is None:
            continue
        for field, name in shown_as.items():
            entry = spoilt.get((person.number, field))
            expected = entry.shown if entry else getattr(person, field)
            assert marketo.leads[record].values.get(name) == expected
    assert {entry.kind for entry in spoilt.values()} >= {
        "case",
        "width",
        "form",
        "spaces",
        "stale",
        "variant",
    }


def test_nobody_is_spoilt_beyond_recognition() -> None:
    """A spoilt e-mail is the true one in another case, so the person can still be found."""
    world = World(5, 400, 1.0, Mix(spoilt=1.0))
    _projected(world)
    emails = [entry for entry in world.corruptions if entry.field == "email"]
    assert len(emails) > 300
    assert all(entry.shown != entry.true and entry.shown.lower() == entry.true for entry in emails)


def test_mailboxes_are_personal_unless_logged() -> None:
    """No two persons share a mailbox that is no desk's, but for those whom the log names."""
    world = World(11, 3000, 0.5, Mix(role=0.05, shared_mailbox=0.02))
    logged = {entry.person for entry in world.corruptions if entry.kind == "shared mailbox"}
    owners: dict[str, int] = {}
    for person in world.persons:
        assert person.email.endswith(".example")
        if (
            not person.role
            and person.number not in logged
            and not person.email.startswith(names.ROLE_MAILBOXES)
        ):
            assert person.email not in owners
            owners[person.email] = person.number
    assert 20 < len(logged) < 120


def test_contacts_have_accounts() -> None:
    """With a share of contacts, sales knows some persons as contacts of an account with their firm's name."""
    world = World(2, 100, 1.0, Mix(contacts=0.5, spoilt=0.0))
    _, salesforce = _projected(world)
    contacts = salesforce.tables["Contact"].rows
    accounts = salesforce.tables["Account"].rows
    assert 30 < len(contacts) < 70
    firms = {person.company for person in world.persons}
    assert {accounts[row["AccountId"]]["Name"] for row in contacts.values()} <= firms


def test_the_name_tables_are_large_enough() -> None:
    """At least sixty surnames and given names with reading, each once, and some that are written two ways."""
    for table in (names.SURNAMES, names.GIVEN_NAMES):
        assert len(table) >= 60
        assert len({name.written for name in table}) == len(table)
        assert all(name.kana and name.roman.isascii() for name in table)
    assert set(names.VARIANTS) <= {name.written for name in names.SURNAMES}
