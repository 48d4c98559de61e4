"""The host's time and its threads, as the engine's ports want them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SystemClock:
    """The host's clock; unix seconds, UTC."""

    def now(self) -> float:
        """The time."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait; ends early only by a signal's exception."""
        time.sleep(max(0.0, seconds))


class ThreadExecutor:
    """Runs vendor calls beside the engine: the next page while this one is noted, a bounded number of writes."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="vendor")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call beside us."""
        return self._pool.submit(fn, *args, **kwargs)

    def close(self) -> None:
        """Wait for what runs; drop what has not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)
