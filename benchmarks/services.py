"""The service and commands beside it as processes of their own, watched from outside.

It decides how they are started and ended, and what is sampled meanwhile: resident memory over time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.cases import Wrong
from benchmarks.runs import ROOT, Cost

_TICK = 0.1


def secrets_of(places: Mapping[str, Any]) -> dict[str, str]:
    """Every secret that a project on this world needs, as environment; the world itself is the channel `sales`."""
    return {
        f"RENKEI_{side.upper()}__CLIENT_SECRET": str(places[side]["client_secret"])
        for side in ("marketo", "salesforce")
    } | {"RENKEI_CHANNEL_SALES__URL": f"{places['control']['url']}/notices"}


class Sample(NamedTuple):
    """Resident memory in MiB so many seconds after the start."""

    at: float
    mib: float


class Command:
    """One running command. `samples`: its memory over time; `finish` waits for its end and gives what it took."""

    def __init__(self, folder: Path, secrets: Mapping[str, str], *arguments: str) -> None:
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the command is finished)
        self.samples: list[Sample] = []
        self._cost: Cost | None = None
        self._began = time.monotonic()
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.process = subprocess.Popen(  # noqa: S603 (our own program, our own arguments)
            [sys.executable, "-m", "renkei", *arguments, "--project", str(folder)],
            cwd=ROOT, env={**inherited, **secrets}, stdout=self._printed,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self._thread.is_alive()

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.send_signal(signal.SIGKILL)
        self._thread.join()
        self._printed.close()

    def finish(self, *, well: bool = True) -> Cost:
        """Wait for its end. Raises Wrong for any exit code but 0, unless it need not be `well`."""
        self._thread.join()
        assert self._cost is not None
        self._printed.close()
        if well and self._cost.code:
            raise Wrong(f"renkei ended with code {self._cost.code}: {self._cost.output[:2_000]}")
        return self._cost

    def _watch(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status")
        peak = 0.0
        while True:
            pid, code, used = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            found = _memory(status)
            peak = max(peak, found.get("VmHWM", 0.0))
            if found:
                self.samples.append(Sample(time.monotonic() - self._began, found["VmRSS"]))
            time.sleep(_TICK)
        self.process.returncode = os.waitstatus_to_exitcode(code)
        self._printed.seek(0)
        self._cost = Cost(
            cpu=used.ru_utime + used.ru_stime, wall=time.monotonic() - self._began, peak_mib=peak,
            code=self.process.returncode, output=self._printed.read().decode(),
        )  # fmt: skip


def _memory(status: Path) -> dict[str, float]:
    """VmRSS and VmHWM in MiB; nothing once the process has ended."""
    try:
        lines = status.read_text("ascii").splitlines()
    except OSError:
        return {}
    found = dict(line.split(":", 1) for line in lines if line.startswith(("VmRSS:", "VmHWM:")))
    return {name: int(value.split()[0]) / 1024 for name, value in found.items()}


@contextmanager
def serving(folder: Path, secrets: Mapping[str, str]) -> Iterator[Path]:
    """The service, once it runs; gives its log, one JSON object a line. Raises Wrong if it does not end with 0."""
    command = [sys.executable, "-m", "renkei", "run", "--log-json", "--project", str(folder)]
    path = folder / "service.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **secrets}, stderr=log)  # noqa: S603
        try:
            while process.poll() is None and "service starts" not in path.read_text("utf-8"):
                time.sleep(_TICK)
            yield path
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
    if code:
        raise Wrong(f"the service ended with code {code}: {path.read_text()[-1_000:]}")
