"""The whole story on one machine: two fake vendors, a first sync, people who edit both sides, and a judge.

It decides the order of the scenes and what counts as the end. It syncs with the very functions of `renkei sync`; who
is right in the end is said by the vendors' own ledgers, not by the engine.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renkei.agreement import Agreement, compare
from renkei.drain import Total, drain, wait_until
from renkei.fakes import Fakes, place_secrets
from renkei.first import deliver_these, refused
from renkei.progress import Teller
from renkei.scaffold import write_project
from renkei.settings import Project, open_project
from renkei.syncing import Result, look_around, sync_route
from renkei.wire import Wired, build, look
from renkei.words import Words
from sync.cycle import Bounds, run_cycle
from sync.errors import Retryable
from sync.read import World
from sync.record import Side

ENV = "demo"
RATE = 10.0
# Answers get lost already while everybody is created: that is when doubles come into being.
FIRST_FAULTS = {"lost_after_commit": 0.1, "slow": 0.02}
MOST_QUIET = 20
_STATES = ("applied", "superseded", "pending", "planned", "failed", "waiting", "ignored")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How large and long the demo is; `seconds` of editing; `gap`: what the vendors' own gap may swallow."""

    persons: int = 2_000
    seconds: float = 20.0
    seed: int = 1
    keep: bool = False
    gap: float = 2.5


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    agreement: Agreement = field(default_factory=Agreement)
    verdict: dict[str, Any] = field(default_factory=dict)
    came_to_rest: bool = False
    left: dict[str, int] = field(default_factory=dict)

    @property
    def converged(self) -> int:
        """Persons whose records mean the same wherever they stand."""
        return self.agreement.persons - len(self.agreement.wrong)

    def offences(self, kind: str) -> int:
        """How many of one kind the ledgers show."""
        return int(self.verdict.get("counts", {}).get(kind, 0))

    @property
    def well(self) -> bool:
        """True if everything is as promised."""
        judged = bool(self.verdict.get("ok"))
        return judged and self.came_to_rest and not self.agreement.wrong and not any(self.left.values())

    @property
    def last_line(self) -> str:
        """The one line that scripts look for."""
        persons = self.agreement.persons
        word = "converged" if self.well else "NOT converged"
        return (
            f"{word}: {self.converged:,}/{persons:,} persons, {self.offences('duplicate')} duplicates, "
            f"{self.offences('lost edit')} lost edits"
        )


