"""A system's budget: windows, calls at once, the day, the reserve and who goes first, for any order of asking."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.budget import Budget
from connectors.ledger import ASK_AGAIN, FULL, LANES, Ledger, Limits
from connectors.resets import resets_at
from simulators.marketo.gate import Quota
from sync.errors import QuotaSpent, Retryable
from sync.rows import LANE_BACKFILL, LANE_DELTA, LANE_HAND_OVER, LANE_OPT_OUT
from tests.connectors.rigs import MarketoRig, RigClock, SalesforceRig

FLOORS = (0.0, 0.02, 0.1, 0.5)
LANE = st.sampled_from(sorted(LANES))
NOON = datetime(2026, 11, 22, 18, 0, tzinfo=UTC).timestamp()
CENTRAL = resets_at("00:00 America/Chicago")


def ledger(**more: object) -> Ledger:
    """An account with the floors of the settings."""
    given_ = {"system": "one", "floors": FLOORS, "concurrency": 1_000_000, "until_reset": CENTRAL, **more}
    return Ledger(Limits(**given_))  # type: ignore[arg-type]


def leaves(account: Ledger, lane: int, now: float, tick: float | None = None) -> bool:
    """Whether a call leaves now; it has come back at once."""
    try:
        wait = account.ask(lane, now, now if tick is None else tick)
    except QuotaSpent:
        return False
    if not wait:
        account.ended()
    return not wait


STEP = st.tuples(
    LANE,
    st.floats(0.0, 30.0),
    st.floats(-100_000.0, 100_000.0) | st.just(0.0),
    st.sampled_from(["", "", "", "slow", "told"]),
)


@given(st.lists(STEP, max_size=120), st.integers(1, 12), st.floats(0.5, 25.0))
def test_no_window_ever_holds_more_than_allowed(
    steps: list[tuple[int, float, float, str]], most: int, window: float
) -> None:
    """Whoever asks when, however the host's clock is set meanwhile: in any span of the window's length at most so many
    calls have left, counted by the clock that only goes on."""
    account, tick, drift = ledger(window_calls=most, window_seconds=window, daily_calls=0), 0.0, 0.0
    left: deque[float] = deque()
    for lane, pause, step, what in steps:
        tick, drift = tick + pause, drift + step
        if what == "slow":
            account.slow(tick)
        if leaves(account, lane, NOON + tick + drift, tick):
            left.append(tick)
        while left and left[0] <= tick - window:
            left.popleft()
        assert len(left) <= most


@given(st.lists(st.one_of(LANE, st.just(-1)), max_size=80), st.integers(1, 5))
def test_no_more_at_once_than_allowed(steps: list[int], most: int) -> None:
    """Calls begin and end in any order: so many are under way, and one that may not begin waits for another's end."""
    account, inside = ledger(concurrency=most), 0
    for step in steps:
        if step < 0:
            if inside:
                account.ended()
                inside -= 1
            continue
        assert account.ask(step, NOON, 0.0) == (FULL if inside == most else 0.0)
        inside = min(inside + 1, most)


@given(
    st.lists(st.tuples(LANE, st.integers(0, 40)), max_size=300),
    st.integers(20, 400),
    st.sampled_from([0.0, 0.2, 0.5]),
)
def test_the_reserve_is_never_touched_and_lanes_stop_in_their_order(
    steps: list[tuple[int, int]], daily: int, reserve: float
) -> None:
    """Other applications take what they like at any time, and the vendor tells it: none of our calls leaves beyond our
    share, and whenever a lane may call, every hotter one may."""
    account, used = ledger(daily_calls=daily, reserve=reserve), 0
    for number, (lane, others) in enumerate(steps):
        used += others
        account.observe(used, daily, float(number))
        shut = account.standing(NOON, float(number)).shut
        names = [LANES[each] for each in sorted(LANES)]
        assert [name for name in names if name in shut] == names[len(names) - len(shut) :]
        gone = leaves(account, lane, NOON, float(number))
        assert gone == (LANES[lane] not in shut)
        if gone:
            assert used < daily * (1.0 - reserve) * (1.0 - FLOORS[lane])
            used += 1


