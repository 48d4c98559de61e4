"""Exclusions: each has its code, and the first that applies is the one that is recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from revenue.exclusions import TESTS, Exclusions, excluded
from sync.rules import Fields
from sync.standing import Situation
from tests.support.standing import Deal, situation

ALL = Exclusions(
    never=tuple(TESTS),
    topics=frozenset({"all"}),
    competitors=frozenset({"rival.example"}),
    own_staff=frozenset({"we.example"}),
)


def person(**more: object) -> Situation:
    return replace(situation(ma={"email": "p@firm.example"}, sfa={}), **more)  # type: ignore[arg-type]


def deal(outcome: str, via: str, name: str = "D2") -> Deal:
    return Deal(id=name, via=via, values={"outcome": outcome})


@pytest.mark.parametrize("via", ["role", "opened", "account"])
def test_an_open_deal_stands_in_the_way_wherever_it_is(via: str) -> None:
    """The person's own and the account's; the deal in question does not exclude itself."""
    at_work = person(related=(deal("open", via).related,))
    assert excluded(ALL, at_work, "D1") == "open_deal_at_account"
    assert excluded(ALL, at_work, "D2") == ""
    assert excluded(ALL, person(related=(deal("lost", via).related,)), "D1") == ""


def test_a_customer_is_known_by_a_won_deal_or_by_the_mappings_word() -> None:
    """Once the mapping says what a customer is, won deals no longer do."""
    won = person(related=(deal("won", "account").related,))
    assert excluded(ALL, won, "D1") == "current_customer"
    worded = replace(ALL, customer=lambda fields: fields.get("type") == "customer")
    assert excluded(worded, won, "D1") == ""
    assert excluded(worded, situation(sfa={"type": "customer"})) == "current_customer"


def test_an_opt_out_of_a_topic_that_counts() -> None:
    """Only the topics that the mapping names; none named means any."""
    quiet_on_seminars = person(opted_out=frozenset({"seminar"}))
    assert excluded(ALL, quiet_on_seminars) == ""
    assert excluded(replace(ALL, topics=frozenset()), quiet_on_seminars) == "opted_out"
    assert excluded(ALL, person(opted_out=frozenset({"all"}))) == "opted_out"


@pytest.mark.parametrize(
    ("ma", "sfa", "code"),
    [
        ({"bounced": True}, {}, "bounced"),
        ({}, {"bounced": True}, "bounced"),
        ({"bounced": "true"}, {}, ""),
        ({"erased": True}, {}, "erased"),
        ({"email": "p@Rival.Example"}, {}, "competitor"),
        ({"email": "p@tokyo.rival.example"}, {}, "competitor"),
        ({"email": "p@notrival.example"}, {}, ""),
        ({}, {"email": "p@we.example"}, "own_staff"),
        ({"email": "no address"}, {"email": None}, ""),
        (None, {"bounced": True}, "bounced"),
        (None, None, "erased"),
    ],
)
def test_fields_of_either_side_exclude(ma: Fields | None, sfa: Fields | None, code: str) -> None:
    """Flags and domains count whichever side has them; a domain takes in its subdomains and nothing else."""
    assert excluded(ALL, situation(ma=ma, sfa=sfa)) == code


def test_the_first_code_of_the_mapping_is_the_one_recorded() -> None:
    """Who is shut out twice is counted under the rule that stands first; who is shut out by nothing named is not."""
    both = situation(ma={"bounced": True}, opted_out=frozenset({"all"}))
    assert excluded(Exclusions(never=("bounced", "opted_out")), both) == "bounced"
    assert excluded(Exclusions(never=("opted_out", "bounced")), both) == "opted_out"
    assert excluded(Exclusions(never=("competitor",)), both) == ""
