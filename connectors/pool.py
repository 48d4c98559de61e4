"""Connections that are kept open, over the standard library's HTTP client.

It decides when a connection may be used again, and tells apart what a caller must know after a failure: that not one
byte of the request left (`NotSent`), or that it may have arrived (`Lost`). It knows no vendor, no retry and no secret.
A connection that the other side has closed meanwhile is noticed before it is used, because a request that was written
into it would be in doubt.
"""

from __future__ import annotations

import http.client
import select
import ssl
import threading
import time
import zlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

IDLE_SECONDS = 30.0
KEPT = 8
CHUNK = 1 << 20


class NotSent(Exception):
    """No connection came about, so nothing was executed; `untrusted` = the other side's certificate."""

    def __init__(self, message: str, *, untrusted: bool = False) -> None:
        super().__init__(message)
        self.untrusted = untrusted


class Lost(Exception):
    """The request left at least in part and no whole answer came."""


class TooLarge(Exception):
    """The answer is larger than allowed, as sent or when unpacked."""


class Answer(NamedTuple):
    """Status, headers and the unpacked body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Origin(NamedTuple):
    """Where a connection leads."""

    secure: bool
    host: str
    port: int


class _Idle(NamedTuple):
    connection: http.client.HTTPConnection
    since: float


def trust(ca_file: str | None) -> ssl.SSLContext:
    """A client context that verifies names and chains, TLS 1.2 at least; `ca_file` is trusted besides the system's."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class Pool:
    """Keeps up to eight idle connections per origin; safe to share between threads.

    `timeout` is in seconds for the whole answer, `limit` in bytes for it; `proxy` is an HTTP proxy's address.
    """

    def __init__(
        self, *, ca_file: str | None, connect_timeout: float, timeout: float, limit: int, proxy: str = ""
    ) -> None:
        self._ca_file, self._proxy = ca_file, proxy
        self._connect_timeout, self._timeout, self._limit = connect_timeout, timeout, limit
        self._tls: ssl.SSLContext | None = None
        self._idle: dict[Origin, list[_Idle]] = {}
        self._lock = threading.Lock()

    def send(
        self, origin: Origin, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send one request and read its whole answer. Raises NotSent, Lost, TooLarge."""
        connection = self._take(origin) or self._connect(origin)
        deadline = time.monotonic() + self._timeout
        response: http.client.HTTPResponse | None = None
        try:
            connection.request(method, target, body=body or None, headers=dict(headers))
            response = connection.getresponse()
            raw = _read(response, self._limit, deadline)
            answer = Answer(response.status, response.getheaders(), _unpacked(response, raw, self._limit))
        except BaseException as error:
            connection.close()
            if response is not None:
                response.close()  # it holds the socket open on its own
            if isinstance(error, (OSError, http.client.HTTPException, zlib.error)):
                raise Lost(f"{type(error).__name__} after the request had left") from error
            raise
        if response.will_close:
            connection.close()
        else:
            self._give_back(origin, connection)
        return answer

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            kept = [idle.connection for idles in self._idle.values() for idle in idles]
            self._idle.clear()
        for connection in kept:
            connection.close()

    def _take(self, origin: Origin) -> http.client.HTTPConnection | None:
        while True:
            with self._lock:
                idles = self._idle.get(origin)
                if not idles:
                    return None
                idle = idles.pop()
            if time.monotonic() - idle.since < IDLE_SECONDS and not _readable(idle.connection):
                return idle.connection
            idle.connection.close()

    def _give_back(self, origin: Origin, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idles = self._idle.setdefault(origin, [])
            if len(idles) < KEPT:
                idles.append(_Idle(connection, time.monotonic()))
                return
        connection.close()

    def _connect(self, origin: Origin) -> http.client.HTTPConnection:
        connection = self._new(origin)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise NotSent(
                f"its certificate is not trusted ({error.verify_message})", untrusted=True
            ) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NotSent(f"no connection came about ({type(error).__name__})") from error
        connection.sock.settimeout(self._timeout)
        return connection

    def _new(self, origin: Origin) -> http.client.HTTPConnection:
        host, port = origin.host, origin.port
        if self._proxy:
            proxy = urlsplit(self._proxy)
            host, port = proxy.hostname or "", proxy.port or 3128
        if not origin.secure:
            return http.client.HTTPConnection(host, port, timeout=self._connect_timeout)
        secure = http.client.HTTPSConnection(
            host, port, timeout=self._connect_timeout, context=self._context()
        )
        if self._proxy:
            secure.set_tunnel(origin.host, origin.port)
        return secure

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = trust(self._ca_file)
            return self._tls


def _readable(connection: http.client.HTTPConnection) -> bool:
    """Whether an idle connection has something to say, which can only be its end."""
    try:
        return bool(select.select([connection.sock], [], [], 0)[0])
    except (OSError, ValueError):
        return True


def _read(response: http.client.HTTPResponse, limit: int, deadline: float) -> bytes:
    expected = response.length
    if expected is not None and expected > limit:
        raise TooLarge(f"the answer has {expected} bytes; allowed are {limit}")
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"the answer has more than {limit} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer takes too long")
    if expected is not None and size != expected:
        raise http.client.IncompleteRead(b"", expected - size)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _unpacked(response: http.client.HTTPResponse, body: bytes, limit: int) -> bytes:
    if response.headers.get("content-encoding", "") != "gzip" or not body:
        return body
    unpacker = zlib.decompressobj(31)
    plain = unpacker.decompress(body, limit + 1)
    if len(plain) > limit:
        raise TooLarge(f"the unpacked answer has more than {limit} bytes")
    if not unpacker.eof:
        raise http.client.IncompleteRead(b"")
    return plain
