"""The socket server: what each transport fault looks like to an ordinary HTTP client."""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from simulators.clock import ManualClock, SystemClock
from simulators.faults import Faults
from simulators.http import Request, Response, json_response, text_response
from simulators.server import Server, serve
from simulators.tls import throwaway_ca


class Counting:
    """A front that counts what it executed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: list[Request] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: Request) -> Response:
        if request.path == "/broken":
            raise RuntimeError("a bug of the front")
        self.seen.append(request)
        self.bodies.append(request.body)
        return json_response({"number": len(self.seen), "padding": "x" * 4000})

    def refuse(self, kind: str) -> Response:
        return text_response(kind, status={"rate_limited": 429, "server_error": 500}.get(kind, 503))


@pytest.fixture
def front() -> Counting:
    """Give a fresh counting front."""
    return Counting()


@pytest.fixture
def faults() -> Faults:
    """Give a quiet source of faults."""
    return Faults(random.Random(1))


@pytest.fixture
def server(front: Counting, faults: Faults) -> Iterator[Server]:
    """Serve the front with short times."""
    with serve(front, faults, SystemClock(), server_timeout=0.25, slow_seconds=0.05) as running:
        yield running


def test_keep_alive_gzip_and_query(server: Server, front: Counting) -> None:
    """Two requests run over one connection, the answer is gzipped when asked, the query is decoded."""
    with httpx.Client(base_url=server.url) as client:
        first = client.get("/a%20b?x=1&x=2&y=%2B")
        second = client.post(
            "/c", content=(part for part in (b"chunk", b"ed")), headers={"Accept-Encoding": ""}
        )
    assert first.json()["number"] == 1
    assert first.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in second.headers
    assert front.seen[0].path == "/a b"
    assert front.seen[0].query == {"x": ["1", "2"], "y": ["+"]}
    assert front.bodies[1] == b"chunked"


@pytest.mark.parametrize(
    ("kind", "executed"), [("dropped_before", 0), ("lost_after_commit", 1), ("half_answer", 1)]
)
def test_broken_connections(
    server: Server, front: Counting, faults: Faults, kind: str, executed: int
) -> None:
    """A dropped request never ran; a lost or half answer belongs to one that did."""
    faults.set(kind, 1.0)
    with httpx.Client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.get(server.url)
    assert len(front.seen) == executed
    assert faults.fired == {kind: 1}


def test_refusals_in_the_fronts_own_words(server: Server, front: Counting, faults: Faults) -> None:
    """rate_limited and server_error are worded by the front and execute nothing."""
    faults.set("rate_limited", 1.0)
    assert httpx.get(server.url).text == "rate_limited"
    faults.quiet()
    faults.set("server_error", 1.0)
    assert httpx.get(server.url).status_code == 500
    assert front.seen == []


def test_acts_late(server: Server, front: Counting, faults: Faults) -> None:
    """A late request loses its connection at once and runs shortly before the server time-out."""
    faults.set("acts_late", 1.0)
    started = time.monotonic()
    with httpx.Client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(server.url, content=b"late")
    assert time.monotonic() - started < 0.2
    assert front.seen == []
    while not front.seen and time.monotonic() - started < 2:
        time.sleep(0.01)
    assert 0.15 < time.monotonic() - started < 0.4
    assert front.bodies == [b"late"]


def test_slow_answer(server: Server, faults: Faults) -> None:
    """A slow answer comes, but late."""
    faults.set("slow", 1.0)
    started = time.monotonic()
    assert httpx.get(server.url).status_code == 200
    assert time.monotonic() - started >= 0.05


def test_an_old_request_is_never_executed(server: Server, front: Counting) -> None:
    """A request that waited for the vendor's lock longer than the server time-out is refused, not run."""
    with front.lock:
        assert httpx.get(server.url).text == "timed_out"
    time.sleep(0.05)
    assert front.seen == []
    assert httpx.get(server.url).status_code == 200


def test_age_is_counted_on_the_vendors_clock(front: Counting, faults: Faults) -> None:
    """A request that got the lock in time by the wall but too late by the vendor's clock is refused."""
    clock = ManualClock()
    with serve(front, faults, clock, server_timeout=5.0) as server:
        answers: list[str] = []
        with front.lock:
            thread = threading.Thread(target=lambda: answers.append(httpx.get(server.url).text))
            thread.start()
            while server.in_flight == 0:
                time.sleep(0.005)
            clock.advance(6)
        thread.join()
    assert answers == ["timed_out"]
    assert front.seen == []


def test_concurrency_limit(front: Counting, faults: Faults) -> None:
    """One request more than the limit is refused while the others are in flight."""
    with serve(front, faults, SystemClock(), server_timeout=5.0, concurrency=1) as server:
        with front.lock:
            thread = threading.Thread(target=httpx.get, args=(server.url,))
            thread.start()
            while server.in_flight == 0:
                time.sleep(0.005)
            assert httpx.get(server.url).text == "too_many"
        thread.join()
        assert httpx.get(server.url).status_code == 200


def test_a_bug_in_the_front_is_kept(server: Server) -> None:
    """An exception of the front answers 500 and stays visible in `failures`."""
    assert httpx.get(server.url + "/broken").status_code == 500
    assert [str(failure) for failure in server.failures] == ["a bug of the front"]


def test_rubbish_is_hung_up_on(server: Server, front: Counting) -> None:
    """Bytes that are no HTTP close the connection and run nothing."""
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert sock.recv(100) == b""
    assert front.seen == []


def test_tls_with_a_throwaway_authority(front: Counting, faults: Faults, tmp_path: Path) -> None:
    """A client that trusts the authority is served; one that does not refuses the certificate."""
    pem, context = throwaway_ca(tmp_path)
    with serve(front, faults, SystemClock(), tls=context) as server:
        trusting = ssl.create_default_context(cafile=str(pem))
        assert httpx.get(server.url, verify=trusting).json()["number"] == 1
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url, verify=ssl.create_default_context())
    assert server.failures == []
