"""What is logged, where, and what never is: ids and figures on stderr, no personal data, no secret.

It decides the form of a log line and takes out whatever looks like a person or a secret, by the name of the key and
by the value itself, so that a careless call cannot leak. It knows no vendor.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from connectors.http import Call

_KEYS = re.compile(
    r"secret|token|password|authorization|cookie|credential|mail|phone|fax|address|name$|company|title|value|body",
    re.IGNORECASE,
)
_VALUES = re.compile(
    r"[^\s@'\"<>(),;:]+@[^\s@'\"<>(),;:]+"  # an address
    r"|(?<![A-Za-z0-9])\+?\d[\d\- ()]{8,}\d(?![A-Za-z0-9])"  # a telephone number
    r"|bearer\s+\S+"
    r"|(?:client_secret|access_token|refresh_token|password)=[^\s&]+",
    re.IGNORECASE,
)
_HIDDEN = "…"
# Numbers of ours that look long but name nobody.
_SAFE = frozenset({"event", "level", "timestamp", "route", "system", "label", "digest"})


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what a log must not hold (a structlog processor)."""
    for key in list(event):
        event[key] = _hidden(key, event[key])
    return event


def _hidden(key: str, value: Any) -> Any:
    if key not in _SAFE and _KEYS.search(key):
        return _HIDDEN
    if isinstance(value, str) and key != "timestamp":
        return _VALUES.sub(_HIDDEN, value)
    if isinstance(value, Mapping):
        return {str(name): _hidden(str(name), each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden("", each) for each in value]
    return value


def logger(*, as_json: bool, verbose: bool) -> FilteringBoundLogger:
    """A logger on stderr; warnings only unless `verbose` or JSON is asked for."""
    import logging

    import structlog

    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    found: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.INFO if as_json or verbose else logging.WARNING
        ),
    )
    return found


def call_teller(log: FilteringBoundLogger) -> Any:
    """What the wiring is given to tell of every vendor call."""

    def tell(system: str, call: Call) -> None:
        level = log.info if 200 <= call.status < 300 else log.warning
        level(
            "call",
            system=system,
            label=call.label,
            status=call.status,
            seconds=round(call.seconds, 3),
            bytes=call.size,
        )

    return tell
