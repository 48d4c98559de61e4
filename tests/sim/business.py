"""One schedule with business in it: scores cross a threshold, deals are lost, reopened and won, leads are sent back,
while calls fail and the process dies, also between a task, a list or a notice and its receipt.

It decides who does what when, from the seed; `python -m tests.sim.business --seed S --count N` plays schedules. Three
routes run over one journal in a file, and both vendors answer over HTTP. What is right is worked out by
`simulators.verdict_flows` from the two vendors' records alone.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from simulators.history import OPT_OUTS, History
from simulators.ledger import Entry
from simulators.players import Game, Players
from simulators.verdict import Offence
from simulators.verdict_flows import judge_flows
from simulators.verdict_scene import Flows
from simulators.world import Mix
from simulators.world_deals import Market
from tests.sim.ground import Inline
from tests.support.flow_town import FlowTown
from tests.support.flow_town_parts import FlowWindow
from tests.support.town_parts import ProcessDied

HOUR = 3_600.0
LAP = 900.0  # the longest time between two rounds while people are at work
WAIT, BLANK, DWELL = 4 * HOUR, 12 * HOUR, 6 * HOUR
DEALS: Mapping[str, float] = {
    "score": 5, "lose": 10, "reopen": 3, "win": 4, "correct": 1, "move": 2, "open": 2, "convert": 2, "role": 2,
    "unrole": 1, "own": 1, "reject": 3, "reason": 2, "delete": 0.3,
}  # fmt: skip
WEIGHTS: Mapping[str, float] = {
    "deals": 40, "score": 20, "opt_out": 1, "bounce": 0.5, "edit": 4, "hand": 1.5, "wait": 12, "round": 20,
}  # fmt: skip
FAULTS: Mapping[str, float] = {
    "rate_limited": 0.015, "server_error": 0.01, "dropped_before": 0.01, "lost_after_commit": 0.02,
    "half_answer": 0.01, "row_refused": 0.01, "late_visibility": 0.2, "equal_stamps": 0.2,
}  # fmt: skip
THINGS = ("Task", "ListMember", "Notice")
TEXTS: Mapping[str, Mapping[str, str]] = {
    "deal.yaml": {"  wait: 24h                           #": "  wait: 4h                            #",
                  "after: 7d, then:": "after: 12h, then:"},
    "person-flows.yaml": {"  never: [bounced, competitor, own_staff, erased]\n":
                          "  never: [opted_out, bounced, competitor, own_staff, erased]\n"},
    "thresholds.yaml": {"dwell: 24h": "dwell: 6h"},
}  # fmt: skip
RATES = "currency,from,rate\nUSD,2000-01-01,150.25\n"
ASKED: Mapping[str, object] = {
    "slack": 2_700.0, "patience": 5_400.0, "dwell": DWELL, "wait": WAIT, "blank_after": BLANK,
    "blank_list": "N-01 時期", "roles": frozenset({"Decision Maker", "Evaluator", "Business User"}),
    "routes": {"Timing": "N-01 時期", "Budget": "N-02 予算", "Competitor": "N-04 乗換", "Price": "N-03 価値",
               "Bad fit": None},
    "customer_types": (), "won_is_customer": True, "opt_outs": OPT_OUTS, "rejected": frozenset({"Rejected"}),
    "reject_routes": {"Timing": "N-01 時期", "No budget": "N-02 予算", "Not reachable": "N-05 未対応"},
    "unworked_list": "N-05 未対応", "raise_field": "demoRequest", "rates": {"USD": Decimal("150.25")},
}  # fmt: skip


class Played(NamedTuple):
    """What a schedule came to; `trace` names everything that was written and told."""

    seed: int
    offences: Sequence[Offence]
    counts: Counter[str]
    story: Sequence[str]
    trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How wild a schedule is: how many people and steps, whether calls fail, how often the process dies, and which
    share of these deaths comes between a thing and its receipt."""

    persons: tuple[int, int] = (8, 14)
    steps: tuple[int, int] = (30, 70)
    faults: Mapping[str, float] | None = None
    crashes: float = 0.15
    receipts: float = 0.5


