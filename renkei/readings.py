"""What both sides of a route give: everything, once, and single records again by id. It is put aside in a spool.

It decides when a reading was not whole: where it did not come to its end, or left out records that stood there long
before and are given by id. Then nothing is known for certain, and nothing is said. It does not know the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from renkei.spool import Spool
from sync.compare import identities
from sync.errors import Retryable
from sync.normalise import Lens
from sync.ports import Connector
from sync.record import Ref, Side

SURE = 300.0  # seconds before everything was read: who stood there by then must have been given


class Readings:
    """Both sides as they are given; `began`: when the reading of everything began (unix seconds)."""

    def __init__(
        self,
        lens: Lens,
        connectors: Mapping[Side, Connector],
        spool: Spool,
        began: float,
        progress: Callable[[str, int], None],
    ) -> None:
        self._lens, self._connectors, self._spool = lens, connectors, spool
        self._began, self._progress = began, progress
        self._withheld: dict[str, int] = {}

    def everything(self) -> dict[str, int]:
        """Read both sides whole; by system how many records were given. Raises Retryable."""
        return {self._lens.system(side): self._whole(side) for side in self._lens.rules.sides}

    def _whole(self, side: Side) -> int:
        system, lens = self._lens.system(side), self._lens
        whole = False
        for page in self._connectors[side].changes(lens.rules.kind, None, lens.reading(side)):
            self._spool.put((record, identities(lens, record)) for record in page.records)
            self._progress(f"read {system}", len(page.records))
            whole = page.last
            if whole:
                break
        if not whole:
            raise Retryable(f"{system} was not read to its end, so nothing is known for certain.", 60.0)
        return self._spool.count(system)

    def again(self, refs: Sequence[Ref]) -> None:
        """Read these records by id, and forget those that are not there any more."""
        for side in self._lens.rules.sides:
            system, connector = self._lens.system(side), self._connectors[side]
            ours = sorted({ref for ref in refs if ref.system == system})
            size = connector.capabilities.fetch_batch
            for start in range(0, len(ours), size):
                batch = ours[start : start + size]
                given = connector.fetch(self._lens.rules.kind, batch, self._lens.reading(side))
                records = [record for record in given if record is not None]
                self._spool.drop(set(batch) - {record.ref for record in records})
                self._spool.put((record, identities(self._lens, record)) for record in records)
                self._progress(f"read {system}", 0)

    def mind_withheld(self, missed: Collection[Ref]) -> None:
        """Count records that are given by id, were not given when everything was read, and stood there long before."""
        from connectors.stamps import iso

        before = iso(self._began - SURE)
        for ref, record in self._spool.live(missed).items():
            stamp = max(record.version, record.created)
            if stamp and stamp < before:
                self._withheld[ref.system] = self._withheld.get(ref.system, 0) + 1

    def require_whole(self) -> None:
        """Raises Retryable where a reading that claimed to be whole was not."""
        for system, count in self._withheld.items():
            raise Retryable(
                f"{system} did not list {count:,} records that it gives by id, so it was not read whole and nothing "
                "is known for certain.",
                60.0,
                next_step="run `renkei reconcile` again; if it stays so, the reading of everything ends too early: "
                "see docs/operations.md",
            )
