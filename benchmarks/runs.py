"""Starting what is measured: a world in a process of its own, and one command beside it.

It decides what counts: CPU seconds (user + system) of the command's own process, its highest memory, wall time. What
the world did is asked of the world.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
_POLL = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one command took: seconds of CPU and of wall time, MiB at most, and what it printed."""

    cpu: float
    wall: float
    peak_mib: float
    code: int
    output: str


class WorldProcess:
    """A made world; each `open` serves a fresh copy of it and ends the last one. Use as a context manager."""

    def __init__(self, records: int, kind: str, seed: int = 1) -> None:
        arguments = ["--records", str(records), "--kind", kind, "--seed", str(seed)]
        self._process = subprocess.Popen(  # noqa: S603 (our own program, our own arguments)
            [sys.executable, "-m", "benchmarks.worlds", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self.places: dict[str, Any] = {}
        self._line()

    def open(self) -> dict[str, Any]:
        """Addresses and credentials of a fresh copy."""
        assert self._process.stdin is not None
        self._process.stdin.write("open\n")
        self._process.stdin.flush()
        self.places = json.loads(self._line())
        return self.places

    def ask(self, path: str, *, post: bool = False) -> Any:
        """Ask the open copy's control address."""
        request = urllib.request.Request(f"{self.places['control']['url']}{path}", b"" if post else None)  # noqa: S310 (loopback)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=300) as answer:
            return json.load(answer)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the world ended at once (code {self._process.wait()})")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(30)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run one command to its end and count what it took."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as printed:
        # Both sides run from compiled modules, as installed programs do, whatever this shell says of keeping them.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        process = subprocess.Popen(  # noqa: S603 (our own programs, our own arguments)
            command, cwd=ROOT, env={**inherited, **(environment or {})}, stdout=printed
        )
        status, peak = Path(f"/proc/{process.pid}/status"), 0.0
        while True:
            pid, code, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, _high_water(status))
            time.sleep(_POLL)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(code)
        printed.seek(0)
        output = printed.read().decode()
    return Cost(
        cpu=used.ru_utime + used.ru_stime, wall=wall, peak_mib=peak, code=process.returncode, output=output
    )


def _high_water(status: Path) -> float:
    """The most memory that a process ever held, in MiB; ru_maxrss would also count that of whoever started it."""
    try:
        _, found, rest = status.read_text("ascii").partition("VmHWM:")
    except OSError:
        return 0.0
    return int(rest.split()[0]) / 1024 if found else 0.0


def bare_copy(places: Mapping[str, Any]) -> Cost:
    """The yardstick on this world."""
    urls = [
        places[side]["url"].replace("//", f"//{places[side]['client_id']}:{places[side]['client_secret']}@")
        for side in ("marketo", "salesforce")
    ]
    return run([sys.executable, "-m", "benchmarks.bare_copy", *urls])


def sync(folder: Path, places: Mapping[str, Any], *options: str) -> Cost:
    """The public command on this world."""
    secrets = {
        f"RENKEI_{side.upper()}__CLIENT_SECRET": str(places[side]["client_secret"])
        for side in ("marketo", "salesforce")
    }
    command = [sys.executable, "-m", "renkei", "sync", "--json", "--project", str(folder), *options]
    return run(command, secrets)


PRESETS = ROOT / "mappings" / "presets" / "marketo-salesforce"
MAPPINGS: Mapping[str, tuple[Path, ...]] = {
    "empty": (PRESETS / "person-oneway.yaml", PRESETS / "thresholds.yaml"),
    "half": (ROOT / "benchmarks" / "mappings" / "both-ways.yaml",),
}


def write_project(folder: Path, kind: str, places: Mapping[str, Any], lag: float) -> None:
    """A project folder for this world: feed-complete Marketo, and no short quota, which would only add waiting."""
    (folder / "mappings").mkdir(parents=True)
    for path in MAPPINGS[kind]:
        (folder / "mappings" / path.name).write_text(path.read_text("utf-8"), "utf-8")
    common = {"visibility_lag": lag, "server_timeout": 30.0}
    marketo, salesforce = places["marketo"], places["salesforce"]
    settings = {
        "version": 1,
        "systems": {"marketo": {"connector": "marketo"}, "salesforce": {"connector": "salesforce"}},
        "envs": {
            "bench": {
                "marketo": common
                | {"rest_url": f"{marketo['url']}/rest", "client_id": marketo["client_id"]}
                | {"full_read": "feed", "window_calls": 0},
                "salesforce": common
                | {"login_url": salesforce["url"], "client_id": salesforce["client_id"], "overlap": lag},
            }
        },
    }
    (folder / "renkei.yaml").write_text(json.dumps(settings, indent=1), "utf-8")
