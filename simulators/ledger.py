"""The vendor's own record of who wrote what and when; what oracles judge by.

It holds facts only, in the order in which they were committed; no vendor and no reader is known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Actor = Literal["human", "api", "native"]
Change = tuple[object, object]
Verb = Literal["create", "update", "delete", "merge", "convert", "restore"]


class Entry(NamedTuple):
    """One committed change of one record.

    `seq` counts per vendor from 1, `time` is unix seconds by the vendor's clock (never rounded),
    `changes` gives (old, new) per field of the vendor; None means empty. A `merge` entry stands at the
    losing record and names the winner in `into`; a `convert` entry stands at the converted record and
    names what it became. The actor `native` is a vendor's own sync between two of the fakes.
    """

    seq: int
    time: float
    actor: Actor
    verb: Verb
    object: str
    id: str
    changes: Mapping[str, Change]
    into: str | None = None
