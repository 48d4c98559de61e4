"""Compare what two vendors hold now with each other and with the journal: what differs, and whether that is explained.

Pure, one entity at a time. It decides what counts as a difference (by the route's own rules, as deciding would see it)
and which fact of the journal explains it: agreed to differ, planned, held, outside the scope. What nothing explains is
a gap. It knows neither how the records were read nor what is done about a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.normalise import Known, Lens, decode_body, encode
from sync.note import differences
from sync.pairs import is_same
from sync.plan import Base, Half, decode_work
from sync.possible import ANYBODY
from sync.record import SIDES, Record, Ref, Side, Value
from sync.resolve import Await, Clash, Leave, Pair, WriteTo, resolve
from sync.rows import DELETED, FAILED, LEADING, LIVE, MOVED, TWIN, HoldRow, OperationRow, RecordRow
from sync.rules import ActionKind, FieldRule, Flow

DIFFERENT, MISSING, ORPHANED, DOUBLE = "different", "missing", "orphaned", "double"
UNKNOWN, STALE, ALONE = "unknown", "stale", "alone"
KINDS = (DIFFERENT, MISSING, ORPHANED, DOUBLE, UNKNOWN, STALE, ALONE)
_SECOND = len("2026-11-22T00:00:00")


class Finding(NamedTuple):
    """One difference. `kind`: different (a field), missing (held as live, not given by its vendor; or a counterpart
    that should be and is not), orphaned (linked with what the vendor has deleted or does not show), double (two live
    records of a side with one identity), unknown (never noted), stale (noted with other values), alone (nobody wants a
    counterpart, or a twin shares nothing any more). `why` "" = nothing explains it."""

    kind: str
    why: str
    entity: int
    refs: tuple[Ref, ...]
    field: str = ""


class Progress(NamedTuple):
    """How far the journal is: decided up to this number, and by system the ISO time up to which its feed has told."""

    decided: int
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """An entity: what the journal holds of it, and its records as the vendors have them now. `lifted`: opt-outs that a
    person has lifted, by record and topic. `counterparts`: by field that refers to another kind, ids across by ids.
    `same`: records of which the journal is known to hold what their vendor has."""

    entity: int
    held: Sequence[RecordRow]
    live: Mapping[Ref, Record]
    base: Base = field(default_factory=Base)
    holds: Sequence[HoldRow] = ()
    operations: Sequence[OperationRow] = ()
    lifted: frozenset[tuple[Ref, str]] = frozenset()
    counterparts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    same: frozenset[Ref] = frozenset()


def compare(lens: Lens, sight: Sight, progress: Progress) -> list[Finding]:
    """Everything that differs about one entity."""
    doubted = [row for row in sight.held if row.ref not in sight.same]
    found = [each for row in doubted for each in _against_journal(lens, row, sight, progress)]
    if not lens.rules.relays:
        found += _Sides(lens, sight, progress, found).findings()
    return [*found, *_apart(lens, sight)]


def is_on_its_way(record: Record, progress: Progress) -> bool:
    """True if a record is younger than what its feed has told so far: it will be told yet."""
    stamp, told = record.version or record.created, progress.told.get(record.ref.system, "")
    return stamp[:_SECOND] > told[:_SECOND]


def identities(lens: Lens, record: Record) -> frozenset[str]:
    """By what two records of one side are the same person: hashes; role addresses identify nobody."""
    ref = record.ref
    keys = lens.keys(ref.system, ref.object, record.values)
    address = record.values.get(lens.address_path(ref.system, ref.object))
    if address and not lens.is_personal(str(address)):
        keys -= lens.address_keys(ref.system, ref.object, record.values)
    return keys


def double(refs: Sequence[Ref], sights: Sequence[Sight], lens: Lens, progress: Progress) -> Finding:
    """Two or more live records of a side with one identity; explained where the journal knows them as twins or asks."""
    rows = [row for sight in sights for row in sight.held if row.ref in refs]
    entity = rows[0].entity if rows else 0
    why = ""
    if len(rows) == len(refs):
        if len({row.entity for row in rows}) == 1 and sum(row.role != TWIN for row in rows) <= 1:
            why = "twin"
        elif any(sight.holds for sight in sights):
            why = "held"
        elif any(sight.operations for sight in sights):
            why = "waiting"
        elif any(row.noted > progress.decided for row in rows):
            why = "to_decide"
        elif not any(_is_shared(lens, sight) for sight in sights):
            why = "outside"
    return Finding(DOUBLE, why, entity, tuple(refs))


def _is_shared(lens: Lens, sight: Sight) -> bool:
    """True if an entity is linked, or ought to be."""
    if len({row.system for row in sight.held if row.state != DELETED}) > 1:
        return True
    return any(_wants_counterpart(lens, row, _known(lens, row, sight.live)) for row in sight.held)


def _known(lens: Lens, row: RecordRow, live: Mapping[Ref, Record]) -> Known:
    """A record's fields as its vendor has them now."""
    record = live.get(row.ref)
    if record is None:
        return lens.known(row)
    return lens.known(row._replace(body=encode({**decode_body(row.body), **record.values})))


