"""What the settings of any system have in common: addresses, secrets and limits, checked once when they are read.

Decides which addresses may carry secrets (TLS, or this very machine). Knows no vendor.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from connectors.resets import Reset
from connectors.stamps import iso


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


def _moment(value: object) -> object:
    if isinstance(value, date):  # what YAML makes of a date without quotation marks
        value = value.isoformat()
    if not isinstance(value, str) or not value:
        return value
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("write a day such as 2019-04-01") from None
    return iso((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


Address = Annotated[str, AfterValidator(_safe_address)]
"""An https address without a slash at its end; plain http on loopback only."""

Moment = Annotated[str, BeforeValidator(_moment)]
"""A day or a time, UTC unless it says otherwise, kept as `…Z` ("" = none)."""


class SystemConfig(BaseModel):
    """Settings that every system over HTTP has; times in seconds, `max_reply` in bytes.

    `server_timeout`: after so long the vendor no longer executes a request; the client waits ten seconds longer.
    At most `window_calls` calls within `window_seconds`, `concurrency` at once; 0 = no such limit. `daily_calls` are
    everybody's and begin anew at `daily_reset` ("" = the last 24 hours count); the share `daily_reserve` of them is
    left to other applications, and `daily_own` bounds our own. Backfills stop while less than `backfill_floor` of our
    share is left, ordinary changes at `delta_floor`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ca_file: str | None = None
    proxy: Annotated[str, AfterValidator(_proxy_address)] = ""
    compress: bool = True
    max_reply: int = 64 * 1024 * 1024
    server_timeout: float = 120.0
    visibility_lag: float = 5.0
    concurrency: int = Field(default=4, ge=1)
    window_calls: int = Field(default=0, ge=0)
    window_seconds: float = Field(default=0.0, ge=0.0)
    daily_calls: int = Field(default=0, ge=0)
    daily_reserve: float = Field(default=0.2, ge=0.0, lt=1.0)
    daily_own: int = Field(default=0, ge=0)
    daily_reset: Reset = ""
    backfill_floor: float = Field(default=0.5, ge=0.0, lt=1.0)
    delta_floor: float = Field(default=0.1, ge=0.0, lt=1.0)
