"""What only a vendor's answers tell: what the system calls itself, and what time it has there."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from connectors.marketo import MarketoConfig
from simulators.salesforce.oauth import ORGANISATION
from tests.support.town import MARKETO, SALESFORCE, Town


def test_an_organisation_names_itself_with_its_first_token() -> None:
    """Before the first call nobody knows, after it the organisation's own id is a fact; where an instance hides behind
    another address nothing is made up."""
    with Town() as town:
        assert town.windows[SALESFORCE].capabilities.identity == ""
        town.cycle(send=False)
        assert town.windows[SALESFORCE].capabilities.identity == ORGANISATION
        assert town.windows[MARKETO].capabilities.identity == ""


def test_a_clock_that_is_off_is_told_by_the_answers() -> None:
    """Two days and two hours are a fact of the system, a few seconds are none, and a clock can come right again."""
    with Town() as town:
        town.cycle(send=False)
        assert town.windows[SALESFORCE].capabilities.clock_ahead == 0.0
        true = town.salesforce.clock

        class Off:
            """The vendor's clock, set wrong."""

            def now(self) -> float:
                return true.now() + 180_000.0

        town.salesforce.clock = Off()
        town.cycle(send=False)
        assert town.windows[SALESFORCE].capabilities.clock_ahead == pytest.approx(180_000.0, abs=5.0)
        town.salesforce.clock = true
        town.wait()
        town.cycle(send=False)
        assert town.windows[SALESFORCE].capabilities.clock_ahead == 0.0


@pytest.mark.parametrize(("address", "name"), [
    ("https://123-abc-456.mktorest.com/rest", "123-ABC-456"), ("https://proxy.example/rest", ""),
    ("http://127.0.0.1:8080/rest", ""),
])  # fmt: skip
def test_an_instance_is_named_by_its_address(address: str, name: str) -> None:
    """The vendor's own addresses begin with the instance's id; others say nothing."""
    config = MarketoConfig(rest_url=address, client_id="us", client_secret=SecretStr("x"))
    assert config.munchkin_id == name
