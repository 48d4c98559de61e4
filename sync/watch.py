"""Brakes on a source: does what was read of it look like people at work, or like an accident? (protocol §6)

Pure. The counts of this cycle, of the last hour and of the last day are compared with limits, each sign in turn, the
most telling first. A brake of this sort stops everything, because what is wrong at the source is wrong in every action
that follows from it. It does not know how the counts came about (sync.pulse) or where they are kept (sync.beats).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from sync import pulse
from sync.guard import EVERYTHING, SPANS, Brake, allowed_of
from sync.pulse import Pulse
from sync.rules import Limit, Sign

NOTHING_KEPT = 0.01  # where so small a share of what was read stayed as it was, everything has changed
CLOCK = "clock"
CLOCK_LIMIT = 900.0  # seconds between two clocks, more than any that is kept in time
MOST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source as the brakes look at it. `spans`: counts of this cycle, of the last hour and of the last day, each
    with those before it. `held`: records that we hold of it. `keys`: names of the fields by which people are
    recognised, `aside`: of those that have a brake of their own. `linked`: pairs of the route."""

    system: str
    spans: tuple[Pulse, Pulse, Pulse]
    held: int
    keys: frozenset[str] = frozenset()
    aside: frozenset[str] = frozenset()
    linked: int = 0


def watch(source: Source, limits: Mapping[Sign, Limit]) -> Brake | None:
    """The most telling brake that these counts put on; None = people at work."""
    for sign, ask in _SIGNS:
        limit = limits[sign]
        found = next(ask(source, limit), None)
        if found is not None:
            return found
    return None


def watch_clock(system: str, ahead: float) -> Brake | None:
    """A brake on a clock that cannot be right; `ahead` in seconds, of the system's before ours."""
    if abs(ahead) <= CLOCK_LIMIT:
        return None
    apart = pulse.step_in_words(float(round(abs(ahead) / 60) * 60))[1:]
    reason = f"the clock of {system} is {apart} {'ahead of' if ahead > 0 else 'behind'} ours, limit 15 min"
    return Brake(EVERYTHING, reason, int(abs(ahead)), int(CLOCK_LIMIT), CLOCK)


def _over(
    source: Source, limit: Limit, counted: Callable[[Pulse], int], of: int | None = None
) -> Iterator[tuple[int, int, str]]:
    """The count, the limit and the span of the first limit that is passed; the share is of so many (None = of what is
    held). What this cycle adds nothing to is old."""
    counts = [counted(each) for each in source.spans]
    allowed = allowed_of(limit, source.held if of is None else of)
    for (span, factor), count in zip(SPANS, counts if counts[0] else (), strict=False):
        if count > allowed * factor:
            yield count, allowed * factor, span
            return


def _brake(reason: str, over: tuple[int, int, str], name: str = "") -> Brake:
    """A brake with its figures; `name`: that of its limit in the mapping, where nobody would guess it."""
    count, allowed, span = over
    told = f"{reason.format(count=f'{count:,}')} {span}, limit {allowed:,}"
    return Brake(EVERYTHING, f"{told} (limits: {name})" if name else told, count, allowed)


def _whole(sign: str, reason: str) -> Callable[[Source, Limit], Iterator[Brake]]:
    """A count of the source as a whole."""

    def ask(source: Source, limit: Limit) -> Iterator[Brake]:
        for over in _over(source, limit, partial(_sum, sign, "")):
            yield _brake(f"{source.system} {reason}", over)

    return ask


def _unlinks(source: Source, limit: Limit) -> Iterator[Brake]:
    """Linked people who are gone or nobody's business any more: few of all records may be many of these."""
    for over in _over(source, limit, partial(_sum, pulse.UNLINKS, ""), source.linked):
        reason = f"{source.system} deleted {{count}} linked records or moved them out of scope"
        yield _brake(reason, over, Sign.UNLINKS.value)


