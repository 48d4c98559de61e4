"""What the oracle speaks of: records, typed values, claims, offences. Data only; imports nothing of the engine.

Every value that a person types carries a token of its own with the number of the person it is about, so that it can
be followed wherever it goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MA, SFA = "marketo", "salesforce"
PEOPLE = frozenset({"Lead", "Contact"})  # what is judged; firms, deals and tasks are not
TWO_WAY = {
    "email": {MA: "email", SFA: "Email"},
    "last_name": {MA: "lastName", SFA: "LastName"},
    "first_name": {MA: "firstName", SFA: "FirstName"},
    "company": {MA: "company", SFA: "Company"},
    "phone": {MA: "phone", SFA: "Phone"},
    "title": {MA: "title", SFA: "Title"},
}
TOPICS = {
    "all": {MA: "unsubscribed", SFA: "HasOptedOutOfEmail"},
    "seminar": {MA: "optOutSeminar", SFA: "Opt_Out_Seminar__c"},
}
SCORE = {MA: "leadScore", SFA: "MA_Score__c"}
OTHER_ID = {MA: "sfaId", SFA: "Marketo_Id__c"}
ARROWS = {
    "grade": (MA, {MA: "lossReason", SFA: "MA_Grade__c"}),
    "full_name": (SFA, {MA: "dealStage", SFA: "Full_Name__c"}),
}  # fields that go one way, and the side they come from
TEST = {MA: "isTest", SFA: ""}
SOURCE = {MA: "leadSource", SFA: "LeadSource"}
NAMES = {side: {paths[side]: name for name, paths in TWO_WAY.items()} for side in (MA, SFA)}
OPT_OUTS = {side: {paths[side]: name for name, paths in TOPICS.items()} for side in (MA, SFA)}
SETTLE, LAG = 0.5, 1.1
_TOKEN = re.compile(r"t(\d+)p(\d+)")

Key = tuple[str, str]


class Claim(NamedTuple):
    """The engine's own word about a field of a record (`field` "" = the whole record): kind is `loser`, `hold`,
    `failed`, `ignored`, `open`, `twin` or `gone across`; `value` what a loser was or what was to be
    written, `winner` what beat a loser."""

    kind: str
    side: str
    id: str
    field: str
    value: str = ""
    winner: str = ""


Said = Mapping[tuple[str, str, str], Sequence[Claim]]


class Offence(NamedTuple):
    """One thing that must not be."""

    kind: str
    subject: str
    reason: str


class Sent(NamedTuple):
    """What the sender of a write could know: which write it was, when its cycle and the last sweep before it
    began, at which place in the record of the world each record was last read by id before, and when it left."""

    number: int
    cycle: float
    sweep: float
    looked: Mapping[str, int]
    left: float = 0.0


class Row:
    """One record as its vendor's ledger tells it."""

    __slots__ = (
        "api_made", "api_mail", "bore", "changed", "gone", "gone_unseen", "id", "into", "late", "left", "live",
        "mails", "object", "person", "returned", "side", "source", "typed", "values", "visible",
    )  # fmt: skip

    def __init__(self, side: str, object_: str, id_: str, person: int, *, api_made: bool) -> None:
        self.side, self.object, self.id, self.person = side, object_, id_, person
        self.api_made = api_made
        self.source: Key | None = None
        self.into = ""
        self.live = True
        self.values: dict[str, object] = {}
        self.api_mail = ""
        self.mails: set[str] = set()
        self.bore: dict[str, tuple[float, float]] = {}  # by address: since when at first, till when at last
        self.changed: dict[str, float] = {}  # since when each value can be seen, by what its vendor stamps
        self.typed: dict[str, float] = {}  # since when it stands, whatever became of the record meanwhile
        self.visible = 0.0
        self.late = False
        self.left = 0.0  # when it was deleted, merged away or converted
        self.gone = 0.0  # when its vendor says so
        self.gone_unseen = False
        self.returned = 0.0  # when its vendor has shown it again, out of the bin

    @property
    def key(self) -> Key:
        return self.side, self.id

    def get(self, paths: Mapping[str, str]) -> object:
        return self.values.get(paths[self.side])

    def was_in_the_bin(self, when: float) -> bool:
        return 0.0 < self.gone <= when and (self.returned < self.gone or when <= self.returned)


class Token:
    """One value that a person typed; an address may be typed for several `persons`."""

    __slots__ = (
        "after", "again", "arrived", "field", "homes", "number", "person", "persons", "replaced", "time", "typed",
    )  # fmt: skip

    def __init__(self, number: int, person: int, field: str, home: Key, typed: int, time: float) -> None:
        self.number, self.person, self.field = number, person, field
        self.persons = {person}
        self.homes = {home: typed}
        self.typed, self.time = typed, time
        self.replaced, self.again = 0, False
        self.after: set[int] = set()
        self.arrived: dict[str, int] = {home[0]: typed}

    @property
    def typed_at_last(self) -> int:
        """At which place it was typed: of an address that somebody typed again, the last time."""
        return max(self.homes.values(), default=self.typed) if self.again else self.typed


class Loss(NamedTuple):
    """A typed value that the engine wrote over in a cycle: it must have been a conflict, and said so."""

    token: Token
    home: Key
    new: object
    cycle: float


def token_in(value: object) -> tuple[int, int] | None:
    """The number and the person of the token in a value, whatever a vendor did to letter case or spaces."""
    found = _TOKEN.search(value.casefold()) if isinstance(value, str) else None
    return (int(found[1]), int(found[2])) if found else None


def plain(value: object) -> str:
    """A value as far as no vendor alters it: letters and digits, small."""
    return "".join(c for c in str(value).casefold() if c.isalnum()) if value is not None else ""


def across(side: str) -> str:
    """The system on the other side."""
    return SFA if side == MA else MA
