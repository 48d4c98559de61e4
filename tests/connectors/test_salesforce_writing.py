"""How Salesforce is written to: headers that keep owners, what codes mean for a row, records that were met."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from connectors.budget import DayOver, TooFast
from connectors.http import Reply
from connectors.salesforce.errors import SalesforceJudge, outcome_of
from sync.errors import Fatal, InDoubt, RenkeiError, RequestRefused, Retryable
from sync.ports import Write
from sync.record import Ref
from tests.connectors.rigs import SalesforceRig
from tests.contract.connector_suite import results, update

LEAD = Ref("one", "Lead", "00Q5g000000000bEAA")


@pytest.fixture
def rig() -> Iterator[SalesforceRig]:
    """A fresh organisation with its connector."""
    rig = SalesforceRig()
    yield rig
    rig.close()


def test_owners_are_not_moved(rig: SalesforceRig) -> None:
    """Writes switch the assignment rules off, which would give the lead to somebody else."""
    ref = rig.create(rig.person(1))
    owner = rig.stored(ref, "OwnerId")
    rig.connector.write("person", [update(ref, LastName="New")])
    assert rig.stored(ref, "LastName") == "New"
    assert rig.stored(ref, "OwnerId") == owner


def test_a_converted_lead_is_gone(rig: SalesforceRig) -> None:
    """An update of a lead that was converted says «gone»; the event has told what it became."""
    ref = rig.create(rig.person(1))
    rig.convert(ref)
    outcomes = rig.connector.write("person", [update(ref, LastName="New")])
    assert results(outcomes) == ["gone"]
    assert outcomes[0].errors[0].code == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_more_rows_than_a_request_takes_keep_their_places(rig: SalesforceRig) -> None:
    """450 creates are three requests and 450 outcomes in order."""
    outcomes = rig.connector.write("person", [Write(n, rig.ref(), rig.person(n)) for n in range(450)])
    assert [rig.stored(rig.ref(o.id), "LastName") for o in outcomes] == [f"Last{n}" for n in range(450)]
    assert len(rig.log) == 3


def test_a_duplicate_rule_refuses_and_never_overwrites(rig: SalesforceRig) -> None:
    """Where a rule finds twins and the reply names none, the create is refused with the vendor's code."""
    rig.state.switches.duplicate_rules["Lead"] = "alert"
    rig.create(rig.person(1))
    (outcome,) = rig.connector.write("person", [Write(1, rig.ref(), rig.person(1))])
    assert outcome.result == "refused"
    assert outcome.errors[0].code == "DUPLICATES_DETECTED"


def test_a_locked_row_waits_and_a_rule_refuses(rig: SalesforceRig) -> None:
    """A lock passes, a validation rule does not; each row has its own."""
    refs = [rig.create(rig.person(number)) for number in range(8)]
    rig.connector.describe("person")
    rig.faults.script += ["row_refused"] * 8
    outcomes = rig.connector.write("person", [update(ref, LastName="New") for ref in refs])
    codes = {(outcome.result, outcome.errors[0].code) for outcome in outcomes}
    assert codes == {("retry", "UNABLE_TO_LOCK_ROW"), ("refused", "FIELD_CUSTOM_VALIDATION_EXCEPTION")}


def test_a_missing_field_is_named(rig: SalesforceRig) -> None:
    """A row without a required field is refused under that field's path."""
    (outcome,) = rig.connector.write("person", [Write(1, rig.ref(), {"LastName": "x"})])
    assert (outcome.result, outcome.errors[0].path) == ("refused", "Company")


def row(code: str, message: str = "m", fields: tuple[str, ...] = (), **more: object) -> dict[str, object]:
    """A refused row of a collection."""
    error = {"statusCode": code, "message": message, "fields": list(fields), **more}
    return {"success": False, "errors": [error]}


def found(*entries: tuple[str, str]) -> dict[str, object]:
    """A duplicate rule's result."""
    return {
        "matchResults": [
            {"entityType": name, "matchRecords": [{"record": {"attributes": {"type": name}, "Id": number}}]}
            for name, number in entries
        ]
    }


