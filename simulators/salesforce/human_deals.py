"""What salespeople do with deals, leads and staff, in the vendor's own screens.

Each move is one transaction, so that what it changes carries one stamp. Nothing here is forbidden that the vendor
allows: closed deals may be reopened, won ones lost. A wrong move raises ValueError, as in `human`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from simulators.salesforce.conversion import Conversions
from simulators.salesforce.directory import record_type_id
from simulators.salesforce.family import ROLE
from simulators.salesforce.schema import REJECTED_STATUS
from simulators.salesforce.stages import BY_NAME, LOST, OPEN, WON
from simulators.salesforce.stamps import day, quarter_end, stamp


class Part(NamedTuple):
    """Who takes part in a deal: a contact's id, the role (may be empty), whether it is the primary one."""

    contact: str
    role: str | None = None
    primary: bool = False


class HumanDeals(Conversions):
    """Moves of salespeople; each returns the id of the record that was touched."""

    def human_open_deal(
        self,
        name: str,
        *,
        account: str | None = None,
        people: Sequence[Part | Sequence[Any]] = (),
        record_type: str = "New",
        user: str | None = None,
        **values: Any,
    ) -> str:
        """Create an open deal with its contact roles; `values` are further fields such as Amount or CloseDate."""
        deals = self.tables["Opportunity"]
        kind = record_type_id(record_type, "Opportunity")
        close = quarter_end(self.clock.now())
        asked = {"Name": name, "StageName": OPEN, "CloseDate": close, "AccountId": account} | values
        cleaned = self._accepted(deals, asked, None)
        parts = [Part(*part) for part in people]
        for part in parts:
            self._live(self.tables["Contact"], part.contact)
        txn = self.begin("human", user)
        filled = {key: value for key, value in cleaned.items() if value is not None}
        row = self.new_row(txn, "Opportunity", {**filled, "RecordTypeId": kind})
        self.commit(txn, "create", deals, row)
        for part in parts:
            self.add_role(txn, row["Id"], part.contact, part.role, primary=part.primary)
        return str(row["Id"])

    def human_move(self, deal: str, stage: str, *, user: str | None = None, **values: Any) -> str:
        """Move a deal to any stage, open or closed; ValueError for a stage that there is not."""
        if stage.lower() not in BY_NAME:
            raise ValueError(f"there is no stage {stage!r}; choose one of {', '.join(BY_NAME)}")
        return self.human_edit("Opportunity", deal, {"StageName": stage, **values}, user=user)

    def human_lose(
        self,
        deal: str,
        reason: str | None = None,
        *,
        revisit_on: str | None = None,
        stage: str = LOST,
        user: str | None = None,
    ) -> str:
        """Close a deal as lost today, also one that was won; without a reason the field is emptied."""
        values = {"Loss_Reason__c": reason, "Revisit_On__c": revisit_on, "CloseDate": day(self.clock.now())}
        return self.human_move(deal, stage, user=user, **values)

    def human_win(
        self, deal: str, amount: float | None = None, *, currency: str | None = None, user: str | None = None
    ) -> str:
        """Close a deal as won today, also one that was lost; the amount stays when none is given."""
        values: dict[str, Any] = {"CloseDate": day(self.clock.now()), "Loss_Reason__c": None}
        values |= {} if amount is None else {"Amount": amount}
        values |= {} if currency is None else {"CurrencyIsoCode": currency}
        return self.human_move(deal, WON, user=user, **values)

    def human_reopen(self, deal: str, stage: str = "Negotiation/Review", *, user: str | None = None) -> str:
        """Open a closed deal again; the reason of a loss stays, as people leave it."""
        return self.human_move(deal, stage, user=user, CloseDate=quarter_end(self.clock.now()))

    def human_own(self, object_name: str, key: str, owner: str, *, user: str | None = None) -> str:
        """Give a record to another active user."""
        return self.human_edit(object_name, key, {"OwnerId": owner}, user=user)

    def human_reject(
        self, lead: str, reason: str | None = None, *, status: str = REJECTED_STATUS, user: str | None = None
    ) -> str:
        """Send a lead back, with or without a reason."""
        changes = {"Status": status, "Reject_Reason__c": reason}
        return self.human_edit("Lead", lead, changes, user=user)

    def human_role(
        self,
        deal: str,
        contact: str,
        role: str | None = None,
        *,
        primary: bool = False,
        user: str | None = None,
    ) -> str:
        """Let a contact take part in a deal; gives the id of the role."""
        self._live(self.tables["Opportunity"], deal)
        self._live(self.tables["Contact"], contact)
        return self.add_role(self.begin("human", user), deal, contact, role, primary=primary)

    def human_unrole(self, role: str, *, user: str | None = None) -> str:
        """Take a contact out of a deal, by the id of the role."""
        return self.human_delete(ROLE, role, user=user)

    def human_bounce(self, object_name: str, key: str, reason: str = "550 unknown user") -> str:
        """Note that mail to a lead or contact came back, as the vendor's own mailer does."""
        bounced = {"EmailBouncedReason": reason, "EmailBouncedDate": stamp(self.clock.now())}
        return self.human_edit(object_name, key, bounced)

    def human_staff(self, first: str, last: str, email: str, *, active: bool = True) -> str:
        """Give somebody a seat as a user."""
        values = {"FirstName": first, "LastName": last, "Email": email, "Username": email, "IsActive": active}
        return self.human_create("User", values)

    def human_leave(self, user: str) -> str:
        """Switch a user off; what is theirs stays theirs."""
        return self.human_edit("User", user, {"IsActive": False})