@given(st.lists(st.tuples(LANE, st.floats(-200_000.0, 200_000.0) | st.floats(0.0, 60.0)), max_size=80))
def test_a_clock_that_is_set_makes_no_calls_out_of_nothing(steps: list[tuple[int, float]]) -> None:
    """Set back or forward by any time, the day goes on with what was used of it: only where the clock has passed a
    reset forwards the calls begin anew. Nobody is told to wait longer than a day and an hour."""
    zone = ZoneInfo("America/Chicago")
    account, now, day = ledger(daily_calls=10), NOON, 0
    for number, (lane, step) in enumerate(steps):
        before, now = now, now + step
        if datetime.fromtimestamp(now, zone).date() > datetime.fromtimestamp(before, zone).date():
            day = 0
        shut = account.standing(now, number * 0.001).shut
        if leaves(account, lane, now, number * 0.001):
            day += 1
            assert day <= 10
        else:
            assert now < shut[LANES[lane]] <= now + 90_001


@pytest.mark.parametrize(
    ("before", "hours"),
    [
        ("2026-03-07T12:00", 12),
        ("2026-03-08T00:30", 22.5),
        ("2026-10-31T23:30", 0.5),
        ("2026-11-01T00:00", 25),
        ("2026-11-01T23:59", 1 / 60),
    ],
)
def test_the_reset_follows_summer_time(before: str, hours: float) -> None:
    """The day on which the clocks go forward has 23 hours until the reset, the one on which they go back 25."""
    assert CENTRAL is not None
    zone = ZoneInfo("America/Chicago")
    now = datetime.fromisoformat(before).replace(tzinfo=zone).timestamp()
    assert CENTRAL(now) == hours * 3_600


@pytest.mark.parametrize("wrong", ["midnight", "25:00 UTC", "00:00 Middle/Earth", "00:00"])
def test_a_reset_that_cannot_be_is_refused(wrong: str) -> None:
    """A misspelt zone is found when the settings are read, not at midnight."""
    with pytest.raises(ValueError, match="America/Chicago"):
        resets_at(wrong)


def test_what_the_vendor_counts_stands_where_it_is_higher() -> None:
    """Others' calls are seen when the vendor tells of them; a count that lags behind ours is not believed."""
    account = ledger(daily_calls=1_000)
    for _ in range(10):
        assert leaves(account, LANE_DELTA, NOON)
    account.observe(700, 1_000, 1.0)
    assert (account.used, account.own) == (700, 10)
    assert leaves(account, LANE_DELTA, NOON, 1.0)
    assert account.used == 701
    account.observe(3, 1_000, 2.0)
    assert account.used == 11


def test_calls_under_way_while_the_vendor_counts_are_counted_twice_rather_than_not() -> None:
    """A call that has left may or may not be in the vendor's figure; the reserve is kept either way."""
    account = ledger(daily_calls=100)
    for _ in range(3):
        assert account.ask(LANE_DELTA, NOON, 0.0) == 0.0
    account.observe(50, 100, 0.0)
    assert account.used == 53


def test_the_vendor_is_asked_every_five_minutes_or_when_it_matters() -> None:
    """At first, after five minutes, after a hundredth of the day's calls, and after fewer the nearer our share ends."""
    account = ledger(daily_calls=1_000, reserve=0.2)
    assert account.look_due(0.0)
    account.observe(0, 1_000, 0.0)
    calls = 0
    while not account.look_due(1.0):
        assert leaves(account, LANE_OPT_OUT, NOON, 1.0)
        calls += 1
    assert calls == 10
    account.observe(770, 1_000, 2.0)
    calls = 0
    while not account.look_due(2.0):
        assert leaves(account, LANE_OPT_OUT, NOON, 2.0)
        calls += 1
    assert calls == 7
    account.looking(3.0)
    assert not account.look_due(3.0)
    assert account.look_due(303.0)


def test_the_rate_falls_at_once_and_recovers_slowly() -> None:
    """After «too fast» half as many calls fit into a window and at once, after several a small part; every twenty
    seconds an eighth comes back. What many calls are told in the same moment is one trouble."""
    account = ledger(window_calls=80, window_seconds=20.0, concurrency=8)
    rates = [account.standing(NOON, 0.0).rate]
    for tick in (0.0, 0.1, 6.0, 12.0, 18.0):
        account.slow(tick)
        rates.append(account.standing(NOON, tick).rate)
    assert rates == [1.0, 0.5, 0.5, 0.25, 0.125, 0.125]
    gone = sum(leaves(account, LANE_OPT_OUT, NOON, 18.0) for _ in range(100))
    assert gone == 10
    assert [account.standing(NOON, 18.0 + 20.0 * step).rate for step in (1, 4, 7, 8)] == [
        0.25,
        0.625,
        1.0,
        1.0,
    ]


