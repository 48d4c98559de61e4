"""A person typed across between our reading and our create is found, however long the plan lay in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from renkei.backfill import CANARY, Backfill, Stand, Wish
from renkei.canary import remember
from renkei.daemon.desk import Desk
from renkei.first import deliver_these
from sync.errors import Retryable
from sync.ports import Paths
from sync.record import Record
from tests.support.town import LAG, MARKETO, SALESFORCE, Town


@pytest.mark.parametrize("object_", ["Lead", "Contact"])
def test_a_plan_that_lay_for_hours_creates_nobody_who_was_typed_meanwhile(object_: str) -> None:
    """Before old creates leave the person is looked up by address, although a unique key of ours protects them."""
    with Town() as town:
        town.open()
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.cycle(send=False)
        typed = town.record(object_, Email="a@firm.example", LastName="Ito")
        town.wait(7_200)
        deliver_these(town.world, [row.id for row, _work in town.open_work(lead)], "apply", lambda: None)
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == [typed]
        assert town.entity(typed) == town.entity(lead)


def by_a_cycle(town: Town, _ids: Sequence[int]) -> None:
    """A cycle whose reading takes all its time, so that it decides nothing, sends what it may."""
    assert town.cycle(seconds=0.0).left


def by_a_person(town: Town, ids: Sequence[int]) -> None:
    """A person lets a plan go after such a cycle."""
    assert town.cycle(seconds=0.0, send=False).left
    deliver_these(town.world, ids, "apply", lambda: None)


def by_a_canary(town: Town, ids: Sequence[int]) -> None:
    """A backfill sends its canary after such a cycle."""
    assert town.cycle(seconds=0.0, send=False).left
    remember(town.world, ids)
    stand = Stand(wish=Wish(), began=town.clock.now(), of={}, phase=CANARY)
    Backfill(cast("Any", None), town.world, stand, None, lambda: None).step()


@pytest.mark.parametrize("send", [by_a_cycle, by_a_person, by_a_canary])
def test_what_was_read_and_not_decided_holds_older_creates_back(
    send: Callable[[Town, Sequence[int]], None],
) -> None:
    """Whoever sends while a cycle has read more than it decided: who was typed across since the create was planned is
    looked up all the same, and who has opted out since is not made without that."""
    with Town() as town:
        town.open()
        met = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        lead = town.lead(email="b@firm.example", lastName="Abe", leadScore=80)
        town.cycle(send=False)
        typed = town.record("Contact", Email="a@firm.example", LastName="Ito")
        town.edit(lead, unsubscribed=True)
        town.wait()
        send(town, [row.id for each in (met, lead) for row, _work in town.open_work(each)])
        assert town.live(SALESFORCE) == [typed]
        town.quiet()
        assert len(town.live(SALESFORCE)) == 2


def test_an_ordinary_cycle_looks_nobody_up_whom_a_unique_key_protects() -> None:
    """Where the target was read just now, a create with a key of ours costs its write and no look-up."""
    with Town() as town:
        town.open()
        town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        looked: list[str] = []
        inner = town.windows[SALESFORCE].inner

        def find(kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
            looked.append(path)
            return ask(kind, object_, path, values, paths)

        ask, inner.find = inner.find, find  # type: ignore[method-assign]
        town.cycle()
        assert len(town.live(SALESFORCE)) == 1
        assert looked == []


@pytest.mark.parametrize("left_alone", [False, True], ids=["linked", "its counterpart was deleted"])
def test_a_create_that_waits_does_not_leave_once_a_known_person_bears_its_address(left_alone: bool) -> None:
    """A record across takes the address between our plan and our create: who was to be created is that person, beside
    their own record there or in its place."""
    with Town() as town:
        town.open()
        known = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.cycle()
        town.cycle()
        (linked,) = town.live(SALESFORCE)
        lead = town.lead(email="b@firm.example", lastName="Ito", leadScore=80)
        town.cycle(send=False)
        if left_alone:
            town.delete(known)
        town.edit(linked, Email="b@firm.example")
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == [linked]
        assert town.entity(lead) == town.entity(linked)
        assert left_alone or town.entity(lead) == town.entity(known)


def test_whoever_waited_for_a_create_under_an_address_that_it_never_claimed_is_asked_again() -> None:
    """While the answer is missing its person gets another address, and somebody across bears that one too: once it is
    known what was made, they are one person's records."""
    with Town() as town:
        town.open()
        typed = town.record(Email="a@firm.example", LastName="Ito")
        town.strike(MARKETO, "lost_after_commit", "create")
        town.cycle()
        town.edit(typed, Email="b@firm.example")
        rival = town.lead(email="b@firm.example", lastName="Ito")
        town.cycle()
        assert town.in_doubt
        town.wait()
        town.quiet()
        assert town.entity(rival) == town.entity(typed)


def test_a_create_that_waits_does_not_leave_once_somebody_on_the_way_bears_its_address() -> None:
    """The same where the person who takes the address has a create of their own of which nobody knows the answer."""
    with Town() as town:
        town.open()
        typed = town.record(Email="a@firm.example", LastName="Ito")
        town.strike(MARKETO, "lost_after_commit", "create")
        town.cycle()
        assert town.in_doubt
        lead = town.lead(email="b@firm.example", lastName="Ito", leadScore=80)
        town.cycle(send=False)
        town.edit(typed, Email="b@firm.example")
        town.cycle()
        assert town.in_doubt
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == [typed]
        assert town.entity(lead) == town.entity(typed)