class Business:
    """Everything that one seed decides."""

    def __init__(self, seed: int, folder: Path, wishes: Wishes) -> None:
        self.seed, self.rng, self.wishes = seed, random.Random(f"{seed} business"), wishes
        self.counts: Counter[str] = Counter()
        self.story: list[str] = []
        self.offences: list[Offence] = []
        mix = Mix(role=0.0, contacts=0.5, spoilt=0.0, opted_out=0.1)
        persons, deals = self.rng.randint(*wishes.persons), self.rng.randint(4, 8)
        self.market = Market(seed, persons, 0.8, mix, deals=deals, count=self.rng.randint(3, 5))
        self.town = town = FlowTown(folder, self._texts(), RATES)
        town.world = replace(town.world, executor=Inline())
        town.worlds = town._build()
        self.market.project_marketo(town.marketo)
        self.market.project_salesforce(town.salesforce)
        locks = (town.marketo_api.lock, town.salesforce_api.lock)
        self.players = Players(self.market, (town.marketo, town.salesforce), locks, town.clock, self.rng)
        self._acts: dict[str, Callable[[], None]] = {
            "deals": self._deal, "opt_out": self._opt_out, "bounce": self._bounce, "edit": self._edit,
            "hand": self._hand, "score": self._score, "wait": self._wait, "round": self._round,
        }  # fmt: skip

    def _texts(self) -> Mapping[str, Mapping[str, str]]:
        """What the presets are changed to: shorter times, and the domains of this world."""
        found = self.market.domains()
        domains = {
            "competitor: [rival.example.co.jp]": f"competitor: [{', '.join(found['competitor'])}]",
            "own_staff: [ourcompany.example.co.jp]": f"own_staff: [{', '.join(found['own_staff'])}]",
        }
        return {**TEXTS, "thresholds.yaml": {**TEXTS["thresholds.yaml"], **domains}}

    # --- the schedule ------------------------------------------------------------------------------------

    def play(self) -> Played:
        """Play it to the end and judge it."""
        town = self.town
        town.wait(HOUR)
        town.begin()
        since = town.clock.now()
        for faults in town.faults.values():
            faults.use(self.wishes.faults or {})
        self._at = since
        for _ in range(self.rng.randint(*self.wishes.steps)):
            self._acts[self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]]()
            if town.clock.now() - self._at > LAP / 2:
                self._round()
        self._come_to_rest()
        self._judge(since)
        fired = Counter[str]()
        for faults in town.faults.values():
            fired.update({f"fault {kind}": count for kind, count in faults.fired.items()})
        return Played(self.seed, self.offences, self.counts + fired, self.story, self._trace())

    def _tell(self, *words: object) -> None:
        self.story.append(" ".join(str(word) for word in (round(self.town.clock.now(), 1), *words)))

    def _round(self) -> None:
        """The daemon's round: cycles of all routes until they have read all; now and then the process dies in it."""
        town = self.town
        if self.rng.random() < self.wishes.crashes:
            self._prepare_the_end()
        for _ in range(4):
            self.counts["rounds"] += 1
            try:
                more = town.tick()
            except ProcessDied:
                self.counts["crashes"] += 1
                self._tell("CRASH")
                self._live_on()
                town.wait()
                town.restart()
                more = True
            if not more:
                break
        self._live_on()
        self._at = town.clock.now()

    def _prepare_the_end(self) -> None:
        """The process will die at some transaction, or between a thing and its receipt."""
        if self.rng.random() >= self.wishes.receipts:
            self.town.store.fuse = (self.rng.randint(1, 60), self.rng.choice(("before", "after")))
            return
        thing = self.rng.choice(THINGS)
        for window in self.town.windows.values():
            assert isinstance(window, FlowWindow)
            window.after.append((thing, self._unplug(thing)))

    def _unplug(self, thing: str) -> Callable[[], object]:
        def die() -> None:
            self.counts[f"crashes after a {thing}"] += 1
            self.town.unplug()

        return die

    def _live_on(self) -> None:
        """What was to end the process and has not is called off."""
        self.town.store.fuse = None
        for window in self.town.windows.values():
            assert isinstance(window, FlowWindow)
            window.after.clear()

    def _come_to_rest(self) -> None:
        """Nobody does anything any more, nothing fails, and everything that is due falls due."""
        self._tell("QUIET")
        for faults in self.town.faults.values():
            faults.quiet()
        self.wishes = replace(self.wishes, crashes=0.0)
        for _ in range(int((WAIT + BLANK + float(str(ASKED["patience"]))) // HOUR) + 2):
            self.town.wait(HOUR)
            self._round()
        self.town.wait(26 * HOUR)  # whatever the vendor refused is tried again
        self._round()
        self.town.rest()

    # --- people ------------------------------------------------------------------------------------------

    def _deal(self) -> None:
        made = self.players.step(Game(weights=DEALS))
        self.town.clock.sleep(self.rng.uniform(1.0, 120.0))
        if made is not None:
            self.counts[f"act {made.what}"] += 1
            self._tell("human", made.what, made.record, made.reason or "", made.people)

    def _lead(self) -> int | None:
        found = [
            where.marketo for where in self.market.truth.values() if where.marketo in self.town.marketo.leads
        ]
        return self.rng.choice(found) if found else None

    def _type(self, what: str, **values: object) -> None:
        lead = self._lead()
        if lead is not None:
            self.counts[f"act {what}"] += 1
            self._tell("human", what, lead)
            with self.town.marketo_api.lock:
                self.town.marketo.human_edit(lead, values)  # type: ignore[arg-type]

    def _opt_out(self) -> None:
        self._type("opt-out", **{self.rng.choice(OPT_OUTS).marketo: True})

    def _bounce(self) -> None:
        self._type("bounce", emailInvalid=True)

    def _edit(self) -> None:
        self._type("edit", title=f"T{self.rng.randrange(10_000)}")

    def _hand(self) -> None:
        self._type("hand", demoRequest=True)

    def _score(self) -> None:
        """A score that falls or rises far enough to cross the threshold most often."""
        lead = self._lead()
        if lead is not None:
            with self.town.marketo_api.lock:
                low = float(str(self.town.marketo.leads[lead].values.get("leadScore") or 0)) < 65
                score = self.town.marketo.human_score(
                    lead, self.rng.choice((20, 60, 90) if low else (-90, -30, 10))
                )
            self.counts["act big score"] += 1
            self._tell("human", "score", lead, score)

    def _wait(self) -> None:
        for _ in range(self.rng.choice((1, 2, 6, 20))):
            self.town.wait(self.rng.uniform(0.5, 1.0) * LAP / 2)
            self._round()

    # --- the end -----------------------------------------------------------------------------------------

    def _history(self) -> History:
        market, town = self.market, self.town
        people = {("salesforce", record): person for record, person in market.former.items()}
        for person, where in market.truth.items():
            people |= {("marketo", str(where.marketo)): person} if where.marketo is not None else {}
            people |= {("salesforce", where.salesforce): person} if where.salesforce is not None else {}
        ledgers: dict[str, list[Entry]] = {
            "marketo": town.marketo.ledger,
            "salesforce": town.salesforce.ledger,
        }
        return History(
            edits=(), ledgers=ledgers, live={"marketo": {}, "salesforce": {}}, people=people,  # type: ignore[arg-type]
            mailboxes={person.email: person.number for person in market.persons},
        )  # fmt: skip

    def _judge(self, since: float) -> None:
        """Hand-overs, returns, won amounts, opt-outs; and nobody is told twice."""
        town = self.town
        lists = {name: list(changes) for name, changes in town.marketo.lists.items()}
        slack = float(str(ASKED["slack"]))
        asked = Flows(**{**ASKED, **self.market.domains(), "since": since - slack})  # type: ignore[arg-type]
        verdict = judge_flows(self._history(), lists, asked, town.clock.now())
        self.counts.update(verdict.counts)
        self.offences += verdict.offences
        self._judge_notices()
        if town.in_doubt:
            self.offences.append(Offence("never settled", "", f"{town.in_doubt} batches are in doubt"))
        waits = Counter(kind for _entity, kind in town.waiting())
        self.counts.update({f"in the inbox: {kind}": count for kind, count in waits.items()})

    def _judge_notices(self) -> None:
        """A notice goes out with a task, at most once: of nobody there are more notices than tasks."""
        told = Counter(str(each["subject"]) for each in self.town.notices.messages)
        ledger = self.town.salesforce.ledger
        made = [
            each for each in ledger if each.object == "Task" and each.verb == "create" and each.actor == "api"
        ]
        tasks = Counter(str(each.changes["Subject"][1]) for each in made)
        self.counts["notices"] += told.total()
        self.offences += [
            Offence("told twice", "a notice", f"{count} notices go with {tasks[subject]} tasks")
            for subject, count in told.items()
            if count > tasks[subject]
        ]

    def _trace(self) -> str:
        """What happened at either vendor, in one line and without times: the clock counts every look at it, and the
        vendors' threads look now and then."""
        ledgers = (self.town.marketo.ledger, self.town.salesforce.ledger)
        acts = [
            (each.actor, each.verb, each.object, each.id, sorted(each.changes))
            for one in ledgers
            for each in one
        ]
        told = [line.partition(" ")[2] for line in self.story]
        return hashlib.blake2b(repr((acts, told)).encode(), digest_size=16).hexdigest()


WISHES: Mapping[str, Wishes] = {
    "calm": Wishes(crashes=0.0),
    "faulty": Wishes(faults=FAULTS, crashes=0.0),
    "crashing": Wishes(crashes=0.3),
    "receipts": Wishes(crashes=0.8, receipts=1.0),
    "deals": Wishes(faults=FAULTS),
}


def play(seed: int, profile: str = "deals") -> Played:
    """Play one schedule of business."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _closing(Business(seed, Path(folder), WISHES[profile])) as business,
    ):
        return business.play()


class _closing:  # noqa: N801 - as contextlib names its own
    """The business, whose town is closed at the end."""

    def __init__(self, business: Business) -> None:
        self.business = business

    def __enter__(self) -> Business:
        return self.business

    def __exit__(self, *_: object) -> None:
        self.business.town.close()


def tell(played: Played, profile: str) -> str:
    """A failed schedule for a reader."""
    lines = [f"python -m tests.sim.business --seed {played.seed} --profile {profile}", *played.story]
    return "\n".join(
        [*lines, *(f"OFFENCE {each.kind}: {each.subject}: {each.reason}" for each in played.offences)]
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="renkei-sim-business")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--profile", choices=sorted(WISHES), default="deals")
    parser.add_argument("--story", action="store_true")
    given = parser.parse_args()
    began, counts, bad = time.process_time(), Counter[str](), 0
    for seed in range(given.seed, given.seed + given.count):
        played = play(seed, given.profile)
        counts += played.counts
        bad += bool(played.offences)
        if played.offences or given.story:
            sys.stdout.write((tell(played, given.profile) if given.story else "") + "\n")
        for each in played.offences:
            sys.stdout.write(
                f"FAILED --seed {seed} --profile {given.profile}   {each.kind}: {each.subject}: {each.reason}\n"
            )
    seconds = time.process_time() - began
    sys.stdout.write(f"{given.count} schedules of business in {seconds:.1f} CPU s, {bad} failed\n")
    sys.stdout.write("".join(f"  {name}: {count}\n" for name, count in sorted(counts.items())))
    weights = ", ".join(f"{name} {weight:g}" for name, weight in {**WEIGHTS, **DEALS}.items())
    sys.stdout.write(f"people's weights: {weights}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
