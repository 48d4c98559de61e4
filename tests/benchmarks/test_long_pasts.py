"""A trace over many writes, a start with much open: at a small size everybody is found and everything is counted."""

from __future__ import annotations

from pathlib import Path

from benchmarks.histories import Past, address, make, owned
from benchmarks.recoveries import recoveries, recovery_lines
from benchmarks.traces import trace_lines, traces
from renkei.past import Past as Told
from state.reader import Reader
from state.trace import trace
from sync.record import Ref


def test_everybody_asked_about_is_found() -> None:
    """Whoever is asked about is told of, by address and by id, now and then, and every line has its figure."""
    found = traces(600, each=10, asked=8)
    assert (len(found.now), len(found.then), len(found.cpu)) == (4, 4, 8)
    assert found.size.writes == 600
    assert found.size.after > found.size.before
    assert found.lines > 20  # ten changes and ten writes are among them
    assert [line.reached is None for line in trace_lines(found)] == [False, False, True, True]


def test_the_made_past_is_one_that_renkei_reads(tmp_path: Path) -> None:
    """Every person of a made journal has as many writes and observed changes as were asked for, in one chain."""
    place = tmp_path / "state.db"
    make(place, Past(30, 4))
    with Reader(place) as reader:
        (found,) = trace(reader, refs=[Ref("marketo", "Lead", "1007")])
    assert (len(found.operations), len(found.changes)) == (4, 4)
    assert address(7) in found.records[0].values.values()
    past = Told(found)
    assert past.value(Ref("marketo", "Lead", "1007"), "title", found.changes[-1].at - 1.0) == "部長 0"
    with owned(place) as store:
        assert store.count_linked("both-ways") == 30


def test_a_killed_service_goes_on_with_what_was_open() -> None:
    """By the public commands: killed while it writes, it calls and writes again, and its memory was seen."""
    found = recoveries(1_200, few=300, watched=2.0, people=400)
    assert [each.operations for each in found] == [300, 1_200]
    assert all(0 < each.first <= each.write for each in found)
    assert all(each.peak > 30 and each.written > 0 for each in found)
    assert [line.reached is not None for line in recovery_lines(found)] == [True, False, True, False]
