"""What a trace means: for each field what stands, or stood at a time, and what happened to it, newest first.

It decides how operations, observed changes and people's answers become one history, and who is named for each. It reads
rows' bodies, never the journal itself, and keeps no text of a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from renkei.past import ALTERED, FAR, Past, is_altered
from renkei.retold import line, retold, speakers
from sync.consent import base_name
from sync.errors import UnknownValue
from sync.happened import LINKED, MARK
from sync.pairs import is_same
from sync.plan import FieldWork
from sync.record import Raw, Side
from sync.rows import DISCARDED, FAILED, IGNORED, PLANNED, SUPERSEDED, WAITING
from sync.rules import Flow

if TYPE_CHECKING:
    from state.answers import Change, OperationInfo, Trace
    from sync.rules import Cell, FieldRule, Rules

Explain = Callable[["OperationInfo"], tuple[str, str]]

# What was asked for and does not stand at the vendor is not called written.
_VERBS = {
    PLANNED: "planned",
    WAITING: "planned",
    FAILED: "refused",
    SUPERSEDED: "dropped",
    DISCARDED: "discarded",
}
_EFFECT, _DELETE = "effect", "delete"


def name_of_person(trace: Trace) -> str:
    """A name to recognise the person by: what any record holds that looks like one, else the entity's number."""
    for record in trace.records:
        lower = {path.lower(): value for path, value in record.values.items()}
        names = [str(lower[key]) for key in ("lastname", "firstname") if lower.get(key)]
        if names:
            return " ".join(names)
    return f"#{trace.entity}"


def field_names(rules: tuple[Rules, ...]) -> list[str]:
    """What a trace can be asked about: the fields of all routes, and their opt-outs as `consent.<topic>`."""
    return list(dict.fromkeys(name for one in rules for name, _ in _rows(one)))


def _rows(rules: Rules) -> Iterator[tuple[str, Mapping[Side, Cell]]]:
    yield from ((rule.name, rule.cells) for rule in rules.fields)
    yield from ((base_name(rule.topic), rule.cells) for rule in rules.consent)


def concerning(trace: Trace, rules: tuple[Rules, ...]) -> tuple[Rules, ...]:
    """The routes that are about records of this kind."""
    kinds = {record.kind for record in trace.records}
    return tuple(one for one in rules if one.kind in kinds)


def lines_at(past: Past, rules: tuple[Rules, ...], field: str, at: float = FAR) -> list[dict[str, Any]]:
    """Each field's vendor values, the pair agreed on, and whether both sides mean the same or a person wants them to
    differ, now or at a time (unix seconds)."""
    return [line for one in rules for line in _at(past, one, field, at)]


def _at(past: Past, rules: Rules, field: str, at: float) -> Iterator[dict[str, Any]]:
    base = past.trace.bases.get(rules.route)
    halves: dict[str, Any] = base[2] if base else {}
    ruled = {rule.name: rule for rule in rules.fields}
    for name, cells in _rows(rules):
        if field not in ("", name):
            continue
        now, known = _values(past, rules, cells, at)
        if not now:
            continue
        half = halves.get(name)
        agreed = [half[1], half[2]] if half else None
        if at != FAR and len(rules.systems) == 2:
            rule = ruled.get(name)
            topic = past.agreed_topic(rules, name, cells, at) if rule is None else None
            pair = past.agreed(rules, rule, at) if rule is not None else topic
            agreed = list(pair) if pair else None
        step = _step(past, rules, ruled.get(name), known, agreed, at)
        yield {"field": name, "now": now, "agreed": agreed, **step}


def _values(
    past: Past, rules: Rules, cells: Mapping[Side, Cell], at: float
) -> tuple[dict[str, Raw], dict[Side, Any]]:
    """A field's vendor values by system, and what they mean by side."""
    now: dict[str, Raw] = {}
    known: dict[Side, Any] = {}
    for side, cell in cells.items():
        system = rules.systems[side]
        record = past.leading(system, at)
        path = cell.paths.get(record.ref.object) if record is not None else None
        if record is None or not (path or cell.is_id):
            continue
        value = record.ref.id if cell.is_id else past.value(record.ref, path or "", at)
        now[system] = value
        try:
            known[side] = value if cell.is_id else cell.read(value)
        except UnknownValue:
            known[side] = value
    return now, known


def _step(
    past: Past,
    rules: Rules,
    rule: FieldRule | None,
    known: dict[Side, Any],
    agreed: list[Any] | None,
    at: float,
) -> dict[str, bool | None]:
    """Whether both sides mean the same, each as it writes it (None where there is but one to look at), and whether a
    person wants them to differ."""
    in_step = known[Side.MA] == known[Side.SFA] if len(known) > 1 else None
    to_differ = False
    if (
        agreed
        and not in_step
        and all(known.get(side, half) == half for side, half in zip(Side, agreed, strict=True))
    ):
        same = agreed[0] == agreed[1] or (rule is not None and (bool(rule.refers) or is_same(rule, *agreed)))
        why = past.vendors_work(rules, rule, at) if rule is not None and not same else ""
        in_step, to_differ = same or why == ALTERED, not (same or why)
    return {"in_step": in_step, "agreed_to_differ": to_differ}


def history(
    past: Past, rules: tuple[Rules, ...], field: str, explain: Explain = lambda _: ("", "")
) -> list[dict[str, Any]]:
    """Everything that happened as one list, newest first; `how` says by which rule or read, `why` and `next` what
    `explain` makes of a write that was refused."""
    told = _Told(past, rules, explain)
    chosen = [line for line in told.lines() if not line["field"] or field in ("", line["field"])]
    return sorted(chosen, key=lambda line: -line["at"])


