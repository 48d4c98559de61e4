"""The same people, lines and oracle in an order that Hypothesis chooses, which makes what fails as short as it can.

A schedule draws everything from one seed; here each act, cycle, fault and death is a rule with arguments of its own.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import sync.pairs
from sync.plan import Half
from sync.resolve import Pair, Verdict, WriteTo, resolve
from sync.rules import FieldRule
from tests.sim.driver import Schedule
from tests.sim.faults import ON_READ, ON_WRITE
from tests.sim.people import WEIGHTS
from tests.sim.vocabulary import MA, SFA

pytestmark = pytest.mark.timeout(1_800)  # seconds; on a machine that has other work it takes minutes

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
BOUNDS = settings(
    max_examples=1_500 if LONG else 80, stateful_step_count=40 if LONG else 25, derandomize=not LONG, deadline=None,
    suppress_health_check=list(HealthCheck), database=None, print_blob=True,
)  # fmt: skip
FAULTS = [*sorted({*ON_READ, *ON_WRITE} - {"login_refused", "poison_record"}), "row_refused", "ignored_field"]
SEEDS = st.integers(0, 2**16)
WAITS = (0.5, 3.0, 60.0, 4_000.0)


class Steered(Schedule):
    """A schedule that does what it is told: at which point it dies, and which faults strike."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, "calm")
        self._agitated = True
        self.left: int | None = None

    def dies(self, *label: str) -> bool:
        """Die once so many points are passed."""
        if self.left is None:
            return False
        self.left -= 1
        if self.left >= 0:
            return False
        self.left = None
        self.counts["crashes"] += 1
        self.tell("CRASH", *label)
        self._alive = False
        return True

    def start(self, persons: int, both: float) -> None:
        """The people as they stand before the engine has ever run."""
        self.people.settle(persons, both)
        self.observe()
        self.clock.advance(5.0)
        self._swept = self.sweep_began = self.clock.now()

    def act(self, kind: str) -> None:
        """Somebody does something of a kind."""
        self.people._acts[kind]()
        self.observe()
        self.clock.advance(0.5)

    def work(self, *, sweep: bool) -> None:
        """The engine runs."""
        self._cycle(sweep=sweep or self._is_due())
        for strikes in self.faults.values():
            strikes.quiet()
        self.left = None
        self.clock.advance(0.5)

    def rest(self) -> None:
        """Everything is well, time passes, and the oracle judges."""
        self._agitated = False
        for wire in self.wires.values():
            wire.calm()
        if not self.oracle.offences:
            self._quiet()


class Machine(RuleBasedStateMachine):
    """Rules over one schedule; `seen` counts what all runs came to."""

    seen: ClassVar[Counter[str]] = Counter()

    @initialize(seed=SEEDS, persons=st.integers(1, 4), both=st.sampled_from((0.0, 0.5, 1.0)))
    def open(self, seed: int, persons: int, both: float) -> None:
        """People stand there."""
        self.play = Steered(seed)
        self.play.start(persons, both)

    @rule(kind=st.sampled_from(sorted(WEIGHTS)), seed=SEEDS)
    def act(self, kind: str, seed: int) -> None:
        """Somebody does something."""
        self.play.rng.seed(seed)
        self.play.act(kind)

    @rule(sweep=st.booleans(), seed=SEEDS)
    def cycle(self, sweep: bool, seed: int) -> None:
        """The engine runs undisturbed."""
        self.play.rng.seed(seed)
        self.play.work(sweep=sweep)

    @rule(
        side=st.sampled_from((MA, SFA)),
        kind=st.sampled_from(FAULTS),
        share=st.sampled_from((0.2, 0.6)),
        seed=SEEDS,
    )
    def faulty_cycle(self, side: str, kind: str, share: float, seed: int) -> None:
        """The engine runs, and calls of one side meet a fault."""
        self.play.rng.seed(seed)
        self.play.faults[side].set(kind, share)
        self.seen[kind] += 1
        self.play.work(sweep=False)

    @rule(place=st.integers(0, 60), seed=SEEDS)
    def deadly_cycle(self, place: int, seed: int) -> None:
        """The engine dies at a point, if it gets there, and runs again at once."""
        self.play.rng.seed(seed)
        self.play.left = place
        self.play.work(sweep=False)
        self.play.work(sweep=False)

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.play.clock.advance(seconds)

    @invariant()
    def nothing_is_wrong_at_this_instant(self) -> None:
        """What can be judged at the instant of a write is."""
        assert not self.play.oracle.offences, self.play.oracle.offences

    def teardown(self) -> None:
        """Nothing is wrong in the end."""
        self.play.rest()
        self.seen.update(self.play.counts + self.play.people.done)
        self.seen["judged"] += 1
        assert not self.play.oracle.offences, self.play.oracle.offences


def test_no_order_of_acts_faults_and_deaths_is_against_a_promise() -> None:
    """Whatever Hypothesis has people, lines and the process do, nothing is lost, doubled or unsaid."""
    Machine.seen.clear()
    run_state_machine_as_test(Machine, settings=BOUNDS)
    assert Machine.seen["judged"] >= BOUNDS.max_examples
    assert all(Machine.seen[what] for what in ("crashes", "edits", "cycles"))
    assert sum(kind in Machine.seen for kind in FAULTS) >= 8


def test_the_machine_finds_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an engine that decides conflicts without a word, the machine turns red."""

    def silent(rule: FieldRule, now: Pair, half: Half | None) -> Verdict:
        verdict = resolve(rule, now, half)
        return WriteTo(verdict.side) if isinstance(verdict, WriteTo) else verdict

    monkeypatch.setattr(sync.pairs, "resolve", silent)
    found = settings(BOUNDS, phases=[Phase.generate], max_examples=200, derandomize=True)
    with pytest.raises(AssertionError, match="lost edit"):
        run_state_machine_as_test(Machine, settings=found)
