"""A host's clock that is set back holds up no news, nor the reading back of what we wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sync.ports import Outcome, Write
from sync.record import Side
from tests.support.office import Time, Town


def test_an_edit_after_the_clock_was_set_back_arrives_at_once() -> None:
    """A feed that is asked «before» our last write is not believed; the record is read by id in the next cycle, not
    when the clock has come to where it was."""
    town = Town()
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    for _ in range(3):
        town.cycle()
    town.clock.time -= 86_400.0
    (there,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
    town.sfa.edit(there.ref, {"Title": "本部長"})
    for _ in range(3):
        town.cycle()
    (here,) = town.ma.fetch("person", [ref], {"Lead": ("title",)})
    assert here is not None
    assert here.values["title"] == "本部長"


def test_what_a_doubted_page_shows_is_known_before_anything_is_decided() -> None:
    """Nothing leaves that was decided by what a page was not believed about: after the clock was set back the record is
    read by id within the same cycle, not a lag later."""
    town = Town()
    town.sfa.capabilities = replace(town.sfa.capabilities, visibility_lag=1.0)
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    for _ in range(3):
        town.cycle()
    town.clock.time -= 86_400.0
    (there,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
    town.sfa.edit(there.ref, {"Title": "本部長"})
    town.cycle()
    (here,) = town.ma.fetch("person", [ref], {"Lead": ("title",)})
    assert here is not None
    assert here.values["title"] == "本部長"


def test_what_is_typed_over_ours_after_the_clock_was_set_back_is_an_edit() -> None:
    """A page that is not believed about a value of ours has the record read by id also where it shows that value: what
    is typed over it afterwards is no alteration by the vendor, whoever is named as the last who wrote there."""
    town = Town()
    town.clock, inner = Time(), town.sfa.write  # a host's clock of its own, that was a day ahead
    town.clock.time += 86_400.0

    def write(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        return [each._replace(values=None) for each in inner(kind, writes)]

    town.sfa.write = write  # type: ignore[method-assign]
    ref = town.person(Side.MA, email="a@x.example", lastName="山田", title="部長")
    town.cycle()
    town.clock.time -= 86_400.0
    town.cycle()
    (there,) = town.sfa.find("person", "Lead", "Email", ["a@x.example"], {"Lead": ("Title",)})
    town.sfa.edit(there.ref, {"Title": "本部長"}, own=True)
    town.cycle()
    (here,) = town.ma.fetch("person", [ref], {"Lead": ("title",)})
    assert here is not None
    assert here.values["title"] == "本部長"
