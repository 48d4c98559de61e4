"""Settings of one Marketo instance. Decides defaults only; the figures are the vendor's published ones."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from connectors.marketo.errors import RESET
from connectors.resets import Reset
from connectors.settings import Address, Moment, SystemConfig

_MUNCHKIN = re.compile(r"(\d{3}-[a-z]{3}-\d{3})\.", re.IGNORECASE)


class MarketoConfig(SystemConfig):
    """One instance and its API-only user.

    `rest_url` ends in /rest; identity and bulk addresses stand beside it unless given. `full_read`: `bulk` reads
    everything by extract jobs over creation dates, `feed` trusts the activity log to reach back to the first lead.
    `earliest`: no lead is older (day; "" = found out by looking at the first lead ids). `activity_types`: new lead,
    changed value, changed score, merge, deletion and further types whose leads are to be read, ten at most.
    `read_usage`: ask the instance how many calls everybody has made, every five minutes at most while we call it.
    Times in seconds.
    """

    rest_url: Address
    identity_url: Address | Literal[""] = ""
    bulk_url: Address | Literal[""] = ""
    client_id: str
    client_secret: SecretStr
    identity_method: Literal["GET", "POST"] = "GET"
    full_read: Literal["bulk", "feed"] = "bulk"
    earliest: Moment = ""
    activity_types: tuple[int, ...] = (12, 13, 22, 32, 37)
    merge_type: int = 32
    deletion_type: int = 37
    poll_seconds: float = 60.0
    jobs_ahead: int = Field(default=2, ge=1, le=10)
    window_calls: int = Field(default=80, ge=0)
    window_seconds: float = Field(default=20.0, ge=0.0)
    server_timeout: float = 90.0
    visibility_lag: float = 10.0
    daily_calls: int = Field(default=50_000, ge=0)
    daily_reset: Reset = RESET
    read_usage: bool = True
    part_bytes: int = 2 * 1024 * 1024

    @property
    def identity(self) -> str:
        """Where tokens are given."""
        return self.identity_url or f"{self.rest_url.removesuffix('/rest')}/identity"

    @property
    def munchkin_id(self) -> str:
        """The instance's own id, which its address begins with ("" = the address is another one, such as a proxy's)."""
        found = _MUNCHKIN.match(urlsplit(self.rest_url).hostname or "")
        return found[1].upper() if found else ""

    @property
    def bulk(self) -> str:
        """Where extract jobs live."""
        return self.bulk_url or f"{self.rest_url.removesuffix('/rest')}/bulk"
