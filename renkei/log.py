"""What is logged, where, and what never is: ids and figures on stderr, no personal data, no secret.

It decides the form of a log line and takes out whatever looks like a person or a secret, by the name of the key and
by the value itself, so that a careless call cannot leak. It knows no vendor.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

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
_SHORTEST = 4  # whatever is shorter would take letters out of every word
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


def personal(text: str) -> str:
    """A text without addresses, telephone numbers and credentials, as far as they can be told by their form."""
    return _VALUES.sub(_HIDDEN, text)


class Hiding:
    """Takes known secrets out of any text, in the forms in which they travel: plain, in URLs, in JSON, in base64."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: set[str] = set()
        self._found: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these too."""
        self._forms |= {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._found = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        return text if self._found is None else self._found.sub(_HIDDEN, text)

    def processor(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """The same for every text of a log line (a structlog processor)."""
        for key in list(event):
            event[key] = self._anywhere(event[key])
        return event

    def _anywhere(self, value: Any) -> Any:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(name)): self._anywhere(each) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._anywhere(each) for each in value]
        return value


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), encoded, *in_json}


def logger(*, as_json: bool, verbose: bool, hiding: Hiding | None = None) -> FilteringBoundLogger:
    """A logger on stderr; warnings only unless `verbose` or JSON is asked for. `hiding` knows the secrets."""
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
            *([hiding.processor] if hiding is not None else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.INFO if as_json or verbose else logging.WARNING
        ),
    )
    return found


@contextmanager
def service_logger(*, as_json: bool, hiding: Hiding) -> Iterator[FilteringBoundLogger]:
    """The service's logger; what libraries warn of, and what ends a thread, becomes a line of it as well."""
    import logging
    import threading

    found = logger(as_json=as_json, verbose=True, hiding=hiding)
    excepthook = threading.excepthook

    class Forward(logging.Handler):
        """Hands warnings on, without values."""

        def emit(self, record: logging.LogRecord) -> None:
            found.warning("library warns", library=record.name, place=f"{record.module}:{record.lineno}")

    handler = Forward(level=logging.WARNING)
    logging.getLogger().addHandler(handler)
    threading.excepthook = lambda told: found.error("a thread ended", error=told.exc_type.__name__)
    try:
        yield found
    finally:
        threading.excepthook = excepthook
        logging.getLogger().removeHandler(handler)


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
