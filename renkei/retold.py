"""The lines of a trace: their shape, and those that tell of people's words.

It decides how an answer, an approval, a discard, a retry and an undo are told of one person: who said it, which
system's value was chosen and which values stood there. It reads rows' bodies and keeps no text of a screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sync.holds import CREATE, LEAVE_BOTH
from sync.record import Side
from sync.rows import DONE, REFUSED
from sync.said import ANSWER, APPROVE, DISCARD, RETRY, UNDO

if TYPE_CHECKING:
    from state.answers import OperationInfo, Said, Trace
    from sync.rules import Rules

_VERBS = {ANSWER: "answered", APPROVE: "approved", DISCARD: "gave_up", RETRY: "retried", UNDO: "asked_back"}
_TYPED = {LEAVE_BOTH: "leave", CREATE: "new"}  # an answer as `renkei decide` takes it


def line(at: float, what: str, ref: Any, **more: Any) -> dict[str, Any]:
    """One line of a trace, with everything that nobody names empty."""
    system, object_, record = ref or ("", "", "")
    empty: dict[str, Any] = {
        "at": at, "what": what, "who": "", "system": system, "object": object_, "record": record, "field": "",
        "old": None, "new": None, "lost": None, "rule": "", "digest": "", "run": 0, "fate": "", "altered_to": None,
        "how": "", "why": "", "next": "",
    }  # fmt: skip
    return empty | more


def retold(trace: Trace, rules: tuple[Rules, ...]) -> Iterator[dict[str, Any]]:
    """A line for each word that a person said about this one."""
    systems = {one.route: one.systems for one in rules}
    operations = {each.id: each for each in trace.operations}
    for said in trace.said:
        named = [operations[number] for number in said.operations if number in operations]
        verbs = {DONE: _VERBS[said.kind], REFUSED: "asked"}
        what, who = verbs.get(said.state, "unheard"), str(said.body.get("who", ""))
        told = _answer(said, systems.get(said.route, {})) if said.kind == ANSWER else _word(said, named)
        yield line(said.at, what, None, who=who, **told)


def _answer(said: Said, systems: Mapping[Side, str]) -> dict[str, Any]:
    """An answer with the system's name, and with the value that was chosen and the one that was not."""
    body, answer = said.body, str(said.body.get("answer", ""))
    values = {side: body.get("values", {}).get(side.value) for side in Side if "values" in body}
    chosen = next((side for side in Side if side.value == answer and side in systems), None)
    stood = {
        systems[side]: value for side, value in values.items() if chosen in (side, None) and side in systems
    }
    named = systems[chosen] if chosen is not None else _TYPED.get(answer, answer)
    record = ":".join(each for each in body.get("record", ("", "", ""))[::2] if each)
    how = (f"{named} {record}".strip(), body.get("evidence", ""), body.get("why", ""))
    return {
        "field": str(body.get("field", "")), "how": " · ".join(str(each) for each in how if each),
        "new": stood or None, "lost": values.get(chosen.other) if chosen is not None else None,
    }  # fmt: skip


def _word(said: Said, named: list[OperationInfo]) -> dict[str, Any]:
    """Any other word, with the fields of the operations that it names."""
    body = said.body
    fields = dict.fromkeys(str(each[0]) for row in named for each in row.work.get("fields", {}).values())
    runs = [body.get("run", 0)] if said.kind == UNDO else list(dict.fromkeys(row.run for row in named))
    how = [
        said.kind if said.state != DONE else "", str(body.get("what", "") or body.get("action", "")),
        ", ".join(fields) if len(fields) > 1 else "",
        *(f"run {run}" for run in runs if run), str(body.get("reason", "")),
        "keep both" if body.get("keep_both") else "", str(body.get("why", "")),
    ]  # fmt: skip
    field = next(iter(fields)) if len(fields) == 1 else ""
    return {"field": field, "how": " · ".join(each for each in how if each)}


def speakers(trace: Trace) -> tuple[dict[int, str], dict[int, str]]:
    """By operation who gave it up, and by run who asked for that undo ("" = nobody knows)."""
    gave_up: dict[int, str] = {}
    asked_back: dict[int, str] = {}
    for said in trace.said:
        who = str(said.body.get("who", ""))
        if said.kind == DISCARD and said.state == DONE:
            gave_up |= dict.fromkeys(said.operations, who)
        elif said.kind == UNDO and said.state == DONE:
            asked_back[int(said.body.get("run", 0))] = who
    return gave_up, asked_back
