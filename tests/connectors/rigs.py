"""The world around a connector under test: a vendor, the hands of its users, and faults on demand.

A rig decides how people edit at one vendor and which fault strikes next; what a connector must do then stands in the
contract suite. The clock is the vendor's and the connector's alike: when the connector waits, time has passed.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from connectors.http import Call
from connectors.marketo import Marketo, MarketoConfig
from connectors.memory import Memory
from connectors.salesforce import Salesforce, SalesforceConfig
from simulators.clock import ManualClock
from simulators.faults import Faults
from simulators.ledger import Entry
from simulators.marketo.api import DEMO_CREDENTIALS, MarketoApi
from simulators.marketo.state import MarketoState
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.oauth import Credentials
from simulators.salesforce.state import SalesforceState
from simulators.server import Server, serve
from sync.ports import Connector, Feed, Paths
from sync.record import Raw, Ref, Schema, SchemaField

START = 1_795_305_600.0  # 2026-11-22T00:00:00Z
CANARY = "canary-7f3a-secret"


class RigClock(ManualClock):
    """The vendor's clock, which the connector sleeps on; remembers how long it slept."""

    def __init__(self) -> None:
        super().__init__(START)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.advance(seconds)


class ScriptedFaults(Faults):
    """Faults that strike exactly when they are told to, in the order in which they were told."""

    def __init__(self) -> None:
        super().__init__(random.Random(1))
        self.script: list[str] = []

    @property
    def shares(self) -> dict[str, float]:
        return dict.fromkeys(self.script, 1.0)

    def fires(self, kind: str) -> bool:
        if self.script and self.script[0] == kind:
            self.script.pop(0)
            return True
        return False

    def first(self, kinds: Iterable[str]) -> str | None:
        kind = self.script[0] if self.script else None
        return kind if kind is not None and kind in kinds and self.fires(kind) else None


class Rig(ABC):
    """One vendor with its connector. `person` makes writable values of a new person (or whatever the kind is), `paths`
    are read of records. `keyed`: a create can meet an existing record. `merges`: people can merge records.
    `tells_ends`: the vendor says when records are deleted."""

    system = "one"
    kind = "person"
    feed = Feed.FEED
    kind_of_record: str
    paths: Paths
    last: str
    email: str
    flag: str
    key = ""
    keyed = True
    page = 300
    merges = True
    tells_ends = True

    def __init__(self) -> None:
        self.clock = RigClock()
        self.faults = ScriptedFaults()
        self.log: list[Call] = []

    @property
    @abstractmethod
    def connector(self) -> Connector:
        """The connector under test."""

    def person(self, number: int, **more: Raw) -> dict[str, Raw]:
        """Values of a plausible person."""
        return {self.last: f"Last{number}", self.email: f"p{number}@mail.example", **more}

    def ref(self, number: str = "", object_: str = "") -> Ref:
        """A name at this vendor."""
        return Ref(self.system, object_ or self.kind_of_record, number)

    @abstractmethod
    def create(self, values: Mapping[str, Raw], *, late: bool = False) -> Ref:
        """A person enters a record; with `late` feeds show it after a while only."""

    @abstractmethod
    def edit(self, ref: Ref, values: Mapping[str, Raw]) -> None:
        """A person edits a record."""

    @abstractmethod
    def delete(self, ref: Ref) -> None:
        """A person deletes a record."""

    @abstractmethod
    def merge(self, winner: Ref, loser: Ref) -> None:
        """A person merges two records."""

    def convert(self, ref: Ref) -> Ref | None:
        """A person converts a record; None where the vendor knows no such thing."""
        return None

    def ties(self) -> bool:
        """From now on all commits bear one stamp; False where the vendor has no such thing."""
        return False

    def later(self, seconds: float = 120.0) -> None:
        """Time passes for everybody."""
        self.clock.advance(seconds)

    @abstractmethod
    def stored(self, ref: Ref, path: str) -> object:
        """What the vendor holds, past any lag; KeyError when the record is gone."""

    @property
    def ledger(self) -> list[Entry]:
        """The vendor's own record of writes."""
        return []

    @property
    def calls(self) -> int:
        """Calls that the connector made."""
        return 0

    def close(self) -> None:
        """End the connector."""
        self.connector.close()


