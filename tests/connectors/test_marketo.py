"""The contract of connectors over a fake Marketo behind real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.rigs import CompanyRig, MarketoRig
from tests.contract.connector_suite import HttpConnectorSuite


class TestMarketo(HttpConnectorSuite):
    """The suite."""

    @pytest.fixture
    def rig(self) -> Iterator[MarketoRig]:
        """A fresh vendor with its connector."""
        rig = MarketoRig()
        yield rig
        rig.close()


class TestMarketoByFeed(HttpConnectorSuite):
    """The suite, with the activity log trusted to reach back to the first lead."""

    @pytest.fixture
    def rig(self) -> Iterator[MarketoRig]:
        """A fresh vendor with its connector."""
        rig = MarketoRig("feed")
        yield rig
        rig.close()


class TestCompanies(HttpConnectorSuite):
    """The suite, over companies seen through their leads."""

    @pytest.fixture
    def rig(self) -> Iterator[CompanyRig]:
        """A fresh vendor with its connector."""
        rig = CompanyRig()
        yield rig
        rig.close()


class TestCompaniesByFeed(HttpConnectorSuite):
    """The suite over companies, with the activity log trusted to reach back to the first lead."""

    @pytest.fixture
    def rig(self) -> Iterator[CompanyRig]:
        """A fresh vendor with its connector."""
        rig = CompanyRig("feed")
        yield rig
        rig.close()
