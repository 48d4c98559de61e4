"""The replication resources: which ids were updated or deleted between two times.

`latestDateCovered` is held back to before the oldest commit that queries do not see yet, so that the next
request starts early enough (vendor's pages on Get Updated and Get Deleted).
"""

from __future__ import annotations

from simulators.http import Response, json_response
from simulators.salesforce.errors import RequestError
from simulators.salesforce.fields import ObjectSpec
from simulators.salesforce.rest import Call, wrong_method
from simulators.salesforce.stamps import read_stamp, seconds_of, stamp

UPDATED_DAYS = 30
DELETED_DAYS = 15
DAY = 86_400.0


def updated(call: Call, spec: ObjectSpec) -> Response:
    """`/sobjects/{O}/updated?start&end`: ids created or changed in that time and alive."""
    start, end = _window(call, spec, UPDATED_DAYS)
    call.state.calls["updated"] += 1
    table = call.state.table(spec.name)
    rows = table.since(stamp(start), "", stamp(end))
    keys = [row["Id"] for row in rows if not row["IsDeleted"]]
    if len(keys) > call.state.switches.updated_ids:
        raise RequestError(400, "EXCEEDED_ID_LIMIT", "Too many ids; ask for a shorter time")
    return json_response({"ids": keys, "latestDateCovered": _covered(call, spec, end)})


def deleted(call: Call, spec: ObjectSpec) -> Response:
    """`/sobjects/{O}/deleted?start&end`: ids deleted in that time, hard deletions too, not those restored."""
    start, end = _window(call, spec, DELETED_DAYS)
    call.state.calls["deleted"] += 1
    table = call.state.table(spec.name)
    gone: dict[str, float] = {}
    for when, key in table.deleted_between(start, end):
        row = table.rows.get(key)
        if key not in table.hidden and (row is None or row["IsDeleted"]):
            gone[key] = when
    earliest = max(call.state.deletions_known_from, call.state.clock.now() - DELETED_DAYS * DAY)
    return json_response(
        {
            "deletedRecords": [{"id": key, "deletedDate": stamp(when)} for key, when in gone.items()],
            "earliestDateAvailable": stamp(earliest),
            "latestDateCovered": _covered(call, spec, end),
        }
    )


def _window(call: Call, spec: ObjectSpec, days: int) -> tuple[float, float]:
    """Read start and end, cut to whole minutes; RequestError 400 INVALID_REPLICATION_DATE when they do not fit."""
    if call.request.method != "GET":
        raise wrong_method(call.request)
    if not spec.replicateable:
        raise RequestError(400, "INVALID_TYPE", f"{spec.name} is not replicateable")
    bounds = [read_stamp((call.request.first(name) or "").replace(" ", "+")) for name in ("start", "end")]
    if bounds[0] is None or bounds[1] is None:
        raise _refused("start and end must be times with an offset")
    start, end = (seconds_of(bound) // 60 * 60 for bound in (bounds[0], bounds[1]))
    if end - start <= 60:
        raise _refused("startDate must be more than one minute before endDate")
    if start < call.state.clock.now() - days * DAY:
        raise _refused(f"startDate before org replication enabled date or more than {days} days ago")
    return start, end


def _refused(message: str) -> RequestError:
    return RequestError(400, "INVALID_REPLICATION_DATE", message)


def _covered(call: Call, spec: ObjectSpec, end: float) -> str:
    hidden = call.state.tables[spec.name]
    running = [seconds_of(hidden.rows[key]["SystemModstamp"]) for key in hidden.hidden]
    return stamp(min([end, call.state.clock.now(), *running]))
