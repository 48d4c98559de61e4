"""Simulated users who edit both sides at random, and the world's own list of what they typed.

Decides who edits which field when; each value typed is a token that occurs nowhere else. They edit only
persons who have a live record on both sides. Knows the two keyholes, no HTTP and no sync.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.clock import Clock
from simulators.history import OPT_OUTS, SIDES, Edit, Pair, Side
from simulators.sides import Sides

DEFAULT_PAIRS = (Pair("title", "Title"), Pair("company", "Company"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Edits per second for so many seconds; shares are of edits.

    A collision is one person's same field typed on both sides within `window` seconds.
    """

    rate: float = 10.0
    seconds: float = 60.0
    collide_share: float = 0.1
    optout_share: float = 0.02
    window: float = 0.2
    pairs: Sequence[Pair] = DEFAULT_PAIRS


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A person with one record on each side."""

    person: int
    records: dict[Side, str]


class Editors:
    """The users; `edits` grows as they type, `collisions` counts the pairs, `opted_out` the boxes ticked."""

    def __init__(self, sides: Sides, clock: Clock, rng: random.Random) -> None:
        self._sides, self._clock, self._rng = sides, clock, rng
        self.edits: list[Edit] = []
        self.collisions = 0
        self.opted_out = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.error: Exception | None = None

    @property
    def running(self) -> bool:
        """Whether somebody is typing."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, plan: Plan, targets: Sequence[Target]) -> None:
        """Begin typing in the background; ValueError when it goes on already or nobody stands on both
        sides.
        """
        if self.running:
            raise ValueError("the users are editing already; stop them first")
        if not targets:
            raise ValueError("no person has a record on both sides; sync first or raise the overlap")
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(plan, targets), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop typing and wait for the last edit."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self, plan: Plan, targets: Sequence[Target]) -> None:
        try:
            end = self._clock.now() + plan.seconds
            done, began = 0, self._clock.now()
            while not self._stop.is_set() and self._clock.now() < end:
                done += self.step(plan, targets)
                ahead = began + done / plan.rate - self._clock.now()
                self._stop.wait(max(0.0, ahead))
        except Exception as error:  # noqa: BLE001 - shown by the control endpoint instead of dying unseen
            self.error = error

    def step(self, plan: Plan, targets: Sequence[Target]) -> int:
        """Make one edit, one collision or one opt-out; gives the number of edits typed."""
        target, pair = self._rng.choice(targets), self._rng.choice(plan.pairs)
        first = self._rng.choice(SIDES)
        if self._rng.random() < plan.optout_share:
            return self._opt_out(target, first)
        # A collision makes two edits, so this many of all edits collide.
        if self._rng.random() < plan.collide_share / (2 - plan.collide_share):
            return self._collide(plan, target, first, pair)
        return self._type(target, first, pair)

    def _collide(self, plan: Plan, target: Target, first: Side, pair: Pair) -> int:
        typed = self._type(target, first, pair)
        self._stop.wait(self._rng.uniform(0.0, plan.window))
        second: Side = "salesforce" if first == "marketo" else "marketo"
        both = typed + self._type(target, second, pair)
        self.collisions += both == 2
        return both

    def _type(self, target: Target, side: Side, pair: Pair) -> int:
        keyhole, key, name = self._sides[side], target.records[side], getattr(pair, side)
        token = f"TK{len(self.edits):06d}X{self._rng.getrandbits(32):08X}"
        with keyhole.lock:
            record = keyhole.record(key)
            if record is None or (name not in record and side == "salesforce"):
                return 0
            replaced = record.get(name)
            keyhole.edit(key, {name: token})
            self.edits.append(Edit(token, target.person, side, key, pair, keyhole.ledger[-1].time, replaced))
        return 1

    def _opt_out(self, target: Target, side: Side) -> int:
        keyhole, key, name = (
            self._sides[side],
            target.records[side],
            getattr(self._rng.choice(OPT_OUTS), side),
        )
        with keyhole.lock:
            record = keyhole.record(key)
            if record is None or record.get(name) is True:
                return 0
            keyhole.edit(key, {name: True})
        self.opted_out += 1
        return 1
