"""Both fake vendors as the engine's connectors, called in the same process without HTTP.

They speak as the real connectors do: full reads, feeds with an overlap, reads by id, look-ups, create-only
creates. Which call fails is the wire's business, which record the vendor state's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulators.marketo import log
from simulators.marketo.state import MarketoState
from simulators.salesforce.directory import API_USER
from simulators.salesforce.errors import SaveResult
from simulators.salesforce.ids import normalise
from simulators.salesforce.stamps import stamp
from simulators.salesforce.state import SalesforceState
from sync.ports import Capabilities, Feed, FieldError, Outcome, Paths, Write
from sync.record import LifeEvent, Page, Record, Ref, Schema
from tests.sim.wire import SERVER_TIMEOUT, VISIBILITY_LAG, Wire

MA, SFA = "marketo", "salesforce"
MA_EVENTS = (log.NEW_LEAD, log.DATA_VALUE_CHANGED, log.CHANGE_SCORE, log.MERGE_LEADS, log.DELETE_LEAD)


def _capabilities(system: str, batch: int, **more: Any) -> Capabilities:
    return Capabilities(
        system=system, feeds={"person": Feed.FEED}, write_batch=batch, fetch_batch=batch, find_batch=batch,
        server_timeout=SERVER_TIMEOUT, visibility_lag=VISIBILITY_LAG, **more,
    )  # fmt: skip


class Marketo:
    """Leads; the feed is the activity log, the leads that it names are read by id."""

    def __init__(self, state: MarketoState, wire: Wire, page: int) -> None:
        self.state, self.wire, self.page = state, wire, page
        self.capabilities = _capabilities(MA, page, find_paths={"Lead": frozenset({"email", "sfaId"})})

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """Nobody asks here."""
        return ()

    def close(self) -> None:
        """Nothing to release."""

    def _read(self, ids: Sequence[str], paths: Paths) -> list[Record | None]:
        found = (self.state.leads.get(int(key)) for key in ids)
        return [None if lead is None else self._record(lead.id, lead.values, paths) for lead in found]

    def _record(self, key: int, values: Mapping[str, Any], paths: Paths) -> Record:
        self.wire.show([str(key)])
        return Record(Ref(MA, "Lead", str(key)), {path: values.get(path) for path in paths["Lead"]})

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """All leads, then the log from where the first read began; or the log from a time on."""
        clock = self.wire.ground.clock
        start = clock.now()
        if back or since:
            yield from self._log(start - back if back else float(since or 0), paths)
            return
        ids = sorted(self.state.leads)
        for place in range(0, max(len(ids), 1), self.page):
            part = [str(key) for key in ids[place : place + self.page]]
            records = self.wire.read("extract", lambda part=part: self._read(part, paths))  # type: ignore[misc]
            last = place + self.page >= len(ids)
            yield Page(tuple(filter(None, records)), (), repr(start - VISIBILITY_LAG) if last else "", last)

    def _log(self, since: float, paths: Paths) -> Iterator[Page]:
        clock = self.wire.ground.clock
        place = self.state.log.position_of(since)
        more = True
        while more:
            horizon = clock.now() - VISIBILITY_LAG

            def ask(place: int = place) -> tuple[log.Page, list[Record | None]]:
                found = self.state.activities(place, MA_EVENTS, self.page)
                ids = dict.fromkeys(str(row.lead) for row in found.rows if row.type != log.DELETE_LEAD)
                return found, self._read(list(ids), paths)

            page, records = self.wire.read("activities", ask)
            place, more = page.position, page.more
            edge = self.state.log.rows[place - 1].time if more else horizon
            yield Page(
                tuple(filter(None, records)),
                tuple(event for row in page.rows for event in _ma_events(row)),
                repr(max(min(edge, horizon), since)),
                last=not more,
            )

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Leads by id."""

        def ask() -> list[Record | None]:
            self.wire.saw([ref.id for ref in refs])
            records = self._read([ref.id for ref in refs], paths)
            return [None if each is None or self.wire.unseen(each.ref.id) else each for each in records]

        return self.wire.read(f"fetch {len(refs)}", ask)

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Leads by a searchable field."""
        names = ["id", *paths["Lead"]]
        rows = self.wire.read(f"find {path}", lambda: self.state.leads_by(path, values, names))
        return [self._record(int(str(row["id"])), row, paths) for row in rows]

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Sync Leads: creates are create-only by e-mail address."""
        create = not writes[0].ref.id
        way = ("createOnly", "email") if create else ("updateOnly", "id")
        rows = [dict(w.values) if create else {"id": int(w.ref.id), **w.values} for w in writes]
        label = f"{way[0]} {len(rows)}"

        def act() -> list[Any]:
            answers = self.state.sync_leads(*way, rows)
            for write, answer in zip(writes, answers, strict=True):
                if answer.id is not None and answer.status in {"created", "updated"}:
                    self.wire.kept(str(answer.id), write.values, self.state.leads[answer.id].values)
            return answers

        answers = self.wire.write(label, act)
        self.wire.show([str(answer.id) for answer in answers if answer.id])
        return [self._outcome(write, answer) for write, answer in zip(writes, answers, strict=True)]

    def _outcome(self, write: Write, answer: Any) -> Outcome:
        match answer.status, answer.code:
            case "created" | "updated", _:
                return Outcome("applied", str(answer.id))
            case _, "1005" | "1007":
                rows = self.state.leads_by("email", [write.values.get("email")], ["id"])
                return Outcome("exists", str(rows[0]["id"]) if len(rows) == 1 else "")
            case _, "1004":
                return Outcome("gone")
            case _, "719":
                return Outcome("retry", after=5.0)
            case _:
                return Outcome("refused", errors=(FieldError("", str(answer.code), str(answer.message)),))


