"""Writes in parts: how many rows fit into a request, and what is said when a later part fails.

Decides nothing about vendors. Its one rule: once a part was executed, no exception may claim that nothing was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from sync.errors import Fatal, InDoubt, RequestRefused, Retryable
from sync.ports import Outcome

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def parts_by_size(
    places: Sequence[int], rows: Sequence[bytes], most_rows: int, most_bytes: int
) -> Iterator[list[int]]:
    """Cut places (indexes into `rows`) into parts that keep to a number of rows and of bytes, commas included."""
    part: list[int] = []
    size = 0
    for place in places:
        more = len(rows[place]) + 1
        if part and (len(part) == most_rows or size + more > most_bytes):
            yield part
            part, size = [], 0
        part.append(place)
        size += more
    if part:
        yield part


def deliver(
    parts: Sequence[Sequence[int]], send: Callable[[Sequence[int]], list[Outcome]]
) -> dict[int, Outcome]:
    """Send the parts in turn and give one outcome per place.

    A refusal or a wait in a later part becomes `retry` for what was not executed; whatever leaves a later part
    unknown makes the whole call in doubt. Raises what `send` raises for the first part, else InDoubt.
    """
    outcomes: dict[int, Outcome] = {}
    for part in parts:
        try:
            outcomes.update(zip(part, send(part), strict=True))
        except (Retryable, RequestRefused) as error:
            if not outcomes:
                raise
            after = error.after if isinstance(error, Retryable) else 1.0
            return (
                dict.fromkeys((place for each in parts for place in each), Outcome("retry", after=after))
                | outcomes
            )
        except Fatal as error:
            if not outcomes:
                raise
            raise InDoubt(
                f"A part of a write was executed before this happened: {error.message}", error.next_step
            ) from error
    return outcomes


def matched(part: Sequence[object], results: object) -> list[dict[str, object]]:
    """The vendor's results, if there is exactly one object for each row. Raises InDoubt."""
    if (
        not isinstance(results, list)
        or len(results) != len(part)
        or not all(isinstance(row, dict) for row in results)
    ):
        raise InDoubt(
            f"{len(part)} rows were written and the results cannot be matched with them.",
            "they are read back before anything is sent again",
        )
    return results
