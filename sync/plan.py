"""Operations as frozen data: what is expected at the target, what is desired, and what it was decided from.

`Work` is the body of an operation in the journal and in plan files. Content has a hash, so that a plan
can be approved by name and equal work is recognised when decided again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from sync.ports import FieldError
from sync.record import Raw, Ref, Side, Value
from sync.rows import OperationRow
from sync.rules import ActionKind


class FieldWork(msgspec.Struct, frozen=True, array_like=True):
    """One field of an operation: its name; the target's raw value now and then; the source value decided
    from and the target value after (both canonical); `lost` = a value that a conflict overrides; `fingerprint` of the
    rule that it was decided by ("" = not kept)."""

    name: str
    expected: Raw
    desired: Raw
    source: Value
    half: Value
    lost: Value = None
    fingerprint: str = ""


class Work(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an operation. `source` is the record decided from, `verify` names the paths whose
    expected value is read before sending, `claims` the match keys a create holds, `unique` the path of
    a unique key among its fields, `without` the fields that the vendor refused on an earlier try, `who`
    the path that gets the person's record id once it is known, `repeatable` = doing it twice is doing it once
    (effects), `spare` the paths that an effect can do without, `errors` what was said of it last, `refusals` how often
    the vendor refused it as it stands, `undo` = it takes back what we wrote, `copied` = it was on its way in a copy of
    the journal that was put back."""

    fields: dict[str, FieldWork]
    source: Ref
    verify: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    unique: str = ""
    without: tuple[str, ...] = ()
    who: str = ""
    errors: tuple[FieldError, ...] = ()
    repeatable: bool = False
    refusals: int = 0
    spare: tuple[str, ...] = ()
    undo: bool = False
    copied: bool = False


_encoder = msgspec.json.Encoder(order=None)
_work = msgspec.json.Decoder(Work)


def encode_work(work: Work) -> bytes:
    """Write work as JSON."""
    return _encoder.encode(work)


def decode_work(body: bytes) -> Work:
    """Read work back."""
    return _work.decode(body)


class Job(NamedTuple):
    """An operation with its work decoded, for the way from the journal to the vendor and back."""

    row: OperationRow
    work: Work

    @property
    def target(self) -> Ref:
        """The record that is written to (id empty for a create)."""
        return Ref(self.row.system, self.row.object, self.row.record)


def jobs_of(rows: Iterable[OperationRow]) -> list[Job]:
    """Decode the work of operations."""
    return [Job(row, _work.decode(row.body)) for row in rows]


def content_hash(target: Ref, body: bytes) -> str:
    """Name an operation's content: equal hash = equal target, expectation, desire and source."""
    return blake2b("\0".join(target).encode() + body, digest_size=8).hexdigest()


def action_of(fields: Mapping[str, FieldWork], *, create: bool) -> ActionKind:
    """What kind of action these fields make: a create, an update, or one that blanks something."""
    if create:
        return ActionKind.CREATE
    if any(field.desired is None and field.expected is not None for field in fields.values()):
        return ActionKind.BLANK
    return ActionKind.UPDATE


def target_of(operation: OperationRow) -> Ref:
    """The record an operation writes to (id empty for a create)."""
    return Ref(operation.system, operation.object, operation.record)


class Half(msgspec.Struct, frozen=True, array_like=True):
    """What both sides last agreed on for one field, under one fingerprint; `written` are marks of the last
    values that we wrote, for the loop brake."""

    fingerprint: str
    ma: Value
    sfa: Value
    written: tuple[str, ...] = ()

    def of(self, side: Side) -> Value:
        """One side's half."""
        return self.ma if side is Side.MA else self.sfa

    def with_side(self, side: Side, value: Value) -> Half:
        """The same pair with one half replaced."""
        if side is Side.MA:
            return Half(self.fingerprint, value, self.sfa, self.written)
        return Half(self.fingerprint, self.ma, value, self.written)


def taken_back(half: Half, old: Half | None, side: Side | None) -> Half:
    """The half of a value that was taken back: it carries nothing across, so nothing goes in circles by it. `side`: the
    record across is another one by now, so that only this side's half follows; the other stays as it was agreed."""
    if side is not None and old is not None:
        return old.with_side(side, half.of(side))
    return Half(half.fingerprint, half.ma, half.sfa, old.written if old is not None else ())


class Base(msgspec.Struct, frozen=True, array_like=True):
    """The body of a base row: the leading records that it belongs to, and the halves by field."""

    ma: str = ""
    sfa: str = ""
    halves: dict[str, Half] = msgspec.field(default_factory=dict)

    def leading(self, side: Side) -> str:
        """The record (`object/id`) whose values the halves of a side are."""
        return self.ma if side is Side.MA else self.sfa


_base = msgspec.json.Decoder(Base)


def encode_base(base: Base) -> bytes:
    """Write a base body as JSON."""
    return _encoder.encode(base)


def decode_base(body: bytes) -> Base:
    """Read a base body back."""
    return _base.decode(body)


def short_hash(value: Value) -> str:
    """Eight digits that recognise a value without keeping it."""
    return blake2b(repr(value).encode(), digest_size=4).hexdigest()


def written_mark(value: Value, now: float) -> str:
    """How the base remembers that we wrote a value: its short hash and the hour (since 1970, UTC)."""
    return f"{short_hash(value)}@{int(now // 3_600)}"


def times_written(half: Half, value: Value, now: float) -> int:
    """How often we wrote a value to a field within the last day, as far as the base remembers."""
    wanted, oldest = short_hash(value), now // 3_600 - 24
    marks = (mark.partition("@") for mark in half.written)
    return sum(name == wanted and float(hour or 0) >= oldest for name, _at, hour in marks)
