"""What a vendor front sees of HTTP: one frozen request in, one frozen response out.

No socket and no vendor is known here, so a front can be called directly in a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

import msgspec

JSON_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request: decoded path, query as lists of values, header names in lower case.

    `target` is the raw request target as it stood in the request line; `received` is when it arrived
    (unix seconds).
    """

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    target: str = ""
    received: float = 0.0

    def first(self, name: str, default: str | None = None) -> str | None:
        """Give the first value of a query parameter, or the default."""
        values = self.query.get(name)
        return values[0] if values else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response; `compress=False` keeps the server from using gzip (files, ranges)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    compress: bool = True


class Lock(Protocol):
    """What the server needs of a vendor's lock (`threading.Lock` fits)."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...

    def release(self) -> None: ...

    def __enter__(self) -> bool: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Front(Protocol):
    """A vendor behind HTTP; it is called with `lock` held, one request at a time.

    `refuse(kind)` words a refusal in the vendor's dialect; kinds: `rate_limited`, `server_error`,
    `timed_out` (the request grew older than the server time-out and was not executed) and `too_many`
    (concurrency limit).
    """

    @property
    def lock(self) -> Lock: ...

    def __call__(self, request: Request) -> Response: ...

    def refuse(self, kind: str) -> Response: ...


def json_response(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Wrap a JSON-able payload."""
    return Response(
        status=status,
        headers={"content-type": JSON_TYPE, **(headers or {})},
        body=msgspec.json.encode(payload),
    )


def text_response(text: str, status: int = 200) -> Response:
    """Wrap plain text."""
    return Response(status=status, headers={"content-type": "text/plain; charset=UTF-8"}, body=text.encode())


def parse_query(text: str) -> dict[str, list[str]]:
    """Read a query string or a form body; blank values are kept."""
    return parse_qs(text, keep_blank_values=True) if text else {}


def build_request(
    method: str, target: str, headers: Mapping[str, str], body: bytes, received: float = 0.0
) -> Request:
    """Make a request from a request line's target; header names must be in lower case already."""
    path, _, query = target.partition("?")
    return Request(
        method=method,
        path=unquote(path),
        query=parse_query(query),
        headers=headers,
        body=body,
        target=target,
        received=received,
    )
