"""One Marketo instance as the engine sees it: persons are leads.

Decides which reader serves which question and what the engine must know of the vendor. It may not know mappings or
the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from connectors.batches import chunks
from connectors.checks import Check, Usage, run_checks
from connectors.http import Call
from connectors.marketo import bulk
from connectors.marketo.client import BATCH, MarketoClient
from connectors.marketo.config import MarketoConfig
from connectors.marketo.feed import Cursor, decode, read_feed, read_leads
from connectors.marketo.schema import LEAD, LeadFields, lead_fields, lead_record
from connectors.marketo.write import write_leads
from connectors.stamps import seconds_of
from sync.errors import RequestRefused
from sync.ports import Capabilities, Clock, Feed, Outcome, Paths, Write
from sync.record import Page, Record, Ref, Schema

PERSON = "person"


class Marketo:
    """A connector (`sync.ports.Connector`); safe to share between threads."""

    def __init__(
        self, system: str, config: MarketoConfig, clock: Clock, log: Callable[[Call], None] | None = None
    ) -> None:
        self.client = MarketoClient(system, config, clock, log)
        self._lock = threading.Lock()
        self._fields: LeadFields | None = None
        self._facts: Capabilities | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Facts about this instance; the first use asks for its description (one call)."""
        if self._facts is None:
            self._facts = self._found_facts()
        return self._facts

    def _found_facts(self) -> Capabilities:
        config = self.client.config
        return Capabilities(
            system=self.client.system,
            feeds={PERSON: Feed.FEED},
            write_batch=BATCH,
            fetch_batch=BATCH,
            find_batch=BATCH,
            concurrency=config.concurrency,
            server_timeout=config.server_timeout,
            visibility_lag=config.visibility_lag,
            deletion_memory_days=14.0,
            find_paths={LEAD: self._described().searchable},
            daily_calls=config.daily_calls,
            window_calls=config.window_calls,
            window_seconds=config.window_seconds,
        )

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """The lead's live schema; picklist words are not part of it."""
        self._only_persons(kind)
        return (self._described(fresh=True).schema,)

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """Pages of changed leads (see `sync.ports`); the vendor has no versions, so `keys_only` reads values too."""
        del keys_only
        self._only_persons(kind)
        asked = paths.get(LEAD, ())
        fields = self._fields_with(asked)
        if back > 0:
            token = self.client.paging_token(self.client.clock.now() - back - bulk.SKEW)
            return read_feed(self.client, fields, Cursor(token), asked)
        cursor = decode(since) if since else self._first()
        if cursor.window:
            return bulk.read_everything(self.client, fields, cursor, asked)
        return read_feed(self.client, fields, cursor, asked)

    def fetch(self, kind: str, refs: Sequence[Ref], paths: Paths) -> list[Record | None]:
        """Leads by id, 300 a call."""
        self._only_persons(kind)
        asked = paths.get(LEAD, ())
        fields = self._fields_with(asked)
        found: dict[str, Record] = {}
        for part in chunks(list(dict.fromkeys(ref.id for ref in refs if ref.id.isdigit())), BATCH):
            found |= read_leads(self.client, fields, part, asked)
        return [found.get(ref.id) for ref in refs]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Leads by a searchable field, 300 values a call; letter case does not count. No address holds a comma, so
        such ones find nothing; for another field a comma cannot be asked for: RequestRefused."""
        self._only_persons(kind)
        if path != "email" and any("," in value for value in values):
            raise RequestRefused(
                f"{self.client.system} cannot look up a value of {path} that holds a comma.", "comma"
            )
        asked = paths.get(object_, ())
        names = list(dict.fromkeys(("id", "createdAt", path, *asked)))
        stamps = self._fields_with(asked).stamps(asked)
        found: dict[str, Record] = {}
        wanted = [value for value in dict.fromkeys(values) if value and "," not in value]
        if path == "id":
            wanted = [value for value in wanted if value.isdigit()]
        for part in chunks(wanted, BATCH):
            for row in self.client.leads(path, part, names):
                found[str(row["id"])] = lead_record(self.client.system, row, asked, stamps)
        return list(found.values())

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Create or update leads, 300 a call and 1 MB at most (see `connectors.marketo.write`)."""
        self._only_persons(kind)
        return write_leads(self.client, self._described(), writes)

    def limits(self) -> Usage:
        """Today's calls by everybody, as the vendor counts them; the budget takes the count over."""
        used = self.client.usage()
        self.client.http.budget.observe(used, self.client.config.daily_calls)
        return Usage(used, self.client.config.daily_calls)

    def probe(self) -> list[Check]:
        """Which permissions our API user has, one harmless call each."""
        client = self.client
        return run_checks(
            {
                "sign in and describe leads": client.describe,
                "read leads": lambda: client.leads("id", ["1"], ["id"]),
                "read activities": lambda: client.activities(client.paging_token(client.clock.now() - 60)),
                "read usage": lambda: f"{self.limits().used} calls used today",
            }
        )

    def close(self) -> None:
        """Close all connections."""
        self.client.http.close()

    def _first(self) -> Cursor:
        if self.client.config.full_read == "bulk":
            return bulk.begin(self.client)
        earliest = self.client.config.earliest or bulk.FIRST_INSTANCES
        return Cursor(
            self.client.paging_token(seconds_of(earliest if "T" in earliest else f"{earliest}T00:00:00Z"))
        )

    def _fields_with(self, paths: Sequence[str]) -> LeadFields:
        """The description, asked for anew where it lacks a path. Raises RequestRefused where that does not help: a
        misspelt name must not read as null."""
        fields = self._described()
        if any(path not in fields.types for path in paths):
            fields = self._described(fresh=True)
        missing = next((path for path in paths if path not in fields.types), None)
        if missing is not None:
            raise RequestRefused(
                f"{self.client.system} has no lead field {missing[:80]!r}.",
                "1006",
                "take it out of the mapping, or write it as the vendor's REST interface does",
            )
        return fields

    def _described(self, *, fresh: bool = False) -> LeadFields:
        with self._lock:
            if self._fields is None or fresh:
                self._fields, self._facts = lead_fields(self.client.system, self.client.describe()), None
            return self._fields

    def _only_persons(self, kind: str) -> None:
        if kind != PERSON:
            raise RequestRefused(f"{self.client.system} offers persons only, not {kind}.", "kind")
