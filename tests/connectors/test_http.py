"""The wire: connections that are kept, answers that are bounded, trust, and what never reaches a header or a log."""

from __future__ import annotations

import contextlib
import gc
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from connectors.budget import Budget
from connectors.http import Ask, Call, Http, Reply, Wiring, tidy
from connectors.pool import trust
from simulators.tls import throwaway_ca
from sync.errors import Fatal, InDoubt, QuotaSpent, RequestRefused, Retryable
from tests.connectors.rigs import MarketoRig, RigClock

GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Scripted:
    """A server on loopback that answers each request with the next bytes given; None = hang up without an answer.

    `heard` holds the heads of requests, `connections` counts them."""

    def __init__(
        self, *answers: bytes | None, tls: ssl.SSLContext | None = None, hang_up: bool = False
    ) -> None:
        self.answers, self.heard, self.connections = list(answers), list[str](), 0
        self._tls, self._hang_up = tls, hang_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                with self._tls.wrap_socket(plain, server_side=True) if self._tls else plain as sock:
                    self._converse(sock)
            except OSError:
                continue

    def _converse(self, sock: socket.socket) -> None:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                chunk = sock.recv(65_536)
                if not chunk:
                    return
                head += chunk
            self.heard.append(head.decode("latin-1"))
            answer = self.answers.pop(0)
            if answer is None:
                return
            sock.sendall(answer)
            if self._hang_up:
                return

    def stop(self) -> None:
        """Close the door."""
        self._listener.close()


class NoAuth(httpx.Auth):
    """Requests go out as they are."""


def passing(reply: Reply, *, writing: bool) -> Reply:
    """A judge that finds everything good."""
    del writing
    return reply


@pytest.fixture
def served() -> Iterator[Callable[..., Scripted]]:
    """Start scripted servers that end with the test."""
    started: list[Scripted] = []

    def start(*answers: bytes | None, **more: object) -> Scripted:
        started.append(Scripted(*answers, **more))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def opened() -> Iterator[Callable[..., Http]]:
    """Open clients that end with the test."""
    clients: list[Http] = []

    def open_one(log: Callable[[Call], None] | None = None, **more: object) -> Http:
        wiring = Wiring(system="one", server_timeout=2.0, margin=0.0, **more)  # type: ignore[arg-type]
        clock = RigClock()
        clients.append(Http(wiring, NoAuth(), Budget(clock), clock, log=log))
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


def test_connections_are_kept(served: Callable[..., Scripted], opened: Callable[..., Http]) -> None:
    """Several requests need one connection."""
    server, http = served(GOOD, GOOD, GOOD), opened()
    for _ in range(3):
        assert http.read(Ask("x", "GET", f"{server.url}/x"), passing).body == b"ok"
    assert (server.connections, http.calls["x"]) == (1, 3)


def test_answers_do_not_wait_for_the_collector(
    served: Callable[..., Scripted], opened: Callable[..., Http]
) -> None:
    """What a reply held is free as soon as nobody needs it: pages are large and cycles are rarely looked for."""
    server, http = served(GOOD, GOOD), opened()
    http.read(Ask("x", "GET", f"{server.url}/x"), passing)
    gc.collect()
    gc.disable()
    try:
        http.read(Ask("x", "GET", f"{server.url}/x"), passing)
        assert not [each for each in gc.get_objects() if isinstance(each, httpx.Response)]
    finally:
        gc.enable()


def test_a_connection_that_was_closed_meanwhile_is_not_used(
    served: Callable[..., Scripted], opened: Callable[..., Http]
) -> None:
    """A write never goes into a connection whose other end is gone, for it would be in doubt."""
    server, http = served(GOOD, GOOD, hang_up=True), opened()
    http.read(Ask("x", "GET", f"{server.url}/x"), passing)
    for _ in range(100):
        idle = next(iter(http._client._transport._pool._idle.values()))  # type: ignore[attr-defined]
        if idle[0].connection.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
            break
    assert http.write(Ask("x", "POST", f"{server.url}/x", b"{}"), passing).body == b"ok"
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10\r\n\r\n"
        + zlib.compress(b"x", wbits=31)[:10],
    ],
    ids=["nothing", "half", "half chunk", "nonsense", "no gzip", "half gzip"],
)
def test_no_whole_answer_is_doubt_after_a_write_and_a_repetition_for_a_read(
    served: Callable[..., Scripted], opened: Callable[..., Http], answer: bytes | None
) -> None:
    """Whatever breaks after a request has left is told apart only by whether the request changes something."""
    server, http = served(answer, answer, GOOD, hang_up=True), opened()
    with pytest.raises(InDoubt):
        http.write(Ask("x", "POST", f"{server.url}/x", b"{}"), passing)
    assert http.read(Ask("x", "GET", f"{server.url}/x"), passing).body == b"ok"
    assert len(server.heard) == 3