def _keys(source: Source, limit: Limit) -> Iterator[Brake]:
    for name in sorted(source.keys):
        for over in _over(source, limit, partial(_rekeyed, name)):
            yield _brake(f"the key {source.system} {name} changed in {{count}} records", over)


def _rekeyed(name: str, counts: Pulse) -> int:
    """How many records bear another key than before. A key that is filled in makes nobody somebody else: after a kill
    our own ids come back so."""
    return counts.of(pulse.CHANGED, name) - counts.of(pulse.FILLED, name)


def _emptied(source: Source, limit: Limit) -> Iterator[Brake]:
    for name in _fields(source, pulse.EMPTIED):
        for over in _over(source, limit, partial(_sum, pulse.EMPTIED, name)):
            yield _brake(f"{source.system} {name} lost its value in {{count}} records", over)


def _alike(sign: str, reason: str) -> Callable[[Source, Limit], Iterator[Brake]]:
    """One change of a field that most of those who changed it share."""

    def ask(source: Source, limit: Limit) -> Iterator[Brake]:
        for name in _fields(source, sign):
            now = source.spans[0]
            what = max(now.counts[sign, name], key=now.counts[sign, name].__getitem__)
            if now.counts[sign, name][what] < MOST * _sum(pulse.CHANGED, name, now):
                continue
            for over in _over(source, limit, partial(_one, sign, name, what)):
                words = reason.replace("{field}", f"{source.system} {name}").replace("{what}", _safe(what))
                yield _brake(words, over)

    return ask


def all_changed(counts: Pulse) -> int:
    """How many records others have changed, where next to none was touched and read as it was; 0 where some were."""
    changed, same = counts.of(pulse.ALTERED), counts.of(pulse.SAME)
    return changed if same <= NOTHING_KEPT * (changed + same) else 0


def most_of(limit: Limit, held: int, factor: int) -> int:
    """How many of all records may change in a span. The number grows with the span; of a share of all there is no
    twice, because nothing can change more than all."""
    return max(limit.number * factor, int(limit.share * held))


def _all_changed(source: Source, limit: Limit) -> Iterator[Brake]:
    spans = source.spans if source.spans[0].of(pulse.ALTERED) else ()
    for (span, factor), count in zip(SPANS, map(all_changed, spans), strict=False):
        allowed = most_of(limit, source.held, factor)
        if count > allowed:
            reason = f"{source.system} changed in {{count}} records and none was read unchanged"
            yield _brake(reason, (count, allowed, span))
            return


def _sum(sign: str, name: str, counts: Pulse) -> int:
    return counts.of(sign, name)


def _one(sign: str, name: str, what: str, counts: Pulse) -> int:
    return counts.counts.get((sign, name), {}).get(what, 0)


def _fields(source: Source, sign: str) -> list[str]:
    """The fields with this sign in this cycle, the most frequent first."""
    now = source.spans[0]
    names = [name for kind, name in now.counts if kind == sign and name not in source.aside]
    return sorted(names, key=lambda name: (-max(now.counts[sign, name].values(), default=0), name))


def _safe(what: str) -> str:
    """A value of somebody's inside a sentence of ours."""
    return what.replace("{", "(").replace("}", ")").replace("\n", " ")


_SIGNS = (
    (Sign.COLUMN_SHIFT, _alike(pulse.COLUMN_SHIFT, "{field} took what stood in {what} in {count} records")),
    (Sign.TIME_SHIFT, _alike(pulse.TIME_SHIFT, "{field} moved by {what} in {count} records")),
    (Sign.RENAMED, _alike(pulse.RENAMED, "{field} turned «{what}» in {count} records")),
    (Sign.EMPTIED, _emptied),
    (Sign.KEYS, _keys),
    (Sign.CLONES, _whole(pulse.CLONES, "has {count} new records of people whom it had already")),
    (Sign.MERGES, _whole(pulse.MERGES, "merged {count} records away")),
    (Sign.LOSS, _whole(pulse.LOSS, "lost {count} records")),
    (Sign.UNLINKS, _unlinks),
    (Sign.ALL_CHANGED, _all_changed),
)
