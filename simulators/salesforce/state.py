"""The fake organisation as one object, callable in the same process without HTTP.

Adds the reads to what people and the API write: feeds and queries see what is visible by now, reads by id
and by unique key see what is committed. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from simulators.salesforce.human_deals import HumanDeals
from simulators.salesforce.ids import normalise
from simulators.salesforce.table import LAST, Row
from simulators.salesforce.writes import ApiWrites


class SalesforceState(HumanDeals, ApiWrites):
    """One organisation: people, accounts, deals with their roles and stages, tasks, campaigns, users, record types.

    Rows are dicts by field name and must not be changed by the reader; stamps are text such as
    `2026-11-22T01:02:03.004+0000`.
    """

    def changed_since(
        self, object_name: str, stamp: str = "", key: str = "", limit: int = 2000, *, until: str = LAST
    ) -> list[Row]:
        """Give the visible rows behind (stamp, id) in that order, deleted ones too, up to stamp `until`."""
        self.calls["query"] += 1
        return list(islice(self.table(object_name).since(stamp, key, until), limit))

    def by_ids(self, object_name: str, keys: Sequence[str], *, deleted: bool = False) -> list[Row | None]:
        """Give the committed rows in the order asked; None for a missing id, and for a deleted row unless asked."""
        self.calls["retrieve"] += 1
        rows = self.table(object_name).rows
        found = (rows.get(normalise(key) or "") for key in keys)
        return [row if row is not None and (deleted or not row["IsDeleted"]) else None for row in found]

    def find(
        self, object_name: str, field: str, values: Sequence[object], *, deleted: bool = False
    ) -> list[Row]:
        """Give the rows whose field has one of the values, text compared without case.

        A unique field is read as committed, any other as queries see it.
        """
        self.calls["query"] += 1
        table = self.table(object_name)
        wanted = {str(value).lower() for value in values}
        known = self.schema[object_name].fields[field]
        if known.unique:
            if field == "Id":
                wanted = {key.lower() for value in values if (key := normalise(str(value)))}
                keys = [key for value in values if (key := normalise(str(value)))]
            else:
                keys = table.looked_up(field, values)
            rows = table.versions(keys, latest=True)
        elif field in table.index:
            rows = table.versions([*table.looked_up(field, values), *table.hidden], latest=False)
        else:
            rows = table.by_id()
        hits = {
            row["Id"]: row
            for row in rows
            if (deleted or not row["IsDeleted"]) and str(row[field]).lower() in wanted
        }
        return [hits[key] for key in sorted(hits)]
