"""A lost journal: what both sides show is enough to know again who is who and what was agreed, without a write."""

from __future__ import annotations

from dataclasses import replace

from simulators.world import Mix, World
from sync.plan import decode_base
from sync.read import Numbering
from sync.record import Ref
from sync.rows import BaseRow, RecordRow
from tests.support.town import MARKETO, SALESFORCE, Town
from tests.support.town_parts import MemoryJournal

Agreed = dict[tuple[Ref, ...], dict[str, tuple[object, object]]]


def agreed(town: Town) -> Agreed:
    """Who is linked with whom, and what both sides had when they last agreed, as the journal holds it."""
    rows = town.store.get(
        RecordRow, [tuple(ref) for side in (MARKETO, SALESFORCE) for ref in town.live(side)]
    )
    people: dict[int, list[Ref]] = {}
    for row in rows:
        people.setdefault(row.entity, []).append(row.ref)
    route = town.world.lens.rules.route
    bases = {
        row.entity: decode_base(row.body) for row in town.store.get(BaseRow, [(e, route) for e in people])
    }
    return {
        tuple(sorted(refs)): {name: (half.ma, half.sfa) for name, half in bases[entity].halves.items()}
        for entity, refs in people.items()
        if len(refs) > 1
    }


def test_a_journal_that_was_lost_is_made_again_without_a_write(town: Town) -> None:
    """After a first sync, edits and a conversion the journal is gone: the first sync over an empty one links the same
    records, agrees on the same values of every field, and writes nothing to anybody."""
    world = World(7, 40, 0.4, Mix(role=0.0, contacts=0.3))
    world.project_marketo(town.marketo)
    world.project_salesforce(town.salesforce)
    town.open()
    leads = [
        ref for ref in town.live(SALESFORCE) if ref.object == "Lead" and town.value(ref, "Marketo_Id__c")
    ]
    town.convert(leads[0])
    for number, ref in enumerate(leads[1:6]):
        town.edit(ref, Title=f"title {number}")
    town.wait()
    town.quiet()
    before, written = agreed(town), len(town.api_entries)
    assert len(before) > 20
    town.store = MemoryJournal()
    town.world = replace(town.world, store=town.store, numbers=Numbering(town.store))
    town.cycle(first=True)
    town.wait()
    town.quiet()
    assert agreed(town) == before
    assert len(town.api_entries) == written
