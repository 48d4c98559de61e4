"""What binds every test: no network but loopback, and repeatable random examples.

It decides which sockets a test process may use and how many examples Hypothesis draws. It knows nothing of what
is being tested.
"""

import ipaddress
import os
import sys

from hypothesis import HealthCheck, settings

settings.register_profile("dev", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.register_profile("soak", settings.get_profile("dev"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


class NetworkRefused(RuntimeError):
    """A test wanted to leave this machine (no OSError: nothing may catch and retry it)."""


def _is_loopback(host: object) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def _loopback_only(event: str, args: tuple[object, ...]) -> None:
    """Refuse sockets to or on anything but loopback and Unix sockets (an audit hook of the interpreter)."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in {"socket.connect", "socket.sendto", "socket.bind"}:
        address = args[1]
        if not isinstance(address, tuple):
            return
        host = address[0]
    else:
        return
    if not _is_loopback(host):
        raise NetworkRefused(f"{event} to {host!r}: tests speak to 127.0.0.1 only; start a simulator there.")


sys.addaudithook(_loopback_only)
