"""What a trace means: for each field what stands now, and what happened to it, newest first.

It decides how operations and observed changes become one history. It reads rows' bodies, never the journal itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sync.errors import UnknownValue
from sync.plan import FieldWork
from sync.record import Side

if TYPE_CHECKING:
    from state.answers import OperationInfo, Trace
    from sync.rules import Rules

_LIVE_STATES = (0, 1)


def name_of_person(trace: Trace) -> str:
    """A name to recognise the person by: what any record holds that looks like one, else the entity's number."""
    for record in trace.records:
        lower = {path.lower(): value for path, value in record.values.items()}
        names = [str(lower[key]) for key in ("lastname", "firstname") if lower.get(key)]
        if names:
            return " ".join(names)
    return f"#{trace.entity}"


def now_lines(trace: Trace, rules: tuple[Rules, ...], field: str) -> list[dict[str, Any]]:
    """Each field's vendor values, the pair last agreed on, and whether both sides mean the same."""
    return [line for one in rules for line in _now(trace, one, field)]


def _now(trace: Trace, rules: Rules, field: str) -> Iterator[dict[str, Any]]:
    base = trace.bases.get(rules.route)
    halves: dict[str, Any] = base[2] if base else {}
    for rule in rules.fields:
        if field not in ("", rule.name):
            continue
        now: dict[str, Any] = {}
        known: dict[Side, Any] = {}
        for side, cell in rule.cells.items():
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
        half = halves.get(rule.name)
        if now:
            agreed = [half[1], half[2]] if half else None
            yield {"field": rule.name, "now": now, "agreed": agreed, "in_step": _in_step(known, agreed)}


def _in_step(known: dict[Side, Any], agreed: list[Any] | None) -> bool:
    """Both sides read the same, or exactly what they last agreed on."""
    if agreed and all(known.get(side, half) == half for side, half in zip(Side, agreed, strict=True)):
        return True
    return len(known) < 2 or known[Side.MA] == known[Side.SFA]


def history(trace: Trace, rules: tuple[Rules, ...], field: str) -> list[dict[str, Any]]:
    """Writes and observed changes as one list, newest first; `how` says by which rule or read."""
    names = _names(rules)
    lines = [line for each in trace.operations for line in _wrote(each)]
    for change in trace.changes:
        for path, (old, new) in change.values.items():
            name = names.get((change.ref.system, path), path)
            lines.append(
                {
                    "at": change.at, "what": "by_us" if change.own == 1 else "changed",
                    "system": change.ref.system, "record": change.ref.id, "field": name, "old": old, "new": new,
                    "lost": None, "run": change.run, "how": f"run {change.run}",
                }
            )  # fmt: skip
    chosen = [line for line in lines if field in ("", line["field"])]
    return sorted(chosen, key=lambda line: -line["at"])


def _wrote(operation: OperationInfo) -> Iterator[dict[str, Any]]:
    how = f"{operation.action} · mapping {operation.digest} · run {operation.run} · {operation.state}"
    for raw in operation.work.get("fields", {}).values():
        work = FieldWork(*raw)
        yield {
            "at": operation.done_at or operation.made_at, "what": "wrote", "system": operation.target.system,
            "record": operation.target.id, "field": work.name, "old": work.expected, "new": work.desired,
            "lost": work.lost, "run": operation.run,
            "how": f"{how} ({operation.reason})" if operation.reason else how,
        }  # fmt: skip


def _names(rules: tuple[Rules, ...]) -> dict[tuple[str, str], str]:
    return {
        (one.systems[side], path): rule.name
        for one in rules
        for rule in one.fields
        for side, cell in rule.cells.items()
        for path in cell.paths.values()
    }
