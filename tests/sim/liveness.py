"""After the chaos one thing stays broken for ever: everything else has to be done all the same, in as many cycles as
ever, and nobody may hammer at what is broken.

A record whose writes are refused, or an end of a line at which every call fails. Says which of the oracle's offences
that explains, by the vendors' records alone.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from sync.errors import Retryable
from sync.ports import FieldError, Outcome, Paths, Write
from sync.record import Page, Record, Ref
from tests.sim.ground import Now, Vendor
from tests.sim.oracle import Oracle
from tests.sim.people import People
from tests.sim.vocabulary import MA, SFA, TWO_WAY, Claim, Offence, Row, across, token_in
from tests.sim.wire import Wire

STIRS, PAUSE = (
    15,
    20.0,
)  # cycles during which people go on working with the broken record, and seconds between them
OFTEN = 4  # in these five minutes a refused value may be tried; whoever starts anew at each look tries it fifteen times
BROKEN = ("record", "record", "write", "find")
REFUSED = FieldError(
    "", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A validation rule refuses this record for ever"
)
KEYS = {"marketo_id", "salesforce_id"}
_OTHER = re.compile(r" in (\w+), and nothing| in (\w+)$")


class Stubborn:
    """A vendor (`tests.sim.ground.Vendor`) of which one record or one end is broken."""

    def __init__(self, system: str, vendor: Vendor, dead: str, record: str) -> None:
        self._system, self._vendor, self.dead, self.record = system, vendor, dead, record
        self.tries: Counter[object] = Counter()

    def _ask(self, end: str) -> None:
        if end == self.dead:
            self.tries[end] += 1
            raise Retryable(f"{self._system}: {end} is broken")

    def changes(self, since: str | None, paths: Paths, now: Now, back: float, keys: bool) -> Iterator[Page]:
        """Pages, as ever."""
        return self._vendor.changes(since, paths, now, back, keys)

    def fetch(self, refs: Sequence[Ref], paths: Paths) -> list[Record]:
        """Records by id, as ever."""
        return self._vendor.fetch(refs, paths)

    def find(self, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records by a field."""
        self._ask("find")
        return self._vendor.find(object_, path, values, paths)

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Creates or updates; the broken record is refused."""
        self._ask("write")
        good = [write for write in writes if write.ref.id != self.record or not self.record]
        done = iter(self._vendor.write(good)) if good else iter(())
        return [self._refuse(write) if write not in good else next(done) for write in writes]

    def _refuse(self, write: Write) -> Outcome:
        self.tries.update(write.values.values())
        return Outcome("refused", errors=(REFUSED,))


class Lasting:
    """What is broken for ever in one schedule."""

    def __init__(
        self, rng: random.Random, oracle: Oracle, wires: Mapping[str, Wire], tell: Callable[..., None]
    ) -> None:
        self.oracle, self.side, self.kind = oracle, rng.choice((MA, SFA)), rng.choice(BROKEN)
        linked = [row for row in oracle.live(self.side) if self._across(row) is not None]
        self.row: Row | None = rng.choice(linked) if linked and self.kind == "record" else None
        wire = wires[self.side]
        dead = "" if self.kind == "record" else self.kind
        self._beaten: set[tuple[int, int] | None] = set()
        self._unnamed: set[tuple[str, str]] = set()
        self.wanted = ""  # the value that was typed across for the broken record
        self.stubborn = Stubborn(self.side, wire.vendor, dead, self.row.id if self.row is not None else "")
        wire.vendor = self.stubborn
        tell("BROKEN for ever:", self.side, self.kind, self.stubborn.record)

    def stir(self, people: People, number: int) -> None:
        """Somebody goes on working with the broken record, where it stands; across one value was typed for it."""
        row, other = self.row, self._across(self.row)
        if row is None or not row.live:
            people.act()
            return
        if number == 0 and other is not None:
            self.wanted = self._type(people, other, "phone")
        self._type(people, row, "title")

    @staticmethod
    def _type(people: People, row: Row, field: str) -> str:
        value = people._token(row.person)
        people._type(row.side, row, row.person, {TWO_WAY[field][row.side]: value})
        return value

    def judge(self) -> None:
        """Whether somebody hammered at it."""
        count = self.stubborn.tries[self.wanted]
        if self.row is not None and count > OFTEN:
            self.oracle.offend(
                "hammered", self.row.key, f"{self.wanted} was refused {count} times within minutes"
            )

    def forgive(self, offences: list[Offence], claims: Sequence[Claim]) -> None:
        """Take away what is due to what is broken, and nothing else. `claims`: what the engine lists as beaten gives
        way, and is not on its way across."""
        self._beaten = {token_in(claim.value) for claim in claims if claim.kind == "loser"}
        told = [claim for claim in claims if claim.kind == "ignored" and claim.field in KEYS]
        self._unnamed = {(across(claim.side), claim.value) for claim in told if self._lives(claim)}
        offences[:] = [each for each in offences if not self._explains(each)]

    def _explains(self, offence: Offence) -> bool:
        if offence.kind == "echo":
            return True  # it is tried again now and then
        row = next((row for key, row in self.oracle.rows.items() if str(key) == offence.subject), None)
        if offence.kind == "never left":
            return f" of {self.side} " in offence.reason
        if row is None:
            return False
        if self.row is not None:
            return row.person == self.row.person and offence.kind in {
                "divergence",
                "missing",
                "opt-out not carried",
            }
        match offence.kind:
            case "missing":  # it is made where nothing can be made; or it was, and cannot be told or found so
                named = any(self.oracle.named_by(other) == row.key for other in self.oracle.live())
                # or the vendor across has ignored its id, as is listed
                named = named or (self.kind == "write" and row.key in self._unnamed)
                return row.side != self.side or named or (self.kind == "find" and self._may_be_made(row))
            case "divergence":
                return not self._should_have_left(row, offence.reason)
            case "opt-out not carried":
                return row.side == self.side
            case _:
                return False

    def _lives(self, claim: Claim) -> bool:
        return (claim.side, claim.id) in self.oracle.rows and self.oracle.rows[claim.side, claim.id].live

    def _may_be_made(self, row: Row) -> bool:
        """Whether a record was made by a create of which nobody can look whether it arrived, or bears the address of
        somebody across for whom such a create has left: who it is hangs on that."""
        across = (each for each in self.oracle.live() if each.side != row.side)
        return row.api_made or any(
            each.mails & row.mails and self.oracle.named_by(each) is None for each in across
        )

    def _should_have_left(self, ma: Row, reason: str) -> bool:
        """Whether what stands on the broken side was typed over what stands across: nothing keeps it from going."""
        field, found = reason.partition(":")[0], _OTHER.search(reason)
        if field not in TWO_WAY or found is None:
            return False
        sfa = self.oracle.rows[SFA, found[1] or found[2]]
        here, there = (ma, sfa) if self.side == MA else (sfa, ma)
        new, old = (token_in(row.get(TWO_WAY[field])) for row in (here, there))
        if new is None or old is None or new in self._beaten:
            return False
        return old[0] in self.oracle.tokens[new[0]].after

    def _across(self, row: Row | None) -> Row | None:
        key = self.oracle.named_by(row) if row is not None else None
        other = self.oracle.rows.get(key) if key is not None else None
        return other if other is not None and other.live and other.side == across(self.side) else None
