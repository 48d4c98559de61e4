"""One Salesforce organisation as the engine sees it: persons are leads and contacts, accounts and deals are called
so, and what is announced is a task.

Decides which call serves which question and what the engine must know of the vendor. It may not know mappings or the
journal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from math import inf

from connectors.batches import chunks
from connectors.checks import Check, Usage, run_checks
from connectors.costs import Cost
from connectors.http import Call
from connectors.kinds import ACCOUNT, DELETES, EFFECT, OPPORTUNITY, PERSON, ByObject, known, undeletable
from connectors.lanes import InLane
from connectors.salesforce import soql
from connectors.salesforce.client import BATCH, FETCH, SalesforceClient
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.feed import (
    CONVERSIONS,
    DELETION_DAYS,
    decode,
    encode,
    read_changes,
    reader_for,
    sweep,
)
from connectors.salesforce.ids import full_id, is_id
from connectors.salesforce.owners import Owners
from connectors.salesforce.refusals import MEANINGS
from connectors.salesforce.schema import Catalogue
from connectors.salesforce.write import delete_records, write_records, write_tasks
from sync.errors import RequestRefused
from sync.ports import Capabilities, Clock, Connector, Feed, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema

OBJECTS: Mapping[str, tuple[str, ...]] = {
    ACCOUNT: ("Account",),
    OPPORTUNITY: ("Opportunity", "OpportunityContactRole"),
    EFFECT: ("Task",),
}
FEEDS = {PERSON: Feed.FEED, ACCOUNT: Feed.FEED, OPPORTUNITY: Feed.FEED, EFFECT: Feed.NONE}


class Salesforce:
    """A connector (`sync.ports.Connector`); safe to share between threads."""

    def __init__(
        self, system: str, config: SalesforceConfig, clock: Clock, log: Callable[[Call], None] | None = None
    ) -> None:
        self.client = SalesforceClient(system, config, clock, log)
        self._catalogue = Catalogue(system, self.client.describe)
        self._owners = Owners(self.client)
        self._objects = {PERSON: config.objects, **OBJECTS}
        self._facts = self._declared()

    @property
    def capabilities(self) -> Capabilities:
        """Facts about this organisation; an object's paths are asked for at the first look at them (one call each)."""
        return self.client.known(self._facts, self.client.organisation)

    def _declared(self) -> Capabilities:
        config = self.client.config
        names = [name for objects in self._objects.values() for name in objects]
        return Capabilities(
            system=self.client.system,
            feeds=FEEDS,
            write_batch=BATCH,
            fetch_batch=FETCH,
            find_batch=soql.MOST_VALUES,
            concurrency=config.concurrency,
            tells_author=True,
            feed_versions=True,
            server_timeout=config.server_timeout,
            visibility_lag=config.visibility_lag,
            deletion_memory_days=float(DELETION_DAYS),
            deletes=DELETES,
            unique_keys=ByObject(names, lambda name: self._catalogue.object(name).unique),
            find_paths=ByObject(names, lambda name: self._catalogue.object(name).findable),
            conversions={was: now for was, now in CONVERSIONS.items() if was in config.objects},
            daily_calls=config.daily_calls,
        )

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """The live schema of a kind's objects."""
        self._known(kind)
        self._catalogue.forget(*self._objects[kind])
        return tuple(self._catalogue.schema(name) for name in self._objects[kind])

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """Pages of changed records of the objects in `paths` (see `sync.ports`); each object has its own place in the
        cursor, because a role may change while its deal stays as it is."""
        known(self.client.system, kind, [name for name in self._objects if name != EFFECT], "lists")
        if not paths:
            raise RequestRefused(f"{self.client.system} was asked for the changes of no object.", "paths")
        if back > 0:
            return sweep(self.client, self._catalogue, back, paths, keys_only=keys_only)
        return read_changes(self.client, self._catalogue, decode(since), paths)

    def created(self, kind: str, since: str, until: str) -> str | None:
        """A cursor from which `changes` lists at least the records created from `since` on (ISO, UTC): none of them was
        changed before. None = everything has to be read."""
        del until
        return encode({name: soql.Place(since) for name in self._objects[kind]}) if since else None

    def cost(self, kind: str, paths: Paths, records: int, since: str = "", until: str = "") -> Cost:
        """What `changes` of everything needs, where there are so many records: queries, and descriptions of objects and
        of those whose fields are read through them. Whom times of creation leave out is not known before."""
        del since, until
        known(self.client.system, kind, [name for name in self._objects if name != EFFECT], "lists")
        related = {path.partition(".")[0] for asked in paths.values() for path in asked if "." in path}
        return Cost(2 * len(paths) + len(related) + records // soql.LIMIT)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Records by id, 2,000 a call; fields of other objects (`Account.Name`) are read by query instead."""
        self._known(kind)
        found: dict[Ref, Record] = {}
        for object_ in dict.fromkeys(ref.object for ref in refs):
            ids = [full_id(ref.id) for ref in refs if ref.object == object_ and is_id(ref.id)]
            for record in self._by_id(object_, list(dict.fromkeys(ids)), paths.get(object_, ())):
                found[record.ref] = record
        return [found.get(ref._replace(id=full_id(ref.id))) for ref in refs]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records of one object by a field; letter case does not count in texts. Tasks are also found in the recycle
        bin and the archive: what was announced has happened, whatever became of it."""
        self._known(kind)
        type_ = self._catalogue.object(object_).type_of(path)
        # A record may answer to two values that differ in letter case only.
        found = {
            record.ref: record
            for record in self._having(
                object_, path, type_, values, paths.get(object_, ()), deleted=kind == EFFECT
            )
        }
        return list(found.values())

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Create or update records, 200 a call, each row for itself; tasks are only created. `Owner.Email` may be
        written. Raises Fatal, Retryable, RequestRefused, InDoubt."""
        self._known(kind)
        if writes and writes[0].delete:
            found = delete_records(self.client, writes) if kind in DELETES else undeletable(writes)
            return MEANINGS.told(found)
        send = write_tasks if kind == EFFECT else write_records
        return MEANINGS.told(send(self.client, self._owners, writes))

    def limits(self) -> Usage:
        """Calls of the last 24 hours by everybody."""
        return Usage(*self.client.limits())

    def in_lane(self, lane: int, latest: float = inf) -> Connector:
        """This connector with all calls in a lane, leaving until `latest` (unix seconds) or not at all."""
        return InLane(self, self.client.http.budget, lane, latest)

    def probe(self, kinds: Collection[str] = (PERSON,)) -> list[Check]:
        """What our user may do as far as these kinds need it, harmless calls only."""
        questions: dict[str, Callable[[], object]] = {}
        for name, kind in ((name, each) for each in kinds for name in self._objects.get(each, ())):
            questions[f"see {name}"] = partial(self._rights, kind, name)
            questions[f"read {name}"] = partial(self.client.query, soql.any_row(name))
        if EFFECT in kinds:
            questions["key of Task"] = self._task_key
        questions["read limits"] = lambda: "{:,} of {:,} calls used".format(*self.limits())
        return run_checks(questions)

    def close(self) -> None:
        """Close all connections."""
        self.client.http.close()

    def _rights(self, kind: str, name: str) -> str:
        described = self.client.describe(name)
        needed = ("queryable",) if kind == OPPORTUNITY else ("createable", "updateable", "queryable")
        missing = [word for word in needed if described.get(word) is not True]
        if missing:
            raise RequestRefused(
                f"{name} is not {', '.join(missing)} for our user.", "permission", "change its permission set"
            )
        return "readable" if kind == OPPORTUNITY else "readable and writable"

    def _task_key(self) -> str:
        keys = sorted(self.capabilities.unique_keys["Task"])
        if not keys:
            raise RequestRefused(
                "Task has no unique external id, so a task whose answer is lost could be made twice.",
                "task_key",
                "add a text field such as Renkei_Key__c to Activity, as an external id without duplicates",
            )
        return ", ".join(keys)

    def _by_id(self, object_: str, ids: Sequence[str], asked: Sequence[str]) -> Iterator[Record]:
        if any("." in path for path in asked):
            yield from self._having(object_, "Id", "id", ids, asked)
            return
        self._catalogue.stamps(object_, asked)
        for part in chunks(ids, FETCH):
            rows = self.client.retrieve(object_, part, _columns(asked))
            reader = reader_for(self.client, self._catalogue, object_, asked)
            yield from (reader.record(row) for row in rows if row is not None)

    def _having(
        self,
        object_: str,
        path: str,
        type_: str,
        values: Sequence[str],
        asked: Sequence[str],
        *,
        deleted: bool = False,
    ) -> Iterator[Record]:
        self._catalogue.stamps(object_, [*asked, path])
        for query in soql.having(object_, _columns(asked), path, type_, values):
            rows = self.client.query_all_pages(query, deleted=deleted)
            reader = reader_for(self.client, self._catalogue, object_, asked)
            yield from (reader.record(row) for row in rows)

    def _known(self, kind: str) -> None:
        known(self.client.system, kind, list(self._objects))


def _columns(asked: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(("Id", "SystemModstamp", "CreatedDate", "LastModifiedById", *asked)))
