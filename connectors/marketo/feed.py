"""Changes of leads, read from the activity log: who changed, then the leads themselves by id.

Decides which leads are read and how far a cursor may move: never beyond an activity page one of whose leads has not
been read, and never into the last `visibility_lag` seconds, because an activity may show up behind the place that a
reader has passed. Values inside activities are never used. Source: the vendor's page "Activities".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from connectors.marketo.client import BATCH, Activities, MarketoClient
from connectors.marketo.schema import LEAD, ObjectFields, lead_record
from connectors.stamps import seconds_of
from sync.errors import Fatal, Retryable
from sync.record import LifeEvent, Page, Raw, Record, Ref

MOST_EMPTY = 50
_NUMBERS = re.compile(r"\d+")


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where reading stands: `token` is the place in the activity log where the next read begins, `end` the place to
    which the log was read at `end_at` (unix seconds). The next read begins there only once that is `visibility_lag`
    ago: the vendor makes a token of a time for the price of a call, and this one is at hand. While everything is being
    read, also the next window of creation dates (`window` up to `until`) and the extract jobs under way, one for each
    window from that one on; `columns` is a checksum of what they extract."""

    token: str
    end: str = ""
    end_at: float = 0.0
    window: str = ""
    until: str = ""
    jobs: tuple[str, ...] = ()
    columns: int = 0


def encode(cursor: Cursor) -> str:
    """The cursor as the engine keeps it."""
    return msgspec.json.encode(cursor).decode()


def decode(text: str) -> Cursor:
    """Read a kept cursor. Raises Fatal."""
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError as error:
        raise Fatal(
            "A stored cursor cannot be read.", "read everything again (`renkei sync --first`)"
        ) from error


def read_leads(
    client: MarketoClient, fields: ObjectFields, ids: Sequence[str], paths: Sequence[str]
) -> dict[str, Record]:
    """At most 300 leads by id in one call; leads that the vendor does not give are missing."""
    asked = list(dict.fromkeys(("id", "createdAt", *paths)))
    stamps = fields.stamps(paths)
    rows: list[Mapping[str, Raw]] = client.leads("id", ids, asked) if ids else []
    return {str(row["id"]): lead_record(client.system, row, paths, stamps) for row in rows}


def read_feed(
    client: MarketoClient,
    fields: ObjectFields,
    cursor: Cursor,
    paths: Sequence[str],
    concerns: Callable[[Mapping[str, object]], bool] | None = None,
) -> Iterator[Page]:
    """Pages from a place in the log to its end; leads are gathered over activity pages until a call is full. With
    `concerns` only of the activities for which it is true."""
    news, lag = _News(client), client.config.visibility_lag
    known = cursor.end_at - lag  # what is older was seen by whoever read to `end`
    token, empty = cursor.token, 0
    while True:
        page = client.activities(token)
        before, cursor = cursor, _behind(page, cursor, lag)
        for row in page.rows:
            if _time_of(row) > known and (concerns is None or concerns(row)):
                news.note(row)
        if len(news.ids) > BATCH:
            # What is left over stands on the page just read, so only the pages before it are covered.
            yield Page(_read(client, fields, news, paths), news.take_events(), encode(before), last=False)
        if len(news.ids) == BATCH or not page.more:
            records = _read(client, fields, news, paths)
            yield Page(records, news.take_events(), encode(cursor), last=not page.more)
        if not page.more:
            return
        empty = empty + 1 if not page.rows and token == page.token else 0
        if empty > MOST_EMPTY:
            raise Retryable(f"{client.system} promises more activities and gives none.", 60.0)
        token = page.token


def _behind(page: Activities, cursor: Cursor, lag: float) -> Cursor:
    """The cursor of a reader who has read one page more: it moves behind what can no longer get company."""
    settled = page.now - lag
    if page.more:
        latest = _time_of(page.rows[-1]) if page.rows else page.now
        if latest > settled:
            return cursor
        return Cursor(page.token, cursor.end, cursor.end_at) if cursor.end_at > latest else Cursor(page.token)
    if cursor.end and cursor.end_at > settled:
        return cursor
    return Cursor(cursor.end or cursor.token, page.token, page.now)


def _time_of(row: Mapping[str, object]) -> float:
    """The latest second at which an activity may have happened; it is told in whole ones."""
    try:
        return seconds_of(str(row.get("activityDate"))) + 1.0
    except ValueError:
        return math.inf


def _read(
    client: MarketoClient, fields: ObjectFields, news: _News, paths: Sequence[str]
) -> tuple[Record, ...]:
    told = news.take_ids()
    found = read_leads(client, fields, list(told), paths)
    return tuple(record._replace(by=told[number]) for number, record in found.items())


class _News:
    """Leads named by activities and not read yet, oldest first, each with what its last activity says of itself, and
    what happened to leads as a whole."""

    def __init__(self, client: MarketoClient) -> None:
        self._system, self._config = client.system, client.config
        self.ids: dict[str, str] = {}
        self._events: list[LifeEvent] = []
        self._losers: set[Ref] = set()

    def note(self, row: Mapping[str, object]) -> None:
        lead, kind = str(row.get("leadId", "")), row.get("activityTypeId")
        if not lead.isdigit():
            return
        if kind == self._config.deletion_type:
            self.ids.pop(lead, None)
            self._events.append(LifeEvent("deleted", self._ref(lead)))
            return
        self.ids[lead] = _told(row)
        if kind == self._config.merge_type:
            for loser in _merged_ids(row):
                self.ids.pop(loser, None)
                self._losers.add(self._ref(loser))
                self._events.append(LifeEvent("merged", self._ref(loser), self._ref(lead)))

    def take_ids(self) -> dict[str, str]:
        return {lead: self.ids.pop(lead) for lead in list(self.ids)[:BATCH]}

    def take_events(self) -> tuple[LifeEvent, ...]:
        """What was noted; a lead that was merged away is not said to be deleted as well."""
        events = [event for event in self._events if event.kind == "merged" or event.ref not in self._losers]
        self._events.clear()
        return tuple(events)

    def _ref(self, lead: str) -> Ref:
        return Ref(self._system, LEAD, lead)


def _told(row: Mapping[str, object]) -> str:
    """Where an activity says that it came from, and its number."""
    attributes = row.get("attributes")
    named = [each for each in attributes if isinstance(each, dict)] if isinstance(attributes, list) else []
    source = next((str(each.get("value") or "") for each in named if each.get("name") == "Source"), "")
    return f"{source} (activity {row.get('id')})" if source else f"activity {row.get('id')}"


def _merged_ids(row: Mapping[str, object]) -> list[str]:
    attributes = row.get("attributes")
    for attribute in attributes if isinstance(attributes, list) else ():
        if isinstance(attribute, dict) and attribute.get("name") == "Merge IDs":
            return _NUMBERS.findall(str(attribute.get("value", "")))
    return []
