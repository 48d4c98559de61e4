"""What Sync Companies and Delete Companies do with each row.

Decides rows and codes; the state stores. Sources: the vendor's pages "Companies", "Lead Database" and
"Error Codes" (1013, 1017, 1022, 1036). A company in use by leads is not deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulators.marketo.fields import COMPANY, COMPANY_KEY, TEXT_TYPES, BadValueError, Value, altered, coerce
from simulators.marketo.shelf import Record, fold
from simulators.marketo.upsert import REFUSALS, Outcome, RequestError

if TYPE_CHECKING:
    from simulators.marketo.commits import Commits

KEYS = {"dedupeFields": COMPANY_KEY, "idField": "id"}
ACTIONS = ("createOnly", "updateOnly", "createOrUpdate")


def sync_companies(
    state: Commits, action: str, dedupe_by: str, rows: Sequence[Mapping[str, object]]
) -> list[Outcome]:
    """Create and update companies, one outcome per row in the same order."""
    if action not in ACTIONS:
        raise RequestError("1003", f"Invalid action '{action}'")
    lookup = _lookup("dedupeBy", dedupe_by)
    if lookup == "id" and action == "createOnly":
        raise RequestError("1003", "dedupeBy 'idField' is not allowed with action 'createOnly'")
    seen: set[Value] = set()
    outcomes: list[Outcome] = []
    for row in rows:
        try:
            outcomes.append(_sync_row(state, action, lookup, row, seen))
        except BadValueError as error:
            outcomes.append(Outcome("skipped", None, error.code, error.message))
    return outcomes


def delete_companies(state: Commits, delete_by: str, rows: Sequence[Mapping[str, object]]) -> list[Outcome]:
    """Delete companies, one outcome per row."""
    lookup = _lookup("deleteBy", delete_by)
    outcomes: list[Outcome] = []
    for row in rows:
        found = _found(state, lookup, row.get(lookup))
        if state.faults.fires("row_refused"):
            outcomes.append(Outcome("skipped", None, *state.rng.choice(REFUSALS)))
        elif found is None:
            outcomes.append(Outcome("skipped", None, "1013", "Record not found"))
        elif state.leads_of(found):
            outcomes.append(Outcome("skipped", None, "1022", "Object in use"))
        else:
            state.delete_company("api", found)
            outcomes.append(Outcome("deleted", found.id))
    return outcomes


def _lookup(parameter: str, given: str) -> str:
    if given not in KEYS:
        raise RequestError("1003", f"Invalid value '{given}' of '{parameter}'")
    return KEYS[given]


def _found(state: Commits, lookup: str, key: object) -> Record | None:
    matches = state.companies.matching(lookup, key) if key is not None else []
    return matches[0] if matches else None


def _sync_row(
    state: Commits, action: str, lookup: str, row: Mapping[str, object], seen: set[Value]
) -> Outcome:
    if state.faults.fires("row_refused"):
        return Outcome("skipped", None, *state.rng.choice(REFUSALS))
    key = coerce(COMPANY[lookup], row.get(lookup))
    if key is None:
        return Outcome("skipped", None, "1003", f"Value for lookup field '{lookup}' is missing")
    folded = fold(COMPANY[lookup], key)
    if folded in seen:
        return Outcome("skipped", None, "1036", "Duplicate object found in input")
    seen.add(folded)
    values = _coerced(state, lookup, row)
    company = _found(state, lookup, key)
    if company is None:
        if action == "updateOnly" or lookup == "id":
            return Outcome("skipped", None, "1013", "Object not found")
        return Outcome("created", state.create_company("api", {**values, COMPANY_KEY: key}).id)
    if action == "createOnly":
        return Outcome("skipped", None, "1017", "Object already exists")
    if values and state.faults.fires("ignored_field"):
        values.pop(state.rng.choice(list(values)))
    state.update_company("api", company, values)
    return Outcome("updated", company.id)


def _coerced(state: Commits, lookup: str, row: Mapping[str, object]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, value in row.items():
        if name == lookup:
            continue
        if name not in COMPANY:
            raise BadValueError("1006", f"Field '{name}' not found")
        field = COMPANY[name]
        if field.read_only or name == COMPANY_KEY:
            raise BadValueError("1011", f"Field '{name}' cannot be written")
        stored = coerce(field, value)
        if field.type in TEXT_TYPES and state.faults.fires("altered_value"):
            stored = altered(field, stored)
        values[name] = stored
    return values
