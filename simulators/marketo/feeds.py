"""Activity endpoints: paging token, lead changes, activities, deleted leads.

Translates positions into tokens and rows into the vendor's shape. Sources: the vendor's page
"Activities"; an empty page has no `result` and may still have more behind it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import Any

from simulators.clock import iso_z
from simulators.http import Request, Response
from simulators.marketo import log
from simulators.marketo.fields import Field
from simulators.marketo.log import Activity
from simulators.marketo.params import batch_size, field_names, listed, moment, numbers, required
from simulators.marketo.reply import Envelope
from simulators.marketo.state import MarketoState
from simulators.marketo.tokens import BadTokenError, make_token, read_token

DELETIONS_KEPT = 14 * 86_400
MOST_TYPES = 10
MOST_LEADS = 30


class FeedRoutes:
    """The handlers; with a share of `empty_pages` a page comes empty although more remains."""

    def __init__(
        self, state: MarketoState, envelope: Envelope, rng: random.Random, empty_pages: float
    ) -> None:
        self._state, self._envelope, self._rng = state, envelope, rng
        self.empty_pages = empty_pages

    def paging_token(self, request: Request) -> Response:
        """Turn a time into a token that any feed accepts."""
        since = moment(required(request, "sinceDatetime"))
        token = make_token("since", self._state.log.position_of(since))
        return self._envelope.success(nextPageToken=token)

    def changes(self, request: Request) -> Response:
        """New leads, and changes of the named fields; a changed score is not among them."""
        names = frozenset(field_names(request, self._state.fields, None))
        leads = self._leads(request)

        def wanted(row: Activity) -> bool:
            return (not leads or row.lead in leads) and (row.type == log.NEW_LEAD or row.field in names)

        types = {log.NEW_LEAD, log.DATA_VALUE_CHANGED}
        return self._page(request, "changes", types, wanted, self._change)

    def activities(self, request: Request) -> Response:
        """Rows of up to ten types."""
        types = set(numbers(listed(request, "activityTypeIds", MOST_TYPES), "activityTypeIds"))
        leads = self._leads(request)
        wanted = (lambda row: row.lead in leads) if leads else None
        return self._page(request, "activities", types, wanted, self._activity)

    def deleted(self, request: Request) -> Response:
        """Deletions of the last fourteen days."""
        oldest = self._state.clock.now() - DELETIONS_KEPT
        return self._page(
            request, "deleted", {log.DELETE_LEAD}, lambda row: row.time >= oldest, self._activity
        )

    def types(self, _: Request) -> Response:
        """List the activity types."""
        return self._envelope.success([{"id": i, "name": name} for i, name in log.TYPE_NAMES.items()])

    def _leads(self, request: Request) -> frozenset[int]:
        if not request.first("leadIds"):
            return frozenset()
        return frozenset(numbers(listed(request, "leadIds", MOST_LEADS), "leadIds"))

    def _page(
        self,
        request: Request,
        tag: str,
        types: Collection[int],
        wanted: Callable[[Activity], bool] | None,
        shown: Callable[[Activity], dict[str, Any]],
    ) -> Response:
        position = _position(tag, required(request, "nextPageToken"))
        if self.empty_pages and self._rng.random() < self.empty_pages:
            return self._envelope.success(nextPageToken=make_token(tag, position), moreResult=True)
        page = self._state.activities(position, types, batch_size(request), wanted)
        rows = [shown(row) for row in page.rows] or None
        token = make_token(tag, page.position)
        return self._envelope.success(rows, nextPageToken=token, moreResult=page.more)

    def _change(self, row: Activity) -> dict[str, Any]:
        shown = _common(row)
        field = self._state.fields.get(row.field)
        shown["fields"] = [_changed(field, row)] if field else []
        shown["attributes"] = [
            {"name": "Source", "value": "Web service API"},
            {"name": "Reason", "value": ""},
        ]
        return shown

    def _activity(self, row: Activity) -> dict[str, Any]:
        shown = _common(row)
        field = self._state.fields.get(row.field)
        if field is not None:
            shown["primaryAttributeValueId"] = field.number
            shown["primaryAttributeValue"] = field.label
        elif row.asset is not None:
            shown["primaryAttributeValueId"], shown["primaryAttributeValue"] = row.asset
        shown["attributes"] = _attributes(row)
        return shown


def _position(tag: str, token: str) -> int:
    try:
        return read_token(tag, token)
    except BadTokenError:
        return read_token("since", token)


def _common(row: Activity) -> dict[str, Any]:
    stamp = iso_z(row.time)
    return {
        "id": row.id,
        "marketoGUID": str(row.id),
        "leadId": row.lead,
        # The vendor writes either form; a reader has to take both.
        "activityDate": stamp if row.id % 2 else stamp[:-1] + "+0000",
        "activityTypeId": row.type,
    }


def _changed(field: Field, row: Activity) -> dict[str, Any]:
    return {"id": field.number, "name": field.name, "newValue": row.new, "oldValue": row.old}


def _attributes(row: Activity) -> list[dict[str, Any]]:
    match row.type:
        case log.MERGE_LEADS:
            return [{"name": "Merge IDs", "value": str(list(row.others))}]
        case log.NEW_LEAD | log.DELETE_LEAD:
            return [{"name": "Source Type", "value": "Web service API"}]
        case log.ADD_TO_LIST | log.REMOVE_FROM_LIST:
            return [{"name": "Source", "value": "Web service API"}]
        case log.CHANGE_SCORE:
            change = f"{int(row.new or 0) - int(row.old or 0):+d}"
            shown = {"New Value": row.new, "Old Value": row.old, "Change Value": change, "Reason": row.reason}
            return [{"name": name, "value": value} for name, value in shown.items()]
        case _:
            return [{"name": "New Value", "value": row.new}, {"name": "Old Value", "value": row.old}]
