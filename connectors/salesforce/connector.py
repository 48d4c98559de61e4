"""One Salesforce organisation as the engine sees it: persons are leads and contacts.

Decides which call serves which question and what the engine must know of the vendor. It may not know mappings or the
journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from connectors.batches import chunks, deliver, matched
from connectors.checks import Check, Usage, run_checks
from connectors.http import Call
from connectors.salesforce import soql
from connectors.salesforce.client import BATCH, FETCH, SalesforceClient
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.errors import outcome_of
from connectors.salesforce.feed import CONVERSIONS, DELETION_DAYS, decode, read_changes, reader_for, sweep
from connectors.salesforce.ids import full_id, is_id
from connectors.salesforce.schema import Catalogue
from sync.errors import InDoubt, RequestRefused
from sync.ports import Capabilities, Clock, Feed, Outcome, Paths, Write
from sync.record import Page, Raw, Record, Ref, Schema

PERSON = "person"


class Salesforce:
    """A connector (`sync.ports.Connector`); safe to share between threads."""

    def __init__(
        self, system: str, config: SalesforceConfig, clock: Clock, log: Callable[[Call], None] | None = None
    ) -> None:
        self.client = SalesforceClient(system, config, clock, log)
        self._catalogue = Catalogue(system, self.client.describe)
        self._facts: Capabilities | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Facts about this organisation; the first use asks for the objects' descriptions (one call each)."""
        if self._facts is None:
            self._facts = self._found_facts()
        return self._facts

    def _found_facts(self) -> Capabilities:
        config = self.client.config
        described = {name: self._catalogue.object(name) for name in config.objects}
        return Capabilities(
            system=self.client.system,
            feeds={PERSON: Feed.FEED},
            write_batch=BATCH,
            fetch_batch=FETCH,
            find_batch=soql.MOST_VALUES,
            concurrency=config.concurrency,
            tells_author=True,
            feed_versions=True,
            server_timeout=config.server_timeout,
            visibility_lag=config.visibility_lag,
            deletion_memory_days=float(DELETION_DAYS),
            unique_keys={name: fields.unique for name, fields in described.items()},
            find_paths={name: fields.findable for name, fields in described.items()},
            conversions={was: now for was, now in CONVERSIONS.items() if was in described},
            daily_calls=config.daily_calls,
        )

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """The live schema of leads and contacts."""
        self._only_persons(kind)
        self._catalogue.forget()
        self._facts = None
        return tuple(self._catalogue.schema(name) for name in self.client.config.objects)

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """Pages of changed records of the objects in `paths` (see `sync.ports`)."""
        self._only_persons(kind)
        if not paths:
            raise RequestRefused(f"{self.client.system} was asked for the changes of no object.", "paths")
        if back > 0:
            return sweep(self.client, self._catalogue, back, paths, keys_only=keys_only)
        return read_changes(self.client, self._catalogue, decode(since), paths)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Records by id, 2,000 a call; fields of other objects (`Account.Name`) are read by query instead."""
        self._only_persons(kind)
        found: dict[Ref, Record] = {}
        for object_ in dict.fromkeys(ref.object for ref in refs):
            ids = [full_id(ref.id) for ref in refs if ref.object == object_ and is_id(ref.id)]
            for record in self._by_id(object_, list(dict.fromkeys(ids)), paths.get(object_, ())):
                found[record.ref] = record
        return [found.get(ref._replace(id=full_id(ref.id))) for ref in refs]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Records of one object by a field; letter case does not count in texts."""
        self._only_persons(kind)
        type_ = self._catalogue.object(object_).type_of(path)
        # A record may answer to two values that differ in letter case only.
        found = {
            record.ref: record
            for record in self._having(object_, path, type_, values, paths.get(object_, ()))
        }
        return list(found.values())

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Create or update records, 200 a call, each row for itself. Raises Fatal, Retryable, RequestRefused,
        InDoubt."""
        self._only_persons(kind)
        creates = [place for place, write in enumerate(writes) if not write.ref.id]
        updates = [place for place, write in enumerate(writes) if write.ref.id]
        parts = [*chunks(creates, BATCH), *chunks(updates, BATCH)]
        outcomes = deliver(parts, lambda part: self._save([writes[place] for place in part]))
        return [outcomes[place] for place in range(len(writes))]

    def limits(self) -> Usage:
        """Calls of the last 24 hours by everybody."""
        return Usage(*self.client.limits())

    def probe(self) -> list[Check]:
        """Which permissions our user has, harmless calls only."""
        questions: dict[str, Callable[[], object]] = {}
        for name in self.client.config.objects:
            questions[f"see {name}"] = partial(self._rights, name)
            questions[f"read {name}"] = partial(self.client.query, soql.any_row(name))
        questions["read limits"] = lambda: "{} of {} calls used".format(*self.limits())
        return run_checks(questions)

    def close(self) -> None:
        """Close all connections."""
        self.client.http.close()

    def _rights(self, name: str) -> str:
        described = self.client.describe(name)
        missing = [
            word for word in ("createable", "updateable", "queryable") if described.get(word) is not True
        ]
        if missing:
            raise RequestRefused(
                f"{name} is not {', '.join(missing)} for our user.", "permission", "change its permission set"
            )
        return "readable and writable"

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
        self, object_: str, path: str, type_: str, values: Sequence[str], asked: Sequence[str]
    ) -> Iterator[Record]:
        self._catalogue.stamps(object_, [*asked, path])
        for query in soql.having(object_, _columns(asked), path, type_, values):
            rows = self.client.query_all_pages(query)
            reader = reader_for(self.client, self._catalogue, object_, asked)
            yield from (reader.record(row) for row in rows)

    def _save(self, writes: Sequence[Write]) -> list[Outcome]:
        creating = not writes[0].ref.id
        rows = [_row(write) for write in writes]
        answers = matched(writes, self.client.save("POST" if creating else "PATCH", rows))
        outcomes = [
            outcome_of(answer, write.ref.object, creating=creating)
            for answer, write in zip(answers, writes, strict=True)
        ]
        for outcome, write in zip(outcomes, writes, strict=True):
            if not creating and outcome.result == "applied" and outcome.id != full_id(write.ref.id):
                raise InDoubt(
                    "A row was answered for another record.", "it is read back before it is sent again"
                )
        return outcomes

    def _only_persons(self, kind: str) -> None:
        if kind != PERSON:
            raise RequestRefused(f"{self.client.system} offers persons only, not {kind}.", "kind")


def _columns(asked: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(("Id", "SystemModstamp", "CreatedDate", "LastModifiedById", *asked)))


def _row(write: Write) -> bytes:
    """The row as it leaves; null clears a field."""
    named: Mapping[str, Raw] = {"id": write.ref.id} if write.ref.id else {}
    return msgspec.json.encode({"attributes": {"type": write.ref.object}, **named, **write.values})
