"""A vendor that answers with the values as they stand tells that it took one without keeping it."""

from __future__ import annotations

from collections.abc import Sequence

from sync.ports import Outcome, Write
from sync.record import Side
from sync.rows import IGNORED, OperationRow
from tests.support.office import Town


def test_a_value_that_comes_back_as_it_was_is_ignored_and_said_to_be() -> None:
    """What the answer shows unchanged is no agreement to differ: it is read once more, and listed as ignored."""
    town = Town()
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    for _ in range(3):
        town.cycle()
    inner = town.sfa.write

    def deaf(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        before = town.sfa.fetch(kind, [each.ref for each in writes], {"Lead": ("Title",)})
        inner(kind, [each._replace(values={**each.values, "Title": "部長"}) for each in writes])
        return [
            Outcome("applied", each.ref.id, {**each.values, **(was.values if was else {})})
            for each, was in zip(writes, before, strict=True)
        ]

    town.sfa.write = deaf  # type: ignore[method-assign]
    town.ma.edit(ref, {"title": "本部長"})
    for _ in range(3):
        town.cycle()
    town.cycle(400.0)
    town.cycle(400.0)
    rows = town.store._tables[OperationRow].values()
    assert [row.reason for row in rows if row.state == IGNORED] == ["ignored by the vendor: title"]
