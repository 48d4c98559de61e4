"""What calls were for: the vendors' own counts by endpoint, sorted into the lines of the report.

It decides which label belongs to which line and what the fewest calls for a job are. It knows no clocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

FEED_PAGE, READ_BATCH, WRITE_BATCH, QUERY_PAGE = 300, 300, 200, 2_000
SIGN_IN = frozenset({"identity", "token", "describe", "describe2", "limits", "usage"})
HARD_DELETES = frozenset({"deleted"})
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls of one command: the job itself, signing in and descriptions, reading our own writes back,
    looking again before a write, asking for hard deletions."""

    job: int
    sign_in: int
    confirming: int
    verifying: int
    deletions: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.job + self.sign_in + self.confirming + self.verifying + self.deletions


def least(records: int, written: int, there: int = 0) -> int:
    """The fewest calls for a feed, reads by id and writes, and one full read of what is already there."""
    return (
        ceil(records / FEED_PAGE)
        + ceil(records / READ_BATCH)
        + ceil(written / WRITE_BATCH)
        + ceil(there / QUERY_PAGE)
    )


def allowed(fewest: int) -> int:
    """Our promise: five in a hundred more, and six."""
    return int(fewest * 1.05) + 6


def sort_out(counts: Counts, there: int = 0) -> Calls:
    """Sort the calls of a first copy; `there`: records that stood at Salesforce before."""
    marketo, salesforce = counts["marketo"], counts["salesforce"]
    queries = sum(number for label, number in salesforce.items() if label.startswith("query"))
    full_read = max(ceil(there / QUERY_PAGE), 1)
    verifying = salesforce.get("retrieve", 0)
    sign_in = sum(side.get(label, 0) for side in counts.values() for label in SIGN_IN)
    deletions = sum(side.get(label, 0) for side in counts.values() for label in HARD_DELETES)
    confirming = max(queries - full_read, 0)
    total = sum(marketo.values()) + sum(salesforce.values())
    return Calls(
        job=total - sign_in - deletions - confirming - verifying,
        sign_in=sign_in,
        confirming=confirming,
        verifying=verifying,
        deletions=deletions,
    )


def difference(after: Counts, before: Counts) -> dict[str, dict[str, int]]:
    """What was called in between, by side and label."""
    return {
        side: {
            label: number - before.get(side, {}).get(label, 0)
            for label, number in found.items()
            if number > before.get(side, {}).get(label, 0)
        }
        for side, found in after.items()
    }
