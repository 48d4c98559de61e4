"""Wait until the running service has read both sides of a route once more.

It decides when the journal counts as caught up with what was read from beside: both feeds were read to their present
after that moment. It asks the journal and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from renkei.settings import Project
from renkei.wire import look
from sync.read import FRONT
from sync.rules import Rules

PATIENCE = 120.0
_POLL = 0.3


def until_read(
    project: Project, rules: Rules, since: float, poll: Callable[[float], object] = time.sleep
) -> None:
    """Wait until both feeds were read after `since` (unix seconds), two minutes at most. `poll` waits so many seconds
    between two looks, and may raise what ends the wait. Raises Fatal."""
    from state.compared import cursors

    names = [(rules.systems[side], rules.kind, FRONT) for side in rules.sides]
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with look(project) as reader:
            if all(row.at > since for row in cursors(reader, names)):
                return
        poll(_POLL)
