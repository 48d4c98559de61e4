"""The counts of the last day, as the journal keeps them: one row for each system and kind.

What a page says of its source is added in the transaction that notes the page, so that a crash between reading and
guarding forgets nothing. `open` is what no guard has looked at; what was looked at is kept by five minutes, then by
hours, for a day. A page without changes writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sync.normalise import encode
from sync.ports import Store
from sync.pulse import Counts, Pulse
from sync.rows import CursorRow, Patch

BEATS = "beats"
SLOT, HOUR, DAY = 300.0, 3_600.0, 86_400.0
RARE = 3  # what fewer records than this have in common is not kept beyond its cycle

Flat = list[tuple[str, str, str, int]]


class Slot(msgspec.Struct, array_like=True):
    """Counts of some minutes: from when on, until when, and what."""

    start: float
    end: float
    counts: Flat


class Beats(msgspec.Struct, array_like=True):
    """What the journal keeps of one system and kind."""

    open: Flat = []
    past: list[Slot] = []

    def fresh(self) -> Pulse:
        """What no guard has looked at."""
        return _pulse(self.open)

    def with_fresh(self, fresh: Pulse) -> Beats:
        """The same with other counts that no guard has looked at."""
        return Beats(_flat(fresh.counts), self.past)

    def since(self, start: float) -> Pulse:
        """What was looked at, as far as all of it came after `start` (unix seconds)."""
        found = Pulse()
        for slot in self.past:
            if slot.start >= start:
                found.take(_pulse(slot.counts))
        return found


def beats_of(store: Store, systems: Collection[str], kind: str) -> dict[str, Beats]:
    """What is kept of these systems."""
    rows = store.get(CursorRow, [(system, kind, BEATS) for system in systems])
    return {row.system: msgspec.json.decode(row.value, type=Beats) for row in rows}


def keep(store: Store, system: str, kind: str, pulse: Pulse, patch: Patch, now: float) -> None:
    """Add a page's counts to what no guard has looked at."""
    if pulse:
        beats = beats_of(store, [system], kind).get(system) or Beats()
        whole = beats.fresh()
        whole.take(pulse)
        patch.put(_row(system, kind, Beats(_flat(whole.counts), beats.past), now))


def looked_at(beats: Beats, now: float, agreed: float) -> Beats:
    """The same after a guard has looked; counts never share a slot with what a person has agreed to (`agreed`)."""
    past = [slot for slot in beats.past if slot.end > now - DAY]
    pulse = beats.fresh()
    pulse.forget_rare(RARE)
    if pulse:
        last = past[-1] if past else None
        if last is not None and last.start >= max(agreed, now - SLOT):
            pulse.take(_pulse(last.counts))
            past[-1] = Slot(last.start, now, _flat(pulse.counts))
        else:
            past.append(Slot(now, now, _flat(pulse.counts)))
    return Beats([], _by_hours(past, now, agreed))


def store_beats(system: str, kind: str, beats: Beats, patch: Patch, now: float) -> None:
    """Keep them."""
    patch.put(_row(system, kind, beats, now))


def _by_hours(past: list[Slot], now: float, agreed: float) -> list[Slot]:
    """Slots of the same hour become one when they are more than an hour old."""
    found: list[Slot] = []
    for slot in past:
        last = found[-1] if found else None
        if last is not None and _belong(last, slot, now, agreed):
            pulse = _pulse(last.counts)
            pulse.take(_pulse(slot.counts))
            found[-1] = Slot(last.start, slot.end, _flat(pulse.counts))
        else:
            found.append(slot)
    return found


def _belong(first: Slot, second: Slot, now: float, agreed: float) -> bool:
    same_side = not first.start < agreed <= second.start
    return second.end < now - HOUR and second.end - first.start < HOUR and same_side


def _row(system: str, kind: str, beats: Beats, now: float) -> CursorRow:
    return CursorRow(system, kind, BEATS, encode(beats).decode(), 0, 0, now)


def _flat(counts: Counts) -> Flat:
    return [(*group, what, number) for group, names in counts.items() for what, number in names.items()]


def _pulse(flat: Flat) -> Pulse:
    found = Pulse()
    for sign, field, what, number in flat:
        found.counts.setdefault((sign, field), {})[what] = number
    return found
