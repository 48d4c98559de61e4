"""simple-salesforce, a client written by others, unpatched, pointed at a fake organisation on loopback.

Only a transport adapter is mounted on its session; what the client does is its own affair.
"""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from tests.support.fake_salesforce import Rig

HOST = "acme.my.salesforce.com"


class ToLoopback(HTTPAdapter):
    """Sends whatever goes to the vendor's hosts to a local server, the Host header untouched."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]
        """Exchange scheme and address only."""
        _, _, rest = (request.url or "").partition("://")
        host, _, path = rest.partition("/")
        request.headers["Host"] = host
        request.url = f"{self._url}/{path}"
        return super().send(request, **more)


def session(url: str) -> requests.Session:
    """A session whose calls to the vendor end at a local server."""
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", ToLoopback(url))
    return made


def client(rig: Rig) -> Salesforce:
    """Log in with client credentials at My Domain."""
    return Salesforce(
        consumer_key="sim-client",
        consumer_secret="sim-secret",
        domain="acme.my",
        version="68.0",
        session=session(rig.server.url),
    )
