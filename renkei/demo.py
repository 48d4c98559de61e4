"""The whole story on one machine: two fake vendors, a first sync, people who work on both sides, and a judge.

It decides the order of the scenes and what counts as the end. It syncs with the very functions of `renkei sync`; who
is right in the end is said by the vendors' own ledgers, not by the engine.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renkei.demo_judge import judge
from renkei.demo_outcome import HAND_OVERS, RETURNS, UNDONE, Outcome
from renkei.demo_project import Story, read_story, write_story
from renkei.drain import drain, wait_until
from renkei.fakes import Fakes
from renkei.first import deliver_these, refused
from renkei.progress import Handed, Silent, Teller
from renkei.settings import Project
from renkei.syncing import Result, sync_route
from renkei.wire import Wired, build
from renkei.words import Words
from sync.cycle import Bounds, run_cycle
from sync.errors import Retryable
from sync.read import World

# Answers get lost already while everybody is created: that is when doubles come into being.
FIRST_FAULTS = {"lost_after_commit": 0.1, "slow": 0.02}
LONGEST_QUIET = 45.0  # seconds after everything should have come to what it comes to
SOON = 60.0  # what is due within this time belongs to the story


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How large and long the demo is; `seconds` of editing; `gap`: what the vendors' own gap may swallow."""

    persons: int = 2_000
    seconds: float = 20.0
    seed: int = 1
    keep: bool = False
    gap: float = 2.5


