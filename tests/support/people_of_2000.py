"""Many people whom both systems know and agree on, entered as fast as it goes."""

from __future__ import annotations

from typing import NamedTuple

from sync.record import Ref
from tests.support.town import MARKETO, Town

INDUSTRIES = {"建設": "Construction", "小売": "Retail", "金融": "Finance", "教育": "Education"}


class Pair(NamedTuple):
    """One person's two records."""

    lead: Ref
    record: Ref

    def on(self, system: str) -> Ref:
        """The person's record in a system."""
        return self.lead if system == MARKETO else self.record


def settle(town: Town, count: int) -> list[Pair]:
    """Enter people who need nothing from us: each record names the other one, and the values agree."""
    return [_person(town, number) for number in range(count)]


def _person(town: Town, number: int) -> Pair:
    mail, phone = f"p{number}@firm{number % 97}.example", f"+81312{number:06d}"
    last, first, day = f"Ito{number}", f"Hana{number}", f"2026-12-{1 + number % 27:02d}"
    industry = list(INDUSTRIES)[number % 3]
    lead = town.lead(
        email=mail, lastName=last, firstName=first, title=f"Buyer {number % 7}", phone=phone, company="Acme",
        industry=industry, revisitOn=day, leadScore=80,
    )  # fmt: skip
    next_call = {"Next_Call__c": day} if "Next_Call__c" in town.salesforce.schema["Lead"].fields else {}
    record = town.record(
        Email=mail, LastName=last, FirstName=first, Title=f"Buyer {number % 7}", Phone=phone,
        Industry=INDUSTRIES[industry], MA_Score__c=80, MA_Grade__c="A", Full_Name__c=f"{last} {first}",
        Marketo_Id__c=lead.id, **next_call,
    )  # fmt: skip
    town.edit(lead, sfaId=record.id)
    return Pair(lead, record)
