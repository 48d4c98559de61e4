"""The contract of connectors over a fake Salesforce behind real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.rigs import SalesforceRig
from tests.contract.connector_suite import HttpConnectorSuite


class TestSalesforce(HttpConnectorSuite):
    """The suite."""

    @pytest.fixture
    def rig(self) -> Iterator[SalesforceRig]:
        """A fresh vendor with its connector."""
        rig = SalesforceRig()
        yield rig
        rig.close()
