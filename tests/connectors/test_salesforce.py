"""The contract of connectors over a fake Salesforce behind real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.rigs import AccountRig, DealRig, SalesforceRig
from tests.contract.connector_suite import HttpConnectorSuite


class TestSalesforce(HttpConnectorSuite):
    """The suite."""

    @pytest.fixture
    def rig(self) -> Iterator[SalesforceRig]:
        """A fresh vendor with its connector."""
        rig = SalesforceRig()
        yield rig
        rig.close()


class TestAccounts(HttpConnectorSuite):
    """The suite, over accounts."""

    @pytest.fixture
    def rig(self) -> Iterator[AccountRig]:
        """A fresh vendor with its connector."""
        rig = AccountRig()
        yield rig
        rig.close()


class TestDeals(HttpConnectorSuite):
    """The suite, over deals and their roles."""

    @pytest.fixture
    def rig(self) -> Iterator[DealRig]:
        """A fresh vendor with its connector."""
        rig = DealRig()
        yield rig
        rig.close()
