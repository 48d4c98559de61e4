"""The service as a process of its own beside running fake vendors: started, asked, told to end.

Decides only how it is started and what it is waited for; everything that it says is what any operator sees.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from renkei.agreement import compare
from renkei.settings import open_project
from renkei.wire import load_rules, look
from state.answers import Which
from state.views import inbox, operations
from sync.normalise import Lens
from sync.record import Side
from tests.support.command import Place, clean_environment
from tests.support.tree import ROOT

_STATES = ("applied", "superseded", "pending", "planned", "failed", "waiting", "ignored")
SETTINGS = "\nservice: {{ every: {every}s, port: 0{more} }}\n"


def configure(place: Place, every: float = 0.3, more: str = "", channels: str = "") -> None:
    """Give the project a service with short intervals; `more`: further settings, `channels`: that block."""
    path = place.folder / "renkei.yaml"
    text = path.read_text("utf-8").partition("\nservice:")[0]
    path.write_text(text + SETTINGS.format(every=every, more=more) + channels, "utf-8")


class Serving:
    """A running service; use as a context manager, which kills it if it still runs. `log`: every line that it wrote."""

    def __init__(
        self, place: Place, *options: str, entry: list[str] | None = None, **environment: str
    ) -> None:
        self.place = place
        self._path = place.folder / f"service-{time.monotonic_ns()}.log"
        with self._path.open("wb") as log:
            self.process = subprocess.Popen(
                entry or place.command("run", "--log-json", *options), cwd=ROOT, stdout=log, stderr=log,
                env=clean_environment() | environment,
            )  # fmt: skip
        self._url = ""

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its lines as data."""
        return [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]

    @property
    def text(self) -> str:
        """Everything that it wrote."""
        return self._path.read_text("utf-8")

    @property
    def url(self) -> str:
        """Where its pages are, as soon as it says so."""
        if not self._url:
            self.until(lambda: any(line["event"] == "service starts" for line in self.log), 30)
            self._url = next(line["url"] for line in self.log if line["event"] == "service starts")
        return self._url

    def get(self, page: str) -> tuple[int, str]:
        """Status and body of a page."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}{page}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ready(self) -> dict[str, Any]:
        """What it says of being ready; the code agrees with it."""
        code, body = self.get("/ready")
        found: dict[str, Any] = json.loads(body)
        assert (code == 200) is found["ok"], body
        return found

    def until_ready(self, seconds: float = 40.0) -> None:
        """Wait until it is."""
        self.until(lambda: self.ready()["ok"], seconds)

    def figure(self, name: str) -> float:
        """The sum of a figure over its labels."""
        _, page = self.get("/metrics")
        lines = [line for line in page.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until something is so; fails with the log if it never is, or if the service ends meanwhile."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, (
                f"it ended with {self.process.returncode}: {self.text[-3000:]}"
            )
            assert time.monotonic() < end, f"it never was so: {self.text[-3000:]}"
            time.sleep(0.05)

    def until_equal(self, seconds: float = 30.0) -> None:
        """Wait until both vendors say the same of everybody."""
        lens = _lens(self.place)
        self.until(lambda: not _differing(lens, self.place), seconds)

    def end(self, number: int = signal.SIGTERM, within: float = 10.0) -> float:
        """Ask it to end; seconds until it had. It must leave with 0."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(within)
        assert code == 0, f"{code}: {self.text[-3000:]}"
        return time.monotonic() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def apart(place: Place) -> dict[str, Any]:
    """Persons whose records mean different things on both sides, with the fields."""
    return _differing(_lens(place), place)


def _lens(place: Place) -> Lens:
    (rules,) = load_rules(open_project(place.folder))
    return Lens(rules)


def _differing(lens: Lens, place: Place) -> dict[str, Any]:
    return dict(compare(lens, place.live(), frozenset()).wrong)


def written(place: Place) -> int:
    """Records that the vendors took, in all."""
    return sum(sum(each.values()) for each in place.fakes.ask("status")["writes"].values())


def secret_file(place: Place, name: str) -> Path:
    """Where a secret stands."""
    return open_project(place.folder).secrets / name


def check_verdict(place: Place) -> None:
    """The vendors' own ledgers: nothing lost, nothing doubled, but for what the journal names as decided otherwise."""
    claims = [{"token": token, "state": state} for token, state in _decided_otherwise(place).items()]
    verdict = place.fakes.ask("verdict", {"claims": claims, "gap_seconds": 2.5})
    assert verdict["ok"], verdict["offences"][:5]


def _decided_otherwise(place: Place) -> dict[str, str]:
    """Values that wait for a person, lost a conflict by rule, or were refused."""
    found: dict[str, str] = {}
    last = 0
    with look(open_project(place.folder)) as reader:
        for hold in inbox(reader, limit=1_000_000):
            for side in Side if isinstance(hold.details, dict) else ():
                if side.value in hold.details:
                    found[str(hold.details[side.value])] = "held"
        while page := operations(reader, Which(states=_STATES), after=last, limit=5_000):
            last = page[-1].id
            for each in page:
                for _name, _expected, desired, _source, _half, lost, *_rule in each.work["fields"].values():
                    if lost is not None:
                        found.setdefault(str(lost), "loser")
                    if each.state in ("failed", "ignored") and desired is not None:
                        found.setdefault(str(desired), "failed")
    return found
