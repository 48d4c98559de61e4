"""Count into buckets what two vendors gave and what the journal saw of it, and say which buckets differ.

It decides what of the journal is counted: live records, with what was seen in the paths that are read. It holds a
page of the journal at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from renkei.buckets import BUCKETS, Tally, Uneven, bucket_of, digest_of, tallies, uneven
from renkei.spool import PAGE, Spool
from sync.normalise import Lens, decode_body
from sync.rows import LIVE, MOVED

if TYPE_CHECKING:
    from state.reader import Reader


def uneven_buckets(
    lens: Lens, spool: Spool, reader: Reader, progress: Callable[[str, int], None]
) -> dict[str, tuple[Uneven, ...]]:
    """By system the buckets that differ from the journal."""
    given, seen = tallies(spool.digests()), tallies(_seen(lens, spool, reader, progress))
    none = [Tally()] * BUCKETS
    systems = [lens.system(side) for side in lens.rules.sides]
    return {name: tuple(uneven(given.get(name, none), seen.get(name, none))) for name in systems}


def _seen(
    lens: Lens, spool: Spool, reader: Reader, progress: Callable[[str, int], None]
) -> Iterator[tuple[str, int, int]]:
    """What the journal holds as live: system, bucket, hash. A record that has gone on as another may be given still,
    and counts as seen as it is given."""
    from renkei.wire import scopes
    from state.compared import seen

    (scope,) = scopes((lens.rules,))
    read = {
        (lens.system(side), name): frozenset(paths)
        for side in lens.rules.sides
        for name, paths in lens.reading(side).items()
    }
    for page in seen(reader, scope, PAGE):
        moved = spool.digests_of(ref for ref, state, _body in page if state == MOVED)
        for ref, state, body in page:
            if state == LIVE:
                paths = read.get((ref.system, ref.object), frozenset())
                held = {path: raw for path, raw in decode_body(body).items() if path in paths}
                yield ref.system, bucket_of(ref), digest_of(ref, held)
            elif ref in moved:
                yield ref.system, bucket_of(ref), moved[ref]
        progress("compare records", 0)
