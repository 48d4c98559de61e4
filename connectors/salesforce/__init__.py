"""Salesforce over REST: leads and contacts as persons."""

from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.connector import Salesforce

__all__ = ["Salesforce", "SalesforceConfig"]
