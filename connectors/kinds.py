"""Kinds of records, and facts about objects that are looked up when they are needed.

Decides how a connector refuses a kind that it does not know, and that declaring capabilities costs no call: what only
the vendor's description tells is asked for at the first look at an object, and an object that our user is not shown
has none of it. Knows no vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sync.errors import Fatal, Meaning, RequestRefused
from sync.ports import FieldError, Outcome, Write

PERSON, ACCOUNT, OPPORTUNITY, EFFECT = "person", "account", "opportunity", "effect"
DELETES = frozenset({PERSON})  # of which an undo may delete records; others stand on those of the other kinds


def known(system: str, kind: str, offered: Sequence[str], what: str = "has") -> None:
    """Raises Fatal for a kind that is not offered."""
    if kind not in offered:
        raise Fatal(
            f"{system} {what} no records of the kind {kind[:40]!r}.",
            f"use one of {', '.join(offered)} as `kind` in the mapping",
        )


def undeletable(writes: Sequence[Write]) -> list[Outcome]:
    """What is said of deletions that are not offered."""
    said = FieldError("", "no_delete", "Records of this kind are not deleted.", Meaning.PERMISSION)
    return [Outcome("refused", errors=(said,)) for _ in writes]


class ByObject(Mapping[str, frozenset[str]]):
    """Object -> paths, asked for at each look; whoever answers remembers. Looking may raise Fatal and Retryable."""

    def __init__(self, objects: Sequence[str], ask: Callable[[str], frozenset[str]]) -> None:
        self._objects, self._ask = tuple(objects), ask

    def __getitem__(self, object_: str) -> frozenset[str]:
        if object_ not in self._objects:
            raise KeyError(object_)
        try:
            return self._ask(object_)
        except RequestRefused:
            return frozenset()

    def __iter__(self) -> Iterator[str]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)
