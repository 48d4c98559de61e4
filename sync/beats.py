"""The counts of the last day, as the journal keeps them: one row for each system and kind.

What a page says of its source is added in the transaction that notes the page, so that a crash between reading and
guarding forgets nothing. `open` is what no guard has looked at; what was looked at is kept by five minutes, then by
hours, for a day. A page without changes writes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import msgspec

from sync.normalise import encode
from sync.ports import Store
from sync.pulse import ALTERED, Counts, Pulse
from sync.rows import CursorRow, Patch

if TYPE_CHECKING:  # noting counts
    from sync.note import Reading

BEATS = "beats"
SLOT, HOUR, DAY = 300.0, 3_600.0, 86_400.0
RARE = 3  # what fewer records than this have in common is not kept beyond its cycle

Flat = list[tuple[str, str, str, int]]


class Slot(msgspec.Struct, array_like=True):
    """Counts of some minutes: from when on, until when, and what; `first`: number of the first page counted."""

    start: float
    end: float
    counts: Flat
    first: int = 0


class Beats(msgspec.Struct, array_like=True):
    """What the journal keeps of one system and kind; `first`: number of the first page that no guard has looked at."""

    open: Flat = []
    past: list[Slot] = []
    first: int = 0

    def fresh(self) -> Pulse:
        """What no guard has looked at."""
        return _pulse(self.open)

    def with_fresh(self, fresh: Pulse) -> Beats:
        """The same with other counts that no guard has looked at."""
        return Beats(_flat(fresh.counts), self.past, self.first)

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


def keep(store: Store, reading: Reading, pulse: Pulse, patch: Patch) -> None:
    """Add a page's counts to what no guard has looked at."""
    if pulse:
        beats = beats_of(store, [reading.system], reading.kind).get(reading.system) or Beats()
        beats = with_page(beats, pulse, reading.as_of)
        patch.put(_row(reading.system, reading.kind, beats, reading.now))


def with_page(beats: Beats, pulse: Pulse, number: int) -> Beats:
    """The same with a page's counts; `number` was drawn before that page was asked for. A record that others change
    counts once, where it changed last: who changes again is no second record, and leaves the slot where it stood."""
    first = beats.first or number
    before = [page for page in pulse.altered if page < first]
    whole = beats.fresh()
    whole.take(pulse)
    whole.add(ALTERED, number=len(before))
    return Beats(_flat(whole.counts), _without(beats.past, before), first)


def _without(past: list[Slot], pages: Iterable[int]) -> list[Slot]:
    """These slots without the records whose change was told by these pages."""
    places = [place for place, slot in enumerate(past) if slot.first]
    starts = [past[place].first for place in places]
    leave = Counter(bisect_right(starts, page) - 1 for page in pages)
    found = [*past]
    for at, number in leave.items():
        if at >= 0:
            slot, pulse = past[places[at]], _pulse(past[places[at]].counts)
            pulse.drop(ALTERED, number)
            found[places[at]] = Slot(slot.start, slot.end, _flat(pulse.counts), slot.first)
    return found


def looked_at(beats: Beats, now: float, agreed: float) -> Beats:
    """The same after a guard has looked; counts never share a slot with what a person has agreed to (`agreed`)."""
    past = [slot for slot in beats.past if slot.end > now - DAY]
    pulse = beats.fresh()
    pulse.forget_rare(RARE)
    if pulse:
        last = past[-1] if past else None
        if last is not None and last.start >= max(agreed, now - SLOT):
            pulse.take(_pulse(last.counts))
            past[-1] = Slot(last.start, now, _flat(pulse.counts), last.first or beats.first)
        else:
            past.append(Slot(now, now, _flat(pulse.counts), beats.first))
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
            found[-1] = Slot(last.start, slot.end, _flat(pulse.counts), last.first or slot.first)
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
