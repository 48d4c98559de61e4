"""The SQL store keeps the contract of stores on a real file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.store import SqlStore
from sync.ports import Store
from tests.contract.store_suite import StoreSuite
from tests.state.clock import HandClock


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal without rows, to be copied: making one takes longer than most tests."""
    place = tmp_path_factory.mktemp("empty") / "renkei.db"
    SqlStore(place, HandClock(), "tests").close()
    return place


class TestSqlStore(StoreSuite):
    """The contract over SQLite."""

    @pytest.fixture
    def store(self, empty: Path, tmp_path: Path) -> Iterator[SqlStore]:
        """An empty journal on disk."""
        self.place = Path(shutil.copy(empty, tmp_path))
        self.current = SqlStore(self.place, HandClock(), "tests")
        yield self.current
        self.current.close()

    def restart(self, store: Store) -> Store:
        """Close the file and open it again."""
        assert store is self.current
        self.current.close()
        self.current = SqlStore(self.place, HandClock(), "tests")
        return self.current
