"""Signing in: where secrets go, what a renewal brings, and addresses that are trusted."""

from __future__ import annotations

import msgspec
import pytest
from pydantic import SecretStr, ValidationError

from connectors.marketo import MarketoConfig
from connectors.salesforce import SalesforceConfig
from simulators.salesforce.oauth import Credentials
from sync.errors import Fatal
from tests.connectors.rigs import CANARY, MarketoRig, SalesforceRig


def test_a_rotated_refresh_token_is_handed_on_and_used() -> None:
    """A vendor that replaces the refresh token is asked with the new one next time."""
    rig = SalesforceRig()
    rig.api.sessions.credentials = Credentials(rotate_refresh=True)
    told: list[SecretStr] = []
    connector = rig.opened(refresh_token=SecretStr(Credentials().refresh_token))
    connector.client._auth._rotated = told.append
    connector.limits()
    rig.expire()
    connector.limits()
    assert len({token.get_secret_value() for token in told}) == 2
    connector.close()
    rig.close()


def test_an_ended_refresh_token_is_fatal() -> None:
    """A grant that was withdrawn needs a person."""
    rig = SalesforceRig()
    connector = rig.opened(refresh_token=SecretStr("withdrawn"))
    with pytest.raises(Fatal, match="invalid_grant"):
        connector.limits()
    connector.close()
    rig.close()


def test_a_session_that_never_holds_is_fatal_after_one_renewal() -> None:
    """A token that is refused as soon as it is given is not asked for again and again."""
    rig = SalesforceRig()
    rig.state.switches.session_seconds = 0.0
    with pytest.raises(Fatal, match="INVALID_SESSION_ID"):
        rig.connector.limits()
    assert len(rig.api.sessions._issued) == 2
    rig.close()


def test_the_organisations_own_address_is_used() -> None:
    """Requests go where the token says the organisation lives, unless the settings name a place."""
    rig, other = SalesforceRig(), SalesforceRig()
    other.api.sessions = rig.api.sessions
    rig.api.instance_url = other.server.url
    assert rig.connector.limits().daily_calls == 100_000
    assert (rig.api.quota.used(rig.clock.now()), other.api.quota.used(rig.clock.now())) == (0, 1)
    fixed = rig.opened(instance_url=rig.server.url)
    fixed.limits()
    assert (rig.api.quota.used(rig.clock.now()), other.api.quota.used(rig.clock.now())) == (1, 1)
    for each in (fixed, rig, other):
        each.close()


@pytest.mark.parametrize("kind", [MarketoRig, SalesforceRig])
def test_a_token_that_is_not_given_just_now_is_asked_for_again(
    kind: type[MarketoRig | SalesforceRig],
) -> None:
    """«Too many calls» in place of a token says nothing about our credentials."""
    rig = kind()
    rig.faults.script += ["rate_limited"]
    assert rig.connector.limits().daily_calls > 0
    assert rig.faults.script == []
    rig.close()


def test_the_identity_may_be_asked_by_form() -> None:
    """Where the vendor takes a form, the secret stays out of the address."""
    rig = MarketoRig()
    connector = rig.opened(identity_method="POST")
    assert connector.limits().daily_calls == 50_000
    connector.close()
    rig.close()


@pytest.mark.parametrize(
    "address",
    ["http://vendor.example", "ftp://vendor.example", "vendor.example", "https://u:p@vendor.example"],
)
def test_secrets_travel_to_safe_addresses_only(address: str) -> None:
    """Plain http is for this machine alone, and addresses hold no passwords."""
    with pytest.raises(ValidationError):
        SalesforceConfig(login_url=address, client_id="a", client_secret=SecretStr("b"))
    safe = SalesforceConfig(login_url="https://v.example/", client_id="a", client_secret=SecretStr("b"))
    assert safe.login_url == "https://v.example"


@pytest.mark.parametrize(
    "proxy", ["http://u:p@proxy.example:3128", "socks5://proxy.example", "proxy.example:3128"]
)
def test_a_proxys_address_holds_no_password(proxy: str) -> None:
    """A proxy is named by a plain address, so that settings can be shown."""
    with pytest.raises(ValidationError):
        SalesforceConfig(
            login_url="https://v.example", client_id="a", client_secret=SecretStr("b"), proxy=proxy
        )


def test_settings_show_no_secret() -> None:
    """Neither representation nor export of settings holds a secret, and they cannot be changed."""
    config = MarketoConfig(
        rest_url="https://123-abc-456.mktorest.com/rest", client_id="a", client_secret=SecretStr(CANARY)
    )
    assert CANARY not in repr(config) + str(config) + config.model_dump_json()
    assert config.identity == "https://123-abc-456.mktorest.com/identity"
    assert config.bulk == "https://123-abc-456.mktorest.com/bulk"
    with pytest.raises(ValidationError):
        config.client_id = "b"
    assert msgspec.json.encode(config.activity_types) == b"[12,13,22,32,37]"
