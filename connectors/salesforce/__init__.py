"""Salesforce over REST: leads and contacts as persons."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.http import Call
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.connector import Salesforce
from sync.ports import Clock

__all__ = ["Salesforce", "SalesforceConfig", "open_connector"]


def open_connector(
    system: str,
    settings: Mapping[str, object],
    clock: Clock,
    log: Callable[[Call], None] | None = None,
    /,
) -> Salesforce:
    """The factory for the registry. Raises pydantic.ValidationError."""
    return Salesforce(system, SalesforceConfig.model_validate(settings), clock, log)
