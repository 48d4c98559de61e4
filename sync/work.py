"""What an entity wants, and how that becomes operations beside those that are already open.

Pure over a scene. Work that an open operation already holds stays there with its attempts and back-off;
other work that has not left is superseded, also by nothing. While an operation of a record is on its way
nothing new is derived for that record: it is asked again when that is settled. Opt-outs carry their own
fields only and are never chained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sync.consent import OptOut
from sync.normalise import encode
from sync.note import Numbers
from sync.plan import Base, FieldWork, Work, action_of, content_hash, decode_work, encode_work, target_of
from sync.record import Raw, Ref
from sync.rivals import release_claims
from sync.rows import (
    FAILED,
    LANE_DELTA,
    LANE_OPT_OUT,
    PENDING,
    PLANNED,
    SUPERSEDED,
    HoldRow,
    KeyRow,
    OperationRow,
    RecordRow,
)  # fmt: skip
from sync.rules import FIELD_ACTIONS, ActionKind
from sync.scene import Scene


class Allowance:
    """How many opt-outs may still leave unasked; the count is only looked up when the first one comes."""

    def __init__(self, left: Callable[[], int]) -> None:
        self._ask = left
        self._left: int | None = None

    def take(self) -> bool:
        """Use one up; False when none is left."""
        if self._left is None:
            self._left = self._ask()
        self._left -= 1
        return self._left >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The circumstances of one decide step.

    `opt_outs`: how many may leave at once (none in a plan, in shadow and before the route was applied).
    `unique`: (system, object) -> paths that are unique there. `lag`: seconds by system. `quiet_until`: nothing is
    announced of entities without a dirty mark above this number. `hot_run`: the run of what is announced, where that
    leaves before everything else (0 = the same). `quiet_new`: nor of records that are seen for the
    first time now.
    """

    numbers: Numbers
    now: float
    run: int
    opt_outs: Allowance
    unique: Mapping[tuple[str, str], frozenset[str]]
    lag: Mapping[str, float]
    lane: int = LANE_DELTA
    hot_run: int = 0
    quiet_until: int = 0
    quiet_new: bool = False


@dataclass(slots=True)
class Wanted:
    """Fields to be written to one record, and the record that they come from. `again`: the record is decided once more
    when it is written. `run`: of the undo that wants them (0 = they are wanted by what both sides have). `delete`: the
    record shall be gone; `fields` is then all that it has."""

    source: RecordRow
    fields: dict[str, FieldWork]
    verify: list[str] = field(default_factory=list)
    claims: tuple[str, ...] = ()
    unique: str = ""
    again: bool = False
    run: int = 0
    delete: bool = False


@dataclass(slots=True)
class Wants:
    """Everything that one entity wants after it was decided."""

    entity: int
    base: Base | None = None
    targets: dict[Ref, Wanted] = field(default_factory=dict)
    undos: dict[tuple[Ref, int], Wanted] = field(default_factory=dict)
    opt_outs: list[OptOut] = field(default_factory=list)
    opted_out: frozenset[str] = frozenset()
    holds: dict[tuple[str, str], bytes] = field(default_factory=dict)
    ignored: list[tuple[int, str]] = field(default_factory=list)
    awaited: dict[Ref, list[str]] = field(default_factory=dict)
    conflicts: int = 0
    keeps_open: bool = False

    def keep(self, hold: HoldRow) -> None:
        """Let a hold stand as it is."""
        self.holds[hold.field, hold.kind] = hold.body

    def hold(self, name: str, kind: str, details: Mapping[str, object]) -> None:
        """Ask for a hold."""
        self.holds[name, kind] = encode(details)


def reconcile(scene: Scene, wants: Wants, context: Context) -> int:
    """Bring the open operations of an entity in line with what it wants; the number of new ones."""
    open_now = [row for row in scene.operations[wants.entity].values() if row.action in FIELD_ACTIONS]
    kept: set[int] = set()
    wanted = [*wants.targets.items(), *((target, each) for (target, _run), each in wants.undos.items())]
    rests = [(target, _not_yet_open(scene, target, each, open_now, kept)) for target, each in wanted]
    targets = {target for target, _each in wanted}
    for (
        row
    ) in open_now:  # before anything is added: a new create takes the claims of the one that it replaces
        if row.id in scene.sent and not row.again and target_of(row) not in targets:
            scene.put_operation(row._replace(again=1))  # no longer wanted: asked again before it leaves again
        superseded = row.id not in kept and row.id not in scene.sent and not wants.keeps_open
        if superseded and row.state in _DERIVED:
            scene.put_operation(row._replace(state=SUPERSEDED, reason="decided again"))
            release_claims(scene, row, context.numbers)
    created = 0
    for target, rest in rests:
        if rest is not None and rest.fields:
            _add(scene, wants.entity, target, rest, context)
            created += 1
    return created + _reconcile_opt_outs(scene, wants, context)


_WHOLE = (ActionKind.CREATE, ActionKind.DELETE)
_DERIVED = (PLANNED, PENDING, "waiting", FAILED)


