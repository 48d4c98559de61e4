"""The way of a person back to nurture: due, asked about, skipped, on a list, woken, and off the list again.

One case is one reason to return (a closing of a deal, a rejection); it has a number and leads to at most one return,
under a key of the person, the case and its number. A case waits until it is due. Then the first exclusion skips it for
good, with its code; a blank or unknown reason lets it wait; a person without a marketing record has `patience` to get
one (afterwards: `no_marketing_record`); otherwise the person returns. A case that ends while it waits leaves no trace;
one that ends later takes the person off the list, unless another return keeps them there. Who is excluded after
returning is woken no more and, should the enrolment not have left yet, not enrolled. Edited reasons change nothing any
more: they are noted (`later`). It may not know what a case is about, nor what has really left.

Of several returns the earliest day to wake that is not over counts; key and reason are the latest return's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from revenue.cases import Case, Entries, Entry, State, dump, ended, load, newest, subject_of
from revenue.days import DAY, day_of, start_of
from revenue.exclusions import Exclusions, excluded
from revenue.looks import AGAIN, soonest
from revenue.routes import Verdict, wake_day
from revenue.task import task
from sync.record import Raw, Side, Value
from sync.rules import Effect, Fields
from sync.standing import Question, Situation, Standing

QUIET, LATE, NO_RECORD = "quiet", "late", "no_marketing_record"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListForm:
    """How the MA system is told of a member of a list: its object, and the names of the list, the member's record id
    and the flag that says whether they are on it."""

    object: str = "ListMember"
    list: str = "list"
    who: str = "lead"
    member: str = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all returns of one rule have in common. `name`: the rule's, before its fields. `patience`: seconds."""

    name: str
    never: Exclusions = field(default_factory=Exclusions)
    form: ListForm = field(default_factory=ListForm)
    zone: str = "UTC"
    patience: float = 30 * DAY


Way: TypeAlias = Callable[[Case], Verdict]


