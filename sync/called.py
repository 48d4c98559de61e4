"""What systems are called: by which names a route was kept, and how rows read once a system bears another name.

Everything that is held of a record is held under its system's name. A mapping that suddenly names another system would
find an empty world on that side and fill it; so a route says with its rules which systems they named, and another name
stops it until a person says what it means. Pure over rows. It may not know whether two names mean one account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sync.errors import Fatal
from sync.normalise import encode
from sync.plan import content_hash, decode_work, encode_work
from sync.record import Ref
from sync.rows import CursorRow, HoldRow, KeyRow, OperationRow, RulesRow
from sync.rules import Rules
from sync.scene import LIFTED

RENAMED = "renamed"
NOBODY = 0
CALLS = "calls"  # where a day's account of calls stands under its system's name


def names_of(rules: Rules) -> bytes:
    """The systems that a route names, as they stand with its rules in the journal."""
    return encode({"systems": {side.value: rules.systems[side] for side in rules.sides}})


def other_names(held: RulesRow, rules: Rules) -> dict[str, str]:
    """Systems that a route names otherwise than it was kept: the old name and the new one."""
    before = msgspec.json.decode(held.source).get("systems", {}) if held.source else {}
    now = {side.value: rules.systems[side] for side in rules.sides}
    return {was: now[side] for side, was in before.items() if side in now and now[side] != was}


def refusal(route: str, renamed: Mapping[str, str]) -> Fatal:
    """Why a route under another name stands still, and what to do."""
    was, name = next(iter(renamed.items()))
    return Fatal(
        f"The route {route} was kept under the system {was}, and its mapping names {name} now; nothing was read or "
        "written.",
        f"if it is the same account, `renkei rename-system {was} {name}` carries the state over; if it is another one, "
        "give it an environment of its own, where everybody is met for the first time",
    )


def question(route: str, renamed: Mapping[str, str], since: float) -> HoldRow:
    """The same as the inbox keeps it: it concerns nobody in particular, and ends when the names are the same again."""
    (was, name), *_more = [*renamed.items(), ("", "")]
    return HoldRow(NOBODY, f"{route}/{RENAMED}", RENAMED, route, since, encode({"was": was, "now": name}), "")


def renamed_key(row: KeyRow, old: str, new: str) -> KeyRow:
    """A key of a record, or a latch that names the record by which it was set or lifted."""
    hash_, id_ = row.hash, row.id
    if hash_.startswith(f"{LIFTED}{old}/"):
        hash_ = f"{LIFTED}{new}/{hash_.removeprefix(f'{LIFTED}{old}/')}"
    if not row.system and id_.startswith(f"{old}/"):
        id_ = f"{new}/{id_.removeprefix(f'{old}/')}"
    return row._replace(system=new if row.system == old else row.system, hash=hash_, id=id_)


def renamed_operation(row: OperationRow, old: str, new: str) -> OperationRow:
    """Work whose target or source stands there, under the name of its new content."""
    work = decode_work(row.body)
    if work.source.system == old:
        work = msgspec.structs.replace(work, source=work.source._replace(system=new))
    system = new if row.system == old else row.system
    plain = encode_work(msgspec.structs.replace(work, errors=(), refusals=0))
    content = content_hash(Ref(system, row.object, row.record), plain)
    return row._replace(system=system, body=encode_work(work), hash=content)


def renamed_hold(row: HoldRow, old: str, new: str) -> HoldRow:
    """A question that names records. An answer stands for the same values as before."""
    body = encode(_renamed(msgspec.json.decode(row.body), old, new)) if row.body else row.body
    return row._replace(body=body)


def renamed_rules(row: RulesRow, old: str, new: str) -> RulesRow:
    """The rules of a route under which it was kept."""
    if not row.source:
        return row
    said = msgspec.json.decode(row.source)
    systems = {side: new if name == old else name for side, name in said.get("systems", {}).items()}
    return row._replace(source=encode({**said, "systems": systems}))


def renamed_note(row: CursorRow, old: str, new: str) -> CursorRow:
    """What stands by system in a place of no system: a backfill that is not over, what a service knows."""
    name = new if (row.kind, row.name) == (CALLS, old) else row.name
    if not row.value.startswith("{"):
        return row
    return row._replace(name=name, value=encode(_renamed(msgspec.json.decode(row.value), old, new)).decode())


def _renamed(value: Any, old: str, new: str) -> Any:
    """JSON in which refs, as lists or as tables, stand under the new name."""
    match value:
        case [str(system), str(), str()] if system == old:
            return [new, *value[1:]]
        case list():
            return [_renamed(each, old, new) for each in value]
        case dict():
            return {
                new if name == old else name: new
                if each == old and name == "system"
                else _renamed(each, old, new)
                for name, each in value.items()
            }
        case _:
            return value