def test_a_hotter_lane_finds_room_in_the_window() -> None:
    """A backfill fills three quarters of the window and waits; changes, hand-overs and opt-outs need not."""
    account = ledger(window_calls=80, window_seconds=20.0)
    gone = [
        sum(leaves(account, lane, NOON, 0.0) for _ in range(100))
        for lane in (LANE_BACKFILL, LANE_DELTA, LANE_HAND_OVER, LANE_OPT_OUT)
    ]
    assert gone == [60, 12, 8, 0]
    assert account.ask(LANE_BACKFILL, NOON, 0.5) == 19.5


def test_a_cap_of_our_own_holds_whatever_the_vendor_allows() -> None:
    """With `own_calls` our own calls end there, lanes in their order, and come back at the reset."""
    account = ledger(daily_calls=50_000, own_calls=100)
    gone = [
        sum(leaves(account, lane, NOON) for _ in range(200))
        for lane in (LANE_BACKFILL, LANE_DELTA, LANE_HAND_OVER, LANE_OPT_OUT)
    ]
    assert gone == [50, 40, 8, 2]
    assert CENTRAL is not None
    assert leaves(account, LANE_BACKFILL, NOON + CENTRAL(NOON))


def test_after_the_vendors_no_nothing_leaves_until_its_day_begins() -> None:
    """«Used up» shuts every lane, whatever we had counted."""
    account = ledger(daily_calls=50_000)
    account.shut(NOON + 3_600)
    assert set(account.standing(NOON, 0.0).shut) == set(LANES.values())
    with pytest.raises(QuotaSpent) as caught:
        account.ask(LANE_OPT_OUT, NOON, 0.0)
    assert caught.value.after == 3_600
    assert leaves(account, LANE_BACKFILL, NOON + 3_600)


def test_where_the_last_24_hours_count_one_call_in_a_quarter_of_an_hour_looks() -> None:
    """Nobody knows when calls come back there, so one finds out; a cap of our own is not looked at so."""
    account = ledger(daily_calls=100, until_reset=None)
    account.observe(100, 100, 0.0)
    assert not leaves(account, LANE_OPT_OUT, NOON, 899.0)
    assert leaves(account, LANE_OPT_OUT, NOON, ASK_AGAIN)
    assert not leaves(account, LANE_OPT_OUT, NOON, ASK_AGAIN + 1)
    capped = ledger(own_calls=1, until_reset=None)
    assert leaves(capped, LANE_OPT_OUT, NOON)
    assert not leaves(capped, LANE_OPT_OUT, NOON, 10 * ASK_AGAIN)
    assert leaves(capped, LANE_OPT_OUT, NOON + 86_400, 10 * ASK_AGAIN)


def test_another_process_goes_on_with_the_day() -> None:
    """What was used by a command counts for the service of the same day, and not for the next one's."""
    first, second, later = (ledger(daily_calls=100) for _ in range(3))
    for _ in range(30):
        assert leaves(first, LANE_DELTA, NOON)
    second.resume(first.kept(), NOON + 60)
    later.resume(first.kept(), NOON + 86_400)
    assert (second.own, later.own) == (30, 0)


def test_hotter_lanes_go_first_when_a_place_is_free() -> None:
    """Of those who wait for one connection the hottest lane is next, then who came first."""
    budget, order, ready = Budget(RigClock(), concurrency=1), list[str](), threading.Barrier(5)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with budget.slot("first"):
            inside.set()
            leave.wait(10)

    def call(lane: int) -> None:
        ready.wait(10)
        with budget.lane(lane), budget.slot("x"):
            order.append(LANES[lane])

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert inside.wait(10)
    for lane in (LANE_BACKFILL, LANE_DELTA, LANE_OPT_OUT, LANE_HAND_OVER):
        threads.append(threading.Thread(target=call, args=(lane,)))
        threads[-1].start()
    ready.wait(10)
    for _ in range(1_000):
        if len(budget._line) == 4:
            break
        threading.Event().wait(0.005)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert order == ["opt-out", "hand-over", "delta", "backfill"]


