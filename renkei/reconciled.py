"""What came of comparing both sides of a route: findings by kind and reason, buckets, and the same as data.

It decides what a report holds and its stable keys; what a finding means stands in sync.compare.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from renkei.buckets import BUCKETS, Tally, Uneven
from sync.compare import KINDS, Finding

ALIKE = 5  # explained findings of one reason and field that are named


@dataclass(slots=True)
class Report:
    """What came of a route. `read`: records by system; `compared`: entities with a record on both sides, `equal`:
    those of them that do not differ in any field. `explained`: kind -> reason -> findings; `gaps`: kind -> findings
    that nothing explains. `buckets`: by system those that differ from the journal; `by_id`: records that are not listed
    and were given by id, whose buckets differ therefore. `asked`: records that the engine was asked to read again.
    `named`: gaps; `told`: explained findings, some of each reason and field."""

    route: str
    read: dict[str, int] = field(default_factory=dict)
    compared: int = 0
    equal: int = 0
    explained: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    gaps: Counter[str] = field(default_factory=Counter)
    buckets: dict[str, Sequence[Uneven]] = field(default_factory=dict)
    by_id: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    named: list[Finding] = field(default_factory=list)
    told: list[Finding] = field(default_factory=list)
    _alike: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def tell(self, found: Finding, most: int) -> None:
        """Name an explained finding, unless there are so many already, or enough of the same."""
        alike = (found.kind, found.why, found.field)
        if len(self.told) < most and self._alike[alike] < ALIKE:
            self._alike[alike] += 1
            self.told.append(found)

    @property
    def well(self) -> bool:
        """True if everything is equal or explained."""
        return not self.gaps.total()


def as_data(report: Report) -> dict[str, Any]:
    """It, with stable keys."""
    return figures(report) | {
        "ok": report.well,
        "buckets": {
            name: {"of": BUCKETS, "differ": [_uneven(each) for each in found]}
            for name, found in report.buckets.items()
        },
        "given_by_id": dict(report.by_id),
        "asked_to_read_again": report.asked,
        "shown": shown(report.named),
        "shown_explained": shown(report.told),
    }


def figures(report: Report) -> dict[str, Any]:
    """Its figures alone."""
    return {
        "route": report.route,
        "read": report.read,
        "compared": report.compared,
        "equal": report.equal,
        "explained": {kind: dict(sorted(found.items())) for kind, found in report.explained.items() if found},
        "gaps": {kind: report.gaps.get(kind, 0) for kind in KINDS},
    }


def shown(named: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings with the names of their records, never with a value."""
    return [
        {
            "kind": each.kind,
            "why": each.why,
            "field": each.field,
            "records": [f"{ref.system}:{ref.id}" for ref in each.refs],
        }
        for each in named
    ]


def _uneven(each: Uneven) -> dict[str, Any]:
    return {"bucket": each.bucket, "system": _tally(each.system), "journal": _tally(each.journal)}


def _tally(each: Tally) -> dict[str, Any]:
    return {"records": each.records, "hash": f"{each.hashes:016x}"}
