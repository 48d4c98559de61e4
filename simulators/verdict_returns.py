"""Judges the returns to nurture: per lost deal, person and closing the right list once, or a reason not to.

Works out from the vendors' ledgers which closings lasted, who took part and what stood against it, and compares that
with who was put on which list by API. A rejected lead counts like a closing of its own. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from simulators.verdict import Offence
from simulators.verdict_past import FOREVER, Life, Stay, Values
from simulators.verdict_scene import Flows, Scene


class Closing(NamedTuple):
    """One time that a deal was lost or a lead rejected: its number, from when, until when (reopened, deleted …)."""

    deal: Life
    number: int
    start: float
    end: float


@dataclass(slots=True, kw_only=True)
class Case:
    """One person of one closing: when a return is due, to which lists, whether it must be; `stay` is what came."""

    closing: Closing
    person: int
    due: float
    lists: frozenset[str]
    must: bool
    stay: Stay | None = None

    @property
    def named(self) -> str:
        """The case in words, without anybody's data."""
        closing = self.closing
        return f"{closing.deal.object} {closing.deal.key}, closing {closing.number}, person {self.person}"


def in_scope(flows: Flows, row: Values) -> bool:
    """Whether a deal is of a kind that the project looks at."""
    return flows.record_types is None or row.get("RecordTypeId") in flows.record_types


def is_lost(row: Values | None) -> bool:
    """Closed and not won, and not deleted."""
    return row is not None and bool(row.get("IsClosed")) and not row.get("IsWon")


def closings(deal: Life, test: Callable[[Values | None], bool] = is_lost) -> list[Closing]:
    """Give every time that a deal was lost, or that another test held of a record."""
    found: list[Closing] = []
    start: float | None = None
    for version in deal.versions:
        held = test(version.values)
        if held and start is None:
            start = version.time
        elif not held and start is not None:
            found.append(Closing(deal, len(found) + 1, start, version.time))
            start = None
    return found if start is None else [*found, Closing(deal, len(found) + 1, start, FOREVER)]


def returns(scene: Scene, counts: Counter[str]) -> list[Offence]:
    """Find missing, double and wrong returns, returns of excluded people, and people left behind on a list."""
    cases: dict[int, list[Case]] = {}
    for deal in scene.deals:
        before = -FOREVER
        for closing in closings(deal):
            counts["closings"] += 1
            for case in _cases(scene, closing, before):
                cases.setdefault(case.person, []).append(case)
            before = closing.end
    for lead in scene.past["salesforce"].of("Lead"):
        for case in _of_lead(scene, lead):
            cases.setdefault(case.person, []).append(case)
    offences: list[Offence] = []
    for stay in scene.stays:
        if stay.by == "api":
            counts["returns"] += 1
            offences += _place(scene, stay, cases)
    for case in (case for mine in cases.values() for case in mine):
        counts["returns due"] += case.must
        offences += _missing(scene, case)
    return offences + _left_behind(scene, cases)


def _cases(scene: Scene, closing: Closing, before: float) -> list[Case]:
    """Whom a closing concerns; one that began just after the last one's end (`before`) nobody need have seen."""
    flows = scene.flows
    due, reasons = _route(flows, closing)
    row = closing.deal.at(closing.start)
    if closing.start < flows.since - flows.slack or row is None or not in_scope(flows, row):
        return []
    if due > scene.now + flows.slack or closing.end < due - flows.slack:
        return []
    unknown = any(reason is not None and reason not in flows.routes for reason in reasons)
    named = {flows.blank_list if reason is None else flows.routes.get(reason) for reason in reasons}
    lists = frozenset(name for name in named if name is not None)
    times = [due - flows.slack, due, due + flows.slack]
    sure = set.intersection(*(scene.people(closing.deal.key, time) for time in times))
    maybe = set.union(*(scene.people(closing.deal.key, time) for time in [closing.start, *times]))
    lasting = closing.start > max(flows.since, before) + flows.slack and closing.end > due + flows.patience
    lasting = lasting and due + flows.patience <= scene.now and not unknown and None not in named
    if unknown:
        lists |= frozenset(name for name in flows.routes.values() if name is not None)
    return [
        Case(
            closing=closing,
            person=person,
            due=due,
            lists=lists,
            must=lasting and person in sure & scene.certain and _can_return(scene, closing.deal, person, due),
        )
        for person in sorted(maybe)
    ]


def _route(flows: Flows, closing: Closing) -> tuple[float, set[str | None]]:
    """Say when a closing is due and which reasons stood there around that time; a blank one waits to be filled."""
    due = closing.start + flows.wait
    deal, since = closing.deal, max(due - flows.slack, closing.start)
    if flows.blank_after is not None and _reason(deal, due) is None:
        last = due + flows.blank_after  # the owner is reminded at `due`, and has that long from then on
        filled = (
            v.time for v in deal.versions if due < v.time < last and (v.values or {}).get("Loss_Reason__c")
        )
        due = since = next(filled, last)
    around = deal.during(since, due + flows.slack)
    return due, {row.get("Loss_Reason__c") for row in around if row is not None and is_lost(row)}


