"""What is known of the sources of a route beside their records: counts of the last day, what they call themselves, what
their clocks say.

The glue between reading, which counts, and the rules that judge (sync.watch): it fetches and keeps rows. One question
for all systems of a route in a cycle, one row for a page that changed something, none for a quiet one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sync.beats import DAY, HOUR, Beats, beats_of, keep, looked_at, store_beats
from sync.errors import Fatal
from sync.guard import EVERYTHING, Brake
from sync.normalise import Lens
from sync.note import Reading
from sync.pulse import CLONES, LOSS, MERGES, UNLINKS, Pulse
from sync.record import LifeEvent, Side
from sync.rows import LEADING, LIVE, UNSEEN, CursorRow, Patch, RecordRow
from sync.watch import Source, watch, watch_clock

if TYPE_CHECKING:  # reading counts by this module
    from sync.read import World

IDENTITY = "identity"
ENVIRONMENT, READING = "environment", "reading"


class OtherPlace(Fatal):
    """A system is not the one that this journal knows under its name: nothing that it says may be noted."""


class Looked(NamedTuple):
    """What looking at the sources came to: their brakes, and their counts, which nobody need look at again."""

    brakes: tuple[Brake, ...]
    beats: Mapping[str, Beats]


def feel(
    world: World, reading: Reading, pulse: Pulse, patch: Patch, left: Collection[RecordRow] = ()
) -> None:
    """Count what a page says of its source, in the transaction that notes it; `left`: who has left the scope. Routes
    that write nothing count nothing: nobody judges them. Raises OtherPlace before anything of the page is kept."""
    _recognise(world, reading, patch)
    rules = world.lens.rules
    if rules.relays or rules.shadow:
        return
    if left:
        pulse.add(UNLINKS, number=len(linked_of(left, world.store.records_of({row.entity for row in left}))))
    if pulse:
        keep(world.store, reading, pulse, patch)


def lives(events: Iterable[LifeEvent], rows: Collection[RecordRow]) -> Pulse:
    """Records that we held and that these events end; `rows`: all of everybody whom they concern."""
    here = {row.ref: row for row in rows if row.state in (LIVE, UNSEEN)}
    found, deleted = Pulse(), list[RecordRow]()
    for ref, kind in {event.ref: event.kind for event in events}.items():
        sign = {"deleted": LOSS, "merged": MERGES}.get(kind)
        if sign is not None and ref in here:
            found.add(sign)
        if sign == LOSS and ref in here:
            deleted.append(here[ref])
    found.add(UNLINKS, number=len(linked_of(deleted, rows)))
    return found


def linked_of(rows: Iterable[RecordRow], family: Iterable[RecordRow]) -> list[RecordRow]:
    """Those who lead their system and have a counterpart across; `family`: all records of their entities."""
    places: defaultdict[int, set[str]] = defaultdict(set)
    for row in family:
        if row.state in (LIVE, UNSEEN):
            places[row.entity].add(row.system)
    return [row for row in rows if row.role == LEADING and places[row.entity] - {row.system}]


def _recognise(world: World, reading: Reading, patch: Patch) -> None:
    """Remember what a system calls itself, and refuse another one under its name."""
    told = world.connectors[world.lens.side(reading.system)].capabilities.identity
    if told and not refuse_other(world, reading.system):
        patch.put(CursorRow(reading.system, "", IDENTITY, told, 1, reading.as_of, reading.now))


def refuse_other(world: World, place: str) -> bool:
    """Whether it is known what a system calls itself. Raises OtherPlace if that is something else by now; a channel
    has no name."""
    if place not in world.lens.rules.systems.values():
        return True
    told = world.connectors[world.lens.side(place)].capabilities.identity
    known = world.store.get(CursorRow, [(place, "", IDENTITY)]) if told else ()
    if known and known[0].value != told:
        raise OtherPlace(
            f"{place} is {told} now, and this state belongs to {known[0].value}",
            "put its address and credentials right; if the system itself has moved, approve this in the inbox",
        )
    return bool(known)


def forget_identity(world: World, patch: Patch) -> None:
    """Take every system of the route for what it calls itself when it is asked next."""
    for system in world.lens.rules.systems.values():
        patch.drop(CursorRow(system, "", IDENTITY, "", 0, 0, 0.0))


def clock_brakes(world: World) -> tuple[Brake, ...]:
    """Brakes on clocks that cannot be right, as far as the systems tell theirs."""
    asked = {world.lens.system(side): each.capabilities for side, each in world.connectors.items()}
    found = (watch_clock(system, each.clock_ahead) for system, each in asked.items())
    return tuple(brake for brake in found if brake is not None)


def unread_brake(system: str, why: str) -> Brake:
    """A brake on a system that refuses to be read as the mapping asks: a field or a permission is gone."""
    what = " ".join(why.split()).split(". ")[0].rstrip(".")  # the vendor's first sentence, in one line
    return Brake(EVERYTHING, f"{system} cannot be read: {what}", 1, 0, READING)


def other_place_brake(error: OtherPlace) -> Brake:
    """A brake on a system that is another one than it was."""
    return Brake(EVERYTHING, error.message, 1, 0, ENVIRONMENT)


def look_at(world: World, twins: Mapping[str, int], agreed: float) -> Looked:
    """Judge what was counted and not judged yet. `twins`: newcomers whose person was there already, by system;
    `agreed`: what came before is a person's business no more (unix seconds)."""
    found: list[Brake] = []
    beats = beats_of(world.store, world.lens.rules.systems.values(), world.kind)
    for side in world.lens.rules.sides:
        system = world.lens.system(side)
        mine = beats.get(system, Beats())
        if twins.get(system):
            fresh = mine.fresh()
            fresh.add(CLONES, number=twins[system])
            mine = beats[system] = mine.with_fresh(fresh)
        brake = watch(_source(world, side, mine, agreed), world.lens.rules.signs)
        found += [brake] if brake is not None else []
    return Looked(tuple(found), {system: each for system, each in beats.items() if each.open})


