"""Bytes on a socket, read into a request and written from a response.

HTTP/1.1 only as far as ordinary clients use it: content-length and chunked bodies, `Expect:
100-continue`, keep-alive, gzip for answers above 1 KiB when the client asks. Decides nothing about
vendors or faults.
"""

from __future__ import annotations

import zlib
from http import HTTPStatus
from typing import BinaryIO, NamedTuple

from simulators.http import Response

MAX_LINE = 65_536
MAX_BODY = 160 * 1024 * 1024
GZIP_FROM = 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Incoming(NamedTuple):
    """A request as read from the wire, before it is parsed."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


class UnreadableRequestError(Exception):
    """What came in is no HTTP request that this server reads; the connection is closed."""


def read_request(stream: BinaryIO, send: BinaryIO | None = None) -> Incoming | None:
    """Read one request, or None when the client closed the connection; UnreadableRequestError when it
    cannot be read.
    """
    line = stream.readline(MAX_LINE)
    if not line:
        return None
    parts = line.split()
    if len(parts) != 3:
        raise UnreadableRequestError("the request line has not three parts")
    headers = _read_headers(stream)
    if send is not None and headers.get("expect", "").lower() == "100-continue":
        send.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        send.flush()
    body = _read_body(stream, headers)
    asked = headers.get("connection", "").lower()
    keep_alive = asked != "close" if parts[2] == b"HTTP/1.1" else asked == "keep-alive"
    return Incoming(parts[0].decode("latin-1"), parts[1].decode("latin-1"), headers, body, keep_alive)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while True:
        line = stream.readline(MAX_LINE)
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.partition(b":")
        if not colon:
            raise UnreadableRequestError("a header line has no colon, or the request ended early")
        headers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")


def _read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _read_chunks(stream)
    try:
        length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise UnreadableRequestError("content-length is no number") from error
    return _exactly(stream, length)


def _read_chunks(stream: BinaryIO) -> bytes:
    chunks: list[bytes] = []
    total = 0
    while True:
        size_line = stream.readline(MAX_LINE).partition(b";")[0].strip()
        try:
            size = int(size_line, 16)
        except ValueError as error:
            raise UnreadableRequestError("a chunk size is no number") from error
        total += size
        if total > MAX_BODY:
            raise UnreadableRequestError("the body is too long")
        if size == 0:
            while stream.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(chunks)
        chunks.append(_exactly(stream, size))
        stream.readline(MAX_LINE)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    if not 0 <= length <= MAX_BODY:
        raise UnreadableRequestError("the body's length is out of bounds")
    body = stream.read(length) if length else b""
    if len(body) != length:
        raise UnreadableRequestError("the request ended early")
    return body


def render(
    response: Response, *, accept_gzip: bool, keep_alive: bool, head_only: bool = False
) -> tuple[bytes, bytes]:
    """Give head and body bytes of a response."""
    body = response.body
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if accept_gzip and response.compress and len(body) > GZIP_FROM:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        lines.append("content-encoding: gzip")
    lines.append(f"content-length: {len(body)}")
    if not keep_alive:
        lines.append("connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head, b"" if head_only else body
