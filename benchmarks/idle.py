"""What a service costs while nothing happens: two routes, each between two systems of its own, at the usual interval.

It decides how long is waited before counting and what is counted: CPU time and memory of the service's own process,
and the calls that the vendors saw. Both routes look at one made world, under two names.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.calls import difference
from benchmarks.cases import LAG, Wrong, say
from benchmarks.report import Line
from benchmarks.runs import ROOT, WorldProcess, run, write_project

EVERY = 30.0
SETTLE = 45.0
CPU_SHARE, RSS_MIB, CALLS = 0.5, 120.0, 2.0
_NAMES = re.compile(r"\b(marketo|salesforce)\b")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """CPU in percent of a core, resident memory in MiB at the end, threads, calls for each side and cycle."""

    records: int
    seconds: float
    share: float
    rss: float
    threads: int
    calls: float


def idle(records: int, seconds: float) -> Idle:
    """Bring both routes in step, start the service, let it settle, and count."""
    with (
        WorldProcess(records, "half") as process,
        tempfile.TemporaryDirectory(prefix="renkei-bench-") as name,
    ):
        folder, places = Path(name), process.open()
        secrets = _project(folder, places)
        first = [sys.executable, "-m", "renkei", "sync", "--first", "--canary", "0", "--json"]
        done = run([*first, "--project", name], secrets)
        if done.code:
            raise Wrong(f"the first sync ended with code {done.code}: {done.output[:1_000]}")
        with _service(folder, secrets) as service:
            say(f"{records:,} records in step; the service settles for {SETTLE:.0f} s")
            time.sleep(SETTLE)
            before, began, calls = _cpu(service.pid), time.monotonic(), process.ask("/counts")["calls"]
            time.sleep(seconds)
            spent, lasted = _cpu(service.pid) - before, time.monotonic() - began
            made = difference(process.ask("/counts")["calls"], calls)
            memory, threads = _status(service.pid)
        number = sum(sum(side.values()) for side in made.values())
        cycles = 2 * 2 * lasted / EVERY  # two routes with two sides each
        return Idle(
            records=records, seconds=lasted, share=100 * spent / lasted, rss=memory, threads=threads,
            calls=number / cycles,
        )  # fmt: skip


def idle_lines(found: Idle) -> list[Line]:
    """The figures beside what is promised."""
    return [
        Line(
            what="idle service, two routes every 30 s: CPU", measured=f"{found.share:.2f} % of a core",
            target=f"≤ {CPU_SHARE} %", reached=found.share <= CPU_SHARE,
        ),
        Line(
            what="idle service: memory", measured=f"{found.rss:.0f} MiB, {found.threads} threads",
            target=f"≤ {RSS_MIB:.0f} MiB", reached=found.rss <= RSS_MIB,
        ),
        Line(
            what="idle service: calls for each side and cycle", measured=f"{found.calls:.2f}",
            target=f"≤ {CALLS:.0f}", reached=found.calls <= CALLS,
        ),
    ]  # fmt: skip


def _project(folder: Path, places: Mapping[str, Any]) -> dict[str, str]:
    """Two routes over the same world; gives the secrets as environment."""
    write_project(folder, "half", places, LAG)
    mapping = folder / "mappings" / "both-ways.yaml"
    text = mapping.read_text("utf-8").replace("route: both-ways", "route: both-ways-again")
    (folder / "mappings" / "again.yaml").write_text(_NAMES.sub(r"\1_b", text), "utf-8")
    path = folder / "renkei.yaml"
    settings = json.loads(path.read_text("utf-8"))
    for held in (settings["systems"], settings["envs"]["bench"]):
        held.update({f"{name}_b": dict(held[name]) for name in list(held)})
    settings["service"] = {"every": EVERY, "port": 0}
    path.write_text(json.dumps(settings), "utf-8")
    return {
        f"RENKEI_{side.upper()}{other}__CLIENT_SECRET": str(places[side]["client_secret"])
        for side in ("marketo", "salesforce")
        for other in ("", "_B")
    }


@contextmanager
def _service(folder: Path, secrets: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "renkei", "run", "--project", str(folder)]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **secrets}, stderr=log)  # noqa: S603
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
    if code:
        raise Wrong(f"the service ended with code {code}: {(folder / 'service.log').read_text()[-1_000:]}")


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _status(pid: int) -> tuple[float, int]:
    """Resident memory in MiB and the number of threads."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(found["VmRSS"].split()[0]) / 1024, int(found["Threads"])
