"""Giving memory back after a large cycle, so that a service that waits is as small as one that never did anything.

It decides nothing about the work. Where the host's library has no such function, memory is kept for the next cycle.
"""

from __future__ import annotations

import ctypes
import gc

LARGE = 1_000


def give_back() -> None:
    """Collect what is in circles, and return what the allocator keeps in each thread's own heap to the host."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU library only
    if trim is not None:
        trim(0)
