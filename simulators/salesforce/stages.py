"""What the stages of a deal mean, and what the vendor derives from them.

Pure data and arithmetic; knows no tables. Rules follow the vendor's pages on Opportunity («Probability», «IsClosed»)
and OpportunityStage: flags and forecast category come from the stage, the probability only as a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Stage(NamedTuple):
    """One stage: its name for programs, its label for people, its meaning."""

    name: str
    label: str
    probability: int
    forecast: str = "Pipeline"
    closed: bool = False
    won: bool = False
    active: bool = True


STAGES = (
    Stage("Prospecting", "見込み", 10),
    Stage("Qualification", "評価", 10),
    Stage("Needs Analysis", "ニーズの把握", 20),
    Stage("Value Proposition", "提案", 50),
    Stage("Verbal Agreement", "口頭合意", 80, "BestCase", active=False),
    Stage("Proposal/Price Quote", "見積", 75, "BestCase"),
    Stage("Negotiation/Review", "交渉", 90, "BestCase"),
    Stage("Closed Won", "受注", 100, "Closed", closed=True, won=True),
    Stage("Closed Lost", "失注", 0, "Omitted", closed=True),
    Stage("Closed Cancelled", "見送り", 0, "Omitted", closed=True),
)
OPEN, WON, LOST = "Prospecting", "Closed Won", "Closed Lost"
FORECAST_NAMES = MappingProxyType(
    {"Pipeline": "Pipeline", "BestCase": "Best Case", "Closed": "Closed", "Omitted": "Omitted"}
)
BY_NAME = MappingProxyType({stage.name.lower(): stage for stage in STAGES})


def derived(old: Mapping[str, Any] | None, row: Mapping[str, Any], stamp: str) -> dict[str, Any]:
    """Give the fields of a deal that follow from its stage; a stage that nobody knows is taken for open.

    A new stage brings its default probability, unless the same save brings one of its own.
    """
    moved = old is None or old["StageName"] != row["StageName"]
    stage = BY_NAME.get(str(row["StageName"]).lower())
    chance = row["Probability"]
    if stage is not None and moved and chance == (None if old is None else old["Probability"]):
        chance = float(stage.probability)
    amount = row["Amount"]
    return {
        "IsClosed": stage is not None and stage.closed,
        "IsWon": stage is not None and stage.won,
        "ForecastCategory": "Pipeline" if stage is None else stage.forecast,
        "Probability": chance,
        "ExpectedRevenue": None if amount is None or chance is None else round(amount * chance / 100, 2),
        "LastStageChangeDate": stamp if moved and old is not None else row["LastStageChangeDate"],
    }