class _Step(NamedTuple):
    entry: Entry
    wake: float = 0.0
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """The returns of one person as they stand now; see the head of the module."""

    terms: Terms
    situation: Situation
    cases: tuple[Case, ...]
    way: Way

    def standing(
        self, facts: Mapping[str, object], numbers: Mapping[str, int], wake: float = 0.0
    ) -> Standing:
        """All of it; `facts` join the memory, `wake` the looks. `numbers`: the number that stands now of every subject
        that is known (0 = none): remembered cases with another number have ended."""
        known = load(self.situation.memory)
        steps = {case.name: self._step(case, known.get(case.name)) for case in self.cases}
        kept = newest(
            self._others({name: each for name, each in known.items() if name not in steps}, numbers)
        )
        entries = {**kept, **{name: step.entry for name, step in steps.items()}}
        effects = (*self._enrolments(entries), *self._removals(entries), *self._reminders(steps))
        shown, switch = self._shown(entries)
        wakes = [wake, switch, *(step.wake for step in steps.values())]
        if self.situation.quiet and any(ended(name, entry, numbers) for name, entry in kept.items()):
            wakes.append(self.situation.now + AGAIN)
        return Standing(
            memory={**facts, "cases": dump(entries)},
            fields=shown,
            effects=effects,
            questions=self._questions(steps),
            wake=soonest(wakes),
        )

    def _step(self, case: Case, known: Entry | None) -> _Step:
        entry = known or self._first(case)
        if entry.state == State.RETURNED:
            entry = self._watched(case.subject, entry)
            changed = case.reason if case.reason not in {"", entry.reason} else entry.later
            return _Step(entry._replace(later=changed))
        return self._waiting(case, entry) if entry.state == State.WAITING else _Step(entry)

    def _first(self, case: Case) -> Entry:
        entry, now = Entry(), self.situation.now
        if self.situation.quiet and now >= case.due:
            return entry._replace(state=State.SKIPPED, at=now, code=QUIET)
        if now > case.due + self.terms.patience:
            return entry._replace(state=State.SKIPPED, at=now, code=LATE)
        return entry

    def _waiting(self, case: Case, entry: Entry) -> _Step:
        now, patient_until = self.situation.now, case.due + self.terms.patience
        if not case.sure:
            return _Step(entry)
        if now < case.due:
            return _Step(entry, case.due)
        if code := excluded(self.terms.never, self.situation, case.deal):
            return _Step(self._skipped(entry, code))
        verdict = self.way(case)
        if verdict.route is None:
            return self._undecided(entry, verdict)
        if verdict.route.none:
            return _Step(self._skipped(entry, verdict.route.none))
        if Side.MA not in self.situation.fields:
            late = now >= patient_until
            return _Step(self._skipped(entry, NO_RECORD)) if late else _Step(entry, patient_until)
        if self.situation.quiet:
            return _Step(entry, now + AGAIN)
        day = wake_day(verdict.route, case.values, now, self.terms.zone)
        return _Step(
            entry._replace(
                state=State.RETURNED, at=now, key=self._key("return", case.name), list=verdict.route.list,
                reason=verdict.reason, wake_on=day.isoformat() if day else "",
            )
        )  # fmt: skip

    def _undecided(self, entry: Entry, verdict: Verdict) -> _Step:
        if verdict.remind is None or entry.reminded:
            return _Step(entry, verdict.until, verdict)
        if self.situation.quiet:
            return _Step(entry, self.situation.now + AGAIN, verdict)
        return _Step(entry._replace(reminded=True), verdict.until, verdict)

    def _skipped(self, entry: Entry, code: str) -> Entry:
        return entry._replace(state=State.SKIPPED, at=self.situation.now, code=code)

    def _watched(self, subject: str, entry: Entry) -> Entry:
        code = excluded(self.terms.never, self.situation, subject)
        return entry._replace(state=State.SKIPPED, code=code) if code else entry

    def _others(self, known: Entries, numbers: Mapping[str, int]) -> Entries:
        """What is remembered of cases that do not stand: history, and what has just ended."""
        found: dict[str, Entry] = {}
        for name, entry in known.items():
            if entry.state == State.WAITING:
                continue
            found[name] = entry
            if ended(name, entry, numbers):
                if not self.situation.quiet:
                    found[name] = entry._replace(state=State.ENDED, at=self.situation.now)
            elif entry.state == State.RETURNED:
                found[name] = self._watched(subject_of(name), entry)
        return found

    def _enrolments(self, entries: Entries) -> Iterable[Effect]:
        for case in self.cases:
            entry = entries[case.name]
            if case.sure and entry.state == State.RETURNED and entry.list:
                yield self._member(self._key("return", case.name), entry.list, member=True)

    def _removals(self, entries: Entries) -> Iterable[Effect]:
        kept = {entry.list for entry in entries.values() if entry.on_list}
        for name, entry in sorted(entries.items()):
            if entry.state == State.ENDED and entry.list not in kept:
                yield self._member(self._key("reopen", name), entry.list, member=False)

    def _key(self, what: str, name: str) -> str:
        return f"{what}:{self.situation.entity}:{name}"

    def _member(self, key: str, list_: str, *, member: bool) -> Effect:
        form = self.terms.form
        values: dict[str, Raw] = {form.list: list_, form.member: member}
        return Effect(key, Side.MA, form.object, values, who=form.who, repeatable=True)

    def _reminders(self, steps: Mapping[str, _Step]) -> Iterable[Effect]:
        """One task per case that waits for a blank reason; for a deal, one for all of its people."""
        for case in self.cases:
            entry, _wake, verdict = steps[case.name]
            if entry.state == State.WAITING and entry.reminded and verdict and verdict.remind:
                # Without a person's number, so that it is the same task for all; no part of it looks like one either.
                key = f"remind:{case.deal}-{case.number}" if case.deal else self._key("remind", case.name)
                yield task(verdict.remind, key, case.due, case.values, about=case.deal)

    def _questions(self, steps: Mapping[str, _Step]) -> tuple[Question, ...]:
        asked = [
            {"about": case.subject, "number": case.number, "reason": case.reason}
            for case in self.cases
            if (verdict := steps[case.name].verdict) is not None and verdict.ask
        ]
        return (Question(f"{self.terms.name}.reason", "unknown_reason", {"cases": asked}),) if asked else ()

    def _shown(self, entries: Entries) -> tuple[Mapping[Side, Fields], float]:
        """The fields for the SFA side, and when another wake day takes over; no fields where nobody ever returned."""
        if Side.SFA not in self.situation.fields or not any(
            entry.list or entry.wake_on for entry in entries.values()
        ):
            return {}, 0.0
        back = [(entry.at, name, entry) for name, entry in entries.items() if entry.state == State.RETURNED]
        days = sorted({entry.wake_on for _at, _name, entry in back if entry.wake_on})
        today = day_of(self.situation.now, self.terms.zone).isoformat()
        ahead = [day for day in days if day >= today] or days[-1:]
        values: dict[str, Value] = dict.fromkeys(field_names(self.terms.name), None)
        if back:
            _at, _name, last = max(back, key=lambda each: each[:2])
            shown = (ahead[0] if ahead else None, last.key, last.reason or None)
            values = dict(zip(field_names(self.terms.name), shown, strict=True))
        switch = (
            start_of(date.fromisoformat(ahead[0]) + timedelta(days=1), self.terms.zone)
            if len(ahead) > 1
            else 0.0
        )
        return {Side.SFA: values}, switch


def field_names(rule: str) -> tuple[str, str, str]:
    """The fields that a rule of returns adds to the SFA side: the day to wake, the last return's key and reason."""
    return f"{rule}.wake_on", f"{rule}.key", f"{rule}.reason"


def gives(rule: str) -> Mapping[Side, Mapping[str, str]]:
    """The same, with their types."""
    return {Side.SFA: dict(zip(field_names(rule), ("date", "text", "text"), strict=True))}
