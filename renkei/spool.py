"""What two vendors hold, put aside while it is compared: a temporary database of its own, gone when it is closed.

It decides how records wait without being held in memory, and which of them share an identity. It knows no rules.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from renkei.buckets import bucket_of, digest_of
from sync.compare import Finding
from sync.record import Record, Ref

_TABLES = """
create table live (
    system, object, id, version, created, body, bucket, digest, primary key (system, object, id)
) without rowid;
create table identity (system, hash, object, id, primary key (system, hash, object, id)) without rowid;
create index identity_of on identity (system, object, id);
create table suspect (round, entity, system, object, id, primary key (round, entity, system, object, id));
create table found (kind, why, entity, refs, field);
"""
PAGE = 500


class Spool:
    """Records, suspects and findings of one route. Close it, and nothing is left."""

    def __init__(self) -> None:
        # Without a name it is a private file, or memory as long as it is small, and goes with its connection.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def put(self, records: Iterable[tuple[Record, Iterable[str]]]) -> None:
        """Keep records with the hashes of their identities."""
        listed = [(record, tuple(keys)) for record, keys in records]
        self._many(
            "insert or replace into live values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *each.ref, each.version, each.created, msgspec.json.encode(each.values),
                    bucket_of(each.ref), digest_of(each.ref, each.values),
                )
                for each, _ in listed
            ],
        )  # fmt: skip
        self._many(
            "delete from identity where system = ? and object = ? and id = ?", [e.ref for e, _ in listed]
        )
        self._many(
            "insert into identity values (?, ?, ?, ?)",
            [(each.ref.system, key, each.ref.object, each.ref.id) for each, keys in listed for key in keys],
        )

    def drop(self, refs: Iterable[Ref]) -> None:
        """Forget records that are not there any more."""
        gone = list(refs)
        for table in ("live", "identity"):
            self._many(f"delete from {table} where system = ? and object = ? and id = ?", gone)  # noqa: S608 (our own names)

    def _many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._db.execute("begin")
        self._db.executemany(statement, [tuple(row) for row in rows])
        self._db.execute("commit")

    def live(self, refs: Iterable[Ref]) -> dict[Ref, Record]:
        """Those of these records that were read."""
        found: dict[Ref, Record] = {}
        for ref in refs:
            query = "select version, created, body from live where system = ? and object = ? and id = ?"
            for version, created, body in self._db.execute(query, ref):
                found[ref] = Record(ref, msgspec.json.decode(body), version, created)
        return found

    def pages(self) -> Iterator[list[Ref]]:
        """The names of all records, in their order."""
        after: tuple[str, ...] = ("", "", "")
        query = (
            "select system, object, id from live where (system, object, id) > (?, ?, ?) "
            "order by system, object, id limit ?"
        )
        while rows := [Ref(*row) for row in self._db.execute(query, (*after, PAGE))]:
            yield rows
            after = rows[-1]

    def count(self, system: str) -> int:
        """How many records of a system were read."""
        ((number,),) = self._db.execute("select count(*) from live where system = ?", (system,))
        return int(number)

    def digests(self) -> Iterator[tuple[str, int, int]]:
        """System, bucket and hash of each record."""
        yield from self._db.execute("select system, bucket, digest from live")

    def digests_of(self, refs: Iterable[Ref]) -> dict[Ref, int]:
        """The hashes of those of these records that were read."""
        query = "select digest from live where system = ? and object = ? and id = ?"
        return {ref: digest for ref in refs for (digest,) in self._db.execute(query, ref)}

    def doubles(self) -> list[tuple[str, str]]:
        """System and hash of identities that several records share."""
        query = "select system, hash from identity group by system, hash having count(*) > 1 order by 1, 2"
        return list(self._db.execute(query))

    def sharing(self, system: str, key: str) -> list[Ref]:
        """The records that share an identity."""
        query = "select system, object, id from identity where system = ? and hash = ? order by object, id"
        return [Ref(*row) for row in self._db.execute(query, (system, key))]

    def suspect(self, round_: int, entity: int, ref: Ref | None = None) -> None:
        """Look again at an entity, or at a record that nobody knows, in this round."""
        row = (round_, entity, *(ref or ("", "", "")))
        self._db.execute("insert or ignore into suspect values (?, ?, ?, ?, ?)", row)

    def suspects(self, round_: int, most: int) -> list[tuple[int, Ref | None]]:
        """Take some of those that are to be looked at again."""
        query = "select rowid, entity, system, object, id from suspect where round = ? limit ?"
        rows = list(self._db.execute(query, (round_, most)))
        self._many("delete from suspect where rowid = ?", [(row[0],) for row in rows])
        return [(entity, Ref(*ref) if ref[0] else None) for _rowid, entity, *ref in rows]

    def find(self, finding: Finding) -> None:
        """Keep a finding."""
        row = (*finding[:3], msgspec.json.encode(finding.refs), finding.field)
        self._db.execute("insert into found values (?, ?, ?, ?, ?)", row)

    def found(self, *, most: int = -1) -> Iterator[Finding]:
        """What nothing explains, in the order in which it was found."""
        query = "select kind, why, entity, refs, field from found order by rowid limit ?"
        for kind, why, entity, refs, name in self._db.execute(query, (most,)):
            yield Finding(kind, why, entity, msgspec.json.decode(refs, type=tuple[Ref, ...]), name)
