"""What is left of a route's work, each part with the command that goes on with it: for status and what delivers.

It decides what leaves by itself with the next sync and what waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from renkei import telling
from renkei.cli.options import Session
from renkei.cli.screen import counts
from sync.rows import PENDING, PLANNED

_BRAKE = "brake"


def leftover(
    here: Session,
    route: str,
    left: Mapping[str, int],
    on_its_way: Mapping[str, int] | None = None,
    *,
    first: bool = False,
    shadow: bool = False,
) -> Iterator[str]:
    """A line for each command that is next. `left`: operations by state and questions by kind; `on_its_way`: by system
    those that left and are not settled; `first`: the route waits for its first delivery."""
    leaves = {name: number for name, number in left.items() if number and name in (PLANNED, PENDING)}
    leaves |= {name: number for name, number in (on_its_way or {}).items() if number}
    waits = {name: number for name, number in left.items() if number and name not in leaves}
    if _BRAKE in waits:  # what is planned waits behind it
        waits, leaves = leaves | waits, {}
    ends = "sync.open_shadow" if shadow else "sync.open_first" if first else "sync.open_sync"
    for part, phrase in ((leaves, ends), (waits, "sync.open")):
        if part:
            yield "  " + here.words(phrase, open=counts(telling.named(here.words, part)), route=route)