class Demo:
    """One run; every scene prints its lines through `say`, and the first sync shows its progress by `bars`."""

    def __init__(
        self,
        wishes: Wishes,
        words: Words,
        say: Callable[[str], None],
        bars: Callable[[], Teller] = Silent,
    ) -> None:
        self.wishes, self.words, self.say, self.bars = wishes, words, say, bars
        self.teller = Handed()
        self.story: Story = read_story()
        self.began = time.monotonic()

    def run(self) -> Outcome:
        """Play everything. Raises Fatal."""
        wishes, stack = self.wishes, ExitStack()
        with stack:
            fakes = Fakes(*self.story.arguments(wishes.persons, wishes.seed), keep=wishes.keep)
            if not wishes.keep:
                stack.callback(fakes.stop)
            market = fakes.ask("market")
            project = self._project(fakes, stack)
            self.say(self.words("demo.start", persons=f"{wishes.persons:,}", firms=len(market["firms"])))
            self.say(self.words("demo.place", folder=project.folder))
            with build(project, progress=self.teller) as wired:
                (clock,) = {world.clock for world in wired.worlds.values()}
                began = clock.now()
                self._first(wired, fakes)
                since = clock.now()
                lap = self._edits(wired, fakes)
                rest = self._quiet(wired, began, clock.now() + self.story.ripens(lap))
                question = self.story.question(since, lap, market["domains"])
                outcome = judge(wired, fakes, question, wishes.gap)
                outcome.came_to_rest = rest
            self._tell_outcome(outcome, fakes)
            if wishes.keep:
                self._kept(project, fakes)
        return outcome

    def _project(self, fakes: Fakes, stack: ExitStack) -> Project:
        folder = Path(tempfile.mkdtemp(prefix="renkei-demo-"))
        if not self.wishes.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return write_story(folder, self.story, fakes)

    # --- scenes ------------------------------------------------------------------------------------------

    def _first(self, wired: Wired, fakes: Fakes) -> None:
        self.say(self.words("demo.first"))
        fakes.ask("faults", FIRST_FAULTS)
        for world in wired.worlds.values():
            with self.bars() as self.teller.shown:
                result = sync_route(wired, world, self.teller, first=True)
            self.teller.shown = Silent()
            self._tell(result)

    def _tell(self, result: Result) -> None:
        total, words = result.total, self.words
        reads = " · ".join(f"{name} {number:,}" for name, number in total.read.items())
        writes = " · ".join(f"{name} {number:,}" for name, number in result.written.items())
        parts = [f"{result.route:<11}", words("sync.read"), reads]
        if writes:
            parts += [" ", words("sync.wrote"), writes]
        if result.canary:
            sent, wrong = result.canary.sent.total(), result.canary.wrong.total()
            parts += [" ", words("sync.canary", sent=sent, wrong=wrong)]
            reasons = dict(result.canary.fields) | dict(result.canary.reasons)
            for system, action in result.canary.alarms:
                self.say(words("demo.alarm", system=system, action=action, reasons=reasons))
        self.say("   " + " ".join([*parts, " ", words("sync.seconds", seconds=f"{result.seconds:.1f}")]))

    def _edits(self, wired: Wired, fakes: Fakes) -> float:
        """The longest lap, in seconds."""
        seconds, told = self.wishes.seconds, self.story.told
        self.say(self.words("demo.edits", seconds=f"{seconds:g}"))
        fakes.ask("faults", {"profile": "light"})
        fakes.ask("edits/start", {**told["edits"], "seconds": seconds})
        fakes.ask("deals/start", {**told["business"], "seconds": seconds})
        worlds = list(wired.worlds.values())
        clock = worlds[0].clock
        lap, cycles, began = 0.0, 0, clock.now()
        while (start := clock.now()) < began + seconds:
            cycles += sum(_one_cycle(world, Bounds(trigger="demo")) for world in worlds)
            wait_until(worlds[0], clock.now() + 0.2, wired.store.renew)
            lap = max(lap, clock.now() - start)
        fakes.ask("edits/stop", {})
        played = fakes.ask("deals/stop", {})
        fakes.ask("faults", {"profile": "none"})
        self._tell_edits(cycles, lap, fakes.ask("status"), played, began)
        return lap

    def _tell_edits(
        self, cycles: int, lap: float, told: dict[str, Any], played: dict[str, Any], since: float
    ) -> None:
        faults = sum(sum(fired.values()) for fired in told["faults_fired"].values())
        self.say(
            self.words(
                "demo.edited", cycles=cycles, edits=told["edits"], collisions=told["collisions"],
                opted_out=told["opted_out"], faults=faults, lap=f"{lap:.1f}",
            )
        )  # fmt: skip
        moves = Counter(each["what"] for each in played["log"] if each["time"] >= since)
        named = [f"{number} {self.words(f'move.{what}')}" for what, number in moves.most_common()]
        for start in range(0, len(named), 6):
            self.say(self.words("demo.played", moves=" · ".join(named[start : start + 6])))

    def _quiet(self, wired: Wired, began: float, ripe: float) -> bool:
        """Rounds with sweeps over the whole time, what was refused tried again, until nothing is due any more and two
        in a row write nothing; not before everything is `ripe` for the judge."""
        self.say(self.words("demo.quiet"))
        worlds = list(wired.worlds.values())
        clock = worlds[0].clock
        lag = max(each.capabilities.visibility_lag for each in wired.connectors.values())
        written = still = cycles = 0
        while clock.now() < ripe or (still < 2 and clock.now() < ripe + LONGEST_QUIET):
            wait_until(worlds[0], clock.now() + lag + 0.1, wired.store.renew)
            sent = due = 0
            for world in worlds:
                found, ran, wrote = _drained(wired, world, clock.now() - began + lag)
                sent, cycles, due = sent + wrote, cycles + ran, due + found
            written += sent
            still = 0 if sent or due else still + 1
        rest = still >= 2
        self.say(self.words("demo.quieted" if rest else "demo.never_quiet", cycles=cycles, written=written))
        return rest

    # --- the report --------------------------------------------------------------------------------------

    def _tell_outcome(self, outcome: Outcome, fakes: Fakes) -> None:
        words, say = self.words, self.say
        say(words("demo.verdict"))
        for line in self._lines(outcome):
            say(line)
        for offence in [*outcome.verdict["offences"][:20], *outcome.flows["offences"][:20]]:
            say(words("demo.offence", **offence))
        for agreement in (outcome.agreement, outcome.firms):
            for who, fields in list(agreement.wrong.items())[:20]:
                say(words("demo.apart", who=who, fields=", ".join(fields)))
        left = " · ".join(f"{name} {number}" for name, number in outcome.left.items() if number)
        if left:
            say(words("demo.left", left=left))
        spent = fakes.ask("status")["calls"]
        calls = " · ".join(f"{name} {sum(each.values()):,}" for name, each in spent.items())
        say(words("demo.calls", calls=calls, seconds=f"{time.monotonic() - self.began:.0f}"))

    def _lines(self, outcome: Outcome) -> list[str]:
        words, people, firms = self.words, outcome.agreement, outcome.firms
        counts = Counter(outcome.verdict["counts"])
        edits = {name: counts[name] for name in ("edits", "standing", "replaced", "losers", "in_gap")}
        handed = {name: outcome.offences(*kinds) for name, kinds in HAND_OVERS.items()}
        returned = {name: outcome.offences(*kinds) for name, kinds in RETURNS.items()}
        return [
            words(
                "demo.pairs", pairs=f"{people.pairs:,}", alone=f"{people.alone:,}",
                duplicates=outcome.offences("duplicate"), wrong=len(people.wrong),
            ),
            words("demo.tokens", **edits, held_back=counts["filtered"], lost=counts["lost edit"]),
            words(
                "demo.firms", pairs=f"{firms.pairs:,}", duplicates=outcome.offences("duplicate account"),
                wrong=len(firms.wrong),
            ),
            words(
                "demo.hand_overs", tasks=outcome.count("tasks"), due=outcome.count("hand-overs due"), **handed,
                notices=outcome.notices.told, twice=outcome.notices.twice,
            ),
            words(
                "demo.returns", returns=outcome.count("returns"), due=outcome.count("returns due"), **returned,
                reminders=outcome.count("reminders"), asked=outcome.asked,
            ),
            words(
                "demo.amounts", people=outcome.count("won totals"),
                differ=outcome.offences("won amount differs"),
            ),
            words("demo.opt_outs", undone=outcome.offences(*UNDONE)),
        ]  # fmt: skip

    def _kept(self, project: Project, fakes: Fakes) -> None:
        self.say(self.words("demo.kept"))
        beside = Path(sys.executable).with_name("renkei")
        program = str(beside) if beside.exists() else f"{sys.executable} -m renkei"
        for command in ("status", "inbox", "plan", "sync"):
            self.say(f"   {program} {command} --project {project.folder}")
        self.say("   " + self.words("demo.end", pid=fakes.places["pid"], folder=project.folder))


def _one_cycle(world: World, bounds: Bounds) -> int:
    """One cycle while the vendors fail; what can be tried again is tried again by the next one."""
    try:
        run_cycle(world, bounds)
    except Retryable as error:
        world.clock.sleep(min(error.after, 1.0))
        return 0
    return 1


def _drained(wired: Wired, world: World, reach: float) -> tuple[int, int, int]:
    """One route brought to rest: what is still due soon, how many cycles ran, how many writes left."""
    keep, route = wired.store.renew, world.lens.rules.route
    again = refused(wired.project, route)
    sent = sum(deliver_these(world, again, "retry", keep)[0].sent.values()) if again else 0
    total = drain(world, Bounds(sweep=reach, trigger="demo"), keep=keep)
    due = len(wired.store.wakes(route, world.clock.now() + SOON, 1)) + (total.gave_up is not None)
    return due, total.cycles, sent + sum(total.sent.values())
