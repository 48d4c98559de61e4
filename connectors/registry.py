"""Which connectors there are: our own, and those that other packages bring along.

Decides names only. A vendor's module is imported when its name is asked for, so that a command that needs one vendor
does not pay for the others. Third parties register a factory under the entry-point group `renkei.connectors`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from sync.errors import Fatal
from sync.ports import Clock, Connector

if TYPE_CHECKING:
    from connectors.http import Call

GROUP = "renkei.connectors"
BUILT_IN: Mapping[str, str] = {
    "marketo": "connectors.marketo:open_connector",
    "salesforce": "connectors.salesforce:open_connector",
}


class Factory(Protocol):
    """What opens a system: its name, its settings as read (secrets as text or SecretStr), the host's clock, and who is
    told of each call. Raises ValueError (pydantic's ValidationError is one) for settings that cannot be used."""

    def __call__(
        self,
        system: str,
        settings: Mapping[str, object],
        clock: Clock,
        log: Callable[[Call], None] | None = None,
        /,
    ) -> Connector:
        """A connector that has not called anybody yet."""
        ...


def names() -> list[str]:
    """All connectors that can be opened."""
    return sorted({*BUILT_IN, *(entry.name for entry in entry_points(group=GROUP))})


def factory(name: str) -> Factory:
    """The factory of a connector; ours go before others of the same name. Raises Fatal for an unknown name."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found: Factory = getattr(import_module(module), attribute)
        return found
    for entry in entry_points(group=GROUP, name=name):
        brought: Factory = entry.load()
        return brought
    close = difflib.get_close_matches(name, names(), 1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names())}"
    raise Fatal(f"There is no connector named {name!r}.", hint)


def open_connector(
    name: str,
    system: str,
    settings: Mapping[str, object],
    clock: Clock,
    log: Callable[[Call], None] | None = None,
) -> Connector:
    """Open a system under its configured name. Raises Fatal for an unknown connector or settings it cannot use; the
    message names the settings and never their values."""
    try:
        return factory(name)(system, settings, clock, log)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        step = f"correct them in the settings file; a secret is set as RENKEI_{system.upper()}__… or in a secret file"
        raise Fatal(f"The settings of {system} cannot be used ({wrong}).", step) from None
