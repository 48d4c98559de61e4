"""What a reader was bound to see: an address that is typed away and typed back before it was carried was never gone.

A side has changed when what is seen of it differs from what was agreed on (protocol §1). Nobody can tell such an
address from one that nobody touched, so that what was typed over it across is the only change. Imports nothing of the
engine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tests.sim.arrows import Arrows
from tests.sim.vocabulary import LAG, Key, Row, Token, across


class Stood(NamedTuple):
    """What stood in a record: the number of a typed value (0 = none), since when and since which place in the record of
    the world, since when queries show it, and whether the engine wrote it."""

    number: int
    since: float
    place: int
    visible: float
    api: bool


class Glimpses(Arrows):
    """Follows which addresses stood in each record, and which of them were there to be seen."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: list[tuple[float, float]] = []
        self._stood: defaultdict[Key, list[Stood]] = defaultdict(list)
        self._carried: dict[tuple[str, int], int] = {}

    def read_through(self, began: float, ended: float, refused: Iterable[str]) -> None:
        """A cycle from then till then has come to its end."""
        super().read_through(began, ended, refused)
        self._passed.append((began, ended))

    def note_stood(self, row: Row, stood: Stood) -> None:
        """An address came to stand in a record."""
        self._stood[row.key].append(stood)
        if stood.api:
            self._carried.setdefault((row.side, stood.number), stood.place)

    def was_never_gone(self, row: Row, token: Token, winner: Token | None) -> bool:
        """Whether an address was typed away and back unseen, and gives way to one that was typed over it."""
        stood = self._stood[row.key]
        over = winner is not None and token.number in winner.after and across(row.side) in token.arrived
        return over and bool(stood) and not stood[-1].api and self._is_back(row, token.number, stood)

    def _is_back(self, row: Row, number: int, stood: list[Stood]) -> bool:
        """Whether the address that both sides had last, before the one that stands there now, is the same."""
        until = stood[-1].since
        for each in reversed(stood[:-1]):
            known = each.api or self._carried.get((across(row.side), each.number), 0) > each.place
            cycles = [cycle for cycle in self._passed if each.visible + LAG < cycle[0] < until]
            if each.number == number and (known or cycles):
                return True
            if known:
                return False
            until = each.since
        return False
