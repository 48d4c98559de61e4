"""A host's clock that is set back does not hold news up."""

from __future__ import annotations

from dataclasses import replace

from sync.record import Side
from tests.support.office import Town


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
