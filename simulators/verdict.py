"""Judges a sync by what the two vendors recorded, never by the sync's word alone.

Every edit by a person carries a token of its own. At the end each token must stand on both sides, have
been replaced by a later person who saw it, have lost to an edit made at the same time, or be visibly held
back; the last two only where the sync says so and the record agrees. Duplicates, records out of nowhere
and withdrawn opt-outs are found in the ledgers. Pure: reads values, calls nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from simulators.history import SIDES, Edit, History, Pair, Record, Side
from simulators.ledger import Entry

HELD_BACK = frozenset({"filtered", "held", "failed"})
PERSONS = frozenset({"Lead", "Contact"})  # the vendors' objects that are people
UNTOLD = 1.0  # seconds after a write within which its request was left without an answer


class Offence(NamedTuple):
    """One thing that must not be: what it is, which token or record, and the reason in words."""

    kind: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Four disjoint sets of tokens, those overwritten in the vendor's gap, and everything that is wrong."""

    standing: AbstractSet[str]
    replaced: AbstractSet[str]
    losers: AbstractSet[str]
    filtered: AbstractSet[str]
    in_gap: AbstractSet[str]
    offences: tuple[Offence, ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.offences


class _Typed(NamedTuple):
    """Where a token was overwritten: by whom, by what, when."""

    actor: str
    new: object
    time: float


class _Court:
    """Indexes over one history; `who` grows while the ledgers are read in order of time."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.tokens = {edit.token: edit for edit in history.edits}
        self.who: dict[Record, int] = dict(history.people)
        self.overwritten: dict[tuple[Side, str], list[_Typed]] = {}
        self.arrived: dict[tuple[Side, str], float] = {}
        self.offences: list[Offence] = []
        self._alive: dict[tuple[Side, int], dict[str, None]] = {}
        self._now: dict[Record, dict[str, str]] = {}
        for side, entry in _in_order(history.ledgers):
            self._read(side, entry)
        self.holders = self._holders()

    def _read(self, side: Side, entry: Entry) -> None:
        if entry.object not in PERSONS:
            return
        self._follow_records(side, entry)
        for name, (old, new) in entry.changes.items():
            if isinstance(old, str) and old in self.tokens:
                self.overwritten.setdefault((side, old), []).append(_Typed(entry.actor, new, entry.time))
                self._now.get((side, entry.id), {}).pop(name, None)
            if isinstance(new, str) and new in self.tokens and entry.verb in ("create", "update"):
                self._now.setdefault((side, entry.id), {})[name] = new
                self.arrived.setdefault((side, new), entry.time)
                self._check_owner(side, entry, new)
            if entry.actor == "api" and entry.verb == "update" and (old, new) == (True, False):
                self._check_opt_out(side, entry, name)

    def _follow_records(self, side: Side, entry: Entry) -> None:
        record = (side, entry.id)
        if entry.verb == "create":
            self._created(side, entry)
        elif entry.verb in ("delete", "merge", "convert"):
            person = self.who.get(record)
            for token in self._now.pop(record, {}).values() if entry.verb != "convert" else ():
                self.overwritten.setdefault((side, token), []).append(_Typed(entry.actor, None, entry.time))
            if person is not None:
                self._alive.get((side, person), {}).pop(entry.id, None)
                if entry.verb == "convert" and entry.into:
                    self.who[(side, entry.into)] = person
        elif entry.verb == "restore" and record in self.who:
            self._alive.setdefault((side, self.who[record]), {})[entry.id] = None

    def _created(self, side: Side, entry: Entry) -> None:
        person = self.who.get((side, entry.id))
        if person is None:
            person = self._recognised(side, entry)
        if person is None:
            if entry.actor == "api":
                text = "the sync made a record of nobody in the world, or of a desk's address without an id"
                self.offences.append(Offence("stranger", f"{side} {entry.id}", text))
            return
        self.who[(side, entry.id)] = person
        others = self._alive.setdefault((side, person), {})
        if entry.actor == "api" and others:
            text = f"person {person} already had the record {next(iter(others))} there"
            self.offences.append(Offence("duplicate", f"{side} {entry.id}", text))
        others[entry.id] = None

    def _recognised(self, side: Side, entry: Entry) -> int | None:
        """Say whose record the sync made: by the id that it wrote, else by the personal mailbox."""
        value = {name: change[1] for name, change in entry.changes.items()}
        other = value.get(getattr(self.history.id_fields, side))
        if other is not None and (_other(side), str(other)) in self.who:
            return self.who[(_other(side), str(other))]
        email = value.get(getattr(self.history.email_fields, side))
        return self.history.mailboxes.get(str(email).strip().lower())

    def _check_owner(self, side: Side, entry: Entry, token: str) -> None:
        owner = self.who.get((side, entry.id))
        if owner is not None and owner != self.tokens[token].person:
            text = f"typed for person {self.tokens[token].person}, it came to person {owner}"
            self.offences.append(Offence("stray value", token, text))

    def _check_opt_out(self, side: Side, entry: Entry, name: str) -> None:
        if name in {getattr(pair, side) for pair in self.history.opt_outs}:
            text = f"the sync turned {name} from true to false"
            self.offences.append(Offence("withdrawn opt-out", f"{side} {entry.id}", text))

    def _holders(self) -> dict[tuple[Side, str], int]:
        """Count on which side a token stands in its person's own record and field."""
        found: dict[tuple[Side, str], int] = {}
        for side in SIDES:
            for record, values in self.history.live[side].items():
                for name, value in values.items():
                    edit = self.tokens.get(value) if isinstance(value, str) else None
                    if (
                        edit
                        and self.who.get((side, record)) == edit.person
                        and getattr(edit.pair, side) == name
                    ):
                        found[(side, edit.token)] = found.get((side, edit.token), 0) + 1
        return found

    def stands(self, token: str) -> bool:
        return all((side, token) in self.holders for side in SIDES)

    def replaced(self, token: str) -> bool:
        """Whether a person, on either side, overwrote the token itself."""
        return any(
            typed.actor == "human" for side in SIDES for typed in self.overwritten.get((side, token), ())
        )

    def lost(self, token: str, within: float = float("inf")) -> bool:
        """Whether the sync overwrote it with a token typed on the other side at the same time.

        At the same time means: neither stood on the other's side yet when it was typed.
        """
        edit = self.tokens[token]
        for typed in self.overwritten.get((edit.side, token), ()):
            winner = self.tokens.get(typed.new) if isinstance(typed.new, str) else None
            soon = typed.time - edit.time <= within
            if typed.actor == "api" and winner and soon and self._concurrent(edit, winner):
                return True
        return False

    def lost_in_doubt(self, token: str) -> bool:
        """Whether it was typed over a value of the sync whose arrival the vendor did not tell it of, and that value
        came again: whoever reads afterwards cannot tell this from two edits at the same time."""
        edit = self.tokens[token]
        for typed in self.overwritten.get((edit.side, token), ()):
            winner = self.tokens.get(typed.new) if isinstance(typed.new, str) else None
            if typed.actor != "api" or winner is None or winner.side == edit.side:
                continue
            arrived = self.arrived.get((edit.side, winner.token), float("inf"))
            told = any(0.0 <= at - arrived <= UNTOLD for at in self.history.unanswered.get(edit.side, ()))
            same_place = (winner.person, winner.pair) == (edit.person, edit.pair)
            if same_place and arrived <= edit.time and told:
                return True
        return False

    def _concurrent(self, edit: Edit, winner: Edit) -> bool:
        never = float("inf")
        there = self.arrived.get((winner.side, edit.token), never)
        here = self.arrived.get((edit.side, winner.token), never)
        same_place = (winner.person, winner.pair) == (edit.person, edit.pair)
        return same_place and winner.side != edit.side and there > winner.time and here > edit.time

    def untouched(self, token: str) -> bool:
        """Whether it still stands where it was typed."""
        return (self.tokens[token].side, token) in self.holders


def judge(history: History, claims: Iterable[Mapping[str, object]], gap: float = 0.0) -> Verdict:
    """Judge a history; `claims` are the sync's own words, each {token, state}; a false claim is an
    offence.

    A token that the sync overwrote at most `gap` seconds after it was typed, with one typed at the same
    time, is listed apart and is no offence: between a sync's last look and its write a vendor without
    conditional writes lets it happen. States: `loser`, or `filtered`, `held`, `failed` for a value that
    was visibly not carried over.
    """
    court = _Court(history)
    claimed = {str(claim["token"]): str(claim["state"]) for claim in claims}
    sets: dict[str, set[str]] = {
        name: set() for name in ("standing", "replaced", "losers", "filtered", "in_gap")
    }
    for token in court.tokens:
        place = _place(court, token, claimed.get(token), gap)
        if place in sets:
            sets[place].add(token)
        else:
            court.offences.append(Offence("lost edit", token, place))
    court.offences += _opt_outs_missing(court)
    counts: dict[str, int] = {"edits": len(court.tokens)}
    counts.update((name, len(tokens)) for name, tokens in sets.items())
    for offence in court.offences:
        counts[offence.kind] = counts.get(offence.kind, 0) + 1
    frozen = {name: frozenset(tokens) for name, tokens in sets.items()}
    return Verdict(**frozen, offences=tuple(court.offences), counts=counts)


def owners(history: History) -> Mapping[Record, int]:
    """Say for each record, also one made by the sync, which person it is of, as far as that can be known."""
    return _Court(history).who


def _place(court: _Court, token: str, claim: str | None, gap: float) -> str:
    """Name the set that a token belongs to, or say why it belongs to none."""
    if court.stands(token):
        return "standing"
    if court.replaced(token):
        return "replaced"
    if claim == "loser" and (court.lost(token) or court.lost_in_doubt(token)):
        return "losers"
    if claim in HELD_BACK and court.untouched(token):
        return "filtered"
    if gap > 0 and court.lost(token, within=gap):
        return "in_gap"
    if claim == "loser":
        return "claimed as loser, but nothing typed at the same time beat it"
    if claim is not None:
        return f"claimed as {claim}, but it no longer stands where it was typed"
    return "neither standing on both sides nor replaced, and not accounted for"


def _opt_outs_missing(court: _Court) -> list[Offence]:
    """Find persons who are opted out on one side only."""
    persons = set(court.history.mailboxes.values())
    out: dict[tuple[int, Pair], dict[Side, bool]] = {}
    for side in SIDES:
        for record, values in court.history.live[side].items():
            person = court.who.get((side, record))
            if person is None or person not in persons:
                continue
            for pair in court.history.opt_outs:
                sides = out.setdefault((person, pair), {})
                sides[side] = sides.get(side, False) or values.get(getattr(pair, side)) is True
    return [
        Offence("opt-out on one side", f"person {person}", f"{pair.marketo} and {pair.salesforce} differ")
        for (person, pair), sides in out.items()
        if len(sides) == 2 and sides["marketo"] != sides["salesforce"]
    ]


def _in_order(ledgers: Mapping[Side, Sequence[Entry]]) -> list[tuple[Side, Entry]]:
    entries = [(side, entry) for side in SIDES for entry in ledgers[side]]
    return sorted(entries, key=lambda item: item[1].time)


def _other(side: Side) -> Side:
    return "salesforce" if side == "marketo" else "marketo"
