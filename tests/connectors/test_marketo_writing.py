"""How Marketo is written to: which key a create is looked up by, and what its codes mean for a row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.budget import DayOver, TooFast
from connectors.http import Reply
from connectors.marketo.errors import MarketoJudge, outcome_of, until_reset
from sync.errors import Fatal, InDoubt, QuotaSpent, RenkeiError, RequestRefused, Retryable
from sync.ports import Write
from sync.record import Raw
from tests.connectors.rigs import MarketoRig, RigClock
from tests.contract.connector_suite import results, update


@pytest.fixture
def rig() -> Iterator[MarketoRig]:
    """A fresh vendor with its connector."""
    rig = MarketoRig()
    yield rig
    rig.close()


def test_a_create_is_looked_up_by_our_own_key_first(rig: MarketoRig) -> None:
    """A create that names a key of ours meets the lead that bears it, whatever its address."""
    taken = rig.create(rig.person(1, sfaId="00Q1"))
    (outcome,) = rig.connector.write("person", [Write(1, rig.ref(), rig.person(2, sfaId="00Q1"), "sfaId")])
    assert (outcome.result, outcome.id) == ("exists", taken.id)


def test_several_bearers_of_an_address_are_not_guessed_between(rig: MarketoRig) -> None:
    """Where several leads bear the address the create says «exists» and names none."""
    for _ in range(2):
        rig.create(rig.person(1))
    (outcome,) = rig.connector.write("person", [Write(1, rig.ref(), rig.person(1))])
    assert (outcome.result, outcome.id) == ("exists", "")


def test_creates_by_different_keys_in_one_call_keep_their_places(rig: MarketoRig) -> None:
    """Rows that need different requests are answered in the order in which they were given."""
    rows: list[dict[str, Raw]] = [
        rig.person(1, sfaId="k1"),
        {"lastName": "NoKey"},
        rig.person(2),
        {"lastName": "Key", "sfaId": "k3"},
    ]
    writes = [Write(n, rig.ref(), row, "sfaId" if n == 0 else "") for n, row in enumerate(rows)]
    outcomes = rig.connector.write("person", writes)
    assert results(outcomes) == ["applied", "refused", "applied", "applied"]
    names = [rig.stored(rig.ref(o.id), "lastName") for o in outcomes if o.id]
    assert names == ["Last1", "Last2", "Key"]


def test_long_rows_are_cut_into_requests_by_size(rig: MarketoRig) -> None:
    """300 leads of more than 1 MB go in as few requests as fit, and a lead that fits into none is refused."""
    rig.state.add_field("notes", "text")
    writes = [Write(n, rig.ref(), rig.person(n, notes="x" * 5_000)) for n in range(299)]
    writes.append(Write(299, rig.ref(), rig.person(299, notes="x" * 1_100_000)))
    outcomes = rig.connector.write("person", writes)
    assert results(outcomes) == ["applied"] * 299 + ["refused"]
    assert rig.state.calls["sync leads"] == 2


def test_a_lost_second_request_leaves_the_whole_call_in_doubt(rig: MarketoRig) -> None:
    """Once one part was executed, nothing may claim that nothing was."""
    rig.state.add_field("notes", "text")
    writes = [Write(n, rig.ref(), rig.person(n, notes="x" * 5_000)) for n in range(300)]
    rig.connector.describe("person")
    sync = rig.connector.client.sync_leads

    def second_is_lost(action: str, lookup: str, rows: list[bytes]) -> object:
        if rig.state.calls["sync leads"]:
            rig.faults.script.append("lost_after_commit")
        return sync(action, lookup, rows)

    rig.connector.client.sync_leads = second_is_lost  # type: ignore[method-assign,assignment]
    with pytest.raises(InDoubt):
        rig.connector.write("person", writes)
    assert len(rig.ledger) == 300


def test_a_refused_second_request_is_tried_again_later(rig: MarketoRig) -> None:
    """A rate limit between two parts keeps the first part's outcomes."""
    rig.state.add_field("notes", "text")
    writes = [Write(n, rig.ref(), rig.person(n, notes="x" * 5_000)) for n in range(300)]
    rig.connector.describe("person")
    sync = rig.connector.client.sync_leads

    def second_is_refused(action: str, lookup: str, rows: list[bytes]) -> object:
        if rig.state.calls["sync leads"]:
            rig.faults.script.append("rate_limited")
        return sync(action, lookup, rows)

    rig.connector.client.sync_leads = second_is_refused  # type: ignore[method-assign,assignment]
    outcomes = rig.connector.write("person", writes)
    assert set(results(outcomes)) == {"applied", "retry"}
    assert results(outcomes).count("applied") == len(rig.ledger)


