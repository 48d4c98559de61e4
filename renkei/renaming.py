"""A system under another name: is it the same account, what is held of it, and the state carried over.

It decides when that may be done: settings and mappings have the new name, the journal has the old one and nothing under
the new one, and the account shows the records that the journal knows. What is rewritten is the journal's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from renkei.settings import Project
from renkei.threads import SystemClock
from renkei.wire import load_rules, look, open_systems, require_state
from sync.called import other_names, refusal
from sync.errors import Fatal
from sync.normalise import Lens
from sync.record import Record
from sync.rows import RecordRow, RulesRow, RunRow
from sync.rules import Rules

if TYPE_CHECKING:
    from state.store import SqlStore

TRIGGER = "rename-system"
ASKED = 20
ENOUGH = 0.5


class Found(NamedTuple):
    """What would be carried over: rows by table; and how many records the account was asked for and knows."""

    rows: Mapping[str, int]
    asked: int
    known: int


def look_at(project: Project, old: str, new: str) -> Found:
    """See whether a system's state may be carried over, without changing anything. Raises Fatal where it may not."""
    _refuse_settings(project, old, new)
    with _opened(project) as store:
        names, rows = store.systems(), store.held_under(old)
    if old not in names:
        kept = ", ".join(sorted(names)) or "nothing"
        raise Fatal(f"Nothing is kept under {old}.", f"name a system that is: {kept}")
    if new in names:
        step = "restore a backup from before the new name was used, or begin with an environment of its own"
        raise Fatal(f"Something is kept under {new} already: two states cannot become one.", step)
    asked, known = _compared(project, old, new)
    if known < asked * ENOUGH:
        raise Fatal(
            f"Of {asked} records that are kept under {old} the account behind {new} shows {known}: it is another one.",
            "put its address and credentials right; another account needs an environment of its own",
        )
    return Found(rows, asked, known)


def carry_over(project: Project, old: str, new: str) -> dict[str, int]:
    """Call the system by its new name everywhere in the journal, in one transaction that also tells of it; rows by
    table. Raises Fatal, LeaseLost."""
    with _opened(project) as store:
        now = SystemClock().now()
        run = RunRow(store.numbers(1)[0], "", TRIGGER, "", now, now, "done", "", b"")
        return store.rename_system(old, new, run)


def _opened(project: Project) -> SqlStore:
    """The journal as its owner."""
    from state.lease import this_process
    from state.store import SqlStore

    return SqlStore(project.state, SystemClock(), this_process())


def _refuse_settings(project: Project, old: str, new: str) -> None:
    """Raises Fatal unless the files say the new name, and it alone."""
    require_state(project)
    if new not in project.systems:
        step = (
            f"rename {old} there, in the mappings and in the names of its secrets first; then say this again"
        )
        raise Fatal(f"renkei.yaml names no system {new}.", step)
    if old in project.systems:
        raise Fatal(
            f"renkei.yaml still names {old}.", "take it out there if it is the same account as the new one"
        )


def _compared(project: Project, old: str, new: str) -> tuple[int, int]:
    """Ask the account for some records that are kept: how many were asked for, and how many it shows as they are."""
    from state.rename import some_records

    connector = open_systems(project, [new], SystemClock())[new]
    asked = known = 0
    try:
        for rules in load_rules(project):
            for side in (each for each in rules.sides if rules.systems[each] == new):
                with look(project) as reader:
                    rows = some_records(reader, old, rules.kind, ASKED)
                refs = [row.ref._replace(system=new) for row in rows]
                found = connector.fetch(rules.kind, refs, Lens(rules).reading(side)) if refs else []
                asked += len(rows)
                known += sum(_is_same(row, record) for row, record in zip(rows, found, strict=True))
    finally:
        connector.close()
    return asked, known


def _is_same(row: RecordRow, record: Record | None) -> bool:
    """True if what the account shows under an id was made when the journal says."""
    return record is not None and (not row.created or not record.created or row.created == record.created)


def renamed_in(project: Project, rules: Iterable[Rules]) -> list[Fatal]:
    """What a cycle would say of routes that name other systems than those under which they were kept."""
    if not project.state.exists() or not project.state.stat().st_size:
        return []
    with look(project) as reader, reader.snapshot():
        held = {row.route: row for row in reader.get(RulesRow, [(each.route,) for each in rules])}
    found = {each.route: other_names(held[each.route], each) for each in rules if each.route in held}
    return [refusal(route, renamed) for route, renamed in found.items() if renamed]


def routes_of(rules: tuple[Rules, ...], system: str) -> list[str]:
    """The routes that name a system."""
    return [each.route for each in rules if system in each.systems.values()]