class Demo:
    """One run; every scene prints its lines through `say`."""

    def __init__(self, wishes: Wishes, words: Words, say: Callable[[str], None], teller: Teller) -> None:
        self.wishes, self.words, self.say, self.teller = wishes, words, say, teller
        self.began = time.monotonic()

    def run(self) -> Outcome:
        """Play everything. Raises Fatal."""
        wishes, stack = self.wishes, ExitStack()
        with stack:
            arguments = ("--persons", str(wishes.persons), "--seed", str(wishes.seed), "--role", "0")
            fakes = Fakes(*arguments, keep=wishes.keep)
            if not wishes.keep:
                stack.callback(fakes.stop)
            project = self._project(fakes, stack)
            self.say(self.words("demo.start", persons=f"{wishes.persons:,}"))
            self.say(self.words("demo.place", folder=project.folder))
            with build(project, progress=self.teller) as wired:
                (world,) = wired.worlds.values()
                began = world.clock.now()
                self._first(wired, world, fakes)
                self._edits(wired, world, fakes)
                outcome = self._quiet(wired, world, began)
                self._judge(wired, world, fakes, outcome)
            if wishes.keep:
                self._kept(project, fakes)
        return outcome

    def _project(self, fakes: Fakes, stack: ExitStack) -> Project:
        folder = Path(tempfile.mkdtemp(prefix="renkei-demo-"))
        if not self.wishes.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        write_project(folder, places=fakes.places)
        project = open_project(folder, ENV)
        place_secrets(project.secrets, fakes.places, fakes.systems)
        return project

    def _first(self, wired: Wired, world: World, fakes: Fakes) -> None:
        self.say(self.words("demo.first"))
        fakes.ask("faults", FIRST_FAULTS)
        result = sync_route(wired, world, self.teller, first=True)
        self._tell(result)

    def _tell(self, result: Result) -> None:
        total, words = result.total, self.words
        reads = " · ".join(f"{name} {number:,}" for name, number in total.read.items())
        writes = " · ".join(f"{name} {number:,}" for name, number in total.sent.items()) or "0"
        canary = (
            words("sync.canary", sent=result.canary.sent.total(), wrong=result.canary.wrong.total())
            if result.canary
            else ""
        )
        seconds = words("sync.seconds", seconds=f"{result.seconds:.1f}")
        for system, action in result.canary.alarms if result.canary else ():
            reasons = dict(result.canary.fields) | dict(result.canary.reasons) if result.canary else {}
            self.say(words("demo.alarm", system=system, action=action, reasons=reasons))
        self.say(f"   {words('sync.read')} {reads}   {words('sync.wrote')} {writes}   {canary}   {seconds}")

    def _edits(self, wired: Wired, world: World, fakes: Fakes) -> None:
        seconds = self.wishes.seconds
        self.say(self.words("demo.edits", seconds=f"{seconds:g}"))
        fakes.ask("faults", {"profile": "light"})
        fakes.ask(
            "edits/start", {"rate": RATE, "seconds": seconds, "collide_share": 0.2, "optout_share": 0.05}
        )
        end = world.clock.now() + seconds
        cycles = 0
        while world.clock.now() < end:
            cycles += _one_cycle(world, Bounds(trigger="demo"))
            wait_until(world, world.clock.now() + 0.2, wired.store.renew)
        fakes.ask("edits/stop", {})
        fakes.ask("faults", {"profile": "none"})
        told = fakes.ask("status")
        faults = sum(sum(fired.values()) for fired in told["faults_fired"].values())
        self.say(
            self.words(
                "demo.edited", cycles=cycles, edits=told["edits"], collisions=told["collisions"],
                opted_out=told["opted_out"], faults=faults,
            )
        )  # fmt: skip

    def _quiet(self, wired: Wired, world: World, began: float) -> Outcome:
        """Cycles with sweeps over the whole time, what was refused tried again, until two in a row write nothing."""
        self.say(self.words("demo.quiet"))
        outcome, written, still, cycles = Outcome(), 0, 0, 0
        lag = max(each.capabilities.visibility_lag for each in world.connectors.values())
        while cycles < MOST_QUIET and still < 2:
            wait_until(world, world.clock.now() + lag + 0.1, wired.store.renew)
            again = refused(wired.project, world.lens.rules.route)
            sent = (
                sum(deliver_these(world, again, "retry", wired.store.renew)[0].sent.values()) if again else 0
            )
            reach = world.clock.now() - began + lag
            total = drain(world, Bounds(sweep=reach, trigger="demo"), keep=wired.store.renew)
            cycles += total.cycles
            sent += sum(total.sent.values())
            written += sent
            still = 0 if sent or total.gave_up else still + 1
        outcome.came_to_rest = still >= 2
        self.say(
            self.words(
                "demo.quieted" if outcome.came_to_rest else "demo.never_quiet", cycles=cycles, written=written
            )
        )
        return outcome

    def _judge(self, wired: Wired, world: World, fakes: Fakes, outcome: Outcome) -> None:
        words = self.words
        self.say(words("demo.verdict"))
        result = Result(route=world.lens.rules.route, digest="", total=Total())
        look_around(wired, world, result)
        outcome.left = {**result.open, **result.holds, **result.in_flight}
        held, claims = _own_words(wired, world)
        outcome.agreement = compare(world.lens, fakes.ask("state"), held)
        outcome.verdict = fakes.ask("verdict", {"claims": claims, "gap_seconds": self.wishes.gap})
        agreement, counts = outcome.agreement, Counter(outcome.verdict["counts"])
        self.say(words("demo.pairs", pairs=f"{agreement.pairs:,}", alone=f"{agreement.alone:,}"))
        names = ("edits", "standing", "replaced", "losers", "in_gap")
        self.say(words("demo.tokens", **{name: counts[name] for name in names}))
        for offence in outcome.verdict["offences"][:20]:
            self.say(words("demo.offence", **offence))
        for who, fields in list(agreement.wrong.items())[:20]:
            self.say(words("demo.apart", who=who, fields=", ".join(fields)))
        left = " · ".join(f"{name} {number}" for name, number in outcome.left.items() if number)
        if left:
            self.say(words("demo.left", left=left))
        calls = " · ".join(
            f"{name} {sum(each.values()):,}" for name, each in fakes.ask("status")["calls"].items()
        )
        self.say(words("demo.calls", calls=calls, seconds=f"{time.monotonic() - self.began:.0f}"))

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


def _own_words(wired: Wired, world: World) -> tuple[frozenset[tuple[str, str]], list[dict[str, str]]]:
    """Which (record, field) wait for a person, and what the journal says became of values, for the judge."""
    from state.views import inbox

    route = world.lens.rules.route
    held: set[tuple[str, str]] = set()
    claims: dict[str, str] = {}
    with look(wired.project) as reader:
        for hold in inbox(reader, route=route, limit=1_000_000):
            held.update((record.ref.id, hold.field) for record in hold.records)
            for side in Side:
                if isinstance(hold.details, dict) and side.value in hold.details:
                    claims[str(hold.details[side.value])] = "held"
        for name, value in _losers_and_refused(reader, route):
            claims.setdefault(value, name)
    return frozenset(held), [{"token": token, "state": state} for token, state in claims.items()]


def _losers_and_refused(reader: Any, route: str) -> Iterator[tuple[str, str]]:
    from state.answers import Which
    from state.views import operations

    last = 0
    while page := operations(reader, Which(route=route, states=_STATES), after=last, limit=5_000):
        last = page[-1].id
        for each in page:
            for _name, _expected, desired, _source, _half, lost in each.work["fields"].values():
                if lost is not None:
                    yield "loser", str(lost)
                if each.state in ("failed", "ignored") and desired is not None:
                    yield "failed", str(desired)
