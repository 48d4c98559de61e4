"""Key hashes: fixed for ever, apart by kind."""

from hypothesis import given
from hypothesis import strategies as st

from matching.keys import key_hash


def test_a_hash_never_changes() -> None:
    """The stored form of a key is pinned: another value here would orphan every stored key."""
    assert key_hash("email", "taro@example.jp") == "40d656608d8d7df07dfc656371403fae"


@given(st.text(), st.text(), st.text())
def test_hashes_are_short_hexadecimal_and_apart(kind: str, one: str, other: str) -> None:
    """Equal values share a hash, others do not, and no value of one kind meets a value of another."""
    assert len(key_hash(kind, one)) == 32
    assert (key_hash(kind, one) == key_hash(kind, other)) == (one == other)
    assert key_hash(kind, one) != key_hash(kind + "x", one)
