"""Twelve short scenarios of at most five people each, for whoever dies at every point of them.

Each is who stands there before the engine runs, and acts between which it runs. Knows nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tests.sim.people import People
from tests.sim.vocabulary import MA, SCORE, SFA, TOPICS, TWO_WAY, Row

Act: TypeAlias = Callable[["Play"], None]
BOTH = (MA, SFA)


class Play:
    """Two vendors' screens, with people named by number."""

    def __init__(self, people: People, look: Callable[[], None]) -> None:
        self.people, self._look = people, look

    def enter(self, person: int, *sides: str) -> None:
        """A person is entered on these sides, under one address and with every field filled."""
        for side in sides:
            mails = self.people.mails.setdefault(person, [])
            if not mails:
                mails.append(f"{self.people._token(person).lower()}@mail.example")
            values: dict[str, object] = {TWO_WAY["email"][side]: mails[0]}
            for field in ("last_name", "first_name", "company", "phone"):
                values[TWO_WAY[field][side]] = self.people._token(person)
            self.people._type(side, None, person, values)

    def row(self, side: str, person: int, number: int = 0) -> Row:
        """The how-manieth living record of a person on a side."""
        self._look()
        return [row for row in self.people.oracle.live(side) if row.person == person][number]

    def type(self, side: str, person: int, *fields: str, number: int = 0) -> None:
        """New texts are typed into a person's record."""
        row = self.row(side, person, number)
        values: dict[str, object] = {TWO_WAY[field][side]: self.people._token(person) for field in fields}
        self.people._type(side, row, person, values)

    def opt_out(self, side: str, person: int, topic: str) -> None:
        """A person opts out."""
        yes = True
        self.set(side, person, TOPICS[topic][side], yes)

    def set(self, side: str, person: int, path: str, value: object) -> None:
        """Any other field of a person's record is set."""
        self.people._type(side, self.row(side, person), person, {path: value})

    def move(self, person: int, *sides: str) -> None:
        """A person gets another address, the same on all these sides."""
        mail = f"{self.people._token(person).lower()}@mail.example"
        self.people.mails[person].append(mail)
        for side in sides:
            self.set(side, person, TWO_WAY["email"][side], mail)

    def convert(self, person: int) -> None:
        """A person's lead becomes a contact."""
        self.people.sfa.human_convert(self.row(SFA, person).id, contact=None)

    def merge(self, side: str, person: int) -> None:
        """Of a person's two records the second is merged into the first."""
        winner, loser = self.row(side, person), self.row(side, person, 1)
        if side == MA:
            self.people.ma.human_merge(int(winner.id), [int(loser.id)])
        else:
            self.people.sfa.human_merge(winner.object, winner.id, loser.id)

    def delete(self, side: str, person: int) -> None:
        """A person's record is thrown away."""
        row = self.row(side, person)
        if side == MA:
            self.people.ma.human_delete(int(row.id))
        else:
            self.people.sfa.human_delete(row.object, row.id)

    def restore(self, person: int) -> None:
        """A person's deleted record is taken out of the bin."""
        rows = self.people.oracle.rows.values()
        gone = next(row for row in rows if row.person == person and row.side == SFA and not row.live)
        self.people.sfa.human_undelete(gone.object, gone.id)


def _linked(count: int) -> Act:
    def enter(play: Play) -> None:
        for person in range(1, count + 1):
            play.enter(person, *BOTH)

    return enter


def _strangers(play: Play) -> None:
    play.enter(1, *BOTH)
    play.enter(2, MA)
    play.enter(3, SFA)
    play.enter(4, MA, MA)


def _nothing(_play: Play) -> None:
    pass


def _conflict(play: Play) -> None:
    play.type(MA, 1, "phone")
    play.type(SFA, 1, "phone")
    play.type(MA, 2, "title")
    play.type(SFA, 2, "first_name")


def _opt_outs(play: Play) -> None:
    play.opt_out(MA, 1, "all")
    play.opt_out(SFA, 2, "seminar")


def _out_and_new(play: Play) -> None:
    play.enter(3, MA)
    play.opt_out(MA, 3, "all")


def _merged_and_edited(side: str) -> Act:
    def act(play: Play) -> None:
        play.merge(side, 1)
        play.type(side, 1, "title")

    return act


def _converted(play: Play) -> None:
    play.type(MA, 1, "title")
    play.convert(1)


def _burst(play: Play) -> None:
    for person in range(1, 6):
        play.type(MA, person, "title")
        play.set(MA, person, SCORE[MA], 10 * person)


SCRIPTS: Mapping[str, tuple[Act, Sequence[Act]]] = {
    "first sync": (_strangers, [_nothing]),
    "conflict": (_linked(2), [_conflict]),
    "opt-outs": (_linked(2), [_opt_outs]),
    "new lead": (_linked(1), [lambda play: play.enter(2, MA), lambda play: play.type(MA, 2, "title")]),
    "new record": (_linked(1), [lambda play: play.enter(2, SFA), lambda play: play.type(SFA, 2, "title")]),
    "new twins": (_linked(1), [lambda play: play.enter(2, MA, MA), lambda play: play.type(MA, 2, "phone")]),
    "opted out and new": (_linked(2), [_out_and_new]),
    "conversion": (_linked(2), [_converted, lambda play: play.type(SFA, 1, "phone")]),
    "merge": (_linked(1), [lambda play: play.enter(1, SFA), _merged_and_edited(SFA)]),
    "deleted and restored": (
        _linked(2),
        [lambda play: play.delete(SFA, 1), lambda play: play.type(MA, 1, "title"), lambda play: play.restore(1)],
    ),
    "new address": (
        _linked(2), [lambda play: play.move(1, MA), lambda play: play.move(2, *BOTH), lambda play: play.enter(1, MA)],
    ),
    "burst": (_linked(5), [_burst]),
}  # fmt: skip
