"""Bulk lead extract: jobs that wait, run and leave a file.

Decides the life of a job by the clock: Created, Queued, Processing, Completed, or the two spellings of
cancelled. The status shown is refreshed only now and then, and the file may come after "Completed".
Source: the vendor's pages "Bulk Lead Extract" and "Bulk Extract".
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.clock import iso_z
from simulators.http import Request, Response, text_response
from simulators.marketo.commits import as_text
from simulators.marketo.params import json_body, moment
from simulators.marketo.reply import Envelope
from simulators.marketo.shelf import Record
from simulators.marketo.state import MarketoState
from simulators.marketo.upsert import RequestError

LONGEST = 31 * 86_400
MOST_QUEUED = 10
MOST_RUNNING = 2
SEPARATORS = {"CSV": ",", "TSV": "\t", "SSV": ";"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds a job waits, runs, until the shown status follows, and until the file is there after
    "Completed".
    """

    queued: float = 0.2
    runs: float = 0.2
    refresh: float = 0.1
    file_after: float = 0.0
    updated_at_offered: bool = True


@dataclass(slots=True, kw_only=True)
class Job:
    """One extract; times are unix seconds, `ready` is when it is done, `seen` what the last refresh
    showed.
    """

    id: str
    fields: list[str]
    format: str
    headers: Mapping[str, str]
    kind: str
    start: float
    end: float
    created: float
    queued: float | None = None
    ready: float | None = None
    cancelled: bool = False
    content: bytes | None = None
    records: int = 0
    shown: str = "Created"
    refreshed: float = field(default=float("-inf"))


