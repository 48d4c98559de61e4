"""What a journal that was copied and put back may not say of its own writes (ADR 0017).

Pure. After a copy was made its journal went on: somebody may have edited a record, and we may have written to it again.
«Last modified by us» then speaks of a write that the copy does not know, and is no evidence that what is read in place
of a value that the copy still awaits is the vendor's alteration of it; nor is it one that the field goes one way, for
nobody knows how long ago it was sent.
"""

from __future__ import annotations

import msgspec

from sync.confirm import Sent, pack
from sync.plan import decode_work, encode_work


def unconfirmed_of_copy(unconfirmed: str) -> str:
    """A record's unconfirmed values: none counts as our latest write to it, and anybody may have written there since,
    also where a field goes one way."""
    sent = msgspec.json.decode(unconfirmed) if unconfirmed else {}
    return pack({path: Sent(*each)._replace(alone=False, others=True) for path, each in sent.items()})


def work_of_copy(body: bytes) -> bytes:
    """The work of an operation that had left and was not settled, as one that others of ours may have followed."""
    return encode_work(msgspec.structs.replace(decode_work(body), copied=True))
