"""The truth table of one field, cell by cell: who changed x base x direction x policy."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.plan import Half
from sync.record import Side, Value
from sync.resolve import AGREE, CLASH, LEAVE, Pair, Verdict, WriteTo, resolve
from sync.rules import FieldRule, Flow, Policy

TO_SFA, TO_MA, BOTH = Flow.TO_SFA, Flow.TO_MA, Flow.BOTH
SFA, MA = Side.SFA, Side.MA


def rule(flow: Flow, **options: object) -> FieldRule:
    made = FieldRule(name="f", type="text", cells={}, flow=flow, fingerprint="x", conflict="sfa", first="sfa")
    return replace(made, **options)  # type: ignore[arg-type]


def pair(ma: Value, sfa: Value, **options: bool) -> Pair:
    return Pair(ma, sfa, ma == sfa, **options)


B = Half("x", "b", "b")

TABLE = [
    # flow, ma now, sfa now, half, verdict          neither changed
    (BOTH, "b", "b", B, LEAVE),
    (TO_SFA, "b", "b", B, LEAVE),
    (TO_MA, "b", "b", B, LEAVE),
    # changed in MA only
    (BOTH, "m", "b", B, WriteTo(SFA)),
    (TO_SFA, "m", "b", B, WriteTo(SFA)),
    (TO_MA, "m", "b", B, LEAVE),
    # changed in SFA only
    (BOTH, "b", "s", B, WriteTo(MA)),
    (TO_SFA, "b", "s", B, LEAVE),
    (TO_MA, "b", "s", B, WriteTo(MA)),
    # changed on both, equal
    (BOTH, "n", "n", B, AGREE),
    (TO_SFA, "n", "n", B, AGREE),
    (TO_MA, "n", "n", B, AGREE),
    # changed on both, different
    (BOTH, "m", "s", B, WriteTo(MA, lost="m")),
    (TO_SFA, "m", "s", B, WriteTo(SFA)),
    (TO_MA, "m", "s", B, WriteTo(MA)),
    # base absent, equal
    (BOTH, "n", "n", None, AGREE),
    (TO_SFA, "n", "n", None, AGREE),
    (TO_MA, "n", "n", None, AGREE),
    # base absent, one side blank
    (BOTH, "m", None, None, WriteTo(SFA)),
    (BOTH, None, "s", None, WriteTo(MA)),
    (TO_SFA, "m", None, None, WriteTo(SFA)),
    (TO_SFA, None, "s", None, AGREE),
    (TO_MA, None, "s", None, WriteTo(MA)),
    (TO_MA, "m", None, None, AGREE),
    # base absent, both filled and different
    (BOTH, "m", "s", None, WriteTo(MA, lost="m")),
    (TO_SFA, "m", "s", None, WriteTo(SFA)),
    (TO_MA, "m", "s", None, WriteTo(MA)),
    # halves that were agreed to differ are no change
    (BOTH, "m", "s", Half("x", "m", "s"), LEAVE),
    (BOTH, "m", "t", Half("x", "m", "s"), WriteTo(MA)),
]


@pytest.mark.parametrize(("flow", "ma", "sfa", "half", "verdict"), TABLE)
def test_each_cell_of_the_truth_table(
    flow: Flow, ma: Value, sfa: Value, half: Half | None, verdict: Verdict
) -> None:
    """Every combination of change, base and direction leads to exactly the verdict of the protocol."""
    assert resolve(rule(flow), pair(ma, sfa), half) == verdict


def test_a_field_without_flow_is_never_decided() -> None:
    """A field that is only read for rules leads to nothing, whatever changes."""
    assert resolve(rule(Flow.NONE), pair("m", "s"), None) == LEAVE


@pytest.mark.parametrize("flow", [BOTH, TO_SFA])
def test_a_blank_is_kept_to_its_side_by_default(flow: Flow) -> None:
    """A value emptied on one side is agreed to differ: it neither travels nor comes back."""
    assert resolve(rule(flow), pair(None, "b"), B) == AGREE
    after = Half("x", None, "b")
    assert resolve(rule(flow), pair(None, "b"), after) == LEAVE


def test_a_blank_travels_where_the_mapping_says_so() -> None:
    """With blank: propagate an emptied value empties the other side too."""
    assert resolve(rule(BOTH, blank="propagate"), pair(None, "b"), B) == WriteTo(SFA)


def test_a_blank_never_wins_a_conflict_by_default() -> None:
    """Where the winning side was emptied, the other side's new value stands instead."""
    assert resolve(rule(BOTH), pair("m", None), B) == WriteTo(SFA, lost=None)


