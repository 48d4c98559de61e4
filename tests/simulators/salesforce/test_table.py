"""The feed, the indexes and the visible versions, after any course of events."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.salesforce.state import SalesforceState
from simulators.salesforce.table import Row
from simulators.salesforce.writes import Options
from tests.support.fake_salesforce import advance, lead, organisation

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["upsert", "rollback", "edit", "late edit", "delete", "undelete", "erase", "wait"]),
        st.integers(0, 5),
        st.integers(0, 2),
    ),
    max_size=40,
)
_FAULTS = {"late_visibility": 0.3, "equal_stamps": 0.3, "row_refused": 0.1, "ignored_field": 0.1}


def _step(state: SalesforceState, what: str, who: int, value: int) -> None:
    """Do one thing, or nothing when it makes no sense at present."""
    table = state.tables["Lead"]
    row: dict[str, Any] = lead(who, Phone=str(value), Email=f"mail{value}@mail.example")
    if what == "upsert":
        state.upsert("Lead", "Marketo_Id__c", [row])
    elif what == "rollback":
        both = [row, {**lead(9), "Email": "bad"}]
        state.upsert("Lead", "Marketo_Id__c", both, Options(all_or_none=True))
    elif what == "wait":
        advance(state, value * 0.4)
    elif len(table.ids) > who:
        known = table.rows.get(table.ids[who])
        if known is not None:
            _edit(state, what, known, value)


def _edit(state: SalesforceState, what: str, row: Row, value: int) -> None:
    key = row["Id"]
    if what == "undelete" and row["IsDeleted"]:
        state.human_undelete("Lead", key)
    elif what == "erase" and value == 0:
        state.human_hard_delete("Lead", key)
    elif not row["IsDeleted"] and what == "delete":
        state.human_delete("Lead", key)
    elif not row["IsDeleted"] and what.endswith("edit"):
        delay = 2.0 if what == "late edit" else 0.0
        state.human_edit("Lead", key, {"Phone": str(value), "Title": what}, commit_delay=delay)


@settings(max_examples=200)
@given(_STEPS, st.integers(0, 3))
def test_the_feed_is_the_visible_versions_in_order_of_stamp(
    steps: list[tuple[str, int, int]], seed: int
) -> None:
    """After any events and faults the feed gives each visible record once, in order, and the indexes agree."""
    state = organisation(_FAULTS, seed)
    for what, who, value in steps:
        _step(state, what, who, value)
        table = state.table("Lead")
        visible = [row for key in table.ids if (row := table.visible(key)) is not None]
        in_order = sorted(visible, key=lambda row: (row["SystemModstamp"], row["Id"]))
        assert list(table.since("", "")) == in_order
        assert list(table.by_id()) == visible
        for name, entries in table.index.items():
            held = {(value, key) for value, keys in entries.items() for key in keys}
            assert held == {(r[name].lower(), r["Id"]) for r in table.rows.values() if r[name] is not None}
    assert [entry.seq for entry in state.ledger] == list(range(1, len(state.ledger) + 1))


@given(st.integers(1, 400))
def test_the_feed_does_not_grow_with_the_number_of_edits(edits: int) -> None:
    """Entries of superseded versions are dropped in time."""
    state = organisation()
    key = state.human_create("Lead", lead(0))
    for number in range(edits):
        advance(state, 1)
        state.human_edit("Lead", key, {"Phone": str(number)})
    assert len(state.changed_since("Lead")) == 1
    assert len(state.tables["Lead"].feed) <= 66
