"""A key that is only read: ids that another program keeps, by which people are recognised."""

from __future__ import annotations

from importlib.resources import files

from mappings.load import source_of
from sync.normalise import Lens
from sync.record import Side
from sync.rules import Flow

PRESETS = files("mappings") / "presets" / "marketo-salesforce"


def test_a_key_with_one_column_and_no_arrow_names_the_record_across() -> None:
    """It is read, asked by match, and written to neither side."""
    beside = {"thresholds.yaml": (PRESETS / "thresholds.yaml").read_text("utf-8")}
    source = source_of((PRESETS / "person-native.yaml").read_text("utf-8"), "person.yaml", beside)
    assert source.rules is not None, source.problems
    lens = Lens(source.rules)
    row = lens.rule["crm_lead"]
    assert (row.flow, row.key) == (Flow.NONE, True)
    assert lens.is_own_id("salesforce", "crm_lead")
    assert not lens.is_own_id("marketo", "crm_lead")
    assert lens.key_fields()[:2] == ("crm_contact", "crm_lead")
    written = {rule.name for side in Side for rule, _cell, _path in lens.written_at_create(side, "Lead")}
    assert not written & {"crm_lead", "crm_contact"}
    assert source.rules.shadow
