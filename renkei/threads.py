"""The host's time, threads and signals, as the engine's ports want them.

It decides where a signal may end the work: between two steps that are kept whole, never inside one.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_NAP = 0.5


class Stop:
    """A wish to end, made by a signal and obeyed at the next `check`, once; `told` hears of it at once."""

    def __init__(self, told: Callable[[], None] | None = None) -> None:
        self._told = told
        self._wished = threading.Event()
        self._obeyed = False

    @property
    def wished(self) -> bool:
        """True once the end was asked for."""
        return self._wished.is_set()

    def wish(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Ask for the end (a signal handler); asked twice, it comes at once."""
        if self._wished.is_set():
            raise KeyboardInterrupt
        self._wished.set()
        if self._told is not None:
            self._told()

    def check(self) -> None:
        """Raises KeyboardInterrupt if the end was asked for; the tidying up that follows is left alone."""
        if self._wished.is_set() and not self._obeyed:
            self._obeyed = True
            raise KeyboardInterrupt

    def wait(self, seconds: float) -> None:
        """Wait, at most until the end is asked for."""
        self._wished.wait(seconds)


@contextmanager
def polite(stop: Stop) -> Iterator[None]:
    """While this lasts, Ctrl-C and SIGTERM only make a wish; no other thread than the main one may ask for it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop.wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class SystemClock:
    """The host's clock; unix seconds, UTC. With a `stop`, waits end early when it is asked for."""

    def __init__(self, stop: Stop | None = None) -> None:
        self._stop = stop

    def now(self) -> float:
        """The time."""
        return time.time()

    def steady(self) -> float:
        """Seconds that only go on, whatever the time is set to."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises KeyboardInterrupt where the end was asked for, in the main thread only."""
        if self._stop is None:
            time.sleep(max(0.0, seconds))
            return
        if threading.current_thread() is not threading.main_thread():
            self._stop.wait(max(0.0, seconds))
            if self._stop.wished:
                # The main thread waits for this one. A nap still: callers in a loop must not turn it into a race.
                time.sleep(min(max(0.0, seconds), _NAP))
            return
        self._stop.check()
        self._stop.wait(max(0.0, seconds))
        self._stop.check()


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


class Inline:
    """Runs each call at once, where there is nobody to wait for; what is no error of the call ends its caller."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The call's result or error, already there."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (handed to whoever asks for the result)
            future.set_exception(error)
        return future
