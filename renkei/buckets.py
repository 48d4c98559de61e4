"""Records counted into 256 buckets by the hash of their names: what a vendor gave beside what the journal saw.

It decides what makes two buckets equal: as many records, and the same sum over a hash of each name with the values that
are read. The sum does not depend on the order. Equal buckets hold the same records with the same values, so only what
lies in the others is compared with the journal one by one; that both sides agree with each other is not seen from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from sync.record import Raw, Ref

BUCKETS = 256
_WIDTH = 7  # bytes of a record's hash: always a positive number in the temporary database
_MODULUS = 1 << 64


class Tally(NamedTuple):
    """One bucket: how many records, and the sum of their hashes (modulo 2^64)."""

    records: int = 0
    hashes: int = 0

    def with_one(self, digest: int) -> Tally:
        """It, with one record more."""
        return Tally(self.records + 1, (self.hashes + digest) % _MODULUS)


class Uneven(NamedTuple):
    """A bucket in which a system and the journal differ."""

    bucket: int
    system: Tally
    journal: Tally


def bucket_of(ref: Ref) -> int:
    """The bucket of a record, by its name alone."""
    return blake2b("\0".join(ref).encode(), digest_size=1).digest()[0]


def digest_of(ref: Ref, values: Mapping[str, Raw]) -> int:
    """A hash of a record's name and of these values, in any order; 1 and 1.0 are one value, 1 and true are not."""
    plain = {path: _plain(value) for path, value in values.items()}
    text = msgspec.json.encode((ref, plain), order="deterministic")
    return int.from_bytes(blake2b(text, digest_size=_WIDTH).digest())


def _plain(value: Raw) -> Raw:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def tallies(records: Iterable[tuple[str, int, int]]) -> dict[str, list[Tally]]:
    """Buckets by system, of records as system, bucket and hash."""
    found: dict[str, list[Tally]] = {}
    for system, bucket, digest in records:
        row = found.setdefault(system, [Tally()] * BUCKETS)
        row[bucket] = row[bucket].with_one(digest)
    return found


def uneven(system: Iterable[Tally], journal: Iterable[Tally]) -> Iterator[Uneven]:
    """The buckets that differ."""
    for number, (here, there) in enumerate(zip(system, journal, strict=True)):
        if here != there:
            yield Uneven(number, here, there)