def test_a_create_that_waits_does_not_leave_once_somebody_on_the_way_bears_its_id() -> None:
    """The same where they bear its id: who waits for what becomes of a create is asked again when that is known, also
    under an address of their own."""
    with Town() as town:
        town.open()
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, "lost_after_commit", "create")
        town.cycle()
        assert town.in_doubt
        typed = town.record(Email="b@firm.example", LastName="Ito")
        town.cycle(send=False)
        town.edit(lead, sfaId=typed.id)
        town.cycle()
        assert town.in_doubt
        town.wait()
        town.quiet()
        assert town.live(MARKETO) == [lead]
        assert town.entity(lead) == town.entity(typed)


@pytest.mark.parametrize("planned_before", [True, False])
def test_a_second_record_with_the_new_address_of_somebody_on_the_way_waits(planned_before: bool) -> None:
    """A create that nobody has heard of claims a former address: a twin beside it under the new one is no newcomer."""
    with Town() as town:
        town.open()
        typed = town.record(Email="a@firm.example", LastName="Ito")
        town.strike(MARKETO, "lost_after_commit", "create")
        town.cycle()
        assert town.in_doubt
        if not planned_before:
            town.edit(typed, Email="b@firm.example")
            town.cycle()
        rival = town.record(Email="b@firm.example", LastName="Ito")
        town.cycle(send=False)
        if planned_before:
            town.edit(typed, Email="b@firm.example")
        town.cycle()
        assert town.in_doubt
        town.wait()
        town.quiet()
        assert len(town.live(MARKETO)) == 1
        assert town.entity(rival) == town.entity(typed)


def test_who_is_linked_again_by_an_heir_is_known_to_whoever_is_identified_first() -> None:
    """A counterpart is deleted, its twin leads in its place, and its person takes the address of a newcomer: who is
    identified before them in the same step is their twin all the same, and nobody is created."""
    with Town() as town:
        town.open()
        known = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.quiet()
        (leading,) = town.live(SALESFORCE)
        heir = town.record(Email="a@firm.example", LastName="Ito")
        town.quiet()
        newcomer = town.lead(email="b@firm.example", lastName="Ito", leadScore=80)
        town.edit(known, email="b@firm.example")
        town.delete(leading)
        town.wait()
        town.quiet()
        assert town.live(SALESFORCE) == [heir]
        assert town.entity(newcomer) == town.entity(known)


@pytest.mark.parametrize("answer", ["row_refused", "lost_after_commit"])
def test_whoever_is_named_in_a_record_that_was_merged_before_it_was_read_is_not_created_again(
    answer: str,
) -> None:
    """What our create made, although it was refused or nobody knows, is merged with a linked record before anybody
    reads it, and gets another address: the id in it says who was to be created, and is not written over before that is
    known, however little a cycle decides."""
    with Town() as town:
        town.open()
        typed = town.record(Email="a@firm.example", LastName="Ito")
        town.quiet()
        (linked,) = town.live(MARKETO)
        lead = town.lead(email="b@firm.example", lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, answer, "create")
        town.cycle()
        if answer == "row_refused":
            town.record(Email="b@firm.example", LastName="Ito", Marketo_Id__c=lead.id)
        (made,) = town.having(SALESFORCE, "Marketo_Id__c", lead.id)
        town.merge(made, typed)
        town.edit(made, Email="c@firm.example", Title="CEO")
        town.wait(LAG)
        town.cycle(dirty=1)
        town.wait(4_000)
        town.quiet()
        assert town.live(SALESFORCE) == [made]
        assert town.entity(lead) == town.entity(linked) == town.entity(made)
        assert town.value(made, "Marketo_Id__c") == linked.id
        assert town.value(linked, "title") == "CEO"


def test_an_address_that_somebody_left_before_they_were_created_is_free_for_a_newcomer() -> None:
    """A create that is planned anew under another address gives up the claim on the former one."""
    with Town() as town:
        town.open()
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.cycle(send=False)
        town.edit(lead, email="b@firm.example")
        town.wait()
        town.cycle(send=False)
        town.lead(email="a@firm.example", lastName="Abe", leadScore=80)
        town.wait()
        town.quiet()
        assert len(town.live(SALESFORCE)) == 2


def test_what_the_service_sends_although_a_side_was_not_read_is_nobody_who_has_just_opted_out() -> None:
    """A create that was let go earlier waits until what the cycle had read before it ended is decided."""
    with Town() as town:
        town.open()
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, "rate_limited", "create")
        town.cycle()
        town.edit(lead, unsubscribed=True)
        town.wait(60)

        def away() -> None:
            raise Retryable("It is away.", 1.0)

        town.before(SALESFORCE, "changes", away)
        assert Desk(town.world, 1.0, str).work(lambda: False) is None
        assert town.live(SALESFORCE) == []
        town.quiet()
        (made,) = town.live(SALESFORCE)
        assert town.value(made, "HasOptedOutOfEmail") is True
