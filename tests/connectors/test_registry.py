"""Names lead to connectors, and settings that cannot be used say which, without their values."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from connectors import registry
from connectors.marketo import Marketo
from connectors.memory import Memory
from connectors.salesforce import Salesforce
from sync.errors import Fatal
from tests.connectors.rigs import CANARY, RigClock

MARKETO = {"rest_url": "https://vendor.example/rest", "client_id": "a", "client_secret": CANARY}
SALESFORCE = {"login_url": "https://vendor.example", "client_id": "a", "client_secret": CANARY}


def test_our_own_connectors_open_without_a_call() -> None:
    """Opening a system reads settings and calls nobody."""
    clock = RigClock()
    marketo = registry.open_connector("marketo", "ma", MARKETO, clock)
    salesforce = registry.open_connector("salesforce", "sfa", SALESFORCE, clock)
    assert isinstance(marketo, Marketo)
    assert isinstance(salesforce, Salesforce)
    marketo.close()
    salesforce.close()


def test_an_unknown_name_gets_a_hint() -> None:
    """A misspelt name is answered with the one that was probably meant."""
    with pytest.raises(Fatal) as caught:
        registry.open_connector("marketto", "ma", MARKETO, RigClock())
    assert "marketo" in caught.value.next_step


def test_wrong_settings_are_named_and_not_shown() -> None:
    """What is missing or unknown is named; no value of any setting appears."""
    settings = {"rest_url": "http://vendor.example", "client_secret": CANARY, "colour": CANARY}
    with pytest.raises(Fatal) as caught:
        registry.open_connector("marketo", "ma", settings, RigClock())
    for name in ("rest_url", "client_id", "colour"):
        assert name in str(caught.value)
    assert CANARY not in str(caught.value) + repr(caught.value.__cause__)


def open_memory(system: str, settings: object, clock: RigClock, log: object = None, /) -> Memory:
    """A factory as another package would bring it."""
    return Memory(system, clock, [], {})


def test_other_packages_bring_connectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A factory under the entry-point group is found by its name, and cannot take the place of ours."""
    entries = EntryPoints(
        EntryPoint(name=name, value="tests.connectors.test_registry:open_memory", group=registry.GROUP)
        for name in ("toy", "marketo")
    )
    monkeypatch.setattr(registry, "entry_points", entries.select)
    assert registry.names() == ["marketo", "salesforce", "toy"]
    toy = registry.open_connector("toy", "t", {}, RigClock())
    assert isinstance(toy, Memory)
    assert toy.capabilities.system == "t"
    assert isinstance(registry.open_connector("marketo", "ma", MARKETO, RigClock()), Marketo)
