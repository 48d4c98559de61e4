"""One fake Marketo instance: what may be read, asked for by API, and done by people at the screen.

Decides who may do what, with or without HTTP in front; it speaks no dialect and counts no quota. What a
commit does is decided below, in `commits`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal

from simulators.clock import Clock, iso_z
from simulators.faults import Faults
from simulators.ledger import Actor
from simulators.marketo import companies, membership
from simulators.marketo.campaigns import Kind
from simulators.marketo.commits import Commits
from simulators.marketo.fields import COMPANY_KEY, INHERITED, Value
from simulators.marketo.lists import Membership
from simulators.marketo.log import Activity, Page
from simulators.marketo.shelf import Record
from simulators.marketo.upsert import Outcome, RequestError, sync_rows


class MarketoState(Commits):
    """One instance; not thread-safe by itself, the HTTP front brings the lock."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        faults: Faults,
        *,
        visibility_lag: float = 1.0,
        native_sync: bool = False,
    ) -> None:
        super().__init__(clock, rng, faults, visibility_lag=visibility_lag, native_sync=native_sync)
        self.races = False
        """Whether an upsert overlooks leads that were made while it was already on its way."""

    # --- reads

    @property
    def lists(self) -> Mapping[str, Sequence[Membership]]:
        """Each static list's changes by its name, oldest first; who is a member now: `members`."""
        return self.static.history

    def members(self, name: str) -> set[int]:
        """Give the ids of a list's present members, past any lag; KeyError when there is no such list."""
        return set(self.static.named(name).members)

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

    def render(self, record: Record, fields: Sequence[str]) -> dict[str, object]:
        """Give the asked fields of a lead or company as the API shows them: nulls left out, times as text."""
        values = record.values
        row: dict[str, object] = {name: values[name] for name in fields if name in values}
        if "id" in fields:
            row["id"] = record.id
        if "createdAt" in fields:
            row["createdAt"] = iso_z(record.created)
        if "updatedAt" in fields:
            row["updatedAt"] = iso_z(record.updated)
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
        return self._counted(sync_rows(self, action, lookup_field, rows, snapshot if self.races else None))

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
        return self._counted(outcomes)

    def merge(self, winner: int, losers: Sequence[int]) -> None:
        """Merge leads by API; RequestError when a lead is missing, named twice, or more than 25 lose."""
        self._merge("api", winner, losers)
        self.writes["merged"] += len(losers)

    def sync_companies(
        self, action: str, dedupe_by: str, rows: Sequence[Mapping[str, object]]
    ) -> list[Outcome]:
        """Create and update companies, one outcome per row; RequestError when nothing was done."""
        return self._counted(companies.sync_companies(self, action, dedupe_by, rows))

    def delete_companies(self, delete_by: str, rows: Sequence[Mapping[str, object]]) -> list[Outcome]:
        """Delete companies, one outcome per row; RequestError when nothing was done."""
        return self._counted(companies.delete_companies(self, delete_by, rows))

    def add_to_list(self, list_id: int, lead_ids: Sequence[int]) -> list[Outcome]:
        """Add leads to a static list, one outcome per id; RequestError 1013 when there is no such list."""
        return self._counted(membership.add(self, list_id, lead_ids))

    def remove_from_list(self, list_id: int, lead_ids: Sequence[int]) -> list[Outcome]:
        """Take leads from a static list, one outcome per id; RequestError 1013 when there is no such list."""
        return self._counted(membership.remove(self, list_id, lead_ids))

    def request_campaign(self, campaign_id: int, lead_ids: Sequence[int], tokens: Mapping[str, str]) -> None:
        """Run leads through a trigger campaign, once more each time; RequestError when none of them ran.

        A lead that is not there refuses the whole request with 1004.
        """
        campaign = self.campaigns.check(campaign_id, lead_ids, tokens)
        missing = next((lead for lead in lead_ids if lead not in self.leads), None)
        if missing is not None:
            raise RequestError("1004", f"Lead '{missing}' not found")
        self.campaigns.run(campaign, lead_ids, tokens, self.clock.now())
        self.writes["requested"] += len(lead_ids)

    def _counted(self, outcomes: list[Outcome]) -> list[Outcome]:
        self.writes.update(outcome.status for outcome in outcomes)
        return outcomes

    # --- people at the vendor's screen

    def edit(self, actor: Actor, lead_id: int, values: Mapping[str, Value]) -> None:
        """Change a lead; at one that belongs to a company, company fields change the company. KeyError
        when it is gone.
        """
        lead = self.leads[lead_id]
        company = self.company_of(lead) if COMPANY_KEY not in values else None
        shared = {name: value for name, value in values.items() if name in INHERITED} if company else {}
        own = {name: value for name, value in values.items() if name not in shared}
        if company is not None and shared:
            self.update_company(actor, company, shared)
        self.update(actor, lead, own)

    def human_create(self, values: Mapping[str, Value]) -> int:
        """A person enters a lead; gives its id. Values are stored as typed."""
        return self.create("human", dict(values)).id

    def human_edit(self, lead_id: int, values: Mapping[str, Value]) -> int:
        """A person edits a lead; KeyError when it is gone."""
        self.edit("human", lead_id, values)
        return lead_id

    def human_score(self, lead_id: int, change: int, reason: str = "", field: str = "leadScore") -> int:
        """A scoring campaign adds to a score and says why; gives the new score. KeyError when the lead is gone."""
        lead = self.leads[lead_id]
        score = int(lead.values.get(field) or 0) + change
        self.update("human", lead, {field: score}, reason=reason)
        return score

    def human_delete(self, lead_id: int) -> int:
        """A person deletes a lead; KeyError when it is gone."""
        self._delete("human", self.leads[lead_id])
        return lead_id

    def human_merge(self, winner: int, losers: Sequence[int]) -> int:
        """A person merges leads; gives the winner's id."""
        self._merge("human", winner, losers)
        return winner

    def human_company(self, external_id: str, values: Mapping[str, Value]) -> int:
        """A company is entered or changed other than by this API (an import); gives the vendor's id of it."""
        company = self.company(external_id)
        if company is None:
            return self.create_company("human", {**values, COMPANY_KEY: external_id}).id
        self.update_company("human", company, values)
        return company.id

    def human_list(self, name: str, lead_ids: Iterable[int], *, member: bool = True) -> int:
        """A person puts leads on a list or takes them off; gives how many changed. KeyError without such a
        list or lead.
        """
        row = self.static.named(name)
        move = self.enlist if member else self.delist
        return sum(move("human", row, self.leads[lead_id].id) for lead_id in lead_ids)

    # --- what an administrator sets up

    def add_list(self, name: str, program: str = "") -> int:
        """Make a static list; gives its id. ValueError when the name is taken."""
        return self.static.add(name, program, self.clock.now()).id

    def add_campaign(
        self,
        name: str,
        kind: Kind = "trigger",
        *,
        active: bool = True,
        requestable: bool = True,
        program: str = "",
    ) -> int:
        """Make a campaign; gives its id. ValueError when the name is taken."""
        now = self.clock.now()
        made = self.campaigns.add(name, kind, program, now, active=active, requestable=requestable)
        return made.id

    def link_crm(
        self, lead_id: int, kind: Literal["Lead", "Contact"], record: str, account: str | None = None
    ) -> None:
        """The native sync notes whose CRM record a lead is (the read-only sfdc fields)."""
        ids: dict[str, Value] = {"sfdcType": kind, "sfdcLeadId": None, "sfdcContactId": None}
        ids |= {f"sfdc{kind}Id": record, "sfdcAccountId": account}
        self.update("native", self.leads[lead_id], ids)
