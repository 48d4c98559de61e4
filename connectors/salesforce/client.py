"""Salesforce's calls as functions: how each is addressed, encoded and read. Decides no order of calls.

Every write says that no assignment rule is to move owners and who writes. Sources: the vendor's pages "Query",
"sObject Collections", "sObject Describe", "sObject Get Deleted", "Limits".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast
from urllib.parse import quote

import msgspec

from connectors.auth import SalesforceAuth
from connectors.client import Client
from connectors.http import Ask, Call, Reply
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.errors import SalesforceJudge
from connectors.salesforce.ids import full_id
from connectors.stamps import iso
from sync.errors import Retryable
from sync.ports import Clock
from sync.record import Raw

BATCH = 200
FETCH = 2_000
_JSON = {"content-type": "application/json"}


class Found(NamedTuple):
    """Rows of a query, whether they are all, and the vendor's time (unix seconds) when they were read."""

    rows: list[Mapping[str, Raw]]
    done: bool
    now: float


class SalesforceClient(Client[SalesforceConfig]):
    """All calls of one organisation; safe to share between threads."""

    def __init__(
        self, system: str, config: SalesforceConfig, clock: Clock, log: Callable[[Call], None] | None = None
    ) -> None:
        self._auth = SalesforceAuth(
            system,
            clock,
            login_url=config.login_url,
            client_id=config.client_id,
            client_secret=config.client_secret,
            refresh_token=config.refresh_token,
            instance_url=config.instance_url,
        )
        headers = {"sforce-call-options": f"client={config.client_name}", "sforce-auto-assign": "FALSE"}
        super().__init__(system, config, clock, self._auth, log, headers=headers)
        self.judge = SalesforceJudge(system, self._told)
        self._ahead = 0.0
        self._base = f"{config.instance_url or config.login_url}/services/data/v{config.api_version}"

    @property
    def user_id(self) -> str:
        """Our own user's id, known as soon as a token was given ("" before)."""
        return full_id(self._auth.user_id)

    @property
    def organisation(self) -> str:
        """The organisation's own id, known as soon as a token was given ("" before)."""
        return full_id(self._auth.organisation)

    def vendor_now(self) -> float:
        """The vendor's clock (unix seconds), as far as its last query told it."""
        return self.clock.now() + self._ahead

    def query(self, soql: str, *, deleted: bool = False) -> Found:
        """One page of a query; with `deleted` also of what lies in the recycle bin."""
        resource = "queryAll" if deleted else "query"
        ask = Ask("query", "GET", f"{self._base}/{resource}?q={quote(soql, safe='')}")
        reply, now = self.http.read(ask, self._dated)
        if not isinstance(reply, dict) or not isinstance(reply.get("records"), list):
            raise Retryable(f"{self.system} answered a query without rows.", 1.0)
        return Found(cast("list[Mapping[str, Raw]]", reply["records"]), reply.get("done") is True, now)

    def query_all_pages(self, soql: str, *, deleted: bool = False) -> list[Mapping[str, Raw]]:
        """All rows of a query that finds few; with `deleted` also of the recycle bin and the archive."""
        resource = "queryAll" if deleted else "query"
        ask = Ask("query", "GET", f"{self._base}/{resource}?q={quote(soql, safe='')}")
        rows: list[Mapping[str, Raw]] = []
        while True:
            reply = self.http.read(ask, self.judge)
            if not isinstance(reply, dict) or not isinstance(reply.get("records"), list):
                raise Retryable(f"{self.system} answered a query without rows.", 1.0)
            rows += cast("list[Mapping[str, Raw]]", reply["records"])
            following = reply.get("nextRecordsUrl")
            if reply.get("done") is True or not isinstance(following, str):
                return rows
            ask = Ask(
                "query more", "GET", f"{self._base}/{resource}/{quote(following.rsplit('/', 1)[-1], safe='')}"
            )

    def retrieve(
        self, object_: str, ids: Sequence[str], fields: Sequence[str]
    ) -> list[Mapping[str, Raw] | None]:
        """At most 2,000 rows by id, in the order of the ids, None for what is not there."""
        body = msgspec.json.encode({"ids": ids, "fields": fields})
        ask = Ask(
            "retrieve", "POST", f"{self._base}/composite/sobjects/{quote(object_, safe='')}", body, _JSON
        )
        rows = self.http.read(ask, self.judge)
        if not isinstance(rows, list) or len(rows) != len(ids):
            raise Retryable(f"{self.system} answered {len(ids)} ids with another number of rows.", 1.0)
        return rows

    def save(self, method: str, rows: Sequence[bytes]) -> object:
        """Create (POST) or update (PATCH) at most 200 rows, each for itself; gives the results as they came."""
        body = b'{"allOrNone":false,"records":[' + b",".join(rows) + b"]}"
        label = "create" if method == "POST" else "update"
        return self.http.write(
            Ask(label, method, f"{self._base}/composite/sobjects", body, _JSON), self.judge
        )

    def delete(self, ids: Sequence[str]) -> object:
        """Move at most 200 rows to the recycle bin, each for itself; gives the results as they came."""
        url = f"{self._base}/composite/sobjects?ids={','.join(ids)}&allOrNone=false"
        return self.http.write(Ask("delete", "DELETE", url), self.judge)

    def deleted(self, object_: str, start: float, end: float) -> list[str]:
        """Ids deleted between two times, hard deletions too."""
        query = f"start={quote(iso(start), safe='')}&end={quote(iso(end), safe='')}"
        reply = self.http.read(
            Ask("deleted", "GET", f"{self._base}/sobjects/{quote(object_, safe='')}/deleted/?{query}"),
            self.judge,
        )
        rows = reply.get("deletedRecords") if isinstance(reply, dict) else None
        return (
            [full_id(str(row["id"])) for row in rows if isinstance(row, dict)]
            if isinstance(rows, list)
            else []
        )

    def describe(self, object_: str) -> Mapping[str, object]:
        """One object's description."""
        reply = self.http.read(
            Ask("describe", "GET", f"{self._base}/sobjects/{quote(object_, safe='')}/describe"), self.judge
        )
        if not isinstance(reply, dict):
            raise Retryable(f"{self.system} gave no description of {object_}.", 1.0)
        return reply

    def limits(self) -> tuple[int, int]:
        """Calls of the last 24 hours by everybody, and their limit."""
        reply = self.http.read(Ask("limits", "GET", f"{self._base}/limits"), self.judge)
        calls = reply.get("DailyApiRequests") if isinstance(reply, dict) else None
        most, rest = (calls.get("Max", 0), calls.get("Remaining", 0)) if isinstance(calls, dict) else (0, 0)
        return most - rest, most

    def _told(self, used: int, limit: int) -> None:
        own = self.config.daily_calls
        self.http.budget.observe(used, min(own, limit) if own else limit)

    def _dated(self, reply: Reply, *, writing: bool) -> tuple[object, float]:
        answer, told = self.judge(reply, writing=writing), self.told_time(reply)
        ahead = told - self.clock.now()
        self._ahead = ahead if abs(ahead) > 2.0 else 0.0  # the header has whole seconds
        return answer, told
