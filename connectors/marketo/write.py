"""Creates and updates of leads through Sync Leads.

Decides the action and the look-up field of each row, how rows are cut into requests, and what the answers mean. A
create never changes a lead: it is `createOnly` by the key of ours that it carries, else by its e-mail address. A lead
with neither has nothing by which the vendor could find a twin; `createDuplicate` says so openly, instead of leaving
it to the vendor what a missing key means. Source: the vendor's page "Leads" (create and update).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from connectors.batches import chunks, deliver, matched, parts_by_size
from connectors.marketo.client import BATCH, BODY_LIMIT, MarketoClient
from connectors.marketo.errors import outcome_of
from connectors.marketo.schema import COMPANY_KEY, ObjectFields
from sync.errors import InDoubt, RenkeiError
from sync.ports import FieldError, Outcome, Write

ROOM = BODY_LIMIT - 512


class _Way(NamedTuple):
    """How a row goes out: the vendor's action and the field it looks up."""

    action: str
    lookup: str


def write_leads(
    client: MarketoClient,
    fields: ObjectFields,
    writes: Sequence[Write],
    company_paths: Callable[[], frozenset[str]],
) -> list[Outcome]:
    """One outcome per write, same order; `company_paths` gives the fields that a lead takes over from its company.
    Raises Fatal, Retryable, RequestRefused, InDoubt."""
    ways = [_way(write, fields) for write in writes]
    rows = [_row(write) for write in writes]
    groups: dict[_Way, list[int]] = {}
    for place, way in enumerate(ways):
        if way is not None and len(rows[place]) < ROOM:
            groups.setdefault(way, []).append(place)
    parts = [part for places in groups.values() for part in parts_by_size(places, rows, BATCH, ROOM)]
    existing: dict[_Way, list[int]] = {}

    def send(part: Sequence[int]) -> list[Outcome]:
        way = ways[part[0]]
        assert way is not None
        answers = matched(part, client.sync_leads(*way, [rows[place] for place in part]))
        outcomes: list[Outcome] = []
        for place, answer in zip(part, answers, strict=True):
            outcome = outcome_of(answer, dict(writes[place].values))
            if outcome is None:
                existing.setdefault(way, []).append(place)
            outcomes.append(_checked(outcome or Outcome("exists"), writes[place]))
        return outcomes

    outcomes = deliver(parts, send)
    for way, places in existing.items():
        _name_existing(client, way, places, writes, outcomes)
    for place, outcome in outcomes.items():
        outcomes[place] = _by_company(outcome, writes[place], company_paths)
    return [outcomes.get(place) or _unsendable(ways[place]) for place in range(len(writes))]


def delete_leads(client: MarketoClient, writes: Sequence[Write]) -> list[Outcome]:
    """Delete leads, one outcome per write, same order. Raises Fatal, Retryable, RequestRefused, InDoubt."""

    def send(part: Sequence[int]) -> list[Outcome]:
        answers = matched(part, client.delete_leads([writes[place].ref.id for place in part]))
        return [_gone(answer, writes[place]) for place, answer in zip(part, answers, strict=True)]

    outcomes = deliver(list(chunks(range(len(writes)), BATCH)), send)
    return [outcomes[place] for place in range(len(writes))]


def _gone(answer: dict[str, object], write: Write) -> Outcome:
    if answer.get("status") != "deleted":
        return outcome_of(answer, {}) or Outcome(
            "refused", errors=(FieldError("", "1007", "Several leads."),)
        )
    if str(answer.get("id")) != write.ref.id:
        raise InDoubt("A row was answered for another lead.", "it is looked up before it is sent again")
    return Outcome("applied", write.ref.id)


def _way(write: Write, fields: ObjectFields) -> _Way | None:
    if write.ref.id:
        return _Way("updateOnly", "id")
    if write.unique and write.values.get(write.unique) not in {None, ""}:
        return _Way("createOnly", write.unique)
    if write.values.get("email"):
        return _Way("createOnly", "email")
    key = next(
        (name for name in sorted(write.values) if name in fields.searchable and write.values[name]), None
    )
    return _Way("createDuplicate", key) if key else None


def _row(write: Write) -> bytes:
    """The row as it leaves; null clears a field."""
    if write.ref.id:
        return msgspec.json.encode({"id": int(write.ref.id), **write.values})
    return msgspec.json.encode(dict(write.values))


def _checked(outcome: Outcome, write: Write) -> Outcome:
    """An update must be answered for the lead that was named, and cannot meet an existing one."""
    if not write.ref.id:
        return outcome
    if outcome.result == "applied" and outcome.id != write.ref.id:
        raise InDoubt("A row was answered for another lead.", "it is read back before it is sent again")
    if outcome.result == "exists":
        return Outcome("refused", errors=(FieldError("id", "1007", "Several leads bear this id."),))
    return outcome


def _by_company(outcome: Outcome, write: Write, company_paths: Callable[[], frozenset[str]]) -> Outcome:
    """A refusal for the sake of the lead's company falls on the fields that are the company's, and on no other."""
    codes = {error.code for error in outcome.errors}
    if "1021" in codes:
        found = sorted(company_paths() & write.values.keys())
        errors = tuple(FieldError(path, "1021", f"{_COMPANYS} ({path}).") for path in found)
        return Outcome("refused", errors=errors or outcome.errors)
    if codes == {"1013"} and write.values.get(COMPANY_KEY):
        return Outcome("refused", errors=(FieldError(COMPANY_KEY, "1013", _NO_COMPANY),))
    return outcome


_COMPANYS = "The lead belongs to a company, whose fields are written at the company and not through its leads"
_NO_COMPANY = "There is no company of this key yet; the lead can join it once the account has been written."


def _unsendable(way: _Way | None) -> Outcome:
    if way is None:
        return Outcome(
            "refused",
            errors=(FieldError("email", "no_key", "A lead needs an e-mail address or another key."),),
        )
    return Outcome(
        "refused", errors=(FieldError("", "too_large", "A lead is larger than one request may be."),)
    )


def _name_existing(
    client: MarketoClient,
    way: _Way,
    places: Sequence[int],
    writes: Sequence[Write],
    outcomes: dict[int, Outcome],
) -> None:
    """Look up which leads the creates met; where that fails or several bear the key, the id stays empty."""
    keys = {place: str(writes[place].values[way.lookup]) for place in places}
    asked = sorted({key for key in keys.values() if "," not in key})
    try:
        found = client.leads(way.lookup, asked, ["id", way.lookup]) if asked else []
    except RenkeiError:
        return  # the writes stand as they are; only the names are missing
    ids: dict[str, set[str]] = {}
    for row in found:
        ids.setdefault(str(row.get(way.lookup)).casefold(), set()).add(str(row["id"]))
    for place, key in keys.items():
        bearers = ids.get(key.casefold(), set())
        if len(bearers) == 1:
            outcomes[place] = Outcome("exists", next(iter(bearers)))
