"""A person's values as they stood at any time: every write and every observed change of a value, in their order.

Pure over a trace. It decides which value renkei knew at a moment and what both sides had agreed on by then. Between two
moments a value is what the later one found there: that was written down when it happened, while what a write meant to
leave behind may have been altered by the vendor. It may not know screens.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from sync.errors import UnknownValue
from sync.happened import CONVERTED, DELETED, LINKED, MARK, MERGED, RESTORED
from sync.pairs import is_same
from sync.plan import FieldWork, Half
from sync.record import Raw, Ref, Side, Value
from sync.resolve import Agree, Pair, resolve
from sync.rows import APPLIED, IGNORED
from sync.rules import Flow

if TYPE_CHECKING:
    from state.answers import Change, OperationInfo, RecordInfo, Trace
    from sync.rules import Cell, FieldRule, Rules

Agreed = tuple[Value, Value]
FAR = float("inf")
ALTERED = "altered"
_GONE = (DELETED, MERGED, CONVERTED)
_WRITTEN = (APPLIED, IGNORED)
_MOVED = 3  # sync.rows.MOVED


class Moment(NamedTuple):
    """When one value of a record became another one, by a write of ours or as a read has found it."""

    ref: Ref
    path: str
    at: float
    old: Raw
    new: Raw
    wrote: OperationInfo | None = None
    work: FieldWork | None = None
    change: Change | None = None


def _time(moment: Moment) -> float:
    return moment.at


class Past:
    """Everything that happened to the values of one person's records."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.records = {each.ref: each for each in trace.records}
        self._moments: defaultdict[tuple[Ref, str], list[Moment]] = defaultdict(list)
        self._fates: defaultdict[Ref, list[tuple[float, bool]]] = defaultdict(list)
        self._links: defaultdict[Ref, list[tuple[float, int, int]]] = defaultdict(list)
        for operation in trace.operations:
            self._take_write(operation)
        for change in trace.changes:
            self._take_change(change)
        for moments in self._moments.values():
            moments.sort(key=lambda moment: moment.at)
        for fates in self._fates.values():
            fates.sort()

    def _take_write(self, operation: OperationInfo) -> None:
        if operation.state not in _WRITTEN or operation.action == "effect":
            return
        if operation.action == "delete":  # what a create had made was taken away again
            self._fates[operation.target].append((operation.done_at, False))
            return
        for path, raw in operation.work.get("fields", {}).items():
            work = FieldWork(*raw)
            moment = Moment(
                operation.target,
                path,
                operation.done_at,
                work.expected,
                work.desired,
                wrote=operation,
                work=work,
            )
            self._moments[operation.target, path].append(moment)

    def _take_change(self, change: Change) -> None:
        for path, (old, new) in change.values.items():
            if not path.startswith(MARK):
                self._moments[change.ref, path].append(
                    Moment(change.ref, path, change.at, old, new, change=change)
                )
            elif path == LINKED:
                self._links[change.ref].append((change.at, int(old or 0), int(new or 0)))
            elif path in (*_GONE, RESTORED):
                self._fates[change.ref].append((change.at, path == RESTORED))

    def moments(self, ref: Ref, path: str) -> list[Moment]:
        """Every moment of a value, oldest first."""
        return self._moments.get((ref, path), [])

    def around(
        self, ref: Ref, path: str, operation: int, done_at: float
    ) -> tuple[Moment | None, Moment | None]:
        """What an operation did to a value, and what happened to that next."""
        moments = self.moments(ref, path)
        place = bisect_left(moments, done_at, key=_time)
        while place < len(moments) and moments[place].at <= done_at:
            wrote = moments[place].wrote
            if wrote is not None and wrote.id == operation:
                return moments[place], moments[place + 1] if place + 1 < len(moments) else None
            place += 1
        return None, None

    def held_since(self, ref: Ref) -> float:
        """Since when a record is held, or since when it can be told."""
        first = self.trace.firsts.get(ref)
        return max(first.at if first is not None else 0.0, self.trace.begins)

    def is_there(self, ref: Ref, at: float) -> bool:
        """True if the record was held at a time, and had not gone or become another one."""
        if at < self.held_since(ref):
            return False
        there = True
        for when, back in self._fates.get(ref, ()):
            if when <= at:
                there = back
        return there if at != FAR else self.records[ref].state not in (2, _MOVED)

    def value(self, ref: Ref, path: str, at: float) -> Raw:
        """What renkei knew of a value at a time (None also where it had not been read)."""
        moments = self.moments(ref, path)
        later = bisect_right(moments, at, key=_time)
        if later == len(moments):
            return self.records[ref].values.get(path)
        if moments[later].change is not None or later == 0:
            return moments[later].old
        return moments[later - 1].new

    def leading(self, system: str, at: float) -> RecordInfo | None:
        """The record of a system that stood for the person at a time."""
        there = [
            each for each in self.trace.records if each.ref.system == system and self.is_there(each.ref, at)
        ]
        # Of several it is the one that leads now; of those that have gone since, the one held first.
        return min(there, key=lambda each: (each.role, self.held_since(each.ref)), default=None)

    def side_value(
        self, cells: Mapping[Side, Cell], rules: Rules, side: Side, at: float
    ) -> tuple[bool, Value]:
        """Whether a side had the field at a time, and its canonical value."""
        cell = cells.get(side)
        record = self.leading(rules.systems[side], at) if cell is not None else None
        if cell is None or record is None:
            return False, None
        if cell.is_id:
            return True, record.ref.id
        path = cell.paths.get(record.ref.object)
        if path is None:
            return False, None
        try:
            return True, cell.read(self.value(record.ref, path, at))
        except UnknownValue:
            return False, None

    def known_at(self, rules: Rules, side: Side, at: float) -> dict[str, Value]:
        """A side's canonical fields at a time."""
        pairs = ((rule.name, self.side_value(rule.cells, rules, side, at)) for rule in rules.fields)
        return {name: value for name, (has, value) in pairs if has}

    def linked_at(self, rules: Rules) -> float:
        """Since when both sides have a record of the person (FAR = not yet)."""
        found = []
        for system in rules.systems.values():
            refs = [ref for ref in self.records if ref.system == system]
            found.append(min((self._joined(ref) for ref in refs), default=FAR))
        return max(found, default=FAR)

    def _joined(self, ref: Ref) -> float:
        links = self._links.get(ref)
        return max(self.held_since(ref), min(at for at, _gone, _keep in links) if links else 0.0)

    def agreed(self, rules: Rules, rule: FieldRule, at: float) -> Agreed | None:
        """What both sides had agreed on for a field at a time, as far as the past shows."""
        found = None
        for when, pair in self.agreements(rules, rule):
            if when <= at:
                found = pair
        return found

    def agreed_topic(self, rules: Rules, topic: str, cells: Mapping[Side, Cell], at: float) -> Agreed | None:
        """What both sides had agreed on for an opt-out at a time: the same on both, which stands once it is true, until
        a person lifts it."""
        linked, last = self.linked_at(rules), None
        lifts = {said.at for said in self.trace.said if _lifts(said.body, said.state, topic)}
        times = {moment.at for side in cells for moment in self._of_cell(rules.systems[side], cells[side])}
        for when in sorted({linked, *times, *lifts}):
            if not linked <= when <= at or when == FAR:
                continue
            (has_ma, ma), (has_sfa, sfa) = (self.side_value(cells, rules, side, when) for side in Side)
            same = ma == sfa and ma is not None and last != (True, True)
            if has_ma and has_sfa and (same or when in lifts):
                last = (ma, sfa)
        return last

    def _of_cell(self, system: str, cell: Cell) -> Iterator[Moment]:
        for (ref, path), moments in self._moments.items():
            if ref.system == system and cell.paths.get(ref.object) == path:
                yield from moments

    def agreements(self, rules: Rules, rule: FieldRule) -> Iterator[tuple[float, Agreed]]:
        """Every time that both sides came to agree on a field, oldest first: a write that was decided from the other
        side's value, an answer that leaves both, or both having the same by themselves."""
        linked = self.linked_at(rules)
        moments = sorted(self._concerning(rules, rule), key=lambda moment: moment.at)
        answers = [(said.at, "left") for said in self.trace.said if _leaves(said.body, said.state, rule.name)]
        times: list[tuple[float, Moment | str | None]] = [(moment.at, moment) for moment in moments]
        times += [*answers, (linked, None)]
        last: Agreed | None = None
        for when, what in sorted(times, key=lambda each: each[0]):
            if when < linked or when == FAR:
                continue
            pair = self._pair_of(rules, rule, when, what, last)
            if pair is not None and pair != last:
                last = pair
                yield when, pair

    def _concerning(self, rules: Rules, rule: FieldRule) -> Iterator[Moment]:
        names = {rule.name, *rule.inputs}
        for each in rules.fields:
            if each.name not in names:
                continue
            for side, cell in each.cells.items():
                yield from self._of_cell(rules.systems[side], cell)

    def _pair_of(
        self, rules: Rules, rule: FieldRule, when: float, what: Moment | str | None, last: Agreed | None
    ) -> Agreed | None:
        """What one moment leaves agreed: a write both its values, an alteration the altered one, anything else what
        deciding makes of both sides as they stand then."""
        if isinstance(what, Moment) and what.wrote is not None and what.work is not None:
            if what.work.name != rule.name:
                return None
            there, here = what.work.half, what.work.source
            return (there, here) if what.ref.system == rules.systems[Side.MA] else (here, there)
        has_ma, ma = self._computed(rules, rule, Side.MA, when)
        has_sfa, sfa = self._computed(rules, rule, Side.SFA, when)
        if not (has_ma and has_sfa):
            return None
        if what == "left":
            return ma, sfa
        if last is not None and isinstance(what, Moment) and self._is_ours(what, rule):
            return (ma, last[1]) if what.ref.system == rules.systems[Side.MA] else (last[0], sfa)
        half = Half(rule.fingerprint, *last) if last is not None else None
        same = is_same(rule, ma, sfa)
        return (ma, sfa) if isinstance(resolve(rule, Pair(ma, sfa, same), half), Agree) else None

    def _is_ours(self, moment: Moment, rule: FieldRule) -> bool:
        """True if a change is what the vendor made of our own write just before it."""
        return self._altered(moment, rule) is not None

    def _altered(self, moment: Moment, rule: FieldRule) -> OperationInfo | None:
        """The write of ours of which the vendor made this (None = it is somebody's value)."""
        moments = self.moments(moment.ref, moment.path)
        place = bisect_left(moments, moment.at, key=_time)
        while moments[place] is not moment:
            place += 1
        before = moments[place - 1] if place else None
        one_way = rule.flow is not Flow.BOTH and not rule.key
        altered = before is not None and is_altered(before, moment, one_way=one_way)
        return before.wrote if before is not None and altered else None

    def vendors_work(self, rules: Rules, rule: FieldRule, at: float) -> str:
        """Why a value differs from what was written, where that is its system's doing: altered, ignored ("" = not)."""
        found = ""
        for side, cell in rule.cells.items():
            moments = (each for each in self._of_cell(rules.systems[side], cell) if each.at <= at)
            last = max(moments, key=_time, default=None)
            made = last and (last.wrote or self._altered(last, rule))
            if made and made.state == IGNORED:
                return IGNORED
            if last and made and last.wrote is None:
                found = ALTERED
        return found

    def _computed(self, rules: Rules, rule: FieldRule, side: Side, at: float) -> tuple[bool, Value]:
        if rule.compute is not None and rule.flow.into(side.other):
            return True, rule.compute(self.known_at(rules, side, at))
        return self.side_value(rule.cells, rules, side, at)


def _leaves(body: Mapping[str, object], state: str, name: str) -> bool:
    return state == "done" and body.get("field") == name and body.get("answer") == "leave_both"


def _lifts(body: Mapping[str, object], state: str, topic: str) -> bool:
    return state == "done" and body.get("field") == topic and body.get("answer") == "lift"


def is_altered(wrote: Moment, after: Moment, *, one_way: bool) -> bool:
    """True if what a read found directly after a write of ours is what the vendor made of it, or that it ignored it."""
    if wrote.wrote is None or after.change is None or after.old != wrote.new:
        return False
    own = after.change.own
    return own == 1 or wrote.wrote.state == IGNORED or (one_way and own == -1)
