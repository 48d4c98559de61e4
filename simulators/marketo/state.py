"""The leads of one fake Marketo instance and everything that can happen to them.

Decides what is stored, logged, merged and visible, with or without HTTP in front; it speaks no dialect
and counts no quota. Sources of the rules: the vendor's pages "Leads", "Activities", "Lead Database";
where they are silent, the harsher reading.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from simulators.clock import Clock, iso_z
from simulators.faults import Faults
from simulators.ledger import Actor, Entry, Verb
from simulators.marketo import log
from simulators.marketo.fields import STANDARD, UNTICKED, DataType, Field, Value, altered, custom_field
from simulators.marketo.log import Activity, ActivityLog, Page
from simulators.marketo.shelf import Lead, Shelf, Values
from simulators.marketo.upsert import Outcome, RequestError, sync_rows

MAX_LOSERS = 25


class MarketoState:
    """One instance; not thread-safe by itself, the HTTP front brings the lock."""

    def __init__(
        self, clock: Clock, rng: random.Random, faults: Faults, *, visibility_lag: float = 1.0
    ) -> None:
        self.clock, self.rng, self.faults, self.visibility_lag = clock, rng, faults, visibility_lag
        self.fields: dict[str, Field] = STANDARD.copy()
        self.shelf = Shelf(clock, rng, faults, self.fields, visibility_lag=visibility_lag)
        self.leads = self.shelf.leads
        self.log = ActivityLog()
        self.ledger: list[Entry] = []
        self.keeps_ledger = True
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.merged_into: dict[int, int] = {}
        self.races = False
        """Whether an upsert overlooks leads that were made while it was already on its way."""
        self._next_id = 1001
        self._last_stamp = 0.0

    # --- schema

    def add_field(self, name: str, kind: DataType = "string") -> None:
        """Add a custom field; ValueError when the name is taken."""
        if name in self.fields:
            raise ValueError(f"the field {name!r} exists already; choose another name")
        self.fields[name] = custom_field(1001 + len(self.fields), name, kind)

    # --- reads

    def lead(self, lead_id: int, fields: Iterable[str]) -> dict[str, object] | None:
        """Read one lead by id, always its newest values; empty fields are left out."""
        found = self.leads.get(lead_id)
        return self.render(found, tuple(fields)) if found else None

    def leads_by(
        self, field: str, values: Iterable[object], fields: Iterable[str]
    ) -> list[dict[str, object]]:
        """Read the leads whose field has one of these values (texts without regard to case), in order of
        id.
        """
        names = tuple(fields)
        return [self.render(lead, names) for lead in self.shelf.find(field, values)]

    def render(self, lead: Lead, fields: Sequence[str]) -> dict[str, object]:
        """Give the asked fields as the API shows them: nulls left out, times as text."""
        values = lead.values
        row: dict[str, object] = {name: values[name] for name in fields if name in values}
        if "id" in fields:
            row["id"] = lead.id
        if "createdAt" in fields:
            row["createdAt"] = iso_z(lead.created)
        if "updatedAt" in fields:
            row["updatedAt"] = iso_z(lead.updated)
        return row

    def activities(
        self,
        since_id: int,
        type_ids: Collection[int],
        limit: int,
        wanted: Callable[[Activity], bool] | None = None,
    ) -> Page:
        """Read the activity log behind a position (0 = from the beginning)."""
        return self.log.read(since_id, limit, self.clock.now(), type_ids, wanted)

    def everything(self) -> dict[int, dict[str, object]]:
        """Give all live leads with all their values, past any lag; for oracles."""
        return {
            lead.id: {"id": lead.id, **lead.values, "createdAt": lead.created, "updatedAt": lead.updated}
            for lead in self.leads.values()
        }

    # --- writes by API

    def sync_leads(
        self,
        action: str,
        lookup_field: str,
        rows: Sequence[Mapping[str, object]],
        *,
        snapshot: float | None = None,
    ) -> list[Outcome]:
        """Create and update leads, one outcome per row in the same order; RequestError when nothing was done.

        With `races` on, leads born after `snapshot` (unix seconds, when the request arrived) are overlooked.
        """
        outcomes = sync_rows(self, action, lookup_field, rows, snapshot if self.races else None)
        self.writes.update(outcome.status for outcome in outcomes)
        return outcomes

    def delete_leads(self, ids: Iterable[int]) -> list[Outcome]:
        """Delete leads by API, one outcome per id."""
        outcomes: list[Outcome] = []
        for lead_id in ids:
            lead = self.leads.get(lead_id)
            if lead is None:
                outcomes.append(Outcome("skipped", None, "1004", f"Lead '{lead_id}' not found"))
            else:
                self._delete("api", lead)
                outcomes.append(Outcome("deleted", lead_id))
        self.writes.update(outcome.status for outcome in outcomes)
        return outcomes

    def merge(self, winner: int, losers: Sequence[int]) -> None:
        """Merge leads by API; RequestError when a lead is missing, named twice, or more than 25 lose."""
        self._merge("api", winner, losers)
        self.writes["merged"] += len(losers)

    # --- people at the vendor's screen

    def human_create(self, values: Mapping[str, Value]) -> int:
        """A person enters a lead; gives its id. Values are stored as typed."""
        return self.create("human", dict(values)).id

    def human_edit(self, lead_id: int, values: Mapping[str, Value]) -> int:
        """A person edits a lead; KeyError when it is gone."""
        self.update("human", self.leads[lead_id], values)
        return lead_id

    def human_delete(self, lead_id: int) -> int:
        """A person deletes a lead; KeyError when it is gone."""
        self._delete("human", self.leads[lead_id])
        return lead_id

    def human_merge(self, winner: int, losers: Sequence[int]) -> int:
        """A person merges leads; gives the winner's id."""
        self._merge("human", winner, losers)
        return winner

    # --- what a commit does

    def create(self, actor: Actor, values: Mapping[str, Value]) -> Lead:
        """Store a new lead of already coerced values."""
        now, stamp = self.clock.now(), self._stamp()
        kept: Values = UNTICKED.copy()
        kept.update((name, value) for name, value in values.items() if value is not None)
        lead = Lead(self._next_id, kept, now, stamp, stamp, stamp)
        self._next_id += 1
        self.shelf.add(lead)
        visible = self.shelf.conceal(lead.id, None, stamp)
        self._log(stamp, lead.id, log.NEW_LEAD, visible=visible)
        self._enter(actor, "create", lead.id, {name: (None, value) for name, value in kept.items()})
        return lead

    def update(self, actor: Actor, lead: Lead, values: Mapping[str, Value]) -> bool:
        """Store already coerced values; False when all of them stood there already (then nothing is
        logged).
        """
        old = lead.values
        changes = {name: (old.get(name), new) for name, new in values.items() if old.get(name) != new}
        if not changes:
            return False
        stamp = self._stamp()
        before = replace(lead, values=old.copy()) if "late_visibility" in self.faults.shares else None
        for name, (_, new) in changes.items():
            self.shelf.put(lead, name, new)
        lead.touched = stamp
        if any(self.fields[name].standard for name in changes):
            lead.updated = stamp
        visible = self.shelf.conceal(lead.id, before, stamp)
        for name, (was, new) in changes.items():
            kind = log.CHANGE_SCORE if self.fields[name].type == "score" else log.DATA_VALUE_CHANGED
            self._log(stamp, lead.id, kind, field=name, old=as_text(was), new=as_text(new), visible=visible)
        self._enter(actor, "update", lead.id, changes)
        return True

    def alter(self, name: str, value: Value) -> Value:
        """Give a written value the way the vendor stores it, which with `altered_value` may be another
        one.
        """
        return altered(self.fields[name], value) if self.faults.fires("altered_value") else value

    def _delete(self, actor: Actor, lead: Lead) -> None:
        self.shelf.remove(lead)
        stamp = self._stamp()
        visible = self.shelf.conceal(lead.id, lead, stamp)
        self._log(stamp, lead.id, log.DELETE_LEAD, visible=visible)
        self._enter(actor, "delete", lead.id, {name: (value, None) for name, value in lead.values.items()})

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
        blanks: Values = {}
        for loser in gone:
            blanks.update((n, v) for n, v in loser.values.items() if n not in survivor.values | blanks)
        stamp, visible = self._stamp(), 0.0
        for loser in gone:
            self.shelf.remove(loser)
            visible = max(visible, self.shelf.conceal(loser.id, loser, stamp))
            self.merged_into[loser.id] = winner
            self._enter(
                actor, "merge", loser.id, {n: (v, None) for n, v in loser.values.items()}, str(winner)
            )
        self._log(stamp, winner, log.MERGE_LEADS, others=tuple(losers), visible=visible)
        self.update(actor, survivor, blanks)

    def _stamp(self) -> float:
        """Take the modification stamp of a commit; several may share one, and none is older than the last."""
        now = max(self.clock.now(), self._last_stamp)
        if now - self._last_stamp < self.visibility_lag and self.faults.fires("equal_stamps"):
            return self._last_stamp
        self._last_stamp = now
        return now

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
    ) -> None:
        row = Activity(self.log.next_id, stamp, lead_id, kind, field, old, new, others, visible)
        self.log.add(row)

    def _enter(
        self,
        actor: Actor,
        verb: Verb,
        lead_id: int,
        changes: Mapping[str, tuple[Value, Value]],
        into: str | None = None,
    ) -> None:
        if self.keeps_ledger:
            now = self.clock.now()
            self.ledger.append(
                Entry(len(self.ledger) + 1, now, actor, verb, "Lead", str(lead_id), changes, into)
            )


def as_text(value: Value) -> str | None:
    """Write a value the way the activity log and the export do."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
