"""Smart campaigns as far as the API can ask for them, and each run of a lead through one.

Decides whether a campaign may be requested; knows no lead. Each request runs the flow once more: the
vendor promises no once-only. Source: the vendor's page "Smart Campaigns" (request).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from simulators.marketo.upsert import RequestError

Kind = Literal["trigger", "batch"]
FIRST_CAMPAIGN = 3001
MOST_LEADS = 100
MOST_TOKENS = 100


@dataclass(slots=True, kw_only=True)
class Campaign:
    """One campaign; `requestable` = it has the trigger "Campaign is Requested" with source Web Service API."""

    id: int
    name: str
    kind: Kind
    active: bool
    requestable: bool
    program: str
    created: float
    updated: float


class Run(NamedTuple):
    """One lead's run through a campaign's flow; `time` is unix seconds, `tokens` are by name."""

    time: float
    campaign: str
    lead: int
    tokens: Mapping[str, str]


class Campaigns:
    """All campaigns; `runs` in order, `counts` by campaign name and lead."""

    def __init__(self) -> None:
        self.rows: dict[int, Campaign] = {}
        self.runs: list[Run] = []
        self.counts: Counter[tuple[str, int]] = Counter()

    def add(
        self, name: str, kind: Kind, program: str, now: float, *, active: bool, requestable: bool
    ) -> Campaign:
        """Make a campaign; ValueError when the name is taken."""
        if any(row.name == name for row in self.rows.values()):
            raise ValueError(f"the campaign {name!r} exists already; choose another name")
        made = Campaign(
            id=FIRST_CAMPAIGN + len(self.rows),
            name=name,
            kind=kind,
            active=active,
            requestable=requestable,
            program=program,
            created=now,
            updated=now,
        )
        self.rows[made.id] = made
        return made

    def check(self, number: int, leads: Sequence[int], tokens: Mapping[str, str]) -> Campaign:
        """Give the campaign to be requested, or refuse the request: 1013, 1002 or 1003."""
        campaign = self.rows.get(number)
        if campaign is None:
            raise RequestError("1013", f"Campaign '{number}' not found")
        if not leads:
            raise RequestError("1002", "Missing value for the required parameter 'leads'")
        if len(leads) > MOST_LEADS or len(tokens) > MOST_TOKENS:
            raise RequestError(
                "1003", f"No more than {MOST_LEADS} leads and {MOST_TOKENS} tokens in one request"
            )
        if not (campaign.kind == "trigger" and campaign.active and campaign.requestable):
            raise RequestError(
                "1003", f"Campaign '{number}' is no active trigger campaign with source Web Service API"
            )
        for name in tokens:
            if not (name.startswith("{{my.") and name.endswith("}}")):
                raise RequestError("1003", f"Invalid token name '{name}'")
        return campaign

    def run(self, campaign: Campaign, leads: Sequence[int], tokens: Mapping[str, str], now: float) -> None:
        """Send leads through the flow, each named one once more."""
        for lead in leads:
            self.runs.append(Run(now, campaign.name, lead, tokens))
            self.counts[campaign.name, lead] += 1
