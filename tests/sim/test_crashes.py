"""A process that dies at any point of a scenario leaves nothing undone, nothing doubled and nothing different.

Twelve scenarios, every point in them, every time that it is reached; pairs of deaths are drawn in the long run.
"""

from __future__ import annotations

import pytest

from sync.rows import BatchRow, CursorRow, Patch
from tests.sim.crashes import KILL, POWER_CUT, Death, Scripted, single_deaths, some_pairs, wrong
from tests.sim.journal import Journal
from tests.sim.scripts import SCRIPTS

pytestmark = pytest.mark.timeout(1_800)  # seconds; on a machine that has other work it takes minutes

PAIRS = 1_700  # of each scenario, in the long run


def _first_wrong(script: str, *, how: str = "") -> str:
    calm = Scripted(script).play()
    assert not calm.offences, calm.offences
    deaths = (death for death in single_deaths(script) if how in {"", death.how})
    return next((found for death in deaths if (found := wrong(script, calm, (death,)))), "")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_death_at_any_point_changes_nothing_in_the_end(script: str) -> None:
    """Died and begun again, the same records hold the same values, and as many were made as without a death."""
    assert _first_wrong(script) == ""


def test_there_are_twelve_scenarios_with_every_kind_of_point() -> None:
    """Before and after commits and calls of both sides, and while a write is on its way: each is met somewhere."""
    met = [point.label for script in SCRIPTS for point in Scripted(script).play().points]
    assert len(SCRIPTS) == 12
    whats = [f"{side} {what}" for side in ("marketo", "salesforce") for what in ("update", "create")]
    kinds = {f"{when} {what}" for when in ("before", "after", "in flight:") for what in whats}
    kinds |= {
        f"{when} {what}"
        for when in ("before", "after")
        for what in ("commit", "marketo changes", "salesforce find")
    }
    assert [kind for kind in sorted(kinds) if not any(label.startswith(kind) for label in met)] == []


def _without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark «sent» is not on the disk yet when the request leaves."""
    whole = Journal.commit

    def lazy(self: Journal, patch: Patch, *, durable: bool = True) -> None:
        whole(self, patch, durable=durable and BatchRow not in patch.puts)

    monkeypatch.setattr(Journal, "commit", lazy)


def test_a_power_cut_finds_a_missing_fsync_and_a_kill_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mark «sent» left unsynced a person is made twice, but only where unsynced commits are lost."""
    _without_fsync(monkeypatch)
    assert "duplicate" in _first_wrong("new lead", how=POWER_CUT)
    assert _first_wrong("new lead", how=KILL) == ""


def test_a_cursor_that_moves_first_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place in the feed that is kept before what stood on the page loses what a death comes between."""
    whole = Journal.commit

    def hasty(self: Journal, patch: Patch, *, durable: bool = True) -> None:
        if CursorRow in patch.puts:
            first = Patch()
            for row in patch.puts[CursorRow].values():
                first.put(row)
            whole(self, first)
        whole(self, patch, durable=durable)

    monkeypatch.setattr(Journal, "commit", hasty)
    assert _first_wrong("conflict") != ""


@pytest.mark.soak
@pytest.mark.parametrize("script", SCRIPTS)
def test_two_deaths_change_no_more_than_one(script: str) -> None:
    """A second death, soon after the first or long after it, leaves nothing different either."""
    calm = Scripted(script).play()
    found = (wrong(script, calm, deaths) for deaths in some_pairs(script, PAIRS, 1))
    assert next((each for each in found if each), "") == ""


def test_a_death_beyond_the_end_is_no_proof() -> None:
    """A run in which nobody died is not counted as one that held."""
    calm = Scripted("conflict").play()
    assert "nobody died" in wrong("conflict", calm, (Death(10_000),))
