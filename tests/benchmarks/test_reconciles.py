"""The benchmark of comparing both sides, at a small size: counts are the world's, shares are of the vendors' days."""

from __future__ import annotations

from benchmarks.reconciles import DAILY, compared, differing, reckoned, reconcile_lines, seen_otherwise

PEOPLE = 400


def test_a_compare_is_counted_by_the_vendors_and_finds_who_was_edited() -> None:
    """At rest nobody differs and no bucket does; whoever the world edits afterwards is found, and the lines say what
    share of each vendor's day it took."""
    found = compared(PEOPLE, years=0.05, edited=0.02)
    assert found.told["read"]["marketo"] >= PEOPLE
    assert found.told["compared"] >= PEOPLE // 2
    assert not any(found.told["gaps"].values())
    assert differing(found.told) == 0
    assert seen_otherwise(found.later) == found.edited == 8
    assert found.counts["marketo"]["extract create"] == 1
    assert sum(count for label, count in found.counts["salesforce"].items() if label.startswith("query")) >= 1
    lines = {line.what: line for line in reconcile_lines(found, found)}
    assert all(lines[f"two-sided compare of 300,000: {side}"].reached for side in DAILY)
    assert lines[f"two-sided compare of {PEOPLE}: edited and found; buckets that differ"].reached


def test_calls_are_reckoned_along_the_measured_line() -> None:
    """What does not grow with the people stays, what does grows with them."""
    assert reckoned(10, 100, 20, 20, 1_000) == 20
    assert reckoned(10, 100, 20, 110, 1_000) == 1_010
    assert reckoned(100, 100, 7, 7, 1_000) == 7
