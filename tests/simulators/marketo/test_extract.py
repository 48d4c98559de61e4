"""Bulk lead extract of the fake Marketo."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

import pytest

from simulators.clock import iso_z
from simulators.http import Response
from simulators.marketo.extract import Pace
from tests.support.fake_marketo import Marketo, fake_marketo

BASE = "/bulk/v1/leads/export"
PACE = Pace(queued=60, runs=60, refresh=30, file_after=5)


def _create(marketo: Marketo, kind: str = "createdAt", days: float = 1, **more: Any) -> str:
    now = marketo.clock.now()
    span = {"startAt": iso_z(now - days * 86_400), "endAt": iso_z(now)}
    body = {"fields": ["id", "email", "company", "unsubscribed"], "filter": {kind: span}, **more}
    (job,) = marketo.rows("POST", f"{BASE}/create.json", body=body)
    assert job["status"] == "Created"
    return str(job["exportId"])


def _status(marketo: Marketo, job: str) -> str:
    return str(marketo.rows("GET", f"{BASE}/{job}/status.json")[0]["status"])


def _file(marketo: Marketo, job: str, **headers: str) -> Response:
    sent = {"authorization": f"Bearer {marketo.token()}", **headers}
    return marketo.send("GET", f"{BASE}/{job}/file.json", headers=sent)


def test_a_job_waits_runs_and_leaves_a_file() -> None:
    """The shown status lags behind the job, the file behind the status; size, count and check sum are
    right.
    """
    marketo = fake_marketo(pace=PACE)
    marketo.state.human_create({"email": "a@x.example", "company": "A, B"})
    job = _create(marketo, columnHeaderNames={"email": "Email Address"})
    (queued,) = marketo.rows("POST", f"{BASE}/{job}/enqueue.json")
    assert queued["status"] == "Queued"
    marketo.clock.advance(20)
    assert _status(marketo, job) == "Queued"
    marketo.clock.advance(45)
    assert _status(marketo, job) == "Processing"
    marketo.clock.advance(56)
    (done,) = marketo.rows("GET", f"{BASE}/{job}/status.json")
    assert done["status"] == "Completed"
    assert _file(marketo, job).status == 404
    marketo.clock.advance(5)
    content = _file(marketo, job).body
    assert list(csv.reader(io.StringIO(content.decode()))) == [
        ["id", "Email Address", "company", "unsubscribed"],
        ["1001", "a@x.example", "A, B", "false"],
    ]
    assert done["fileSize"] == len(content)
    assert done["numberOfRecords"] == 1
    assert done["fileChecksum"] == "sha256:" + hashlib.sha256(content).hexdigest()
    part = _file(marketo, job, range="bytes=3-6")
    assert (part.status, part.body) == (206, content[3:7])
    assert _file(marketo, job, range="bytes=99999-").status == 416


def test_nulls_are_the_word_null() -> None:
    """An empty field is written as the text null, as the vendor does."""
    marketo = fake_marketo()
    marketo.state.human_create({"email": "a@x.example"})
    job = _create(marketo)
    marketo.rows("POST", f"{BASE}/{job}/enqueue.json")
    marketo.clock.advance(10)
    assert _status(marketo, job) == "Completed"
    assert _file(marketo, job).body.decode().splitlines()[1] == "1001,a@x.example,null,false"


def test_the_updated_filter_counts_every_field() -> None:
    """A change of a custom field brings the lead into the window although the shown stamp lies outside."""
    marketo = fake_marketo()
    lead = marketo.state.human_create({"email": "a@x.example"})
    marketo.clock.advance(10 * 86_400)
    marketo.state.human_edit(lead, {"sfaId": "00Q1"})
    now = marketo.clock.now()
    body = {
        "fields": ["id", "updatedAt"],
        "filter": {"updatedAt": {"startAt": iso_z(now - 60), "endAt": iso_z(now)}},
    }
    (job,) = marketo.rows("POST", f"{BASE}/create.json", body=body)
    marketo.rows("POST", f"{BASE}/{job['exportId']}/enqueue.json")
    marketo.clock.advance(10)
    assert _status(marketo, job["exportId"]) == "Completed"
    row = _file(marketo, job["exportId"]).body.decode().splitlines()[1]
    assert row == f"{lead},{iso_z(now - 10 * 86_400)}"


def test_ranges_filters_and_formats_are_checked() -> None:
    """More than 31 days and two filters are 1003, a filter that is not offered 1035, milliseconds 704."""
    marketo = fake_marketo(pace=Pace(updated_at_offered=False))
    now = iso_z(marketo.clock.now())
    span = {"startAt": iso_z(marketo.clock.now() - 32 * 86_400), "endAt": now}
    good = {"startAt": now, "endAt": now}
    for body, code in (
        ({"fields": ["id"], "filter": {"createdAt": span}}, "1003"),
        ({"fields": ["id"], "filter": {"createdAt": good, "updatedAt": good}}, "1003"),
        ({"fields": ["id"], "filter": {"updatedAt": good}}, "1035"),
        ({"fields": ["id"], "filter": {"smartListId": 3}}, "1035"),
        ({"fields": ["nonsense"], "filter": {"createdAt": good}}, "1006"),
        ({"fields": ["id"], "filter": {"createdAt": good}, "format": "XML"}, "1003"),
        ({"filter": {"createdAt": good}}, "1002"),
        (
            {"fields": ["id"], "filter": {"createdAt": {"startAt": "2026-01-01T00:00:00.5Z", "endAt": now}}},
            "704",
        ),
    ):
        assert marketo.code("POST", f"{BASE}/create.json", body=body) == code


def test_both_spellings_of_cancelled() -> None:
    """The answer to the cancel call has two l, the status one; a cancelled job cannot be queued."""
    marketo = fake_marketo(pace=PACE)
    job = _create(marketo)
    assert marketo.rows("POST", f"{BASE}/{job}/cancel.json")[0]["status"] == "Cancelled"
    assert _status(marketo, job) == "Canceled"
    assert marketo.code("POST", f"{BASE}/{job}/enqueue.json") == "1029"
    listed = marketo.rows("GET", "/bulk/v1/leads/export.json")
    assert [row["exportId"] for row in listed] == [job]


def test_two_jobs_run_and_ten_wait() -> None:
    """A third job waits for the first to end; the eleventh in the queue is refused with 1029."""
    marketo = fake_marketo(pace=PACE)
    jobs = [_create(marketo) for _ in range(11)]
    for job in jobs[:10]:
        marketo.rows("POST", f"{BASE}/{job}/enqueue.json")
    assert marketo.code("POST", f"{BASE}/{jobs[10]}/enqueue.json") == "1029"
    marketo.clock.advance(121)
    assert [_status(marketo, job) for job in jobs[:4]] == ["Completed", "Completed", "Queued", "Queued"]
    assert marketo.code("POST", f"{BASE}/{jobs[0]}/cancel.json") == "1003"
    assert marketo.code("GET", f"{BASE}/{'0' * 36}/status.json") == "1013"


@pytest.mark.parametrize("seconds", [0, 200])
def test_no_file_before_it_is_ready(seconds: float) -> None:
    """Asking for the file of a job that was never queued is a plain 404."""
    marketo = fake_marketo(pace=PACE)
    job = _create(marketo)
    marketo.clock.advance(seconds)
    assert _file(marketo, job).status == 404
