"""Opt-outs as a latch: true travels to everybody with the person or address, and never becomes false."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.rows import LANE_OPT_OUT, PENDING, PLANNED, TWIN
from sync.rules import ActionKind
from tests.support.deciding import Deciding, values, work
from tests.support.people import MAPPING, base_row, lens, row

LENS = lens()
ADDRESS = "yamada@x.example"


def person(
    *, ma: bool | None, sfa: bool | None, agreed: bool | None = None, mapping: str = MAPPING
) -> Deciding:
    lens_ = lens(mapping)
    left = row("ma", "1", 9, {"email": ADDRESS, "lastName": "山田", "unsubscribed": ma})
    right = row(
        "sfa", "7", 9, {"Email": ADDRESS, "LastName": "山田", "HasOptedOutOfEmail": sfa, "Marketo_Id__c": "1"}
    )
    pairs = {} if agreed is None else {"consent.all": (agreed, agreed)}
    return Deciding(lens_, [left, right, base_row(lens_, 9, left, right, pairs)])


def opt_outs(case: Deciding) -> list[tuple[str, str, dict[str, object]]]:
    return [
        (each.system, each.record, dict(values(each)))
        for each in case.operations()
        if each.action == ActionKind.OPT_OUT
    ]


def test_true_on_one_side_is_set_on_the_other_alone_and_first() -> None:
    """An opt-out leaves in its own lane, in an operation of its own, waiting for nothing."""
    case = person(ma=True, sfa=False)
    case.decide()
    (operation,) = [each for each in case.operations() if each.action == ActionKind.OPT_OUT]
    assert (operation.lane, operation.state, values(operation)) == (
        LANE_OPT_OUT,
        PENDING,
        {"HasOptedOutOfEmail": True},
    )


def test_a_plan_only_lists_opt_outs() -> None:
    """Before a route's first plan is applied (and in shadow) an opt-out is planned like everything else."""
    case = person(ma=True, sfa=False)
    case.live = False
    case.decide()
    assert [each.state for each in case.operations() if each.action == ActionKind.OPT_OUT] == [PLANNED]


@given(
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
)
def test_no_combination_ever_writes_false(ma: bool | None, sfa: bool | None, agreed: bool | None) -> None:
    """Whatever both sides and the base say, the only value that is ever written to an opt-out is true."""
    case = person(ma=ma, sfa=sfa, agreed=agreed)
    case.decide()
    for operation in case.operations():
        written = values(operation)
        assert written.get("unsubscribed", True) is True
        assert written.get("HasOptedOutOfEmail", True) is True


def test_unknown_is_never_the_source_of_a_write() -> None:
    """A blank opt-out is unknown: it is neither false nor a reason to write."""
    case = person(ma=None, sfa=False)
    case.decide()
    assert not opt_outs(case)


def test_twins_and_strangers_with_the_address_are_opted_out_too() -> None:
    """One opt-out reaches every record with the address, linked or not, twin or role address."""
    case = Deciding(LENS, [
        row("ma", "1", 9, {"email": ADDRESS, "unsubscribed": True}),
        row("ma", "2", 9, {"email": ADDRESS}, role=TWIN),
        row("sfa", "7", 9, {"Email": ADDRESS, "Marketo_Id__c": "1"}),
        row("sfa", "8", 40, {"Email": ADDRESS.upper()}),
    ])  # fmt: skip
    case.decide(case.record("ma", "1").ref)
    assert {each[:2] for each in opt_outs(case)} == {("ma", "2"), ("sfa", "7"), ("sfa", "8")}


def test_a_person_is_created_opted_out() -> None:
    """A create of somebody who is opted out carries the opt-out from its first moment."""
    case = Deciding(LENS, [row("ma", "1", 1, {"email": ADDRESS, "lastName": "山田", "unsubscribed": True})])
    case.decide()
    (create,) = case.operations()
    assert values(create)["HasOptedOutOfEmail"] is True


def test_an_opt_out_ignores_the_scope() -> None:
    """Outside the scope nothing is decided but opt-outs."""
    case = person(ma=True, sfa=False, mapping=MAPPING + "scope:\n  ma: { score: { at_least: 10 } }\n")
    case.decide()
    assert opt_outs(case) == [("sfa", "7", {"HasOptedOutOfEmail": True})]


def test_taken_back_on_the_authority_asks_for_evidence() -> None:
    """True to false on the side named as authority writes nothing and waits for a person."""
    case = person(ma=False, sfa=True, agreed=True)
    case.decide()
    assert not opt_outs(case)
    assert case.holds() == [("consent", "consent.all")]


def test_taken_back_anywhere_else_is_set_true_again() -> None:
    """On any other side, or without an authority, a false is set true again."""
    case = person(ma=True, sfa=False, agreed=True)
    case.decide()
    assert opt_outs(case) == [("sfa", "7", {"HasOptedOutOfEmail": True})]
    nobody = person(ma=False, sfa=True, agreed=True, mapping=MAPPING.replace("  authority: ma\n", ""))
    nobody.decide()
    assert opt_outs(nobody) == [("ma", "1", {"unsubscribed": True})]


def test_deciding_again_sends_no_second_opt_out() -> None:
    """An opt-out that is already open is not derived again."""
    case = person(ma=True, sfa=False)
    case.decide()
    case.decide()
    assert len(opt_outs(case)) == 1
    assert work(case.operations()[0]).source.system == "ma"
