"""Settle: what the vendor's answers make of operations, of what is seen, and of the base (protocol §3).

Pure: one batch's operations, their outcomes and the rows around them go in, row changes come out. Halves
come from the operation, never from what is seen by then. Vendors that answer with an id only leave what
was sent as the target's half, unconfirmed until it is read back.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync.agree import agreed
from sync.around import Around, Settled
from sync.arrived import has_arrived
from sync.confirm import Sent, believed, pack, waiting
from sync.errors import Meaning
from sync.met import NAMELESS, SOMEBODY_ELSES, bearing_the_key, survivor, unread, was_in_view
from sync.normalise import Lens, decode_body, encode
from sync.note import Numbers
from sync.outdated import is_outdated
from sync.plan import Base, FieldWork, Job, Work, decode_base, target_of
from sync.ports import FieldError, Outcome
from sync.possible import base_of_create, is_possible, with_doubt
from sync.record import Raw, Ref
from sync.refuse import after_refusal, failed, lean_effect, part
from sync.rows import (
    APPLIED,
    DELETED,
    FAILED,
    LEADING,
    LIVE,
    PENDING,
    SUPERSEDED,
    TWIN,
    UNSEEN,
    WAITING,
    KeyRow,
    OperationRow,
    Patch,
    RecordRow,
)  # fmt: skip
from sync.rules import ActionKind

PERSON = "person"  # the kind that no other kind refers to
LONGEST_WAIT = 300.0
READ_BACK = 300.0  # a vendor that ignored a write says nothing of it in its feed: such a record is read by id


class Settlement:
    """Turns the outcomes of one batch into a patch."""

    def __init__(self, lens: Lens, around: Around, numbers: Numbers, now: float, patch: Patch) -> None:
        self.lens = lens
        self.around = around
        self.numbers = numbers
        self.now = now
        self.patch = patch
        self.done = Settled()

    def settle(self, job: Job, outcome: Outcome) -> None:
        """Settle one operation."""
        row, work = job
        if row.action == ActionKind.EFFECT:
            self._settle_effect(row, work, outcome)
            return
        match outcome.result:
            case "applied":
                self._applied(row, work, believed(self.lens, job, outcome))
            case "exists":
                self._exists(row, work, outcome)
            case "refused":
                self._refused(row, work, outcome)
            case "gone":
                self._gone(row)
            case "retry":
                self._later(row, work, outcome)

    # --- applied ---------------------------------------------------------------------------------------

    def _applied(self, row: OperationRow, work: Work, outcome: Outcome) -> None:
        settled = self.numbers()
        target = Ref(row.system, row.object, outcome.id or row.record)
        held = self.around.records.get(target)
        source = self.around.records.get(work.source)
        if row.action == ActionKind.CREATE:
            new = self._created(row, work, target, held, source, settled)
        elif held is None:
            new = None
        else:
            new = self._written(held, row, work.fields, outcome.values, settled)
        if new is not None:
            # an opt-out that arrives late is asked once more who else has to hear of it
            late = row.action == ActionKind.OPT_OUT
            if row.again or late or work.without or self._asks_again(row, work):
                new = new._replace(noted=self.numbers())
            self._put(new)
            self._agree(new, work, row, outcome.values)
        self.patch.put(row._replace(state=APPLIED, record=target.id, done_at=self.now, reason=""))
        self.done.applied += 1

    def _asks_again(self, row: OperationRow, work: Work) -> bool:
        """True if what was written is decided again: a field of the other side is computed from it, or the rules have
        changed since."""
        inputs = self.lens.inputs(row.system)
        return is_outdated(self.lens, row) or any(each.name in inputs for each in work.fields.values())

    def _written(
        self, held: RecordRow, row: OperationRow, fields: Mapping[str, FieldWork],
        returned: Mapping[str, Raw] | None, settled: int,
    ) -> RecordRow:  # fmt: skip
        body = decode_body(held.body)
        left = {path: sent._replace(alone=False) for path, sent in waiting(held).items()}
        for path, work in fields.items():
            if returned is not None and path in returned:
                body[path] = returned[path]
                left.pop(path, None)
            else:
                left[path] = Sent(row.id, body.get(path), work.desired, 0)
                body[path] = work.desired
        new = held._replace(
            settled=settled, settled_at=self.now, body=encode(body), unconfirmed=pack(left),
            refetch_at=self._read_back(held.refetch_at) if left else held.refetch_at,
        )  # fmt: skip
        self._move_keys(held, new)
        return new

    def _created(
        self, row: OperationRow, work: Work, target: Ref, held: RecordRow | None, source: RecordRow | None,
        settled: int,
    ) -> RecordRow:  # fmt: skip
        self._release(row, work, waited_for=bool(row.again))
        entity = source.entity if source is not None else row.entity
        if held is not None:
            role = held.role if held.entity == entity else self._role(row.system, entity)
            return self._met(held, row, work)._replace(entity=entity, role=role)
        paths = self.lens.paths(row.system, row.object)
        body: dict[str, Raw] = dict.fromkeys(paths)
        left: dict[str, Sent] = {}
        for path, field_ in work.fields.items():
            body[path] = field_.desired
            left[path] = Sent(row.id, None, field_.desired, 0)
        # the source's record learns the new id by an ordinary write; effects may wait for the record, and records
        # of other kinds for what they refer to
        rules, side = self.lens.rules, self.lens.side(row.system)
        asked = self.lens.carries_ids(side) or rules.standing or rules.kind != PERSON
        noted = self.numbers() if asked else 0
        new = RecordRow(
            row.system, row.object, target.id, self.lens.rules.kind, entity, self._role(row.system, entity),
            LIVE, "", 0, settled, self.now, "", "", -1, noted, self._read_back(0.0), 0, encode(body),
            pack(left),
        )  # fmt: skip
        for key in self.lens.made_keys(row.system, row.object, body):
            self.patch.put(KeyRow(row.system, self.lens.rules.kind, key, row.object, target.id, 0))
        return new

    def _read_back(self, planned: float) -> float:
        """When a written record is read by id, should its feed not bring it before."""
        return min(planned or float("inf"), self.now + READ_BACK)

    def _met(self, held: RecordRow, row: OperationRow, work: Work) -> RecordRow:
        """A record of our own making that was read before its create was settled: what reads different from what was
        sent is judged like everything that is read back. That somebody else wrote there last is kept of it."""
        unread = work.fields.keys() - set(self.lens.paths(row.system, row.object))
        if unread:  # the rules have lost these fields: what became of them nobody has looked at
            held = with_doubt(self.lens, self.around, held, row, part(work, unread))
        seen = decode_body(held.body)
        left, alone = waiting(held), not (held.settled or work.copied)
        for path, field_ in work.fields.items():
            if seen.get(path) != field_.desired:
                others = work.copied or (held.own == 0 and seen.get(path) is not None)
                left.setdefault(path, Sent(row.id, None, field_.desired, 0, alone=alone, others=others))
        return held._replace(noted=self.numbers(), unconfirmed=pack(left))

    def _role(self, system: str, entity: int) -> int:
        leads = (
            row.role == LEADING and row.state in (LIVE, UNSEEN)
            for row in self.around.of(entity)
            if row.system == system
        )
        return TWIN if any(leads) else LEADING

    def _move_keys(self, old: RecordRow, new: RecordRow) -> None:
        before = self.lens.stored_keys(old.system, old.object, decode_body(old.body))
        after = self.lens.stored_keys(new.system, new.object, decode_body(new.body))
        for key in before - after:
            self.patch.drop(KeyRow(old.system, old.kind, key, old.object, old.id, 0))
            self.done.freed.add(key)
        for key in after - before:
            self.patch.put(KeyRow(new.system, new.kind, key, new.object, new.id, 0))

    def _agree(
        self, target: RecordRow, work: Work, row: OperationRow, returned: Mapping[str, Raw] | None
    ) -> None:
        fresh = agreed(self.lens, self.around, target, Job(row, work), returned, self.now)
        if fresh is not None:
            self.around.bases[target.entity] = fresh
            self.patch.put(fresh)

    def _settle_effect(self, row: OperationRow, work: Work, outcome: Outcome) -> None:
        """An effect has no record of ours and no base: it happened, or it is tried again, or it failed."""
        match outcome.result:
            case "applied" | "exists":
                self.patch.put(row._replace(state=APPLIED, record=outcome.id, done_at=self.now, reason=""))
                self.done.applied += 1
            case "retry":
                self._later(row, work, outcome)
            case "refused" | "gone":
                errors = outcome.errors or (
                    FieldError("", outcome.result, "the vendor no longer has the person", Meaning.GONE),
                )
                lean = lean_effect(row, work, errors)
                self.patch.put(lean or failed(row, work, errors, self.now))
                self.done.retried += lean is not None
                self.done.failed += lean is None

    # --- not applied -----------------------------------------------------------------------------------

    def _exists(self, row: OperationRow, work: Work, outcome: Outcome) -> None:
        """The record is there already: it is read and identified, and what it lacks is decided then."""
        if not outcome.id:
            self._refused(row, work, Outcome("refused", errors=(NAMELESS,)))
            return
        number, named = self.numbers(), Ref(row.system, row.object, outcome.id)
        self._bears_the_key(named, work, number)
        target, held = survivor(self.around, named)
        if held is not None and was_in_view(self.lens, row, work, held, moved=target != named):
            self._refused(row, work, Outcome("refused", errors=(SOMEBODY_ELSES,)))
            return
        held = held or unread(target, self.lens.rules.kind, number, self.now)
        self._put(held._replace(refetch_at=self.now, noted=number))
        self._remember(row, work)
        self._release(row, work)
        self._ask_source(work)
        self.patch.put(row._replace(state=SUPERSEDED, done_at=self.now, reason="exists", record=outcome.id))
        self.done.adopted += 1

    def _bears_the_key(self, ref: Ref, work: Work, number: int) -> None:
        """Keep what the vendor says of a record that it may not show."""
        old = self.around.records.get(ref) or unread(ref, self.lens.rules.kind, number, self.now)
        new = bearing_the_key(self.lens, old, work)
        if new != old:
            self._move_keys(old, new)
            self._put(new)

    def _remember(self, row: OperationRow, work: Work) -> None:
        """A create of which nobody knows, or only the second answer, may have made whatever record the person is linked
        with later."""
        base = base_of_create(self.lens, self.around, row, work)
        if base is not None:
            self.around.bases[base.entity] = base
            self.patch.put(base)

    def _gone(self, row: OperationRow) -> None:
        held = self.around.records.get(target_of(row))
        if held is not None and held.state in (LIVE, UNSEEN):
            self._put(held._replace(state=UNSEEN, refetch_at=self.now, noted=self.numbers()))
        self.patch.put(row._replace(state=SUPERSEDED, done_at=self.now, reason="gone"))
        self.done.superseded += 1

    def vanished(self, job: Job, error: FieldError | None = None) -> None:
        """Nobody can look whether the write has arrived: its record was deleted before, or may not be read (`error`).
        Should it show again, the value sent is as much ours as the value before: neither will be somebody's edit."""
        row, work = job
        held = self.around.records.get(job.target)
        if held is not None and held.state == (DELETED if error is None else LIVE):
            # the operation may be decided away, and nobody else asks what became of it
            self._leave_in_doubt(held, job, None if error is None else self._read_back(held.refetch_at))
        if row.action == ActionKind.CREATE:
            self._remember(row, work)
        self._gone(row) if error is None else self.fail(job, error)

    def lost_by_the_rules(self, job: Job) -> None:
        """The rules have lost these fields since they left, so that nobody looks whether they have arrived: should the
        rules get them back, they are read."""
        held = self.around.records.get(job.target)
        if held is not None:
            self._leave_in_doubt(held, job)
        self.supersede(job, "no longer mapped")

    def _leave_in_doubt(self, held: RecordRow, job: Job, refetch_at: float | None = None) -> None:
        if job.row.action != ActionKind.OPT_OUT:
            new = with_doubt(self.lens, self.around, held, *job)
            if refetch_at is not None:
                new = new._replace(refetch_at=refetch_at)
            self._move_keys(held, new)
            self._put(new)
            self._agree(new, job.work, job.row, None)

    def _later(self, row: OperationRow, work: Work, outcome: Outcome) -> None:
        wait = max(outcome.after, min(LONGEST_WAIT, 2.0 ** min(row.attempts, 9)))
        self.patch.put(row._replace(state=PENDING, at=self.now + wait, attempts=row.attempts + 1))
        if row.action == ActionKind.CREATE:
            self._remember(row, work)  # a line may deliver twice, and bring the second answer only
        self._wake(row, work)
        self.done.retried += 1

    def again(self, job: Job) -> None:
        """It was never executed: it may leave again, unless what was passed over meanwhile wants it otherwise."""
        row, work = job
        about = self.around.records.get(target_of(row) if row.record else work.source)
        entity = about.entity if about is not None else row.entity
        self.patch.put(row._replace(state=PENDING, at=self.now, attempts=row.attempts + 1, entity=entity))
        if row.action == ActionKind.CREATE:
            self._remember(row, work)
        self._wake(row, work)

    def _refused(self, row: OperationRow, work: Work, outcome: Outcome) -> None:
        """Refused: what is left of the operation is sent again in parts, and what was named fails alone."""
        self.done.errors += [(error.code, error.path) for error in outcome.errors]
        for after in after_refusal(row, work, outcome.errors, self.numbers, self.now):
            self.patch.put(after)
            self.done.failed += after.state == FAILED
            self.done.retried += after.state == PENDING
        if row.action == ActionKind.CREATE:
            self._remember(row, work)
        self._wake(row, work)

    def wait(self, job: Job, until: float, reason: str) -> None:
        """Its record does not show: it waits, and the record is read once more by the next cycle, which counts it
        as lost."""
        row, _work = job
        self.patch.put(row._replace(state=WAITING, at=until, reason=reason))
        held = self.around.records.get(job.target)
        if held is not None:
            self._put(held._replace(refetch_at=self.now))

    def fail(self, job: Job, error: FieldError) -> None:
        """It cannot even be looked up: the operation fails as it stands, and is tried again later."""
        row, work = job
        self.done.errors.append((error.code, error.path))
        self.done.failed += 1
        self.patch.put(failed(row, work, (error,), self.now))
        self._wake(row, work)

    # --- around ----------------------------------------------------------------------------------------

    def supersede(self, job: Job, reason: str) -> None:
        """Drop an operation that must not leave: its record has moved on; it is decided again."""
        row, work = job
        if row.attempts and row.action == ActionKind.UPDATE:
            self._agree_on_arrived(job)
        self._release(row, work)
        self._ask_source(work)
        self.patch.put(row._replace(state=SUPERSEDED, done_at=self.now, reason=reason))
        self.done.superseded += 1

    def _agree_on_arrived(self, job: Job) -> None:
        """A try before this one may have brought what stands there now, though it was answered with a refusal."""
        row, work = job
        target = self.around.records.get(job.target)
        if target is not None and target.state == LIVE:
            held = self.around.bases.get(target.entity)
            base = decode_base(held.body) if held is not None else Base()
            old = {} if is_possible(base) else base.halves
            ours = [
                path for path, each in work.fields.items()
                if has_arrived(self.lens, target, path, each, old.get(each.name))
            ]  # fmt: skip
            self._agree(target, part(work, ours), row, None)

    def _release(self, row: OperationRow, work: Work, *, waited_for: bool = True) -> None:
        for key in work.claims:
            self.patch.drop(KeyRow(row.system, self.lens.rules.kind, key, "", "", row.id))
        if waited_for:
            self.done.free(self.lens, self.around, row, work)

    def _ask_source(self, work: Work) -> None:
        source = self.around.records.get(work.source)
        if source is not None:
            self._put(source._replace(noted=self.numbers()))

    def _wake(self, row: OperationRow, work: Work) -> None:
        """What was passed over while the operation was on its way is decided now."""
        if row.again:
            self._ask_source(work)
            self.done.free(self.lens, self.around, row, work)

    def _put(self, row: RecordRow) -> None:
        self.around.put(row)
        self.patch.put(row)
