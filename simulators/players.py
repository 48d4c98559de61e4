"""People who do business in both vendors' screens: scores rise and fall, deals are lost, reopened, won and corrected.

Decides who does what next, from a seed; what was done is written into the world's log. Knows both states and their
locks, no HTTP and no sync.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulators.clock import Clock
from simulators.http import Lock
from simulators.marketo.state import MarketoState
from simulators.salesforce.family import ROLE
from simulators.salesforce.schema import REJECT_REASONS
from simulators.salesforce.state import SalesforceState
from simulators.world_deals import OPEN_STAGES, REASONS, Happening, Market, part_of

WEIGHTS: Mapping[str, float] = {
    "score": 8, "lose": 4, "reopen": 2, "win": 3, "correct": 1, "move": 3, "open": 3, "convert": 1, "role": 1,
    "unrole": 0.5, "own": 1, "delete": 0.3, "reject": 1, "reason": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """Moves per second for so many seconds; `weights` by kind of move, those not named are not made."""

    rate: float = 5.0
    seconds: float = 60.0
    weights: Mapping[str, float] | None = None


class Players:
    """The people; every move made is in `world.log`."""

    def __init__(
        self, world: Market, states: tuple[MarketoState, SalesforceState], locks: tuple[Lock, Lock], clock: Clock,
        rng: random.Random,
    ) -> None:  # fmt: skip
        self.world, self._clock, self._rng = world, clock, rng
        self._ma, self._sfa = states
        self._ma_lock, self._sfa_lock = locks
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.error: Exception | None = None

    @property
    def running(self) -> bool:
        """Whether somebody is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, game: Game) -> None:
        """Begin in the background; ValueError when it goes on already."""
        if self.running:
            raise ValueError("the players are at it already; stop them first")
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(game,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait for the last move."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _run(self, game: Game) -> None:
        try:
            began, done = self._clock.now(), 0
            while not self._stop.is_set() and self._clock.now() < began + game.seconds:
                self.step(game)
                done += 1
                self._stop.wait(max(0.0, began + done / game.rate - self._clock.now()))
        except Exception as error:  # noqa: BLE001 - shown by the control endpoint instead of dying unseen
            self.error = error

    def step(self, game: Game) -> Happening | None:
        """Make one move; None when there was nothing to make it with."""
        weights = WEIGHTS if game.weights is None else game.weights
        what = self._rng.choices(list(weights), list(weights.values()))[0]
        move: Callable[[], Happening | None] = getattr(self, f"_{what}")
        with self._ma_lock if what == "score" else self._sfa_lock:
            made = move()
        if made is not None:
            self.world.log.append(made)
        return made

    def _tell(
        self, what: str, record: str, reason: str | None = None, people: Sequence[int] = ()
    ) -> Happening:
        return Happening(self._clock.now(), what, record, reason, tuple(people))

    def _any(self, object_name: str, test: Callable[[Mapping[str, Any]], bool]) -> str | None:
        """Pick a live record that fits, by a few tries."""
        rows = self._sfa.tables[object_name].rows
        keys = list(rows)
        for _ in range(30 if keys else 0):
            row = rows[self._rng.choice(keys)]
            if not row["IsDeleted"] and test(row):
                return str(row["Id"])
        return None

    def _deal(self, *, closed: bool | None = None, won: bool | None = None) -> str | None:
        return self._any(
            "Opportunity",
            lambda row: (
                (closed is None or row["IsClosed"] == closed) and (won is None or row["IsWon"] == won)
            ),
        )

    def _score(self) -> Happening | None:
        person = self._rng.choice(self.world.persons).number
        lead = self.world.truth[person].marketo
        if lead is None or lead not in self._ma.leads:
            return None
        score = self._ma.human_score(lead, self._rng.choice((5, 15, 30, 45, -10, -25, -45)))
        return self._tell("score", str(lead), str(score), (person,))

    def _lose(self) -> Happening | None:
        deal = self._deal(closed=False)
        reason = self._rng.choice((*REASONS, "Other"))
        return None if deal is None else self._tell("lose", self._sfa.human_lose(deal, reason), reason)

    def _reopen(self) -> Happening | None:
        deal = self._deal(closed=True)
        return None if deal is None else self._tell("reopen", self._sfa.human_reopen(deal))

    def _win(self) -> Happening | None:
        deal = self._deal(closed=False)
        return (
            None
            if deal is None
            else self._tell("win", self._sfa.human_win(deal, self._rng.randrange(1, 90) * 10_000))
        )

    def _correct(self) -> Happening | None:
        deal = self._deal(closed=True)
        if deal is None:
            return None
        if self._sfa.tables["Opportunity"].rows[deal]["IsWon"]:
            return self._tell("won to lost", self._sfa.human_lose(deal, "Timing"), "Timing")
        return self._tell("lost to won", self._sfa.human_win(deal))

    def _reason(self) -> Happening | None:
        deal = self._deal(closed=True, won=False)
        reason = self._rng.choice(REASONS)
        changes = {"Loss_Reason__c": reason}
        return (
            None
            if deal is None
            else self._tell("reason", self._sfa.human_edit("Opportunity", deal, changes), reason)
        )

    def _move(self) -> Happening | None:
        deal, stage = self._deal(closed=False), self._rng.choice(OPEN_STAGES)
        return None if deal is None else self._tell("move", self._sfa.human_move(deal, stage), stage)

    def _open(self) -> Happening | None:
        people = self._rng.sample(self.world.persons, min(3, len(self.world.persons)))
        parts = {person.number: part_of(self.world, person.number) for person in people}
        alive = self._sfa.tables["Contact"].rows
        known = {n: p for n, p in parts.items() if p is not None and not alive[p.contact]["IsDeleted"]}
        if not known:
            return None
        first = next(iter(known))
        home = alive[known[first].contact]["AccountId"]
        roles = [part._replace(role="Evaluator", primary=number == first) for number, part in known.items()]
        deal = self._sfa.human_open_deal("New business", account=home, people=roles, Amount=500_000)
        return self._tell("open", deal, None, list(known))

    def _convert(self) -> Happening | None:
        person = self._rng.choice(self.world.persons).number
        lead = self.world.truth[person].salesforce
        row = self._sfa.tables["Lead"].rows.get(lead or "")
        if lead is None or row is None or row["IsDeleted"] or row["IsConverted"]:
            return None
        role = self._rng.choice(("primary", "plain", "none"))
        contact = self._sfa.human_convert(lead, deal="From a lead", role=role)  # type: ignore[arg-type]
        self.world.former[lead], self.world.truth[person].salesforce = person, contact
        return self._tell("convert", lead, role, (person,))

    def _role(self) -> Happening | None:
        deal = self._deal(closed=False)
        contact = self._any("Contact", lambda row: row["AccountId"] is not None)
        if deal is None or contact is None:
            return None
        return self._tell("role", self._sfa.human_role(deal, contact, "Influencer"))

    def _unrole(self) -> Happening | None:
        role = self._any(ROLE, lambda _: True)
        return None if role is None else self._tell("unrole", self._sfa.human_unrole(role))

    def _own(self) -> Happening | None:
        deal, owner = self._deal(), self._any("User", lambda row: bool(row["IsActive"]))
        if deal is None or owner is None:
            return None
        return self._tell("own", self._sfa.human_own("Opportunity", deal, owner))

    def _delete(self) -> Happening | None:
        deal = self._deal()
        return None if deal is None else self._tell("delete", self._sfa.human_delete("Opportunity", deal))

    def _reject(self) -> Happening | None:
        lead = self._any("Lead", lambda row: not row["IsConverted"] and row["Status"].startswith("Open"))
        reason = self._rng.choice((*REJECT_REASONS, None))
        return None if lead is None else self._tell("reject", self._sfa.human_reject(lead, reason), reason)
