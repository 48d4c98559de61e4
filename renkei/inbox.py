"""The inbox as a list with numbers: what waits, what may be answered, what then happens.

It decides that a number belongs to one question about one set of values: where these change the number changes too, so
that nobody answers what nobody has seen. What an answer does is the engine's affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from renkei.seen import SeenPlan, plan_behind
from renkei.settings import Project
from renkei.wire import look
from sync.errors import Fatal
from sync.holds import (
    AMBIGUOUS,
    CONFLICT,
    CONSENT,
    CREATE,
    LEAVE_BOTH,
    LIFT,
    LINK,
    LOOP,
    TOMBSTONE,
    hold_hash,
)
from sync.record import Side
from sync.rows import HoldRow
from sync.rules import Rules
from sync.said import Answer, Approve, Discard
from sync.source import ENVIRONMENT, READING
from sync.watch import CLOCK

if TYPE_CHECKING:
    from state.reader import Reader

SHORTEST = 6
STATED = 8  # digits of a number that is named alone, outside the list
_DIGITS = 12
_BRAKE = "brake"
_PAIR = (CONFLICT, LOOP)
_GIVEN_UP = ("failed", "waiting")
PUT_RIGHT = (CLOCK, READING)


class Entry(NamedTuple):
    """One thing that waits. `number` names it and its values; `operation` 0 = a question, then `hold` is its row;
    `plan`: what a brake stops."""

    number: str
    kind: str
    route: str
    field: str
    since: float
    entity: int
    operation: int = 0
    reason: str = ""
    hold: HoldRow | None = None
    plan: SeenPlan | None = None

    @property
    def details(self) -> Any:
        """What a question is about."""
        return msgspec.json.decode(self.hold.body) if self.hold is not None and self.hold.body else {}

    @property
    def cause(self) -> str:
        """By what it is grouped beside its kind."""
        return self.field if self.hold is not None else self.reason


class Choice(NamedTuple):
    """An answer that can be given: the command behind `renkei`, and a phrase for what happens, with its values."""

    command: str
    phrase: str
    values: Mapping[str, object]


def waiting(project: Project, route: str = "") -> list[Entry]:
    """Everything that waits, questions before refused work, each with the longest waiting first."""
    from state.waiting import holds, stuck

    with look(project) as reader:
        found = [entry_of(row, behind(reader, row)) for row in list(holds(reader, route))]
        for id_, of, state, name, reason, at in stuck(reader, route):
            found.append(Entry(_number(id_, state, name), state, of, "", at, 0, id_, reason))
    return found


def behind(reader: Reader, row: HoldRow) -> SeenPlan | None:
    """What a brake stops that can be let go; None for everything else."""
    stops = row.kind == _BRAKE and row.field.rpartition("/")[2] not in (*PUT_RIGHT, ENVIRONMENT)
    return plan_behind(reader, row) if stops else None


def entry_of(row: HoldRow, plan: SeenPlan | None = None) -> Entry:
    """A question as an entry; of a brake with the `plan` behind it."""
    values: tuple[object, ...] = (row.body.hex(),)
    if plan is not None:
        # The figures of a brake on one kind also move as hours pass; what it stops is what somebody lets go.
        values = (row.since, plan.name)
    elif row.field.rpartition("/")[2] in PUT_RIGHT:
        values = (row.since,)
    number = _number(row.entity, row.field, row.kind, *values)
    return Entry(number, row.kind, row.route, row.field, row.since, row.entity, hold=row, plan=plan)


def _number(*parts: object) -> str:
    digest = blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return str(int.from_bytes(digest) % 10**_DIGITS).zfill(_DIGITS)


def shortened(entries: Sequence[Entry]) -> int:
    """How many digits tell these apart."""
    numbers = sorted(each.number for each in entries)
    return max((_common(*pair) + 1 for pair in pairwise(numbers)), default=0)


def _common(first: str, second: str) -> int:
    same = 0
    while same < min(len(first), len(second)) and first[same] == second[same]:
        same += 1
    return same


def digits(entries: Sequence[Entry]) -> int:
    """How many digits of a number are shown."""
    return min(_DIGITS, max(SHORTEST, shortened(entries)))


def groups(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Counts by kind and cause, the most frequent first."""
    counted = Counter((each.kind, each.cause) for each in entries)
    return [
        {"kind": kind, "cause": cause, "count": number}
        for (kind, cause), number in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]


def find(entries: Sequence[Entry], number: str) -> Entry:
    """The entry with this number, or the only one whose number begins so. Raises Fatal."""
    text = number.replace("-", "").strip()
    hits = [each for each in entries if text.isdigit() and each.number.startswith(text)]
    if len(text) < SHORTEST or not text.isdigit():
        raise Fatal(f"«{number}» is no number of the inbox.", "`renkei inbox` lists them")
    if len(hits) > 1:
        raise Fatal(f"Several entries begin with {number}.", "give more digits, as `renkei inbox` shows them")
    if not hits:
        step = "it was answered or its values have changed; look with `renkei inbox` and answer for what stands there"
        raise Fatal(f"Nothing in the inbox has the number {number} any more.", step)
    return hits[0]


