"""Writes as rows: 200 a call, each for itself, creates and updates apart.

Decides what leaves as a row (owners by id, a task's relations as the vendor allows them) and what an answer means for
a write. A task is only created, under a key of ours that the organisation keeps unique: a key that is taken means that
it exists already. Sources: the vendor's pages "sObject Collections" and "Task".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from connectors.batches import chunks, deliver, matched
from connectors.salesforce.client import BATCH, SalesforceClient
from connectors.salesforce.errors import outcome_of
from connectors.salesforce.ids import full_id
from connectors.salesforce.owners import COLUMN, PATH, Owners, named
from sync.errors import Fatal, InDoubt
from sync.ports import FieldError, Outcome, Write
from sync.record import Raw

LEAD_PREFIX = "00Q"


def write_records(client: SalesforceClient, owners: Owners, writes: Sequence[Write]) -> list[Outcome]:
    """One outcome per write, same order. Raises Fatal, Retryable, RequestRefused, InDoubt."""
    ready = owners.resolved(writes)
    rows = {place: each for place, each in enumerate(ready) if isinstance(each, Write)}
    creates = [place for place, row in rows.items() if not row.ref.id]
    updates = [place for place, row in rows.items() if row.ref.id]
    parts = [*chunks(creates, BATCH), *chunks(updates, BATCH)]
    outcomes = deliver(parts, lambda part: _save(client, [rows[place] for place in part]))
    found: list[Outcome] = []
    for place, each in enumerate(ready):
        if isinstance(each, FieldError):
            found.append(Outcome("refused", errors=(each,)))
            continue
        outcome = outcomes[place]
        if PATH in writes[place].values and any(error.path == COLUMN for error in outcome.errors):
            owners.forget()
        found.append(outcome._replace(errors=named(writes[place].values, outcome.errors)))
    return found


def delete_records(client: SalesforceClient, writes: Sequence[Write]) -> list[Outcome]:
    """Delete records, one outcome per write, same order. Raises Fatal, Retryable, RequestRefused, InDoubt."""

    def send(part: Sequence[int]) -> list[Outcome]:
        ids = [full_id(writes[place].ref.id) for place in part]
        answers = matched(part, client.delete(ids))
        objects = [writes[place].ref.object for place in part]
        found = [outcome_of(row, name, creating=False) for row, name in zip(answers, objects, strict=True)]
        if any(each.result == "applied" and each.id != id_ for each, id_ in zip(found, ids, strict=True)):
            raise InDoubt("A row was answered for another record.", "it is looked up before it is sent again")
        return found

    outcomes = deliver(list(chunks(range(len(writes)), BATCH)), send)
    return [outcomes[place] for place in range(len(writes))]


def write_tasks(client: SalesforceClient, owners: Owners, writes: Sequence[Write]) -> list[Outcome]:
    """Create tasks. Raises Fatal for a change of one, and as `write_records` does."""
    if any(write.ref.id for write in writes):
        raise Fatal(
            f"A task at {client.system} was to be changed; tasks are only created.",
            "report this: it is a fault of the program",
        )
    outcomes = write_records(client, owners, [_about_one(write) for write in writes])
    return [_met(outcome, write.unique) for outcome, write in zip(outcomes, writes, strict=True)]


def _about_one(write: Write) -> Write:
    """A task for a lead is related to nothing else; the vendor would refuse it."""
    if not str(write.values.get("WhoId") or "").startswith(LEAD_PREFIX):
        return write
    return write._replace(values={path: value for path, value in write.values.items() if path != "WhatId"})


def _met(outcome: Outcome, unique: str) -> Outcome:
    """A taken key is the task itself, also where the vendor does not name the record."""
    taken = unique and any(
        error.code == "DUPLICATE_VALUE" and unique in (error.path, *error.message.split())
        for error in outcome.errors
    )
    return Outcome("exists", outcome.id, errors=outcome.errors) if taken else outcome


def _save(client: SalesforceClient, writes: Sequence[Write]) -> list[Outcome]:
    creating = not writes[0].ref.id
    rows = [_row(write) for write in writes]
    answers = matched(writes, client.save("POST" if creating else "PATCH", rows))
    outcomes = [
        outcome_of(answer, write.ref.object, creating=creating)
        for answer, write in zip(answers, writes, strict=True)
    ]
    for outcome, write in zip(outcomes, writes, strict=True):
        if not creating and outcome.result == "applied" and outcome.id != full_id(write.ref.id):
            raise InDoubt("A row was answered for another record.", "it is read back before it is sent again")
    return outcomes


def _row(write: Write) -> bytes:
    """The row as it leaves; null clears a field."""
    id_: Mapping[str, Raw] = {"id": write.ref.id} if write.ref.id else {}
    return msgspec.json.encode({"attributes": {"type": write.ref.object}, **id_, **write.values})
