"""Where a schedule plays: both vendors, the lines to them, people, faults, the clocks and the oracle under one random
source; and what the lines and the journal stand on, which tell it what they do and ask it what befalls them.

It runs no cycle and judges nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence

from simulators.marketo.fields import Value
from simulators.marketo.state import MarketoState
from simulators.salesforce.state import SalesforceState
from tests.sim.adapter import Marketo, Salesforce
from tests.sim.clock import HostClock, SimClock
from tests.sim.commands import Desk
from tests.sim.coverage import Coverage
from tests.sim.faults import Strikes
from tests.sim.journal import Backup, Journal
from tests.sim.liveness import Lasting
from tests.sim.office import Office, Permitted
from tests.sim.oracle import MA, OTHER_ID, SFA, Oracle, Sent
from tests.sim.profiles import PROFILES
from tests.sim.restless import Restless
from tests.sim.tally import Tally
from tests.sim.vocabulary import Claim
from tests.sim.wire import SERVER_TIMEOUT, VISIBILITY_LAG, Crash, Sending, Wire


class Instance(MarketoState):
    """A marketing instance whose field for the other side's ids no rule of its own alters."""

    def alter(self, name: str, value: Value) -> Value:
        """Give a written value the way the vendor stores it."""
        return value if name == OTHER_ID[MA] else super().alter(name, value)