def test_a_write_does_not_wait_past_the_time_until_which_it_may_leave() -> None:
    """Whoever settles a lost answer counts from that time, so a write that would leave later is not sent at all."""
    clock = RigClock()
    budget = Budget(clock, window_calls=1, window_seconds=20.0)
    with budget.slot("x"):
        pass
    with (
        pytest.raises(Retryable, match="nothing was sent"),
        budget.lane(LANE_DELTA, clock.now() + 10),
        budget.slot("x"),
    ):
        pass
    assert clock.slept == []
    with budget.lane(LANE_DELTA, clock.now() + 25), budget.slot("x"):
        assert clock.slept == [20.0]
    with pytest.raises(Retryable), budget.lane(LANE_DELTA, clock.now() - 1), budget.slot("x"):
        pass
    assert budget.calls["x"] == 2


def test_each_thread_works_in_its_own_lane() -> None:
    """A lane is a thread's own and ends where it was left, so a backfill's read beside us changes nothing for us."""
    budget = Budget(RigClock(), daily_calls=100, floors=FLOORS)
    budget.observe(60, 100)
    refused: list[bool] = []

    def other() -> None:
        with budget.lane(LANE_BACKFILL):
            try:
                with budget.slot("x"):
                    refused.append(False)
            except QuotaSpent:
                refused.append(True)

    with budget.lane(LANE_HAND_OVER):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with budget.slot("x"):
            pass
    with budget.slot("x"):
        pass
    assert (refused, budget.calls["x"]) == ([True], 2)


@pytest.mark.parametrize("kind", [MarketoRig, SalesforceRig])
def test_a_vendor_that_says_too_fast_is_called_more_slowly(kind: type[MarketoRig | SalesforceRig]) -> None:
    """606 and «concurrent» halve the rate, the call itself is repeated, and the rate comes back in time."""
    rig = kind()
    try:
        rig.connector.limits()
        rig.faults.script.append("rate_limited")
        rig.connector.limits()
        budget = rig.connector.client.http.budget
        assert budget.standing().rate in (0.5, 0.625)  # the wait before the repetition counts already
        rig.clock.advance(80.0)
        assert budget.standing().rate == 1.0
    finally:
        rig.close()


def test_what_a_vendor_counts_of_others_shuts_lanes_in_their_order() -> None:
    """Another application's calls are seen at Marketo within a hundredth of the day's, at Salesforce with the next
    reply; the backfill's view is refused then without a call, the connector itself goes on."""
    for rig in (MarketoRig("feed"), SalesforceRig()):
        try:
            daily = 50_000 if isinstance(rig, MarketoRig) else 100_000
            rig.connector.limits()
            if isinstance(rig, MarketoRig):
                rig.api.gate.spend(25_000)
                rig.clock.advance(301)
                rig.connector.client.describe()
            else:
                rig.api.quota.spend(rig.clock.now(), 50_000)
                rig.connector.client.query("SELECT Id FROM Lead LIMIT 1")
            standing = rig.connector.client.http.budget.standing()
            assert standing.used >= daily // 2
            assert set(standing.shut) == {"backfill"}
            before = sum(rig.connector.client.http.calls.values())
            view = rig.connector.in_lane(LANE_BACKFILL)
            with pytest.raises(QuotaSpent, match="backfill"):
                view.fetch("person", [rig.ref("1")], rig.paths)
            with pytest.raises(QuotaSpent):
                next(iter(view.changes("person", None, rig.paths)))
            assert sum(rig.connector.client.http.calls.values()) == before
            rig.connector.limits()
        finally:
            rig.close()


def test_after_a_used_up_day_nobody_asks_in_vain() -> None:
    """The vendor's own «used up» is heard once; until its reset no further call leaves, and then they do."""
    rig = MarketoRig()
    try:
        rig.api.gate.quota = Quota(calls=None, daily=3)
        rig.connector.client.describe()
        rig.api.gate.spend(9)
        with pytest.raises(QuotaSpent):
            rig.connector.client.describe()
        asked = rig.state.calls.total()
        with pytest.raises(QuotaSpent) as caught:
            rig.connector.client.describe()
        assert rig.state.calls.total() == asked
        rig.clock.advance(caught.value.after + 1)
        rig.connector.client.describe()
    finally:
        rig.close()