def _ma_events(row: log.Activity) -> Iterator[LifeEvent]:
    ref = Ref(MA, "Lead", str(row.lead))
    if row.type == log.DELETE_LEAD:
        yield LifeEvent("deleted", ref)
    for loser in row.others:
        yield LifeEvent("merged", Ref(MA, "Lead", str(loser)), ref)


class Salesforce:
    """Leads and contacts; the feed is a query by stamp and id, deleted rows included."""

    def __init__(self, state: SalesforceState, wire: Wire, page: int, *, keyed: bool) -> None:
        """`keyed`: the field for the other side's ids is unique."""
        self.state, self.wire, self.page = state, wire, page
        key = {name: frozenset({"Marketo_Id__c"}) for name in ("Lead", "Contact")}
        self.capabilities = _capabilities(
            SFA, page, find_paths={name: paths | {"Email"} for name, paths in key.items()},
            unique_keys=key if keyed else {}, feed_versions=True, tells_author=True,
        )  # fmt: skip

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """Nobody asks here."""
        return ()

    def close(self) -> None:
        """Nothing to release."""

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """Rows by stamp of each object in turn; the cursor is a stamp per object."""
        clock = self.wire.ground.clock
        begin = stamp(clock.now() - back) if back else ""
        places = (
            dict.fromkeys(paths, begin) if back or not since else dict(p.split("=") for p in since.split())
        )
        for name in paths:
            at, key, more = places[name], "", True
            while more:
                horizon = stamp(clock.now() - VISIBILITY_LAG - 0.002)
                rows = self.wire.read(
                    f"query {name}",
                    lambda name=name, at=at, key=key: self.state.changed_since(name, at, key, self.page),  # type: ignore[misc]
                )
                more = len(rows) == self.page
                if rows:
                    at, key = rows[-1]["SystemModstamp"], rows[-1]["Id"]
                places[name] = min(at, horizon) if more else max(horizon, places[name])
                cursor = " ".join(f"{place}={where}" for place, where in places.items())
                records = [self._record(name, row, paths, keys_only) for row in rows if _is_live(row)]
                events = [_sfa_event(name, row) for row in rows if not _is_live(row)]
                last = not more and name == list(paths)[-1]
                yield Page(tuple(records), tuple(events), cursor, last, keys_only)

    def _record(self, name: str, row: Mapping[str, Any], paths: Paths, keys_only: bool = False) -> Record:
        self.wire.show([row["Id"]])
        values = {} if keys_only else {path: row[path] for path in paths[name]}
        own = row["LastModifiedById"] == API_USER
        return Record(Ref(SFA, name, row["Id"]), values, row["SystemModstamp"], row["CreatedDate"], own)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Rows by id, a call per object."""
        found: dict[Ref, Record] = {}
        for name in paths:
            ids = [ref.id for ref in refs if ref.object == name]

            def ask(name: str = name, ids: list[str] = ids) -> list[Any]:
                self.wire.saw(ids)
                return self.state.by_ids(name, ids)

            for row in self.wire.read(f"fetch {name} {len(ids)}", ask) if ids else ():
                if row is not None and _is_live(row) and not self.wire.unseen(row["Id"]):
                    found[Ref(SFA, name, row["Id"])] = self._record(name, row, paths)
        return [found.get(ref) for ref in refs]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Rows by a field: a unique one as committed, another as queries see it."""
        rows = self.wire.read(f"find {path}", lambda: self.state.find(object_, path, values))
        return [self._record(object_, row, paths) for row in rows if _is_live(row)]

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """A collection of creates or updates of one object."""
        create, name = not writes[0].ref.id, writes[0].ref.object
        rows = [dict(w.values) if create else {"Id": w.ref.id, **w.values} for w in writes]
        save = self.state.create if create else self.state.update
        label = f"{'create' if create else 'update'} {name} {len(rows)}"

        def act() -> list[SaveResult]:
            answers = save(name, rows)
            for write, answer in zip(writes, answers, strict=True):
                if answer.success and answer.id:
                    self.wire.kept(answer.id, write.values, self.state.tables[name].rows[answer.id])
            return answers

        answers = self.wire.write(label, act)
        self.wire.show([answer.id for answer in answers if answer.id])
        return [_sfa_outcome(create, answer) for answer in answers]


def _is_live(row: Mapping[str, Any]) -> bool:
    return not row["IsDeleted"] and not row.get("IsConverted")


def _sfa_event(name: str, row: Mapping[str, Any]) -> LifeEvent:
    ref = Ref(SFA, name, row["Id"])
    if row["MasterRecordId"]:
        return LifeEvent("merged", ref, Ref(SFA, name, row["MasterRecordId"]))
    if row["IsDeleted"]:
        return LifeEvent("deleted", ref)
    return LifeEvent("converted", ref, Ref(SFA, "Contact", row["ConvertedContactId"]))


def _sfa_outcome(create: bool, answer: SaveResult) -> Outcome:
    if answer.success:
        return Outcome("applied", str(answer.id))
    error = answer.errors[0]
    match error.code:
        case "DUPLICATE_VALUE" if create:
            return Outcome("exists", normalise(error.message.rsplit(" ", 1)[1]) or "")
        case "UNABLE_TO_LOCK_ROW":
            return Outcome("retry", after=5.0)
        case "ENTITY_IS_DELETED" | "INVALID_CROSS_REFERENCE_KEY" | "CANNOT_UPDATE_CONVERTED_LEAD":
            return Outcome("gone")
        case _:
            paths = error.fields or ("",)
            errors = tuple(FieldError(path, error.code, error.message) for path in paths)
            return Outcome("refused", errors=errors)
