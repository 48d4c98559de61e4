"""What the two vendors recorded of people and deals, put so that flows between them can be judged.

Decides who a record is, which exclusions held when, and who took part in a deal; whether a flow was right is judged
in `verdict_flows`. Pure: reads ledgers, calls nothing, and knows no sync.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from simulators.history import OPT_OUTS, SIDES, History, Pair, Side
from simulators.verdict import PERSONS, owners
from simulators.verdict_past import Life, Past, Stay, Values, stays

DAY = 86_400.0
CODES = frozenset(
    {"open_deal_at_account", "current_customer", "opted_out", "bounced", "competitor", "own_staff"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What a project has asked for; times in seconds, `since` in unix seconds: when the first sync had ended.

    Whatever lies within `slack` of a boundary may be judged either way by an honest sync; after `patience` a thing that
    is due must have been done. `routes` gives the list by loss reason (None = nobody returns); a reason that is not in
    it waits for an answer. `roles` = which roles count beside the primary one (None = all); `record_types` are ids.
    In `reject_routes` the empty text stands for a rejection without a reason. Any of `opt_outs` shuts a person out.
    """

    since: float
    slack: float = 60.0
    patience: float = 600.0
    never: frozenset[str] = CODES
    competitor: Sequence[str] = ()
    own_staff: Sequence[str] = ()
    customer_types: Sequence[str] = ("Customer - Direct", "Customer - Channel")
    won_is_customer: bool = False
    opt_outs: Sequence[Pair] = OPT_OUTS[:1]
    # hand-over
    enter: float = 70.0
    leave: float = 60.0
    dwell: float = DAY
    score_field: str = "leadScore"
    raise_field: str | None = None
    # return to nurture
    wait: float = DAY
    routes: Mapping[str, str | None] = field(default_factory=dict)
    blank_after: float | None = None
    blank_list: str | None = None
    roles: frozenset[str] | None = None
    record_types: frozenset[str] | None = None
    # rejected leads, and leads that nobody works on
    rejected: frozenset[str] = frozenset({"Rejected", "Unqualified"})
    reject_routes: Mapping[str, str | None] = field(default_factory=dict)
    reject_wait: float = 0.0
    unworked: str = "Open - Not Contacted"
    unworked_after: float = 10 * DAY
    unworked_list: str | None = None
    # firms
    head_office: str = "本社"
    # won amounts
    won_field: str = "wonTotalJPY"
    currency: str = "JPY"
    places: int = 0
    rates: Mapping[str, Decimal] = field(default_factory=dict)


