"""What a trace means: for each field what stands now, and what happened to it, newest first.

It decides how operations and observed changes become one history. It reads rows' bodies, never the journal itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sync.consent import base_name
from sync.errors import UnknownValue
from sync.plan import FieldWork
from sync.record import Side
from sync.rows import DISCARDED, FAILED, PLANNED, SUPERSEDED, WAITING

if TYPE_CHECKING:
    from state.answers import OperationInfo, Trace
    from sync.rules import Cell, Rules

_LIVE_STATES = (0, 1)
# What was asked for and does not stand at the vendor is not called written.
_VERBS = {
    PLANNED: "planned",
    WAITING: "planned",
    FAILED: "refused",
    SUPERSEDED: "dropped",
    DISCARDED: "dropped",
}


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


def now_lines(trace: Trace, rules: tuple[Rules, ...], field: str) -> list[dict[str, Any]]:
    """Each field's vendor values, the pair last agreed on, and whether both sides mean the same."""
    return [line for one in rules for line in _now(trace, one, field)]


def _now(trace: Trace, rules: Rules, field: str) -> Iterator[dict[str, Any]]:
    base = trace.bases.get(rules.route)
    halves: dict[str, Any] = base[2] if base else {}
    for name, cells in _rows(rules):
        if field not in ("", name):
            continue
        now: dict[str, Any] = {}
        known: dict[Side, Any] = {}
        for side, cell in cells.items():
            system = rules.systems[side]
            for record in trace.records:
                path = cell.paths.get(record.ref.object)
                if record.ref.system != system or record.state not in _LIVE_STATES or record.role:
                    continue
                value = record.ref.id if cell.is_id else record.values.get(path) if path else None
                now[system] = value
                try:
                    known[side] = value if cell.is_id else cell.read(value)
                except UnknownValue:
                    known[side] = value
        half = halves.get(name)
        if now:
            agreed = [half[1], half[2]] if half else None
            yield {"field": name, "now": now, "agreed": agreed, "in_step": _in_step(known, agreed)}


def _in_step(known: dict[Side, Any], agreed: list[Any] | None) -> bool:
    """Both sides read the same, or exactly what they last agreed on."""
    if agreed and all(known.get(side, half) == half for side, half in zip(Side, agreed, strict=True)):
        return True
    return len(known) < 2 or known[Side.MA] == known[Side.SFA]


def history(
    trace: Trace,
    rules: tuple[Rules, ...],
    field: str,
    explain: Callable[[OperationInfo], tuple[str, str]] = lambda _: ("", ""),
) -> list[dict[str, Any]]:
    """Writes and observed changes as one list, newest first; `how` says by which rule or read, `why` and `next` what
    `explain` makes of a write that was refused."""
    names = _names(rules)
    lines = [line for each in trace.operations for line in _wrote(each, explain)]
    for change in trace.changes:
        for path, (old, new) in change.values.items():
            name = names.get((change.ref.system, path), path)
            lines.append(
                {
                    "at": change.at, "what": "by_us" if change.own == 1 else "changed",
                    "system": change.ref.system, "record": change.ref.id, "field": name, "old": old, "new": new,
                    "lost": None, "run": change.run, "how": f"run {change.run}", "why": "", "next": "",
                }
            )  # fmt: skip
    chosen = [line for line in lines if field in ("", line["field"])]
    return sorted(chosen, key=lambda line: -line["at"])


def _wrote(
    operation: OperationInfo, explain: Callable[[OperationInfo], tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    how = f"{operation.action} · mapping {operation.digest} · run {operation.run} · {operation.state}"
    what = _VERBS.get(operation.state, "wrote")
    why, step = explain(operation) if what == "refused" else ("", "")
    for raw in operation.work.get("fields", {}).values():
        work = FieldWork(*raw)
        yield {
            "at": operation.done_at or operation.made_at, "what": what, "system": operation.target.system,
            "record": operation.target.id, "field": work.name, "old": work.expected, "new": work.desired,
            "lost": work.lost, "run": operation.run,
            "how": f"{how} ({operation.reason})" if operation.reason else how,
            "why": why, "next": step,
        }  # fmt: skip


def _names(rules: tuple[Rules, ...]) -> dict[tuple[str, str], str]:
    return {
        (one.systems[side], path): name
        for one in rules
        for name, cells in _rows(one)
        for side, cell in cells.items()
        for path in cell.paths.values()
    }
