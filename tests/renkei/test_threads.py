"""Where a signal ends the work, and that nobody sleeps through it."""

from __future__ import annotations

import threading
import time

import pytest

from renkei.threads import Stop, SystemClock


def test_a_wish_to_end_wakes_whoever_waits_beside_the_main_thread() -> None:
    """A vendor call that waits for a minute would keep Ctrl-C waiting; it returns soon, and naps when asked again."""
    stop = Stop()
    clock = SystemClock(stop)
    waits: list[float] = []

    def wait_twice() -> None:
        for _ in range(2):
            began = time.monotonic()
            clock.sleep(60.0)
            waits.append(time.monotonic() - began)

    worker = threading.Thread(target=wait_twice)
    worker.start()
    stop.wish()
    worker.join(10)
    assert not worker.is_alive()
    assert all(0.3 < each < 5.0 for each in waits)


def test_the_main_thread_ends_at_its_next_wait_once() -> None:
    """The wish is obeyed by one KeyboardInterrupt; waits while tidying up are waits again."""
    stop = Stop()
    stop.wish()
    with pytest.raises(KeyboardInterrupt):
        SystemClock(stop).sleep(60.0)
    began = time.monotonic()
    SystemClock(stop).sleep(60.0)
    assert time.monotonic() - began < 1.0
