"""What the steps of a scenario do: people's hands at the vendors' screens, time, our own cycles, faults and ends.

One method for each step word of `stage_words`. Nothing is expected here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.record import Ref
from tests.support.flow_town import FlowTown
from tests.support.stage_cast import Cast
from tests.support.stage_life import LifeMoves
from tests.support.stage_reading import Step
from tests.support.town import MARKETO, SALESFORCE

WORKED = "Working - Contacted"


class Moves(LifeMoves):
    """The moves of one scenario on its town; what happens to records as a whole stands in `stage_life`."""

    def __init__(self, town: FlowTown, cast: Cast) -> None:
        self.town, self.cast = town, cast

    def act(self, step: Step) -> None:
        """Take a step."""
        move: Callable[[Any], object] = getattr(self, step.word)
        move(step.given)

    # --- marketing ---------------------------------------------------------------------------------------

    def score(self, given: Mapping[str, int]) -> None:
        """A scoring campaign brings a score to a number."""
        for name, score in given.items():
            lead = int(self.cast.one(name, MARKETO).id)
            with self.town.marketo_api.lock:
                before = int(self.town.marketo.leads[lead].values.get("leadScore") or 0)
                self.town.marketo.human_score(lead, score - before, "Visits Web Page")

    def hand_raise(self, given: Sequence[str]) -> None:
        """Somebody asks for a demonstration."""
        for name in given:
            self.town.edit(self.cast.one(name, MARKETO), demoRequest=True)

    def edit(self, given: Mapping[str, Mapping[str, Any]]) -> None:
        """Somebody types at marketing."""
        for name, values in given.items():
            self.town.edit(self.cast.one(name, MARKETO), **values)

    def opt_out(self, given: Sequence[str]) -> None:
        """Somebody unsubscribes."""
        for name in given:
            self.town.edit(self.cast.one(name, MARKETO), unsubscribed=True)

    def merge(self, given: Mapping[str, str]) -> None:
        """Marketing merges two people; the scores add up."""
        winner, loser = self.cast.one(given["into"], MARKETO), self.cast.one(given["gone"], MARKETO)
        self.town.merge(winner, loser)

    def merge_in_sales(self, given: Mapping[str, str]) -> None:
        """Sales merges two contacts or two leads; roles move to the one that stays."""
        self.town.merge(self.cast.one(given["into"], SALESFORCE), self.cast.one(given["gone"], SALESFORCE))

    def delete_in_sales(self, given: Sequence[str]) -> None:
        """Sales throws people's records away."""
        for name in given:
            self.town.delete(self.cast.one(name, SALESFORCE))

    def delete_in_marketo(self, given: Sequence[str]) -> None:
        """Marketing deletes people."""
        for name in given:
            self.town.delete(self.cast.one(name, MARKETO))

    # --- sales: people and accounts ----------------------------------------------------------------------

    def arrive(self, given: Mapping[str, Any]) -> None:
        """New accounts, people and deals are entered."""
        self.cast.enter(given)

    def edit_in_sales(self, given: Mapping[str, Mapping[str, Any]]) -> None:
        """Somebody types at sales."""
        for name, values in given.items():
            self.town.edit(self.cast.one(name, SALESFORCE), **values)

    def opt_out_in_sales(self, given: Sequence[str]) -> None:
        """Sales notes that somebody wants no mail."""
        for name in given:
            self.town.edit(self.cast.one(name, SALESFORCE), HasOptedOutOfEmail=True)

    def convert(self, given: Mapping[str, Any]) -> None:
        """Sales converts a lead, into somebody's contact or a deal if one is named."""
        lead = self.cast.one(given["who"], SALESFORCE, "Lead").id
        account = self.cast.accounts[given["account"]] if "account" in given else None
        known = self.cast.contact(given["into"]) if "into" in given else None
        role = "primary" if given.get("role", True) else "none"
        deal = given.get("deal")
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_convert(
                lead, contact=known, account=account, deal=deal, role=role,  # type: ignore[arg-type]
            )  # fmt: skip
            if deal:
                opened = self.town.salesforce.tables["Lead"].rows[lead]["ConvertedOpportunityId"]
                self.cast.deals[deal] = str(opened)

    def join_account(self, given: Mapping[str, str]) -> None:
        """A contact is put to an account."""
        contact = self.cast.one(given["who"], SALESFORCE, "Contact")
        self.town.edit(contact, AccountId=self.cast.accounts[given["account"]])

    def rename(self, given: Mapping[str, str]) -> None:
        """An account gets another name; the scenario goes on calling it as before."""
        for name, text in given.items():
            self.town.edit(Ref(SALESFORCE, "Account", self.cast.accounts[name]), Name=text)

    def merge_accounts(self, given: Mapping[str, str]) -> None:
        """Sales merges two accounts; contacts and deals move to the one that stays."""
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_merge(
                "Account", self.cast.accounts[given["into"]], self.cast.accounts[given["gone"]]
            )

    def delete_account(self, given: str) -> None:
        """An account is thrown away."""
        self.town.delete(Ref(SALESFORCE, "Account", self.cast.accounts[given]))

    def staff_leaves(self, given: str) -> None:
        """A user of sales is switched off; what is theirs stays theirs."""
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_leave(self.cast.user(given))

    def give(self, given: Mapping[str, str]) -> None:
        """A person's record gets another owner."""
        self.town.edit(self.cast.one(given["who"], SALESFORCE), OwnerId=self.cast.user(given["to"]))

    def reject(self, given: Mapping[str, str]) -> None:
        """Sales sends a lead back."""
        lead = self.cast.one(given["who"], SALESFORCE, "Lead").id
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_reject(lead, given.get("reason"))

    def take_up(self, given: Sequence[str]) -> None:
        """Sales begins to work on leads."""
        for name in given:
            self.town.edit(self.cast.one(name, SALESFORCE, "Lead"), Status=WORKED)

    # --- sales: deals ------------------------------------------------------------------------------------

    def lose(self, given: Mapping[str, str]) -> None:
        """A deal is lost."""
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_lose(
                self.cast.deals[given["deal"]], given.get("reason"), revisit_on=given.get("revisit_on")
            )

    def win(self, given: Mapping[str, Any]) -> None:
        """A deal is won."""
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_win(
                self.cast.deals[given["deal"]], given.get("amount"), currency=given.get("currency")
            )

    def reopen(self, given: str) -> None:
        """A closed deal is opened again."""
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_reopen(self.cast.deals[given])

    def correct(self, given: Mapping[str, str]) -> None:
        """A slip of the hand is put right: a closed deal was closed the other way."""
        move = self.win if given["to"] == "won" else self.lose
        move({word: value for word, value in given.items() if word != "to"})

    def give_reason(self, given: Mapping[str, str]) -> None:
        """The owner fills in why a deal was lost."""
        deal = Ref(SALESFORCE, "Opportunity", self.cast.deals[given["deal"]])
        self.town.edit(deal, Loss_Reason__c=given["reason"])

    def delete_deal(self, given: str) -> None:
        """A deal is thrown away."""
        self.town.delete(Ref(SALESFORCE, "Opportunity", self.cast.deals[given]))

    def role(self, given: Mapping[str, Any]) -> None:
        """A contact takes part in a deal."""
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_role(
                self.cast.deals[given["deal"]], self.cast.contact(given["who"]),
                given.get("role", "Decision Maker"), primary=given.get("primary", False),
            )  # fmt: skip

    def unrole(self, given: Mapping[str, str]) -> None:
        """A contact is taken out of a deal."""
        deal, contact = self.cast.deals[given["deal"]], self.cast.contact(given["who"])
        rows = self.town.salesforce.tables["OpportunityContactRole"].rows.values()
        (role,) = (
            row["Id"]
            for row in rows
            if (row["OpportunityId"], row["ContactId"], row["IsDeleted"]) == (deal, contact, False)
        )
        with self.town.salesforce_api.lock:
            self.town.salesforce.human_unrole(role)

    # --- time, cycles, faults ----------------------------------------------------------------------------

    def wait(self, given: float) -> None:
        """Time passes, and nothing is synced meanwhile."""
        self.town.wait(given)

    def sync(self, given: int) -> None:
        """So many rounds of sync; 0 = until everything is at rest."""
        if not given:
            self.town.rest()
        for _ in range(given):
            self.town.tick()

    def change_mappings(self, given: Mapping[str, Mapping[str, str]]) -> None:
        """An administrator changes mapping files, and the program begins anew with them."""
        self.town.change(given)

    def fault(self, given: tuple[str, str]) -> None:
        """A fault is laid for the next request that makes a thing."""
        self.town.aim(*given)

    def kill(self, given: str) -> None:
        """Our process ends between a thing and its receipt, and a new one begins."""
        self.town.end_after(given)

    def between_decision_and_sending(self, given: Step) -> None:
        """Something happens when the next round has decided and not sent yet."""
        self.town.meanwhile(lambda: self.act(given))
