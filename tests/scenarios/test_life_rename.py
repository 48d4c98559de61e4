"""Whatever the journal holds when a system is renamed is carried over: questions, latches, work on its way."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.rows import RunRow
from tests.support.flow_town import FlowTown
from tests.support.journal_rows import bearing, rows_of
from tests.support.stage import raised
from tests.support.stage_words import read_script
from tests.support.town import MARKETO, SALESFORCE

LIFE = Path(__file__).parent / "life"
NEW = "renamed_jp"
# A story, and the number of steps after which the journal holds what is to be carried over.
WAITING = [
    ("lead_and_contact_from_the_start", 0, "hold"),
    ("mail_of_a_deleted_person_reused", 6, "hold"),
    ("twin_opts_out", 4, "key"),
    ("created_at_marketing", 2, "operation"),
    ("writing_forbidden_at_sales", 3, "operation"),
    ("scope_left_at_sales", 7, "cursor"),
]


class Crash(Exception):
    """The process ends."""


def _rename(town: FlowTown, old: str) -> dict[str, int]:
    run = RunRow(town.store.numbers(1)[0], "", "rename-system", "", 0.0, 0.0, "done", "", b"")
    return town.store.rename_system(old, NEW, run)  # type: ignore[union-attr]


@pytest.mark.parametrize("old", [MARKETO, SALESFORCE])
@pytest.mark.parametrize(("name", "steps", "table"), WAITING, ids=[each[0] for each in WAITING])
def test_no_row_bears_the_old_name(tmp_path: Path, name: str, steps: int, table: str, old: str) -> None:
    """In the middle of a life every row that bore the old name bears the new one, and no other row has changed."""
    script = read_script(LIFE / f"{name}.yaml")
    with raised(script, tmp_path) as (town, moves, _checks):
        for step in script.steps[:steps]:
            moves.act(step)
        before = rows_of(tmp_path / "state.db")
        assert table in {each for each, _row in before}
        _rename(town, old)
        after = rows_of(tmp_path / "state.db")
    assert bearing(old, after) == set()
    assert bearing(NEW, after) == bearing(old, before) >= {"record", "rules"}
    assert len(after) == len(before)


def test_a_crash_in_the_middle_leaves_the_old_name_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is one transaction: where the last row cannot be written, none is."""
    script = read_script(LIFE / "twin_opts_out.yaml")

    def crash(*_: object) -> None:
        raise Crash

    with raised(script, tmp_path) as (town, _moves, _checks):
        before = rows_of(tmp_path / "state.db")
        monkeypatch.setattr("state.journal.Journal.put_now", crash)
        with pytest.raises(Crash):
            _rename(town, MARKETO)
        assert rows_of(tmp_path / "state.db") == before