def _wants_counterpart(lens: Lens, row: RecordRow, known: Known) -> bool:
    side = lens.side(row.system)
    rule, scope = lens.rules.create.get(side.other), lens.rules.scope.get(side)
    if rule is None or (scope is not None and not scope(known.values)):
        return False
    return row.role == LEADING and rule.when(known.values)


def _apart(lens: Lens, sight: Sight) -> Iterator[Finding]:
    """Twins by whom nothing speaks any more for being the same person: they may have been entered under an address of
    somebody else. They stay twins until a person says otherwise (ADR 0018)."""
    seen = [row for row in sight.held if row.state == LIVE and row.ref in sight.live]
    keys = {row.ref: identities(lens, sight.live[row.ref]) for row in seen}
    near = {row.ref for row in seen if row.role == LEADING or not keys[row.ref]}
    while more := {ref for ref in keys.keys() - near if any(keys[ref] & keys[other] for other in near)}:
        near |= more
    for row in seen:
        if row.ref not in near:
            yield Finding(ALONE, "apart", sight.entity, (row.ref,))


def _stays(rule: FieldRule, now: Pair) -> bool:
    """True if the mapping itself leaves a difference: nobody had to agree to it."""
    sources = [now.of(side) for side in SIDES if rule.flow.into(side.other)]
    return rule.create_only or (rule.blank == "keep" and None in sources)


# --- a record and what the journal holds of it ----------------------------------------------------------------


def _against_journal(lens: Lens, row: RecordRow, sight: Sight, progress: Progress) -> Iterator[Finding]:
    if row.state == MOVED:
        return  # a vendor may show a converted record still
    record, asked = sight.live.get(row.ref), "to_read" if row.refetch_at > 0 else ""
    if record is None:
        if row.state == LIVE:
            yield Finding(MISSING, asked, sight.entity, (row.ref,))
        return
    newer = record.version != row.version and is_on_its_way(record, progress)
    why = asked or ("on_its_way" if newer else "")
    if row.state != LIVE:
        yield Finding(STALE, why, sight.entity, (row.ref,))
        return
    changed = differences(row, decode_body(row.body), record.values)
    if changed:
        names = [lens.name_of(row.system, row.object, path) or path for path in changed]
        if not why and row.unconfirmed and set(names) <= lens.known(row).unconfirmed:
            why = "unconfirmed"
        yield Finding(STALE, why, sight.entity, (row.ref,), ", ".join(sorted(set(names))))


# --- both sides ------------------------------------------------------------------------------------------------


