"""How a long command shows that it moves: bars with rate and forecast on a terminal, plain lines elsewhere.

It decides what is shown when; it may not slow down the work that it tells of.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from renkei.words import Words

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_EVERY = 2.0


class Teller(Protocol):
    """What takes progress: the engine calls it, commands announce how much there is."""

    def __call__(self, what: str, count: int) -> None:
        """So many more of this kind are done."""
        ...

    def expect(self, what: str, total: int) -> None:
        """So many of this kind are to be done, counted from now."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def teller(words: Words, *, silent: bool) -> Teller:
    """The form of progress that fits where the output goes."""
    if silent:
        return Silent()
    return Bars(words) if sys.stdout.isatty() else Lines(words)


class Silent:
    """Shows nothing."""

    def __call__(self, what: str, count: int) -> None:
        """Nothing."""

    def expect(self, what: str, total: int) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Handed(Silent):
    """Hands on to whoever shows progress just now; `shown` may change while the work goes on."""

    def __init__(self) -> None:
        self.shown: Teller = Silent()

    def __call__(self, what: str, count: int) -> None:
        """Hand a step on."""
        self.shown(what, count)

    def expect(self, what: str, total: int) -> None:
        """Hand a total on."""
        self.shown.expect(what, total)


class Lines(Silent):
    """A line now and then: what, how many so far, how many a second."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._count: dict[str, int] = {}
        self._began: dict[str, float] = {}
        self._shown = time.monotonic()

    def __call__(self, what: str, count: int) -> None:
        """Count, and print a line if the last one is some seconds old."""
        now = time.monotonic()
        self._began.setdefault(what, now)
        self._count[what] = self._count.get(what, 0) + count
        if now - self._shown < _EVERY or not count:
            return
        self._shown = now
        spent = max(now - self._began[what], 0.001)
        rate = f"{self._count[what] / spent:,.0f}"
        text = self._words(
            "progress.line", what=label(self._words, what), count=f"{self._count[what]:,}", rate=rate
        )
        print(text, flush=True)


class Bars(Silent):
    """Bars that stay only as long as the work; rate and forecast where the total is known."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        class Rate(ProgressColumn):
            """Steps a second."""

            def render(self, task: Any) -> Text:
                return Text(f"{task.speed:,.0f}/s" if task.speed else "")

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(),
            transient=True,
        )  # fmt: skip
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, what: str, count: int) -> None:
        """Move a bar."""
        if self._progress is not None:  # a step without a count shows that there is something to wait for
            self._progress.advance(self._task(what), count)

    def expect(self, what: str, total: int) -> None:
        """Give a bar its end."""
        if self._progress is not None:
            task = self._task(what)
            done = next(each.completed for each in self._progress.tasks if each.id == task)
            self._progress.update(task, total=done + total)

    def _task(self, what: str) -> TaskID:
        assert self._progress is not None
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(label(self._words, what), total=None)
        return self._tasks[what]


def label(words: Words, what: str) -> str:
    """An engine's step in the user's words."""
    verb, _, system = what.partition(" ")
    return words(f"progress.{verb}", system=system)