def keep_looked(world: World, looked: Looked, patch: Patch, agreed: float) -> None:
    """Count what was judged among the past from now on."""
    now = world.clock.now()
    for system, beats in looked.beats.items():
        store_beats(system, world.kind, looked_at(beats, now, agreed), patch, now)


def _source(world: World, side: Side, beats: Beats, agreed: float) -> Source:
    system, now = world.lens.system(side), world.clock.now()
    fresh = beats.fresh()
    hour, day = (_with(beats.since(max(now - span, agreed)), fresh) for span in (HOUR, DAY))
    least = min(limit.number for limit in world.lens.rules.signs.values())
    much = day.greatest() > least
    return Source(
        system=system,
        spans=(fresh, hour, day),
        held=world.store.count_records(system, world.kind) if much else 0,
        keys=key_fields(world.lens, side),
        aside=_opt_outs(world, side),
        linked=world.store.count_linked(world.lens.rules.route) if fresh.of(UNLINKS) else 0,
    )


def _with(past: Pulse, fresh: Pulse) -> Pulse:
    past.take(fresh)
    return past


def key_fields(lens: Lens, side: Side) -> frozenset[str]:
    """The fields by which people are recognised, as pulses name them."""
    system = lens.system(side)
    found: set[str] = set()
    for object_ in lens.rules.objects[side].all:
        paths = (lens.address_path(system, object_), *lens.id_paths(system, object_))
        found.update(f"{object_}.{path}" for path in paths if path)
    return frozenset(found)


def _opt_outs(world: World, side: Side) -> frozenset[str]:
    """Opt-outs have a brake of their own."""
    cells = (rule.cells.get(side) for rule in world.lens.rules.consent)
    return frozenset(
        f"{object_}.{path}" for cell in cells if cell is not None for object_, path in cell.paths.items()
    )
