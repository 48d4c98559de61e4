"""Paging tokens: opaque to the client, base32 like the vendor's, bound to what they were made for.

A token carries a position and the endpoint's tag with a check sum; one of another endpoint is refused,
since the vendor does not promise that tokens travel.
"""

from __future__ import annotations

import base64
import zlib


class BadTokenError(Exception):
    """The token was not made here, or not for this use."""


def make_token(tag: str, position: int) -> str:
    """Hide a position in a token."""
    body = position.to_bytes(7, "big")
    return base64.b32encode(zlib.crc32(tag.encode() + body).to_bytes(4, "big") + body).decode()


def read_token(tag: str, token: str) -> int:
    """Give the position of a token made with the same tag; BadTokenError otherwise."""
    try:
        raw = base64.b32decode(token)
    except ValueError as error:
        raise BadTokenError("the paging token cannot be read") from error
    if len(raw) != 11 or zlib.crc32(tag.encode() + raw[4:]).to_bytes(4, "big") != raw[:4]:
        raise BadTokenError("the paging token was not made for this")
    return int.from_bytes(raw[4:], "big")
