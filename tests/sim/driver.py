"""One schedule: the whole engine, both vendors, people, faults and crashes in one thread under one random source.

Phases: people enter; they act while cycles run, calls fail and the process dies; then everything is quiet, time
passes, and the oracle judges. The same seed does the same again.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sync.cycle import Bounds, run_cycle
from sync.errors import Fatal, RequestRefused, Retryable
from sync.guard import Brake
from sync.read import Numbering, World
from sync.record import Side
from sync.rows import CursorRow, RulesRow
from tests.sim.claims import as_json, claims, open_work
from tests.sim.faults import drawn
from tests.sim.journal import Backup, Journal
from tests.sim.liveness import PAUSE, STIRS, Lasting
from tests.sim.mapping import lens
from tests.sim.oracle import MA, SFA, Offence
from tests.sim.setting import Setting
from tests.sim.wire import SERVER_TIMEOUT, Crash, Inline

QUIET = (4.0, 130.0, 310.0, 3_700.0, 22_000.0, 87_000.0, 87_000.0, 310.0, 5.0)
CUT, MORE = Bounds().seconds, 30  # a cycle that took so long left work for another one, up to so many
ECHOES = 3
LATE, SWEEP_EVERY = 900.0, 300.0
BACKUPS = 0.1  # share of steps before which a backup is made
STEPS = (-86_400.0, -3_600.0, -60.0, -1.0, 1.0, 60.0, 3_600.0, 86_400.0)


@dataclass(slots=True)
class Result:
    """What a schedule came to."""

    seed: int
    profile: str
    offences: list[Offence]
    story: list[tuple[object, ...]]
    counts: Counter[str]
    fired: Counter[str] = field(default_factory=Counter)
    trace: str = ""
    judged: bool = False
    reached: Counter[str] = field(default_factory=Counter)


class Schedule(Setting):
    """One schedule, step by step."""

    def __init__(self, seed: int, profile: str = "default", rng: random.Random | None = None) -> None:
        super().__init__(seed, profile, rng)
        self.world = self._world()
        self.ruled = ""

    # --- the engine ------------------------------------------------------------------------------------

    def _world(self) -> World:
        return World(
            lens=lens(self.office.mapping),
            connectors={Side.MA: self.wires[MA], Side.SFA: self.wires[SFA]},
            store=self.store,
            clock=self.host,
            executor=Inline(),
            numbers=Numbering(self.store, 100),
        )

    def _restart(self) -> None:
        """A new process on what the journal kept."""
        self.counts["unsynced rows lost"] += self.store.forget()
        self._unlearn(self.cycle_began)  # what was seen in the cycle that died may be forgotten
        self._alive = True
        self.clock.advance(self._away())
        self._anew()

    def _unlearn(self, since: float) -> None:
        """What was shown since is known no more."""
        for told in (self.shown, self.read):
            for key in [key for key, when in told.items() if when >= since]:
                del told[key]

    def _anew(self) -> None:
        """A process that knows only its journal."""
        for wire in self.wires.values():
            wire.looked = {}
        self.world = self._world()

    def _away(self) -> float:
        """Seconds from the death of a process to the next one."""
        return self.rng.choice((0.0, 0.3, 1.0, 2.5, 10.0))

    def _cycle(self, *, sweep: bool) -> None:
        """One cycle; a sweep reaches back to the last one that came to its end, as the daemon's does."""
        self._adopt()
        rows = self.store.get(RulesRow, [(self.world.lens.rules.route,)])
        first = self._agreed or not (rows and rows[0].applied)
        chunk = self.rng.choice((1, 3, 1000)) if self._agitated else 1000
        allowed = self.office.turned_away.copy()
        self.cycle_began = now = self.clock.now()
        self.sweep_began = now if sweep else self._swept
        reach = now - self._swept + LATE if sweep else 0.0
        self.counts["cycles"] += 1
        self.tell("cycle", "first" if first else "", "sweep" if sweep else "")
        self.oracle.read_from(now)
        try:
            report = run_cycle(self.world, Bounds(sweep=reach, first=first, chunk=chunk))
            self._swept = now if report.swept else self._swept
            refused = (self.office.turned_away - allowed).keys()
            self.oracle.read_through(now, refused)
            self._agreed = bool(report.brakes) and self.office.turned_away == allowed
            if self._agreed:
                self._judge_brakes(report.brakes)
        except Retryable as error:
            self.tell("cycle ends", error.message)
        except RequestRefused as error:
            if self.office.turned_away == allowed:
                raise
            self.tell("cycle ends", error.message)
        except Fatal as error:
            if not any(wire.closed.raised is error for wire in self.wires.values()):
                raise
            self.tell("cycle ends", error.message)
        except Crash:
            self._restart()
        except Exception as error:
            if self._alive:
                self.oracle.offend("error", type(error).__name__, str(error))
                raise
            self._restart()
        finally:
            self.oracle.passed(now, self.clock.now())

    def _judge_brakes(self, brakes: Sequence[Brake]) -> None:
        """Somebody looks at what stops everything, and agrees to it as a whole, unless the brake is wrong."""
        since = self.oracle.cycles[-2] if len(self.oracle.cycles) > 1 else 0.0
        for brake in brakes:
            if self.tally.is_right(brake.reason, since, self.clock.now()):
                self.counts["brakes that were right"] += 1
                self.tell("brake", brake.reason)
            else:
                self.oracle.offend("brake", brake.action, brake.reason)

    def _adopt(self) -> None:
        """Work by the mapping file as it is now, as a daemon does that reads it anew."""
        fresh = lens(self.office.mapping)
        if self.world.lens is not fresh or self.ruled != self.office.mapping:
            self.world = self._world()
            self.ruled = self.office.mapping
            self.oracle.rule(self.clock.now(), self.ruled)

    def _is_due(self) -> bool:
        return self.clock.now() - self._swept > SWEEP_EVERY

    # --- the schedule ----------------------------------------------------------------------------------

    def run(self) -> Result:
        """Play it to the end."""
        try:
            with self.coverage.watching():
                self._play()
        except Exception as error:  # noqa: BLE001 - told with the seed, not lost
            import traceback

            self.oracle.offend("error", type(error).__name__, traceback.format_exc(limit=-6))
        self.counts.update(self.people.done + self.desk.done)
        self.counts.update(self.oracle.counts)
        self.counts["calls of several rows"] += sum(wire.several for wire in self.wires.values())
        fired: Counter[str] = Counter()
        for faults in (*self.faults.values(), self.mishaps):
            fired.update(faults.fired)
        return Result(
            self.seed, self.profile, self.oracle.offences, self.story, self.counts, fired, self._trace(),
            self._judged, self.coverage.hits,
        )  # fmt: skip

    def _play(self) -> None:
        rng, kind = self.rng, self.kind
        self.people.settle(rng.randint(*kind.persons), rng.choice((0.0, 0.3, 0.6, 1.0)))
        self.observe()
        self.clock.advance(rng.choice((rng.uniform(0.0, 5.0), 90_000.0)))
        self._swept = self.sweep_began = self.clock.now()
        for faults in (*self.faults.values(), self.mishaps):
            faults.use(drawn(rng, kind.faults))
        self._agitated = True
        for _ in range(rng.randint(*kind.steps)):
            self._step()
            if self.oracle.offences:
                return
        self._agitated = False
        for wire in self.wires.values():
            wire.calm()
        self.mishaps.quiet()
        self.host.ahead = 0.0
        self.office.give_back()
        if kind.lasting:
            self._suffer()
        self._quiet()

    def _suffer(self) -> None:
        """One thing breaks for ever, and people go on working for a while."""
        self.clock.advance(SERVER_TIMEOUT)  # whatever was on its way has acted
        self.lasting = Lasting(self.rng, self.oracle, self.wires, self.tell)
        for number in range(STIRS):
            self.lasting.stir(self.people, number)
            self.observe()
            self.clock.advance(PAUSE)
            self._cycle(sweep=self._is_due())
        self.lasting.judge()

    def _step(self) -> None:
        self._mishap()
        if self.kind.commands and self.rng.random() < self.kind.commands:
            self.desk.speak(self.store, self.world.lens, self.clock.now())
        draw = self.rng.random()
        if draw < 0.25:
            self._cycle(sweep=self._is_due() or self.rng.random() < 0.2)
            if draw < self.kind.again:
                self._cycle(sweep=False)  # at once again
        elif draw < 0.35:
            self.clock.advance(self.rng.choice((0.5, 1.0, 3.0, 60.0, 4_000.0)))
        else:
            self._somebody()
        self.clock.advance(self.rng.uniform(0.0, 1.0))

    def _mishap(self) -> None:
        """Something befalls the host between two cycles."""
        if self.mishaps.fires("clock_step"):
            self.host.ahead = self.rng.choice(STEPS)
            self.tell("the host's clock is set", self.host.ahead)
        if "old_backup" not in self.mishaps.shares:
            return
        if self.rng.random() < BACKUPS:
            self.backup = self.store.copy(self.clock.now(), self._swept)
        elif self.backup is not None and self.mishaps.fires("old_backup"):
            self._restore(self.backup)

    def _restore(self, backup: Backup) -> None:
        """The journal is lost, and a copy takes its place. What had been listed stays said; what the engine has been
        shown since is forgotten."""
        self.tell("a backup is restored, from", round(backup.at, 3))
        self.heard += [claim for claim in claims(self.store, self.world.lens) if claim.kind == "loser"]
        self._unlearn(backup.at)
        self.oracle.forget(blank=not any(isinstance(row, CursorRow) for row in backup.rows))
        self.store = Journal(self)
        self.store.load(backup)
        self._swept = backup.swept
        self._anew()

    def _quiet(self) -> None:
        self.tell("QUIET")
        for seconds in QUIET:
            self.clock.advance(seconds)
            self._cycle(sweep=self._is_due())
            if self.oracle.offences:
                return
        for _ in range(MORE):
            if self.clock.now() - self.cycle_began < CUT:
                break
            self.clock.advance(310.0)
            self._cycle(sweep=self._is_due())
        before = self._effort()
        for number in range(ECHOES):
            self.clock.advance(5.0)
            self._cycle(sweep=number == 0)
        after = self._effort()
        if before != after:
            self.oracle.offend("echo", (before, after), "writes or look-ups after everything was quiet")
        for words in open_work(self.store):
            self.oracle.offend("never left", "", words)
        said = [*claims(self.store, self.world.lens), *self.heard, *self.desk.claims()]
        self.oracle.judge(said)
        if self.kind.commands:
            self.desk.forgive(self.oracle.offences)
        if self.lasting is not None:
            self.lasting.forgive(self.oracle.offences, said)
        self._forgive()
        self._judged = True

    def _forgive(self) -> None:
        """Who changed first cannot be known after a restore, of what was carried since the backup: the loser is
        listed, and may be the newer word (docs/operations.md)."""
        if self.mishaps.fired.get("old_backup"):
            kept = [each for each in self.oracle.offences if each.kind != "stale overwrite"]
            self.counts["newer words lost by a restore"] += len(self.oracle.offences) - len(kept)
            self.oracle.offences = kept

    def _effort(self) -> tuple[int, int, int]:
        """What there is in the ledgers, and how often we wrote or looked something up besides reading the feeds."""
        wires = self.wires.values()
        return self.oracle.place, sum(wire.writes for wire in wires), sum(wire.looks for wire in wires)

    def _trace(self) -> str:
        text = repr((self.story, sorted(self.counts.items()))).encode()
        return hashlib.blake2b(
            text + as_json(claims(self.store, self.world.lens)), digest_size=16
        ).hexdigest()


def play(seed: int, profile: str = "default") -> Result:
    """Play one schedule."""
    return Schedule(seed, profile).run()
