"""Brakes on sources as pure rules: what counts as an accident, over which time, and what is never counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei.brakewords import FORMS
from sync.approving import plan_name
from sync.beats import DAY, HOUR, SLOT, Beats, looked_at
from sync.guard import EVERYTHING, Brake
from sync.pulse import ALTERED, CHANGED, CLONES, EMPTIED, KEPT, LOSS, MERGES, RENAMED, SAME, UNLINKS, Pulse
from sync.rules import default_signs
from sync.said import Seen
from sync.watch import Source, watch, watch_clock

LIMITS = default_signs()
NOW = 1_000_000.0


def source(now: Pulse, hour: Pulse | None = None, day: Pulse | None = None, held: int = 2_000) -> Source:
    """A source with these counts."""
    return Source(
        system="left", spans=(now, hour or now, day or hour or now), held=held, keys=frozenset({"Lead.mail"}),
        aside=frozenset({"Lead.optOut"}),
    )  # fmt: skip


def pulse(*changes: tuple[str, object, object], times: int = 1) -> Pulse:
    """So many records with the same changes, path by path."""
    found = Pulse()
    for _ in range(times):
        found.change("Lead", {path: (old, new) for path, old, new in changes})  # type: ignore[misc]
    return found


def counted(sign: str, number: int) -> Pulse:
    """A count of the source as a whole."""
    found = Pulse()
    found.add(sign, number=number)
    return found


ACCIDENTS = {
    "emptied": (pulse(("fax", "1", None), times=51), "left Lead.fax lost its value in 51 records this cycle, limit 50"),
    "renamed": (pulse(("kind", "a", "b"), times=101),
                "left Lead.kind turned «a → b» in 101 records this cycle, limit 100"),
    "day": (pulse(("on", "2026-12-02", "2026-12-01"), times=51),
            "left Lead.on moved by -1 d in 51 records this cycle, limit 50"),
    "hours": (pulse(("at", "2026-12-02T01:00:00Z", "2026-12-02T10:00:00Z"), times=51),
              "left Lead.at moved by +9 h in 51 records this cycle, limit 50"),
    "column": (pulse(("first", "Ann", "Lee"), ("last", "Lee", "Buyer"), times=51),
               "left Lead.first took what stood in last in 51 records this cycle, limit 50"),
    "keys": (pulse(("mail", "a@x.jp", "b@x.jp"), times=51),
             "the key left Lead.mail changed in 51 records this cycle, limit 50"),
    "clones": (counted(CLONES, 51), "left has 51 new records of people whom it had already this cycle, limit 50"),
    "merges": (counted(MERGES, 51), "left merged 51 records away this cycle, limit 50"),
    "unlinks": (counted(UNLINKS, 51),
                "left deleted 51 linked records or moved them out of scope this cycle, limit 50 (limits: unlinks)"),
    "losses": (counted(LOSS, 51), "left lost 51 records this cycle, limit 50"),
}  # fmt: skip


def test_keys_that_are_filled_in_make_nobody_somebody_else() -> None:
    """Ids that come back after a kill, where there was nothing, stop nothing; one more than the limit replaced do."""
    filled = pulse(("mail", None, "a@x.jp"), times=500)
    assert watch(source(filled), LIMITS) is None
    filled.take(pulse(("mail", "a@x.jp", "b@x.jp"), times=51))
    assert watch(source(filled), LIMITS) is not None


@pytest.mark.parametrize(("counts", "reason"), ACCIDENTS.values(), ids=list(ACCIDENTS))
def test_an_accident_is_named_in_one_line(counts: Pulse, reason: str) -> None:
    """One more than the limit is stopped, all of the route, with a line that says what happened where."""
    found = watch(source(counts), LIMITS)
    assert found is not None
    assert (found.action, found.reason) == (EVERYTHING, reason)
    assert any(form.fullmatch(reason) for _key, form in FORMS)


@pytest.mark.parametrize("counts", [
    pulse(("fax", "1", None), times=50), pulse(("kind", "a", "b"), times=100), pulse(("fax", None, "1"), times=900),
    pulse(("optOut", "no", "yes"), times=900), counted(LOSS, 50), pulse(("score", 1, 2), times=900),
    pulse(("active", False, True), times=900),
], ids=["blanks", "words", "filled", "opt-outs", "losses", "numbers", "ticks"])  # fmt: skip
def test_people_at_work_are_not_stopped(counts: Pulse) -> None:
    """Up to the limit, what was blank and is filled, opt-outs (which have a brake of their own), numbers and ticks."""
    assert watch(source(counts), LIMITS) is None


def test_a_change_that_few_of_the_changed_share_is_nobodys_accident() -> None:
    """A hundred and one turn from a to b while two hundred others change the same field otherwise."""
    counts = pulse(("kind", "a", "b"), times=101)
    for number in range(200):
        counts.take(pulse(("kind", "c", f"d{number}")))
    assert watch(source(counts), LIMITS) is None


def test_the_share_counts_where_many_are_held() -> None:
    """One in a hundred of 300,000 is three thousand."""
    counts = counted(LOSS, 2_999)
    assert watch(source(counts, held=300_000), LIMITS) is None
    assert watch(source(counted(LOSS, 3_001), held=300_000), LIMITS) is not None


def test_links_that_end_are_a_share_of_the_links() -> None:
    """Two hundred and one of 20,000 linked people are many, whatever else a system holds."""
    many = replace(source(counted(UNLINKS, 201), held=300_000), linked=20_000)
    assert watch(many, LIMITS) is not None
    assert watch(replace(many, linked=30_000), LIMITS) is None


@pytest.mark.parametrize(("hour", "day", "limit"), [(101, 101, 100), (100, 301, 300), (100, 300, 0)])
def test_what_trickles_in_is_added_up(hour: int, day: int, limit: int) -> None:
    """Thirty at a time are stopped when an hour has seen twice a cycle's limit, or a day six times."""
    found = watch(source(counted(LOSS, 30), counted(LOSS, hour), counted(LOSS, day)), LIMITS)
    assert (found.limit if found else 0) == limit


