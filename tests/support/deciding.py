"""Decide a handful of rows over a memory store, and ask what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from state.memory import MemoryStore
from sync.decide import Decided, decide
from sync.normalise import Lens, decode_body
from sync.plan import Base, Work, decode_base, decode_work
from sync.read import Numbering
from sync.record import Raw, Ref
from sync.rows import BaseRow, HoldRow, KeyRow, OperationRow, Patch, RecordRow, Row
from sync.scene import load
from sync.work import Allowance, Context
from tests.support.people import NOW, keys_of


class Deciding:
    """A store with some rows in it, one decide step, and questions about the outcome."""

    def __init__(
        self, lens: Lens, rows: Iterable[Row], *, live: bool = True, lag: Mapping[str, float] | None = None
    ) -> None:
        self.lens = lens
        self.lag = lag or {"ma": 1.0, "sfa": 1.0}
        self.store = MemoryStore()
        self.live = live
        self.store.numbers(2_000)
        self.numbers = Numbering(self.store)
        patch = Patch()
        for row in rows:
            patch.put(row)
            if isinstance(row, RecordRow):
                for key in keys_of(lens, row, decode_body(row.body)):
                    patch.put(key)
        self.store.commit(patch)

    def decide(self, *refs: Ref) -> Decided:
        """Decide these records (all records, if none is named)."""
        rows = (
            self.store.get(RecordRow, refs) if refs else self.store.dirty("person", ("ma", "sfa"), 0, 1_000)
        )
        entities = dict.fromkeys(row.entity for row in rows)
        scene = load(self.store, self.lens, entities)
        context = Context(
            numbers=self.numbers, now=NOW, run=77, lag=self.lag,
            opt_outs=Allowance(lambda: 1_000 if self.live else 0),
            unique={("sfa", "Lead"): frozenset({"Marketo_Id__c"})},
        )  # fmt: skip
        done = decide(scene, entities, context)
        self.store.commit(scene.patch)
        return done

    def record(self, system: str, id_: str, object_: str = "Lead") -> RecordRow:
        """A record as it stands."""
        (found,) = self.store.get(RecordRow, [(system, object_, id_)])
        return found

    def operations(self, entity: int | None = None) -> list[OperationRow]:
        """Open operations, oldest first."""
        entities = {row.entity for row in self.store.dirty("person", ("ma", "sfa"), 0, 1_000)}
        found = self.store.open_operations(entities if entity is None else {entity})
        return sorted(found, key=lambda row: row.id)

    def writes(self) -> list[tuple[str, str, str, Mapping[str, Raw]]]:
        """Open operations as (action, system, record, values)."""
        return [(row.action, row.system, row.record, values(row)) for row in self.operations()]

    def holds(self) -> list[tuple[str, str]]:
        """Standing holds as (kind, field)."""
        entities = {row.entity for row in self.store.dirty("person", ("ma", "sfa"), 0, 1_000)}
        return sorted((hold.kind, hold.field) for hold in self.store.holds_of(entities))

    def hold(self, kind: str) -> HoldRow:
        """The one hold of a kind."""
        entities = {row.entity for row in self.store.dirty("person", ("ma", "sfa"), 0, 1_000)}
        (found,) = [hold for hold in self.store.holds_of(entities) if hold.kind == kind]
        return found

    def base(self, entity: int) -> Base:
        """What an entity last agreed on."""
        rows = self.store.get(BaseRow, [(entity, "people")])
        return decode_base(rows[0].body) if rows else Base()

    def change(self, row: Row) -> None:
        """Change one row behind decide's back."""
        patch = Patch()
        patch.put(row)
        self.store.commit(patch)

    def claims(self) -> list[KeyRow]:
        """Standing claims."""
        hashes = {key for row in self.operations() for key in work(row).claims}
        return [
            key
            for system in ("ma", "sfa")
            for key in self.store.holders(system, "person", hashes)
            if key.operation
        ]


def work(row: OperationRow) -> Work:
    """An operation's body."""
    return decode_work(row.body)


def values(row: OperationRow) -> dict[str, Raw]:
    """What an operation writes."""
    return {path: each.desired for path, each in work(row).fields.items()}


def details(hold: HoldRow) -> dict[str, object]:
    """A hold's details."""
    found: dict[str, object] = msgspec.json.decode(hold.body)
    return found
