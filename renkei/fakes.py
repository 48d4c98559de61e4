"""The two fake vendors as a process of their own, and the wire to whoever plays them.

It decides how they are started and stopped; it knows nothing of what they do, and nothing of theirs is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sync.errors import Fatal

_ROOT = Path(__file__).resolve().parent.parent
_START = 60.0


class Fakes:
    """The running process; use as a context manager. `places` is what it announced: addresses and credentials."""

    def __init__(self, *arguments: str, keep: bool = False) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", "")))
        }
        # It ends when its standard input does. To outlive us it holds the other end of that pipe itself.
        reading, self._writing = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 (our own program, our own arguments)
            [sys.executable, "-m", "simulators", *arguments],
            stdin=reading,
            stdout=subprocess.PIPE,
            env=environment,
            pass_fds=(self._writing,) if keep else (),
            start_new_session=keep,
        )
        os.close(reading)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise Fatal(
                f"The fake vendors ended at once (code {code}).", "run `python -m simulators` to see why"
            )
        self.places: dict[str, Any] = json.loads(line)
        self._control = str(self.places["control"]["url"])

    @property
    def systems(self) -> list[str]:
        """The fake vendors' names."""
        return [
            name for name, place in self.places.items() if isinstance(place, dict) and "client_id" in place
        ]

    def ask(self, path: str, body: object = None) -> Any:
        """Ask the control endpoint: POST with a body, GET without. Raises Fatal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._control}/control/{path}", data)  # noqa: S310 (loopback, announced by our child)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Fatal(f"The fake vendors refused {path}: {error.read().decode()[:300]}") from None
        except OSError as error:
            raise Fatal(f"The fake vendors do not answer ({error}).", "run the command again") from None

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        os.close(self._writing)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def place_secrets(folder: Path, places: dict[str, Any], systems: list[str]) -> None:
    """Write what a sign-in needs as secret files."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for name in systems:
        path = folder / f"{name}__client_secret"
        path.touch(mode=0o600)
        path.write_text(str(places[name]["client_secret"]), "utf-8")
