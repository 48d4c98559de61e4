"""The memory store keeps the contract of stores, and forgets exactly what a crash forgets."""

from __future__ import annotations

import pytest

from state.memory import MemoryStore
from sync.ports import Store
from sync.rows import BaseRow, RecordRow
from tests.contract.rows import BASE, CLAIM, HOLD, KEY_ROW, OPERATION, RECORD, drops, puts
from tests.contract.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    """The contract over dictionaries."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """An empty store."""
        return MemoryStore()

    def restart(self, store: Store) -> Store:
        """A process that ends keeps what a memory store holds, as a disk would."""
        assert isinstance(store, MemoryStore)
        store.crash()
        return store


def test_a_crash_forgets_what_was_not_made_durable() -> None:
    """Commits that were not durable, and nothing before them, are undone with everything found through them."""
    store = MemoryStore(forgetful=True)
    store.commit(puts(RECORD, KEY_ROW, OPERATION, CLAIM))
    patch = drops(RECORD, CLAIM)
    patch.put(OPERATION._replace(entity=2))
    patch.put(HOLD)
    store.commit(patch, durable=False)
    store.commit(puts(RECORD._replace(noted=9, refetch_at=3.0), BASE), durable=False)
    store.crash()
    assert store.get(RecordRow, [RECORD[:3]]) == store.records_of([1]) == [RECORD]
    assert store.open_operations([1, 2]) == [OPERATION]
    assert store.holders("sfa", "person", ["h1"]) == [CLAIM]
    assert not any((store.holds_of([1]), store.refetch_due("ma", "person", 9.0, 9)))
    assert store.get(BaseRow, [BASE[:2]]) == []


def test_a_durable_commit_keeps_what_came_before() -> None:
    """One journal: what stands before a durable commit cannot be lost without it."""
    store = MemoryStore(forgetful=True)
    store.commit(puts(RECORD), durable=False)
    store.commit(puts(BASE))
    store.crash()
    assert store.get(RecordRow, [RECORD[:3]]) == [RECORD]


def test_a_faithful_store_forgets_nothing() -> None:
    """Without `forgetful` a crash costs the rest of the block of numbers only."""
    store = MemoryStore(block=10)
    assert store.numbers(3) == range(1, 4)
    store.commit(puts(RECORD), durable=False)
    store.crash()
    assert store.get(RecordRow, [RECORD[:3]]) == [RECORD]
    assert store.numbers(2) == range(11, 13)
