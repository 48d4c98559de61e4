"""The backfill of people whom no feed told of, at a small size: exact, in few calls, resumed where it was killed."""

from __future__ import annotations

import random

from benchmarks.backfills import backfill_lines, killed_backfill, whole_backfill
from benchmarks.cases import strangers
from benchmarks.runs import WorldProcess

PEOPLE = 1_500


def test_a_backfill_finds_everybody_once_and_goes_on_where_it_was_killed() -> None:
    """Half of the people stand on both sides already and are linked, the others are created; killed twice it comes to
    the same rows, and the calls that it repeats are counted against those in flight and three for each kill."""
    with WorldProcess(PEOPLE, "half") as process:
        whole = whole_backfill(process, PEOPLE)
        killed = killed_backfill(process, whole, 2, random.Random(4), timeout=2.0)
    assert whole.verdict.exact == killed.verdict.exact == PEOPLE
    known = PEOPLE // 100
    assert whole.told["sent"]["salesforce"] >= PEOPLE - 2 * known
    assert whole.told["read"]["marketo"] >= PEOPLE
    assert whole.told["read"]["salesforce"] >= PEOPLE - strangers(PEOPLE)
    assert whole.counts["marketo"]["extract create"] == 1
    assert len(killed.after) == len(killed.in_flight) == 2
    assert killed.start["marketo"]["identity"] == 2
    assert killed.repeated(whole.counts) <= killed.allowed
    assert whole.cost.peak_mib >= max(sample.mib for sample in whole.samples) - 1
    lines = {line.what: line for line in backfill_lines(whole, whole, killed)}
    assert lines["backfill of 1,500: growth"].measured.startswith("+0 % from 1,500")
    assert all(line.reached is not False for name, line in lines.items() if "memory" not in name)
