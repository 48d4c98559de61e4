"""A line may deliver a request twice, and bring the answer to the second delivery only."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.ports import FieldError, Outcome, Write
from sync.record import Side
from tests.support.office import Town


def test_a_create_that_was_made_and_answered_with_wait_brings_nothing_back() -> None:
    """The vendor made the record, met its own lock at the second delivery and said so: what it shows of the record
    is what was sent, and no newer word than what is typed on the other side meanwhile."""
    town = Town()
    town.cycle()
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    inner = town.sfa.write

    def twice(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        inner(kind, writes)
        return [Outcome("retry", after=5.0) for _write in writes]

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
