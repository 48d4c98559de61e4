"""Vendor calls in threads of their own, so that the one thread that keeps the journal can leave them behind.

It decides what becomes of a call that has not ended when the end is near: one that left is in doubt, one that has not
begun was never sent. It may not know what is called. The threads die with the process; nobody waits for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from math import inf
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar, cast

from sync.errors import InDoubt, Retryable
from sync.lanes import in_lane
from sync.ports import Capabilities, Connector, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    call: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class Calls:
    """A `sync.ports.Executor` on daemon threads. `keep` is called while the caller waits in `run`."""

    def __init__(self, workers: int, keep: Callable[[], None] = lambda: None) -> None:
        self._keep = keep
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._running: set[_Task] = set()
        self._given_up = False
        self._threads = [
            threading.Thread(target=self._work, name=f"vendor-{number}", daemon=True)
            for number in range(workers)
        ]
        for each in self._threads:
            each.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call beside us."""
        task = _Task(lambda: fn(*args, **kwargs))
        self._queue.put(task)
        if self._given_up:
            self._refuse_waiting()
        return cast("Future[T]", task.future)

    def run(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call and wait for it; in one of our own threads at once."""
        if threading.current_thread() in self._threads:
            return fn(*args, **kwargs)
        future = self.submit(fn, *args, **kwargs)
        while not wait([future], timeout=_PATIENCE).done:
            self._keep()
        return future.result()

    def give_up(self) -> None:
        """From now on nothing begins, and what runs counts as in doubt."""
        with self._lock:
            self._given_up = True
            for task in self._running:
                task.future.set_exception(
                    InDoubt("The service stopped before an answer came.", "it is looked up at the next start")
                )
            self._running.clear()
        self._refuse_waiting()

    def close(self) -> None:
        """Let the threads end; whoever is still in a call is left behind."""
        self._refuse_waiting()
        for _ in self._threads:
            self._queue.put(None)

    def _refuse_waiting(self) -> None:
        while True:
            try:
                task = self._queue.get_nowait()
            except Empty:
                return
            if task is not None:
                task.future.set_exception(Retryable("The service stops; nothing was sent."))

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            with self._lock:
                begins = not self._given_up
                if begins:
                    self._running.add(task)
            if not begins:
                task.future.set_exception(Retryable("The service stops; nothing was sent."))
                continue
            self._land(task)

    def _land(self, task: _Task) -> None:
        error: BaseException | None = None
        answer: Any = None
        try:
            answer = task.call()
        except BaseException as raised:  # noqa: BLE001 - whoever waits for the call gets it
            error = raised
        with self._lock:
            if task not in self._running:
                return  # given up meanwhile
            self._running.discard(task)
            if error is not None:
                task.future.set_exception(error)
            else:
                task.future.set_result(answer)


class Apart:
    """A connector all of whose calls run in the threads of `Calls`."""

    def __init__(self, connector: Connector, calls: Calls) -> None:
        self._connector = connector
        self._calls = calls

    @property
    def capabilities(self) -> Capabilities:
        """Frozen facts about this system."""
        return self._connector.capabilities

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """See `sync.ports.Connector`."""
        return self._calls.run(self._connector.describe, kind)

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """The pages; whoever pulls them does so through the executor."""
        return self._calls.run(self._connector.changes, kind, since, paths, back=back, keys_only=keys_only)

    def created(self, kind: str, since: str, until: str) -> str | None:
        """Where a connector can begin with who was created then; None = at the very beginning."""
        ask: Callable[[str, str, str], str | None] | None = getattr(self._connector, "created", None)
        return None if ask is None else self._calls.run(ask, kind, since, until)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """See `sync.ports.Connector`."""
        return self._calls.run(self._connector.fetch, kind, refs, paths)

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """See `sync.ports.Connector`."""
        return self._calls.run(self._connector.find, kind, object_, path, values, paths)

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """See `sync.ports.Connector`."""
        return self._calls.run(self._connector.write, kind, writes)

    def in_lane(self, lane: int, latest: float = inf) -> Connector:
        """The same, with all calls in a lane (see `sync.lanes`)."""
        return Apart(in_lane(self._connector, lane, latest), self._calls)

    def close(self) -> None:
        """Release connections."""
        self._connector.close()
