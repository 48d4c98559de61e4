"""Moving from Marketo's own Salesforce sync to renkei, step by step: look on, compare, switch off, go live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.native_town import LAG, NativeTown, native_town

PEOPLE = 12
OWN = {"marketo_id", "salesforce_id", "score"}  # what the other sync never carried


@pytest.fixture
def town(tmp_path: Path) -> Iterator[NativeTown]:
    """Twelve people, linked by the other sync."""
    with native_town(tmp_path, PEOPLE) as made:
        made.run_rival()
        time.sleep(2 * LAG)
        yield made


def _report(town: NativeTown, capsys: Any, *more: str) -> dict[str, dict[str, Any]]:
    """What would be written, by field, besides what the other sync never carried."""
    (route,) = town.renkei(capsys, "shadow", "--json", *more).data["routes"]
    return {each["field"]: each for each in route["fields"] if each["field"] not in OWN}


def _sync(town: NativeTown, capsys: Any) -> None:
    time.sleep(2 * LAG)
    said = town.renkei(capsys, "sync", "--json")
    assert said.code in (0, 1), said.out + said.err


def test_the_other_sync_is_found_and_named(town: NativeTown, capsys: Any) -> None:
    """`check` and `systems` warn that somebody else writes the same people, and the preset has no error otherwise."""
    said = town.renkei(capsys, "check")
    assert said.code == 0, said.out + said.err
    assert "M072" in said.out
    assert "docs/way-over.md" in said.out
    told = town.renkei(capsys, "systems")
    assert told.code == 0, told.out
    assert "own CRM sync is switched on" in told.out
    town.switch_rival_off()
    assert "M072" not in town.renkei(capsys, "check").out


def test_people_are_recognised_by_the_ids_that_the_other_sync_left(town: NativeTown, capsys: Any) -> None:
    """Everybody is linked with the very record that the other sync had linked, lead or contact, though addresses are
    shared; nothing is written meanwhile."""
    _sync(town, capsys)
    assert town.renkei(capsys, "status", "--json").data["routes"][0]["linked"] == PEOPLE
    assert _report(town, capsys) == {}
    for key, lead in town.marketo.state.leads.items():
        across = str(lead.values.get("sfdcContactId") or lead.values.get("sfdcLeadId"))
        told = town.renkei(capsys, "trace", f"marketo:{key}", "--json").data["found"][0]
        assert {record["ref"] for record in told["records"]} == {f"marketo:{key}", f"salesforce:{across}"}
    assert town.written_by_us() == 0


def test_the_report_compares_with_what_the_other_sync_does(town: NativeTown, capsys: Any) -> None:
    """An edit that the other sync has not carried yet would have been written; once it has, the difference has passed
    and nothing would be written any more."""
    _sync(town, capsys)
    lead = next(iter(town.marketo.state.leads))
    with town.marketo.lock:
        town.marketo.state.human_edit(lead, {"title": "Chief of Nothing"})
    _sync(town, capsys)
    found = _report(town, capsys)
    assert {name: each["would_differ"] for name, each in found.items()} == {"title": 1}
    assert town.run_rival() == 1
    _sync(town, capsys)
    assert _report(town, capsys) == {}
    day = time.strftime("%Y-%m-%d")
    assert _report(town, capsys, "--day", day)["title"]["passed"] == 1
    assert town.written_by_us() == 0


def test_after_the_switch_renkei_carries_on_where_the_other_sync_stopped(
    town: NativeTown, capsys: Any
) -> None:
    """Looking on ends with one line; the first delivery writes nothing but what the other sync never carried, nobody
    is created twice, and an edit made afterwards reaches the other side."""
    _sync(town, capsys)
    before = len(town.marketo.state.leads), _records(town)
    town.switch_rival_off()
    town.edit_mapping("mode: shadow ", "# mode: shadow ")
    first = town.renkei(capsys, "sync", "--first", "--canary", "2", "--json")
    assert first.code == 0, first.out + first.err
    assert (len(town.marketo.state.leads), _records(town)) == before
    lead = next(iter(town.marketo.state.leads))
    with town.marketo.lock:
        town.marketo.state.human_edit(lead, {"title": "Chief of Everything"})
    _sync(town, capsys)
    linked = str(town.marketo.state.leads[lead].values["sfaId"])
    kept = town.marketo.state.leads[lead].values
    assert linked == str(kept.get("sfdcContactId") or kept.get("sfdcLeadId"))
    (row,) = [table.rows[linked] for table in town.salesforce.state.tables.values() if linked in table.rows]
    assert row["Title"] == "Chief of Everything"


def _records(town: NativeTown) -> int:
    return sum(len(town.salesforce.state.tables[name].rows) for name in ("Lead", "Contact"))
