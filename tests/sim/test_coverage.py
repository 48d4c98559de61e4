"""A run says what it has not come to, and fails by it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from sync.plan import Half
from sync.record import Value
from sync.resolve import Pair
from sync.rules import Flow
from tests.sim import profiles
from tests.sim.__main__ import main
from tests.sim.coverage import CELLS, ROWS, cell
from tests.sim.driver import play
from tests.sim.gathering import gather
from tests.sim.report import SAID, Tally, as_text, lacks, missing, wanted
from tests.sim.table import TABLE

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FEW = 12


def _full() -> Tally:
    """A run under the complete profile that has come to everything once."""
    tally = Tally("whole", schedules=1_000, judged=1_000, seconds=1.0)
    tally.counts = Counter(wanted(profiles.PROFILES["whole"]))
    return tally


@pytest.mark.parametrize(
    "name", ["delivered_twice", "mapping changed", "<- base present: both-equal", "in doubt"]
)
def test_what_was_never_come_to_fails_the_run_by_its_name(name: str) -> None:
    """One fault kind, one cell or one event at 0 in a run that is large enough: one line names it."""
    tally = _full()
    assert lacks(tally) == []
    del tally.counts[name]
    assert lacks(tally) == [f"NEVER {name}: 0 hits"]
    assert f"NEVER {name}: 0 hits" in as_text(tally)
    tally.schedules = 999
    assert lacks(tally) == []


def test_a_kind_that_is_taken_away_turns_the_command_red(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one switch left out of the complete profile the run ends with 1 and names it, though nothing else failed."""
    whole = profiles.PROFILES["whole"]
    less = {name: share for name, share in whole.faults.items() if name != "row_moves"}
    calm = profiles.Profile(faults=less, mid=0.1, crashes=whole.crashes, late=0.15, complete=True)
    monkeypatch.setitem(profiles.PROFILES, "calm", calm)
    ended = main(["--profile", "calm", "--count", str(FEW), "--enough", str(FEW), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert ended == 1
    assert "row_moves" in told["missing"]
    assert "row_twice" not in told["missing"]
    assert told["weights"]["faults"]["row_twice"] == whole.faults["row_twice"]


def test_only_schedules_that_were_judged_count() -> None:
    """What happened in a schedule that ended before its judgement proves nothing."""
    tally = Tally("default")
    result = play(1)
    tally.add(result)
    before = tally.reached.total()
    result.judged = False
    tally.add(result)
    assert (tally.schedules, tally.judged, tally.reached.total()) == (2, 1, before)
    assert before > 100


@pytest.mark.parametrize(
    ("ma", "sfa", "half", "expected"),
    [
        ("a", "a", ("a", "a"), "present: neither"),
        ("b", "a", ("a", "a"), "present: ma"),
        ("a", "b", ("a", "a"), "present: sfa"),
        ("b", "b", ("a", "a"), "present: both-equal"),
        ("b", "c", ("a", "a"), "present: both-different"),
        (None, None, None, "absent: neither"),
        ("a", None, None, "absent: ma"),
        (None, "a", None, "absent: sfa"),
        ("a", "a", None, "absent: both-equal"),
        ("a", "b", None, "absent: both-different"),
    ],
)
def test_a_field_stands_in_one_cell(
    ma: Value, sfa: Value, half: tuple[Value, Value] | None, expected: str
) -> None:
    """The cell is worked out from the values alone, by the words of the protocol."""
    base = Half("f", *half, ()) if half is not None else None
    assert cell(Flow.BOTH, Pair(ma, sfa, ma == sfa), base) == f"<-> base {expected}"


def test_what_we_sent_and_nobody_read_back_is_no_change() -> None:
    """An unconfirmed value stands on its side like the one that was agreed on."""
    now = Pair("b", "a", same=False, ma_unconfirmed=True)
    assert cell(Flow.TO_SFA, now, Half("f", "a", "a", ())) == "-> base present: neither"


def test_the_table_names_every_kind_once_and_what_proves_it() -> None:
    """48 kinds, each with a switch, a test that exists, or a reason; 30 cells and 13 events."""
    assert [fault.number for fault in TABLE] == list(range(1, 49))
    assert all(fault.switches or fault.elsewhere for fault in TABLE)
    named = {path for fault in TABLE for path in fault.elsewhere} | set(SAID.values())
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []
    assert (len(set(CELLS)), len(set(ROWS))) == (30, 13)


def test_parts_of_a_run_are_summed_by_the_last(tmp_path: Path) -> None:
    """Figures that several processes leave come together once, whatever the order."""
    one, other = Tally("default"), Tally("restless")
    one.add(play(1))
    other.add(play(1, "restless"))
    assert gather(one, "one", tmp_path, 2, "whole") is None
    whole = gather(other, "other", tmp_path, 2, "whole")
    assert whole is not None
    assert (whole.schedules, whole.judged) == (2, 2)
    assert whole.reached == one.reached + other.reached
    assert missing(whole)
