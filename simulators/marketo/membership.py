"""What the calls about list members do with each lead id.

Decides rows and codes; the state stores. Source: the vendor's page "List Membership"; who is a member
already is "added" again, and a lead that is there but not on the list is skipped with 1015.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from simulators.marketo.lists import StaticList
from simulators.marketo.upsert import REFUSALS, Outcome, RequestError

if TYPE_CHECKING:
    from simulators.marketo.commits import Commits


def list_of(state: Commits, list_id: int) -> StaticList:
    """Give a static list; RequestError 1013 when there is none of that id."""
    row = state.static.rows.get(list_id)
    if row is None:
        raise RequestError("1013", f"List '{list_id}' not found")
    return row


def add(state: Commits, list_id: int, lead_ids: Sequence[int]) -> list[Outcome]:
    """Put leads on a list."""
    row = list_of(state, list_id)

    def move(lead: int) -> Outcome:
        state.enlist("api", row, lead)
        return Outcome("added", lead)

    return [_moved(state, lead, move) for lead in lead_ids]


def remove(state: Commits, list_id: int, lead_ids: Sequence[int]) -> list[Outcome]:
    """Take leads off a list."""
    row = list_of(state, list_id)

    def move(lead: int) -> Outcome:
        if state.delist("api", row, lead):
            return Outcome("removed", lead)
        return Outcome("skipped", lead, "1015", "Lead not in list")

    return [_moved(state, lead, move) for lead in lead_ids]


def standing(state: Commits, list_id: int, lead_ids: Sequence[int]) -> list[Outcome]:
    """Say of each lead whether it is a member, without any lag."""
    row = list_of(state, list_id)
    return [
        Outcome("memberof" if lead in row.members else "notmemberof", lead)
        if lead in state.leads
        else _missing(lead)
        for lead in lead_ids
    ]


def _moved(state: Commits, lead: int, move: Callable[[int], Outcome]) -> Outcome:
    if state.faults.fires("row_refused"):
        return Outcome("skipped", lead, *state.rng.choice(REFUSALS))
    return move(lead) if lead in state.leads else _missing(lead)


def _missing(lead: int) -> Outcome:
    return Outcome("skipped", lead, "1004", "Lead not found")
