"""The yardstick, frozen: the least work that copies all leads. Arguments: two URLs (http://id:secret@host), feed start.

asyncio, httpx and orjson; change feed, leads by id, upsert by external id; four calls in flight on either side and as
few calls as the vendors' page sizes allow. It keeps no state and stops at the first fault, so whatever a sync tool
needs more than this is what its promises cost. Do not improve it: figures taken against it are compared over years.
"""

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson

PAGE, WRITE_BATCH, IN_FLIGHT = 300, 200, 4
FIELDS = {
    "email": "Email", "firstName": "FirstName", "lastName": "LastName", "company": "Company",
    "phone": "Phone", "title": "Title", "country": "Country", "website": "Website", "leadSource": "LeadSource",
    "leadScore": "MA_Score__c", "unsubscribed": "HasOptedOutOfEmail", "optOutSeminar": "Opt_Out_Seminar__c",
}  # fmt: skip
READ = ",".join([*FIELDS, "id", "industry", "createdAt", "updatedAt"])
FEED, LEADS = "/rest/v1/activities/{}.json", "/rest/v1/leads.json"
JSON, LIMITS = {"content-type": "application/json"}, httpx.Limits(max_connections=IN_FLIGHT + 1)
UPSERT = "/services/data/v66.0/composite/sobjects/Lead/Marketo_Id__c"


class Side:
    """One vendor: a client, its token and the number of calls made; the URL holds client id and secret."""

    def __init__(self, url: str) -> None:
        self.url = httpx.URL(url)
        base = self.url.copy_with(userinfo=b"")
        self.http = httpx.AsyncClient(base_url=base, timeout=60, limits=LIMITS, trust_env=False)
        self.calls = self.written = 0

    async def call(self, method: str, path: str, **request: Any) -> Any:
        """Make one call and give the decoded answer; any refusal ends the run."""
        self.calls += 1
        answer = orjson.loads((await self.http.request(method, path, **request)).raise_for_status().content)
        if isinstance(answer, dict) and answer.get("success") is False:
            raise SystemExit(f"refused: {method} {path}: {answer.get('errors')}")
        return answer


async def changed(source: Side, since: str) -> AsyncIterator[list[int]]:
    """Walk the change feed to its end and give each lead's id once, in full batches."""
    page = await source.call("GET", FEED.format("pagingtoken"), params={"sinceDatetime": since})
    known, batch, more = set[int](), list[int](), True
    while more:
        query = {"nextPageToken": page["nextPageToken"], "fields": ",".join(FIELDS), "batchSize": PAGE}
        page = await source.call("GET", FEED.format("leadchanges"), params=query)
        more = page["moreResult"]
        fresh = dict.fromkeys(row["leadId"] for row in page.get("result", ()) if row["leadId"] not in known)
        known.update(fresh)
        batch += fresh
        while len(batch) >= PAGE or (batch and not more):
            yield batch[:PAGE]
            batch = batch[PAGE:]


async def write(target: Side, leads: list[Any]) -> None:
    """Upsert these leads by the source's id."""
    rows = [{theirs: lead.get(ours) for ours, theirs in FIELDS.items()} for lead in leads]
    for row, lead in zip(rows, leads, strict=True):
        row |= {"attributes": {"type": "Lead"}, "Marketo_Id__c": str(lead["id"])}
    body = orjson.dumps({"allOrNone": False, "records": rows})
    for answer in await target.call("PATCH", UPSERT, content=body, headers=JSON):
        if not answer["success"]:
            raise SystemExit(f"refused: {answer['errors']}")
    target.written += len(leads)


async def copy(source: Side, target: Side, since: str) -> None:
    """Copy every lead that changed since then, four reads and four writes at a time."""
    reading, writing, leads = asyncio.Semaphore(IN_FLIGHT), asyncio.Semaphore(IN_FLIGHT), list[Any]()

    async def fetch(ids: list[int]) -> None:
        wanted = {"filterType": "id", "filterValues": ",".join(map(str, ids)), "fields": READ}
        leads.extend((await source.call("POST", LEADS, params={"_method": "GET"}, data=wanted))["result"])
        while len(leads) >= WRITE_BATCH:
            batch, leads[:] = leads[:WRITE_BATCH], leads[WRITE_BATCH:]
            await writing.acquire()
            writes.create_task(write(target, batch)).add_done_callback(lambda _: writing.release())
        reading.release()

    async with asyncio.TaskGroup() as writes:
        async with asyncio.TaskGroup() as reads:
            async for ids in changed(source, since):
                await reading.acquire()
                reads.create_task(fetch(ids))
        if leads:
            await write(target, leads)


def peak_mib() -> float:
    """Most memory of this process; getrusage would still count that of whoever started it."""
    return int(Path("/proc/self/status").read_text("ascii").partition("VmHWM:")[2].split()[0]) / 1024


async def run(marketo: str, salesforce: str, since: str = "2000-01-01T00:00:00Z") -> dict[str, float]:
    """Sign in on both sides, copy, and give what it took."""
    started = time.perf_counter()
    source, target = Side(marketo), Side(salesforce)
    for side, path in ((source, "/identity/oauth/token"), (target, "/services/oauth2/token")):
        client = {"client_id": side.url.username, "client_secret": side.url.password}
        answer = await side.call("POST", path, data={"grant_type": "client_credentials", **client})
        side.http.headers["authorization"] = f"Bearer {answer['access_token']}"
    await copy(source, target, since)
    used, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - started
    calls = {"marketo_calls": source.calls, "salesforce_calls": target.calls}
    cost = {"cpu_s": used.ru_utime + used.ru_stime, "wall_s": wall, "rss_mib": peak_mib()}
    return {"records": target.written, **calls} | {name: round(value, 3) for name, value in cost.items()}


if __name__ == "__main__":
    print(orjson.dumps(asyncio.run(run(*sys.argv[1:]))).decode())
