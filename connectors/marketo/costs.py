"""What reading everything takes: jobs by windows of creation dates, the calls about them, the time they are waited for.

Decides what is taken for granted: a job is done by the second question, the vendor runs two at once, and records lie in
every window. Where they do not, or the vendor is quicker, it is less. Source: "Bulk Lead Extract".
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.checks import Advice
from connectors.costs import Cost, rounded_up
from connectors.ledger import LOOK_CALLS, LOOK_EVERY
from connectors.marketo.bulk import FIRST_INSTANCES, earliest, windows
from connectors.marketo.client import BATCH, MarketoClient
from connectors.marketo.config import MarketoConfig
from connectors.marketo.schema import COMPANY_KEY, ObjectFields
from connectors.stamps import iso

RUNNING = 2
CELL = 20  # bytes of a value in a file
OF_A_JOB = 3  # it is made, queued, and found to be done
AROUND = 3  # a description, a place in the log, and what the log tells behind it


def of_leads(
    client: MarketoClient,
    fields: ObjectFields,
    paths: Sequence[str],
    leads: int,
    since: str = "",
    until: str = "",
) -> Cost:
    """Reading so many leads; by extracts it can be those created from `since` and before `until` alone."""
    config = client.config
    if config.full_read != "bulk":
        calls = 2 * rounded_up(leads, BATCH)
        found = Cost(calls + _looks(config, calls, 0.0))
    else:
        start, now = earliest(client), iso(client.clock.now())
        start, end = max(start, since), min(now, until or now)
        number = windows(start, end) if start < end else 0
        found = _extracts(config, number, leads, len(paths) + 2, by_id=not fields.exportable(paths))
        found = found._replace(calls=found.calls + (not config.earliest))
    return found._replace(calls=found.calls + AROUND)


def of_companies(client: MarketoClient, fields: ObjectFields, companies: int) -> Cost:
    """Reading so many companies: their leads name them, and each is read by its key."""
    found = of_leads(client, fields, (COMPANY_KEY,), companies)
    by_key = min(max(found.jobs, 1), companies) + companies // BATCH
    return found._replace(calls=found.calls + 1 + by_key)


def advice(client: MarketoClient) -> list[Advice]:
    """Where neither a setting nor the lowest lead ids tell when the first lead was created, everything is read from the
    vendor's first day on: how to tell."""
    config = client.config
    if config.full_read != "bulk" or config.earliest or earliest(client) != FIRST_INSTANCES:
        return []
    found = _extracts(config, windows(FIRST_INSTANCES, iso(client.clock.now())), 0, 0, by_id=False)
    what = (
        f"{client.system} does not tell since when it has leads, so reading everything begins at "
        f"{FIRST_INSTANCES[:10]}: {found.jobs:,} extract jobs, {found.calls:,} calls, some "
        f"{max(1.0, found.waits / 60):,.0f} minutes each time."
    )
    step = (
        f"write `earliest` for {client.system} into renkei.yaml: the day of its first lead, or one before it"
    )
    return [Advice(what, step)]


def _extracts(config: MarketoConfig, number: int, leads: int, columns: int, *, by_id: bool) -> Cost:
    """So many jobs for so many leads; `by_id`: no extract has all of what is read, so it is read by id."""
    rounds = rounded_up(number, min(config.jobs_ahead, RUNNING))
    files = min(number, leads) + leads * columns * CELL // config.part_bytes
    again = min(number, leads) + leads // BATCH if by_id else 0
    waits = rounds * config.poll_seconds
    calls = number * OF_A_JOB + rounds + files + again
    return Cost(calls + _looks(config, calls, waits), number, waits)


def _looks(config: MarketoConfig, calls: int, seconds: float) -> int:
    """How often the vendor is asked for its own count meanwhile."""
    if not (config.read_usage and config.daily_calls):
        return 0
    return 1 + max(int(seconds / LOOK_EVERY), int(calls / (config.daily_calls * LOOK_CALLS)))
