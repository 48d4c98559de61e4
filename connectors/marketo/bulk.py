"""All leads, read by extract jobs over windows of creation dates, then the activity log since before the first job.

Decides the windows, when a job is asked after and how far the cursor may move: a window is done when its whole file
was read and its checksum agreed. While a job runs, empty pages are given between the waits, so that whoever reads may
stop and come back; the cursor names the job. Source: the vendor's page "Bulk Lead Extract".
"""

from __future__ import annotations

import csv
import hashlib
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import msgspec

from connectors.batches import chunks
from connectors.marketo.client import BATCH, MarketoClient
from connectors.marketo.feed import Cursor, encode, read_feed, read_leads
from connectors.marketo.schema import ObjectFields, from_csv, lead_record
from connectors.stamps import iso, seconds_of, to_utc
from sync.errors import QuotaSpent, RequestRefused, Retryable
from sync.record import Page, Raw, Record

WINDOW = 31 * 86_400.0
ROWS = 1_000
SKEW = 60.0
FIRST_INSTANCES = "2006-01-01T00:00:00Z"


def begin(client: MarketoClient) -> Cursor:
    """The cursor of a reader who has seen nothing: the log's place now, and the first window."""
    now = client.clock.now()
    token = client.paging_token(now - client.config.visibility_lag - SKEW)
    return Cursor(token, window=earliest(client), until=iso(now))


def earliest(client: MarketoClient) -> str:
    """The setting, or a month before the creation of the lowest lead ids where they still exist."""
    if client.config.earliest:
        return client.config.earliest
    rows = client.leads("id", [str(number) for number in range(1, BATCH + 1)], ["id", "createdAt"])
    stamps = sorted(to_utc(str(row["createdAt"])) for row in rows if row.get("createdAt"))
    return iso(seconds_of(stamps[0]) - WINDOW) if stamps else FIRST_INSTANCES


def read_everything(
    client: MarketoClient, fields: ObjectFields, cursor: Cursor, paths: Sequence[str]
) -> Iterator[Page]:
    """Pages of all windows that are left, then of the feed."""
    yield from read_windows(client, fields, cursor, paths)
    yield from read_feed(client, fields, behind(cursor), paths)


def behind(cursor: Cursor) -> Cursor:
    """Where the feed is read from once all windows were."""
    return Cursor(cursor.token)


def read_windows(
    client: MarketoClient, fields: ObjectFields, cursor: Cursor, paths: Sequence[str]
) -> Iterator[Page]:
    """Pages of all windows that are left; none says `last`."""
    extract = _Extract(client, fields, paths)
    known = cursor.jobs if cursor.columns == extract.checksum else ()
    cursor = msgspec.structs.replace(cursor, jobs=extract.alive(known), columns=extract.checksum)
    while cursor.window:
        cursor = extract.queued(cursor)
        _, after = _window(cursor.window, cursor.until)
        done = behind(cursor)
        if after:
            done = msgspec.structs.replace(cursor, window=after, jobs=cursor.jobs[1:])
        yield from extract.window(cursor, done)
        cursor = done


def windows(start: str, until: str) -> int:
    """How many windows there are from one time to another, a job for each."""
    number = 0
    while start:
        _, start = _window(start, until)
        number += 1
    return number


def _window(start: str, until: str) -> tuple[str, str]:
    """The end of the window that starts there, and the start of the next one ("" = that was the last)."""
    last = seconds_of(until)
    end = min(seconds_of(start) + WINDOW - 1, last)
    return iso(end), "" if end >= last else iso(end + 1)


