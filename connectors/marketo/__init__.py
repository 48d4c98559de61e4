"""Adobe Marketo Engage over REST: leads as persons."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.http import Call
from connectors.marketo.config import MarketoConfig
from connectors.marketo.connector import Marketo
from sync.ports import Clock

__all__ = ["Marketo", "MarketoConfig", "open_connector"]


def open_connector(
    system: str,
    settings: Mapping[str, object],
    clock: Clock,
    log: Callable[[Call], None] | None = None,
    /,
) -> Marketo:
    """The factory for the registry. Raises pydantic.ValidationError."""
    return Marketo(system, MarketoConfig.model_validate(settings), clock, log)