def test_a_refusal_names_the_field_where_the_vendor_does(rig: MarketoRig) -> None:
    """A value that the vendor refuses is refused with its field's path."""
    ref = rig.create(rig.person(1))
    (outcome,) = rig.connector.write("person", [update(ref, email="not an address", lastName="x")])
    assert outcome.result == "refused"
    assert [error.path for error in outcome.errors] == ["email"]


def reply(body: bytes, status: int = 200) -> Reply:
    """A reply as the transport gives it."""
    return Reply(status, {}, body)


def failed(code: str) -> Reply:
    """A refused request."""
    return reply(b'{"success":false,"errors":[{"code":"%s","message":"m"}]}' % code.encode())


@pytest.mark.parametrize(
    ("answer", "reading", "writing"),
    [
        (failed("606"), TooFast, TooFast),
        (failed("615"), TooFast, TooFast),
        (failed("607"), DayOver, DayOver),
        (failed("1029"), QuotaSpent, QuotaSpent),
        (failed("604"), Retryable, InDoubt),
        (failed("611"), Retryable, InDoubt),
        (failed("608"), Retryable, Retryable),
        (failed("713"), Retryable, Retryable),
        (failed("602"), Fatal, Fatal),
        (failed("603"), Fatal, Fatal),
        (failed("1018"), RequestRefused, RequestRefused),
        (failed("1006"), RequestRefused, RequestRefused),
        (failed("609"), RequestRefused, RequestRefused),
        (reply(b'{"success":false}'), Retryable, InDoubt),
        (reply(b"<html>"), Retryable, InDoubt),
        (reply(b'{"success":tr'), Retryable, InDoubt),
        (reply(b"", 502), Retryable, InDoubt),
        (reply(b"", 413), RequestRefused, RequestRefused),
        (reply(b"", 429), TooFast, TooFast),
        (reply(b"", 302), Fatal, Fatal),
        (reply(b"", 404), RequestRefused, RequestRefused),
        (reply(b"", 403), Fatal, Fatal),
    ],
)
def test_every_reply_is_classified_once(
    answer: Reply, reading: type[RenkeiError], writing: type[RenkeiError]
) -> None:
    """Codes and statuses mean the same for every call, and doubt only after writes."""
    judge = MarketoJudge("one", RigClock(), 20.0)
    for is_write, expected in ((False, reading), (True, writing)):
        with pytest.raises(RenkeiError) as caught:
            judge(answer, writing=is_write)
        assert type(caught.value) is expected


def test_the_daily_quota_comes_back_at_six_utc() -> None:
    """Midnight US Central is 06:00 UTC in winter and 05:00 in summer."""
    judge = MarketoJudge("one", RigClock(), 20.0)
    with pytest.raises(QuotaSpent) as caught:
        judge(failed("607"), writing=False)
    assert caught.value.after == until_reset(RigClock().now()) == 6 * 3600
    assert until_reset(1_782_864_000.0) == 5 * 3600  # 2026-07-01T00:00:00Z


@pytest.mark.parametrize(
    "row", [{}, {"status": "created"}, {"status": "skipped"}, {"status": "skipped", "reasons": []}, {"id": 5}]
)
def test_a_row_that_cannot_be_read_is_doubt(row: dict[str, object]) -> None:
    """A row without a clear answer is never taken for applied or refused."""
    with pytest.raises(InDoubt):
        outcome_of(row, {})
