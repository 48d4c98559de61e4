"""The calls of a day beyond the life of one process: what the service and single commands have used is one sum.

It decides when it is kept: at the end of a command, and by the service now and then, never call by call. What a vendor
counts itself is asked of it instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from sync.errors import RenkeiError
from sync.normalise import encode
from sync.ports import Connector, Store
from sync.rows import CursorRow, Patch

if TYPE_CHECKING:
    from connectors.budget import Budget

KIND = "calls"


def budget_of(connector: Connector) -> Budget | None:
    """The budget of one of our own connectors; None for one that keeps no count we know of."""
    found: Budget | None = getattr(getattr(getattr(connector, "client", None), "http", None), "budget", None)
    return found


def resume(store: Store, connectors: Mapping[str, Connector]) -> None:
    """Let these systems go on with the day that earlier processes began."""
    for row in store.get(CursorRow, [("", KIND, name) for name in connectors]):
        budget = budget_of(connectors[row.name])
        if budget is not None:
            budget.resume(json.loads(row.value))


def keep(store: Store, connectors: Mapping[str, Connector], now: float) -> None:
    """Keep what this process and those before it have used; what cannot be kept is only a count."""
    patch = Patch()
    for name, connector in connectors.items():
        budget = budget_of(connector)
        if budget is not None and budget.calls:
            patch.put(CursorRow("", KIND, name, encode(budget.kept()).decode(), 1, 0, now))
    if patch:
        with suppress(RenkeiError):
            store.commit(patch)