class Setting:
    """Everything that one seed decides before anything happens, and what may happen at every point after it."""

    def __init__(self, seed: int, profile: str = "default", rng: random.Random | None = None) -> None:
        self.seed, self.profile = seed, profile
        self.rng = rng = rng or random.Random(seed)
        self.kind = kind = PROFILES[profile]
        self.latency, self.unseen = kind.latency, kind.unseen
        self.clock = SimClock()
        self.shown: dict[tuple[str, str], float] = {}
        self.read: dict[tuple[str, str], float] = {}
        self.oracle = Oracle(self.shown, self.read)
        self.tally = Tally()
        self.story: list[tuple[object, ...]] = []
        self.counts: Counter[str] = Counter()
        self.faults = {side: Strikes(rng) for side in (MA, SFA)}
        self.mishaps = Strikes(rng)
        self.host = HostClock(self.clock)
        self.coverage = Coverage(self.host.now, SERVER_TIMEOUT)
        self.ma = Instance(self.clock, rng, self.faults[MA], visibility_lag=VISIBILITY_LAG)
        self.sfa = SalesforceState(self.clock, rng, self.faults[SFA], visibility_lag=VISIBILITY_LAG)
        weights = dict(kind.weights)
        self.people = Restless(rng, self.clock, self.ma, self.sfa, self.oracle, self.tell, weights)
        self.people.late = kind.late
        self.office = Office(kind.mappings[0])
        self.people.employ(self.office, kind.mappings)
        self.desk = Desk(rng, self.oracle, self.tell)
        self.lasting: Lasting | None = None
        self.store = Journal(self)
        page = rng.choice((2, 3, 5, 50))
        keyed = rng.random() < 0.7
        if not keyed:
            for name in ("Lead", "Contact"):
                self.sfa.alter_field(name, OTHER_ID[SFA], unique=False)
        self.wires = self._wires(page, keyed)
        self.cycle_began = self.clock.now()
        self._seen = {MA: 0, SFA: 0}
        self._swept = self.sweep_began = self.clock.now()
        self._mid = rng.choice((0.0, kind.mid / 4, kind.mid, kind.mid))
        self._crashes = rng.choices(range(len(kind.crashes)), kind.crashes)[0]
        self._alive = True
        self._agitated = False
        self._judged = False
        self._agreed = False
        self.backup: Backup | None = None
        self.heard: list[Claim] = []

    def _wires(self, page: int, keyed: bool) -> dict[str, Wire]:
        """Both lines; `keyed`: the field for the other side's ids is unique."""
        keys = dict.fromkeys(("Lead", "Contact"), frozenset({OTHER_ID[SFA]}))
        return {
            MA: Wire(
                MA, Permitted(MA, Marketo(self.ma, page), self.office), self, self.faults[MA], page, hides=True,
                find_paths={"Lead": frozenset({"email", OTHER_ID[MA]})},
            ),
            SFA: Wire(
                SFA, Permitted(SFA, Salesforce(self.sfa, page), self.office), self, self.faults[SFA], page, hides=False,
                tells=self.rng.random() < self.kind.tells, feed_versions=True, tells_author=True,
                unique_keys=keys if keyed else {}, find_paths={name: {"Email"} | key for name, key in keys.items()},
            ),
        }  # fmt: skip

    # --- the ground that wires and the journal stand on ------------------------------------------------

    def tell(self, *words: object) -> None:
        """A line of the story."""
        self.story.append((round(self.clock.now(), 3), *words))

    def entries(self) -> int:
        """How many ledger entries there are by now."""
        return self.oracle.place

    def observe(self, sending: Sending | None = None) -> None:
        """Show the oracle what the vendors have written down since the last time."""
        sent = (
            Sent(sending.number, sending.cycle, sending.sweep, sending.looked, sending.sent)
            if sending is not None
            else None
        )
        for side, ledger in ((MA, self.ma.ledger), (SFA, self.sfa.ledger)):
            for entry in ledger[self._seen[side] :]:
                if entry.actor == "api":
                    self.tell("writes", side, entry.verb, entry.id, dict(entry.changes))
                hidden = self.sfa.tables[entry.object].hidden if side == SFA else {}
                until, _ = hidden.get(entry.id, (entry.time + VISIBILITY_LAG, None))
                self.oracle.see(side, entry, sent, until)
                self.tally.see(side, entry, until)
            self._seen[side] = len(ledger)
        if self.kind.commands:
            self.desk.forgive(self.oracle.offences)

    def swallowed(self, side: str, id_: str, path: str, value: object) -> None:
        """A vendor said that it took a value, and did not."""
        self.oracle.swallow(side, id_, path, value, self.clock.now())

    def stored(self, side: str, id_: str, path: str) -> None:
        """A vendor took a value, which may have stood there already."""
        self.oracle.note_stored((side, id_), path, self.clock.now())

    def answered(self, side: str, ids: Collection[str], left: float) -> None:
        """An answer says of these records that they were written, by a request that left then."""
        self.oracle.answered(side, ids, left, self.clock.now())

    def looked(self, side: str, ids: Collection[str]) -> None:
        """These records were read by id or by key."""
        self.oracle.looked(side, ids, self.clock.now())

    def point(self, *label: str) -> None:
        """Something may happen here: a person acts, the process crashes."""
        if not self._alive:
            raise Crash
        if not self._agitated:
            return
        if self.dies(*label):
            raise Crash
        if self._mid and self.rng.random() < self._mid:
            self._somebody()
            self.counts["acts in mid-cycle"] += 1

    def put_off(self) -> None:
        """The calls of the day are used up: a sweep in this cycle is not made, what it would have shown not known."""
        self.sweep_began = self._swept

    def withhold(self, side: str, id_: str) -> None:
        """A read by id leaves a record out."""
        self.counts["withheld"] += 1
        self.tally.withheld(side, self.clock.now())
        self.tell("withheld", side, id_)

    def meddle(self, side: str, ids: Sequence[str]) -> None:
        """Another program edits one of these records."""
        rows = [row for row in self.oracle.live(side) if row.id in ids]
        if rows:
            self.people._edit(self.rng.choice(rows))
            self.observe()

    def touch(self, side: str, ids: Sequence[str]) -> None:
        """Something at the vendor gives these records a newer stamp, or some record where none is named."""
        rows = [row for row in self.oracle.live(side) if not ids or row.id in ids]
        for row in rows if ids else self.rng.sample(rows, min(len(rows), 1)):
            if side == SFA:
                self.sfa.system_touch(row.object, row.id)
                self.sfa._latest = (0.0, "")  # what follows has a stamp of its own: none goes back
            else:
                self.ma.human_edit(int(row.id), {"country": f"C{self.oracle.place}"})
        self.observe()

    def offend(self, kind: str, subject: object, reason: str) -> None:
        """Write an offence down that no ledger tells."""
        self.oracle.offend(kind, subject, reason)

    def dies(self, *label: str) -> bool:
        """Whether the process crashes at this very instruction."""
        if not (self._agitated and self._crashes and self.rng.random() < 0.01):
            return False
        self._crashes -= 1
        self.counts["crashes"] += 1
        self.tell("CRASH", *label)
        self._alive = False
        return True

    def _somebody(self) -> None:
        self.clock.advance(self.rng.choice((0.0, 0.001, 0.05, 0.4)))
        self.people.act()
        self.observe()
