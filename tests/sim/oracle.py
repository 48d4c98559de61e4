"""Judges a schedule by what the two vendors have written down, entry by entry, and by nothing else.

Every value that a person types carries a token of its own with the number of the person it is about, so
that it can be followed wherever it goes. The engine's own words (claims: losers, holds, failures) are
believed only where the vendors' record allows for them. Imports nothing of the engine.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from simulators.ledger import Entry

MA, SFA = "marketo", "salesforce"
TWO_WAY = {
    "email": {MA: "email", SFA: "Email"},
    "last_name": {MA: "lastName", SFA: "LastName"},
    "first_name": {MA: "firstName", SFA: "FirstName"},
    "company": {MA: "company", SFA: "Company"},
    "phone": {MA: "phone", SFA: "Phone"},
    "title": {MA: "title", SFA: "Title"},
}
TOPICS = {
    "all": {MA: "unsubscribed", SFA: "HasOptedOutOfEmail"},
    "seminar": {MA: "optOutSeminar", SFA: "Opt_Out_Seminar__c"},
}
SCORE = {MA: "leadScore", SFA: "MA_Score__c"}
OTHER_ID = {MA: "sfaId", SFA: "Marketo_Id__c"}
NAMES = {side: {paths[side]: name for name, paths in TWO_WAY.items()} for side in (MA, SFA)}
OPT_OUTS = {side: {paths[side]: name for name, paths in TOPICS.items()} for side in (MA, SFA)}
SETTLE, LAG = 0.5, 1.1
_TOKEN = re.compile(r"t(\d+)p(\d+)")

Key = tuple[str, str]


class Claim(NamedTuple):
    """The engine's own word about a field of a record (`field` "" = the whole record): kind is `loser`, `hold`,
    `failed`, `ignored`, `open`, `twin` or `gone across`; `value` what a loser was or what was to be
    written, `winner` what beat a loser."""

    kind: str
    side: str
    id: str
    field: str
    value: str = ""
    winner: str = ""


Said = Mapping[tuple[str, str, str], Sequence[Claim]]


class Offence(NamedTuple):
    """One thing that must not be."""

    kind: str
    subject: str
    reason: str


class Sent(NamedTuple):
    """What the sender of a write could know: which write it was, when its cycle and the last sweep before it
    began, and at which place in the record of the world each record was last read by id before."""

    number: int
    cycle: float
    sweep: float
    looked: Mapping[str, int]


class Row:
    """One record as its vendor's ledger tells it."""

    __slots__ = (
        "api_made", "api_mail", "changed", "drifted", "gone", "gone_unseen", "id", "into", "late", "live", "object",
        "person", "side", "source", "values", "visible",
    )  # fmt: skip

    def __init__(self, side: str, object_: str, id_: str, person: int, *, api_made: bool) -> None:
        self.side, self.object, self.id, self.person = side, object_, id_, person
        self.api_made = api_made
        self.source: Key | None = None
        self.into = ""
        self.live = True
        self.values: dict[str, object] = {}
        self.api_mail = ""
        self.drifted = False
        self.changed: dict[str, float] = {}
        self.visible = 0.0
        self.late = False
        self.gone = 0.0
        self.gone_unseen = False

    @property
    def key(self) -> Key:
        return self.side, self.id

    def get(self, paths: Mapping[str, str]) -> object:
        return self.values.get(paths[self.side])


class Token:
    """One value that a person typed."""

    __slots__ = ("after", "arrived", "field", "homes", "number", "person", "replaced", "time", "typed")

    def __init__(self, number: int, person: int, field: str, home: Key, typed: int, time: float) -> None:
        self.number, self.person, self.field = number, person, field
        self.homes = {home: typed}
        self.typed, self.time = typed, time
        self.replaced = 0
        self.after: set[int] = set()
        self.arrived: dict[str, int] = {home[0]: typed}


class Loss(NamedTuple):
    """A typed value that the engine wrote over: it must have been a conflict, and said so."""

    token: Token
    home: Key
    new: object
    place: int


