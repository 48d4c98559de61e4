"""What a reader was bound to see: an address that is typed away and typed back before it was carried was never gone.

A side has changed when what is seen of it differs from what was agreed on (protocol §1). Nobody can tell such an
address from one that nobody touched, so that what was typed over it across is the only change. Imports nothing of the
engine.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from tests.sim.arrows import Arrows
from tests.sim.vocabulary import Key, Row, Sent, Token, across


class Stood(NamedTuple):
    """What stood in a record: the number of a typed value (0 = none), since when and since which place in the record of
    the world, and whether the engine wrote it."""

    number: int
    since: float
    place: int
    api: bool


class Glimpses(Arrows):
    """Follows which addresses stood in each record, and which of them were there to be seen."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: list[tuple[float, float]] = []
        self._stood: defaultdict[Key, list[Stood]] = defaultdict(list)
        self._carried: dict[tuple[str, int], int] = {}

    def passed(self, began: float, ended: float) -> None:
        """A cycle went on from then till then, whatever became of it: what it had agreed on before it broke off
        stays."""
        self._passed.append((began, ended))

    def was_deleted(self, row: Row, sent: Sent | None) -> bool:
        """Also where a cycle may have read it while it was in the bin: who led in its place then goes on to lead."""
        read = any(began < row.returned and row.gone < ended for began, ended in self._passed)
        return super().was_deleted(row, sent) or (row.returned > 0.0 and read)

    def note_stood(self, row: Row, stood: Stood) -> None:
        """An address came to stand in a record."""
        self._stood[row.key].append(stood)
        if stood.api:
            self._carried.setdefault((row.side, stood.number), stood.place)

    def was_never_gone(self, row: Row, token: Token, winner: Token | None) -> bool:
        """Whether an address was typed away and back unseen, and gives way to one that was typed over it."""
        stood = self._stood[row.key]
        over = winner is not None and token.number in winner.after and across(row.side) in token.arrived
        return over and bool(stood) and not stood[-1].api and self._is_back(row, token, stood)

    def _is_back(self, row: Row, token: Token, stood: list[Stood]) -> bool:
        """Whether the address that both sides had last, before the one that stands there now, is the same."""
        after = stood[-1]
        for each in reversed(stood[:-1]):
            known = each.api or self._carried.get((across(row.side), each.number), 0) > each.place
            if each.number == token.number and (known or self._may_be_agreed(each, after, token, row)):
                return True
            if known:
                return False
            after = each
        return False

    def _may_be_agreed(self, stood: Stood, after: Stood, token: Token, row: Row) -> bool:
        """Whether a cycle may have read an address here while it stood across as well: a first reading lists what no
        feed had to show yet."""
        if token.arrived[across(row.side)] > after.place:
            return False
        return any(began < after.since and stood.since < ended for began, ended in self._passed)
