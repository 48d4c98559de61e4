"""Make the short fixed text under which a match key is stored and looked up.

Decides nothing about equality (the normalisers do); it only keeps addresses and numbers themselves out of indexes and
logs. The same kind and value give the same hash in every installation, for ever: stored keys depend on it.
"""

from hashlib import blake2b


def key_hash(kind: str, value: str) -> str:
    """Give 32 hexadecimal digits for a normalised value of a kind of key (`email`, `phone`); kinds never collide."""
    return blake2b(f"{kind}\0{value}".encode(), digest_size=16).hexdigest()