def token_in(value: object) -> tuple[int, int] | None:
    """The number and the person of the token in a value, whatever a vendor did to letter case or spaces."""
    found = _TOKEN.search(value.casefold()) if isinstance(value, str) else None
    return (int(found[1]), int(found[2])) if found else None


def plain(value: object) -> str:
    """A value as far as no vendor alters it: letters and digits, small."""
    return "".join(c for c in str(value).casefold() if c.isalnum()) if value is not None else ""


class Oracle:
    """Follows both ledgers as they grow."""

    def __init__(self, shown: Mapping[Key, float]) -> None:
        """`shown`: which records the engine has ever been told of."""
        self.shown = shown
        self.rows: dict[Key, Row] = {}
        self.tokens: dict[int, Token] = {}
        self.offences: list[Offence] = []
        self.losses: list[Loss] = []
        self.counts: Counter[str] = Counter()
        self.place = 0
        self._ignored: set[tuple[int, int]] = set()
        self._stored: set[tuple[str, str, int]] = set()
        self.withheld: set[Key] = set()
        self._swallowed: dict[tuple[str, str, str], int] = {}
        self._ids: dict[Key, Key] = {}
        self._made_from: defaultdict[Key, list[Key]] = defaultdict(list)

    def offend(self, kind: str, subject: object, reason: str) -> None:
        """Write an offence down."""
        self.offences.append(Offence(kind, str(subject), reason))

    # --- following the ledgers -------------------------------------------------------------------------

    def see(self, side: str, entry: Entry, sent: Sent | None, visible: float) -> None:
        """One more entry; `sent` tells of the write that made it, `visible` when queries may show it at last."""
        self.place += 1
        if entry.object == "Account":
            return
        api = entry.actor == "api"
        self.counts[f"{side} {entry.actor} {entry.verb}"] += 1
        key = (side, entry.id)
        row = self.rows.get(key)
        match entry.verb:
            case "create":
                row = self._born(side, entry, api=api)
                if row is None:
                    return
            case "delete" | "merge" | "convert":
                assert row is not None
                row.live, row.into = False, entry.into or ""
                row.gone, row.gone_unseen = visible, key not in self.shown
                self._leave(row, entry)
                return
            case "restore":
                assert row is not None
                row.live, row.into, row.visible = True, "", visible
                row.changed = dict.fromkeys(row.changed, entry.time)
            case _:
                pass
        assert row is not None
        self._write(row, entry, sent, api=api)
        row.visible = max(row.visible, visible)
        row.late = row.late or visible > entry.time + LAG
        if api and entry.verb == "create" and sent is not None:
            self._judge_create(row, sent)

    def _leave(self, row: Row, entry: Entry) -> None:
        """A record that goes on as another; whoever merges drops what the winner does not take over."""
        if not entry.into:
            return
        into = self.rows[row.side, entry.into]
        into.person = row.person
        for paths in TWO_WAY.values() if entry.verb == "merge" else ():
            token, kept = token_in(row.get(paths)), into.get(paths)
            if token is not None and kept is not None and token_in(kept) != token:
                self.tokens[token[0]].replaced = self.place

    def _write(self, row: Row, entry: Entry, sent: Sent | None, *, api: bool) -> None:
        for name, (old, new) in entry.changes.items():
            self._change(row, name, old, new, entry, api=api, sent=sent)
            if name == OTHER_ID[row.side] and entry.verb != "create":
                row.drifted = not api  # emptied at a restore, filled at a merge: drift, as the rule says
            if api and name == TWO_WAY["email"][row.side]:
                row.api_mail = plain(new)
            row.values[name] = new
            row.changed[name] = entry.time

    def _born(self, side: str, entry: Entry, *, api: bool) -> Row | None:
        typed = (token_in(new) for _, new in entry.changes.values())
        person = next((token[1] for token in typed if token), 0)
        source: Key | None = None
        if api:
            source = self._named(_across(side), entry.changes.get(OTHER_ID[side], (None, None))[1])
            if source is not None:
                person = self.rows[source].person
            elif not person:
                self.offend("stranger", (side, entry.id), "made by the engine for nobody in the world")
                return None
        self._ids[side, entry.id.casefold()] = (side, entry.id)
        row = self.rows[side, entry.id] = Row(side, entry.object, entry.id, person, api_made=api)
        row.source = source
        return row

    def _named(self, side: str, id_: object) -> Key | None:
        """The record of this id, whatever a vendor did to its letter case."""
        return self._ids.get((side, str(id_).casefold()))

    def _change(
        self, row: Row, name: str, old: object, new: object, entry: Entry, *, api: bool, sent: Sent | None
    ) -> None:
        if api and name in OPT_OUTS[row.side] and old is True and new is not True:
            self.offend("withdrawn opt-out", row.key, f"the engine turned {name} from true to {new}")
        field = NAMES[row.side].get(name)
        if field is None:
            return
        was, now = token_in(old), token_in(new)
        if was == now:
            return
        if was is not None:
            self._overwritten(row, self.tokens[was[0]], new, api=api, sent=sent)
            if api and now is not None and self._is_older(row.side, self.tokens[was[0]], now[0]):
                self.offend(
                    "stale write", row.key, f"T{was[0]} had come, and the older T{now[0]} was written over it"
                )
        if now is not None:
            self._arrives(row, field, now, entry, api=api)
            if was is not None and not api:
                self.tokens[now[0]].after |= {was[0], *self.tokens[was[0]].after}
        elif api and new is not None:
            self.offend("invention", row.key, f"the engine wrote {new!r} into {name}, which nobody typed")

    def _arrives(self, row: Row, field: str, now: tuple[int, int], entry: Entry, *, api: bool) -> None:
        number, person = now
        token = self.tokens.get(number)
        if token is None:
            assert not api
            self.tokens[number] = Token(number, person, field, row.key, self.place, entry.time)
            return
        if token.field != field or row.person != person:
            text = f"{token.field} of person {person} came into {field} of person {row.person}"
            self.offend("stray value", row.key, text)
        if api:
            self._stored.add((*row.key, number))
        else:
            token.homes[row.key] = self.place
        token.arrived.setdefault(row.side, self.place)

    def _overwritten(self, row: Row, token: Token, new: object, *, api: bool, sent: Sent | None) -> None:
        if not api:
            token.replaced = self.place
            return
        if row.key not in token.homes or token.replaced:
            return
        looked = sent.looked.get(row.id) if sent is not None else None
        if looked is None and sent is not None:
            self.offend("blind write", row.key, f"T{token.number} was written over without a look before it")
        elif looked is not None and token.homes[row.key] > looked:
            self.counts["lost in the vendor's gap"] += 1
        else:
            self.losses.append(Loss(token, row.key, new, self.place))

    def _is_older(self, side: str, newer: Token, number: int) -> bool:
        """Whether a value was typed over by one that still stands, both of them across only."""
        older = self.tokens.get(number)
        if older is None or number not in newer.after or newer.replaced:
            return False
        homes = {*newer.homes, *older.homes}
        return all(home[0] != side and self.rows[home].live for home in homes)

    def swallow(self, side: str, id_: str, path: str, value: object) -> None:
        """A vendor said that it took a value and did not store it: nobody can know that it never stood there."""
        self._swallowed[side, id_, path] = self.place
        token = token_in(value)
        if token:
            self._ignored.add(token)

    # --- creates ---------------------------------------------------------------------------------------

    def _judge_create(self, new: Row, sent: Sent) -> None:
        horizon = sent.cycle - SETTLE
        if new.source is None:
            self.counts["made without a key"] += 1
            return
        source = self.rows[new.source]
        for made in self._made_from[new.source]:
            other = self.final(made)
            if other.live and other.key != new.key and self.rows[made].gone_unseen:
                self.counts["merged away before it was known"] += 1
            elif other.live and other.key != new.key:
                self.offend("duplicate", new.key, f"{new.source} has {other.key} already")
        self._made_from[new.source].append(new.key)
        for other in self._findable(new, source, sent):
            self.offend("duplicate", new.key, f"{other.key} stood there to be found for {new.source}")
        for other in self._buried(new, sent):
            self.offend("made anew", new.key, f"a person had deleted {other.key}")
        for topic, paths in TOPICS.items():
            was = source.get(paths) is True and source.changed[paths[source.side]] < horizon
            if (*new.key, paths[new.side]) in self._swallowed:
                continue
            known = source.visible < (sent.sweep if source.late else sent.cycle) - SETTLE
            if was and known and new.get(paths) is not True:
                self.offend("forgotten opt-out", new.key, f"{new.source} was opted out of {topic}")

    def _buried(self, new: Row, sent: Sent) -> Iterator[Row]:
        """Records with this address that a person deleted, as a reader who began in time was bound to know."""
        email = plain(new.get(TWO_WAY["email"]))
        for other in self.rows.values():
            known = other.gone and not other.gone_unseen and other.gone < sent.cycle - SETTLE
            here = other.side == new.side and plain(other.get(TWO_WAY["email"])) == email
            here = here and self._showed_address(other)
            if known and here and not other.live and not other.into and other.visible < sent.sweep - SETTLE:
                yield other

    def _showed_address(self, row: Row) -> bool:
        """Whether the address that a record had at last was there when the engine first learnt of the record."""
        typed = row.changed.get(TWO_WAY["email"][row.side], 0.0)
        return self.shown.get(row.key, 0.0) > typed

    def _findable(self, new: Row, source: Row, sent: Sent) -> Iterator[Row]:
        """Other records of this person that a reader who began in time was bound to know."""
        email = plain(new.get(TWO_WAY["email"]))
        for other in self.rows.values():
            if other.side != new.side or not other.live or other.key == new.key or other.person != new.person:
                continue
            if other.key in self.withheld:  # a read by id once left it out
                continue
            ours = other.api_mail == email
            known = ours or other.visible < (sent.sweep if other.late else sent.cycle) - SETTLE
            if not known:
                continue
            by_mail = email and plain(other.get(TWO_WAY["email"])) == email
            by_id = self._named(source.side, other.get(OTHER_ID)) == source.key
            if by_mail or by_id:
                yield other

    def final(self, key: Key) -> Row:
        """The record that a record has become."""
        row = self.rows[key]
        while not row.live and row.into:
            row = self.rows[row.side, row.into]
        return row

    def live(self, side: str | None = None) -> list[Row]:
        """All live records (of one side)."""
        return [row for row in self.rows.values() if row.live and (side is None or row.side == side)]

    # --- the end ---------------------------------------------------------------------------------------

    def judge(self, claims: Iterable[Claim]) -> list[Offence]:
        """What is wrong once everything is quiet; `claims` are the engine's words."""
        said = self._hear(claims)
        pairs = self._pairs(said)
        paired = {key for pair in pairs for key in (pair[0].key, pair[1].key)}
        for ma, sfa in pairs:
            twins = [row for row in (ma, sfa) if self._is_twin(row, said)]
            if twins:
                for row in twins:
                    self._judge_twin(row, said)
            else:
                self._judge_pair(ma, sfa, said)
        for row in self.live():
            if row.key not in paired:
                self._judge_single(row, said)
        for loss in self.losses:
            self._judge_loss(loss, said)
        self._judge_opt_outs(pairs, said)
        return self.offences

    def _hear(self, claims: Iterable[Claim]) -> Said:
        """The claims by record and field; what is said of a record holds for what it has become."""
        said: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
        for claim in claims:
            said[claim.side, claim.id, claim.field].append(claim)
            key = (claim.side, claim.id)
            if key in self.rows and (now := self.final(key)).id != claim.id:
                said[claim.side, now.id, claim.field].append(claim)  # what was said of what it was
            if claim.kind == "ignored" and (token := token_in(claim.value)):
                self._ignored.add(token)
                path = TWO_WAY[self.tokens[token[0]].field][claim.side]
                swallowed = (claim.side, claim.id, path) in self._swallowed
                if not swallowed and (claim.side, claim.id, token[0]) in self._stored:
                    self.offend(
                        "false claim",
                        (claim.side, claim.id),
                        f"T{token[0]} is said to be ignored, but was stored",
                    )
        return said

    def _pairs(self, said: Said) -> list[tuple[Row, Row]]:
        """Live records that name each other; where one does not, the engine must have said that it could not."""
        found: dict[tuple[Key, Key], tuple[Row, Row]] = {}
        for row in self.live():
            key = self._named(_across(row.side), row.get(OTHER_ID))
            if key is None or not self.rows[key].live:
                continue
            other = self.rows[key]
            back = self._named(row.side, other.get(OTHER_ID)) == row.key
            told = said.get((other.side, other.id, "salesforce_id" if other.side == MA else "marketo_id"), ())
            if back or other.drifted or any(claim.kind in {"failed", "ignored", "open"} for claim in told):
                ma, sfa = (row, other) if row.side == MA else (other, row)
                found[ma.key, sfa.key] = ma, sfa
        return list(found.values())

    def _judge_pair(self, ma: Row, sfa: Row, said: Said) -> None:
        if ma.person != sfa.person:
            self.offend("crossed", ma.key, f"linked with {sfa.key}: persons {ma.person} and {sfa.person}")
        for field, paths in TWO_WAY.items():
            if field == "company" and sfa.object == "Contact":
                continue
            left, right = ma.get(paths), sfa.get(paths)
            blind = self._written_blindly(ma, paths) or self._written_blindly(sfa, paths)
            if plain(left) != plain(right) and not blind and not self._excused(ma, sfa, field, said):
                text = f"{field}: {left!r} here, {right!r} in {sfa.id}, and nothing said of it"
                self.offend("divergence", ma.key, text)
        left, right = ma.get(SCORE), sfa.get(SCORE)
        # a zero is a blank to a ledger's first entry
        wrong = left is not None and abs(float(str(left)) - float(str(right or 0))) > 5
        if wrong and not self._excused(ma, sfa, "score", said):
            self.offend("divergence", ma.key, f"score: {left} here, {right} in {sfa.id}")

    def _written_blindly(self, row: Row, paths: Mapping[str, str]) -> bool:
        """Whether a person typed what stands there just before a write that the vendor took and did not store: it
        bears our name, so that nobody can know it for a person's."""
        token = token_in(row.get(paths))
        swallowed = self._swallowed.get((*row.key, paths[row.side]), -1)
        return token is not None and self.tokens[token[0]].homes.get(row.key, swallowed + 1) <= swallowed

    def _excused(self, ma: Row, sfa: Row, field: str, said: Said) -> bool:
        found = [claim for row in (ma, sfa) for claim in said.get((row.side, row.id, field), ())]
        kinds = {claim.kind for claim in found} & {"hold", "failed", "ignored", "open"}
        self.counts.update(f"excused by {kind}" for kind in kinds)
        return bool(kinds)

    def _judge_single(self, row: Row, said: Said) -> None:
        """A live record without a counterpart: the engine must have said why."""
        if not row.get(TWO_WAY["email"]) or not row.get(TWO_WAY["last_name"]):
            return
        if row.side == MA and not row.get(TWO_WAY["company"]):
            return
        kinds = {claim.kind for claim in said.get((row.side, row.id, ""), ())}
        key = "salesforce_id" if row.side == MA else "marketo_id"
        kinds |= {claim.kind for claim in said.get((row.side, row.id, key), ())}
        if "twin" in kinds:
            self._judge_twin(row, said)
        elif "gone across" in kinds:
            gone = [
                r for r in self.rows.values() if r.person == row.person and r.side != row.side and not r.live
            ]
            if not gone:
                self.offend("false claim", row.key, "its counterpart is said to be gone, but none ever went")
            self.counts["gone across"] += 1
        elif kinds & {"hold", "failed", "open", "ignored"}:
            self.counts.update(f"single: {kind}" for kind in kinds)
        else:
            self.offend("missing", row.key, f"person {row.person} has no counterpart; said: {sorted(kinds)}")

    def _beat(self, named: tuple[int, int] | None, winner: tuple[int, int] | None) -> bool:
        """The winner that was named, or what a person made of it before it arrived."""
        return named == winner or (named is not None and self.tokens[named[0]].replaced > 0)

    @staticmethod
    def _is_twin(row: Row, said: Said) -> bool:
        return any(claim.kind == "twin" for claim in said.get((row.side, row.id, ""), ()))

    def _judge_twin(self, row: Row, said: Said) -> None:
        """A twin is never written; another live record of the same person must lead."""
        same = [each for each in self.live(row.side) if each.person == row.person]
        if all(self._is_twin(each, said) for each in same):
            self.offend("false claim", row.key, "called a twin, but no record of this person leads")
        self.counts["twins"] += 1

    def _judge_loss(self, loss: Loss, said: Said) -> None:
        side, id_ = loss.home
        token = loss.token
        claims = said.get((side, id_, token.field), ())
        winner = token_in(loss.new)
        told = any(
            c.kind == "loser"
            and token_in(c.value) == (token.number, token.person)
            and self._beat(token_in(c.winner), winner)
            for c in claims
        )
        if not told and (token.number, token.person) in self._ignored:
            self.counts["lost after the vendor ignored it"] += 1
            return
        if not told:
            text = (
                f"T{token.number} ({token.field}) was written over with {loss.new!r}, and nothing said of it"
            )
            self.offend("lost edit", loss.home, text)
            return
        self.counts["losers"] += 1
        # typed over here, and typed or merged in nowhere else, by a person without twins: what stands across is
        # nobody's newer word, unless
        # its record was deleted and restored, or could not be recognised as ours
        came_back = winner is not None and winner[0] in token.after
        across = [r for r in self.rows.values() if r.person == token.person and r.side != side]
        went = sum(r.person == token.person and r.side == side for r in self.rows.values()) > 1
        went = went or any(r.gone or (*r.key, OTHER_ID[r.side]) in self._swallowed for r in across)
        if winner and came_back and not went and set(self.tokens[winner[0]].homes) == {loss.home}:
            self.offend(
                "stale overwrite", loss.home, f"T{token.number} was typed over T{winner[0]}, which came back"
            )
        if winner is None:
            self.offend(
                "false claim", loss.home, f"T{token.number} lost against {loss.new!r}, which nobody typed"
            )

    def _judge_opt_outs(self, pairs: list[tuple[Row, Row]], said: Said) -> None:
        for family in self._families(pairs):
            for topic, paths in TOPICS.items():
                if not any(row.get(paths) is True for row in family):
                    continue
                for row in family:
                    kinds = {claim.kind for claim in said.get((row.side, row.id, f"consent.{topic}"), ())}
                    if row.get(paths) is not True and not kinds & {"hold", "failed", "open"}:
                        others = ", ".join(f"{r.side} {r.id}" for r in family if r.get(paths) is True)
                        self.offend("opt-out not carried", row.key, f"{topic}: true on {others}")

    def _families(self, pairs: list[tuple[Row, Row]]) -> Iterable[list[Row]]:
        """Live records that are linked or share a personal address."""
        group: dict[Key, list[Row]] = {row.key: [row] for row in self.live()}
        by_mail: dict[str, Row] = {}
        together = list(pairs)
        for row in self.live():
            mail = plain(row.get(TWO_WAY["email"]))
            if mail:
                together.append((by_mail.setdefault(mail, row), row))
        for one, other in together:
            mine, theirs = group[one.key], group[other.key]
            if mine is not theirs:
                mine.extend(theirs)
                for row in theirs:
                    group[row.key] = mine
        return {id(rows): rows for rows in group.values()}.values()


def _across(side: str) -> str:
    return SFA if side == MA else MA