def _reason(deal: Life, time: float) -> object:
    return (deal.at(time) or {}).get("Loss_Reason__c")


def _of_lead(scene: Scene, lead: Life) -> list[Case]:
    """What a lead gives cause to: each rejection by its reason; a long time without work only may be one."""
    flows, person = scene.flows, scene.who.get(("salesforce", lead.key))
    if person is None:
        return []
    found: list[Case] = []
    for spell in closings(lead, lambda row: _status(row) in flows.rejected):
        due = spell.start + flows.reject_wait
        around = lead.during(max(due - flows.slack, spell.start), due + flows.slack)
        reasons = {
            str(row.get("Reject_Reason__c") or "")
            for row in around
            if row is not None and _status(row) in flows.rejected
        }
        found.append(
            _lead_case(scene, spell, person, due, [flows.reject_routes.get(reason) for reason in reasons])
        )
    for spell in closings(lead, lambda row: _status(row) == flows.unworked):
        due = spell.start + flows.unworked_after
        case = _lead_case(scene, spell, person, due, [flows.unworked_list])
        case.must = False  # an honest sync may count from the hand-over or from the last change of status
        found.append(case)
    return [case for case in found if case.lists]


def _status(row: Values | None) -> object:
    return None if row is None or row.get("IsConverted") else row.get("Status")


def _lead_case(scene: Scene, spell: Closing, person: int, due: float, names: list[str | None]) -> Case:
    flows = scene.flows
    lasting = spell.start > flows.since + flows.slack and spell.end > due + flows.patience
    must = lasting and None not in names and person in scene.certain and due + flows.patience <= scene.now
    must = must and _can_return(scene, None, person, due)
    lists = frozenset(name for name in names if name is not None)
    return Case(closing=spell, person=person, due=due, lists=lists, must=must)


def _can_return(scene: Scene, deal: Life | None, person: int, due: float) -> bool:
    start, end = due - scene.flows.slack, due + scene.flows.patience
    held = scene.codes(person, deal, start, end, throughout=False)
    return not held and scene.alive(person, "marketo", start, end)


def _place(scene: Scene, stay: Stay, cases: dict[int, list[Case]]) -> list[Offence]:
    """Find the case that a return belongs to."""
    flows, person = scene.flows, scene.who.get(("marketo", stay.record))
    subject = f"lead {stay.record} on {stay.list}"
    if person is None:
        return [Offence("return of nobody", subject, "the record is of no person of the world")]
    near = [
        case
        for case in cases.get(person, ())
        if case.due - flows.slack <= stay.start <= case.closing.end + flows.slack
    ]
    fits = [case for case in near if stay.list in case.lists]
    free = [(case, _excluded(scene, stay, case)) for case in fits if case.stay is None]
    if free:
        case, offences = min(
            free, key=lambda pair: len(pair[1])
        )  # one that nothing stands against, if there is one
        case.stay = stay
        return offences
    if fits:
        return [Offence("double return", subject, f"{fits[0].named} was returned already")]
    if near:
        return [Offence("wrong list", subject, f"{near[0].named} belongs on {sorted(near[0].lists)}")]
    return [
        Offence("return without a closing", subject, "no deal of theirs was lost for long enough by then")
    ]


def _excluded(scene: Scene, stay: Stay, case: Case) -> list[Offence]:
    start = stay.start - scene.flows.slack
    held = scene.codes(case.person, _of_deal(case), start, stay.start, throughout=True)
    if not held:
        return []
    return [
        Offence("return of somebody excluded", case.named, f"returned although {', '.join(sorted(held))}")
    ]


def _of_deal(case: Case) -> Life | None:
    return case.closing.deal if case.closing.deal.object == "Opportunity" else None


def _missing(scene: Scene, case: Case) -> list[Offence]:
    """A case that must be and has no return; who stands on the right list anyway needs none."""
    if not case.must or case.stay is not None:
        return []
    last = case.due + scene.flows.patience
    there = any(
        scene.who.get(("marketo", stay.record)) == case.person
        and stay.list in case.lists
        and stay.start <= last
        and stay.end >= case.due
        for stay in scene.stays
    )
    text = f"due at {case.due:.3f} on {sorted(case.lists)}"
    return [] if there else [Offence("missing return", case.named, text)]


def _left_behind(scene: Scene, cases: dict[int, list[Case]]) -> list[Offence]:
    """Find people who are still on a list although the deal that put them there is no longer lost."""
    offences: list[Offence] = []
    before = scene.now - scene.flows.patience
    for mine in cases.values():
        for case in mine:
            stay = case.stay
            if stay is None or stay.end != FOREVER or case.closing.end > before or _of_deal(case) is None:
                continue
            if not any(stay.list in other.lists and other.closing.end > before for other in mine):
                text = f"still on {stay.list}, though reopened at {case.closing.end:.3f}"
                offences.append(Offence("left in nurture", case.named, text))
    return offences
