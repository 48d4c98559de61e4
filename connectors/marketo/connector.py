"""One Marketo instance as the engine sees it: persons are leads, accounts are companies, and what is done is a list's
membership or a requested campaign.

Decides which reader serves which question and what the engine must know of the vendor. It may not know mappings or
the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf

import msgspec

from connectors.batches import chunks
from connectors.checks import Advice, Check, Usage, run_checks
from connectors.costs import Cost
from connectors.http import Call
from connectors.kinds import ACCOUNT, DELETES, EFFECT, PERSON, ByObject, known, undeletable
from connectors.lanes import InLane
from connectors.marketo import bulk, costs
from connectors.marketo.client import BATCH, MarketoClient
from connectors.marketo.companies import Companies, company_paths
from connectors.marketo.config import MarketoConfig
from connectors.marketo.effects import Effects
from connectors.marketo.errors import CLOSED
from connectors.marketo.feed import Cursor, decode, encode, read_feed, read_leads
from connectors.marketo.refusals import MEANINGS
from connectors.marketo.schema import COMPANY, COMPANY_KEY, LEAD, ObjectFields, lead_record, object_fields
from connectors.marketo.write import delete_leads, write_leads
from connectors.stamps import seconds_of
from sync.errors import RenkeiError, RequestRefused
from sync.ports import Capabilities, Clock, Connector, Feed, FieldError, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema

KINDS = (PERSON, ACCOUNT, EFFECT)


class Marketo:
    """A connector (`sync.ports.Connector`); safe to share between threads."""

    def __init__(
        self, system: str, config: MarketoConfig, clock: Clock, log: Callable[[Call], None] | None = None
    ) -> None:
        self.client = MarketoClient(system, config, clock, log)
        self._effects = Effects(self.client)
        self._lock = threading.Lock()
        self._described: dict[str, ObjectFields] = {}
        self._numbers: dict[str, str] = {}
        self._facts = self._declared("")

    @property
    def capabilities(self) -> Capabilities:
        """Facts about this instance; an object's paths are asked for at the first look at them (one call each). That
        companies are closed is known once they were described or asked for."""
        return self.client.known(self._facts, self.client.config.munchkin_id)

    def _declared(self, closed_because: str) -> Capabilities:
        config = self.client.config
        companies = Feed.NONE if closed_because else Feed.VIA
        return Capabilities(
            system=self.client.system,
            feeds={PERSON: Feed.FEED, ACCOUNT: companies, EFFECT: Feed.NONE},
            write_batch=BATCH,
            fetch_batch=BATCH,
            find_batch=BATCH,
            concurrency=config.concurrency,
            server_timeout=config.server_timeout,
            visibility_lag=config.visibility_lag,
            deletion_memory_days=14.0,
            deletes=DELETES,
            unique_keys={COMPANY: frozenset({COMPANY_KEY})},
            find_paths=ByObject((LEAD, COMPANY), lambda name: self._fields(name).searchable),
            read_only={ACCOUNT: closed_because} if closed_because else {},
            daily_calls=config.daily_calls,
            window_calls=config.window_calls,
            window_seconds=config.window_seconds,
        )

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """The live schema of leads or companies, of which picklist words are no part, or of what can be done, with the
        names of lists and campaigns. Raises RequestRefused (1018) for companies that the vendor's own CRM sync keeps
        closed."""
        known(self.client.system, kind, KINDS)
        if kind == EFFECT:
            return self._effects.described()
        return (self._fields(LEAD if kind == PERSON else COMPANY, fresh=True).schema,)

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """Pages of changed leads (see `sync.ports`); the vendor has no versions, so `keys_only` reads values too."""
        del keys_only
        known(self.client.system, kind, (PERSON, ACCOUNT), "lists")
        asked = paths.get(LEAD if kind == PERSON else COMPANY, ())
        reader = self._person_pages if kind == PERSON else self._company_pages
        if back > 0:
            token = self.client.paging_token(self.client.clock.now() - back - bulk.SKEW)
            return reader(Cursor(token), asked)
        return reader(decode(since) if since else self._first(), asked)

    def created(self, kind: str, since: str, until: str) -> str | None:
        """A cursor from which `changes` lists at least the leads created from `since` and before `until` (ISO, UTC,
        "" = open), by extracts of these days alone; None = everything has to be read."""
        if kind != PERSON or self.client.config.full_read != "bulk":
            return None
        whole = bulk.begin(self.client)
        window, end = max(whole.window, since), min(whole.until, until or whole.until)
        if window >= end:
            return encode(Cursor(whole.token))  # nobody yet, or nobody any more
        return encode(msgspec.structs.replace(whole, window=window, until=end))

    def cost(self, kind: str, paths: Paths, records: int, since: str = "", until: str = "") -> Cost:
        """What `changes` of everything needs now, where there are so many records; of those whom `created` can choose
        where times are given. A description, and a look for the first lead where no setting tells of it."""
        known(self.client.system, kind, (PERSON, ACCOUNT), "lists")
        if kind == ACCOUNT:
            return costs.of_companies(self.client, self._fields_with(LEAD, (COMPANY_KEY,)), records)
        asked = paths.get(LEAD, ())
        return costs.of_leads(self.client, self._fields_with(LEAD, asked), asked, records, since, until)

    def advice(self) -> list[Advice]:
        """What is costly as it is set."""
        return costs.advice(self.client)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Leads by id or companies by key, 300 a call."""
        known(self.client.system, kind, (PERSON, ACCOUNT))
        found: dict[str, Record] = {}
        if kind == ACCOUNT:
            asked = paths.get(COMPANY, ())
            keys = list(dict.fromkeys(ref.id for ref in refs))
            with self._listening():
                found = self._companies(asked).fresh(keys, asked)
            return [found.get(ref.id) for ref in refs]
        asked = paths.get(LEAD, ())
        fields = self._fields_with(LEAD, asked)
        for part in chunks(list(dict.fromkeys(ref.id for ref in refs if ref.id.isdigit())), BATCH):
            found |= read_leads(self.client, fields, part, asked)
        return [found.get(ref.id) for ref in refs]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Leads or companies by a searchable field, 300 values a call; letter case does not count. No address holds a
        comma, so such ones find nothing; for another field a comma cannot be asked for: RequestRefused."""
        known(self.client.system, kind, (PERSON, ACCOUNT))
        if path != "email" and any("," in value for value in values):
            raise RequestRefused(
                f"{self.client.system} cannot look up a value of {path} that holds a comma.", "comma"
            )
        asked = paths.get(object_, ())
        wanted = [value for value in dict.fromkeys(values) if value and "," not in value]
        if path == "id":
            wanted = [value for value in wanted if value.isdigit()]
        if kind == ACCOUNT:
            with self._listening():
                companies = self._companies(asked).having(path, wanted, asked)
                return list({record.ref: record for record in companies}.values())
        names = list(dict.fromkeys(("id", "createdAt", path, *asked)))
        stamps = self._fields_with(LEAD, asked).stamps(asked)
        found: dict[str, Record] = {}
        for part in chunks(wanted, BATCH):
            for row in self.client.leads(path, part, names):
                found[str(row["id"])] = lead_record(self.client.system, row, asked, stamps)
        return list(found.values())

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Create or update leads or companies, 300 a call and 1 MB at most (see `write` and `companies`), or do what
        `effects` can."""
        known(self.client.system, kind, KINDS)
        return MEANINGS.told(self._written(kind, writes)) if writes else []

    def _written(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        if writes[0].delete:
            return undeletable(writes) if kind not in DELETES else delete_leads(self.client, writes)
        if kind == EFFECT:
            return self._effects.write(writes)
        if kind == PERSON:
            return write_leads(self.client, self._fields(LEAD), writes, self._company_paths)
        try:
            with self._listening():
                return self._companies(()).write(writes)
        except RequestRefused as error:
            if error.code != CLOSED:
                raise
            said = FieldError("", error.code, str(error))  # halves would be refused just so
            return [Outcome("refused", errors=(said,)) for _ in writes]

    def limits(self) -> Usage:
        """Today's calls by everybody, as the vendor counts them; the budget takes the count over."""
        return Usage(self.client.usage(), self.client.config.daily_calls)

    def in_lane(self, lane: int, latest: float = inf) -> Connector:
        """This connector with all calls in a lane, leaving until `latest` (unix seconds) or not at all."""
        return InLane(self, self.client.http.budget, lane, latest)

    def probe(self, kinds: Collection[str] = (PERSON,)) -> list[Check]:
        """What our API user may do as far as these kinds need it, one harmless call each."""
        client = self.client
        questions: dict[str, Callable[[], object]] = {
            "sign in and describe leads": client.describe,
            "read leads": lambda: client.leads("id", ["1"], ["id"]),
            "read activities": lambda: client.activities(client.paging_token(client.clock.now() - 60)),
            "read usage": lambda: f"{self.limits().used:,} calls used today",
        }
        if ACCOUNT in kinds:
            questions["describe companies"] = lambda: self.describe(ACCOUNT)
        if EFFECT in kinds:
            questions["read lists"] = lambda: client.assets("lists", "renkei")
            questions["read campaigns"] = lambda: client.assets("campaigns", "renkei")
        return run_checks(questions)

    def rival(self) -> str:
        """What else writes our records, in a sentence ("" = nothing that we can see). Where the vendor's own CRM sync
        is on, companies are closed to us, and it writes people's fields as well."""
        try:
            self._fields(COMPANY, fresh=True)
        except RequestRefused as error:
            if error.code == CLOSED:
                return f"{self.client.system}'s own CRM sync is switched on and writes people's fields too."
        return ""

    def close(self) -> None:
        """Close all connections."""
        self.client.http.close()

    def _first(self) -> Cursor:
        if self.client.config.full_read == "bulk":
            return bulk.begin(self.client)
        return Cursor(
            self.client.paging_token(seconds_of(self.client.config.earliest or bulk.FIRST_INSTANCES))
        )

    def _person_pages(self, cursor: Cursor, asked: Sequence[str]) -> Iterator[Page]:
        fields = self._fields_with(LEAD, asked)
        if cursor.window:
            return bulk.read_everything(self.client, fields, cursor, asked)
        return read_feed(self.client, fields, cursor, asked)

    def _company_pages(self, cursor: Cursor, asked: Sequence[str]) -> Iterator[Page]:
        with self._listening():
            yield from self._companies(asked).changes(cursor, asked)

    def _companies(self, paths: Sequence[str]) -> Companies:
        """What reads and writes companies. Raises RequestRefused where they are closed or lack a path."""
        fields, leads = self._fields_with(COMPANY, paths), self._fields_with(LEAD, (COMPANY_KEY,))
        return Companies(self.client, fields, leads, self._numbers)

    def _company_paths(self) -> frozenset[str]:
        try:
            return company_paths(self._fields(COMPANY))
        except RenkeiError:
            return company_paths(None)  # the writes stand as they are; the usual fields will do

    def _fields_with(self, object_: str, paths: Sequence[str]) -> ObjectFields:
        """The description, asked for anew where it lacks a path. Raises RequestRefused where that does not help: a
        misspelt name must not read as null."""
        fields = self._fields(object_)
        if any(path not in fields.types for path in paths):
            fields = self._fields(object_, fresh=True)
        missing = next((path for path in paths if path not in fields.types), None)
        if missing is not None:
            raise RequestRefused(
                f"{self.client.system} has no {object_.lower()} field {missing[:80]!r}.",
                "1006",
                "take it out of the mapping, or write it as the vendor's REST interface does",
                MEANINGS.of("1006"),
            )
        return fields

    def _fields(self, object_: str, *, fresh: bool = False) -> ObjectFields:
        with self._lock:
            if object_ not in self._described or fresh:
                self._described[object_] = object_fields(self.client.system, object_, self._ask(object_))
            return self._described[object_]

    def _ask(self, object_: str) -> Mapping[str, object]:
        if object_ == LEAD:
            return self.client.describe()
        with self._listening():
            described = self.client.describe_companies()
        self._facts = self._declared("")
        return described

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Remember that companies are closed, if that is what is said."""
        try:
            yield
        except RequestRefused as error:
            if error.code == CLOSED:
                self._facts = self._declared(str(error))
            raise
