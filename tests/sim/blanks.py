"""Fields that somebody empties where the mapping empties them across: the blank is a word like any other.

Only a blank at sales is followed, whose word decides a conflict: what marketing typed over the very value that was
emptied does not come back over it, once both sides had that value and were seen to have it. Imports nothing of the
engine.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from tests.sim.glimpses import Glimpses
from tests.sim.vocabulary import LAG, MA, SFA, TWO_WAY, Key, Row, Sent, Token

OVER = 2.0  # so long a request may still act after it has left


class Blank(NamedTuple):
    """A field that a person emptied: at which place in the record of the world, what stood there, and whether that was
    agreed on by then."""

    place: int
    was: Token
    agreed: bool


class Blanks(Glimpses):
    """Follows what is emptied."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: dict[int, Token] = {}
        self.place = 0
        self._put_back: set[tuple[str, str, str]] = set()
        self._swallowed: dict[tuple[str, str, str], int] = {}
        self._brought: dict[tuple[Key, str], float] = {}
        self._in_doubt: dict[Key, float] = {}
        self._blanks: dict[tuple[Key, str], Blank] = {}
        self._emptied: set[tuple[int, str]] = set()
        self._never_read: set[int] = set()

    def note_brought(self, row: Row, field: str, time: float, sent: Sent | None) -> None:
        """The engine has brought a value, by a write of which nobody has said yet that it arrived."""
        self._brought[row.key, field] = time
        self._in_doubt.setdefault(row.key, sent.left if sent is not None else time)

    def answered(self, side: str, ids: Collection[str], left: float, time: float) -> None:
        """A write of these records, which left at one time, is answered at another."""
        super().answered(side, ids, left, time)
        for key in [(side, id_) for id_ in ids]:
            if self._in_doubt.get(key) == left:
                del self._in_doubt[key]

    def looked(self, side: str, ids: Collection[str], time: float) -> None:
        """Records are read by id or by key: what was in doubt there, and can act no more, is found out by that and by
        nothing else (protocol §3). What stands there since is read back, and what was typed over it is not."""
        for key in [(side, id_) for id_ in ids]:
            left = self._in_doubt.get(key, time)
            if left + OVER + LAG < time:
                del self._in_doubt[key]
                for place, since in [each for each in self._brought.items() if each[0][0] == key]:
                    typed = self.rows[key].typed.get(self.place_of(place[1])[side], 0.0)
                    if left <= since < typed:
                        self._brought[place] = time
                    elif left <= since:
                        del self._brought[place]

    def _is_unread(self, row: Row, field: str, time: float) -> bool:
        """Whether what the engine may have brought was not read there yet."""
        brought = self._brought.get((row.key, field))
        if brought is None:
            return False
        in_doubt = self._in_doubt.get(row.key, float("inf")) <= brought
        return in_doubt or not self.was_read_since(row.key, brought, time)

    def _note_blank(self, row: Row, field: str, was: Token, time: float) -> None:
        """A person empties a field."""
        self._emptied.add((row.person, field))
        since = row.changed.get(TWO_WAY[field][row.side], time) + LAG
        read = self._was_read(since, time)
        self.note_back(row, field, time)
        agreed = read and {MA, SFA} <= was.arrived.keys() and was.number not in self._never_read
        self._blanks[row.key, field] = Blank(self.place, was, agreed)

    def note_typed_over(self, row: Row, field: str, was: Token, new: object, time: float) -> None:
        """A person types over what the engine may have brought, or empties it: unless it was read there before, nobody
        can know that both sides ever had it."""
        if self._is_unread(row, field, time):
            self._never_read.add(was.number)
        if new is None:
            self._note_blank(row, field, was, time)

    def note_back(self, row: Row, field: str, time: float) -> None:
        """A person puts back what may have stood there before the engine wrote: unless somebody has read it in between,
        nobody can know that ours ever stood there."""
        if self._is_unread(row, field, time):
            self._put_back.add((row.side, row.id, field))

    def _was_read(self, since: float, until: float) -> bool:
        """Whether a cycle that has come to its end began in between."""
        return any(since < cycle < until for cycle in self.cycles[-50:])

    def was_emptied(self, person: int, field: str) -> bool:
        """Whether somebody ever emptied a field of this person."""
        return any(field == name and self.who(each) == self.who(person) for each, name in self._emptied)

    def judge_filled(self, row: Row, field: str, now: Token, sent: Sent | None, *, api: bool) -> None:
        """A blank is filled: by a person, or by the engine that could have known it for somebody's word."""
        blank = self._blanks.pop((row.key, field), None)
        if blank is None or not api or sent is None or row.side != SFA:
            return
        if field not in self.ruling(sent).emptied or not blank.agreed:
            return
        older = blank.was is now or blank.was.number in now.after
        moved = self.has_twins(row.person) or row.returned > 0
        doubtful = (*row.key, TWO_WAY[field][SFA]) in self._swallowed
        if not older or moved or doubtful:
            self.counts["blanks filled"] += 1
        elif sent.looked.get(row.id, 0) < blank.place:
            self.counts["lost in the vendor's gap"] += 1
        else:
            text = f"{field} was emptied, and T{now.number} was written over the blank"
            self.offend("blank undone", row.key, text)
