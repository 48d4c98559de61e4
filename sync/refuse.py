"""What a refusal leaves of an operation (protocol §3): parts that are sent again, and parts that fail.

Pure. A refusal that names a field: the rest is sent once more without it and that field alone fails. One that
names none: the fields go on singly. A create goes on without the named field, unless it cannot do without, as without
its key or an opt-out; an effect goes on without a field that it can do without.
A failed operation stays open and is tried again after an hour, six hours, then daily.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from sync.errors import RequestRefused
from sync.note import Numbers
from sync.plan import FieldWork, Job, Work, content_hash, decode_work, encode_work, target_of
from sync.ports import FieldError
from sync.rows import FAILED, PENDING, OperationRow
from sync.rules import ActionKind

RETRY_AFTER = (3_600.0, 21_600.0, 86_400.0)
LONGEST = 500  # of a vendor's words: some send the whole page of an error


def said(error: RequestRefused) -> FieldError:
    """A refusal of a whole request, as a word about the record."""
    return FieldError("", error.code or "refused", error.message, error.meaning)


def after_refusal(
    row: OperationRow, work: Work, errors: Sequence[FieldError], numbers: Numbers, now: float
) -> Iterator[OperationRow]:
    """The operations that a refused one goes on as; the first keeps its number."""
    named = {error.path for error in errors if error.path in work.fields}
    rest = set(work.fields) - named
    if row.action == ActionKind.CREATE:
        yield _lean_create(row, work, named, errors, now)
    elif row.action == ActionKind.DELETE:
        yield failed(row, work, errors, now)
    elif named and rest:
        yield failed(row, part(work, named), errors, now)
        yield _again(row, part(work, rest))._replace(id=numbers())
    elif not named and len(work.fields) > 1:
        first, *others = work.fields
        yield _again(row, part(work, [first]))
        for path in others:
            yield _again(row, part(work, [path]))._replace(id=numbers())
    else:
        yield failed(row, work, errors, now)


def _lean_create(
    row: OperationRow, work: Work, named: set[str], errors: Sequence[FieldError], now: float
) -> OperationRow:
    rest = set(work.fields) - named
    needed = work.unique in named or any(_is_opt_out(work.fields[path]) for path in named)
    if not named or not rest or needed or row.attempts >= len(work.fields):
        return failed(row, work, errors, now)
    lean = part(work, rest)
    return _again(row, msgspec.structs.replace(lean, without=(*work.without, *sorted(named))))


def _is_opt_out(field: FieldWork) -> bool:
    """Whoever is opted out is never made as one who may be written to."""
    return field.name.startswith("consent.")


def lean_effect(row: OperationRow, work: Work, errors: Sequence[FieldError]) -> OperationRow | None:
    """A refused effect without the fields that were named, if it can do without all of them."""
    named = {error.path for error in errors}
    if not named or not named <= work.fields.keys() & set(work.spare):
        return None
    return _again(row, _without(work, named))


def as_refused(fresh: OperationRow, held: OperationRow) -> OperationRow:
    """An effect planned anew, without what the vendor refused of the one that it takes the place of."""
    named = set(decode_work(held.body).without)
    work = decode_work(fresh.body)
    if not named & work.fields.keys():
        return fresh
    body = encode_work(_without(work, named))
    return fresh._replace(body=body, hash=content_hash(target_of(fresh), body))


def _without(work: Work, named: set[str]) -> Work:
    lean = part(work, set(work.fields) - named)
    return msgspec.structs.replace(lean, without=(*work.without, *sorted(named & work.fields.keys())))


def part(work: Work, paths: Iterable[str]) -> Work:
    """The work of some of an operation's fields."""
    chosen = set(paths)
    fields = {path: each for path, each in work.fields.items() if path in chosen}
    verify = tuple(path for path in work.verify if path in chosen)
    return msgspec.structs.replace(work, fields=fields, verify=verify)


def reduced(job: Job, paths: Iterable[str], number: int = 0) -> Job:
    """An operation with some of its fields only, under its own number or a new one."""
    row, work = job
    lean = part(work, paths)
    body = encode_work(lean)
    return Job(row._replace(id=number or row.id, body=body, hash=content_hash(target_of(row), body)), lean)


def _again(row: OperationRow, work: Work) -> OperationRow:
    body = encode_work(work)
    content = content_hash(target_of(row), body)
    return row._replace(state=PENDING, at=0.0, attempts=row.attempts + 1, body=body, hash=content)


def failed(row: OperationRow, work: Work, errors: Sequence[FieldError], now: float) -> OperationRow:
    """An operation that failed with these errors: open, with its cause, until its next try. Only refusals make the
    wait longer: that the vendor had no time for it before says nothing of the operation."""
    wait = RETRY_AFTER[min(work.refusals, len(RETRY_AFTER) - 1)]
    told = tuple(error._replace(message=error.message[:LONGEST]) for error in errors)
    reason = "; ".join(sorted({error.code for error in errors})) or "refused"
    body = encode_work(msgspec.structs.replace(work, errors=told, refusals=work.refusals + 1))
    return row._replace(state=FAILED, at=now + wait, attempts=row.attempts + 1, reason=reason, body=body)
