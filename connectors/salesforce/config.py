"""Settings of one Salesforce organisation. Decides defaults only; the figures are the vendor's published ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from connectors.settings import Address, SystemConfig


class SalesforceConfig(SystemConfig):
    """One organisation and its integration user.

    `login_url` is the organisation's My Domain; `instance_url` overrides the address that the token names. With a
    `refresh_token` that grant is used, else client credentials. `overlap`: seconds before the vendor's present that
    are read once more, for transactions that commit later than their stamp says, never less than `visibility_lag`.
    `daily_calls` 0 = as the vendor reports with every reply. `objects`: the objects of persons.
    """

    login_url: Address
    instance_url: Address | Literal[""] = ""
    api_version: str = Field(default="68.0", pattern=r"^\d{2,3}\.0$")
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr | None = None
    objects: tuple[str, ...] = ("Lead", "Contact")
    overlap: float = 10.0
    client_name: str = Field(default="renkei", pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    server_timeout: float = 600.0
    visibility_lag: float = 5.0
