"""Directly before an effect leaves its people are looked at once more; and notices go to channels, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from sync.errors import Retryable
from sync.ports import Paths
from sync.record import Record, Ref, Side
from sync.rows import APPLIED, FAILED, SUPERSEDED, UNCERTAIN, WAITING, OperationRow
from sync.rules import Effect
from sync.standing import Situation, Standing, StandingRule
from tests.support.office import Crash, Office, Town

HOT = 70


def told(*, channel: str = "", repeatable: bool = False) -> StandingRule:
    """One effect for everybody who is hot and has not opted out."""

    def derive(situation: Situation) -> Standing:
        score = situation.of(Side.MA).get("score")
        if situation.quiet or not isinstance(score, int) or score < HOT or situation.opted_out:
            return Standing(memory={})
        effect = Effect(
            f"notice:{situation.entity}:1", Side.SFA, "Notice", {"text": str(situation.entity)},
            who="" if channel else "WhoId", channel=channel, repeatable=repeatable,
        )  # fmt: skip
        return Standing(memory={}, effects=(effect,))

    return StandingRule(name="told", derive=derive)


def linked(*, people: int = 1, channel: str = "", repeatable: bool = False) -> tuple[Town, list[Ref]]:
    """People whom both sides know, none of them hot."""
    made = Town(standing=(told(channel=channel, repeatable=repeatable),))
    made.cycle()
    leads = [
        made.person(Side.MA, email=f"p{n}@x.example", lastName="山田", leadScore=1) for n in range(people)
    ]
    for _ in range(3):
        made.tick()
    return made, leads


def heat(made: Town, leads: Sequence[Ref]) -> None:
    """They become hot."""
    for ref in leads:
        made.ma.edit(ref, {"leadScore": 90})


def effects(made: Town) -> list[OperationRow]:
    """Every effect that was ever journaled."""
    rows = made.store.get(OperationRow, [(number,) for number in range(9_000)])
    return [row for row in rows if row.effect]


def test_who_opted_out_a_moment_ago_gets_nothing() -> None:
    """The feed does not show it yet, the record does: it is read directly before the effect would leave."""
    made, leads = linked()
    (sales,) = made.sfa._records
    made.sfa.edit(sales, {"HasOptedOutOfEmail": True}, late=3_600.0)
    heat(made, leads)
    made.tick()
    assert not made.sfa.tasks
    assert [row.state for row in effects(made)] == [SUPERSEDED]
    for _ in range(3):
        made.tick()
    assert not made.sfa.tasks
    (lead,) = made.ma._records.values()
    assert lead.values["unsubscribed"] is True


def test_an_effect_waits_while_its_person_is_not_shown() -> None:
    """Asked for and not given is not gone: the effect stands and leaves when the record is there again."""
    made, leads = linked()
    (sales,) = made.sfa._records
    hidden = made.sfa._records.pop(sales)
    heat(made, leads)
    made.tick()
    assert [row.state for row in effects(made)] == [WAITING]
    made.tick()
    assert not made.sfa.tasks
    made.sfa._records[sales] = hidden
    made.tick(3_700.0)
    made.tick(400.0)
    assert [row.state for row in effects(made)] == [APPLIED]
    assert len(made.sfa.tasks) == 1


class Down(Office):
    """A system that cannot be asked for single records while it is down."""

    down = False

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Records by id, or nothing at all."""
        if self.down and refs:
            raise Retryable("not now")
        return super().fetch(kind, refs, paths)


@pytest.mark.parametrize(("side", "sent"), [(Side.MA, 1), (Side.SFA, 0)])
def test_the_side_that_an_effect_goes_to_must_answer(side: Side, sent: int) -> None:
    """A look at the other side may fail: what is known of it is at most one cycle old."""
    made, leads = linked()
    heat(made, leads)
    made.tick(send=False)
    office = made.ma if side is Side.MA else made.sfa
    office.__class__ = Down
    assert isinstance(office, Down)
    office.down = True
    made.tick()
    assert len(made.sfa.tasks) == sent
    office.down = False
    made.tick()
    assert len(made.sfa.tasks) == 1


def test_a_notice_goes_to_its_channel() -> None:
    """Neither system sees it, and it comes once."""
    made, leads = linked(channel="desk")
    heat(made, leads)
    for _ in range(4):
        made.tick()
    (notice,) = made.desk.tasks
    assert notice.ref == Ref("desk", "Notice", "")
    assert not made.sfa.tasks
    assert not made.ma.tasks
    assert [row.state for row in effects(made)] == [APPLIED]


@pytest.mark.parametrize(("repeatable", "state", "times"), [(False, UNCERTAIN, 1), (True, APPLIED, 2)])
def test_a_notice_in_doubt_is_listed_or_repeated(*, repeatable: bool, state: str, times: int) -> None:
    """A channel cannot be asked what it has told: only what may be repeated is sent once more."""
    made, leads = linked(channel="desk", repeatable=repeatable)
    heat(made, leads)
    made.desk.lose = True
    for _ in range(4):
        made.tick()
    assert len(made.desk.tasks) == times
    assert [row.state for row in effects(made)] == [state]


def test_a_channel_that_is_no_longer_configured_fails_its_notices() -> None:
    """They stay open with their cause, and leave when the channel is there again."""
    made, leads = linked(channel="desk")
    made.channels = {}
    heat(made, leads)
    made.tick()
    (row,) = effects(made)
    assert (row.state, row.reason) == (FAILED, "no_channel")
    made.channels = {"desk": made.desk}
    made.tick(4_000.0)
    assert len(made.desk.tasks) == 1


@pytest.mark.parametrize("channel", ["", "desk"])
def test_crashes_double_no_effect_and_lose_none_unlisted(channel: str) -> None:
    """Whichever commit the process dies at, and whatever answer is lost: once, or listed as uncertain."""
    for seed in range(25):
        made, leads = linked(people=5, channel=channel)
        made.store.dice = Random(seed)
        office = made.desk if channel else made.sfa
        office.lose = seed % 2 == 0
        heat(made, leads)
        for _ in range(5):
            try:
                made.tick()
            except Crash:
                office.lose = seed % 3 == 0
        made.store.dice = None
        for _ in range(6):
            made.tick()
        happened = Counter(str(task.values["text"]) for task in office.tasks)
        states = Counter(row.state for row in effects(made))
        assert max(happened.values(), default=0) <= 1
        assert states[APPLIED] + states[UNCERTAIN] == 5
        assert len(happened) >= states[APPLIED]