def test_answers_are_bounded(served: Callable[..., Scripted], opened: Callable[..., Http]) -> None:
    """Neither a long answer nor one that only unpacks to a long one fills the memory."""
    bomb = zlib.compress(b"\0" * 5_000_000, wbits=31)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    long = b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n"
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_200_000
    server, http = served(head + bomb, long, endless, hang_up=True), opened(max_reply=1_000_000)
    for _ in range(3):
        with pytest.raises(RequestRefused) as caught:
            http.read(Ask("x", "GET", f"{server.url}/x"), passing)
        assert caught.value.code == "too_large"


def test_redirects_are_not_followed(served: Callable[..., Scripted], opened: Callable[..., Http]) -> None:
    """A reply that points elsewhere is a reply; nothing, and no secret, goes there."""
    other = served()
    server = served(b"HTTP/1.1 302 Found\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % other.url.encode())
    assert opened().read(Ask("x", "GET", f"{server.url}/x"), passing).status == 302
    assert other.connections == 0


@pytest.mark.parametrize("header", ["a\r\nx-evil: 1", "a\nb"])
def test_line_ends_do_not_get_into_headers(
    served: Callable[..., Scripted], opened: Callable[..., Http], header: str
) -> None:
    """A value with a line end never becomes a second header."""
    server, http = served(GOOD, GOOD), opened()
    with pytest.raises((RequestRefused, ValueError)):
        http.read(Ask("x", "GET", f"{server.url}/x", headers={"x-given": header}), passing)
    assert not any("x-evil" in head for head in server.heard)


def test_a_path_cannot_leave_its_place(served: Callable[..., Scripted], opened: Callable[..., Http]) -> None:
    """Control characters in an address are refused or encoded, never sent as they are."""
    server, http = served(GOOD), opened()
    with contextlib.suppress(RequestRefused):
        http.read(Ask("x", "GET", f"{server.url}/x\r\nx-evil: 1"), passing)
    assert not any("\r\nx-evil" in head for head in server.heard)


def test_an_unknown_authority_is_fatal(
    served: Callable[..., Scripted], opened: Callable[..., Http], tmp_path: Path
) -> None:
    """A certificate that nobody vouches for stops the system; with its authority named all is well."""
    pem, context = throwaway_ca(tmp_path)
    server = served(GOOD, tls=context)
    with pytest.raises(Fatal) as caught:
        opened().read(Ask("x", "GET", f"{server.url}/x"), passing)
    assert "ca_file" in caught.value.next_step
    trusting = opened(ca_file=str(pem))
    assert trusting.read(Ask("x", "GET", f"{server.url}/x"), passing).body == b"ok"


def test_trust_cannot_be_turned_off() -> None:
    """Names and chains are always verified, old protocols refused."""
    context = trust(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_proxy_is_asked_for_a_tunnel(served: Callable[..., Scripted], opened: Callable[..., Http]) -> None:
    """Through a proxy only the host's name is said; the request itself stays inside TLS."""
    proxy = served(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", hang_up=True)
    proxy.answers *= 6
    with pytest.raises(Fatal):
        opened(proxy=proxy.url).read(Ask("x", "GET", "https://vendor.example/secret"), passing)
    assert proxy.heard[0].startswith("CONNECT vendor.example:443 ")
    assert "secret" not in "".join(proxy.heard)


def test_calls_are_told_without_addresses(
    served: Callable[..., Scripted], opened: Callable[..., Http]
) -> None:
    """The log hears label, status, time and size of every call, repetitions included."""
    told: list[Call] = []
    server = served(None, GOOD, hang_up=True)
    opened(log=told.append).read(Ask("x", "GET", f"{server.url}/x?secret=1"), passing)
    assert [(call.label, call.status, call.size) for call in told] == [("x", 0, 0), ("x", 200, 2)]
    assert "secret" not in repr(told)


def test_messages_are_tidied() -> None:
    """Addresses and telephone numbers are blotted out, words and codes stay, long texts are cut."""
    assert tidy("Field 'Phone__c' of a.b+c@mail.example is 03-1234-5678") == "Field 'Phone__c' of … is …"
    assert tidy("code 1004") == "code 1004"
    assert len(tidy("x" * 1_000)) == 300


def test_a_window_is_kept_to() -> None:
    """No more calls leave in any window than allowed; the rest wait exactly as long as needed."""
    clock = RigClock()
    budget = Budget(clock, window_calls=3, window_seconds=20.0)
    left: list[float] = []
    for _ in range(7):
        with budget.slot("x"):
            left.append(clock.now())
        clock.advance(1.0)
    start = left[0]
    assert [time - start for time in left] == [0, 1, 2, 20, 21, 22, 40]


def test_no_more_calls_at_once_than_allowed() -> None:
    """A third call waits until one of two has come back."""
    budget, inside, most = Budget(RigClock(), concurrency=2), [0], [0]
    guard, gate = threading.Lock(), threading.Event()

    def call() -> None:
        with budget.slot("x"):
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            gate.wait(0.05)
            with guard:
                inside[0] -= 1

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [2]
    assert budget.calls["x"] == 6


def test_a_reserve_is_left_to_others_until_the_reset() -> None:
    """Our share of the day's calls ends before the whole does; after the reset it is whole again."""
    clock = RigClock()
    budget = Budget(clock, daily_calls=10, reserve=0.2, until_reset=lambda now: 3_600 - now % 3_600)
    for _ in range(8):
        with budget.slot("x"):
            pass
    with pytest.raises(QuotaSpent) as caught, budget.slot("x"):
        pass
    assert caught.value.after == 3_600
    clock.advance(3_600)
    with budget.slot("x"):
        pass
    assert budget.used == 1


def test_without_a_known_reset_one_call_asks_now_and_then() -> None:
    """Where the day rolls on, a single call after a while finds out how things stand."""
    clock = RigClock()
    budget = Budget(clock, daily_calls=10, reserve=0.0)
    budget.observe(10, 10)
    for _ in range(2):
        with pytest.raises(QuotaSpent), budget.slot("x"):
            pass
    clock.advance(901)
    with budget.slot("x"):
        budget.observe(3, 10)
    with budget.slot("x"):
        pass
    assert budget.calls["x"] == 2


def test_a_token_is_renewed_by_one_thread_for_all() -> None:
    """Many calls at once under an ended token cost one renewal, and all of them succeed."""
    rig = MarketoRig()
    rig.create(rig.person(1))
    rig.connector.describe("person")
    rig.state.calls.clear()
    failures: list[BaseException] = []
    rig.expire()

    def read() -> None:
        try:
            rig.connector.client.leads("id", ["1001"], ["id"])
        except BaseException as error:  # noqa: BLE001 - a thread's failure has to reach the test
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rig.state.calls["identity"] == 1
    assert rig.state.calls["leads"] >= 8
    rig.close()


def test_a_token_is_renewed_before_it_ends() -> None:
    """With less than a minute left a token is asked for again, and a vendor that gives the old one is not pestered."""
    rig = MarketoRig()
    rig.connector.describe("person")
    rig.later(3_541)
    before = rig.state.calls["identity"]
    for _ in range(5):
        rig.connector.limits()
    assert rig.state.calls["identity"] == before + 1
    rig.later(59)
    assert rig.connector.limits().used > 0
    rig.close()


def test_a_token_that_cannot_be_had_leaves_no_doubt() -> None:
    """Where the token's own request breaks, the write never left."""
    rig = MarketoRig()
    rig.faults.script.append("dropped_before")
    with pytest.raises(Retryable):
        rig.connector.client.sync_leads("createOnly", "email", [b"{}"])
    assert rig.ledger == []
    rig.close()
