"""Random people at both vendors' screens: they create, edit, merge, delete, convert and opt out.

Decides who does what; every text typed is a token of its own. They pick records from what the vendors have
written down, those that the engine made included. Knows nothing of the engine.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from simulators.marketo.state import MarketoState
from simulators.salesforce.state import SalesforceState
from tests.sim.clock import SimClock
from tests.sim.oracle import Oracle
from tests.sim.vocabulary import ARROWS, MA, SCORE, SFA, TOPICS, TWO_WAY, Row

Act = Callable[[], None]
TEXTS = ("last_name", "first_name", "company", "phone", "title")
WEIGHTS: dict[str, float] = {
    "edit": 50, "collide": 12, "create": 8, "twin": 2, "mail": 6, "opt_out": 5, "opt_in": 1, "score": 6,
    "merge": 2, "delete": 1.5, "restore": 1, "convert": 3, "both_mail": 1, "arrow": 5,
}  # fmt: skip


class People:
    """Everybody who may type; `weights` say what they like to do."""

    def __init__(
        self,
        rng: random.Random,
        clock: SimClock,
        marketo: MarketoState,
        salesforce: SalesforceState,
        oracle: Oracle,
        tell: Callable[..., None],
        weights: dict[str, float],
    ) -> None:
        self.rng, self.clock, self.ma, self.sfa, self.oracle = rng, clock, marketo, salesforce, oracle
        self.tell = tell
        self.mails: dict[int, list[str]] = {}
        self.done: Counter[str] = Counter()
        self.late = 0.0
        self._tokens = 0
        self._kinds = [kind for kind, weight in weights.items() if weight > 0]
        self._weights = [weights[kind] for kind in self._kinds]
        self._acts: dict[str, Act] = {
            "edit": self._edit, "collide": self._collide, "create": self._create, "twin": self._twin,
            "mail": self._mail, "opt_out": self._opt_out, "opt_in": self._opt_in, "score": self._score,
            "merge": self._merge, "delete": self._delete, "restore": self._restore,
            "convert": self._convert, "both_mail": self._both_mail, "arrow": self._arrow,
        }  # fmt: skip

    def act(self) -> None:
        """Somebody does something; most often it is an edit."""
        kind = self.rng.choices(self._kinds, self._weights)[0]
        self._acts[kind]()

    def settle(self, persons: int, both: float) -> None:
        """The people as they stand before the engine has ever run: on one side or, in part, on both."""
        for person in range(1, persons + 1):
            sides = [MA, SFA] if self.rng.random() < both else [self.rng.choice((MA, SFA))]
            for side in sides:
                self.enter(side, person)

    # --- typing ----------------------------------------------------------------------------------------

    def _token(self, person: int) -> str:
        self._tokens += 1
        self.done["edits"] += 1
        return f"T{self._tokens}P{person}"

    def enter(self, side: str, person: int, *, fresh: bool = False, object_: str = "Lead") -> None:
        """A person is entered on a side."""
        mails = self.mails.setdefault(person, [])
        if fresh or not mails:
            mails.append(f"{self._token(person).lower()}@mail.example")
        values: dict[str, object] = {TWO_WAY["email"][side]: mails[-1]}
        for field in TEXTS:
            if field in {"last_name", "company"} or self.rng.random() < 0.6:
                values[TWO_WAY[field][side]] = self._token(person)
        if side == MA and self.rng.random() < 0.5:
            values["leadScore"] = self.rng.randrange(100)
        if self.rng.random() < 0.3:
            values[self.rng.choice(list(ARROWS.values()))[1][side]] = self._grade()
        if self.rng.random() < 0.05:
            values[TOPICS["all"][side]] = True
        if object_ != "Lead":
            del values[TWO_WAY["company"][side]]  # a contact's firm is a record of its own
        self._type(side, None, person, values, object_)

    def _type(
        self, side: str, row: Row | None, person: int, values: dict[str, object], object_: str = "Lead"
    ) -> None:
        """Write values at a vendor's screen: into a record, or as a new one."""
        self.tell("human", side, row.id if row else "new", values)
        if side == MA:
            given: dict[str, str | int | float | bool | None] = dict(values)  # type: ignore[arg-type]
            if row is None:
                self.ma.human_create(given)
            else:
                self.ma.human_edit(int(row.id), given)
            return
        delay = 0.0
        # creates only: what a long transaction changes it locks, so that nobody writes there before it ends
        if row is None and self.rng.random() < self.late:
            delay = self.rng.uniform(1.0, 120.0)
            self.done["long transactions"] += 1
            self.clock.advance(0.002)
            self.sfa._latest = (0.0, "")  # it has a stamp of its own
        if row is None:
            self.sfa.human_create(object_, values, commit_delay=delay)
        else:
            self.sfa.human_edit(row.object, row.id, values, commit_delay=delay)

    def _any(self, side: str | None = None, person: int | None = None) -> Row | None:
        rows = [r for r in self.oracle.live(side) if person is None or r.person == person]
        return self.rng.choice(rows) if rows else None

    def _edit(self, row: Row | None = None) -> None:
        row = row or self._any()
        if row is None:
            return
        values: dict[str, object] = {}
        for _ in range(1 + (self.rng.random() < 0.2)):
            field = self.rng.choice(TEXTS)
            if field != "company" or row.object == "Lead":
                values[TWO_WAY[field][row.side]] = self._token(row.person)
        if values:
            self._type(row.side, row, row.person, values)

    def _collide(self) -> None:
        row = self._any(MA)
        other = self._any(SFA, row.person) if row else None
        if row is None or other is None:
            return
        field = self.rng.choice(("first_name", "phone", "title"))
        self.done["collisions"] += 1
        for each in self.rng.sample([row, other], 2):
            self._type(each.side, each, each.person, {TWO_WAY[field][each.side]: self._token(each.person)})

    def _create(self) -> None:
        person = self.rng.choice(sorted(self.mails)) if self.rng.random() < 0.4 else len(self.mails) + 1
        sides = [side for side in (MA, SFA) if self._any(side, person) is None]
        if sides:
            self.enter(self.rng.choice(sides), person)

    def _twin(self) -> None:
        row = self._any()
        if row is not None:
            self.enter(row.side, row.person, fresh=self.rng.random() < 0.3)

    def _mail(self) -> None:
        row = self._any()
        if row is None:
            return
        mail = f"{self._token(row.person).lower()}@mail.example"
        self.mails[row.person].append(mail)
        self._type(row.side, row, row.person, {TWO_WAY["email"][row.side]: mail})

    def _both_mail(self) -> None:
        """The same new address typed on both sides, one after the other."""
        row = self._any(MA)
        other = self._any(SFA, row.person) if row else None
        if row is None or other is None:
            return
        mail = f"{self._token(row.person).lower()}@mail.example"
        self.mails[row.person].append(mail)
        for each in (row, other):
            self._type(each.side, each, each.person, {TWO_WAY["email"][each.side]: mail})

    def _opt_out(self) -> None:
        row = self._any()
        if row is not None:
            self.done["opt-outs"] += 1
            topic = self.rng.choice(sorted(TOPICS))
            self._type(row.side, row, row.person, {TOPICS[topic][row.side]: True})

    def _opt_in(self) -> None:
        rows = [(r, p) for r in self.oracle.live() for p in TOPICS.values() if r.get(p) is True]
        if rows:
            row, paths = self.rng.choice(rows)
            self._type(row.side, row, row.person, {paths[row.side]: False})

    def _grade(self) -> str:
        self.done["edits"] += 1
        return f"Ab{self.done['edits']}"

    def _arrow(self) -> None:
        """A field that goes one way is typed where it comes from, where it goes to, or on both sides, there with the
        same value or another one."""
        row = self._any(MA)
        other = self._any(SFA, row.person) if row else None
        if row is None or other is None:
            return
        _side, paths = self.rng.choice(list(ARROWS.values()))
        value = self._grade()
        both = self.rng.random()
        for each in self.rng.sample([row, other], 2 if both < 0.4 else 1):
            self._type(each.side, each, each.person, {paths[each.side]: value})
            value = value if both < 0.2 else self._grade()

    def _score(self) -> None:
        row = self._any(MA)
        if row is not None:
            self._type(MA, row, row.person, {SCORE[MA]: self.rng.randrange(100)})

    # --- whole records ---------------------------------------------------------------------------------

    def _merge(self) -> None:
        rows = [row for row in self.oracle.live() if self._likes(row)]
        if not rows:
            return
        loser = self.rng.choice(rows)
        winner = self.rng.choice(self._likes(loser))
        self.done["merges"] += 1
        self.tell("human", loser.side, "merges", loser.id, "into", winner.id)
        if loser.side == MA:
            self.ma.human_merge(int(winner.id), [int(loser.id)])
        else:
            self.sfa.human_merge(loser.object, winner.id, loser.id)

    def _likes(self, row: Row) -> list[Row]:
        """Other live records of the same person and object."""
        same = (row.side, row.object, row.person)
        return [
            r for r in self.oracle.live(row.side) if (r.side, r.object, r.person) == same and r.key != row.key
        ]

    def _delete(self) -> None:
        row = self._any()
        if row is None:
            return
        self.done["deletes"] += 1
        self.tell("human", row.side, "deletes", row.id)
        if row.side == MA:
            self.ma.human_delete(int(row.id))
        else:
            self.sfa.human_delete(row.object, row.id)

    def _restore(self) -> None:
        rows = [r for r in self.oracle.rows.values() if r.side == SFA and not r.live and not r.into]
        if rows:
            row = self.rng.choice(rows)
            self.done["restores"] += 1
            self.tell("human", SFA, "restores", row.id)
            self.sfa.human_undelete(row.object, row.id)

    def _convert(self) -> None:
        leads = [row for row in self.oracle.live(SFA) if row.object == "Lead"]
        if not leads:
            return
        lead = self.rng.choice(leads)
        contacts = [r for r in self.oracle.live(SFA) if r.object == "Contact" and r.person == lead.person]
        contact = self.rng.choice(contacts).id if contacts else None
        self.done["conversions"] += 1
        self.tell("human", SFA, "converts", lead.id, "into", contact or "a new contact")
        self.sfa.human_convert(lead.id, contact=contact)
