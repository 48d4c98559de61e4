"""What systems did not take, under names that can be typed: a cause is a system, its own code and a field.

It decides how refusals are grouped, named and found again. A name is made of what stays the same from one day to the
next, so it may stand in a note or a script. What trying again or giving up does is the engine's affair.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from renkei.settings import Project
from renkei.wire import look
from sync.errors import Fatal, Meaning
from sync.plan import Work, target_of
from sync.ports import FieldError
from sync.rows import FAILED, LEADING, LIVE, UNCERTAIN, UNSEEN, OperationRow
from sync.rules import ActionKind

if TYPE_CHECKING:
    from state.answers import RecordInfo

RECORD, EFFECT = "record", "effect"
_STRANGE = re.compile(r"[^a-z0-9]+")


class Failure(NamedTuple):
    """One thing that was said of one operation: the field as the mapping calls it, and the cause it falls under."""

    row: OperationRow
    work: Work
    error: FieldError
    field: str
    cause: str


class Cause(NamedTuple):
    """All refusals of one name. `records`: of how many people, firms or deals; `since`, `next_at` in unix seconds
    (0.0 = it is not tried again by itself)."""

    name: str
    system: str
    code: str
    meaning: str
    field: str
    routes: tuple[str, ...]
    records: int
    since: float
    next_at: float
    example: int


def failures(project: Project, *, route: str = "", system: str = "", cause: str = "") -> list[Failure]:
    """What is refused now, narrowed by route, system and the beginning of a cause. Raises Fatal without a state."""
    from state.failures import failures as stored

    with look(project) as reader:
        found = [each for row, work in stored(reader, route) for each in said_of(row, work)]
    return [
        each for each in found
        if (not system or each.row.system == system) and (not cause or is_under(each.cause, cause))
    ]  # fmt: skip


def said_of(row: OperationRow, work: Work) -> list[Failure]:
    """What was said of an operation, each once; of a field where the vendor named it or there is but one."""
    meaning = Meaning.DOUBT if row.state == UNCERTAIN else Meaning.OTHER
    code = "no_answer" if row.state == UNCERTAIN else row.reason
    told = work.errors if row.state != UNCERTAIN else ()
    found: dict[str, Failure] = {}
    for error in told or (FieldError("", code, "", meaning.value),):
        field = _field(row, work, error)
        name = name_of(row.system, error.code, field)
        found.setdefault(name, Failure(row, work, error, field, name))
    return list(found.values())


def _field(row: OperationRow, work: Work, error: FieldError) -> str:
    if row.action == ActionKind.EFFECT:
        return error.path or EFFECT
    if error.path in work.fields:
        return work.fields[error.path].name
    if not error.path and len(work.fields) == 1:
        return next(iter(work.fields.values())).name
    return error.path or RECORD


def name_of(system: str, code: str, field: str) -> str:
    """A cause's name: `salesforce/string_too_long/title`."""
    return "/".join(_STRANGE.sub("_", part.lower()).strip("_") or "none" for part in (system, code, field))


def is_under(name: str, asked: str) -> bool:
    """True if a cause is the one asked for, or begins with it in whole parts."""
    wanted = asked.strip("/").lower()
    return name == wanted or name.startswith(f"{wanted}/")


def causes(found: Iterable[Failure]) -> list[Cause]:
    """Grouped by cause, the most frequent first."""
    groups: dict[str, list[Failure]] = {}
    for each in found:
        groups.setdefault(each.cause, []).append(each)
    made = [_cause(name, group) for name, group in groups.items()]
    return sorted(made, key=lambda each: (-each.records, each.name))


def _cause(name: str, group: Sequence[Failure]) -> Cause:
    first = group[0]
    moments = [each.row.at for each in group if each.row.state == FAILED]
    meanings = Counter(each.error.meaning for each in group)
    return Cause(
        name=name, system=first.row.system, code=first.error.code, meaning=meanings.most_common(1)[0][0],
        field=first.field, routes=tuple(sorted({each.row.route for each in group})),
        records=len({(each.row.entity, each.row.system, each.row.record) for each in group}),
        since=min(each.row.made_at for each in group), next_at=min(moments, default=0.0),
        example=first.row.id,
    )  # fmt: skip


def named(found: Sequence[Failure], text: str) -> list[Failure]:
    """Those of a cause or of an operation's number. Raises Fatal where there are none."""
    if text.isdigit():
        hits = [each for each in found if each.row.id == int(text)]
    else:
        hits = [each for each in found if is_under(each.cause, text)]
    if not hits:
        step = "`renkei errors list` shows what is refused now, by cause"
        raise Fatal(f"Nothing is refused under the name «{text}».", step)
    return hits


def cause_data(each: Cause, step: str) -> dict[str, Any]:
    """A cause with stable keys."""
    data = each._asdict()
    return {"cause": data.pop("name"), **data, "routes": list(each.routes), "next": step}


def leading_now(row: OperationRow, family: Iterable[RecordInfo]) -> RecordInfo | None:
    """The living record that leads in place of the one that was to be written, where that one is gone for good;
    `family`: the records of the person, firm or deal."""
    there = {record.ref: record for record in family if record.ref.system == row.system}
    target = there.get(target_of(row))
    if target is None or target.state in (LIVE, UNSEEN):
        return None
    return next((each for each in there.values() if (each.role, each.state) == (LEADING, LIVE)), None)


def failure_data(each: Failure, records: Sequence[str], step: str, leads: str) -> dict[str, Any]:
    """A refusal with stable keys; `records`: those of the person, firm or deal; `leads`: the one that leads by now in
    place of the one that was to be written, which is gone ("" = none)."""
    row, work, error = each.row, each.work, each.error
    paths = [error.path] if error.path in work.fields else list(work.fields)
    return {
        "id": row.id, "cause": each.cause, "route": row.route, "state": row.state, "action": row.action,
        "system": row.system, "object": row.object, "record": row.record, "leads": leads,
        "records": list(records),
        "code": error.code, "meaning": error.meaning, "message": error.message,
        "fields": [
            {
                "field": work.fields[path].name, "path": path, "expected": work.fields[path].expected,
                "desired": work.fields[path].desired,
            }
            for path in paths
        ],
        "attempts": row.attempts, "since": row.made_at,
        "next_at": row.at if row.state == FAILED else 0.0, "digest": row.digest, "run": row.run, "next": step,
    }  # fmt: skip