def _not_yet_open(
    scene: Scene, target: Ref, wanted: Wanted, open_now: list[OperationRow], kept: set[int]
) -> Wanted | None:
    """The part of the wanted work that no open operation holds; None while one of the record is on its way.
    A create, like a deletion, is held as a whole or not at all; nothing is held by work that would leave without the
    look at its target that is wanted now (an arrow has turned)."""
    rest = dict(wanted.fields)
    for row in open_now:
        if target_of(row) != target:
            continue
        if row.id in scene.sent:
            scene.put_operation(row._replace(again=1))
            return None
        work = decode_work(row.body)
        held = work.fields
        if (row.action == ActionKind.DELETE) is not wanted.delete:
            continue
        if row.action in _WHOLE and set(rest) - set(work.without) != set(held):
            continue
        looked_at = {path for path in wanted.verify if path in held}
        if looked_at == set(work.verify) and all(
            _is_same(rest.get(path), each) for path, each in held.items()
        ):
            kept.add(row.id)
            if row.state == FAILED and row.digest != scene.lens.rules.digest:  # what was wrong may be mended
                scene.put_operation(row._replace(at=0.0, digest=scene.lens.rules.digest))
            if row.action in _WHOLE:
                return None
            rest = {path: work for path, work in rest.items() if path not in held}
    return replace(wanted, fields=rest)


def _is_same(wanted: FieldWork | None, held: FieldWork) -> bool:
    """True if the same value goes over the same one, at the cost of the same other one and by the same rule (an older
    journal does not say by which)."""
    return (
        wanted is not None
        and (wanted.expected, wanted.desired, wanted.lost) == (held.expected, held.desired, held.lost)
        and held.fingerprint in ("", wanted.fingerprint)
    )


def _add(scene: Scene, entity: int, target: Ref, wanted: Wanted, context: Context) -> None:
    action = ActionKind.DELETE if wanted.delete else action_of(wanted.fields, create=not target.id)
    if action is ActionKind.UPDATE and _goes_back(scene, target, wanted.fields):
        action = ActionKind.SETBACK
    verify = tuple(path for path in wanted.verify if path in wanted.fields)
    work = Work(
        fields=wanted.fields, source=wanted.source.ref, verify=verify, claims=wanted.claims,
        unique=wanted.unique, undo=bool(wanted.run),
    )  # fmt: skip
    if wanted.run:
        context = replace(context, run=wanted.run)
    row = operation(scene, entity, target, action, work, context, state=PLANNED, lane=context.lane)
    if wanted.again:
        scene.put_operation(row._replace(again=1))
    for key in wanted.claims:
        scene.claims[target.system, key] = row.id
        scene.patch.put(KeyRow(target.system, scene.lens.rules.kind, key, "", "", row.id))


def _goes_back(scene: Scene, target: Ref, fields: Mapping[str, FieldWork]) -> bool:
    """True if a field that has stages would fall behind the one that it has reached."""
    for path, field_ in fields.items():
        rule = scene.lens.rule.get(field_.name)
        stages = rule.stages if rule is not None else ()
        if stages and field_.half in stages:
            now = scene.lens.read_raw(target.system, target.object, path, field_.expected)
            if now in stages and stages.index(str(field_.half)) < stages.index(str(now)):
                return True
    return False


def operation(
    scene: Scene,
    entity: int,
    target: Ref,
    action: ActionKind,
    work: Work,
    context: Context,
    *,
    state: str,
    lane: int,
) -> OperationRow:
    """Freeze work into an operation and add it to the scene."""
    body = encode_work(work)
    row = OperationRow(
        context.numbers(), entity, scene.lens.rules.route, context.run, action.value, target.system,
        target.object, target.id, lane, state, 0.0, 0, 0, scene.lens.rules.digest,
        content_hash(target, body), "", context.now, 0.0, "", body,
    )  # fmt: skip
    scene.put_operation(row)
    return row


def _reconcile_opt_outs(scene: Scene, wants: Wants, context: Context) -> int:
    """One operation per record that has to be opted out; those of other entities with the address included."""
    created = 0
    wanted: dict[Ref, dict[str, Raw]] = {}
    for write in wants.opt_outs:
        desired = {path: work.desired for path, work in write.fields.items()}
        wanted[write.row.ref] = desired
        if not _is_open(scene, write.row, desired):
            work = Work(fields=write.fields, source=write.source.ref)
            state = PENDING if context.opt_outs.take() else PLANNED
            operation(
                scene, write.row.entity, write.row.ref, ActionKind.OPT_OUT, work, context,
                state=state, lane=LANE_OPT_OUT,
            )  # fmt: skip
            created += 1
    for row in list(scene.operations[wants.entity].values()):
        if row.action != ActionKind.OPT_OUT or target_of(row) in wanted:
            continue
        if row.id in scene.sent and not row.again:
            scene.put_operation(row._replace(again=1))
        elif row.id not in scene.sent and row.state in _DERIVED:
            scene.put_operation(row._replace(state=SUPERSEDED, reason="opted out already"))
    return created


def _is_open(scene: Scene, target: RecordRow, desired: Mapping[str, Raw]) -> bool:
    for row in scene.operations[target.entity].values():
        if row.action == ActionKind.OPT_OUT and target_of(row) == target.ref and row.state in _DERIVED:
            held = decode_work(row.body).fields
            if {path: work.desired for path, work in held.items()} == desired:
                return True
    return False
