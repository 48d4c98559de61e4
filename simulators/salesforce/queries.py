"""The query resources: first page, further pages, counting.

A cursor remembers which records a query found, not what they held: a further page shows them as they are
by then, as the vendor does not promise a snapshot. Knows no authentication.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simulators.http import Request, Response, json_response
from simulators.salesforce.errors import RequestError
from simulators.salesforce.ids import new_id
from simulators.salesforce.rest import Call, wrong_method
from simulators.salesforce.soql_filter import Names
from simulators.salesforce.soql_run import Plan, compile_query, run
from simulators.salesforce.table import Row

CURSOR_SECONDS = 2 * 86_400.0
KEPT_PLANS = 256
_BATCH = re.compile(r"batchsize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The rest of a result: ids in order, and when it was opened (unix seconds)."""

    plan: Plan
    resource: str
    keys: tuple[str, ...]
    size: int
    opened: float


class Queries:
    """Runs queries for one organisation and keeps their cursors."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, str, int], Plan] = {}
        self._cursors: dict[str, Cursor] = {}
        self._opened = 0

    def forget(self) -> None:
        """Lose all cursors, as the vendor does after two days or when too many are open."""
        self._cursors.clear()

    def answer(self, call: Call) -> Response:
        """`/query` and `/queryAll`, with a query in `q` or a cursor in the path."""
        if call.request.method != "GET":
            raise wrong_method(call.request)
        if len(call.parts) == 1:
            return self._first(call, call.parts[0])
        return self._more(call, call.parts[1])

    def _first(self, call: Call, resource: str) -> Response:
        text = call.request.first("q")
        if not text:
            raise RequestError(400, "MALFORMED_QUERY", "SOQL statement cannot be empty")
        call.state.calls[resource] += 1
        plan = self._plan(call, text)
        rows = run(plan, call.state.table(plan.spec.name), deleted=resource == "queryAll")
        if not plan.query.paths:
            return json_response({"totalSize": len(rows), "done": True, "records": []})
        size = _page_size(call.request, call.state.switches.page_size)
        if len(rows) <= size:
            records = [plan.project(row) for row in rows]
            return json_response({"totalSize": len(rows), "done": True, "records": records})
        self._opened += 1
        locator = new_id("01g", self._opened)
        keys = tuple(row["Id"] for row in rows)
        self._cursors[locator] = Cursor(
            plan=plan, resource=resource, keys=keys, size=size, opened=call.state.clock.now()
        )
        return self._page(call, locator, rows[:size], 0)

    def _more(self, call: Call, place: str) -> Response:
        call.state.calls["query_more"] += 1
        locator, _, start = place.partition("-")
        cursor = self._cursors.get(locator)
        if cursor is None or not start.isdigit() or not int(start) < len(cursor.keys):
            raise RequestError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        if call.state.clock.now() - cursor.opened > CURSOR_SECONDS:
            del self._cursors[locator]
            raise RequestError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        table = call.state.table(cursor.plan.spec.name)
        keys = cursor.keys[int(start) : int(start) + cursor.size]
        rows = [
            row
            for row in table.versions(keys, latest=False)
            if cursor.resource == "queryAll" or not row["IsDeleted"]
        ]
        return self._page(call, locator, rows, int(start))

    def _page(self, call: Call, locator: str, rows: list[Row], start: int) -> Response:
        cursor = self._cursors[locator]
        end = start + cursor.size
        answer: dict[str, Any] = {"totalSize": len(cursor.keys), "done": end >= len(cursor.keys)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"{call.base}/{cursor.resource}/{locator}-{end}"
        answer["records"] = [cursor.plan.project(row) for row in rows]
        return json_response(answer)

    def _plan(self, call: Call, text: str) -> Plan:
        key = (text, call.version, call.state.schema_version)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= KEPT_PLANS:
                self._plans.clear()
            plan = compile_query(Names(call.state.schema, call.state.tables), text, call.version)
            self._plans[key] = plan
        return plan


def _page_size(request: Request, usual: int) -> int:
    """The page size: the organisation's, or less when the client hints at 200 to 2,000."""
    hint = _BATCH.search(request.headers.get("sforce-query-options", ""))
    return min(usual, max(200, int(hint[1]))) if hint else usual
