"""Creates in doubt: what arrived is agreed on, and edits typed meanwhile survive."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.errors import InDoubt
from sync.ports import Outcome, Write
from sync.record import Raw, Ref, Side
from tests.support.office import Office, Town


class Lossy(Office):
    """Executes the first create and loses its answer."""

    lost = False

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Write, and forget to answer once."""
        done = super().write(kind, writes)
        if not self.lost and not writes[0].ref.id:
            self.lost = True
            raise InDoubt("the answer was lost")
        return done


def values(office: Office, ref: Ref, *paths: str) -> dict[str, Raw]:
    (record,) = office.fetch("person", [ref], {"Lead": paths})
    assert record is not None
    return dict(record.values)


@pytest.mark.parametrize("field", ["title", "email"])
def test_an_edit_typed_while_a_create_is_in_doubt_survives(field: str) -> None:
    """What our lost create brought across is no edit of sales': the newer value of marketing wins over it."""
    town = Town()
    town.sfa.__class__ = Lossy
    lead = town.person(Side.MA, email="old@x.example", lastName="山田", title="係長")
    town.cycle()
    town.ma.edit(lead, {field: "new@x.example" if field == "email" else "課長"})
    for _cycle in range(4):
        town.cycle()
    assert town.store.count_records("sfa", "person") == 1
    across = values(town.sfa, Ref("sfa", "Lead", "000000001"), "Email", "Title")
    here = values(town.ma, lead, "email", "title")
    assert list(across.values()) == list(here.values())
    assert here[field] in {"new@x.example", "課長"}


def test_an_edit_on_the_new_record_travels_back() -> None:
    """What sales typed on the record that our lost create made is a change against what we sent."""
    town = Town()
    town.sfa.__class__ = Lossy
    lead = town.person(Side.MA, email="p@x.example", lastName="山田", title="係長")
    town.cycle()
    town.sfa.edit(Ref("sfa", "Lead", "000000001"), {"Title": "部長"})
    for _cycle in range(4):
        town.cycle()
    assert values(town.ma, lead, "title") == {"title": "部長"}