@dataclass(frozen=True, slots=True)
class _Extract:
    client: MarketoClient
    fields: ObjectFields
    paths: Sequence[str]

    @property
    def columns(self) -> list[str]:
        """What is extracted; where a field cannot be, only ids, and the leads are read by id."""
        paths = self.paths if self.fields.exportable(self.paths) else ()
        return list(dict.fromkeys(("id", "createdAt", *paths)))

    @property
    def checksum(self) -> int:
        """Tells jobs of a changed mapping, whose files have other columns, from ours."""
        return zlib.crc32(",".join(self.columns).encode())

    def alive(self, jobs: Sequence[str]) -> tuple[str, ...]:
        """The jobs of an earlier visit up to the first that the vendor has dropped or that failed."""
        return tuple(takewhile(self._known, jobs))

    def queued(self, cursor: Cursor) -> Cursor:
        """The cursor with jobs for its window and the following ones, as many as the vendor runs at once."""
        jobs = list(cursor.jobs)
        start = cursor.window
        for place in range(self.client.config.jobs_ahead):
            if not start:
                break
            end, after = _window(start, cursor.until)
            try:
                if place >= len(jobs):
                    jobs.append(str(self._start(start, end)["exportId"]))
            except QuotaSpent:
                if not jobs:
                    raise
                break  # the queue is full; what stands in it will do for now
            start = after
        return msgspec.structs.replace(cursor, jobs=tuple(jobs))

    def window(self, cursor: Cursor, done: Cursor) -> Iterator[Page]:
        """Pages of the first window; only the last one carries the cursor `done`."""
        underway = encode(cursor)
        yield Page((), (), underway, last=False)
        while (job := self._status(cursor.jobs[0])).get("status") != "Completed":
            if job.get("status") in {"Failed", "Canceled", "Cancelled"}:
                raise Retryable(
                    f"{self.client.system} gave up an extract job.", self.client.config.poll_seconds
                )
            self.client.clock.sleep(self.client.config.poll_seconds)
            yield Page((), (), underway, last=False)
        kept: tuple[Record, ...] = ()
        for records in self._records(job):
            if kept:
                yield Page(kept, (), underway, last=False)
            kept = records
        yield Page(kept, (), encode(done), last=False)

    def _known(self, job: str) -> dict[str, object] | None:
        """A job of an earlier visit, unless the vendor has dropped it or it failed."""
        if not job:
            return None
        try:
            found = self._status(job)
        except RequestRefused:
            return None
        return found if found.get("status") in {"Queued", "Processing", "Completed"} else None

    def _start(self, start: str, end: str) -> dict[str, object]:
        asked = {
            "fields": self.columns,
            "format": "CSV",
            "filter": {"createdAt": {"startAt": start, "endAt": end}},
        }
        job = self.client.job("extract create", "POST", "create.json", asked)
        try:
            return self.client.job("extract enqueue", "POST", f"{job['exportId']}/enqueue.json")
        except QuotaSpent:
            # Said of a full queue, and also of a job that stands in it already because an answer was lost.
            found = self._known(str(job["exportId"]))
            if found is None:
                raise
            return found

    def _status(self, job: str) -> dict[str, object]:
        return self.client.job("extract status", "GET", f"{job}/status.json")

    def _records(self, job: Mapping[str, object]) -> Iterator[tuple[Record, ...]]:
        if job.get("numberOfRecords") == 0:
            return
        rows = csv.reader(_lines(_parts(self.client, job)))
        next(rows, None)  # the names of the columns, in the order in which they were asked for
        batch: list[list[str]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == ROWS:
                yield self._typed(batch)
                batch = []
        if batch:
            yield self._typed(batch)

    def _typed(self, batch: list[list[str]]) -> tuple[Record, ...]:
        if not self.fields.exportable(self.paths):
            parts = chunks([row[0] for row in batch], BATCH)
            found = [read_leads(self.client, self.fields, part, self.paths) for part in parts]
            return tuple(record for part in found for record in part.values())
        kinds = [(name, self.fields.types.get(name)) for name in self.columns]
        stamps = self.fields.stamps(self.paths)
        records: list[Record] = []
        for row in batch:
            if len(row) != len(kinds):
                raise Retryable(f"{self.client.system} gave a broken extract file.", 60.0)
            values: dict[str, Raw] = {
                name: from_csv(text, kind) for (name, kind), text in zip(kinds, row, strict=True)
            }
            records.append(lead_record(self.client.system, values, self.paths, stamps))
        return tuple(records)


def _parts(client: MarketoClient, job: Mapping[str, object]) -> Iterator[bytes]:
    """The file in parts; its checksum is compared before the end is given. Raises Retryable."""
    size, checksum = job.get("fileSize"), str(job.get("fileChecksum") or "")
    digest, offset = hashlib.sha256(), 0
    while True:
        part = client.file_part(str(job["exportId"]), offset)
        digest.update(part)
        offset += len(part)
        ended = offset >= size if isinstance(size, int) else len(part) < client.config.part_bytes
        if ended or not part:
            if checksum.startswith("sha256:") and checksum[7:] != digest.hexdigest():
                raise Retryable(f"{client.system} gave an extract file whose checksum is wrong.", 60.0)
            yield part
            return
        yield part


def _lines(parts: Iterator[bytes]) -> Iterator[str]:
    """Lines of text, without NUL bytes and bare carriage returns, which such files may hold."""
    decoder = getincrementaldecoder("utf-8")("replace")
    rest = ""
    for part in parts:
        *lines, rest = (rest + decoder.decode(part)).split("\n")
        for line in lines:
            yield _clean(line) + "\n"
    if rest := rest + decoder.decode(b"", final=True):
        yield _clean(rest)


def _clean(line: str) -> str:
    return line.removesuffix("\r").replace("\0", "").replace("\r", " ")
