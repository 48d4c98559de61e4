"""What stands in one fake Marketo instance, and what a single commit does to it.

Decides what is stored, logged and visible, whoever asked for it; who may ask for what is decided above.
Sources of the rules: the vendor's pages "Leads", "Activities", "Companies", "Lead Database"; where they
are silent, the harsher reading.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from simulators.clock import Clock
from simulators.faults import Faults
from simulators.ledger import Actor, Entry, Verb
from simulators.marketo import log
from simulators.marketo.campaigns import Campaigns
from simulators.marketo.fields import (
    COMPANY,
    COMPANY_KEY,
    INHERITED,
    STANDARD,
    UNTICKED,
    DataType,
    Field,
    Value,
    altered,
    custom_field,
)
from simulators.marketo.lists import StaticList, StaticLists
from simulators.marketo.log import Activity, ActivityLog
from simulators.marketo.shelf import Record, Shelf, Values
from simulators.marketo.upsert import RequestError

MAX_LOSERS = 25
MERGED = "Merged leads"
Telling = Literal["each", "one", "none"]


class Commits:
    """The records, the log and the ledger of one instance; not thread-safe by itself."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        faults: Faults,
        *,
        visibility_lag: float = 1.0,
        native_sync: bool = False,
    ) -> None:
        self.clock, self.rng, self.faults, self.visibility_lag = clock, rng, faults, visibility_lag
        self.native_sync = native_sync
        """Whether the vendor's own CRM sync is on: then the API may not touch companies (1018)."""
        self.fields: dict[str, Field] = STANDARD.copy()
        self.hidden: dict[str, Field] = {}
        self.shelf = Shelf(clock, rng, faults, self.fields, visibility_lag=visibility_lag)
        self.leads = self.shelf.rows
        self.companies = Shelf(clock, rng, faults, COMPANY, visibility_lag=visibility_lag)
        self.company_changes: Telling = "each"
        """Whose activities tell of a changed company: each of its leads', one lead's, or none (undocumented)."""
        self.static = StaticLists()
        self.campaigns = Campaigns()
        self.log = ActivityLog()
        self.ledger: list[Entry] = []
        self.keeps_ledger = True
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.merged_into: dict[int, int] = {}
        self._next_id = 1001
        self._next_company = 501
        self._last_stamp = 0.0

    def add_field(self, name: str, kind: DataType = "string") -> None:
        """Add a custom field; ValueError when the name is taken."""
        if name in self.fields:
            raise ValueError(f"the field {name!r} exists already; choose another name")
        self.fields[name] = custom_field(1001 + len(self.fields), name, kind)

    def hide_field(self, name: str) -> None:
        """Hide a field from the API, as an administrator may; what stands in it stays, and people still edit it."""
        self.hidden[name] = self.fields.pop(name)

    def show_field(self, name: str) -> None:
        """Show a hidden field again."""
        self.fields[name] = self.hidden.pop(name)

    def protect_field(self, name: str, *, on: bool = True) -> None:
        """Make a field read-only for the API, or writable again."""
        self.fields[name] = replace(self._field(name), read_only=on)

    def _field(self, name: str) -> Field:
        """A field, hidden or not."""
        return self.fields.get(name) or self.hidden[name]

    # --- leads

    def create(self, actor: Actor, values: Mapping[str, Value]) -> Record:
        """Store a new lead of already coerced values."""
        now, stamp = self.clock.now(), self._stamp()
        kept: Values = UNTICKED.copy()
        given = self._inheriting(values)
        kept.update((name, value) for name, value in given.items() if value is not None)
        lead = Record(self._next_id, kept, now, stamp, stamp, stamp)
        self._next_id += 1
        self.shelf.add(lead)
        visible = self.shelf.conceal(lead.id, None, stamp)
        self._log(stamp, lead.id, log.NEW_LEAD, visible=visible)
        self._enter(
            actor, "create", "Lead", str(lead.id), {name: (None, value) for name, value in kept.items()}
        )
        return lead

    def update(
        self,
        actor: Actor,
        lead: Record,
        values: Mapping[str, Value],
        *,
        reason: str = "",
        logged: bool = True,
    ) -> bool:
        """Store already coerced values; False when all of them stood there already (then nothing is
        logged).
        """
        old, given = lead.values, self._inheriting(values)
        changes = {name: (old.get(name), new) for name, new in given.items() if old.get(name) != new}
        if not changes:
            return False
        stamp = self._stamp()
        before = replace(lead, values=old.copy()) if "late_visibility" in self.faults.shares else None
        for name, (_, new) in changes.items():
            self.shelf.put(lead, name, new)
        lead.touched = stamp
        if any(self._field(name).standard for name in changes):
            lead.updated = stamp
        visible = self.shelf.conceal(lead.id, before, stamp)
        if logged:
            self._log_changes(stamp, lead.id, changes, visible, reason)
        self._enter(actor, "update", "Lead", str(lead.id), changes)
        return True

    def alter(self, name: str, value: Value) -> Value:
        """Give a written value the way the vendor stores it, which with `altered_value` may be another
        one.
        """
        return altered(self._field(name), value) if self.faults.fires("altered_value") else value

    def _delete(self, actor: Actor, lead: Record) -> None:
        self.shelf.remove(lead)
        stamp = self._stamp()
        visible = self.shelf.conceal(lead.id, lead, stamp)
        self.static.forget(lead.id, self.clock.now())
        self._log(stamp, lead.id, log.DELETE_LEAD, visible=visible)
        gone = {name: (value, None) for name, value in lead.values.items()}
        self._enter(actor, "delete", "Lead", str(lead.id), gone)

    def _merge(self, actor: Actor, winner: int, losers: Sequence[int]) -> None:
        if len(losers) > MAX_LOSERS:
            raise RequestError("1080", f"No more than {MAX_LOSERS} leads can lose in one merge")
        if not losers or winner in losers or len(set(losers)) != len(losers):
            raise RequestError("1076", "A merge needs one winner and other, distinct losing leads")
        missing = next((i for i in (winner, *losers) if i not in self.leads), None)
        if missing is not None:
            raise RequestError("1004", f"Lead '{missing}' not found")
        survivor = self.leads[winner]
        gone = [self.leads[i] for i in losers]
        taken = self._taken_over(survivor, gone)
        stamp, visible = self._stamp(), 0.0
        for loser in gone:
            self.shelf.remove(loser)
            visible = max(visible, self.shelf.conceal(loser.id, loser, stamp))
            self.static.carry(loser.id, winner, self.clock.now())
            self.merged_into[loser.id] = winner
            left = {name: (value, None) for name, value in loser.values.items()}
            self._enter(actor, "merge", "Lead", str(loser.id), left, str(winner))
        self._log(stamp, winner, log.MERGE_LEADS, others=tuple(losers), visible=visible)
        self.update(actor, survivor, taken, reason=MERGED)

    def _taken_over(self, survivor: Record, losers: Sequence[Record]) -> Values:
        """Say what a merge changes at the winner: its blanks are filled and the default score is the sum;
        further scores and the company stay its own.
        """
        taken: Values = {}
        for loser in losers:
            taken.update((n, v) for n, v in loser.values.items() if n not in survivor.values | taken)
        if self.company_of(survivor) is not None:
            taken = {name: value for name, value in taken.items() if name not in INHERITED}
        scores = [int(lead.values.get("leadScore") or 0) for lead in (survivor, *losers)]
        if any(scores[1:]):
            taken["leadScore"] = sum(scores)
        return taken

    # --- companies

    def company(self, external_id: object) -> Record | None:
        """Give the company of this externalCompanyId (letter case does not matter), never lagging."""
        found = self.companies.matching(COMPANY_KEY, external_id) if external_id is not None else []
        return found[0] if found else None

    def company_of(self, lead: Record | None) -> Record | None:
        """Give the company that a lead belongs to, if any."""
        return self.company(lead.values.get(COMPANY_KEY)) if lead is not None else None

    def belongs_to_account(self, lead: Record | None) -> bool:
        """Say whether the native sync keeps the lead under an account of the CRM."""
        return self.native_sync and lead is not None and "sfdcAccountId" in lead.values

    def leads_of(self, company: Record) -> list[Record]:
        """Give a company's leads, in order of id."""
        found = self.shelf.matching(COMPANY_KEY, company.values[COMPANY_KEY])
        return sorted(found, key=lambda lead: lead.id)

    def create_company(self, actor: Actor, values: Mapping[str, Value]) -> Record:
        """Store a new company of already coerced values; leads that name it already take its values over."""
        now, stamp = self.clock.now(), self._stamp()
        kept: Values = {name: value for name, value in values.items() if value is not None}
        company = Record(self._next_company, kept, now, stamp, stamp, stamp)
        self._next_company += 1
        self.companies.add(company)
        self.companies.conceal(company.id, None, stamp)
        self._enter(
            actor, "create", "Company", str(kept[COMPANY_KEY]), {n: (None, v) for n, v in kept.items()}
        )
        self._hand_down(actor, company, {name: kept.get(name) for name in INHERITED})
        return company

    def update_company(self, actor: Actor, company: Record, values: Mapping[str, Value]) -> bool:
        """Store already coerced values and pass them on to the company's leads; False when nothing changed."""
        old = company.values
        changes = {name: (old.get(name), new) for name, new in values.items() if old.get(name) != new}
        if not changes:
            return False
        stamp = self._stamp()
        before = replace(company, values=old.copy()) if "late_visibility" in self.faults.shares else None
        for name, (_, new) in changes.items():
            self.companies.put(company, name, new)
        company.updated = company.touched = stamp
        self.companies.conceal(company.id, before, stamp)
        self._enter(actor, "update", "Company", str(company.values[COMPANY_KEY]), changes)
        self._hand_down(actor, company, {name: new for name, (_, new) in changes.items()})
        return True

    def delete_company(self, actor: Actor, company: Record) -> None:
        """Remove a company that no lead belongs to."""
        self.companies.remove(company)
        self.companies.conceal(company.id, company, self._stamp())
        gone = {name: (value, None) for name, value in company.values.items()}
        self._enter(actor, "delete", "Company", str(company.values[COMPANY_KEY]), gone)

    def _hand_down(self, actor: Actor, company: Record, values: Mapping[str, Value]) -> None:
        for place, lead in enumerate(self.leads_of(company)):
            told = self.company_changes == "each" or (self.company_changes == "one" and place == 0)
            self.update(actor, lead, values, logged=told)

    def _inheriting(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Add a named company's values to what is written at a lead."""
        company = self.company(values[COMPANY_KEY]) if values.get(COMPANY_KEY) is not None else None
        if company is None:
            return values
        return {**values, **{name: company.values.get(name) for name in INHERITED}}

    # --- lists

    def enlist(self, by: Actor, row: StaticList, lead_id: int) -> bool:
        """Put a lead on a list; False when it stood there already (then nothing is logged)."""
        stamp = self._stamp()
        unseen = self.shelf.lateness(stamp)
        entered = self.static.enter(row, lead_id, self.clock.now(), by, unseen)
        if entered:
            self._log(stamp, lead_id, log.ADD_TO_LIST, visible=unseen, asset=(row.id, row.name))
        return entered

    def delist(self, by: Actor, row: StaticList, lead_id: int) -> bool:
        """Take a lead from a list; False when it was not there."""
        stamp = self._stamp()
        seen = self.shelf.lateness(stamp)
        left = self.static.leave(row, lead_id, self.clock.now(), by, seen)
        if left:
            self._log(stamp, lead_id, log.REMOVE_FROM_LIST, visible=seen, asset=(row.id, row.name))
        return left

    # --- the log and the ledger

    def _stamp(self) -> float:
        """Take the modification stamp of a commit; several may share one, and none is older than the last."""
        now = max(self.clock.now(), self._last_stamp)
        if now - self._last_stamp < self.visibility_lag and self.faults.fires("equal_stamps"):
            return self._last_stamp
        self._last_stamp = now
        return now

    def _log_changes(
        self,
        stamp: float,
        lead_id: int,
        changes: Mapping[str, tuple[Value, Value]],
        visible: float,
        reason: str,
    ) -> None:
        for name, (was, new) in changes.items():
            old, now = as_text(was), as_text(new)
            if self._field(name).type == "score":
                self._log(
                    stamp,
                    lead_id,
                    log.CHANGE_SCORE,
                    field=name,
                    old=old,
                    new=now,
                    visible=visible,
                    reason=reason,
                )
            else:
                self._log(
                    stamp, lead_id, log.DATA_VALUE_CHANGED, field=name, old=old, new=now, visible=visible
                )

    def _log(
        self,
        stamp: float,
        lead_id: int,
        kind: int,
        *,
        field: str = "",
        old: str | None = None,
        new: str | None = None,
        others: tuple[int, ...] = (),
        visible: float = 0.0,
        reason: str = "",
        asset: tuple[int, str] | None = None,
    ) -> None:
        number = self.log.next_id
        self.log.add(Activity(number, stamp, lead_id, kind, field, old, new, others, visible, reason, asset))

    def _enter(
        self,
        actor: Actor,
        verb: Verb,
        kind: str,
        key: str,
        changes: Mapping[str, tuple[Value, Value]],
        into: str | None = None,
    ) -> None:
        if self.keeps_ledger:
            now = self.clock.now()
            self.ledger.append(Entry(len(self.ledger) + 1, now, actor, verb, kind, key, changes, into))


def as_text(value: Value) -> str | None:
    """Write a value the way the activity log and the export do."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return None if value is None else str(value)
