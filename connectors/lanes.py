"""A connector of which all calls go in one lane.

It decides nothing: it tells the system's budget, for as long as a call runs, in which lane the calling thread works.
Pages are pulled by whatever thread wants the next one, and each pull is told by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from connectors.budget import Budget
from sync.ports import Capabilities, Connector, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema


class InLane:
    """A connector (`sync.ports.Connector`) around another one; safe to share between threads as far as that is.
    `latest`: unix seconds after which no call leaves any more."""

    def __init__(self, connector: Connector, budget: Budget, lane: int, latest: float) -> None:
        self._connector, self._budget, self._lane, self._latest = connector, budget, lane, latest

    @property
    def capabilities(self) -> Capabilities:
        """Frozen facts about this system."""
        return self._connector.capabilities

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """See `sync.ports.Connector`."""
        with self._within():
            return self._connector.describe(kind)

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """See `sync.ports.Connector`."""
        with self._within():
            pages = self._connector.changes(kind, since, paths, back=back, keys_only=keys_only)
        return self._each(pages)

    def created(self, kind: str, since: str, until: str) -> str | None:
        """Where a connector can begin with who was created then; None = at the very beginning."""
        ask: Callable[[str, str, str], str | None] | None = getattr(self._connector, "created", None)
        if ask is None:
            return None
        with self._within():
            return ask(kind, since, until)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """See `sync.ports.Connector`."""
        with self._within():
            return self._connector.fetch(kind, refs, paths)

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """See `sync.ports.Connector`."""
        with self._within():
            return self._connector.find(kind, object_, path, values, paths)

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """See `sync.ports.Connector`."""
        with self._within():
            return self._connector.write(kind, writes)

    def close(self) -> None:
        """Release connections."""
        self._connector.close()

    def _each(self, pages: Iterator[Page]) -> Iterator[Page]:
        while True:
            with self._within():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def _within(self) -> AbstractContextManager[None]:
        return self._budget.lane(self._lane, self._latest)
