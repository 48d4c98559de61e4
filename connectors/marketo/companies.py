"""Companies: read by their key, seen through the leads that belong to them, written under that key alone.

Decides which activities may concern a company, and which companies a page of leads names. The vendor has no feed of
companies and cannot list them: everything is what all leads' `externalCompanyId` name, and a change is a change that
the log tells of a lead. A company without leads is therefore not seen, nor one whose key holds a comma, nor a deletion.
Where the vendor's own CRM sync is on, all of this is closed (1018). Source: the vendor's page "Companies".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from connectors.batches import chunks, deliver, matched, parts_by_size
from connectors.marketo.bulk import behind, read_windows
from connectors.marketo.client import BATCH, BODY_LIMIT, MarketoClient
from connectors.marketo.errors import outcome_of
from connectors.marketo.feed import Cursor, read_feed
from connectors.marketo.schema import COMPANY_KEY, ObjectFields, company_record
from sync.errors import InDoubt, RenkeiError
from sync.ports import FieldError, Outcome, Write
from sync.record import Page, Record

ROOM = BODY_LIMIT - 512
TOLD_BY_FIELD = frozenset({13, 22})  # changed value, changed score: the activity names the field
STANDARD = frozenset(
    "company site website industry mainPhone annualRevenue numberOfEmployees sicCode companyNotes billingStreet "
    "billingCity billingState billingCountry billingPostalCode".split()
)
OWN = frozenset({"id", "createdAt", "updatedAt", COMPANY_KEY})


class Companies:
    """What is needed to read and write companies: the client, both descriptions, and the vendor's numbers by key as far
    as they are known, which is remembered there."""

    def __init__(
        self, client: MarketoClient, fields: ObjectFields, leads: ObjectFields, numbers: dict[str, str]
    ) -> None:
        self.client, self.fields, self.leads, self._numbers = client, fields, leads, numbers

    def changes(self, cursor: Cursor, paths: Sequence[str]) -> Iterator[Page]:
        """Pages of the companies of all leads, as far as the cursor has windows left, then of those whose leads tell of
        a change."""
        if cursor.window:
            yield from self._all(cursor, paths)
            cursor = behind(cursor)
        for page in read_feed(self.client, self.leads, cursor, [COMPANY_KEY], self._concerns()):
            yield page._replace(records=tuple(self.by_key(_keys(page), paths)), events=())

    def _all(self, cursor: Cursor, paths: Sequence[str]) -> Iterator[Page]:
        """Each company once; keys are gathered until a call is full, but never over the end of a window, where the
        cursor moves."""
        listed: set[str] = set()
        waiting: list[str] = []
        place = ""
        for page in read_windows(self.client, self.leads, cursor, [COMPANY_KEY]):
            new = [key for key in _keys(page) if key not in listed]
            listed.update(new)
            waiting += new
            full = len(waiting) if page.cursor != place else len(waiting) // BATCH * BATCH
            place = page.cursor
            yield page._replace(records=tuple(self.by_key(waiting[:full], paths)), events=())
            del waiting[:full]

    def fresh(self, keys: Sequence[str], paths: Sequence[str]) -> dict[str, Record]:
        """Companies by key as they are now: by the vendor's number, because a look-up by key may lag behind writes."""
        for _ in self.by_key([key for key in keys if key not in self._numbers], ()):
            pass  # the numbers are remembered
        known = {key: self._numbers[key] for key in keys if key in self._numbers}
        found = {record.ref.id: record for record in self.having("id", list(known.values()), paths)}
        for key in known.keys() - found.keys():
            self._numbers.pop(key, None)
        return found

    def by_key(self, keys: Sequence[str], paths: Sequence[str]) -> Iterator[Record]:
        """Companies by key, 300 a call; a key with a comma cannot be asked for and finds nothing."""
        yield from self.having(COMPANY_KEY, [key for key in keys if "," not in key], paths)

    def having(self, path: str, values: Sequence[str], paths: Sequence[str]) -> Iterator[Record]:
        """Companies by a searchable field, 300 values a call; one without a key is nobody's and left out."""
        names = list(dict.fromkeys((COMPANY_KEY, "id", "createdAt", path, *paths)))
        stamps = self.fields.stamps(paths)
        for part in chunks(values, BATCH):
            for row in self.client.companies(path, part, names):
                if row.get(COMPANY_KEY):
                    self._numbers[str(row[COMPANY_KEY])] = str(row.get("id"))
                    yield company_record(self.client.system, row, paths, stamps)

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, same order. Raises Fatal, Retryable, RequestRefused (1018), InDoubt."""
        wrong = {place: error for place, write in enumerate(writes) if (error := _unsendable(write))}
        rows = [_row(write) for write in writes]
        parts: list[list[int]] = []
        for creating in (True, False):
            places = [
                n for n, write in enumerate(writes) if n not in wrong and creating is not bool(write.ref.id)
            ]
            parts += parts_by_size(places, rows, BATCH, ROOM)
        existing: list[int] = []
        outcomes = deliver(parts, lambda part: self._send(part, writes, rows, existing))
        self._name_existing(existing, writes, outcomes)
        return [
            Outcome("refused", errors=(wrong[place],)) if place in wrong else outcomes[place]
            for place in range(len(writes))
        ]

    def _send(
        self, part: Sequence[int], writes: Sequence[Write], rows: Sequence[bytes], existing: list[int]
    ) -> list[Outcome]:
        action = "updateOnly" if writes[part[0]].ref.id else "createOnly"
        answers = matched(part, self.client.sync_companies(action, [rows[place] for place in part]))
        outcomes: list[Outcome] = []
        for seq, (place, answer) in enumerate(zip(part, answers, strict=True)):
            if answer.get("seq", seq) != seq:
                raise InDoubt(
                    "Rows were answered in another order.", "they are read back before they are sent again"
                )
            outcome = outcome_of(answer, dict(writes[place].values), key_of(writes[place]))
            if outcome is None:
                existing.append(place)
            elif outcome.result == "applied" and answer.get("id"):
                self._numbers[outcome.id] = str(answer["id"])
            outcomes.append(outcome or Outcome("exists", key_of(writes[place])))
        return outcomes

    def _name_existing(
        self, places: Sequence[int], writes: Sequence[Write], outcomes: dict[int, Outcome]
    ) -> None:
        """The vendor's key may differ from ours in letter case: the record bears the vendor's."""
        keys = {place: key_of(writes[place]) for place in places}
        try:
            found = {
                record.ref.id.casefold(): record.ref.id for record in self.by_key(list(keys.values()), ())
            }
        except RenkeiError:
            return  # the writes stand as they are, under the key as we know it
        for place, key in keys.items():
            outcomes[place] = Outcome("exists", found.get(key.casefold(), key))

    def _concerns(self) -> Callable[[Mapping[str, object]], bool]:
        """Whether an activity may concern a company: all do, but changes of fields that are surely the lead's own."""
        own = company_paths(self.fields) | {COMPANY_KEY}
        labels = self.leads.schema.fields.items()
        shared = {field.label for name, field in labels if name in own}
        others = {field.label for name, field in labels if name not in own} - shared

        def concerns(row: Mapping[str, object]) -> bool:
            by_field = row.get("activityTypeId") in TOLD_BY_FIELD
            return not (by_field and row.get("primaryAttributeValue") in others)

        return concerns


