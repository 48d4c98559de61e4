"""One small mapping and short ways to make rows, records and halves for tests of the engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from mappings.load import compile_text
from sync.normalise import Lens, encode
from sync.note import Reading
from sync.plan import Base, Half, encode_base
from sync.record import Raw, Record, Ref, Value
from sync.rows import LEADING, LIVE, BaseRow, KeyRow, RecordRow

MAPPING = """
version: 1
route: people
kind: person
systems: [ma, sfa]
objects: { ma: Lead, sfa: { create: Lead, follow: Contact } }
match:
  - { same: [ma_id] }
  - { same: [email], unless: role_address }
create:
  sfa: { when: { email: present }, need: [last_name] }
  ma: { when: { email: present } }
defaults: { conflict: sfa, first: sfa, blank: keep, unknown_value: hold_field }
fields:
  email:     { ma: email, flow: <->, sfa: Email, type: email }
  last_name: { ma: lastName, flow: <->, sfa: LastName }
  title:     { ma: title, flow: <->, sfa: Title }
  industry:  { ma: industry, flow: <->, sfa: Industry, type: picklist,
               values: { 製造業: Manufacturing, 建設: Construction, 建設業: Construction } }
  score:     { ma: leadScore, flow: ->, sfa: MA_Score__c, type: integer }
  ma_id:     { ma: id, flow: ->, sfa: Marketo_Id__c, type: key }
consent:
  authority: ma
  all: { ma: unsubscribed, flow: <->, sfa: HasOptedOutOfEmail, true_means: opted_out }
"""

NOW = 1_700_000_000.0


def lens(mapping: str = MAPPING) -> Lens:
    """The small mapping, compiled."""
    return Lens(compile_text(mapping))


def numbers(start: int = 1_000) -> Callable[[], int]:
    """A counter that stands for the store's sequence."""
    return itertools.count(start).__next__


MA_BLANK: dict[str, Raw] = dict.fromkeys(
    ("email", "lastName", "title", "industry", "leadScore", "unsubscribed")
)
SFA_BLANK: dict[str, Raw] = dict.fromkeys(
    ("Email", "LastName", "Title", "Industry", "MA_Score__c", "Marketo_Id__c", "HasOptedOutOfEmail")
)


def record(
    system: str, id_: str, values: Mapping[str, Raw], version: str = "", object_: str = "Lead"
) -> Record:
    """A record as a vendor would give it: every path that is read, null where nothing is said."""
    blank = MA_BLANK if system == "ma" else SFA_BLANK
    return Record(Ref(system, object_, id_), {**blank, **values}, version)


def row(system: str, id_: str, entity: int, values: Mapping[str, Raw], **changes: object) -> RecordRow:
    """A live, leading record that we hold."""
    made = record(system, id_, values)
    fresh = RecordRow(
        system, "Lead", id_, "person", entity, LEADING, LIVE, "", 1, 0, 0.0, "", "2026-01-01T00:00:00Z", -1,
        1, 0.0, 0, encode(made.values), "",
    )  # fmt: skip
    return fresh._replace(**changes)  # type: ignore[arg-type]


def keys_of(lens_: Lens, held: RecordRow, values: Mapping[str, Raw]) -> list[KeyRow]:
    """The key rows that noting this record would have stored."""
    hashes = lens_.keys(held.system, held.object, values)
    return [KeyRow(held.system, held.kind, key, held.object, held.id, 0) for key in sorted(hashes)]


def base_row(
    lens_: Lens, entity: int, ma: RecordRow, sfa: RecordRow, pairs: Mapping[str, tuple[Value, Value]]
) -> BaseRow:
    """A base under the mapping's own fingerprints."""
    halves = {}
    for name, (left, right) in pairs.items():
        rule = lens_.rule.get(name)
        fingerprint = rule.fingerprint if rule else lens_.topic[name.partition(".")[2]].fingerprint
        halves[name] = Half(fingerprint, left, right)
    body = encode_base(Base(f"{ma.object}/{ma.id}", f"{sfa.object}/{sfa.id}", halves))
    return BaseRow(entity, "people", body)


def reading(
    system: str, as_of: int, *, asked_at: float = NOW, indexed: bool = True, lag: float = 1.0
) -> Reading:
    """The circumstances of a read."""
    return Reading(
        system=system,
        kind="person",
        as_of=as_of,
        asked_at=asked_at,
        now=asked_at,
        indexed=indexed,
        lag=lag,
        run=7,
    )
