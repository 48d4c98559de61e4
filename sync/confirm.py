"""What became of values that were sent and have now been read back different (protocol §3).

Pure, one record at a time. Equal to sent was already confirmed when the read was noted. Equal to the value
before: read once more after the vendor's lag, then the vendor has ignored us. Anything else is the vendor's
alteration where its evidence shows only our write (or the field flows one way), else somebody's change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from sync.normalise import Lens, decode_body, encode
from sync.plan import Job
from sync.ports import Outcome
from sync.record import Raw, Value
from sync.rows import RecordRow

Fate: TypeAlias = Literal["look again", "ignored", "altered", "changed", "undone"]


class Sent(NamedTuple):
    """A value on its way: the operation, the raw value before, the raw value sent, and the number of
    the read that first showed the value before again (0 = none).
    `alone`: we have written nothing to the record since, so that «last modified by us» speaks of this value; in a copy
    that was put back nobody knows (sync.copied).
    `awaited`: something is decided by this value as soon as it is read back.
    `doubt`: nobody knows whether it arrived: its record was deleted before anybody could look.
    `others`: somebody else has written to the record since, and to this value for all that is known; in a copy that was
    put back they may have.
    `agreed`: what was agreed on before a write in doubt, of marketing and of sales (empty = not known)."""

    operation: int
    before: Raw
    sent: Raw
    looked: int
    alone: bool = True
    awaited: bool = False
    doubt: bool = False
    others: bool = False
    agreed: tuple[Value, ...] = ()


class Verdict(NamedTuple):
    """What became of one field: its name (or topic), its path, its fate, and the target's half from now on, or where
    the write was undone what had been agreed on before it, as far as that is known."""

    name: str
    path: str
    fate: Fate
    half: Value
    operation: int
    agreed: tuple[Value, ...] = ()


class Confirmation(NamedTuple):
    """All verdicts of one record, and the row as it stands after them."""

    verdicts: tuple[Verdict, ...]
    row: RecordRow


_decode = msgspec.json.Decoder(dict[str, Sent]).decode


def waiting(row: RecordRow) -> dict[str, Sent]:
    """The unconfirmed values of a record by path."""
    if not row.unconfirmed:
        return {}
    return _decode(row.unconfirmed)


def pack(sent: dict[str, Sent]) -> str:
    """The stored form of unconfirmed values."""
    return encode(sent).decode() if sent else ""


def disputed(row: RecordRow) -> str:
    """Of the unconfirmed values those that were read back different and not judged yet, in their stored form."""
    seen = decode_body(row.body)
    return pack({path: sent for path, sent in waiting(row).items() if seen.get(path) != sent.sent})


def believed(lens: Lens, job: Job, outcome: Outcome) -> Outcome:
    """The outcome without returned values that stand as they did before the write: whether the vendor has ignored us
    is found out by reading, as where it returns nothing."""
    system, object_ = job.row.system, job.row.object

    def is_kept(path: str, raw: Raw) -> bool:
        field = job.work.fields.get(path)
        read = lens.read_raw(system, object_, path, raw)
        if field is None or read == lens.read_raw(system, object_, path, field.desired):
            return True
        return read != lens.read_raw(system, object_, path, field.expected)

    if outcome.values is None:
        return outcome
    return outcome._replace(values={path: raw for path, raw in outcome.values.items() if is_kept(path, raw)})


def await_back(row: RecordRow, paths: Iterable[str]) -> RecordRow:
    """The row with some of its unconfirmed values marked as awaited."""
    sent = waiting(row)
    sent.update((path, sent[path]._replace(awaited=True)) for path in paths if path in sent)
    return row._replace(unconfirmed=pack(sent))


def confirm(row: RecordRow, lens: Lens, *, now: float, lag: float, away: bool = False) -> Confirmation:
    """Judge every unconfirmed value that was read back different from what was sent. What was sent stands in the
    body until a later read puts something else there, so that a difference is always news. `away`: a write to the
    record is on its way, and «last modified by us» may speak of that one."""
    if not row.unconfirmed:
        return Confirmation((), row)
    seen = decode_body(row.body)
    left: dict[str, Sent] = {}
    verdicts: list[Verdict] = []
    refetch = row.refetch_at
    for path, sent in waiting(row).items():
        fate = _fate(row, lens, path, sent._replace(alone=sent.alone and not away), seen.get(path))
        if fate is None:
            left[path] = sent
        elif fate == "look again":
            left[path] = sent._replace(looked=sent.looked or row.as_of)
            refetch = refetch or now + lag
        else:
            name = lens.name_of(row.system, row.object, path)
            value = sent.before if fate == "undone" else seen.get(path)
            half = lens.read_raw(row.system, row.object, path, value)
            verdicts.append(Verdict(name, path, fate, half, sent.operation, sent.agreed))
    return Confirmation(tuple(verdicts), row._replace(unconfirmed=pack(left), refetch_at=refetch))


def _fate(row: RecordRow, lens: Lens, path: str, sent: Sent, now: Raw) -> Fate | None:
    if now == sent.sent:
        return None
    read = lens.read_raw(row.system, row.object, path, now)
    if read == lens.read_raw(row.system, row.object, path, sent.sent):
        return "altered"
    if sent.doubt:
        return "undone"
    if read == lens.read_raw(row.system, row.object, path, sent.before):
        return "ignored" if 0 < sent.looked < row.as_of else "look again"
    ours = row.own == 1 and sent.alone
    alters = ours or (sent.before != sent.sent and _only_arrives(row, lens, path))
    return "altered" if alters and row.own != 0 and not sent.others else "changed"


def _only_arrives(row: RecordRow, lens: Lens, path: str) -> bool:
    """True if a field comes here and goes nowhere. An id is altered by no vendor; where a field comes from nothing is
    sent any more, once its arrow has turned."""
    rule, here = lens.rule.get(lens.name_of(row.system, row.object, path)), lens.side(row.system)
    return rule is not None and rule.flow.into(here) and not rule.flow.into(here.other) and not rule.key
