"""Which objects and fields the organisation has, as its describe resources tell.

Frozen data; an organisation that hides or alters a field holds a changed copy. Knows no records.
People, firms, users and record types stand here; what belongs to deals stands in `schema_deals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from simulators.salesforce.fields import (
    Field,
    ObjectSpec,
    kept,
    merged,
    own,
    picklist,
    reference,
    system,
    text,
)
from simulators.salesforce.schema_deals import (
    FILLED,
    LOOKED_UP,
    campaign,
    contact_role,
    opportunity,
    opportunity_stage,
    task,
)

INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction",
    "Consulting", "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental",
    "Finance", "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery",
    "Manufacturing", "Media", "Not For Profit", "Recreation", "Retail", "Shipping", "Technology",
    "Telecommunications", "Transportation", "Utilities", "Other",
)  # fmt: skip
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
LEAD_STATUSES = (
    "Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted", "Rejected",
    "Unqualified",
)  # fmt: skip
CONVERTED_STATUS, REJECTED_STATUS = "Closed - Converted", "Rejected"
REJECT_REASONS = ("Timing", "No budget", "Not reachable", "Student", "Competitor", "Duplicate")
ACCOUNT_TYPES = (
    "Prospect", "Customer - Direct", "Customer - Channel", "Channel Partner / Reseller", "Technology Partner", "Other",
)  # fmt: skip
RECORD_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Lead": ("Standard", "Partner"),
        "Contact": ("Standard", "Partner"),
        "Opportunity": ("New", "Upsell", "Renewal"),
    }
)


def _person() -> tuple[Field, ...]:
    return (
        text("LastName", 80, "Last Name", nillable=False),
        text("FirstName", 40, "First Name"),
        kept("Name", "string", length=121, nillable=False, defaulted=True),
        Field(name="Email", label="Email", type="email", length=80, id_lookup=True),
        Field(name="Phone", label="Phone", type="phone", length=40),
        text("Title", 128),
        Field(name="LeadSource", label="Lead Source", type="picklist", length=255, picklist=LEAD_SOURCES),
        Field(
            name="HasOptedOutOfEmail", label="Email Opt Out", type="boolean", nillable=False, defaulted=True
        ),
    )


def _customs() -> tuple[Field, ...]:
    flag: dict[str, Any] = {"nillable": False, "defaulted": True}
    return (
        own("Marketo_Id__c", "Marketo Id", length=40, external_id=True, id_lookup=True, unique=True),
        own("MA_Score__c", "MA Score", "double", precision=18, scale=0),
        own("MA_Grade__c", "MA Grade", length=10),
        own("Full_Name__c", "Full Name", length=130),
        own("Opt_Out_Seminar__c", "Opt Out Seminar", "boolean", **flag),
        own("Newsletter_OK__c", "Newsletter OK", "boolean", **flag),
    )


def _bounced() -> tuple[Field, ...]:
    return (
        text("EmailBouncedReason", 255, "Email Bounced Reason", createable=False),
        Field(name="EmailBouncedDate", label="Email Bounced Date", type="datetime", createable=False),
    )


def _ownership(*owners: str) -> tuple[Field, ...]:
    return (
        reference("OwnerId", "Owner", *owners, nillable=False, defaulted=True),
        reference("RecordTypeId", "RecordType", "RecordType"),
    )


def _lead() -> tuple[Field, ...]:
    seal: dict[str, Any] = {"createable": False, "updateable": False}
    return (
        *system(), merged("Lead"), *_person(), *_ownership("Group", "User"), *_customs(),
        text("Company", 255, nillable=False),
        text("Country", 80),
        Field(
            name="Industry", label="Industry", type="picklist", length=255, picklist=INDUSTRIES, restricted=True
        ),
        Field(name="Website", label="Website", type="url", length=255),
        Field(
            name="Status", label="Lead Status", type="picklist", length=255, picklist=LEAD_STATUSES,
            nillable=False, defaulted=True,
        ),
        own("Reject_Reason__c", "Reject Reason", "picklist", length=255, picklist=REJECT_REASONS),
        kept("IsConverted", "boolean", nillable=False, defaulted=True),
        kept("ConvertedDate", "date"),
        reference("ConvertedContactId", "ConvertedContact", "Contact", **seal),
        reference("ConvertedAccountId", "ConvertedAccount", "Account", **seal),
        reference("ConvertedOpportunityId", "ConvertedOpportunity", "Opportunity", **seal),
        *_bounced(),
    )  # fmt: skip


def _contact() -> tuple[Field, ...]:
    return (
        *system(), merged("Contact"), *_person(), *_ownership("User"), *_customs(),
        reference("AccountId", "Account", "Account", **LOOKED_UP),
        text("MailingCountry", 80, "Mailing Country"), *_bounced(), kept("IsEmailBounced", "boolean", **FILLED),
    )  # fmt: skip


def _account() -> tuple[Field, ...]:
    return (
        *system(), merged("Account"), *_ownership("User")[:1],
        text("Name", 255, "Account Name", nillable=False),
        Field(name="Phone", label="Account Phone", type="phone", length=40),
        Field(name="Website", label="Website", type="url", length=255),
        Field(
            name="Industry", label="Industry", type="picklist", length=255, picklist=INDUSTRIES, restricted=True
        ),
        text("BillingCountry", 80, "Billing Country"),
        text("Site", 80, "Account Site"),
        reference("ParentId", "Parent", "Account", label="Parent Account ID", **LOOKED_UP),
        picklist("Type", "Account Type", ACCOUNT_TYPES),
        text("AccountNumber", 40, "Account Number"),
        own("Corp_No__c", "Corporate Number", length=13, external_id=True, id_lookup=True),
        own(
            "Marketo_Company_Id__c", "Marketo Company Id", length=100, external_id=True, id_lookup=True, unique=True
        ),
    )  # fmt: skip


def _user() -> tuple[Field, ...]:
    return (
        *(f for f in system() if f.name != "IsDeleted"),
        text("Username", 80, nillable=False, unique=True, **LOOKED_UP), text("LastName", 80, nillable=False),
        text("FirstName", 40), kept("Name", "string", length=121, nillable=False),
        Field(name="Email", label="Email", type="email", length=128, nillable=False),
        Field(name="IsActive", label="Active", type="boolean", nillable=False, defaulted=True),
    )  # fmt: skip


def _record_type() -> tuple[Field, ...]:
    return (
        *(f for f in system() if f.name != "IsDeleted"),
        text("Name", 80, nillable=False), text("DeveloperName", 80, nillable=False),
        Field(name="SobjectType", label="Object", type="picklist", length=40, nillable=False),
        Field(name="IsActive", label="Active", type="boolean", nillable=False, defaulted=True),
    )  # fmt: skip


@cache
def standard_schema() -> Mapping[str, ObjectSpec]:
    """The organisation's objects as they are before anybody switches anything."""
    builders = {
        "Lead": _lead, "Contact": _contact, "Account": _account, "User": _user, "RecordType": _record_type,
        "Opportunity": opportunity, "OpportunityStage": opportunity_stage, "OpportunityContactRole": contact_role,
        "Task": task, "Campaign": campaign,
    }  # fmt: skip
    return MappingProxyType(
        {
            name: ObjectSpec(
                name=name,
                fields={field.name: field for field in build()},
                mergeable=name in ("Lead", "Contact", "Account"),
                writable=name not in ("User", "RecordType", "OpportunityStage"),
                replicateable=name != "OpportunityStage",
            )
            for name, build in builders.items()
        }
    )
