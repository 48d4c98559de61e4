"""From `recycle:`, `rejected:` and `unworked:` to the standing rules that bring people back to nurture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mappings import digest
from mappings.draft import ON_PEOPLE
from mappings.flowdrafts import (
    BlankReasonDraft,
    HandOverDraft,
    RecycleDraft,
    ReturnRouteDraft,
    TaskDraft,
    UnworkedDraft,
)
from mappings.flows import Flows, exclusions, task_form
from mappings.links import list_links
from mappings.source import Text
from mappings.transforms import TYPES, Options
from revenue.leads import LeadReturns, Rejected, Unworked, lead_returns_rule
from revenue.recycle import Recycle, recycle_rule
from revenue.returns import ListForm, field_names
from revenue.routes import BlankReason, Reasons, Route
from sync.record import Side
from sync.rules import Cell, FieldRule, Flow, always
from sync.standing import StandingRule

DAY = 86_400.0
HOLD = "hold"
_REMIND_DEAL = "{deal.name}: 失注理由が未入力です (closing reason is missing)"
_REMIND_PERSON = "{email}: 却下理由が未入力です (reason of rejection is missing)"


def recycle_of(flows: Flows, roles: tuple[str, ...]) -> tuple[StandingRule, list[FieldRule]]:
    """The return of lost deals' people, and the fields of people that it fills."""
    given = flows.draft.recycle
    assert given is not None
    name = f"{flows.draft.route}.recycle"
    rule = Recycle(
        name=name,
        reasons=reasons_of(given, flows, about_deals=True),
        wait=DAY if given.wait is None else given.wait,
        when=always if given.when is None else flows.ask(given.when, Side.SFA).test,
        never=exclusions(given.never, flows),
        roles=roles,
        form=list_form(),
        zone=flows.draft.zone,
    )
    return recycle_rule(rule), _wake_fields(name, given.routes.values(), flows)


def lead_returns(given: HandOverDraft, flows: Flows) -> tuple[StandingRule, list[FieldRule]] | None:
    """The return of people whom sales gave back or never touched."""
    if given.rejected is None and given.unworked is None:
        return None
    never = given.rejected.never if given.rejected and given.rejected.never else given.never
    name = "lead_return"
    rule = LeadReturns(
        name=name,
        rejected=_rejected(given.rejected, flows) if given.rejected else None,
        unworked=_unworked(given.unworked, flows) if given.unworked else None,
        never=exclusions(never, flows),
        form=list_form(),
        zone=flows.draft.zone,
    )
    routes = given.rejected.routes.values() if given.rejected else ()
    return lead_returns_rule(rule), _wake_fields(name, routes, flows)


def _rejected(given: RecycleDraft, flows: Flows) -> Rejected:
    if given.when is None:
        flows.sink.error(
            given.at, "M011", "«when» is missing in rejected", "e.g. when: { lead_status: rejected }"
        )
    return Rejected(
        when=always if given.when is None else flows.ask(given.when, Side.SFA).test,
        reasons=reasons_of(given, flows, about_deals=False),
        wait=given.wait or 0.0,
    )


def _unworked(given: UnworkedDraft, flows: Flows) -> Unworked:
    still = always if given.condition is None else flows.ask(given.condition, Side.SFA).test
    route = Route(list=given.list.text if given.list else "", wake=given.wake)
    return Unworked(still=still, after=given.after, route=route)


def reasons_of(given: RecycleDraft, flows: Flows, *, about_deals: bool) -> Reasons:
    """The ways by reason; a reason that is named and has no route is an error."""
    by = given.by.text if given.by else "reason"
    if given.by is not None:
        flows.row(given.by, "by")
    other = given.other_reason.text if given.other_reason and given.other_reason.text != HOLD else ""
    if given.other_reason is not None and other and other not in given.routes:
        _no_route(given.other_reason, given, flows)
    return Reasons(
        by=by,
        routes={reason: _route(reason, route, flows) for reason, route in given.routes.items()},
        blank_reason=_blank(given.blank_reason, given, flows, about_deals=about_deals)
        if given.blank_reason
        else None,
        other_reason=other,
    )


def _no_route(name: Text, given: RecycleDraft, flows: Flows) -> None:
    hint = f"name one of {', '.join(given.routes)}"
    flows.sink.error(name.at, "M065", f"no route leads from the reason «{name.text}»", hint)


def _route(reason: str, given: ReturnRouteDraft, flows: Flows) -> Route:
    if (given.list is None) == (given.none is None):
        hint = "write { list: … } or { none: disqualify }"
        flows.sink.error(given.at, "M065", f"the route of «{reason}» leads nowhere, or to two places", hint)
    return Route(
        list=given.list.text if given.list else "",
        wake=given.wake,
        wake_from=f"wake_from.{reason}" if given.wake_from else "",
        none=given.none.text if given.none else "",
    )


def _blank(given: BlankReasonDraft, all_of: RecycleDraft, flows: Flows, *, about_deals: bool) -> BlankReason:
    then = given.then.text if given.then else ""
    if given.then is not None and then not in all_of.routes:
        _no_route(given.then, all_of, flows)
    form = None
    if given.remind is not None:
        subject = given.subject or Text(given.at, _REMIND_DEAL if about_deals else _REMIND_PERSON)
        form = task_form(TaskDraft(given.at, subject=subject), flows, Side.SFA)
        if form is not None and about_deals:
            form = replace(form, owner="deal.owner")
    return BlankReason(then=then, after=given.after, remind=form)


def list_form() -> ListForm:
    """How a membership is written."""
    links = list_links()
    return ListForm(object=links.object, list=links.name, who=links.who, member=links.member)


def _wake_fields(name: str, routes: Iterable[ReturnRouteDraft], flows: Flows) -> list[FieldRule]:
    """The field of people that gets the day to wake them, if a route names one; all routes share it."""
    named = {route.wake_to.text: route.wake_to for route in routes if route.wake_to is not None}
    if len(named) > 1:
        hint = "all routes write the day into one field"
        flows.sink.error(list(named.values())[1].at, "M065", "two fields for the day to wake people", hint)
    if not named:
        return []
    (path, *_others) = named
    codec = TYPES["date"](Options(), Side.MA)
    cells = {Side.MA: Cell(paths={ON_PEOPLE: path}, read=codec.read, write=codec.write)}
    field = field_names(name)[0]
    print_ = digest.fingerprint("date", cells, Options(), None)
    return [
        FieldRule(
            name=field, type="date", cells=cells, flow=Flow.TO_MA, fingerprint=print_, blank="propagate",
        )
    ]  # fmt: skip
