"""Who is who, as far as vendors show it: persons who share an address may be one to whoever matches by addresses.

Two records of two persons may become one only where they bear, or ever bore, the same address, and only while
neither of them is linked with somebody of its own, as far as whoever made them one could know: a record that came out
of the bin after the reading had begun was still deleted for the reader. Imports nothing of the engine.
"""

from __future__ import annotations

from collections import Counter

from tests.sim.vocabulary import OTHER_ID, SETTLE, TWO_WAY, Key, Offence, Row, Sent, across, plain


class Persons:
    """All records, and which persons count as one by now."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.offences: list[Offence] = []
        self.counts: Counter[str] = Counter()
        self._ids: dict[Key, Key] = {}
        self._one_with: dict[int, int] = {}

    def offend(self, kind: str, subject: object, reason: str) -> None:
        """Write an offence down."""
        self.offences.append(Offence(kind, str(subject), reason))

    def who(self, person: int) -> int:
        """The person that a person counts as."""
        while person in self._one_with:
            person = self._one_with[person]
        return person

    def is_of(self, row: Row, person: int) -> bool:
        """Whether a record counts as that person's."""
        return self.who(row.person) == self.who(person)

    def unite(self, one: int, other: int) -> None:
        """Two persons count as one from now on."""
        one, other = self.who(one), self.who(other)
        if one != other:
            self._one_with[max(one, other)] = min(one, other)

    def live(self, side: str | None = None) -> list[Row]:
        """All live records (of one side)."""
        return [row for row in self.rows.values() if row.live and (side is None or row.side == side)]

    def named(self, side: str, id_: object) -> Key | None:
        """The record of this id, whatever a vendor did to its letter case."""
        return self._ids.get((side, str(id_).casefold()))

    def named_by(self, row: Row) -> Key | None:
        """The record across that a record names."""
        return self.named(across(row.side), row.get(OTHER_ID))

    def note_mail(self, row: Row, old: object, new: object, time: float) -> None:
        """A record bears an address, and another one no more."""
        if was := plain(old):
            row.bore[was] = (row.bore.get(was, (time, time))[0], time)
        if mail := plain(new):
            row.mails.add(mail)
            row.bore[mail] = (row.bore.get(mail, (time, time))[0], float("inf"))

    def take_on(self, row: Row, into: Row) -> None:
        """A record goes on as another, which counts as having borne its addresses."""
        for mail, (since, until) in row.bore.items():
            before = into.bore.get(mail, (since, until))
            into.bore[mail] = (min(before[0], since), max(before[1], until))

    def may_be_one(self, row: Row, person: int, sent: Sent | None) -> bool:
        """Whether a record may be taken for that person's: it shares an address with one of theirs, and is not linked
        with a record of its own person that the sender of a write could know to live."""
        if self.is_of(row, person):
            return True
        other = self.rows.get(self.named_by(row) or ("", ""))
        back = other is not None and other.live and self.named_by(other) == row.key
        hidden = other is not None and sent is not None and other.returned > sent.cycle - SETTLE
        if row.live and back and not hidden and other is not None and self.is_of(other, row.person):
            return False
        return any(row.mails & each.mails for each in self.rows.values() if self.is_of(each, person))

    def stands_in(self, row: Row, linked: Row, sent: Sent | None) -> bool:
        """Whether a record leads in the place of a deleted one that this one across was linked with: as its twin, which
        one is by an address that it bore at one time with the deleted one, or with another of its twins: those are
        linked too, and stay so whatever address they bear (protocol §5, docs/adr/0018)."""
        for gone in self.rows.values():
            lost = gone.side == row.side and self.was_deleted(gone, sent) and not gone.into
            if lost and self._were_linked(gone, linked):
                known = [gone, *self._twins(gone, linked)]
                if any(self._shared(row, each, gone.left) for each in known):
                    return True
        return False

    def was_deleted(self, row: Row, sent: Sent | None) -> bool:
        """Whether a record is deleted for a reader: also one that came out of the bin after the reading had begun."""
        return not row.live or (sent is not None and row.returned > sent.cycle - SETTLE)

    def _twins(self, gone: Row, linked: Row) -> list[Row]:
        """Who became a twin of two linked records, by their addresses or another twin's, before one of them was gone:
        only who is linked with nobody of its own."""
        named = {self.named_by(row) for row in self.rows.values()}
        free = [row for row in self.rows.values() if self.named_by(row) is None and row.key not in named]
        found = [gone, linked]
        for each in found:
            found += [row for row in free if row not in found and self._shared(row, each, gone.left)]
        return found[2:]

    @staticmethod
    def _shared(one: Row, other: Row, until: float) -> bool:
        """Whether two records bore one address at one time, before then."""
        for mail in one.bore.keys() & other.bore.keys():
            (since, till), (from_, to) = one.bore[mail], other.bore[mail]
            if max(since, from_) < min(till, to, until):
                return True
        return False

    def _were_linked(self, gone: Row, other: Row) -> bool:
        """Whether a record was linked when it went: it and another one name each other, or what that was before it was
        converted, or one of them names nobody, because its id had not been written yet."""
        named = [self.named_by(each) for each in (gone, other)]
        names = [self.final(key).key if key is not None else None for key in named]
        return names in ([other.key, gone.key], [other.key, None], [None, gone.key])

    def final(self, key: Key) -> Row:
        """The record that a record has become."""
        row = self.rows[key]
        while not row.live and row.into:
            row = self.rows[row.side, row.into]
        return row

    def kin(self, row: Row) -> list[Row]:
        """All records of the same side, dead ones too, that count as this person's or share an address with it, or
        with somebody who does, and so on."""
        rows, found = list(self.rows.values()), [row]
        for each in found:
            near = [r for r in rows if self.is_of(r, each.person) or r.mails & each.mails]
            found += near
            rows = [r for r in rows if r not in near]
        return [r for r in {each.key: each for each in found}.values() if r.side == row.side]

    def has_twins(self, person: int) -> bool:
        """Whether a person ever had more than one record on a side, so that links may have moved between them."""
        mine = [row for row in self.rows.values() if self.is_of(row, person)]
        return any(len(self.kin(row)) > 1 for row in mine)

    def mail_of(self, row: Row) -> str:
        """The address that a record bears, as far as no vendor alters it."""
        return plain(row.get(TWO_WAY["email"]))
