"""What the two vendors and the world recorded of a run, in one place for whoever judges it.

Values only; decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from simulators.ledger import Entry

Side = Literal["marketo", "salesforce"]
SIDES: tuple[Side, Side] = ("marketo", "salesforce")
Record = tuple[Side, str]


class Pair(NamedTuple):
    """One field that flows both ways, as each side calls it."""

    marketo: str
    salesforce: str


class Edit(NamedTuple):
    """One edit by a person: `token` is the value typed, `replaced` the value that stood there, `time`
    unix seconds.
    """

    token: str
    person: int
    side: Side
    record: str
    pair: Pair
    time: float
    replaced: object


EMAILS = Pair("email", "Email")
IDS = Pair("sfaId", "Marketo_Id__c")
OPT_OUTS = (Pair("unsubscribed", "HasOptedOutOfEmail"), Pair("optOutSeminar", "Opt_Out_Seminar__c"))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the vendors and the world recorded.

    `live` holds the live records' fields; `people` says whose record it is, for those that persons
    entered; `mailboxes` maps a personal address in lower case to its person (desks' addresses are left
    out); `id_fields` are the fields in which a side keeps the other side's record id; `unanswered` are the times at
    which a side executed a request and did not say so.
    """

    edits: Sequence[Edit]
    ledgers: Mapping[Side, Sequence[Entry]]
    live: Mapping[Side, Mapping[str, Mapping[str, object]]]
    people: Mapping[Record, int]
    mailboxes: Mapping[str, int]
    email_fields: Pair = EMAILS
    id_fields: Pair = IDS
    opt_outs: Sequence[Pair] = OPT_OUTS
    unanswered: Mapping[Side, Sequence[float]] = field(default_factory=dict)
