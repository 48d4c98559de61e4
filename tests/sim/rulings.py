"""What the mapping that is in force demands, in the oracle's own words: which way a field goes, which words mean the
same, and whom nothing is written about. Judges every write of the engine by the mapping under which its cycle began.

Written beside the mapping files of `tests.sim.mapping` and from nothing of them. Imports nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.sim.persons import Persons
from tests.sim.vocabulary import MA, NAMES, OPT_OUTS, SETTLE, SFA, SOURCE, TEST, TWO_WAY, Key, Row, Sent

WORDS = {"web": "Web", "phone": "Phone Inquiry", "partner": "Partner Referral"}
OTHER_WORDS = {"web": "Web", "phone": "Partner Referral", "partner": "Phone Inquiry"}

EMPTIED = frozenset({"first_name", "phone", "title"})
ELSEWHERE = {"title": "leadStatus"}


class Ruling(NamedTuple):
    """A mapping: fields that only go to sales (`one_way`) or nowhere (`unmapped`), those read as another type
    (`retyped`), those that are emptied across where somebody empties them (`emptied`), those that stand elsewhere in
    marketing (`moved`), the words of `source` by what marketing calls them ({} = not mapped), whether those marked as a
    test are outside the scope, and whether marketing is told the ids of sales (`named`)."""

    one_way: frozenset[str] = frozenset()
    unmapped: frozenset[str] = frozenset()
    retyped: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()
    moved: frozenset[str] = frozenset()
    words: Mapping[str, str] = {}
    scoped: bool = True
    named: bool = True

    def reads(self, field: str) -> tuple[bool, bool]:
        """How a field is read: as another type, and elsewhere."""
        return field in self.retyped, field in self.moved


RULINGS: Mapping[str, Ruling] = {
    "plain": Ruling(scoped=False),
    "full": Ruling(words=WORDS),
    "narrow": Ruling(unmapped=frozenset({"title"}), words=WORDS),
    "one way": Ruling(one_way=frozenset({"title"}), words=WORDS),
    "retyped": Ruling(retyped=frozenset({"phone"}), words=WORDS),
    "reworded": Ruling(words=OTHER_WORDS),
    "turned": Ruling(words=WORDS),
    "emptying": Ruling(emptied=EMPTIED, scoped=False),
    "moved": Ruling(moved=frozenset(ELSEWHERE), scoped=False),
    "unnamed": Ruling(scoped=False, named=False),
}


class Rulings(Persons):
    """Knows which mapping was in force when."""

    def __init__(self) -> None:
        super().__init__()
        self._in_force: list[tuple[float, str]] = [(0.0, "plain")]

    def rule(self, since: float, name: str) -> None:
        """From this cycle on another mapping is in force."""
        self._in_force.append((since, name))
        self.counts[f"mapping «{name}» in force"] += 1

    def ruling(self, sent: Sent | None = None) -> Ruling:
        """The mapping under which a write left; without one, the last."""
        name = next(n for since, n in reversed(self._in_force) if sent is None or since <= sent.cycle)
        return RULINGS[name]

    def named_by(self, row: Row) -> Key | None:
        """The record across that a record names; where marketing is told no ids, the one that names it."""
        if row.side != MA or self.ruling().named:
            return super().named_by(row)
        mine = [each.key for each in self.live(SFA) if super(Rulings, self).named_by(each) == row.key]
        return mine[0] if len(mine) == 1 else None

    def was_one_way(self, field: str, since: float) -> bool:
        """Whether a field only went to sales at some time since."""
        ended = [until for until, _name in self._in_force[1:]] + [float("inf")]
        names = [name for (_since, name), until in zip(self._in_force, ended, strict=True) if until > since]
        return any(field in RULINGS[name].one_way for name in names)

    def went_one_way_at(self, field: str, when: float) -> bool:
        """Whether a field only went to sales by the mapping in force then."""
        name = next(name for since, name in reversed(self._in_force) if since <= when)
        return field in RULINGS[name].one_way

    def was_read_anew(self, field: str, since: float, until: float) -> bool:
        """Whether a field was read as another type, or elsewhere, from some cycle in between on: what was agreed
        before is void."""
        turns = zip(self._in_force, self._in_force[1:], strict=False)
        return any(
            since <= at <= until and RULINGS[old].reads(field) != RULINGS[new].reads(field)
            for (_at, old), (at, new) in turns
        )

    def place_of(self, field: str) -> Mapping[str, str]:
        """Where a field stands on each side under the mapping in force."""
        moved = field in self.ruling().moved
        return {**TWO_WAY[field], MA: ELSEWHERE[field]} if moved else TWO_WAY[field]

    def places_of(self, field: str, side: str) -> set[str]:
        """Everywhere that a field ever stood on a side."""
        elsewhere = side == MA and any(field in RULINGS[name].moved for _since, name in self._in_force)
        return {TWO_WAY[field][side], *([ELSEWHERE[field]] if elsewhere else [])}

    def is_outside(self, row: Row) -> bool:
        """Whether a record of marketing is outside the scope of the mapping in force."""
        return row.side == MA and row.get(TEST) is True and self.ruling().scoped

    def judge_written(self, row: Row, names: Mapping[str, object], sent: Sent) -> None:
        """A write of the engine: nothing goes the wrong way, and nothing to or from somebody outside the scope."""
        ruling = self.ruling(sent)
        for name in names:
            field = NAMES[row.side].get(name, "")
            if field in ruling.unmapped or (field in ruling.moved and row.side == MA):
                self.offend("unmapped", row.key, f"{field} was written, which is not mapped")
            if field in ruling.one_way and row.side == MA:
                self.offend("wrong way", row.key, f"{field} came to marketing, which decides it alone")
        if ruling.scoped and not names.keys() <= OPT_OUTS[row.side].keys():
            for lead in self._leads_of(row):
                if self.was_known_outside(lead, sent):
                    told = ", ".join(sorted(names.keys() - OPT_OUTS[row.side].keys()))
                    self.offend("out of scope", row.key, f"{told} written, and {lead.key} is a test")

    def _leads_of(self, row: Row) -> list[Row]:
        """The record of marketing that a write is about: its own, or the one that it is linked with."""
        if row.side == MA:
            return [row]
        mine = [lead for lead in self.live(MA) if self.named_by(lead) == row.key]
        named = self.named_by(row)
        if named is not None and self.rows[named] not in mine:
            mine.append(self.rows[named])
        return [lead for lead in mine if lead.live] if len(mine) == 1 else []

    def was_known_outside(self, lead: Row, sent: Sent) -> bool:
        """Whether a reader who began in time was bound to know that somebody is outside the scope."""
        known = lead.visible < (sent.sweep if lead.late else sent.cycle) - SETTLE
        return (
            known and lead.get(TEST) is True and lead.changed.get(TEST[MA], sent.cycle) < sent.cycle - SETTLE
        )

    def say_the_same(self, ma: Row, sfa: Row) -> bool:
        """Whether two records bear words that mean the same under the mapping in force, or none where no word is."""
        words = self.ruling().words
        left, right = ma.get(SOURCE), sfa.get(SOURCE)
        if not words or (left is None and right is None):
            return True
        self.counts["words judged"] += 1
        return left is not None and words.get(str(left).casefold()) == right
