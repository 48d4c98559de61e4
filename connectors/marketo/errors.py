"""What Marketo's replies mean for whoever asked: the one place where its codes are classified.

Nearly every error comes inside HTTP 200. 6xx codes mean that nothing was executed, with two exceptions that we do not
trust after a write: 604 (timed out) and 611 (system error). Source: the vendor's page "Error Codes".
"""

from __future__ import annotations

import msgspec

from connectors.budget import DayOver, TooFast
from connectors.http import Reply, tidy
from connectors.marketo.refusals import MEANINGS
from connectors.resets import resets_at
from sync.errors import Fatal, InDoubt, Meaning, QuotaSpent, RenkeiError, RequestRefused, Retryable
from sync.ports import Clock, FieldError, Outcome

AMBIGUOUS = frozenset({"502", "604", "611"})
TRANSIENT = frozenset({"608", "614", "713", "719"}) | AMBIGUOUS
TOKEN = frozenset({"601", "602"})
FORBIDDEN = frozenset({"603", "616", "703", "1035"})
CLOSED = "1018"
WAITS = frozenset({"606", "607", "615", "1029"})
GONE = frozenset({"1004", "1013"})
RESET = "00:00 America/Chicago"


class ErrorRow(msgspec.Struct):
    """A code (text) with the vendor's message."""

    code: str = ""
    message: str = ""


class Envelope(msgspec.Struct, rename="camel"):
    """What every REST reply is wrapped in."""

    success: bool = False
    result: object = None
    errors: list[ErrorRow] | None = None
    next_page_token: str | None = None
    more_result: bool = False

    @property
    def rows(self) -> list[dict[str, object]]:
        """The result's objects; absent means none."""
        return [row for row in self.result if isinstance(row, dict)] if isinstance(self.result, list) else []


_DECODER = msgspec.json.Decoder(Envelope)


def until_reset(now: float, at: str = RESET) -> float:
    """Seconds to the reset of the daily quota: midnight US Central, unless the settings say otherwise."""
    until = resets_at(at or RESET)
    assert until is not None
    return until(now)


class MarketoJudge:
    """Classifies the replies of one instance."""

    def __init__(self, system: str, clock: Clock, window_seconds: float, reset: str = RESET) -> None:
        self._system, self._clock, self._window, self._reset = system, clock, window_seconds, reset

    def __call__(self, reply: Reply, *, writing: bool) -> Envelope:
        """The envelope of a success. Raises Fatal, Retryable, QuotaSpent, RequestRefused, InDoubt."""
        if reply.status != 200:
            raise self.by_status(reply.status, writing)
        try:
            envelope = _DECODER.decode(reply.body)
        except msgspec.DecodeError as error:
            raise self._unclear("answered with something that is no JSON of its own", writing) from error
        if not envelope.success:
            raise self.by_code(envelope.errors[0] if envelope.errors else ErrorRow(), writing)
        return envelope

    def by_status(self, status: int, writing: bool) -> RenkeiError:
        """The error for a reply that is not 200, which only gateways and size limits give."""
        match status:
            case 401 | 403:
                return Fatal(f"{self._system} denies access (HTTP {status}).", _PERMIT)
            case 413 | 414 | 431:
                said = f"A request to {self._system} is too large."
                return RequestRefused(said, str(status), meaning=Meaning.SIZE)
            case 429:
                return TooFast(f"{self._system} is called too often.", self._window)
            case _ if status >= 500:
                return self._unclear(f"failed (HTTP {status})", writing)
            case _ if 300 <= status < 400:
                return Fatal(f"{self._system} points to another address.", "check rest_url in the settings")
            case _:
                return RequestRefused(
                    f"{self._system} refused a request (HTTP {status}).", str(status), "check rest_url"
                )

    def by_code(self, row: ErrorRow, writing: bool) -> RenkeiError:
        """The error for a whole request that was refused inside an envelope."""
        code, said = row.code, f"{self._system} said {row.code}: {tidy(row.message)}."
        if code in WAITS:
            return self._wait(code, said)
        if code in TOKEN:
            return Fatal(
                f"{self._system} refuses a fresh token ({code}).", "check the API user of the client id"
            )
        if writing and (code in AMBIGUOUS or not code):
            return InDoubt(said, "it is read back before anything is sent again")
        if code in TRANSIENT or not code:
            return Retryable(said, 1.0)
        if code in FORBIDDEN:
            return Fatal(said, _PERMIT)
        if code == CLOSED:
            said = f"{self._system} keeps its companies closed because its own CRM sync is on ({code})."
        return RequestRefused(said, code, _REQUESTS.get(code, ""), MEANINGS.of(code, row.message))

    def _wait(self, code: str, said: str) -> Retryable:
        match code:
            case "606":
                return TooFast(said, self._window)
            case "607":
                after = until_reset(self._clock.now(), self._reset)
                return DayOver(said, after, "wait for midnight US Central, or raise the quota")
            case "1029":
                return QuotaSpent(
                    said, 600.0, "wait until other extract jobs end or the day's extract quota is reset"
                )
            case _:  # 615, too many at once
                return TooFast(said, 1.0)

    def _unclear(self, what: str, writing: bool) -> RenkeiError:
        if writing:
            return InDoubt(
                f"{self._system} {what} after a write.", "it is read back before anything is sent again"
            )
        return Retryable(f"{self._system} {what}.", 1.0)


_PERMIT = (
    "give the API user's role the permissions of docs/connectors.md, and check the list of allowed addresses"
)
_REQUESTS = {
    "1006": "check the field names of the mapping against the instance (`renkei check`)",
    CLOSED: "leave the accounts' mapping out and map company fields at persons, or switch that sync off",
    "610": "check rest_url in the settings",
}


def outcome_of(row: dict[str, object], sent: dict[str, object], known: str = "") -> Outcome | None:
    """What a row of a result means; None = a create met an existing record. `sent` are the values as they left,
    `known` is the record's id where the vendor's row does not tell it."""
    status, number = row.get("status"), row.get("id")
    if status in {"created", "updated"} and (known or isinstance(number, int)):
        return Outcome("applied", known or str(number))
    found = reasons_of(row, sent)
    codes = {error.code for error in found}
    if codes & {"1005", "1007", "1017"}:
        return None
    if codes & GONE:
        return Outcome("gone", errors=found)
    if codes & (TRANSIENT | {"606", "615", "1036"}):
        return Outcome("retry", errors=found, after=5.0)
    return Outcome("refused", errors=found)


def reasons_of(row: dict[str, object], sent: dict[str, object]) -> tuple[FieldError, ...]:
    """Why a row was skipped. Raises InDoubt where it does not say so."""
    reasons = row.get("reasons")
    found = (
        tuple(_field_error(reason, sent) for reason in reasons if isinstance(reason, dict))
        if isinstance(reasons, list)
        else ()
    )
    if row.get("status") != "skipped" or not found:
        raise InDoubt(
            "A row was answered in a way that cannot be read.", "it is read back before it is sent again"
        )
    return found


def _field_error(reason: dict[str, object], sent: dict[str, object]) -> FieldError:
    """A reason, and the field that its message quotes, if we sent one of that name."""
    code, message = str(reason.get("code", "")), str(reason.get("message", ""))
    quoted = [part for part in message.split("'")[1::2] if part in sent]
    return FieldError(quoted[0] if quoted else "", code, message)
