"""A vendor's feed page by page, with what may befall pages: empty ones, rows given twice, rows that move on while
somebody reads, places in the feed that the vendor has forgotten.

It decides which page comes next; what stands on it is the vendor's. A reader whose place is forgotten begins again at
the last place that a page has named, as the connectors do.
"""

from __future__ import annotations

from collections.abc import Iterator

from sync.ports import Paths
from sync.record import Page
from tests.sim.faults import Strikes
from tests.sim.ground import Ground, Now, Vendor


class Feeding:
    """One reading of a feed."""

    def __init__(
        self,
        system: str,
        vendor: Vendor,
        ground: Ground,
        faults: Strikes,
        paths: Paths,
        back: float,
        keys_only: bool,
    ) -> None:
        self.system, self.vendor, self.ground, self.faults = system, vendor, ground, faults
        self.paths, self.back, self.keys_only = paths, back, keys_only
        self.before: Page | None = None
        self.since: str | None = None
        self.now: Now = float
        self.pages: Iterator[Page] = iter(())

    def open(self, since: str | None, now: Now) -> None:
        """Begin behind a place; `now` says when the request of a page left."""
        self.since, self.now = since, now
        self.pages = self.vendor.changes(since, self.paths, now, self.back, self.keys_only)

    def next(self) -> Page:
        """The next page."""
        faults, before = self.faults, self.before
        if faults.fires("empty_page"):
            return Page((), (), self.since or "", last=False, keys_only=self.keys_only)
        if before is not None:
            if faults.fires("cursor_expired"):
                self.open(self.since, self.now)
            if faults.fires("row_moves"):
                self.ground.touch(self.system, [])
        page = next(self.pages)
        if before is not None and before.records and not self.keys_only and faults.fires("row_twice"):
            ref = self.ground.rng.choice(before.records).ref
            again = self.vendor.fetch([ref], {ref.object: self.paths[ref.object]})
            page = page._replace(records=(*page.records, *again))
        self.before = page
        if not self.back:
            self.since = page.cursor or self.since
        return page