def test_what_is_over_does_not_stop_a_quiet_cycle() -> None:
    """A cycle that adds nothing to a sign is not stopped by what an hour has seen before."""
    assert watch(source(Pulse(), counted(LOSS, 900), counted(LOSS, 900)), LIMITS) is None


@pytest.mark.parametrize(
    ("changed", "same", "hour", "day", "limit"),
    [(1_500, 0, 0, 0, 1_000), (1_500, 15, 0, 0, 1_000), (1_500, 300, 0, 0, 0), (900, 0, 0, 0, 0),
     (100, 0, 901, 0, 1_000), (100, 0, 900, 0, 0), (100, 0, 0, 2_901, 3_000), (0, 0, 1_500, 1_500, 0),
     (100, 1, 901, 0, 1_000), (100, 30, 901, 0, 0)],
)  # fmt: skip
def test_where_nothing_is_unchanged_something_is_wrong(
    changed: int, same: int, hour: int, day: int, limit: int
) -> None:
    """Half of all records changed and none read unchanged, at once or little by little: that is a clock, a key or
    another system, not work. Of a small number twice as many may in an hour; of half of all there is no twice."""
    fresh = counted(ALTERED, changed)
    fresh.add(SAME, number=same)
    spans = [fresh]
    for before in (hour, day):
        whole = counted(ALTERED, before)
        whole.take(spans[-1])
        spans.append(whole)
    found = watch(source(spans[0], spans[1], spans[2]), LIMITS)
    assert (found.limit if found else 0) == limit
    assert found is None or any(form.fullmatch(found.reason) for _key, form in FORMS)


@pytest.mark.parametrize(("ahead", "reason"), [
    (172_800.0, "the clock of left is 2 d ahead of ours, limit 15 min"),
    (-90_000.0, "the clock of left is 25 h behind ours, limit 15 min"), (900.0, ""), (-899.0, ""),
])  # fmt: skip
def test_a_clock_may_be_a_quarter_of_an_hour_off(ahead: float, reason: str) -> None:
    """More is named with its direction, and is gone as soon as the clocks agree."""
    found = watch_clock("left", ahead)
    assert (found.reason if found else "") == reason
    assert found is None or (found.cause, found.name) == ("clock", "clock")


@given(st.lists(st.integers(0, 60), max_size=400))
def test_a_frequent_change_is_never_forgotten(whats: list[int]) -> None:
    """However many different changes there are, one that most share is kept, and is too small by a KEPT-th at most."""
    found = Pulse()
    for what in whats:
        found.add(RENAMED, "Lead.kind", str(what))
    kept: dict[str, int] = found.counts.get((RENAMED, "Lead.kind"), {})
    assert len(kept) <= KEPT
    for name, number in Counter(str(what) for what in whats).items():
        assert number - len(whats) / (KEPT + 1) <= kept.get(name, 0) <= number


def test_counts_grow_old_and_do_not_outlive_a_persons_word() -> None:
    """What was looked at counts for an hour and a day; what a person has agreed to counts no more, even in between."""
    beats = Beats().with_fresh(counted(LOSS, 30))
    beats = looked_at(beats, NOW, 0.0).with_fresh(counted(LOSS, 20))
    beats = looked_at(beats, NOW + 2 * SLOT, 0.0)
    assert beats.fresh().of(LOSS) == 0
    assert [beats.since(at).of(LOSS) for at in (NOW, NOW + SLOT, NOW + HOUR)] == [50, 20, 0]
    agreed = NOW + 3 * SLOT
    later = looked_at(beats.with_fresh(counted(LOSS, 7)), agreed + 1, agreed)
    assert later.since(agreed).of(LOSS) == 7
    old = looked_at(later.with_fresh(counted(LOSS, 1)), NOW + DAY + HOUR, agreed)
    assert old.since(0.0).of(LOSS) == 1


def test_a_day_of_small_counts_stays_small() -> None:
    """A cycle a minute for a day keeps an entry an hour beside the last hour's, and none of its counts is lost."""
    beats = Beats()
    for minute in range(1_440):
        beats = looked_at(beats.with_fresh(counted(LOSS, 1)), NOW + 60 * minute, 0.0)
    assert len(beats.past) < 60
    assert beats.since(0.0).of(LOSS) == 1_440


def test_a_value_of_a_few_is_not_kept() -> None:
    """What two people have in common may be a name; it is forgotten after its cycle, the number of changes is not."""
    beats = looked_at(Beats().with_fresh(pulse(("last", "Ito", "Abe"), ("fax", "1", ""), times=2)), NOW, 0.0)
    kept = beats.since(0.0)
    assert (kept.of(RENAMED, "Lead.last"), kept.of(CHANGED, "Lead.last"), kept.of(EMPTIED, "Lead.fax")) == (
        0,
        2,
        2,
    )


def test_a_plans_name_is_its_content() -> None:
    """Order does not matter, content does."""
    plan = [Seen(1, "a"), Seen(2, "b")]
    assert plan_name(plan) == plan_name(reversed(plan)) != plan_name([Seen(1, "a"), Seen(2, "c")])


def test_a_brake_on_a_kind_bears_its_name() -> None:
    """Under which name it stands in the inbox: its kind, unless something has to be put right."""
    assert Brake("update", "", 1, 0).name == "update"
