"""Both fake vendors' own state classes as `tests.sim.wire.Vendor`, called in the same process without HTTP.

They speak as the real connectors do, and what a row means is read by these: full reads, feeds with an overlap, reads
by id, look-ups, create-only creates. Which call fails is the wire's business, which record the vendor state's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from connectors.marketo.errors import outcome_of as lead_outcome
from connectors.marketo.schema import lead_record
from connectors.salesforce.errors import outcome_of
from connectors.salesforce.feed import events_of
from connectors.salesforce.schema import Reader
from simulators.marketo.log import DELETE_LEAD, TYPE_NAMES
from simulators.marketo.reply import row_of
from simulators.marketo.state import MarketoState
from simulators.salesforce.directory import API_USER
from simulators.salesforce.rest import row_result
from simulators.salesforce.stamps import stamp
from simulators.salesforce.state import SalesforceState
from sync.ports import Outcome, Paths, Write
from sync.record import LifeEvent, Page, Record, Ref
from tests.sim.wire import VISIBILITY_LAG, Now


class Marketo(NamedTuple):
    """Leads; the feed is the activity log, the leads that it names are read by id. A cursor is a time."""

    state: MarketoState
    page: int

    def changes(self, since: str | None, paths: Paths, now: Now, back: float, _: bool) -> Iterator[Page]:
        start = float(since) if since else now() - (back or VISIBILITY_LAG)
        ids = [] if since or back else sorted(self.state.leads)
        for first in range(0, len(ids), self.page):
            part, last = ids[first : first + self.page], first + self.page >= len(ids)
            yield Page(self._read(part, paths), (), repr(start) if last else "", last)
        place, more = self.state.log.position_of(start), True
        while more:
            rows, place, more = self.state.activities(place, TYPE_NAMES, self.page)
            leads = dict.fromkeys(row.lead for row in rows if row.type != DELETE_LEAD)
            ended = (LifeEvent("deleted", _lead(row.lead)) for row in rows if row.type == DELETE_LEAD)
            merged = (LifeEvent("merged", _lead(old), _lead(row.lead)) for row in rows for old in row.others)
            horizon = now() - VISIBILITY_LAG
            edge = min(self.state.log.rows[place - 1].time, horizon) if more else horizon
            cursor = repr(max(edge, start))
            yield Page(self._read(list(leads), paths), (*ended, *merged), cursor, last=not more)

    def _read(self, ids: Sequence[int], paths: Paths) -> tuple[Record, ...]:
        rows: list[Any] = [self.state.lead(number, ("id", *paths["Lead"])) for number in ids]
        return tuple(lead_record("marketo", row, paths["Lead"], ()) for row in rows if row is not None)

    def fetch(self, refs: Sequence[Ref], paths: Paths) -> list[Record]:
        return list(self._read([int(ref.id) for ref in refs], paths))

    def find(self, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        rows: list[Any] = self.state.leads_by(path, values, ("id", *paths[object_]))
        return [lead_record("marketo", row, paths[object_], ()) for row in rows]

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        way = ("updateOnly", "id") if writes[0].ref.id else ("createOnly", "email")
        rows = [{**each.values, **({"id": int(each.ref.id)} if each.ref.id else {})} for each in writes]
        answers = [dict(row_of(answer)) for answer in self.state.sync_leads(*way, rows)]
        return [self._outcome(*each) for each in zip(answers, rows, strict=True)]

    def _outcome(self, answer: dict[str, Any], row: dict[str, Any]) -> Outcome:
        if (outcome := lead_outcome(answer, row)) is not None:
            return outcome
        twins = self.state.leads_by("email", [row["email"]], ["id"])
        return Outcome("exists", str(twins[0]["id"]) if len(twins) == 1 else "")


def _lead(key: int) -> Ref:
    return Ref("marketo", "Lead", str(key))


class Salesforce(NamedTuple):
    """Leads and contacts; the feed is a query by stamp and id, deleted rows included. A cursor is a stamp of each."""

    state: SalesforceState
    page: int

    def changes(self, since: str | None, paths: Paths, now: Now, back: float, keys: bool) -> Iterator[Page]:
        begin = stamp(now() - back) if back else ""
        places: dict[str, str] = json.loads(since) if since else dict.fromkeys(paths, begin)
        for name in paths:
            at, key, more, reader = places[name], "", True, _reader(name, () if keys else paths[name])
            while more:
                rows = self.state.changed_since(name, at, key, self.page)
                at, key = (rows[-1]["SystemModstamp"], rows[-1]["Id"]) if rows else (at, key)
                horizon, more = stamp(now() - VISIBILITY_LAG - 0.002), len(rows) == self.page
                places[name] = min(at, horizon) if more else max(horizon, places[name])
                records, events = tuple(_records(reader, rows)), tuple(events_of(reader, rows))
                last = not more and name == list(paths)[-1]
                yield Page(records, events, json.dumps(places), last, keys)

    def fetch(self, refs: Sequence[Ref], paths: Paths) -> list[Record]:
        rows = self.state.by_ids(name := refs[0].object, [ref.id for ref in refs])
        return _records(_reader(name, paths[name]), rows)

    def find(self, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        return _records(_reader(object_, paths[object_]), self.state.find(object_, path, values))

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        name, create = writes[0].ref.object, not writes[0].ref.id
        rows = [{**each.values, **({} if create else {"Id": each.ref.id})} for each in writes]
        answers = self.state.create(name, rows) if create else self.state.update(name, rows)
        return [outcome_of(row_result(answer), name, creating=create) for answer in answers]


def _reader(name: str, paths: Sequence[str]) -> Reader:
    return Reader(system="salesforce", object=name, plain=tuple(paths), dotted=(), stamps=(), user=API_USER)


def _records(reader: Reader, rows: Sequence[Any]) -> list[Record]:
    return [reader.record(row) for row in rows if row and not row["IsDeleted"]]
