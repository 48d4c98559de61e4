"""A line may deliver a request twice, and bring the answer to the second delivery only."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.plan import Base, FieldWork, Half, Work, decode_work, encode_base, encode_work
from sync.ports import FieldError, Outcome, Write
from sync.record import Side
from sync.rows import FAILED, LANE_DELTA, BaseRow, OperationRow
from sync.rules import ActionKind
from tests.support.deciding import Deciding
from tests.support.office import Town
from tests.support.people import NOW, lens, row


@pytest.mark.parametrize(
    "answer",
    [Outcome("retry", after=5.0), Outcome("refused", errors=(FieldError("", "VALIDATION", "no"),))],
    ids=["wait", "refused"],
)
def test_a_create_that_was_made_and_answered_otherwise_brings_nothing_back(answer: Outcome) -> None:
    """The vendor made the record, and met its own lock or a rule at the second delivery: what it shows of the record is
    what was sent, and no newer word than what is typed on the other side meanwhile."""
    town = Town()
    town.cycle()
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    inner = town.sfa.write

    def twice(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        inner(kind, writes)
        return [answer for _write in writes]

    town.sfa.write = twice  # type: ignore[method-assign]
    town.cycle(1.0)
    town.sfa.write = inner  # type: ignore[method-assign]
    town.ma.edit(ref, {"title": "本部長"})
    for _ in range(4):
        town.cycle()
    (there,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
    (here,) = town.ma.find("person", "Lead", "email", ["a@x.example"], {"Lead": ("title",)})
    assert (here.values["title"], there.values["Title"]) == ("本部長", "本部長")


@pytest.mark.parametrize("named", ["Title", ""], ids=["that fails", "that is tried once more in parts"])
def test_an_update_that_was_made_and_answered_with_a_refusal_is_nobodys_edit(named: str) -> None:
    """The vendor took the value, and refused it at the second delivery: what it shows is ours, and gives way to what is
    typed at its source meanwhile."""
    town = Town()
    town.cycle()
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="課長")
    for _ in range(3):
        town.cycle()
    town.ma.edit(ref, {"title": "部長", "lastName": "佐藤"})
    inner = town.sfa.write

    def twice(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        inner(kind, writes)
        town.sfa.write = inner  # type: ignore[method-assign]
        town.ma.edit(ref, {"title": "本部長"})
        return [Outcome("refused", errors=(FieldError(named, "LOCKED", "locked"),)) for _write in writes]

    town.sfa.write = twice  # type: ignore[method-assign]
    for _ in range(6):
        town.cycle()
    (there,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
    (here,) = town.ma.find("person", "Lead", "email", ["a@x.example"], {"Lead": ("title",)})
    assert (here.values["title"], there.values["Title"]) == ("本部長", "本部長")


def test_what_a_refused_write_has_brought_is_ours_however_its_vendor_writes_it() -> None:
    """The same where the vendor keeps the value in another form, and the write is tried once more in parts."""
    town = Town()
    town.cycle()
    ref = town.person(Side.MA, email="a@x.example", lastName="山田")
    for _ in range(3):
        town.cycle()
    town.ma.edit(ref, {"email": "b@x.example", "lastName": "佐藤"})
    inner = town.sfa.write

    def twice(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        inner(kind, [each._replace(values={**each.values, "Email": "B@x.example"}) for each in writes])
        town.sfa.write = inner  # type: ignore[method-assign]
        town.ma.edit(ref, {"email": "c@x.example"})
        return [Outcome("refused", errors=(FieldError("", "LOCKED", "locked"),)) for _write in writes]

    town.sfa.write = twice  # type: ignore[method-assign]
    for _ in range(6):
        town.cycle()
    (there,) = town.sfa.find("person", "Lead", "LastName", ["佐藤"], {"Lead": ("Email",)})
    (here,) = town.ma.find("person", "Lead", "lastName", ["佐藤"], {"Lead": ("email",)})
    assert (here.values["email"], there.values["Email"]) == ("c@x.example", "c@x.example")


def test_what_both_sides_had_agreed_on_before_is_no_sign_that_a_refused_write_has_arrived() -> None:
    """A value was refused over another one, and both sides were typed back to what a person had let differ: nobody has
    changed anything, and nothing is written."""
    title = lens().rule["title"]
    here = row("ma", "1", 8, {"email": "a@x.example", "lastName": "山田", "title": "課長"})
    there = row("sfa", "2", 8, {
        "Email": "a@x.example", "LastName": "山田", "Title": "部長", "Marketo_Id__c": "1",
    })  # fmt: skip
    work = Work(
        fields={"Title": FieldWork("title", "次長", "部長", "部長", "部長", None, title.fingerprint)},
        source=here.ref,
    )
    failed = OperationRow(
        40, 8, "people", 7, ActionKind.UPDATE.value, *there.ref, LANE_DELTA, FAILED, NOW, 1, 0, "d", "h", "", NOW, 0.0,
        "LOCKED", encode_work(work),
    )  # fmt: skip
    base = Base("Lead/1", "Lead/2", {"title": Half(title.fingerprint, "課長", "部長")})
    deciding = Deciding(lens(), [here, there, failed, BaseRow(8, "people", encode_base(base))])
    deciding.decide()
    wanted = [
        each for each in deciding.store.open_operations([8]) if "Title" in decode_work(each.body).fields
    ]
    assert wanted == []
