"""The contract of connectors over the adapter in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.rigs import MemoryRig
from tests.contract.connector_suite import ConnectorSuite


class TestMemory(ConnectorSuite):
    """The suite."""

    @pytest.fixture
    def rig(self) -> Iterator[MemoryRig]:
        """A fresh vendor with its connector."""
        rig = MemoryRig()
        yield rig
        rig.close()
