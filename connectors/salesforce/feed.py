"""Changes of records, read in order of modification stamp and id.

Decides what a row says about a record's life, and how far a cursor may move: never into the last seconds before the
vendor's present, because a transaction may show up behind its stamp. Sweeps look further back by versions alone.
Sources: the vendor's pages "QueryAll", "Merge", "sObject Get Deleted".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.schema import Catalogue, Reader
from connectors.salesforce.soql import Place
from connectors.stamps import iso_millis, to_utc
from sync.errors import Fatal
from sync.ports import Paths
from sync.record import LifeEvent, Page, Raw, Ref

CONVERSIONS: Mapping[str, str] = {"Lead": "Contact"}
DELETION_DAYS = 15
LEAST_SPAN = 180.0


def encode(places: Mapping[str, Place]) -> str:
    """The cursor as the engine keeps it: an object's name to stamp and id."""
    return msgspec.json.encode(places).decode()


def decode(text: str | None) -> dict[str, Place]:
    """Read a kept cursor (None = nothing was read). Raises Fatal."""
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Place])
    except msgspec.DecodeError as error:
        raise Fatal(
            "A stored cursor cannot be read.", "read everything again (`renkei sync --first`)"
        ) from error


def reader_for(client: SalesforceClient, catalogue: Catalogue, object_: str, paths: Sequence[str]) -> Reader:
    """What is needed to read these paths. Raises RequestRefused for a path that our user cannot see."""
    return Reader(
        system=client.system,
        object=object_,
        plain=tuple(path for path in paths if "." not in path),
        dotted=tuple((path, tuple(path.split("."))) for path in paths if "." in path),
        stamps=catalogue.stamps(object_, paths),
        user=client.user_id,
    )


def life_columns(catalogue: Catalogue, object_: str) -> list[str]:
    """The columns that tell of a record's life, as far as the object has them."""
    known = catalogue.object(object_).fields
    more = ("MasterRecordId", "IsConverted", "ConvertedContactId")
    return ["Id", "SystemModstamp", "IsDeleted", *(name for name in more if name in known)]


def read_changes(
    client: SalesforceClient, catalogue: Catalogue, places: dict[str, Place], paths: Paths
) -> Iterator[Page]:
    """Pages of everything behind the places, object by object."""
    kept = dict(places)
    last_object = list(paths)[-1]
    for object_, asked in paths.items():
        place = kept.get(object_, Place())
        columns = list(
            dict.fromkeys((*life_columns(catalogue, object_), "CreatedDate", "LastModifiedById", *asked))
        )
        more = True
        while more:
            found = client.query(soql.changed_after(object_, columns, place), deleted=True)
            reader = reader_for(client, catalogue, object_, asked)
            place = _behind(found.rows, place)
            more = not found.done or len(found.rows) == soql.LIMIT
            kept[object_] = _held_back(
                place, found.now - max(client.config.overlap, client.config.visibility_lag)
            )
            alive = [row for row in found.rows if not row.get("IsDeleted")]
            yield Page(
                tuple(reader.record(row) for row in alive),
                tuple(events_of(reader, found.rows)),
                encode(kept),
                last=not more and object_ == last_object,
            )


def sweep(
    client: SalesforceClient, catalogue: Catalogue, back: float, paths: Paths, *, keys_only: bool
) -> Iterator[Page]:
    """Pages of everything stamped within the last `back` seconds, and of deletions that left no row behind."""
    last_object = list(paths)[-1]
    for object_, asked in paths.items():
        start = client.vendor_now() - back
        place = Place(iso_millis(start))
        columns = life_columns(catalogue, object_)
        if not keys_only:
            columns = list(dict.fromkeys((*columns, "CreatedDate", "LastModifiedById", *asked)))
        listed: set[str] = set()
        more = True
        while more:
            found = client.query(soql.changed_after(object_, columns, place), deleted=True)
            reader = reader_for(client, catalogue, object_, () if keys_only else asked)
            place = _behind(found.rows, place)
            more = not found.done or len(found.rows) == soql.LIMIT
            alive = [row for row in found.rows if not row.get("IsDeleted")]
            listed.update(str(row["Id"]) for row in found.rows)
            events = list(events_of(reader, found.rows))
            if not more:
                events += _vanished(client, reader, columns, listed, start)
            records = tuple(reader.key(row) if keys_only else reader.record(row) for row in alive)
            done = not more and object_ == last_object
            yield Page(records, tuple(events), "", last=done, keys_only=keys_only)


def _behind(rows: Sequence[Mapping[str, Raw]], place: Place) -> Place:
    return Place(to_utc(str(rows[-1]["SystemModstamp"])), str(rows[-1]["Id"])) if rows else place


def _held_back(place: Place, until: float) -> Place:
    limit = iso_millis(until)
    return Place(limit) if place.stamp > limit else place


def events_of(reader: Reader, rows: Iterable[Mapping[str, Raw]]) -> Iterator[LifeEvent]:
    """What rows say about their records' lives; nothing for one that simply lives."""
    for row in rows:
        if row.get("IsDeleted"):
            master = row.get("MasterRecordId")
            if master:
                into = Ref(reader.system, reader.object, str(master))
                yield LifeEvent("merged", reader.ref(row), into)
            else:
                yield LifeEvent("deleted", reader.ref(row))
        elif row.get("IsConverted"):
            became = row.get("ConvertedContactId")
            kind = CONVERSIONS.get(reader.object, "Contact")
            yield LifeEvent(
                "converted", reader.ref(row), Ref(reader.system, kind, str(became)) if became else None
            )


def _vanished(
    client: SalesforceClient, reader: Reader, columns: Sequence[str], listed: set[str], start: float
) -> list[LifeEvent]:
    """Deletions in the vendor's log that the sweep met no row of: what the bin still holds speaks for itself (it may
    have been merged), the rest is gone for good."""
    now = client.vendor_now()
    oldest = now - DELETION_DAYS * 86_400 + 3_600
    begin = max(min(start, now - LEAST_SPAN), oldest)
    missing = [number for number in client.deleted(reader.object, begin, now) if number not in listed]
    rows: list[Mapping[str, Raw]] = []
    for query in soql.having(reader.object, columns, "Id", "id", missing):
        rows += client.query(query, deleted=True).rows
    held = {str(row["Id"]) for row in rows}
    gone = [Ref(reader.system, reader.object, number) for number in missing if number not in held]
    return [*events_of(reader, rows), *(LifeEvent("deleted", ref) for ref in gone)]
