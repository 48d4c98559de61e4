"""The envelope around every answer of the fake Marketo.

Success and failure are both HTTP 200; codes are texts. Source: the vendor's page "Error Codes".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulators.http import Response, json_response, text_response
from simulators.marketo.upsert import Outcome


class Envelope:
    """Wraps results and gives each answer its request id."""

    def __init__(self) -> None:
        self._count = 0

    def _request_id(self) -> str:
        self._count += 1
        return f"{self._count % 65_536:x}#{0x19AA00000000 + self._count:x}"

    def success(self, result: Sequence[Any] | None = None, **more: object) -> Response:
        """Answer with a result (left out when None) and further top-level members."""
        body: dict[str, object] = {"requestId": self._request_id(), "success": True}
        if result is not None:
            body["result"] = result
        return json_response(body | more)

    def failure(self, code: str, message: str) -> Response:
        """Refuse the whole request."""
        errors = [{"code": code, "message": message}]
        return json_response({"requestId": self._request_id(), "success": False, "errors": errors})

    def refuse(self, kind: str) -> Response:
        """Word a refusal of the server below: see `simulators.http.Front`."""
        match kind:
            case "rate_limited":
                return self.failure("606", "Max rate limit '100' exceeded with in '20' secs")
            case "too_many":
                return self.failure("615", "Concurrent access limit reached")
            case "timed_out":
                return self.failure("604", "Request timed out")
            case _:
                return text_response("<html><body>502 Bad Gateway</body></html>", 502)


def row_of(outcome: Outcome) -> Mapping[str, object]:
    """Word one row's outcome."""
    if outcome.status == "skipped":
        reason = {"code": outcome.code, "message": outcome.message}
        return {"status": "skipped", "reasons": [reason]}
    return {"id": outcome.id, "status": outcome.status}


def member_row(outcome: Outcome) -> Mapping[str, object]:
    """Word one lead's outcome at a list; here skipped rows name the lead, too."""
    return {"id": outcome.id, **row_of(outcome)}


def seq_rows(outcomes: Sequence[Outcome]) -> list[Mapping[str, object]]:
    """Word the rows of objects other than leads: each with its number in the input."""
    return [{"seq": seq, **row_of(outcome)} for seq, outcome in enumerate(outcomes)]