def choices(entry: Entry, rules: Rules, short: str) -> list[Choice]:
    """What can be answered, and what then happens."""
    ma, sfa = rules.systems[Side.MA], rules.systems[Side.SFA]
    details = entry.details
    decide = f"decide {short}"
    if entry.kind in _PAIR:
        return [
            Choice(f"{decide} {ma}", "does.write", {"value": details.get("ma"), "system": sfa}),
            Choice(f"{decide} {sfa}", "does.write", {"value": details.get("sfa"), "system": ma}),
            Choice(f"{decide} leave", "does.leave", {}),
        ]
    if entry.kind in (AMBIGUOUS, TOMBSTONE):
        near = [f"{system}:{id_}" for system, _object, id_ in details.get("candidates", ())] or ["SYSTEM:ID"]
        links = [Choice(f"{decide} link {each}", "does.link", {"record": each}) for each in near]
        return [*links, Choice(f"{decide} new", "does.new", {})]
    if entry.kind == CONSENT:
        return [Choice(f"{decide} lift --evidence '…'", "does.lift", {})]
    if entry.kind == _BRAKE:
        action = entry.field.rpartition("/")[2]
        if action in PUT_RIGHT:
            return []  # it is gone as soon as that is put right
        if action == ENVIRONMENT:
            return [Choice(f"approve {short}", "does.approve_place", {})]
        return [
            Choice(f"approve {short}", "does.approve", {"action": action}),
            Choice(f"discard {short} --reason '…'", "does.discard_all", {"action": action}),
        ]
    if entry.operation and entry.kind in _GIVEN_UP:
        return [
            Choice("retry", "does.retry", {}),
            Choice(f"discard {short} --reason '…'", "does.discard", {}),
            Choice(f"discard {short} --reason '…' --keep-both", "does.keep_both", {}),
        ]
    return []


def answer_for(entry: Entry, rules: Rules, words: Sequence[str], evidence: str, who: str) -> Answer:
    """A person's words as an answer to this entry. Raises Fatal where they are none."""
    word, rest = (words[0], list(words[1:])) if words else ("", [])
    if entry.hold is None or entry.kind == _BRAKE:
        step = (
            "use `renkei approve` or `renkei discard`"
            if entry.hold
            else "use `renkei retry` or `renkei discard`"
        )
        raise Fatal("This entry takes no answer.", step)
    said = Answer(
        entity=entry.entity, field=entry.field, kind=entry.kind, answer="", hold=hold_hash(entry.hold.body),
        who=who,
    )  # fmt: skip
    sides = {
        **{rules.systems[side]: side.value for side in Side},
        **{side.value: side.value for side in Side},
    }
    if entry.kind in _PAIR and (word in sides or word in ("leave", LEAVE_BOTH)) and not rest:
        return msgspec.structs.replace(said, answer=sides.get(word, LEAVE_BOTH))
    if entry.kind in (AMBIGUOUS, TOMBSTONE) and word == LINK and len(rest) == 1:
        return msgspec.structs.replace(said, answer=LINK, record=_record(entry, rules, rest[0]))
    if entry.kind in (AMBIGUOUS, TOMBSTONE) and word in ("new", CREATE) and not rest:
        return msgspec.structs.replace(said, answer=CREATE)
    if entry.kind == CONSENT and word == LIFT and not rest:
        if not evidence.strip():
            raise Fatal(
                "An opt-out is only lifted with evidence.",
                "add --evidence 'where and when the person agreed'",
            )
        return msgspec.structs.replace(said, answer=LIFT, evidence=evidence)
    step = f"`renkei inbox {entry.number[:SHORTEST]}` lists the answers and what they do"
    raise Fatal(f"«{' '.join(words)}» is no answer to this entry ({entry.kind}).", step)


def _record(entry: Entry, rules: Rules, text: str) -> tuple[str, str, str]:
    """The record that is meant by `system:id`, or by its id alone where the candidates name it. Raises Fatal."""
    system, colon, id_ = text.partition(":")
    for where, object_, candidate in entry.details.get("candidates", ()):
        if candidate == (id_ if colon else text) and (not colon or where == system):
            return where, object_, candidate
    side = next((side for side, name in rules.systems.items() if name == system and colon), None)
    if side is None or entry.kind == AMBIGUOUS:
        raise Fatal(f"«{text}» is none of those that could be meant.", "name one as SYSTEM:ID")
    return system, rules.objects[side].create, id_


def approve_for(entry: Entry) -> Approve:
    """What lets go what a brake stops. Raises Fatal for anything else."""
    if entry.kind != _BRAKE:
        raise Fatal(
            "Only a brake can be approved.",
            "`renkei inbox` shows which entries are brakes; others take `renkei decide`",
        )
    action = entry.field.rpartition("/")[2]
    if action in PUT_RIGHT:
        raise Fatal(
            "This brake cannot be approved.",
            "put right what it names; it is gone with the next cycle after that",
        )
    if entry.plan is None:
        return Approve(action=action)
    if not (entry.plan.all or entry.plan.brake):
        raise _nothing_stopped()
    return Approve(action=action, plan=entry.plan.all, brake=entry.plan.brake)


def _nothing_stopped() -> Fatal:
    return Fatal("Nothing is planned that this brake stops.", "look with `renkei inbox`")


def need_reason(reason: str) -> None:
    """Raises Fatal where there is none."""
    if not reason.strip():
        raise Fatal("A discard needs a reason.", "add --reason 'why'; it is kept with what was given up")


def discard_for(entry: Entry, reason: str, *, keep_both: bool) -> Discard:
    """What gives up refused work, or everything that a brake stops. Raises Fatal."""
    need_reason(reason)
    if entry.operation and entry.kind in _GIVEN_UP:
        return Discard(operations=(entry.operation,), reason=reason, keep_both=keep_both)
    if entry.kind != _BRAKE:
        raise Fatal(
            "This entry cannot be discarded.",
            f"`renkei inbox {entry.number[:SHORTEST]}` says what can be done",
        )
    ids = tuple(each.id for each in entry.plan.operations) if entry.plan is not None else ()
    if not ids:
        raise _nothing_stopped()
    return Discard(operations=ids, reason=reason, keep_both=keep_both)