def company_paths(fields: ObjectFields | None) -> frozenset[str]:
    """The fields that a lead takes over from its company, the usual ones and those described."""
    return STANDARD | (frozenset(fields.types) - OWN if fields else frozenset())


def key_of(write: Write) -> str:
    """The key of the company that is written ("" = none)."""
    return write.ref.id or str(write.values.get(COMPANY_KEY) or "")


def _keys(page: Page) -> list[str]:
    """The companies that a page of leads names."""
    keys = (record.values[COMPANY_KEY] for record in page.records)
    return list(dict.fromkeys(str(key) for key in keys if key))


def _row(write: Write) -> bytes:
    """The row as it leaves; null clears a field."""
    return msgspec.json.encode({**write.values, COMPANY_KEY: key_of(write)})


def _unsendable(write: Write) -> FieldError | None:
    key = write.values.get(COMPANY_KEY)
    if not key_of(write):
        return FieldError(COMPANY_KEY, "no_key", "A company needs a key of its own (externalCompanyId).")
    if write.ref.id and COMPANY_KEY in write.values and key != write.ref.id:
        return FieldError(
            COMPANY_KEY,
            "key_changed",
            "A company keeps its key; its leads are moved to the company of the new one.",
        )
    if len(_row(write)) >= ROOM:
        return FieldError("", "too_large", "A company is larger than one request may be.")
    return None
