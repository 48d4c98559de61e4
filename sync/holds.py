"""The words of the inbox: what is asked there, what may be answered, and for which values an answer holds.

Names only; what an answer does is decided where the question is asked (sync.pairs, sync.create) or where it is heard
(sync.commands).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from sync.rows import HoldRow

CONFLICT, LOOP, AMBIGUOUS, TOMBSTONE, CONSENT = "conflict", "loop", "ambiguous", "tombstone", "consent"
DISCARDED, UNKNOWN_VALUE = "discarded", "unknown_value"
UNDO, UNLINKED = "undo", "unlinked"
BEARER = "bearer"  # why the record of an undone create stays: it bears an opt-out
LEAVE_BOTH, LINK, CREATE, LIFT = "leave_both", "link", "create", "lift"


def hold_hash(body: bytes) -> str:
    """Names the details of a hold: an answer holds for exactly these."""
    return blake2b(body, digest_size=8).hexdigest()


def answer_to(hold: HoldRow | None, body: bytes) -> str:
    """A person's answer to a question, if it was given for what is asked now ("" = none)."""
    return hold.answer if hold is not None and hold.body == body else ""


def is_discarded(hold: HoldRow | None, work: Mapping[str, object]) -> bool:
    """True if a person has discarded just this work; `work` names it in JSON's own types."""
    if hold is None:
        return False
    held = msgspec.json.decode(hold.body)
    return bool(held.get("work") == msgspec.json.decode(msgspec.json.encode(work)))
