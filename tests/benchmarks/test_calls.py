"""Which call counts where, and what the fewest calls are."""

from __future__ import annotations

from benchmarks.calls import allowed, difference, least, sort_out


def test_the_fewest_calls_for_a_job() -> None:
    """Page sizes of both vendors decide: 1,168 calls for 100,000 leads, 50 more to read as many at the other side."""
    assert least(100_000, 100_000) == 1_168
    assert least(100_000, 100_000, 100_000) == 1_218
    assert least(1, 1) == 3
    assert allowed(1_168) == 1_232


def test_each_call_stands_on_one_line() -> None:
    """The job, signing in, reading back, looking again and hard deletions add up to all calls."""
    counts = {
        "marketo": {"identity": 1, "describe2": 1, "paging token": 1, "activities": 4, "leads": 3},
        "salesforce": {"token": 1, "describe": 2, "queryAll": 5, "retrieve": 2, "create": 4, "deleted": 1},
    }
    found = sort_out(counts, there=4_000)
    assert (found.sign_in, found.confirming, found.verifying, found.deletions) == (5, 3, 2, 1)
    assert found.job == 1 + 4 + 3 + 2 + 4
    assert found.total == sum(sum(side.values()) for side in counts.values())


def test_what_was_called_in_between() -> None:
    """Only labels whose count grew are named."""
    before = {"marketo": {"leads": 2, "identity": 1}}
    after = {"marketo": {"leads": 5, "identity": 1, "activities": 1}}
    assert difference(after, before) == {"marketo": {"leads": 3, "activities": 1}}
