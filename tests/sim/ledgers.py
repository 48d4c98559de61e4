"""Follows both vendors' ledgers entry by entry: who typed what, where it went, what was written over it.

What can be judged at the instant of a write is judged here: older values over newer ones, inventions, withdrawn
opt-outs, creates. Imports nothing of the engine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from simulators.ledger import Entry
from tests.sim.glimpses import Stood
from tests.sim.passing import Passing
from tests.sim.vocabulary import (
    LAG,
    MA,
    NAMES,
    OPT_OUTS,
    OTHER_ID,
    PEOPLE,
    SETTLE,
    SFA,
    TOPICS,
    TWO_WAY,
    Key,
    Loss,
    Row,
    Sent,
    Token,
    across,
    plain,
    token_in,
)  # fmt: skip


class Ledgers(Passing):
    """Follows both ledgers as they grow."""

    def __init__(self, shown: Mapping[Key, float], read: Mapping[Key, float] | None = None) -> None:
        """`shown`: which records the engine has ever been told of, `read`: of which with what stands in them."""
        super().__init__()
        self.shown, self.read = shown, shown if read is None else read
        self.losses: list[Loss] = []
        self._ignored: set[tuple[int, int]] = set()
        self._stored: set[tuple[str, str, int]] = set()
        self._made_from: defaultdict[Key, list[Key]] = defaultdict(list)
        self._untold: set[Key] = set()
        self._forgotten: set[Key] = set()

    # --- following the ledgers -------------------------------------------------------------------------

    def see(self, side: str, entry: Entry, sent: Sent | None, visible: float) -> None:
        """One more entry; `sent` tells of the write that made it, `visible` when queries may show it at last."""
        self.place += 1
        if entry.object not in PEOPLE:
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
                row.left, row.gone, row.gone_unseen = entry.time, visible, key not in self.shown
                self.leave(row, entry)
                return
            case "restore":
                assert row is not None
                row.live, row.into, row.visible, row.returned = True, "", visible, visible
                row.changed = dict.fromkeys(row.changed, entry.time)
            case _:
                pass
        assert row is not None
        self._write(row, entry, sent, api=api)
        self._follow_address(row, entry, api=api)
        row.visible = max(row.visible, visible, entry.time)
        row.late = row.late or visible > entry.time + LAG
        if api and entry.verb == "create" and sent is not None:
            self._judge_create(row, sent)

    def _write(self, row: Row, entry: Entry, sent: Sent | None, *, api: bool) -> None:
        if api and sent is not None and entry.verb != "create":
            self.judge_written(row, entry.changes, sent)
        for name, (old, new) in entry.changes.items():
            if name == TWO_WAY["email"][row.side]:
                self.note_mail(row, old, new, entry.time)
            if api and name == OTHER_ID[row.side]:
                self._link(row, new, sent)
        for name, (old, new) in entry.changes.items():
            self._change(row, name, old, new, entry, api=api, sent=sent)
            if name == TWO_WAY["email"][row.side] and (api or plain(new) == row.api_mail):
                row.api_mail = plain(new) if api else ""  # what a person types back has to be read first
            self.note_arrow(row, name, new, entry.time, api=api)
            row.values[name] = new
            row.changed[name] = row.typed[name] = entry.time

    def _follow_address(self, row: Row, entry: Entry, *, api: bool) -> None:
        old, new = entry.changes.get(TWO_WAY["email"][row.side], (None, None))
        was, now = token_in(old), token_in(new)
        if was != now:
            number = now[0] if now is not None else 0
            self.note_stood(row, Stood(number, entry.time, self.place, api))

    def _link(self, row: Row, id_: object, sent: Sent | None) -> None:
        """The engine links two records: of one person, or of two whom it could not tell apart."""
        other = self.rows.get(self.named(across(row.side), id_) or ("", ""))
        if other is None or self.is_of(other, row.person):
            return
        if self.may_be_one(row, other.person, sent) and self.may_be_one(other, row.person, sent):
            self.counts["persons with one address, linked"] += 1
            self.unite(row.person, other.person)
        elif self.stands_in(row, other, sent) or self.stands_in(other, row, sent):
            self.counts["in the place of a deleted twin"] += 1
            self.unite(row.person, other.person)
        else:
            text = f"linked with {other.key}: persons {row.person} and {other.person}"
            self.offend("crossed", row.key, text)

    def _born(self, side: str, entry: Entry, *, api: bool) -> Row | None:
        mail = TWO_WAY["email"][side]
        names = sorted(
            entry.changes, key=lambda name: name == mail
        )  # an address may have been somebody else's
        typed = (token_in(entry.changes[name][1]) for name in names)
        person = next((token[1] for token in typed if token), 0)
        source: Key | None = None
        if api:
            source = self.named(across(side), entry.changes.get(OTHER_ID[side], (None, None))[1])
            if source is not None:
                person = self.rows[source].person
            elif not person:
                self.offend("stranger", (side, entry.id), "made by the engine for nobody in the world")
                return None
        self._ids[side, entry.id.casefold()] = (side, entry.id)
        row = self.rows[side, entry.id] = Row(side, entry.object, entry.id, person, api_made=api)
        row.source = source
        return row

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
            if not api:
                self.note_typed_over(row, field, self.tokens[was[0]], new, entry.time)
            if api and now is not None and self._is_older(row, name, self.tokens[was[0]], now[0]):
                self.offend(
                    "stale write", row.key, f"T{was[0]} had come, and the older T{now[0]} was written over it"
                )
        if now is not None:
            self._arrives(row, field, now, entry, sent, api=api)
            self.judge_filled(row, field, self.tokens[now[0]], sent, api=api)
            if was is not None and not api:
                self.tokens[now[0]].after |= {was[0], *self.tokens[was[0]].after}
        elif api and new is not None:
            self.offend("invention", row.key, f"the engine wrote {new!r} into {name}, which nobody typed")

    def _arrives(
        self, row: Row, field: str, now: tuple[int, int], entry: Entry, sent: Sent | None, *, api: bool
    ) -> None:
        number, person = now
        token = self.tokens.get(number)
        if token is None:
            assert not api
            self.tokens[number] = Token(number, person, field, row.key, self.place, entry.time)
            return
        if api and not self._is_for(token, row) and self.may_be_one(row, person, sent):
            self.counts["persons with one address, joined"] += 1
            self.unite(row.person, person)
        if token.field != field or not self._is_for(token, row):
            text = f"{token.field} of person {person} came into {field} of person {row.person}"
            self.offend("stray value", row.key, text)
        if api:
            self._stored.add((*row.key, number))
            self.note_brought(row, field, entry.time, sent)
        else:
            token.homes[row.key] = self.place
            self.note_back(row, field, entry.time)
        token.arrived.setdefault(row.side, self.place)

    def typed_again(self, address: str, person: int) -> None:
        """An address is about to be typed for another person, or once more."""
        named = token_in(address)
        token = self.tokens.get(named[0]) if named else None
        if token is not None:
            token.persons.add(person)
            token.replaced, token.again = 0, True
            token.homes.clear()  # of where it stands already nobody can say any more which typing that was

    def _is_for(self, token: Token, row: Row) -> bool:
        return any(self.is_of(row, person) for person in token.persons)

    def _overwritten(self, row: Row, token: Token, new: object, *, api: bool, sent: Sent | None) -> None:
        if not api:
            token.replaced = self.place
            return
        if row.key not in token.homes or token.replaced:
            return
        if row.side == SFA and token.field in self.ruling(sent).one_way:
            self.counts["put right by a one-way field"] += 1
            return
        if row.side == SFA and self._was_agreed_on_as_nothing(token, row, token_in(new)):
            self.counts["put right by a field that had gone one way"] += 1
            return
        winner = token_in(new)
        over = self.tokens[winner[0]] if winner is not None else None
        if token.field == "email" and self.was_never_gone(row, token, over):
            self.counts["typed away and back unseen"] += 1
            return
        looked = sent.looked.get(row.id) if sent is not None else None
        if looked is None and sent is not None:
            self.offend("blind write", row.key, f"T{token.number} was written over without a look before it")
        elif looked is not None and token.homes[row.key] > looked:
            self.counts["lost in the vendor's gap"] += 1
        else:
            self.losses.append(Loss(token, row.key, new, sent.cycle if sent is not None else 0.0))

    def _was_agreed_on_as_nothing(self, token: Token, row: Row, new: tuple[int, int] | None) -> bool:
        """Whether a cycle, while the field only went to sales, may have read a value there and nothing at marketing:
        the blank was agreed on (docs/mapping.md), and what marketing types first decides, as it did then, though the
        arrow has turned both ways meanwhile. There is no second word that it could be a conflict with."""
        if new is None:
            return False
        came = [self.tokens[number] for number in (new[0], *self.tokens[new[0]].after)]
        first = min(each.time for each in came)
        since = max(token.time, row.typed.get(TWO_WAY[token.field][SFA], 0.0))
        gone_by = [began for began, ended in self._passed if began < first and since < ended]
        return any(self.went_one_way_at(token.field, at) and not row.was_in_the_bin(at) for at in gone_by)

    def _is_older(self, row: Row, name: str, newer: Token, number: int) -> bool:
        """Whether a value was typed over by one that still stands, both of them across only, and in one record: of
        several records of a person the one that leads decides. An address that stood here before the other was typed
        has not come since, though it was typed once more across."""
        older = self.tokens.get(number)
        if older is None or number not in newer.after or newer.replaced:
            return False
        if row.typed.get(name, 0.0) < older.time:
            return False
        homes = {*newer.homes, *older.homes}
        return len(homes) == 1 and all(home[0] != row.side and self.rows[home].live for home in homes)

    def swallow(self, side: str, id_: str, path: str, value: object, time: float) -> None:
        """A vendor said that it took a value and did not store it: nobody can know that it never stood there."""
        self._swallowed[side, id_, path] = self.place
        if (side, id_) in self.rows:
            self.note_not_taken(self.rows[side, id_], path, time)
        token = token_in(value)
        if token:
            self._ignored.add(token)

    # --- creates ---------------------------------------------------------------------------------------

    def _judge_create(self, new: Row, sent: Sent) -> None:
        if new.source is None:
            self.counts["made without a key"] += 1
            return
        source = self.rows[new.source]
        shows = source.live or source.left > sent.cycle  # who is gone shows nothing any more
        if shows and source.side == MA and self.ruling(sent).scoped and self.was_known_outside(source, sent):
            self.offend("out of scope", new.key, f"made for {new.source}, who is a test")
        self._judge_twice(new, source, sent)
        self._judge_opted_out(new, source, sent)

    def _judge_twice(self, new: Row, source: Row, sent: Sent) -> None:
        """A record is made once, as far as anybody could know of the other."""
        for made in self._made_from[source.key]:
            other = self.final(made)
            unseen = self.rows[made].gone_unseen and not self._was_told(self.rows[made], source, sent)
            if other.live and other.key != new.key and unseen:
                self.counts["merged away before it was known"] += 1
            elif other.live and other.key != new.key and self._is_lost(self.rows[made], source, sent):
                self.counts["made again after a restore"] += 1
            elif other.live and other.key != new.key:
                self.offend("duplicate", new.key, f"{new.source} has {other.key} already")
        self._made_from[source.key].append(new.key)
        for other in self._findable(new, source, sent):
            self.offend("duplicate", new.key, f"{other.key} stood there to be found for {new.source}")
        for other in self._buried(new, sent):
            self.offend("made anew", new.key, f"a person had deleted {other.key}")

    def _was_told(self, gone: Row, source: Row, sent: Sent) -> bool:
        """Whether somebody bears the id of a record that was merged away, as a reader who began in time was bound to
        be told, though nobody had ever shown it the record."""
        return (
            self.named_by(source) == gone.key
            and gone.gone < (sent.sweep if gone.late else sent.cycle) - SETTLE
        )

    def forget(self, *, blank: bool) -> None:
        """An older journal takes the place of a lost one: what was merged away since was never shown to whoever goes on
        with it. `blank`: it had read nothing, and feeds that begin anew do not tell what was before."""
        for row in self.rows.values():
            merged = not row.live and row.into and self.rows[row.side, row.into].object == row.object
            if merged and row.key not in self.shown:
                row.gone_unseen, row.gone = True, float("inf") if blank else row.gone
        for source, mades in self._made_from.items():
            unknown = {made for made in mades if made not in self.shown}
            self._forgotten |= unknown
            self._untold |= {made for made in unknown if self._is_untold(made, source)}

    def _is_lost(self, made: Row, source: Row, sent: Sent) -> bool:
        """Whether an older journal could not know from whom a record was made: nothing told of it when the journal was
        put back, nothing tells of it any more and it was never shown in between, or nobody had to be shown it yet."""
        hidden = made.key in self._forgotten and made.key not in self.shown
        told = self._had_to_show(made, sent) and not self._is_untold(made.key, source.key)
        return made.key in self._untold or (hidden and not told)

    @staticmethod
    def _had_to_show(row: Row, sent: Sent) -> bool:
        """Whether a reader who began in time was bound to be shown a record."""
        return row.visible < (sent.sweep if row.late else sent.cycle) - SETTLE

    def _is_untold(self, made: Key, source: Key) -> bool:
        """Whether nothing that stands at a vendor says any more from whom a record was made: neither bears the id of
        the other or its address."""
        other, row = self.final(made), self.rows[source]
        by_id = self.named_by(other) == source or self.named_by(row) in {made, other.key}
        return not by_id and self.mail_of(other) != self.mail_of(row)

    def _judge_opted_out(self, new: Row, source: Row, sent: Sent) -> None:
        """Who is opted out is made as one who is opted out."""
        horizon = sent.cycle - SETTLE
        for topic, paths in TOPICS.items():
            was = source.get(paths) is True and source.changed[paths[source.side]] < horizon
            if (*new.key, paths[new.side]) in self._swallowed:
                continue
            known = self._had_to_show(source, sent) and (source.live or source.left > sent.cycle)
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
        """Whether the address that a record had at last was there when the engine was first shown what stands in it."""
        typed = row.changed.get(TWO_WAY["email"][row.side], 0.0)
        return self.read.get(row.key, 0.0) > typed

    def _findable(self, new: Row, source: Row, sent: Sent) -> Iterator[Row]:
        """Other records of this person that a reader who began in time was bound to know."""
        email = plain(new.get(TWO_WAY["email"]))
        for other in self.rows.values():
            if other.side != new.side or not other.live or other.key == new.key:
                continue
            ours = other.api_mail == email and other.key not in self._forgotten
            if not ours and not self._had_to_show(other, sent):
                continue
            by_mail = email and plain(other.get(TWO_WAY["email"])) == email
            by_id = self.is_of(other, new.person) and self.named_by(other) == source.key
            if by_mail or by_id:
                yield other
