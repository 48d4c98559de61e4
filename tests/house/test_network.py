"""The guard around the tests themselves: loopback passes, everything else is refused before it leaves."""

import socket

import pytest

REFUSED = "tests speak to 127.0.0.1 only"


def test_loopback_is_open() -> None:
    """Real HTTP on this machine works, by address and by name."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            with socket.create_connection((host, port), timeout=5) as client:
                assert client.getpeername()[1] == port


def test_other_machines_are_out_of_reach() -> None:
    """Neither a connection nor the question for a name leaves this machine."""
    with socket.socket() as outside, pytest.raises(RuntimeError, match=REFUSED):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match=REFUSED):
        socket.getaddrinfo("example.com", 443)


def test_no_test_server_listens_to_the_world() -> None:
    """A server bound to every interface would be reachable from outside while the tests run."""
    with socket.socket() as server, pytest.raises(RuntimeError, match=REFUSED):
        server.bind(("0.0.0.0", 0))
