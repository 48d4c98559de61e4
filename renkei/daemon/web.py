"""Health, readiness and figures over HTTP, on loopback only.

It decides addresses, codes and headers. What is true it asks; nothing can be changed through it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from renkei.daemon.board import Board, health, ready
from renkei.daemon.metrics import Metrics
from sync.errors import Fatal

HOST = "127.0.0.1"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
SLOW = 5.0


class Web:
    """The server in a thread of its own. Raises Fatal where the port is taken."""

    def __init__(self, port: int, board: Board, metrics: Metrics, clean: Callable[[str], str]) -> None:
        def asked(path: str) -> tuple[bool, str, str] | None:
            return _answer(path, board, metrics)

        class Handler(_Handler):
            """Answers from this board."""

            answer = staticmethod(asked)
            cleaned = staticmethod(clean)

        try:
            self._server = _Server((HOST, port), Handler)
        except OSError as error:
            step = "choose another port under service: in renkei.yaml, 0 = any free one"
            raise Fatal(f"Port {port} of {HOST} cannot be used ({error.strerror}).", step) from None
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(SLOW)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _answer(path: str, board: Board, metrics: Metrics) -> tuple[bool, str, str] | None:
    """Whether all is well, the kind of the page and the page; None = there is none."""
    match path.partition("?")[0]:
        case "/health":
            return _page(*health(board, time.monotonic()))
        case "/ready":
            return _page(*ready(board, time.monotonic()))
        case "/metrics":
            return True, TEXT, metrics.page().decode()
        case _:
            return None


def _page(well: bool, data: dict[str, Any]) -> tuple[bool, str, str]:
    return well, "application/json", json.dumps(data, ensure_ascii=False) + "\n"


class _Handler(BaseHTTPRequestHandler):
    answer: Callable[[str], tuple[bool, str, str] | None]
    cleaned: Callable[[str], str]
    timeout = SLOW
    server_version, sys_version = "renkei", ""

    def do_GET(self) -> None:
        """Any of the three pages."""
        found = self.answer(self.path)
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "There are /health, /ready and /metrics.\n")
            return
        well, kind, page = found
        self._send(HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, kind, page)

    def _send(self, status: HTTPStatus, kind: str, page: str) -> None:
        body = self.cleaned(page).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
        """Who looked is nobody's concern."""
