"""Marketo's calls as functions: how each is addressed, encoded and read. Decides no order of calls.

Long filters go as a form with `_method=GET`: addresses end at 8 KB, and a body costs less to encode. Sources: the
vendor's pages "Leads", "Activities", "Bulk Lead Extract", "Companies", "List Membership", "Smart Campaigns".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast
from urllib.parse import quote

import msgspec

from connectors.auth import MarketoAuth
from connectors.client import Client
from connectors.http import Ask, Call, Reply
from connectors.marketo.config import MarketoConfig
from connectors.marketo.errors import Envelope, MarketoJudge
from connectors.stamps import iso
from sync.errors import Fatal, RequestRefused, Retryable
from sync.ports import Clock
from sync.record import Raw

BATCH = 300
LONGEST_QUERY = 1_000
USAGE = "v1/stats/usage.json"
BODY_LIMIT = 1024 * 1024
_JSON = {"content-type": "application/json"}
_FORM = {"content-type": "application/x-www-form-urlencoded"}


class Activities(NamedTuple):
    """A page of the activity log, read at the vendor's time `now` (unix seconds); `more` = the log goes on behind it,
    however short this page is."""

    rows: list[dict[str, object]]
    token: str
    more: bool
    now: float


class MarketoClient(Client[MarketoConfig]):
    """All calls of one instance; safe to share between threads."""

    def __init__(
        self, system: str, config: MarketoConfig, clock: Clock, log: Callable[[Call], None] | None = None
    ) -> None:
        auth = MarketoAuth(
            system,
            clock,
            identity_url=config.identity,
            client_id=config.client_id,
            client_secret=config.client_secret,
            method=config.identity_method,
        )
        super().__init__(system, config, clock, auth, log)
        self.judge = MarketoJudge(system, clock, config.window_seconds, config.daily_reset)
        if config.read_usage:
            self.http.budget.look = self._look

    def paging_token(self, since: float) -> str:
        """The place in the activity log of a time (unix seconds, UTC)."""
        envelope = self._get("paging token", "v1/activities/pagingtoken.json", sinceDatetime=iso(since))
        return self._token_of(envelope)

    def activities(self, token: str) -> Activities:
        """One page behind a place."""
        types = ",".join(str(number) for number in self.config.activity_types)
        asked = {"activityTypeIds": types, "nextPageToken": token, "batchSize": str(BATCH)}
        envelope, now = self.http.read(self._asking("activities", "v1/activities.json", asked), self._dated)
        return Activities(envelope.rows, self._token_of(envelope), envelope.more_result, now)

    def leads(self, field: str, values: Sequence[str], fields: Sequence[str]) -> list[Mapping[str, Raw]]:
        """All leads whose field has one of at most 300 values, in no order; more than 1,000 hits are asked for in
        halves. Raises RequestRefused where one value alone has more."""
        return self._having("leads", field, values, fields)

    def companies(self, field: str, values: Sequence[str], fields: Sequence[str]) -> list[Mapping[str, Raw]]:
        """All companies, in the same way. Raises RequestRefused (1018) where the vendor's own CRM sync is on."""
        return self._having("companies", field, values, fields)

    def _having(
        self, what: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> list[Mapping[str, Raw]]:
        try:
            return self._filtered(what, field, values, fields)
        except RequestRefused as error:
            if error.code != "1003" or "too many" not in error.message.lower() or len(values) == 1:
                raise
        half = len(values) // 2
        return self._having(what, field, values[:half], fields) + self._having(
            what, field, values[half:], fields
        )

    def _filtered(
        self, what: str, field: str, values: Sequence[str], fields: Sequence[str]
    ) -> list[Mapping[str, Raw]]:
        asked = {
            "filterType": field,
            "filterValues": ",".join(values),
            "fields": ",".join(fields),
            "batchSize": str(BATCH),
        }
        # Values of leads and companies are scalars by the vendor's types.
        return cast("list[Mapping[str, Raw]]", self._pages(what, f"v1/{what}.json", asked))

    def _pages(self, label: str, path: str, asked: dict[str, str]) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        while True:
            envelope = self._get(label, path, **asked)
            found += envelope.rows
            if not envelope.next_page_token:
                return found
            asked["nextPageToken"] = envelope.next_page_token

    def sync_leads(self, action: str, lookup: str, rows: Sequence[bytes]) -> object:
        """Write leads (each row encoded); gives the result as it came."""
        head = msgspec.json.encode({"action": action, "lookupField": lookup})[:-1]
        return self._post("sync leads", "v1/leads.json", head + _input(rows)).result

    def delete_leads(self, ids: Sequence[str]) -> object:
        """Delete at most 300 leads for good; gives the result as it came."""
        body = msgspec.json.encode({"input": [{"id": int(each)} for each in ids]})
        return self._post("delete leads", "v1/leads/delete.json", body).result

    def sync_companies(self, action: str, rows: Sequence[bytes]) -> object:
        """Write companies by their key (each row encoded); gives the result as it came."""
        head = msgspec.json.encode({"action": action, "dedupeBy": "dedupeFields"})[:-1]
        return self._post("sync companies", "v1/companies.json", head + _input(rows)).result

    def assets(self, what: str, name: str = "") -> list[dict[str, object]]:
        """The static lists or campaigns (`what`), all or those of a name; a comma would part names."""
        asked = {"batchSize": str(BATCH)} | ({"name": name} if name and "," not in name else {})
        rows = self._pages(what, f"v1/{what}.json", asked)
        return [row for row in rows if not name or row.get("name") == name]

    def enlist(self, number: str, leads: Sequence[str]) -> object:
        """Put at most 300 leads on a list; gives the result as it came."""
        body = msgspec.json.encode({"input": [{"id": int(lead)} for lead in leads]})
        return self._post("add to list", f"v1/lists/{quote(number, safe='')}/leads.json", body).result

    def delist(self, number: str, leads: Sequence[str]) -> object:
        """Take at most 300 leads from a list; gives the result as it came."""
        query = "&".join(f"id={int(lead)}" for lead in leads)
        url = f"{self.config.rest_url}/v1/lists/{quote(number, safe='')}/leads.json?{query}"
        return self.http.write(Ask("remove from list", "DELETE", url), self.judge).result

    def request_campaign(self, number: str, leads: Sequence[str], tokens: Mapping[str, str]) -> None:
        """Ask for a campaign to run for at most 100 leads, once more for each time that this is called."""
        given = {
            "leads": [{"id": int(lead)} for lead in leads],
            "tokens": [{"name": name, "value": value} for name, value in tokens.items()],
        }
        body = msgspec.json.encode({"input": given})
        self._post("request campaign", f"v1/campaigns/{quote(number, safe='')}/trigger.json", body)

    def describe_companies(self) -> Mapping[str, object]:
        """The company's fields and which of them can be searched. Raises RequestRefused (1018) where the vendor's own
        CRM sync is on."""
        rows = self._get("describe companies", "v1/companies/describe.json").rows
        if not rows:
            raise Fatal(
                f"{self.system} describes no company.", "check the permissions of the API user's role"
            )
        return rows[0]

    def describe(self) -> Mapping[str, object]:
        """The lead's fields and which of them can be searched."""
        rows = self._get("describe", "v1/leads/describe2.json").rows
        if not rows:
            raise Fatal(f"{self.system} describes no lead.", "check the permissions of the API user's role")
        return rows[0]

    def usage(self) -> int:
        """Calls of everybody since the last reset; the budget takes the count over."""
        return self.http.read(self._asking("usage", USAGE, {}), self._counted)

    def _look(self) -> None:
        self.http.peek(self._asking("usage", USAGE, {}), self._counted)

    def _counted(self, reply: Reply, *, writing: bool) -> int:
        counts = (row.get("total") for row in self.judge(reply, writing=writing).rows)
        total = sum(count for count in counts if isinstance(count, int))
        self.http.budget.observe(total, self.config.daily_calls)
        return total

    def job(self, label: str, method: str, path: str, body: object = None) -> dict[str, object]:
        """One call about an extract job; gives the job. Making a job twice only wastes one."""
        content = b"" if body is None else msgspec.json.encode(body)
        ask = Ask(label, method, f"{self.config.bulk}/v1/leads/export/{path}", content, _JSON)
        rows = self.http.read(ask, self.judge).rows
        if not rows:
            raise Retryable(f"{self.system} said nothing of an extract job.", self.config.poll_seconds)
        return rows[0]

    def file_part(self, job: str, start: int) -> bytes:
        """A part of a job's file from a byte on; the file may come a little later than the job's end."""
        span = f"bytes={start}-{start + self.config.part_bytes - 1}"
        url = f"{self.config.bulk}/v1/leads/export/{quote(job, safe='')}/file.json"
        reply = self.http.read(Ask("extract file", "GET", url, headers={"range": span}), self._file)
        return reply.body[start:] if reply.status == 200 else reply.body

    def _file(self, reply: Reply, *, writing: bool) -> Reply:
        if reply.status == 404:
            raise Retryable(f"{self.system} has not put down an extract file yet.", self.config.poll_seconds)
        if reply.status not in {200, 206}:
            raise self.judge.by_status(reply.status, writing)
        if reply.headers.get("content-type", "").startswith("application/json"):
            self.judge(reply, writing=writing)  # a refusal in an envelope
        return reply

    def _dated(self, reply: Reply, *, writing: bool) -> tuple[Envelope, float]:
        return self.judge(reply, writing=writing), self.told_time(reply)

    def _post(self, label: str, path: str, body: bytes) -> Envelope:
        """One write; it leaves once."""
        return self.http.write(Ask(label, "POST", f"{self.config.rest_url}/{path}", body, _JSON), self.judge)

    def _get(self, label: str, path: str, **asked: str) -> Envelope:
        return self.http.read(self._asking(label, path, asked), self.judge)

    def _asking(self, label: str, path: str, asked: Mapping[str, str]) -> Ask:
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())
        url = f"{self.config.rest_url}/{path}"
        if len(query) <= LONGEST_QUERY:
            return Ask(label, "GET", f"{url}?{query}" if query else url)
        return Ask(label, "POST", f"{url}?_method=GET", query.encode("ascii"), _FORM)

    def _token_of(self, envelope: Envelope) -> str:
        if not envelope.next_page_token:
            raise Retryable(f"{self.system} gave no paging token.", 1.0)
        return envelope.next_page_token


def _input(rows: Sequence[bytes]) -> bytes:
    """Encoded rows as the end of a body."""
    return b',"input":[' + b",".join(rows) + b"]}"