class Scene:
    """Both vendors' past with its people; `lists` are the Marketo lists' changes, `now` ends the story."""

    def __init__(
        self,
        history: History,
        lists: Mapping[str, Sequence[tuple[float, Any, str, str]]],
        flows: Flows,
        now: float,
    ) -> None:
        self.flows, self.now = flows, now
        self.past = {side: Past(history.ledgers[side]) for side in SIDES}
        self.merges = {
            (side, entry.into, entry.time)
            for side in SIDES
            for entry in history.ledgers[side]
            if entry.verb == "merge" and entry.object in PERSONS
        }
        self.who = owners(history)
        self.certain = frozenset(history.mailboxes.values())  # who has a mailbox of their own
        self.stays: list[Stay] = stays(lists)
        self.records: dict[int, list[tuple[Side, Life]]] = {}
        for side in SIDES:
            for life in self.past[side].lives.values():
                person = self.who.get((side, life.key))
                if person is not None and life.object in PERSONS:
                    self.records.setdefault(person, []).append((side, life))
        self.deals = self.past["salesforce"].of("Opportunity")
        self._roles: dict[str, list[Life]] = {}
        self._parts: dict[int, set[str]] = {}  # every deal in which a person ever had a role
        for role in self.past["salesforce"].of("OpportunityContactRole"):
            born = next((version.values for version in role.versions if version.values), {})
            self._roles.setdefault(str(born.get("OpportunityId")), []).append(role)
            for values in (version.values for version in role.versions if version.values):
                person = self.who.get(("salesforce", str(values.get("ContactId"))))
                if person is not None:
                    self._parts.setdefault(person, set()).add(str(born.get("OpportunityId")))

    def on(self, person: int, side: Side) -> list[Life]:
        """A person's records on one side."""
        return [life for where, life in self.records.get(person, ()) if where == side]

    def alive(self, person: int, side: Side, start: float, end: float) -> bool:
        """Whether a person had the same live record on a side all the time."""
        return any(life.always(start, end, _is_open) for life in self.on(person, side))

    # --- who takes part

    def people(self, deal: str, time: float) -> set[int]:
        """Who counts as taking part in a deal at a moment: by role; without any role, whose lead became the deal."""
        rows = [values for role in self._roles.get(deal, ()) if (values := role.at(time))]
        if not rows:
            return self._converted(deal, time)
        wanted = self.flows.roles
        counted = [row for row in rows if row.get("IsPrimary") or wanted is None or row.get("Role") in wanted]
        people = {self.who.get(("salesforce", str(row.get("ContactId")))) for row in counted}
        return {person for person in people if person is not None}

    def _converted(self, deal: str, time: float) -> set[int]:
        leads = self.past["salesforce"].of("Lead")
        keys = [life.key for life in leads if (life.at(time) or {}).get("ConvertedOpportunityId") == deal]
        return {person for key in keys if (person := self.who.get(("salesforce", key))) is not None}

    # --- exclusions

    def codes(
        self, person: int, deal: Life | None, start: float, end: float, *, throughout: bool
    ) -> frozenset[str]:
        """Which exclusions held from `start` to `end`: at some moment, or with `throughout` all the time."""
        held = set(self._personal(person, start, end, throughout=throughout))
        if deal is not None:
            held |= set(self._at_account(person, deal, start, end, throughout=throughout))
        return frozenset(held & self.flows.never)

    def _personal(self, person: int, start: float, end: float, *, throughout: bool) -> Iterator[str]:
        for side, life in self.records.get(person, ()):
            asks = life.always if throughout else life.ever
            for code, test in self._tests(side).items():
                if asks(start, end, test):
                    yield code

    def _tests(self, side: Side) -> Mapping[str, Callable[[Values], bool]]:
        flows, boxes = self.flows, [getattr(pair, side) for pair in self.flows.opt_outs]
        bounce, email = ("emailInvalid", "email") if side == "marketo" else ("EmailBouncedReason", "Email")
        return {
            "opted_out": lambda values: any(values.get(box) is True for box in boxes),
            "bounced": lambda values: bool(values.get(bounce)),
            "competitor": lambda values: _domain(values.get(email)) in flows.competitor,
            "own_staff": lambda values: _domain(values.get(email)) in flows.own_staff,
        }

    def _at_account(
        self, person: int, deal: Life, start: float, end: float, *, throughout: bool
    ) -> Iterator[str]:
        """What stands at the account. The deal's account may be another one than the person's: then what stands at
        either, and the person's other deals, excuse; only what stands at both forbids."""
        account = (deal.at(start) or {}).get("AccountId")
        homes = {(life.at(start) or {}).get("AccountId") for life in self.on(person, "salesforce")} - {None}
        named = {account} - {None}
        places = named & homes if throughout and homes else named if throughout else named | homes
        for place in places:
            home = self.past["salesforce"].get("Account", place)
            if home is not None and _asks(home, throughout)(start, end, self._is_customer):
                yield "current_customer"
        own: set[str] = set() if throughout else self._parts.get(person, set())
        for other in self.deals:
            if other is deal:
                continue
            mine, asks = other.key in own, _asks(other, throughout)
            if asks(start, end, partial(_is_open_near, places, mine)):
                yield "open_deal_at_account"
            if self.flows.won_is_customer and asks(start, end, partial(_is_won_near, places, mine)):
                yield "current_customer"

    def _is_customer(self, account: Values) -> bool:
        return account.get("Type") in self.flows.customer_types


def _asks(life: Life, throughout: bool) -> Callable[[float, float, Callable[[Values], bool]], bool]:
    return life.always if throughout else life.ever


def _is_open_near(places: Collection[object], mine: bool, row: Values) -> bool:
    return (mine or row.get("AccountId") in places) and not row.get("IsClosed")


def _is_won_near(places: Collection[object], mine: bool, row: Values) -> bool:
    return (mine or row.get("AccountId") in places) and bool(row.get("IsWon"))


def _domain(email: object) -> str:
    return str(email or "").rpartition("@")[2].lower()


def _is_open(values: Values) -> bool:
    return not values.get("IsConverted")