class MemoryRig(Rig):
    """The reference adapter: its own vendor."""

    kind_of_record, last, email, flag, key, page = "Lead", "last", "email", "flag", "key", 20

    def __init__(self) -> None:
        super().__init__()
        fields = {
            path: SchemaField(path, "text", updateable=path != "name")
            for path in ("last", "email", "key", "name", "flag")
        }
        schemas = [Schema(system="one", object=name, fields=fields) for name in ("Lead", "Contact")]
        self.memory = Memory("one", self.clock, schemas, {"Lead": frozenset({"key"})}, page_size=self.page)
        self.paths: Paths = dict.fromkeys(("Lead", "Contact"), ("last", "email", "flag"))

    @property
    def connector(self) -> Memory:
        return self.memory

    def create(self, values: Mapping[str, Raw], *, late: bool = False) -> Ref:
        return self.memory.edit(self.ref(), values, late=30.0 if late else 0.0)

    def edit(self, ref: Ref, values: Mapping[str, Raw]) -> None:
        self.memory.edit(ref, values)

    def delete(self, ref: Ref) -> None:
        self.memory.remove(ref)

    def merge(self, winner: Ref, loser: Ref) -> None:
        self.memory.remove(loser, "merged", winner)

    def convert(self, ref: Ref) -> Ref | None:
        into = self.memory.edit(self.ref(object_="Contact"), {"last": "Converted"})
        self.memory.remove(ref, "converted", into)
        return into

    def stored(self, ref: Ref, path: str) -> object:
        (found,) = self.memory.fetch("person", [ref], {ref.object: (path,)})
        if found is None:
            raise KeyError(ref)
        return found.values[path]


class HttpRig(Rig):
    """A vendor behind a socket on loopback, and a connector that speaks HTTP to it."""

    server: Server
    state: MarketoState | SalesforceState
    settings_secret: str

    @abstractmethod
    def opened(self, **more: Any) -> Connector:
        """Another connector to the same vendor with these settings changed."""

    @abstractmethod
    def expire(self) -> None:
        """End the token that the connector holds."""

    @property
    def ledger(self) -> list[Entry]:
        return [entry for entry in self.state.ledger if entry.actor == "api"]

    @property
    def calls(self) -> int:
        return sum(count for label, count in self.state.calls.items() if label != "identity")

    def ties(self) -> bool:
        self.faults.script += ["equal_stamps"] * 10_000
        return True

    def close(self) -> None:
        self.connector.close()
        self.server.stop()
        assert self.server.failures == []


