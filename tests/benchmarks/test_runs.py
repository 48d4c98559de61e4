"""The benchmarks at a small size, by the public command: calls and exactness, never times."""

from __future__ import annotations

import json

import pytest

from benchmarks import report
from benchmarks.__main__ import main
from benchmarks.calls import allowed, least
from benchmarks.cases import Wrong, first_copy, strangers, two_ways
from benchmarks.runs import WorldProcess, bare_copy, run
from benchmarks.worlds import Town

PEOPLE = 700


def test_a_first_copy_and_what_follows() -> None:
    """Exact at few calls; a delta writes what was edited; afterwards nothing is written and little is asked."""
    found = first_copy(PEOPLE, 1, quiet=2)
    (only,) = found.rounds
    assert only.bare.verdict.exact == only.ours.verdict.exact == PEOPLE
    assert sum(map(sum, (side.values() for side in only.bare.counts.values()))) == least(PEOPLE, PEOPLE) + 3
    assert found.delta is not None
    assert found.quiet is not None
    assert found.edited == PEOPLE // 100
    assert found.delta.verdict.exact == PEOPLE
    assert found.delta.counts["salesforce"]["update"] == 1
    assert (found.quiet.cycles, found.quiet.writes) == (2, 0)
    lines = report.copy_lines(found, None) + report.quiet_lines(found.quiet)
    reached = {line.what: line.reached for line in lines}
    assert reached["first copy: exact rows"]
    assert reached["quiet: rows written in 2 cycles"]
    assert reached["quiet: calls a cycle"]
    calls = next(line for line in lines if line.what == "first copy: calls")
    # Few pages leave no room for one create call that the canary makes, for calls cut by their kind, and for the
    # description of the users whom records belong to.
    assert int(calls.measured) <= allowed(least(PEOPLE, PEOPLE)) + 4  # the vendor's own count is read once


def test_both_ways() -> None:
    """Half of the people are known to both sides: they are linked, the others created, at few calls."""
    found, calls = two_ways(600)
    assert found.verdict.exact == 600
    assert strangers(600) == 300
    assert found.counts["marketo"].get("sync leads", 0) == 0
    # At this size signing in, two canaries and one more look at the feed weigh more than five in a hundred.
    assert calls.job + calls.sign_in <= least(600, 600, 600) + 11  # as above


def test_each_copy_of_a_world_is_fresh() -> None:
    """What one run did to its copy is not seen by the next."""
    with WorldProcess(250, "empty") as process:
        for _ in range(2):
            cost = bare_copy(process.open())
            assert (cost.code, json.loads(cost.output)["records"]) == (0, 250)
            assert len(process.ask("/live")["salesforce"]) == 250


def test_worlds_have_exactly_so_many_records() -> None:
    """Each side of a world that shares people has the number asked for."""
    live = Town(1_000, "half").live()
    assert (len(live["marketo"]), len(live["salesforce"])) == (1_000, 1_000)
    assert {side: len(rows) for side, rows in Town(10, "empty").live().items()} == {
        "marketo": 10,
        "salesforce": 0,
    }


def test_what_a_command_took() -> None:
    """Its exit code, output, CPU time and highest memory are its own."""
    cost = run(
        ["python3", "-c", "x = bytearray(60 << 20); print(sum(range(3_000_000))); raise SystemExit(3)"]
    )
    assert (cost.code, cost.output.strip()) == (3, "4499998500000")
    assert cost.cpu > 0
    assert cost.wall > 0
    assert cost.peak_mib >= 60


def test_a_wrong_run_is_not_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When a run is not exact there is no table, and the exit code says so."""

    def inexact(*_: object, **__: object) -> None:
        raise Wrong("not exact: {'missing': 1}")

    monkeypatch.setattr("benchmarks.__main__.first_copy", inexact)
    assert main(["--records", "10", "--only", "copy"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "missing" in shown.err
