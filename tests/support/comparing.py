"""Both sides of a town compared from beside its journal's owner, and readings that lose records on the way.

Decides only how a comparison is started and what a broken reading leaves out; what is right is asked of the vendors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renkei.reconcile import Sources, reconcile
from renkei.reconciled import Report
from state.reader import Reader
from sync.ports import Connector, Paths
from sync.record import Page, Record, Ref, Side
from tests.support.town import Town

LONG = 3_600.0  # past every overlap and sweep


def compared(town: Town, *, mend: bool = False, sides: Mapping[Side, Any] | None = None) -> Report:
    """Reconcile the town's route, from beside its owner. `sides`: other readings than its own."""
    place = Path(town._folder) / "state.db"
    read = {side: town.world.connectors[side] for side in Side} | dict(sides or {})
    with Reader(place) as reader:
        sources = Sources(connectors=read, reader=reader, clock=town.clock)
        rules = town.world.lens.rules
        return reconcile(rules, [rules], sources, show=50, mend=place if mend else None)


def named(report: Report, kind: str) -> set[Ref]:
    """The records of the gaps of one kind."""
    return {ref for each in report.named if each.kind == kind for ref in each.refs}


def mended(town: Town) -> Report:
    """Ask for the gaps to be read again, let the engine work, and compare once more."""
    asked = compared(town, mend=True)
    assert asked.asked
    town.quiet()
    return compared(town)


@dataclass(slots=True)
class Passing:
    """A connector of which everything but its pages is the one within."""

    inner: Connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@dataclass(slots=True)
class Strict(Passing):
    """Pages as a cursor gives them that goes on behind the last stamp: who shares it and stands over the border is
    lost."""

    def changes(self, kind: str, since: str | None, paths: Paths, **how: Any) -> Iterator[Page]:
        """The pages, without those who share the last stamp of an earlier one."""
        last: dict[str, str] = {}
        for page in self.inner.changes(kind, since, paths, **how):
            kept = tuple(each for each in page.records if not self._is_lost(each, last))
            for each in page.records:
                last[each.ref.object] = max(each.version, last.get(each.ref.object, ""))
            yield page._replace(records=kept)

    def _is_lost(self, record: Record, last: Mapping[str, str]) -> bool:
        return bool(record.version) and record.version <= last.get(record.ref.object, "")


@dataclass(slots=True)
class Capped(Passing):
    """Pages as a search gives them that ends after so many rows and calls that the end."""

    most: int = 0

    def changes(self, kind: str, since: str | None, paths: Paths, **how: Any) -> Iterator[Page]:
        """The first pages, the last of which says that it is the last."""
        left = self.most
        for page in self.inner.changes(kind, since, paths, **how):
            kept = page.records[:left]
            left -= len(kept)
            yield page._replace(records=kept, last=page.last or not left)
            if not left:
                return
