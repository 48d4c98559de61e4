"""A create that met a record: the vendor says that one with the same key exists.

Pure. It decides which record that is by now, what is known of it by the vendor's word alone, and whether the create
was decided with it in view, so that to decide again would only send the same once more. It writes nothing.
"""

from __future__ import annotations

from sync.around import Around
from sync.errors import Meaning
from sync.normalise import Lens, decode_body, encode
from sync.plan import Work
from sync.ports import FieldError
from sync.record import Ref
from sync.rows import DELETED, LEADING, LIVE, MOVED, UNSEEN, OperationRow, RecordRow

NAMELESS = FieldError("", "exists", "the record exists and the vendor does not say which", Meaning.DUPLICATE)
SOMEBODY_ELSES = FieldError(
    "", "exists", "a record that is somebody else's bears the same key", Meaning.DUPLICATE
)


def unread(ref: Ref, kind: str, number: int, now: float) -> RecordRow:
    """What stands for a record that was named and has not been read yet; it is read by id at once."""
    return RecordRow(
        *ref, kind, number, LEADING, UNSEEN, "", 0, 0, 0.0, "", "", -1, number, now, 0, b"{}", ""
    )


def survivor(around: Around, target: Ref) -> tuple[Ref, RecordRow | None]:
    """The record itself, or the one that it went on as when it was merged or converted."""
    held = around.records.get(target)
    for _ in range(16):
        if held is None or held.state != MOVED:
            break
        object_, _, id_ = held.moved_to.partition("/")
        target = Ref(target.system, object_, id_)
        held = around.records.get(target)
    return target, held


def bearing_the_key(lens: Lens, held: RecordRow, work: Work) -> RecordRow:
    """A record that does not show, with the key of the create: the vendor's word for it is all there is, and it
    keeps the person from being created again and again."""
    path = work.unique or lens.address_path(held.system, held.object)
    if held.state not in (UNSEEN, DELETED) or path not in work.fields:
        return held
    return held._replace(body=encode(decode_body(held.body) | {path: work.fields[path].desired}))


def was_in_view(lens: Lens, row: OperationRow, work: Work, held: RecordRow, *, moved: bool) -> bool:
    """True if the create was decided with this record in view, as it stands: to adopt it would decide the same again
    (a desk's address, which identifies nobody; a key that the vendor does not show). One that it moved to was in view
    whatever its keys; one without the key may have got it since, until it was read once more."""
    if held.state != LIVE or held.noted > row.id:
        return False
    if moved or held.as_of > held.noted:
        return True
    sent = {path: field.desired for path, field in work.fields.items()}
    keys = lens.keys(held.system, held.object, decode_body(held.body))
    return bool(keys & lens.keys(row.system, row.object, sent))
