"""A small threaded HTTP/1.1 server in front of one fake vendor, with faults at the socket.

It decides what a transport fault looks like on the wire and that no request older than the server time-
out is ever executed; what a request means is the vendor front's affair. All requests of a vendor run one
at a time under its lock.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Self

from simulators.clock import Clock
from simulators.faults import TRANSPORT_KINDS, Faults
from simulators.http import Front, Request, Response, build_request
from simulators.wire import Incoming, UnreadableRequestError, read_request, render

LATE_AGE = 0.85  # share of the server time-out at which an `acts_late` request is executed


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds after which a request is never executed, how long `slow` waits, and how many requests may
    be in flight.
    """

    server_timeout: float = 2.0
    slow_seconds: float = 0.3
    concurrency: int | None = None


class Server:
    """A running server; `url` has no slash at its end, `failures` lists exceptions that a front let out."""

    def __init__(
        self,
        front: Front,
        faults: Faults,
        clock: Clock,
        limits: Limits,
        *,
        tls: ssl.SSLContext | None,
        port: int,
    ) -> None:
        self._front, self._faults, self._clock, self.limits, self._tls = front, faults, clock, limits, tls
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self.in_flight = 0
        self.failures: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._spawn(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all sockets and wait for the threads; calling it again does nothing."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._guard:
            connections, threads = list(self._open), list(self._threads)
        for connection in connections:
            _hang_up(connection)
        for thread in threads:
            thread.join(timeout=self.limits.server_timeout + 5)

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=self._run, args=(target, *arguments), daemon=True)
        with self._guard:
            self._threads.add(thread)
        thread.start()

    def _run(self, target: object, *arguments: object) -> None:
        try:
            assert callable(target)
            target(*arguments)
        except OSError:
            pass  # the client went away, which is its right
        except BaseException as error:  # noqa: BLE001 - a bug of the simulator must not stay silent
            self.failures.append(error)
        finally:
            with self._guard:
                self._threads.discard(threading.current_thread())

    def _accept(self) -> None:
        while not self._stopping.is_set():
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._spawn(self._connection, connection)

    def _connection(self, plain: socket.socket) -> None:
        try:
            sock = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
        except OSError:
            plain.close()
            raise
        with self._guard:
            self._open.add(sock)
        try:
            if not self._stopping.is_set():
                self._converse(sock)
        finally:
            with self._guard:
                self._open.discard(sock)
            _hang_up(sock)

    def _converse(self, sock: socket.socket) -> None:
        with sock.makefile("rb", buffering=1 << 16) as reader, sock.makefile("wb", buffering=0) as writer:
            while not self._stopping.is_set():
                try:
                    incoming = read_request(reader, writer)  # type: ignore[arg-type]
                except UnreadableRequestError:
                    return
                if incoming is None or not self._answer(incoming, sock):
                    return

    def _answer(self, incoming: Incoming, sock: socket.socket) -> bool:
        """Treat one request; False when the connection has to be closed."""
        received = self._clock.now()
        request = build_request(incoming.method, incoming.target, incoming.headers, incoming.body, received)
        fault = self._faults.first(TRANSPORT_KINDS)
        if fault == "dropped_before":
            return False
        if fault == "acts_late":
            self._spawn(self._execute_late, request)
            return False
        with self._guard:
            self.in_flight += 1
        try:
            response = self._respond(request, fault)
        finally:
            with self._guard:
                self.in_flight -= 1
        if fault in ("lost_after_commit", "half_answer"):
            self._faults.unanswered.append(self._clock.now())
        if fault == "lost_after_commit":
            return False
        head, body = render(
            response,
            accept_gzip="gzip" in incoming.headers.get("accept-encoding", ""),
            keep_alive=incoming.keep_alive,
            head_only=incoming.method == "HEAD",
        )
        if fault == "half_answer":
            sock.sendall(head + body[: len(body) // 2])
            return False
        sock.sendall(head + body)
        return incoming.keep_alive

    def _respond(self, request: Request, fault: str | None) -> Response:
        if fault in ("rate_limited", "server_error"):
            return self._front.refuse(fault)
        if self.limits.concurrency is not None and self.in_flight > self.limits.concurrency:
            return self._front.refuse("too_many")
        if fault == "slow":
            self._stopping.wait(self.limits.slow_seconds)
        return self._execute(request)

    def _execute(self, request: Request) -> Response:
        """Run the front under the vendor's lock, unless the request has grown too old by then."""
        remaining = request.received + self.limits.server_timeout - self._clock.now()
        if remaining <= 0 or not self._front.lock.acquire(timeout=remaining):
            return self._front.refuse("timed_out")
        try:
            if self._clock.now() - request.received >= self.limits.server_timeout:
                return self._front.refuse("timed_out")
            return self._front(request)
        except Exception as error:  # noqa: BLE001 - kept for the test to see, answered as a 500
            self.failures.append(error)
            return self._front.refuse("server_error")
        finally:
            self._front.lock.release()

    def _execute_late(self, request: Request) -> None:
        due = request.received + self.limits.server_timeout * LATE_AGE
        while not self._stopping.is_set() and (rest := due - self._clock.now()) > 0:
            self._stopping.wait(min(rest, 0.02))
        if not self._stopping.is_set():
            self._execute(request)
            self._faults.unanswered.append(self._clock.now())


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def serve(
    front: Front,
    faults: Faults,
    clock: Clock,
    *,
    server_timeout: float = 2.0,
    slow_seconds: float = 0.3,
    concurrency: int | None = None,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
) -> Server:
    """Start serving a vendor front on 127.0.0.1 (port 0 = any free one); use as a context manager or call
    `stop()`.
    """
    limits = Limits(server_timeout=server_timeout, slow_seconds=slow_seconds, concurrency=concurrency)
    return Server(front, faults, clock, limits, tls=tls, port=port)