class ExtractRoutes:
    """The handlers and their jobs."""

    def __init__(self, state: MarketoState, envelope: Envelope, rng: random.Random, pace: Pace) -> None:
        self._state, self._envelope, self._rng, self.pace = state, envelope, rng, pace
        self._jobs: dict[str, Job] = {}

    def create(self, request: Request) -> Response:
        """Make a job; one filter, a range of at most 31 days."""
        body = json_body(request)
        names, kind, start, end = self._asked(body)
        form = str(body.get("format", "CSV"))
        if form not in SEPARATORS:
            raise RequestError("1003", f"Invalid format '{form}'")
        raw = f"{self._rng.getrandbits(128):032x}"
        job = Job(
            id=f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}",
            fields=names,
            format=form,
            headers=body.get("columnHeaderNames") or {},
            kind=kind,
            start=start,
            end=end,
            created=self._state.clock.now(),
        )
        self._jobs[job.id] = job
        return self._show(job)

    def enqueue(self, _: Request, job_id: str) -> Response:
        """Put a job into the queue."""
        job = self._job(job_id)
        if job.queued is not None or job.cancelled:
            raise RequestError("1029", "Job already queued")
        waiting = [j for j in self._jobs.values() if self._status(j) in ("Queued", "Processing")]
        if len(waiting) >= MOST_QUEUED:
            raise RequestError("1029", "Too many jobs in queue")
        now = self._state.clock.now()
        running = sorted(j.ready for j in waiting if j.ready is not None)
        free = running[-MOST_RUNNING] if len(running) >= MOST_RUNNING else now
        job.queued = max(now, free)
        job.ready = job.queued + self.pace.queued + self.pace.runs
        return self._show(job)

    def cancel(self, _: Request, job_id: str) -> Response:
        """Cancel a job that is not done; this answer spells it with two l, the status with one."""
        job = self._job(job_id)
        if self._status(job) == "Completed":
            raise RequestError("1003", "A completed job cannot be cancelled")
        job.cancelled = True
        job.refreshed = float("-inf")
        return self._envelope.success([{**self._described(job), "status": "Cancelled"}])

    def status(self, _: Request, job_id: str) -> Response:
        """Show a job as the last refresh saw it."""
        return self._show(self._job(job_id))

    def jobs(self, _: Request) -> Response:
        """List all jobs."""
        return self._envelope.success([self._described(job) for job in self._jobs.values()])

    def file(self, request: Request, job_id: str) -> Response:
        """Give the file, or the part that `Range` asks for; plain 404 when it is not there."""
        job = self._job(job_id)
        late = (job.ready or 0.0) + self.pace.file_after > self._state.clock.now()
        if self._status(job) != "Completed" or late:
            return text_response("The file is not ready", 404)
        content = self._content(job)
        headers = {"content-type": "text/csv; charset=UTF-8", "accept-ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if asked is None:
            return Response(headers=headers, body=content, compress=False)
        start, last = int(asked[1]), int(asked[2] or len(content))
        end = min(last, len(content) - 1)
        if start > end:
            return Response(status=416, headers={"content-range": f"bytes */{len(content)}"})
        headers["content-range"] = f"bytes {start}-{end}/{len(content)}"
        return Response(status=206, headers=headers, body=content[start : end + 1], compress=False)

    def _asked(self, body: Mapping[str, Any]) -> tuple[list[str], str, float, float]:
        names = body.get("fields")
        if not isinstance(names, list) or not names:
            raise RequestError("1002", "Required parameter 'fields' is missing")
        for name in names:
            if name not in self._state.fields:
                raise RequestError("1006", f"Field '{name}' not found")
        wanted = body.get("filter")
        if not isinstance(wanted, dict) or len(wanted) != 1:
            raise RequestError("1003", "Exactly one filter is needed")
        kind, span = next(iter(wanted.items()))
        if kind not in ("createdAt", "updatedAt") or (
            kind == "updatedAt" and not self.pace.updated_at_offered
        ):
            raise RequestError("1035", f"Unsupported filter type for target subscription: {kind}")
        if not isinstance(span, dict) or not {"startAt", "endAt"} <= span.keys():
            raise RequestError("1002", "A filter needs 'startAt' and 'endAt'")
        start, end = moment(str(span["startAt"])), moment(str(span["endAt"]))
        if not 0 <= end - start <= LONGEST:
            raise RequestError("1003", "The date range must not be longer than 31 days")
        return [str(name) for name in names], kind, start, end

    def _job(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise RequestError("1013", f"Export '{job_id}' not found")
        return job

    def _status(self, job: Job) -> str:
        now = self._state.clock.now()
        if job.cancelled:
            return "Canceled"
        if job.queued is None or job.ready is None:
            return "Created"
        if now >= job.ready:
            self._content(job)
            return "Completed"
        return "Processing" if now >= job.ready - self.pace.runs else "Queued"

    def _show(self, job: Job) -> Response:
        return self._envelope.success([self._described(job)])

    def _described(self, job: Job) -> dict[str, object]:
        now = self._state.clock.now()
        actual = self._status(job)
        if now - job.refreshed >= self.pace.refresh or job.shown == "Created":
            job.shown, job.refreshed = actual, now
        shown: dict[str, object] = {"exportId": job.id, "format": job.format, "status": job.shown}
        shown["createdAt"] = iso_z(job.created)
        if job.shown != "Created" and job.queued is not None:
            shown["queuedAt"] = iso_z(job.queued)
        if job.shown == "Completed" and job.content is not None and job.ready is not None:
            shown["finishedAt"] = iso_z(job.ready)
            shown["fileSize"], shown["numberOfRecords"] = len(job.content), job.records
            shown["fileChecksum"] = "sha256:" + hashlib.sha256(job.content).hexdigest()
        return shown

    def _content(self, job: Job) -> bytes:
        if job.content is None:
            leads = [lead for lead in self._state.leads.values() if _inside(job, lead)]
            job.records = len(leads)
            job.content = _write(job, leads)
        return job.content


def _inside(job: Job, lead: Record) -> bool:
    # The filter counts a change of any field, the shown value of standard fields only.
    stamp = lead.created if job.kind == "createdAt" else lead.touched
    return job.start <= int(stamp) <= job.end


def _write(job: Job, leads: list[Record]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=SEPARATORS[job.format], lineterminator="\n")
    writer.writerow([job.headers.get(name, name) for name in job.fields])
    for lead in leads:
        shown = {
            **lead.values,
            "id": lead.id,
            "createdAt": iso_z(lead.created),
            "updatedAt": iso_z(lead.updated),
        }
        writer.writerow([as_text(shown.get(name)) or "null" for name in job.fields])
    return out.getvalue().encode()