@pytest.mark.parametrize(
    ("policy", "ma", "sfa", "verdict"),
    [
        ("ma", "m", "s", WriteTo(SFA, lost="s")),
        ("sfa", "m", "s", WriteTo(MA, lost="m")),
        ("hold", "m", "s", CLASH),
        ("non_blank", "m", None, WriteTo(SFA)),
        ("non_blank", "m", "s", CLASH),
        ("max", 3, 5, WriteTo(MA, lost=3)),
        ("min", 3, 5, WriteTo(SFA, lost=5)),
        ("any_true", True, False, WriteTo(SFA, lost=False)),
        ("all_true", True, False, WriteTo(MA, lost=True)),
    ],
)
def test_each_policy(policy: Policy, ma: Value, sfa: Value, verdict: Verdict) -> None:
    """Each conflict policy picks its winner and names the value that is overridden."""
    half = Half("x", 1, 1) if isinstance(ma, int) and not isinstance(ma, bool) else Half("x", "b", "b")
    assert resolve(rule(BOTH, conflict=policy, order=lambda value: value), pair(ma, sfa), half) == verdict


def test_first_hold_asks_a_person() -> None:
    """With first: hold two different values without a base wait for a person."""
    assert resolve(rule(BOTH, first="hold"), pair("m", "s"), None) == CLASH


def test_drift_is_reported_or_restored() -> None:
    """A one-way field edited on its target stays by default and is put right with drift: restore."""
    assert resolve(rule(TO_SFA), pair("b", "s"), B) == LEAVE
    assert resolve(rule(TO_SFA, drift="restore"), pair("b", "s"), B) == WriteTo(SFA)


def test_create_only_fields_are_never_updated() -> None:
    """A field that is written at creation only agrees with whatever comes later."""
    assert resolve(rule(TO_SFA, create_only=True), pair("m", "b"), B) == AGREE


def test_an_unconfirmed_value_is_no_change_and_no_source() -> None:
    """A value that we sent and have not read back never travels on."""
    assert resolve(rule(BOTH), pair("b", "sent", sfa_unconfirmed=True), B) == LEAVE
    assert resolve(rule(BOTH), pair("m", "sent", sfa_unconfirmed=True), B) == WriteTo(SFA)


values = st.sampled_from([None, "a", "b", "c"])


@given(st.sampled_from(["ma", "sfa", "non_blank"]), values, values, values, values)
def test_a_decision_settles(policy: Policy, ma: Value, sfa: Value, left: Value, right: Value) -> None:
    """Once a verdict is carried out and the pair has become base, nothing is left to do."""
    decided = rule(BOTH, conflict=policy)
    verdict = resolve(decided, pair(ma, sfa), Half("x", left, right))
    match verdict:
        case WriteTo(side=side):
            value = pair(ma, sfa).of(side.other)
            ma, sfa = (value, sfa) if side is MA else (ma, value)
            half = Half("x", ma, sfa)
        case _ if verdict == AGREE:
            half = Half("x", ma, sfa)
        case _:
            return
    assert resolve(decided, pair(ma, sfa), half) == LEAVE


NUMBERS, TRUTHS = st.integers(-3, 3), st.booleans()


def winner(policy: Policy, ma: Value, sfa: Value) -> Value:
    """What stands after a conflict of two values."""
    odd = Half("x", "neither", "neither")
    verdict = resolve(rule(BOTH, conflict=policy, order=lambda value: value), pair(ma, sfa), odd)
    return pair(ma, sfa).of(verdict.side.other) if isinstance(verdict, WriteTo) else ma


@given(
    st.one_of(
        st.tuples(st.sampled_from(["max", "min"]), st.tuples(NUMBERS, NUMBERS, NUMBERS)),
        st.tuples(st.sampled_from(["any_true", "all_true"]), st.tuples(TRUTHS, TRUTHS, TRUTHS)),
    )
)
def test_the_order_of_arrival_decides_nothing(case: tuple[Policy, tuple[Value, Value, Value]]) -> None:
    """Whichever of three values meet first, and on whichever side, the same one stands in the end."""
    policy, three = case
    ends = {
        winner(policy, winner(policy, first, second), third) for first, second, third in permutations(three)
    } | {winner(policy, third, winner(policy, first, second)) for first, second, third in permutations(three)}
    assert len(ends) == 1


@given(st.sampled_from(["ma", "sfa"]), values.filter(bool), values.filter(bool))
def test_a_named_side_wins_whatever_the_values_are(policy: Policy, ma: Value, sfa: Value) -> None:
    """Of two conflicting values the one of the named side stands."""
    assert winner(policy, ma, sfa) == (ma if policy == "ma" else sfa)