class _Sides:
    """An entity's leading records, and what may explain that they differ."""

    def __init__(self, lens: Lens, sight: Sight, progress: Progress, found: Iterable[Finding]) -> None:
        self.lens, self.sight, self.progress = lens, sight, progress
        self.rows: dict[Side, RecordRow] = {}
        for row in sight.held:
            if row.role == LEADING and row.state != MOVED:
                self.rows[lens.side(row.system)] = row
        self.refs = tuple(row.ref for _side, row in sorted(self.rows.items()))
        self.stale = [each for each in found if each.kind == STALE]
        self.known = {side: self._translated(side, row) for side, row in self.rows.items()}

    def _translated(self, side: Side, row: RecordRow) -> Known:
        """A side's fields, with the ids across in place of the ids here."""
        known = _known(self.lens, row, self.sight.live)
        values = dict(known.values)
        for name, ids in self.sight.counterparts.items():
            if self.lens.rule[name].flow.into(side.other) and values.get(name) not in (None, ""):
                value = str(values.pop(name))
                if value in ids:
                    values[name] = ids[value]
        return known._replace(values=values)

    def findings(self) -> Iterator[Finding]:
        """What differs between the sides."""
        live = [side for side, row in self.rows.items() if row.ref in self.sight.live]
        gone = [row for side, row in self.rows.items() if side not in live]
        if len(live) == 2:
            yield from self._fields()
            yield from self._consent()
        elif live and gone and gone[0].state != LIVE:
            why = "deleted" if gone[0].state == DELETED else "not_shown"
            yield Finding(ORPHANED, why, self.sight.entity, self.refs)
        elif live and not gone:
            yield self._alone(live[0])

    def _alone(self, side: Side) -> Finding:
        row = self.rows[side]
        if not _wants_counterpart(self.lens, row, self.known[side]):
            return Finding(ALONE, "outside", self.sight.entity, (row.ref,))
        return Finding(MISSING, self._pending(""), self.sight.entity, (row.ref,))

    def _fields(self) -> Iterator[Finding]:
        scope = self.lens.rules.scope
        outside = any(side in scope and not scope[side](self.known[side].values) for side in SIDES)
        for rule in self.lens.rules.fields:
            why = None if rule.flow is Flow.NONE else self._why(rule)
            if why is not None:
                yield Finding(
                    DIFFERENT, "outside" if outside else why, self.sight.entity, self.refs, rule.name
                )

    def _why(self, rule: FieldRule) -> str | None:
        """None = nothing differs, "" = it does and nothing explains it."""
        if any(rule.name in self.known[side].unknown for side in SIDES):
            return self._pending(rule.name)
        now = self._now(rule)
        if now is None or now.same:
            return None
        half = self._half(rule)
        match resolve(rule, now, half):
            case WriteTo(side=side):
                return self._unwritten(rule, side, now)
            case Clash():
                return self._pending(rule.name)
            case Await():
                return "unconfirmed"
            case Leave() if half is not None and (half.ma, half.sfa) == (now.ma, now.sfa):
                return "by_rule" if _stays(rule, now) else "agreed"
            case _:
                return "by_rule"

    def _now(self, rule: FieldRule) -> Pair | None:
        found: dict[Side, Value] = {}
        for side in SIDES:
            values = self.known[side].values
            if rule.compute is not None and rule.flow.into(side.other):
                found[side] = rule.compute(values)
            elif rule.name in values:
                found[side] = values[rule.name]
            else:
                return None
        ma, sfa = found[Side.MA], found[Side.SFA]
        away = [rule.name in self.known[side].unconfirmed for side in SIDES]
        return Pair(ma, sfa, is_same(rule, ma, sfa), *away)

    def _half(self, rule: FieldRule) -> Half | None:
        base, half = self.sight.base, self.sight.base.halves.get(rule.name)
        for side, row in self.rows.items():
            if base.leading(side) not in (ANYBODY, f"{row.object}/{row.id}"):
                return None
        return half if half is not None and half.fingerprint == rule.fingerprint else None

    def _unwritten(self, rule: FieldRule, side: Side, now: Pair) -> str | None:
        """Why a value that goes across has not gone yet."""
        row, cell = self.rows[side], rule.cells.get(side)
        path = cell.paths.get(row.object) if cell is not None else None
        if cell is None or path is None or row.object in cell.read_only:
            return "not_writable"
        if self.sight.live[row.ref].values.get(path) == cell.write(now.of(side.other)):
            return None
        return self._pending(rule.name)

    def _consent(self) -> Iterator[Finding]:
        for topic in self.lens.topic:
            said = {side: known.consent.get(topic) for side, known in self.known.items()}
            readable = all(topic in known.consent for known in self.known.values())
            if not readable or (said[Side.MA] is True) == (said[Side.SFA] is True):
                continue
            out = self.rows[Side.MA if said[Side.MA] is True else Side.SFA]
            lifted = (out.ref, topic) in self.sight.lifted
            why = "agreed" if lifted else self._pending(f"consent.{topic}", opt_out=True)
            yield Finding(DIFFERENT, why, self.sight.entity, self.refs, f"consent.{topic}")

    def _pending(self, name: str, *, opt_out: bool = False) -> str:
        """What the journal has in hand about a field ("" = about the entity); "" = nothing."""
        sight = self.sight
        if any(hold.field == name or not hold.field for hold in sight.holds):
            return "held"
        for row in sight.operations:
            work = decode_work(row.body)
            about = not name or opt_out == (row.action == ActionKind.OPT_OUT)
            if about and (not name or opt_out or any(each.name == name for each in work.fields.values())):
                return "refused" if row.state == FAILED else "waiting"
        if any(row.noted > self.progress.decided for row in sight.held):
            return "to_decide"
        if self.stale:  # it is told of there, explained or not
            return self.stale[0].why or "unread"
        return "unconfirmed" if any(name in known.unconfirmed for known in self.known.values()) else ""
