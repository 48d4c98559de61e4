"""The process dies at every write-ahead point of a scripted scenario, once at each time that the point is reached.

Points: before and after each commit, before and after each vendor call, and while a write is on its way to the vendor.
A death is a kill (what was committed stays) or a power cut (what was not synced is lost as well). What comes after it
must be what comes without it: the same records with the same values, as often made. Decides nothing about the engine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from tests.sim.claims import claims, open_work
from tests.sim.driver import Schedule
from tests.sim.ground import Crash
from tests.sim.scripts import SCRIPTS, Play
from tests.sim.vocabulary import MA, OTHER_ID, SFA, Key, Row

KILL, POWER_CUT = "kill", "power cut"
HOW = (KILL, POWER_CUT)
AFTERWARDS = (4.0, 130.0, 310.0, 5.0)  # seconds between the cycles that follow the last act
BETWEEN = (1.5, 4.0)  # between those that follow an act
AGAIN = (0.0, 0.5, 12.0)  # and between those that follow a death, before anybody acts again
SEED = 23  # pages of five, and no unique field for the other side's ids: nothing but the engine prevents a double
World: TypeAlias = Mapping[str, object]


class Death(NamedTuple):
    """Where a process dies: at the how-manieth point, and how."""

    place: int
    how: str = KILL


class Point(NamedTuple):
    """One place at which the process may die, and whether anything was unsynced there."""

    label: str
    unsynced: bool


class Outcome(NamedTuple):
    """What a scenario came to: the vendors' records by name, the engine's creates by side, what the oracle says, the
    points that were passed, and the labels of the deaths."""

    world: World
    creates: tuple[int, int]
    offences: tuple[str, ...]
    points: tuple[Point, ...]
    died: tuple[str, ...]


class Late(random.Random):
    """Every span that a schedule draws is as long as it may be: what was on its way when the process died acts at the
    last moment."""

    def uniform(self, a: float, b: float) -> float:
        """The end of the span."""
        return max(a, b)


class Scripted(Schedule):
    """A schedule in which nothing is left to chance: acts in the script's order, and deaths where they are told."""

    def __init__(self, script: str, deaths: tuple[Death, ...] = ()) -> None:
        super().__init__(SEED, "calm", Late(SEED))
        self.script, self.deaths = script, {death.place: death.how for death in deaths}
        self.points: list[Point] = []
        self.died: list[str] = []
        self._counting = False
        self._how = KILL

    def point(self, *label: str) -> None:
        """Die here, if it is time."""
        if not self._alive or self.dies(*label):
            raise Crash

    def dies(self, *label: str) -> bool:
        """Count one more point; whether the process dies at it."""
        if not self._counting:
            return False
        how = self.deaths.get(len(self.points))
        self.points.append(Point(" ".join(label), unsynced=bool(self.store._undo)))
        if how is None:
            return False
        self.died.append(self.points[-1].label)
        self.tell("CRASH", how, *label)
        self._alive, self._how = False, how
        return True

    def _restart(self) -> None:
        if self._how == KILL:
            self.store._undo.clear()  # a killed process leaves its pages with the operating system
        super()._restart()

    def _away(self) -> float:
        return 0.0  # at once: whatever was on its way may still act

    def play(self) -> Outcome:
        """Enter the people, let the engine know them, act as written, and come to rest."""
        stage = Play(self.people, self.observe)
        people, acts = SCRIPTS[self.script]
        people(stage)
        self.observe()
        self.clock.advance(5.0)
        self._swept = self.sweep_began = self.clock.now()
        if self.script != "first sync":
            self._cycles(AFTERWARDS)
        self._counting = True
        for act in acts:
            act(stage)
            self.observe()
            self._cycles(BETWEEN)
        self._cycles(AFTERWARDS)
        self._counting = False
        self._rest()
        offences = tuple(f"{each.kind}: {each.reason}" for each in self.oracle.offences)
        world, creates = self._world_by_name(), self._creates()
        return Outcome(world, creates, offences, tuple(self.points), tuple(self.died))

    def _cycles(self, pauses: tuple[float, ...]) -> None:
        for seconds in pauses:
            before = len(self.died)
            self.clock.advance(seconds)
            self._cycle(sweep=self._is_due())
            if len(self.died) > before:
                self._cycles(AGAIN)

    def _rest(self) -> None:
        """Once everything is quiet nothing is written or looked up any more, nothing is open, and the oracle judges."""
        self._cycles(AFTERWARDS)
        before = self._effort()
        self._cycles((5.0, 5.0))
        if before != self._effort():
            self.oracle.offend("echo", "", "writes or look-ups after everything was quiet")
        for words in open_work(self.store):
            self.oracle.offend("never left", "", words)
        self.oracle.judge(claims(self.store, self.world.lens))

    # --- what it came to -------------------------------------------------------------------------------

    def _world_by_name(self) -> World:
        """Every record by a name that does not depend on ids: the how-manieth that people entered, or whose it is."""
        names = self._names()
        found: dict[str, object] = {}
        for key, row in self.oracle.rows.items():
            values = {
                path: _plain(value) for path, value in row.values.items() if value not in (None, "", False)
            }
            values[OTHER_ID[row.side]] = self._named(row, names)
            found[names[key]] = (row.object, row.live, sorted(values.items()))
        return found

    def _names(self) -> dict[Key, str]:
        names: dict[Key, str] = {}
        for key, row in self.oracle.rows.items():
            made = row.source is not None
            of = names.get(row.source, "nobody") if row.source is not None else str(len(names))
            name = f"{row.side} {'made for' if made else 'entered'} {of}"
            while name in names.values():
                name += " again"
            names[key] = name
        return names

    def _named(self, row: Row, names: Mapping[Key, str]) -> str:
        key = self.oracle.named_by(row)
        return names.get(key, "") if key is not None else ""

    def _creates(self) -> tuple[int, int]:
        made = [row.side for row in self.oracle.rows.values() if row.api_made]
        return made.count(MA), made.count(SFA)


def _plain(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value


def single_deaths(script: str) -> Iterator[Death]:
    """Every death of a scenario."""
    for place, point in enumerate(Scripted(script).play().points):
        yield Death(place, KILL)
        if point.unsynced:
            yield Death(place, POWER_CUT)


def some_pairs(script: str, count: int, seed: int) -> Iterator[tuple[Death, Death]]:
    """Two deaths of one run, drawn at random; the second may come at once after the first."""
    points, rng = Scripted(script).play().points, random.Random(seed)
    for _ in range(count):
        first = rng.randrange(len(points))
        second = first + 1 + min(int(rng.expovariate(0.05)), len(points))
        yield Death(first, rng.choice(HOW)), Death(second, rng.choice(HOW))


def wrong(script: str, calm: Outcome, deaths: tuple[Death, ...]) -> str:
    """What is different after these deaths ("" = nothing)."""
    after = Scripted(script, deaths).play()
    where = f"{script}, {', '.join(f'{how} at {place}' for place, how in deaths)} ({'; '.join(after.died)})"
    if after.offences:
        return f"{where}: {after.offences[0]}"
    if after.creates != calm.creates:
        return f"{where}: {after.creates} creates instead of {calm.creates}"
    differing = [
        name for name in {*calm.world, *after.world} if calm.world.get(name) != after.world.get(name)
    ]
    if differing:
        name = min(differing)
        return f"{where}: {name} is {after.world.get(name)} instead of {calm.world.get(name)}"
    return "" if after.died else f"{where}: nobody died"
