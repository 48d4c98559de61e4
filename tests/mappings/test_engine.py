"""Compiled mappings in the engine's hands: records are read as the file says, also where rows share a path."""

from __future__ import annotations

from sync.normalise import Lens, encode
from sync.rows import RecordRow
from tests.support.mapping_texts import mapping, rules

ROWS = (
    "industry: { marketo: i, flow: <->, salesforce: I, values: { 建設: Construction, 小売: Retail } }",
    "company: { marketo: company, flow: <->, salesforce: { Lead: Company, Contact: Account.Name } }",
)


def _row(system: str, object_: str, id_: str, **values: object) -> RecordRow:
    return RecordRow(
        system=system, object=object_, id=id_, kind="person", entity=1, role=0, state=0, moved_to="",
        as_of=1, settled=0, settled_at=0.0, version="", created="", own=-1, noted=0, refetch_at=0.0,
        observed=0, body=encode(values), unconfirmed="",
    )  # fmt: skip


def test_a_record_is_read_by_its_objects_columns() -> None:
    """Ids, paths per object and words that nobody listed come out as the mapping says."""
    lens = Lens(rules(mapping(*ROWS)))
    lead = lens.known(_row("salesforce", "Lead", "00Q1", Email="Ａ@X.jp", Company=" 東都 ", I="Farming"))
    assert lead.values == {"email": "a@x.jp", "company": "東都"}
    assert lead.unknown == {"industry": "Farming"}
    contact = lens.known(_row("salesforce", "Contact", "0031", **{"Account.Name": "東都", "I": "Retail"}))
    assert contact.values == {"company": "東都", "industry": "小売"}
    assert lens.known(_row("marketo", "Lead", "77")).values["marketo_id"] == "77"


def test_a_path_that_two_rows_read_belongs_to_the_row_that_writes_it() -> None:
    """What comes back of a write is compared and confirmed for the writing row, in whatever order the rows stand."""
    other = "copy: { marketo: email, flow: ->, salesforce: Copy__c }"
    for text in (mapping(other), mapping().replace("fields:\n", f"fields:\n  {other}\n")):
        lens = Lens(rules(text))
        assert lens.name_of("marketo", "Lead", "email") == "email"
        assert lens.read_raw("marketo", "Lead", "email", "Ａ@X.jp") == "a@x.jp"


def test_a_condition_on_an_opt_out_field_does_not_take_it_from_the_latch() -> None:
    """A row that only reads the box of a topic leaves the topic's own reading of it alone."""
    consent = "consent: { news: { marketo: ok, flow: <->, salesforce: Ok, true_means: agreed } }\n"
    lens = Lens(
        rules(
            mapping("ok: { marketo: ok, type: boolean }", more="scope: { marketo: { ok: true } }\n" + consent)
        )
    )
    agreed = True
    assert lens.name_of("marketo", "Lead", "ok") == ""
    assert lens.read_raw("marketo", "Lead", "ok", agreed) is False
    assert lens.known(_row("marketo", "Lead", "77", ok=agreed)).values["ok"] is True