@pytest.mark.parametrize(
    ("answer", "creating", "expected"),
    [
        (row("DUPLICATE_VALUE", "K duplicates value on record with id: 00Q5g000000000b"), True, "exists"),
        (row("DUPLICATE_VALUE", "K duplicates value on record with id: 00Q5g000000000b"), False, "refused"),
        (row("DUPLICATE_VALUE", "duplicate value found"), True, "refused"),
        (row("DUPLICATES_DETECTED", duplicateResult=found(("Lead", LEAD.id))), True, "exists"),
        (row("DUPLICATES_DETECTED", duplicateResult=found(("Contact", LEAD.id))), True, "refused"),
        (row("DUPLICATES_DETECTED", duplicateResult=found(("Lead", "1"), ("Lead", "2"))), True, "refused"),
        (row("DUPLICATES_DETECTED", duplicateResult=found(("Lead", "1"), ("Contact", "2"))), True, "refused"),
        (row("DUPLICATES_DETECTED"), True, "refused"),
        (row("ENTITY_IS_DELETED"), False, "gone"),
        (row("NOT_FOUND"), False, "gone"),
        (row("INVALID_CROSS_REFERENCE_KEY"), False, "gone"),
        (row("INVALID_CROSS_REFERENCE_KEY", fields=("OwnerId",)), False, "refused"),
        (row("UNABLE_TO_LOCK_ROW"), False, "retry"),
        (row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger: UNABLE_TO_LOCK_ROW"), False, "retry"),
        (row("STRING_TOO_LONG", fields=("LastName",)), True, "refused"),
    ],
)
def test_every_row_is_classified_once(answer: dict[str, object], creating: bool, expected: str) -> None:
    """Codes of rows lead to one outcome each; a record that was met is named only where it is certain."""
    outcome = outcome_of(answer, "Lead", creating=creating)
    assert outcome.result == expected
    assert outcome.id == (LEAD.id if expected == "exists" else "")


@pytest.mark.parametrize("answer", [{}, {"success": True}, {"success": False}, {"id": "00Q"}])
def test_a_row_that_cannot_be_read_is_doubt(answer: dict[str, object]) -> None:
    """A row without a clear answer is never taken for applied or refused."""
    with pytest.raises(InDoubt):
        outcome_of(answer, "Lead", creating=True)


def refused(status: int, code: str, message: str = "m") -> Reply:
    """A refused request."""
    return Reply(status, {}, msgspec.json.encode([{"errorCode": code, "message": message}]))


@pytest.mark.parametrize(
    ("answer", "reading", "writing"),
    [
        (refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), DayOver, DayOver),
        (refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."), TooFast, TooFast),
        (refused(400, "UNABLE_TO_LOCK_ROW"), Retryable, Retryable),
        (refused(500, "UNABLE_TO_LOCK_ROW"), Retryable, Retryable),
        (refused(400, "QUERY_TIMEOUT"), Retryable, Retryable),
        (refused(503, "SERVER_UNAVAILABLE"), Retryable, InDoubt),
        (refused(500, "UNKNOWN_EXCEPTION"), Retryable, InDoubt),
        (refused(401, "INVALID_SESSION_ID"), Fatal, Fatal),
        (refused(403, "API_DISABLED_FOR_ORG"), Fatal, Fatal),
        (refused(410, "UNSUPPORTED_API_VERSION"), Fatal, Fatal),
        (refused(400, "INVALID_FIELD"), RequestRefused, RequestRefused),
        (refused(400, "MALFORMED_QUERY"), RequestRefused, RequestRefused),
        (refused(404, "NOT_FOUND"), RequestRefused, RequestRefused),
        (Reply(302, {}, b""), Fatal, Fatal),
        (Reply(429, {}, b""), TooFast, TooFast),
        (Reply(200, {}, b"<html>"), Retryable, InDoubt),
    ],
)
def test_every_reply_is_classified_once(
    answer: Reply, reading: type[RenkeiError], writing: type[RenkeiError]
) -> None:
    """Codes and statuses mean the same for every call, and doubt only after writes."""
    judge = SalesforceJudge("one", lambda _used, _limit: None)
    for is_write, expected in ((False, reading), (True, writing)):
        with pytest.raises(RenkeiError) as caught:
            judge(answer, writing=is_write)
        assert type(caught.value) is expected


def test_messages_lose_addresses_and_numbers() -> None:
    """What a vendor quotes of a person does not get into an error."""
    judge = SalesforceJudge("one", lambda _used, _limit: None)
    answer = refused(400, "INVALID", "bad value taro@mail.example or +81 90-1234-5678 in Email")
    with pytest.raises(RequestRefused) as caught:
        judge(answer, writing=False)
    assert "taro" not in str(caught.value)
    assert "1234" not in str(caught.value)
    assert "in Email" in str(caught.value)
