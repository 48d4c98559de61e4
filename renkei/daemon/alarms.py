"""Alarms: each told once when it begins and once when it ends, also across restarts.

It decides what is told and when; what is the matter is given to it as a set of alarms that hold now. An alarm counts
as over when it was gone twice in a row, so that what flickers is not told again and again. A message that surely did
not arrive is sent again, one that may have arrived is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from renkei.channels import Channel
from renkei.daemon.notes import ALARMS, Notes
from renkei.daemon.phrases import say
from sync.errors import Fatal, InDoubt, RenkeiError, Retryable
from sync.ports import Executor

GONE = 2
AGAIN = 60.0
LAST = 2.0


class Alarm(NamedTuple):
    """Something that a person should know: its kind (a phrase), what it is about, and why."""

    kind: str
    subject: str
    reason: str

    @property
    def key(self) -> str:
        """One alarm of a kind for each subject."""
        return f"{self.kind} {self.subject}"


@dataclass(slots=True)
class _Sending:
    key: str
    begins: bool
    future: Future[None]


@dataclass(slots=True)
class Alarms:
    """Those that are out. `channel` None = nobody is told, they are only kept and shown."""

    notes: Notes
    channel: Channel | None
    executor: Executor
    language: str
    env: str
    log: Callable[..., None]
    out: dict[str, dict[str, Any]] = field(default_factory=dict)
    _sending: list[_Sending] = field(default_factory=list)
    _not_before: float = 0.0

    def remember(self) -> None:
        """Take up what was out when the last process ended."""
        self.out = dict(self.notes.read(ALARMS))

    def update(self, holding: Iterable[Alarm], now: float) -> None:
        """Compare with what holds now, tell what begins and ends, keep it. `now` in unix seconds. Raises Fatal."""
        current = {each.key: each for each in holding}
        for key, each in current.items():
            if key not in self.out:
                self.out[key] = {**each._asdict(), "since": now, "told": False, "gone": 0}
                self.log("alarm begins", kind=each.kind, subject=each.subject, reason=each.reason)
            self.out[key]["gone"] = 0
        for key, kept in self.out.items():
            if key not in current:
                kept["gone"] += 1
        self._land(now)
        self._tell(now)
        self.notes.write(ALARMS, self.out, now)

    def close(self, now: float) -> None:
        """Take note of what is on its way, waiting a little. Raises Fatal."""
        wait([each.future for each in self._sending], timeout=LAST)
        self._land(now)
        self.notes.write(ALARMS, self.out, now)

    def _tell(self, now: float) -> None:
        """Start sending whatever has to be said, one message at a time for each alarm."""
        busy = {each.key for each in self._sending}
        for key, kept in list(self.out.items()):
            over = kept["gone"] >= GONE
            if key in busy or (kept["told"] and not over):
                continue
            if over and not (kept["told"] and self.channel):
                self._forget(key)  # nobody heard of its beginning
            elif self.channel is None:
                kept["told"] = True
            elif now >= self._not_before:
                self._send(self.channel, key, kept, begins=not over)

    def _send(self, channel: Channel, key: str, kept: Mapping[str, Any], *, begins: bool) -> None:
        what = say(self.language, kept["kind"], **kept)
        subject = say(self.language, "subject.begin" if begins else "subject.end", env=self.env, what=what)
        more = say(self.language, f"{kept['kind']}.more", **kept) if begins else ""
        text = "\n".join(part for part in (subject, more) if part)
        once = f"alarm {key} {kept['since']} {begins}"
        self._sending.append(_Sending(key, begins, self.executor.submit(channel.tell, subject, text, once)))

    def _land(self, now: float) -> None:
        """What became of the messages on their way."""
        for each in [each for each in self._sending if each.future.done()]:
            self._sending.remove(each)
            error = each.future.exception()
            if isinstance(error, (Retryable, Fatal)):
                self._not_before = now + AGAIN
                self.log("alarm not told", key=each.key, reason=error.message)
                continue
            if isinstance(error, RenkeiError) and not isinstance(error, InDoubt):
                self.log("alarm refused", key=each.key, reason=error.message)
            elif error is not None and not isinstance(error, RenkeiError):
                self.log("alarm failed", key=each.key, reason=type(error).__name__)
            if each.begins:
                self.out[each.key]["told"] = True
            else:
                self._forget(each.key)

    def _forget(self, key: str) -> None:
        gone = self.out.pop(key)
        self.log("alarm ends", kind=gone["kind"], subject=gone["subject"])
