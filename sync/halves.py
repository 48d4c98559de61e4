"""Ask a vendor for many things at once, in halves where it refuses the whole.

It knows nothing of what is asked. One thing that can never be asked for must not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from sync.errors import RequestRefused

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")

MOST = 16  # so many refusals without one answer: it is not a single thing that the vendor dislikes


def in_halves(
    ask: Callable[[Sequence[T]], Sequence[R]], things: Sequence[T], refused: dict[T, RequestRefused]
) -> list[R]:
    """All that the vendor gives; things refused alone are put into `refused` with the vendor's word."""
    found: list[R] = []
    answered, refusals = False, 0
    parts = [things] if things else []
    while parts:
        part = parts.pop()
        try:
            found += ask(part)
            answered = True
        except RequestRefused as error:
            refusals += 1
            if not answered and refusals >= MOST:
                refused.update((thing, error) for rest in (part, *parts) for thing in rest)
                return found
            if len(part) == 1:
                refused[part[0]] = error
            else:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
    return found
