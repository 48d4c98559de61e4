"""The service for half an hour while people edit and vendors fail: memory and threads stay where they were."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.command import Place
from tests.support.serving import Serving, check_verdict, configure

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))


def _status(pid: int) -> tuple[float, int]:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(found["VmRSS"].split()[0]) / 1024, int(found["Threads"])


@pytest.mark.soak
@pytest.mark.timeout(int(MINUTES * 60) + 300)
def test_half_an_hour_of_edits_and_failures(place: Place) -> None:
    """From a quarter of the time on memory grows by a tenth at most and threads not at all; the pages are asked all the
    time; in the end everybody is in step and the ledgers are clean."""
    configure(place, every=1.0)
    _widen(place)
    with Serving(place) as service:
        service.until_ready()
        place.fakes.ask("faults", {"profile": "light"})
        seconds = MINUTES * 60
        place.fakes.ask(
            "edits/start", {"rate": 2, "seconds": seconds, "collide_share": 0.1, "optout_share": 0.02}
        )
        began, seen = time.monotonic(), []
        while (spent := time.monotonic() - began) < seconds:
            service.get("/ready")
            assert service.figure("renkei_healthy") == 1
            assert service.process.poll() is None, service.text[-3_000:]
            seen.append((spent, *_status(service.process.pid)))
            time.sleep(min(5.0, seconds / 40))
        place.fakes.ask("edits/stop", {})
        place.fakes.ask("faults", {"profile": "none"})
        service.until_equal(120)
        service.end()
    check_verdict(place)
    settled = [(memory, threads) for spent, memory, threads in seen if spent > seconds / 4]
    first, last = settled[: len(settled) // 4], settled[-len(settled) // 4 :]
    grown = _mean([memory for memory, _ in last]) / _mean([memory for memory, _ in first])
    assert grown < 1.10, f"memory grew {grown:.2f} times: {seen}"
    # One thread for each page being asked for at that moment comes and goes.
    assert max(threads for _, threads in settled) - min(threads for _, threads in settled) <= 2


def _widen(place: Place) -> None:
    """Sixty people who are edited four thousand times are more than the brakes allow unasked; here it is meant."""
    path = place.folder / "mappings" / "person.yaml"
    text = path.read_text("utf-8")
    assert "limits:" not in text
    path.write_text(text + "\nlimits:\n  update: { number: 100000 }\n  create: { number: 100000 }\n", "utf-8")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