class _Told:
    """One person's history in the making."""

    def __init__(self, past: Past, rules: tuple[Rules, ...], explain: Explain) -> None:
        self.past, self.rules, self.explain = past, rules, explain
        self.names = _names(rules)
        self.gave_up, self.asked_back = speakers(past.trace)
        self.one_way = {
            (one.systems[side], path)
            for one in rules
            for rule in one.fields
            if rule.flow is not Flow.BOTH and not rule.key
            for side, cell in rule.cells.items()
            for path in cell.paths.values()
        }

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every line, in no order."""
        trace = self.past.trace
        for operation in trace.operations:
            whole = operation.action in (_EFFECT, _DELETE)
            yield from self._whole(operation) if whole else self._wrote(operation)
        for change in trace.changes:
            yield from self._changed(change)
        for ref, first in trace.firsts.items():
            if first.run:
                how = f"{first.trigger} · run {first.run}"
                yield line(first.at, "first", ref, run=first.run, how=how)
        yield from retold(trace, self.rules)
        yield from self._agreed()

    def _agreed(self) -> Iterator[dict[str, Any]]:
        """When both sides first had something in common, field by field."""
        for one in self.rules:
            for rule in one.fields if len(one.systems) == 2 else ():
                for at, pair in self.past.agreements(one, rule):
                    values = dict(zip((one.systems[side] for side in Side), pair, strict=True))
                    yield line(at, "base", None, field=rule.name, new=values)
                    break

    def _changed(self, change: Change) -> Iterator[dict[str, Any]]:
        who = "renkei" if change.own == 1 else change.by
        for path, (old, new) in change.values.items():
            if path == LINKED and old is None:
                continue  # a record that became known by what was told of another one
            if path.startswith(MARK):
                what = path.removeprefix(MARK)
                how = f"run {change.run}" if path != LINKED else f"{change.by or 'merge'} · run {change.run}"
                yield line(change.at, what, change.ref, run=change.run, how=how, new=new, old=old)
                continue
            what = "by_us" if change.own == 1 else "changed"
            name = self.names.get((change.ref.system, path), path)
            yield line(
                change.at, what, change.ref, field=name, old=old, new=new, who=who, run=change.run,
                how=f"run {change.run}",
            )  # fmt: skip

    def _wrote(self, operation: OperationInfo) -> Iterator[dict[str, Any]]:
        what = _VERBS.get(operation.state, "wrote")
        why, step = self.explain(operation) if what == "refused" else ("", "")
        at = operation.done_at or operation.made_at
        if what == "wrote" and operation.work.get("undo"):
            what = "undone"
        for path, raw in operation.work.get("fields", {}).items():
            work = FieldWork(*raw)
            fate, new = (
                self._fate(operation, path, work) if what in ("wrote", "undone") else (operation.state, None)
            )
            how = f"{operation.action} · rule {work.name} · mapping {operation.digest} · run {operation.run} · {fate}"
            yield line(
                at, what, operation.target, field=work.name, old=work.expected, new=work.desired,
                lost=work.lost, run=operation.run, who=self._author(operation), why=why, next=step, rule=work.name,
                digest=operation.digest, fate=fate, altered_to=new,
                how=f"{how} ({operation.reason})" if operation.reason and fate != "refused" else how,
            )  # fmt: skip
            if work.lost is not None and what == "wrote":
                source = operation.work.get("source", ["", "", ""])[0]
                both = {str(source): work.source, operation.target.system: work.lost}
                how = f"rule {work.name}: {source}"
                yield line(operation.made_at, "conflict", None, field=work.name, new=both, how=how)

    def _author(self, operation: OperationInfo) -> str:
        """Whose word is behind an operation: renkei's own, but where a person has given it up or wants it undone."""
        if operation.state == DISCARDED:
            return self.gave_up.get(operation.id, "")
        return self.asked_back.get(operation.run, "") or "renkei"

    def _fate(self, operation: OperationInfo, path: str, work: FieldWork) -> tuple[str, Raw]:
        """What became of a written value: read back as sent, altered by the vendor, ignored, or not read back yet."""
        if operation.state == IGNORED and work.name in operation.reason:
            return "ignored", None
        record = self.past.records.get(operation.target)
        sent = record.unconfirmed.get(path) if record is not None else None
        if sent and sent[0] == operation.id:
            return "not read back yet", None
        wrote, after = self.past.around(operation.target, path, operation.id, operation.done_at)
        one_way = (operation.target.system, path) in self.one_way
        if wrote is not None and after is not None and is_altered(wrote, after, one_way=one_way):
            return "altered", after.new
        return "confirmed", None

    def _whole(self, operation: OperationInfo) -> Iterator[dict[str, Any]]:
        """An effect, or the deletion of what we had created: no field of its own."""
        at = operation.done_at or operation.made_at
        done = "deleted" if operation.action == _DELETE else "effect"
        what = _VERBS.get(operation.state, done)
        how = f"{operation.target.object} · mapping {operation.digest} · run {operation.run} · {operation.state}"
        why, step = self.explain(operation) if what == "refused" else ("", "")
        yield line(
            at, what, operation.target, run=operation.run, who=self._author(operation), how=how, why=why, next=step,
            digest=operation.digest, fate=operation.state,
        )  # fmt: skip


def _names(rules: tuple[Rules, ...]) -> dict[tuple[str, str], str]:
    return {
        (one.systems[side], path): name
        for one in rules
        for name, cells in _rows(one)
        for side, cell in cells.items()
        for path in cell.paths.values()
    }
