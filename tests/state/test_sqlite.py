"""The SQL store keeps the contract of stores on a real file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.store import SqlStore
from sync.ports import Store
from tests.contract.store_suite import StoreSuite
from tests.state.clock import HandClock


class TestSqlStore(StoreSuite):
    """The contract over SQLite."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqlStore]:
        """An empty journal on disk."""
        self.place = tmp_path / "renkei.db"
        self.current = SqlStore(self.place, HandClock(), "tests")
        yield self.current
        self.current.close()

    def restart(self, store: Store) -> Store:
        """Close the file and open it again."""
        assert store is self.current
        self.current.close()
        self.current = SqlStore(self.place, HandClock(), "tests")
        return self.current
