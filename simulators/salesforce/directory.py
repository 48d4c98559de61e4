"""The users, record types and stages of deals that every organisation starts with; frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from simulators.salesforce.ids import new_id
from simulators.salesforce.schema import RECORD_TYPES, standard_schema
from simulators.salesforce.stages import FORECAST_NAMES, STAGES, Stage

FOUNDED = "2020-01-01T00:00:00.000+0000"
API_USER = new_id("005", 1)
QUEUE_USER = new_id("005", 2)  # whom the active assignment rule gives leads to
HUMAN_USERS = tuple(new_id("005", number) for number in (3, 4, 5))
_NAMES = (
    ("Integration", "User", "integration"),
    ("Lead", "Desk", "lead.desk"),
    ("Kenji", "Tanaka", "tanaka"),
    ("Yuki", "Sato", "sato"),
    ("Anna", "Schmidt", "schmidt"),
)


@cache
def record_type_id(name: str, object_name: str) -> str:
    """Give the id of a record type such as `Standard` of Lead or `New` of Opportunity; KeyError when there is none."""
    pairs = [(home, known) for home, names in RECORD_TYPES.items() for known in names]
    numbers = {pair: number for number, pair in enumerate(pairs, start=1)}
    return new_id("012", numbers[object_name, name])


@cache
def directory() -> Mapping[str, tuple[Mapping[str, Any], ...]]:
    """The starting records of User, RecordType and OpportunityStage, by object."""
    users = (_user(new_id("005", number), *name) for number, name in enumerate(_NAMES, start=1))
    types = (_record_type(name, home) for home, names in RECORD_TYPES.items() for name in names)
    stages = (_stage(number, stage) for number, stage in enumerate(STAGES, start=1))
    return {"User": tuple(users), "RecordType": tuple(types), "OpportunityStage": tuple(stages)}


def _stamped(object_name: str, key: str, **values: Any) -> Mapping[str, Any]:
    blank = standard_schema()[object_name].blank
    system = {"CreatedDate": FOUNDED, "LastModifiedDate": FOUNDED, "SystemModstamp": FOUNDED}
    people = {"CreatedById": API_USER, "LastModifiedById": API_USER}
    return {**blank, **system, **people, "Id": key, "IsDeleted": False, "IsActive": True, **values}


def _user(key: str, first: str, last: str, mailbox: str) -> Mapping[str, Any]:
    address = f"{mailbox}@sales.example"
    name = f"{first} {last}"
    return _stamped("User", key, FirstName=first, LastName=last, Name=name, Email=address, Username=address)


def _record_type(name: str, home: str) -> Mapping[str, Any]:
    key = record_type_id(name, home)
    return _stamped("RecordType", key, Name=name, DeveloperName=name, SobjectType=home)


def _stage(number: int, stage: Stage) -> Mapping[str, Any]:
    return _stamped(
        "OpportunityStage", new_id("01J", number), ApiName=stage.name, MasterLabel=stage.label,
        IsActive=stage.active, IsClosed=stage.closed, IsWon=stage.won, SortOrder=number,
        DefaultProbability=float(stage.probability), ForecastCategory=stage.forecast,
        ForecastCategoryName=FORECAST_NAMES[stage.forecast],
    )  # fmt: skip
