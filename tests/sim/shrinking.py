"""Makes a failing schedule small: its random decisions are kept on a tape, and it is played again with fewer of them.

Steps, kinds of faults, deaths, acts in mid-cycle and people are left out for as long as it fails in the same way. Each
step draws from its own part of the tape, so that leaving one out changes no other. What is left is named in one line
that fails again anywhere. Knows nothing of the engine.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple, TypeAlias, TypeVar

from tests.sim.driver import Result, Schedule
from tests.sim.faults import NAMES

T = TypeVar("T")
Draw: TypeAlias = tuple[int, float]
Parts: TypeAlias = dict[int, list[Draw]]
SETTING, PEOPLE, QUIET = -1, -2, -3  # the parts of a tape beside those of the steps, which count from 0
DEATHS, MIDST = "deaths", "midst"
TRIES = 600
MANY, MOST = 99, 13  # people: all of them, and more than most schedules have


class Tape(random.Random):
    """A random source that keeps what it gives, part by part, or gives again what another one has kept; where that has
    come to its end it goes on by itself, in the same way each time."""

    def __init__(self, seed: int, kept: Parts | None = None) -> None:
        super().__init__(seed)
        self.parts: Parts = {}
        self._first = seed
        self._kept = kept
        self.turn(SETTING)

    def turn(self, part: int) -> None:
        """Go on with another part."""
        first = part not in self.parts
        self._part = self.parts.setdefault(part, [])
        self._again = [] if self._kept is None else self._kept.get(part, [])
        if first and self._kept is not None:
            self.seed(f"{self._first} {part}")

    def random(self) -> float:
        """A number from 0 to 1."""
        return self._draw(0, super().random)

    def getrandbits(self, k: int, /) -> int:
        """So many bits."""
        return int(self._draw(k, lambda: super(Tape, self).getrandbits(k)))

    def _draw(self, bits: int, fresh: Callable[[], float]) -> float:
        value: float | None = None
        if len(self._part) < len(self._again):
            size, kept = self._again[len(self._part)]
            value = kept if size == bits else None
        value = fresh() if value is None else value
        self._part.append((bits, value))
        return value


class Left(NamedTuple):
    """What is left of a schedule: which steps, which kinds of faults (and `deaths`, `midst`), at most how many
    people."""

    steps: tuple[int, ...]
    things: tuple[str, ...]
    persons: int

    def __str__(self) -> str:
        steps = ",".join(map(str, self.steps))
        return f"steps={steps} things={','.join(self.things)} persons={self.persons}"


def left_of(text: str) -> Left:
    """What `str` of a Left says."""
    said = dict(part.partition("=")[::2] for part in text.split())
    steps = tuple(int(each) for each in said["steps"].split(",") if each)
    return Left(steps, tuple(filter(None, said["things"].split(","))), int(said["persons"]))


class Chosen(Schedule):
    """A schedule of which only a part is played; with everything left it is the schedule itself."""

    def __init__(self, seed: int, profile: str, tape: Tape, left: Left | None = None) -> None:
        super().__init__(seed, profile, tape)
        self.tape, self.left = tape, left
        self.number = 0
        self._enter = self.people.settle
        self.people.settle = self._settle  # type: ignore[method-assign]

    def _has(self, thing: str) -> bool:
        return self.left is None or thing in self.left.things

    def _settle(self, persons: int, both: float) -> None:
        self.tape.turn(PEOPLE)
        self._enter(persons if self.left is None else min(persons, self.left.persons), both)
        self.tape.turn(SETTING)

    def _step(self) -> None:
        if self.number == 0:
            for strikes in (*self.faults.values(), self.mishaps):
                for kind in [kind for kind in strikes.shares if not self._has(kind)]:
                    strikes.set(kind, 0.0)
        number, self.number = self.number, self.number + 1
        if self.left is None or number in self.left.steps:
            self.tape.turn(number)
            self.tell("step", number)
            super()._step()

    def _quiet(self) -> None:
        self.tape.turn(QUIET)
        super()._quiet()

    def dies(self, *label: str) -> bool:
        """Whether the process crashes here; left out, the decision is drawn all the same."""
        if self._has(DEATHS):
            return super().dies(*label)
        if self._agitated and self._crashes:
            self.rng.random()
        return False

    def _somebody(self) -> None:
        if self._midst and not self._has(MIDST):
            return
        super()._somebody()

    _midst = False

    def point(self, *label: str) -> None:
        """Something may happen here."""
        self._midst = True
        try:
            super().point(*label)
        finally:
            self._midst = False


class Shrunk(NamedTuple):
    """A failing schedule made small: what is left of it, how many steps it had, how often it was played for that, and
    what it comes to now."""

    left: Left
    steps: int
    tries: int
    result: Result

    @property
    def line(self) -> str:
        """The command that fails again."""
        return f"{again(self.result)} --left '{self.left}'"

    def told(self) -> str:
        """The steps that are left, without the feeds that were read, and what is wrong."""
        lines = [f"{self.line}   # {len(self.left.steps)} of {self.steps} steps are left"]
        lines += ["  " + " ".join(map(str, words)) for words in self.result.story if "changes" not in words]
        lines += [f"OFFENCE {each.kind}: {each.subject}: {each.reason}" for each in self.result.offences]
        return "\n".join(lines)


def again(result: Result) -> str:
    """The command that plays a schedule again."""
    return f"python -m tests.sim --seed {result.seed} --profile {result.profile}"


def replay(seed: int, profile: str, left: Left) -> Result:
    """Play what is left of a schedule."""
    return _play(seed, profile, _recorded(seed, profile)[0].parts, left)


def shrink(seed: int, profile: str, tries: int = TRIES) -> Shrunk | None:
    """Make a failing schedule as small as so many attempts allow; None where it does not fail."""
    tape, steps, result = _recorded(seed, profile)
    if not result.offences:
        return None
    shrinker = _Shrinker(tape.parts, result, tries)
    left = shrinker.least(Left(tuple(range(steps)), (*sorted(NAMES), DEATHS, MIDST), MANY))
    return Shrunk(left, steps, shrinker.tries, _play(seed, profile, tape.parts, left))


class _Shrinker:
    """Plays parts of one failing schedule until no smaller part fails in the same way, or it has tried enough."""

    def __init__(self, parts: Parts, result: Result, most: int) -> None:
        self._parts, self._result, self._most = parts, result, most
        self._kinds = {each.kind for each in result.offences}
        self.tries = 0

    def least(self, left: Left) -> Left:
        """The smallest part that was found. Twice: fewer steps make more things superfluous."""
        for _ in range(2):
            left = self._fewer(left, left.things, lambda left, some: left._replace(things=some))
            left = self._fewer(left, left.steps, lambda left, some: left._replace(steps=some))
            tried = (left._replace(persons=persons) for persons in range(1, min(left.persons, MOST)))
            left = next((less for less in tried if self._fails(less)), left)
        return left

    def _fails(self, left: Left) -> bool:
        if self.tries >= self._most:
            return False
        self.tries += 1
        found = _play(self._result.seed, self._result.profile, self._parts, left)
        return any(each.kind in self._kinds for each in found.offences)

    def _fewer(self, left: Left, all_: tuple[T, ...], put: Callable[[Left, tuple[T, ...]], Left]) -> Left:
        """Leave out halves, then quarters, down to single ones."""
        rest, size = all_, max(1, len(all_) // 2)
        while rest:
            before, place = len(rest), 0
            while place < len(rest):
                fewer = rest[:place] + rest[place + size :]
                if self._fails(put(left, fewer)):
                    rest = fewer
                else:
                    place += size
            if size == 1 and len(rest) == before:
                break
            size = max(1, size // 2)
        return put(left, rest)


def _recorded(seed: int, profile: str) -> tuple[Tape, int, Result]:
    tape = Tape(seed)
    whole = Chosen(seed, profile, tape)
    result = whole.run()
    return tape, whole.number, result


def _play(seed: int, profile: str, parts: Parts, left: Left) -> Result:
    return Chosen(seed, profile, Tape(seed, parts), left).run()
