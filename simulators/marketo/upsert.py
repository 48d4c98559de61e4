"""What Sync Leads does with each row: find by the lookup field, then create, update or skip with a
reason.

Rules and codes follow the vendor's pages "Leads" (create and update), "Companies" and "Error Codes": a lead
cannot leave its company, nor write its fields. Nothing is stored here; the state does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulators.marketo.fields import COMPANY_KEY, INHERITED, TEXT_TYPES, BadValueError, Value, coerce
from simulators.marketo.shelf import Record

if TYPE_CHECKING:
    from simulators.marketo.state import MarketoState

ACTIONS = ("createOnly", "updateOnly", "createOrUpdate", "createDuplicate")
REFUSALS = (("719", "Lock wait timeout exception"), ("1008", "Access to partition denied"))
"""What a randomly refused row says: one that passes with time, one that does not."""


class Outcome(NamedTuple):
    """What became of one row: `created`, `updated`, `deleted`, or `skipped` with the vendor's code."""

    status: str
    id: int | None = None
    code: str | None = None
    message: str | None = None


class RequestError(Exception):
    """The request as a whole was refused with this code; nothing was done."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def sync_rows(
    state: MarketoState,
    action: str,
    lookup: str,
    rows: Sequence[Mapping[str, object]],
    snapshot: float | None,
) -> list[Outcome]:
    """Treat the rows in order; a lead born after `snapshot` by another request is not found."""
    _check_request(state, action, lookup)
    own: set[int] = set()
    outcomes: list[Outcome] = []
    for row in rows:
        try:
            outcome = _sync_row(state, action, lookup, row, lambda lead: _seen(lead, snapshot, own))
        except BadValueError as error:
            outcome = Outcome("skipped", None, error.code, error.message)
        if outcome.status == "created" and outcome.id is not None:
            own.add(outcome.id)
        outcomes.append(outcome)
    return outcomes


def _seen(lead: Record, snapshot: float | None, own: set[int]) -> bool:
    return snapshot is None or lead.born <= snapshot or lead.id in own


def _check_request(state: MarketoState, action: str, lookup: str) -> None:
    if action not in ACTIONS:
        raise RequestError("1003", f"Invalid action '{action}'")
    if lookup == "id" and action != "updateOnly":
        raise RequestError("1003", "Lookup field 'id' is allowed with action 'updateOnly' only")
    field = state.fields.get(lookup)
    if field is None:
        raise RequestError("1006", f"Lookup field '{lookup}' not found")
    if not field.searchable:
        raise RequestError("1003", f"Field '{lookup}' cannot be used as lookup field")


def _sync_row(
    state: MarketoState, action: str, lookup: str, row: Mapping[str, object], seen: Callable[[Record], bool]
) -> Outcome:
    if state.faults.fires("row_refused"):
        return Outcome("skipped", None, *state.rng.choice(REFUSALS))
    key = row.get(lookup)
    if key is None or key == "":
        return Outcome("skipped", None, "1003", f"Value for lookup field '{lookup}' is missing")
    values = _coerced(state, lookup, row)
    matches = (
        []
        if action == "createDuplicate"
        else [lead for lead in state.shelf.matching(lookup, key) if seen(lead)]
    )
    if action == "createOnly" and matches:
        return Outcome("skipped", None, "1005", "Lead already exists")
    if len(matches) > 1:
        return Outcome("skipped", None, "1007", f"Multiple lead match lookup criteria for '{lookup}'")
    if action == "updateOnly" and not matches:
        return Outcome("skipped", None, "1004", f"Lead '{key}' not found")
    _check_company(state, matches[0] if matches else None, values)
    if matches:
        return _update(state, matches[0], lookup, values)
    return Outcome("created", state.create("api", values).id)


def _check_company(state: MarketoState, lead: Record | None, values: Mapping[str, Value]) -> None:
    """Refuse what Sync Leads may not do to a lead's company; BadValueError with the row's code."""
    company = state.company_of(lead)
    if COMPANY_KEY in values:
        named = values[COMPANY_KEY]
        if named is None and company is not None:
            raise BadValueError("1003", "A lead cannot be removed from its company")
        if named is not None:
            company = state.company(named)
            if company is None:
                raise BadValueError("1013", f"Company '{named}' not found")
    owned = company is not None or state.belongs_to_account(lead)
    if owned and not INHERITED.keys().isdisjoint(values):
        raise BadValueError("1021", "Company update not allowed")


def _coerced(state: MarketoState, lookup: str, row: Mapping[str, object]) -> dict[str, Value]:
    fields = state.fields
    alters = "altered_value" in state.faults.shares
    values: dict[str, Value] = {}
    for name, value in row.items():
        field = fields.get(name)
        if field is None:
            raise BadValueError("1006", f"Field '{name}' not found")
        if field.read_only:
            if name == lookup:
                continue
            raise BadValueError("1011", f"Field '{name}' cannot be written")
        stored = coerce(field, value)
        values[name] = state.alter(name, stored) if alters and field.type in TEXT_TYPES else stored
    return values


def _update(state: MarketoState, lead: Record, lookup: str, values: dict[str, Value]) -> Outcome:
    others = [name for name in values if name != lookup]
    if others and state.faults.fires("ignored_field"):
        values.pop(state.rng.choice(others))
    state.update("api", lead, values)
    return Outcome("updated", lead.id)
