"""What Salesforce's replies mean for whoever asked: the one place where its codes are classified.

Refused requests are arrays with `errorCode`; rows of a collection carry `statusCode`. A write that ended in a server
error may have been executed and is in doubt. Sources: the vendor's pages "Status Codes and Error Responses" and
"sObject Collections".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from connectors.budget import DayOver, TooFast
from connectors.http import Reply, tidy
from connectors.salesforce.ids import full_id
from connectors.salesforce.refusals import MEANINGS
from sync.errors import Fatal, InDoubt, RenkeiError, RequestRefused, Retryable
from sync.ports import FieldError, Outcome

ASK_AGAIN = 900.0
LOCK = "UNABLE_TO_LOCK_ROW"
TRANSIENT = frozenset(
    {LOCK, "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "UNKNOWN_EXCEPTION", "TXN_SECURITY_METERING_ERROR"}
)
FORBIDDEN = frozenset(
    {
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
    }
    | {"INVALID_TYPE", "UNSUPPORTED_API_VERSION"}
)
GONE = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "CANNOT_UPDATE_CONVERTED_LEAD"})
LATER = frozenset({LOCK, "SERVER_UNAVAILABLE", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"})
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_HOLDER = re.compile(r"with id: ([A-Za-z0-9]{15,18})\b")


class ErrorRow(msgspec.Struct, rename="camel"):
    """One refusal of a request."""

    error_code: str = ""
    message: str = ""


_ERRORS = msgspec.json.Decoder(list[ErrorRow])


class SalesforceJudge:
    """Classifies the replies of one organisation; `usage` is told the calls of the last 24 hours and their limit."""

    def __init__(self, system: str, usage: Callable[[int, int], None]) -> None:
        self._system, self._usage = system, usage

    def __call__(self, reply: Reply, *, writing: bool) -> object:
        """The decoded reply of a success (None where it is empty). Raises Fatal, Retryable, QuotaSpent,
        RequestRefused, InDoubt."""
        if told := _USAGE.search(reply.headers.get("sforce-limit-info", "")):
            self._usage(int(told[1]), int(told[2]))
        if not 200 <= reply.status < 300:
            raise self._refusal(reply, writing)
        if not reply.body:
            return None
        try:
            decoded: object = msgspec.json.decode(reply.body)
        except msgspec.DecodeError as error:
            raise self._unclear("answered with something that is no JSON", writing) from error
        return decoded

    def _refusal(self, reply: Reply, writing: bool) -> RenkeiError:
        try:
            rows = _ERRORS.decode(reply.body)
        except msgspec.DecodeError:
            rows = []
        row = rows[0] if rows else ErrorRow()
        said = f"{self._system} said {row.error_code or reply.status}: {tidy(row.message)}."
        if row.error_code == "REQUEST_LIMIT_EXCEEDED":
            if "concurrent" in row.message.lower():
                return TooFast(said, 5.0)
            return DayOver(
                said, ASK_AGAIN, "wait until calls of the last 24 hours expire, or raise the limit"
            )
        if row.error_code == LOCK:
            return Retryable(said, 5.0)
        if reply.status in {420, 429}:
            return TooFast(said, 5.0)
        if reply.status >= 500:
            return self._unclear(f"failed (HTTP {reply.status} {row.error_code})", writing)
        if row.error_code in TRANSIENT:
            return Retryable(said, 1.0)
        return self._lasting(reply.status, row.error_code, said)

    def _lasting(self, status: int, code: str, said: str) -> RenkeiError:
        if status == 401:
            return Fatal(said, "check that the app grants the scope «api» and that its user may sign in")
        if code in FORBIDDEN or status in {403, 410}:
            return Fatal(
                said, "give the integration user the permissions of docs/connectors.md, or change api_version"
            )
        if 300 <= status < 400:
            return Fatal(said, "check login_url and instance_url in the settings")
        code = code or str(status)
        return RequestRefused(said, code, _REQUESTS.get(code, ""), MEANINGS.of(code))

    def _unclear(self, what: str, writing: bool) -> RenkeiError:
        if writing:
            return InDoubt(
                f"{self._system} {what} after a write.", "it is read back before anything is sent again"
            )
        return Retryable(f"{self._system} {what}.", 1.0)


_REQUESTS = {
    "INVALID_FIELD": "let the integration user see the field, or take it out of the mapping",
    "MALFORMED_QUERY": "check the field names of the mapping (`renkei check`)",
}


def outcome_of(row: Mapping[str, object], object_: str, *, creating: bool) -> Outcome:
    """What a row of a collection's reply means."""
    number = row.get("id")
    if row.get("success") is True and isinstance(number, str):
        return Outcome("applied", full_id(number))
    listed = row.get("errors")
    errors = [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    if row.get("success") is not False or not errors:
        raise InDoubt(
            "A row was answered in a way that cannot be read.", "it is read back before it is sent again"
        )
    found = tuple(each for error in errors for each in _field_errors(error))
    codes = {error.code for error in found}
    if creating and (existing := _existing(errors, object_)):
        return Outcome("exists", existing, errors=found)
    if codes & GONE or any(e.code == "INVALID_CROSS_REFERENCE_KEY" and not e.path for e in found):
        return Outcome("refused" if creating else "gone", errors=found)
    if codes <= LATER or any(LOCK in error.message for error in found):
        return Outcome("retry", errors=found, after=5.0)
    return Outcome("refused", errors=found)


def _field_errors(error: Mapping[str, object]) -> list[FieldError]:
    """One error for each field that the vendor names, or one for the record."""
    fields = error.get("fields")
    paths = [str(each) for each in fields] if isinstance(fields, list) else []
    code, message = str(error.get("statusCode", "")), str(error.get("message", ""))
    return [FieldError(path, code, message) for path in paths or [""]]


def _existing(errors: list[dict[str, object]], object_: str) -> str:
    """The id of the one record that a create met, as far as the vendor names it."""
    for error in errors:
        match error.get("statusCode"):
            case "DUPLICATE_VALUE":
                holder = _HOLDER.search(str(error.get("message", "")))
                return full_id(holder[1]) if holder else ""
            case "DUPLICATES_DETECTED":
                ids = _matches(error.get("duplicateResult"), object_)
                return ids.pop() if len(ids) == 1 else ""
            case _:
                pass
    return ""


def _matches(result: object, object_: str) -> set[str]:
    """Ids of the wanted object in a duplicate rule's result; empty where records of other objects matched too."""
    ids: set[str] = set()
    for group in _objects(result, "matchResults"):
        for match in _objects(group, "matchRecords"):
            record = match.get("record")
            if not isinstance(record, dict) or group.get("entityType") != object_:
                return set()
            ids.add(full_id(str(record.get("Id", ""))))
    return ids


def _objects(holder: object, name: str) -> list[dict[str, object]]:
    listed = holder.get(name) if isinstance(holder, dict) else None
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
