"""What the settings of any system have in common: addresses, secrets and limits, checked once when they are read.

Decides which addresses may carry secrets (TLS, or this very machine). Knows no vendor.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict


def _safe_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write a whole address such as https://host.example")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError("use https: secrets travel to this address")
    if parts.username or parts.password:
        raise ValueError("leave user and password out of the address")
    return address.rstrip("/")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _proxy_address(address: str) -> str:
    parts = urlsplit(address)
    if address and (parts.scheme != "http" or not parts.hostname or parts.username or parts.password):
        raise ValueError("write http://host:port, without user and password")
    return address


Address = Annotated[str, AfterValidator(_safe_address)]
"""An https address without a slash at its end; plain http on loopback only."""


class SystemConfig(BaseModel):
    """Settings that every system over HTTP has; times in seconds, `max_reply` in bytes.

    `server_timeout`: after so long the vendor no longer executes a request; the client waits ten seconds longer.
    `daily_reserve`: share of the day's calls that is left to other applications. At most `window_calls` calls within
    `window_seconds`; 0 = no such limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ca_file: str | None = None
    proxy: Annotated[str, AfterValidator(_proxy_address)] = ""
    compress: bool = True
    max_reply: int = 64 * 1024 * 1024
    server_timeout: float = 120.0
    visibility_lag: float = 5.0
    concurrency: int = 4
    window_calls: int = 0
    window_seconds: float = 0.0
    daily_calls: int = 0
    daily_reserve: float = 0.2
