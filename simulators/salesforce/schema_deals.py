"""The objects around deals: opportunities, their stages and contact roles, tasks, campaigns.

Frozen data; knows no records. Field lists and attributes follow the vendor's pages on the objects Opportunity,
OpportunityStage, OpportunityContactRole, Task and Campaign; fields ending in `__c` are this organisation's own.
"""

from __future__ import annotations

from typing import Any

from simulators.salesforce.fields import Field, kept, own, picklist, reference, system, text
from simulators.salesforce.stages import STAGES

LOOKED_UP: dict[str, Any] = {"indexed": True}
SEALED: dict[str, Any] = {"createable": False, "updateable": False}
FILLED: dict[str, Any] = {"nillable": False, "defaulted": True}
CURRENCIES = ("JPY", "USD", "EUR")
LOSS_REASONS = ("Timing", "Competitor", "Budget", "Price", "No decision", "Bad fit", "Other")
DEAL_TYPES = ("New Business", "Existing Business")
ROLES = (
    "Decision Maker", "Economic Buyer", "Evaluator", "Executive Sponsor", "Influencer", "Technical Buyer",
    "Business User", "Other",
)  # fmt: skip
TASK_STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
DONE = "Completed"


def _money(name: str, label: str, **more: Any) -> Field:
    return Field(name=name, label=label, type="currency", precision=18, scale=2, **more)


def opportunity() -> tuple[Field, ...]:
    """Opportunity: stage decides what is closed and won, which nobody may write."""
    return (
        *system(),
        text("Name", 120, nillable=False),
        picklist(
            "StageName", "Stage", tuple(s.name for s in STAGES if s.active), nillable=False,
            labels=tuple(s.label for s in STAGES if s.active),
        ),
        Field(name="CloseDate", label="Close Date", type="date", nillable=False),
        _money("Amount", "Amount"),
        picklist("CurrencyIsoCode", "Currency", CURRENCIES, restricted=True, nillable=False, defaulted=True),
        Field(name="Probability", label="Probability (%)", type="percent", precision=3, defaulted=True),
        kept("ExpectedRevenue", "currency", precision=18, scale=2),
        kept("IsClosed", "boolean", **FILLED), kept("IsWon", "boolean", **FILLED),
        kept("ForecastCategory", "picklist", length=40, nillable=False, defaulted=True),
        kept("LastStageChangeDate", "datetime"),
        picklist("Type", "Opportunity Type", DEAL_TYPES),
        picklist("LeadSource", "Lead Source", ("Web", "Phone Inquiry", "Partner Referral", "Other")),
        text("NextStep", 255, "Next Step"),
        Field(name="Description", label="Description", type="textarea", length=32_000),
        reference("AccountId", "Account", "Account", **LOOKED_UP),
        reference("ContactId", "Contact", "Contact", updateable=False),
        reference("OwnerId", "Owner", "User", **FILLED),
        reference("RecordTypeId", "RecordType", "RecordType"),
        reference("CampaignId", "Campaign", "Campaign"),
        own("Loss_Reason__c", "Loss Reason", "picklist", length=255, picklist=LOSS_REASONS),
        own("Revisit_On__c", "Revisit On", "date"),
    )  # fmt: skip


def opportunity_stage() -> tuple[Field, ...]:
    """OpportunityStage: what each stage means; read only."""
    return (
        *(f for f in system() if f.name != "IsDeleted"),
        kept("ApiName", "string", length=255), kept("MasterLabel", "string", length=255),
        kept("Description", "string", length=255),
        kept("IsActive", "boolean", **FILLED), kept("IsClosed", "boolean", **FILLED),
        kept("IsWon", "boolean", **FILLED), kept("SortOrder", "int", precision=9),
        kept("DefaultProbability", "percent", precision=3),
        kept("ForecastCategory", "picklist", length=40), kept("ForecastCategoryName", "picklist", length=40),
    )  # fmt: skip


def contact_role() -> tuple[Field, ...]:
    """OpportunityContactRole: who takes part in a deal; the deal cannot be exchanged."""
    return (
        *system(),
        reference(
            "OpportunityId", "Opportunity", "Opportunity", nillable=False, updateable=False, **LOOKED_UP
        ),
        reference("ContactId", "Contact", "Contact", nillable=False, **LOOKED_UP),
        picklist("Role", "Role", ROLES),
        Field(name="IsPrimary", label="Primary", type="boolean", **FILLED),
    )  # fmt: skip


def task() -> tuple[Field, ...]:
    """Task: something that somebody is to do about a person, or about a thing."""
    return (
        *system(),
        reference("WhoId", "Who", "Contact", "Lead", label="Name ID", **LOOKED_UP),
        reference(
            "WhatId", "What", "Account", "Campaign", "Opportunity", label="Related To ID", **LOOKED_UP
        ),
        Field(name="Subject", label="Subject", type="combobox", length=255),
        picklist("Status", "Status", TASK_STATUSES, **FILLED),
        picklist("Priority", "Priority", ("High", "Normal", "Low"), **FILLED),
        Field(name="ActivityDate", label="Due Date Only", type="date"),
        Field(name="Description", label="Description", type="textarea", length=32_000),
        reference("OwnerId", "Owner", "User", label="Assigned To ID", **FILLED),
        kept("IsClosed", "boolean", **FILLED), kept("CompletedDateTime", "datetime"),
        picklist("TaskSubtype", "Task Subtype", ("Task", "Email", "Call"), restricted=True, defaulted=True,
                 updateable=False),
        own("Renkei_Key__c", "Renkei Key", length=255, external_id=True, id_lookup=True, unique=True),
    )  # fmt: skip


def campaign() -> tuple[Field, ...]:
    """Campaign: the little of it that deals point to."""
    return (
        *system(),
        text("Name", 80, nillable=False),
        picklist("Type", "Type", ("Conference", "Webinar", "Email", "Other")),
        picklist("Status", "Status", ("Planned", "In Progress", "Completed", "Aborted")),
        Field(name="IsActive", label="Active", type="boolean", **FILLED),
        Field(name="StartDate", label="Start Date", type="date"),
        _money("ActualCost", "Actual Cost"),
        reference("OwnerId", "Owner", "User", **FILLED),
    )  # fmt: skip
