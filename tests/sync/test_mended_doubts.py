"""Answers that were lost: who waited is asked again, and every field is settled for itself."""

from __future__ import annotations

import pytest

from tests.support.town import SALESFORCE, Town


@pytest.mark.parametrize("fault", ["lost_after_commit", "dropped_before"])
def test_who_waited_for_a_create_in_doubt_is_asked_when_the_doubt_is_settled(fault: str) -> None:
    """Two leads with one address become one person, whether or not the answer to the create was lost."""
    with Town() as town:
        town.open()
        first = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        second = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        town.strike(SALESFORCE, fault, "create")
        town.quiet()
        assert len(town.live(SALESFORCE)) == 1
        assert town.entity(first) == town.entity(second) == town.entity(town.live(SALESFORCE)[0])
        assert town.holds(second) == []
