"""A journal through which nothing but opt-outs leaves: what a paused route works with.

It decides that what a brake would let go is not let go, and that of what is due only opt-outs are shown. Everything
else is read, noted, decided and planned as ever, so that a resumed route is up to date, and its brakes count it all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from sync.guard import EVERYTHING
from sync.ports import Store
from sync.rows import OperationRow, Patch, RunRow
from sync.rules import ActionKind

_OPT_OUT = ActionKind.OPT_OUT.value


def opt_outs_only(store: Store) -> Store:
    """The same journal, narrowed."""
    return cast("Store", _Narrow(store))


class _Narrow:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def due(self, route: str, now: float, limit: int, besides: Collection[str] = ()) -> list[OperationRow]:
        """Opt-outs that may leave; theirs is the first lane, so no limit hides them."""
        return [row for row in self._store.due(route, now, limit, besides) if row.action == _OPT_OUT]

    def commit(self, patch: Patch, *, durable: bool = True) -> None:
        """Commit, and let runs release nothing but opt-outs."""
        for key, row in list(patch.puts.get(RunRow, {}).items()):
            if isinstance(row, RunRow) and row.released:
                patch.puts[RunRow][key] = row._replace(released=_narrowed(row.released))
        self._store.commit(patch, durable=durable)


def _narrowed(released: str) -> str:
    kinds = released.split(",")
    return _OPT_OUT if EVERYTHING in kinds or _OPT_OUT in kinds else ""
