"""Whether a brake on a source was right: of how many records people changed the address, and how many no read gave.

People may do more within one cycle than a brake lets pass unasked. Then it does what it is there for, and somebody
looks at it and agrees. It is believed only where the vendors' own books tell of as many records as it names, and of
more than its limit (docs/operations.md). Imports nothing of the engine.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simulators.ledger import Entry
from tests.sim.arrows import READ_BACK
from tests.sim.vocabulary import PEOPLE, TWO_WAY

LIMIT = 50  # one in a hundred is more only of several thousand records
SPANS = {"this cycle": (1, 0.0), "in an hour": (2, 3_600.0), "in a day": (6, 86_400.0)}
_SPAN = "(?P<span>" + "|".join(SPANS) + ")"
_KEY = re.compile(rf"the key (?P<side>\w+) \w+\.(?P<path>\w+) changed in (?P<count>[\d,]+) records {_SPAN},")
_LOSS = re.compile(rf"(?P<side>\w+) lost (?P<count>[\d,]+) (of [\d,]+ )?records( {_SPAN})?,")


class _Event(NamedTuple):
    side: str
    path: str  # "" = the record was not given, or is gone
    time: float


class Tally:
    """Counts what brakes on sources are about."""

    def __init__(self) -> None:
        self._events: list[_Event] = []

    def see(self, side: str, entry: Entry, visible: float) -> None:
        """One more entry of a ledger, which queries show at last from `visible` on."""
        if entry.actor == "api" or entry.object not in PEOPLE:
            return
        mail = TWO_WAY["email"][side]
        if entry.verb in {"delete", "merge", "convert"}:
            self._events.append(_Event(side, "", visible))
        elif entry.changes.get(mail, (None, None))[0]:  # filled in, an address makes nobody somebody else
            self._events.append(_Event(side, mail, visible))

    def withheld(self, side: str, time: float) -> None:
        """A read by id did not give a record."""
        self._events.append(_Event(side, "", time))

    def is_right(self, reason: str, since: float, now: float) -> bool:
        """Whether a brake says what is so. `since`: when the last cycle began that looked at what was read before; what
        that one was not given is read by id a while later."""
        said = _KEY.match(reason) or _LOSS.match(reason)
        if said is None:
            return False
        words = said.groupdict()
        factor, length = SPANS[words["span"] or "this cycle"]
        start = min(since - READ_BACK, now - length)
        place = (words["side"], words.get("path", ""))
        count = sum((each.side, each.path) == place and start <= each.time <= now for each in self._events)
        return count > LIMIT * factor and count >= int(words["count"].replace(",", ""))