class MarketoRig(HttpRig):
    """A fake Marketo."""

    kind_of_record, last, email, flag = "Lead", "lastName", "email", "unsubscribed"
    settings_secret = DEMO_CREDENTIALS.client_secret

    def __init__(self, full_read: str = "bulk") -> None:
        super().__init__()
        self.state: MarketoState = MarketoState(
            self.clock, random.Random(2), self.faults, visibility_lag=30.0
        )
        self.api = MarketoApi(self.state)
        self.api.credentials = DEMO_CREDENTIALS
        self.server = serve(self.api, self.faults, self.clock, server_timeout=2.0)
        self._full_read = full_read
        self.paths: Paths = {"Lead": ("lastName", "email", "unsubscribed", "leadScore", "createdAt")}
        self._connector = self.opened()

    def opened(self, **more: Any) -> Marketo:
        settings: dict[str, Any] = {
            "rest_url": f"{self.server.url}/rest",
            "client_id": DEMO_CREDENTIALS.client_id,
            "client_secret": DEMO_CREDENTIALS.client_secret,
            "full_read": self._full_read,
            "earliest": "2026-10-01",
            "poll_seconds": 1.0,
            "server_timeout": 2.0,
            "visibility_lag": 1.0,
            **more,
        }
        return Marketo(self.system, MarketoConfig(**settings), self.clock, self.log.append)

    @property
    def connector(self) -> Marketo:
        return self._connector

    def create(self, values: Mapping[str, Any], *, late: bool = False) -> Ref:
        if late:
            self.faults.script.append("late_visibility")
        return self.ref(str(self.state.human_create(values)))

    def edit(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self.state.human_edit(int(ref.id), values)

    def delete(self, ref: Ref) -> None:
        self.state.human_delete(int(ref.id))

    def merge(self, winner: Ref, loser: Ref) -> None:
        self.state.human_merge(int(winner.id), [int(loser.id)])

    def stored(self, ref: Ref, path: str) -> object:
        return self.state.leads[int(ref.id)].values.get(path)

    def expire(self) -> None:
        self.api.gate.expire_token()


class SalesforceRig(HttpRig):
    """A fake Salesforce organisation."""

    kind_of_record, last, email, flag, key, page = (
        "Lead",
        "LastName",
        "Email",
        "HasOptedOutOfEmail",
        "Marketo_Id__c",
        2_000,
    )
    settings_secret = Credentials().client_secret

    def __init__(self) -> None:
        super().__init__()
        self.state: SalesforceState = SalesforceState(self.clock, random.Random(2), self.faults)
        self.credentials = Credentials()
        self.api = SalesforceApi(self.state, self.credentials)
        self.server = serve(self.api, self.faults, self.clock, server_timeout=2.0)
        both = ("LastName", "Email", "HasOptedOutOfEmail", "Marketo_Id__c", "CreatedDate")
        self.paths: Paths = {"Lead": (*both, "Company"), "Contact": (*both, "Account.Name")}
        self._connector = self.opened()

    def opened(self, **more: Any) -> Salesforce:
        settings: dict[str, Any] = {
            "login_url": self.server.url,
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
            "server_timeout": 2.0,
            "visibility_lag": 1.0,
            **more,
        }
        return Salesforce(self.system, SalesforceConfig(**settings), self.clock, self.log.append)

    @property
    def connector(self) -> Salesforce:
        return self._connector

    def person(self, number: int, **more: Raw) -> dict[str, Raw]:
        return {**super().person(number), "Company": f"Company {number}", **more}

    def create(self, values: Mapping[str, Any], *, late: bool = False) -> Ref:
        delay = 30.0 if late else 0.0
        return self.ref(self.state.human_create(self.kind_of_record, values, commit_delay=delay))

    def edit(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self.state.human_edit(ref.object, ref.id, values)

    def delete(self, ref: Ref) -> None:
        self.state.human_delete(ref.object, ref.id)

    def merge(self, winner: Ref, loser: Ref) -> None:
        self.state.human_merge(winner.object, winner.id, loser.id)

    def convert(self, ref: Ref) -> Ref | None:
        return self.ref(self.state.human_convert(ref.id), "Contact")

    def stored(self, ref: Ref, path: str) -> object:
        row = self.state.tables[ref.object].rows[ref.id]
        if row["IsDeleted"]:
            raise KeyError(ref)
        value: object = row[path]
        return value

    def expire(self) -> None:
        self.api.sessions.end_all()


class AccountRig(SalesforceRig):
    """The accounts of a fake Salesforce organisation."""

    kind = "account"
    kind_of_record, last, email, key = "Account", "Name", "Website", "Marketo_Company_Id__c"

    def __init__(self) -> None:
        super().__init__()
        self.paths = {"Account": ("Name", "Website", "Marketo_Company_Id__c", "Owner.Email", "CreatedDate")}

    def person(self, number: int, **more: Raw) -> dict[str, Raw]:
        return {self.last: f"Last{number}", self.email: f"p{number}@mail.example", **more}

    def convert(self, ref: Ref) -> Ref | None:
        return None


class DealRig(SalesforceRig):
    """The deals of a fake Salesforce organisation."""

    kind = "opportunity"
    kind_of_record, last, email, key = "Opportunity", "Name", "NextStep", ""
    keyed = merges = False

    def __init__(self) -> None:
        super().__init__()
        self.paths = {
            "Opportunity": ("Name", "NextStep", "StageName", "IsWon", "Owner.Email", "CreatedDate"),
            "OpportunityContactRole": ("OpportunityId", "ContactId", "Role", "IsPrimary"),
        }

    def person(self, number: int, **more: Raw) -> dict[str, Raw]:
        needed = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
        return {self.last: f"Last{number}", self.email: f"p{number}@mail.example", **needed, **more}

    def convert(self, ref: Ref) -> Ref | None:
        return None


class CompanyRig(MarketoRig):
    """The companies of a fake Marketo, each with a lead by which its changes are seen."""

    kind = "account"
    feed = Feed.VIA
    kind_of_record, last, email, key = "Company", "site", "company", "externalCompanyId"
    merges = tells_ends = False

    def __init__(self, full_read: str = "bulk") -> None:
        super().__init__(full_read)
        self.paths = {"Company": ("externalCompanyId", "company", "site", "createdAt")}
        self._made = 0

    @property
    def ledger(self) -> list[Entry]:
        return [entry for entry in super().ledger if entry.object == "Company"]

    def person(self, number: int, **more: Raw) -> dict[str, Raw]:
        own = {self.last: f"Last{number}", self.email: f"p{number}@mail.example"}
        return {**own, self.key: f"C{number}", **more}

    def create(self, values: Mapping[str, Any], *, late: bool = False) -> Ref:
        number = str(values[self.key])
        while self.state.company(number) is not None:
            number += "-2"
        self.state.human_company(number, {path: values[path] for path in (self.last, self.email)})
        if late:
            self.faults.script.append("late_visibility")
        self._made += 1
        self.state.human_create({"email": f"member{self._made}@mail.example", "externalCompanyId": number})
        return self.ref(number)

    def edit(self, ref: Ref, values: Mapping[str, Any]) -> None:
        self.state.human_company(ref.id, values)

    def delete(self, ref: Ref) -> None:
        company = self.state.company(ref.id)
        assert company is not None
        for lead in list(self.state.leads_of(company)):
            self.state.human_delete(lead.id)
        self.state.delete_company("human", company)

    def stored(self, ref: Ref, path: str) -> object:
        company = self.state.company(ref.id)
        if company is None:
            raise KeyError(ref)
        return company.values.get(path)


def scanned(texts: Iterable[str], folder: Path | None = None) -> str:
    """All text in which a secret could have been left."""
    files = [path.read_text("utf-8", "replace") for path in sorted(folder.rglob("*"))] if folder else []
    return "\n".join([*texts, *files])
