"""A replay from a folder of mappings to what a screen shows: whose past is played, in parts, on a copy of the journal.

It decides which routes can be played and in what parts; the playing is `replay`'s. The copy is made beside the journal
for its owner only and is gone afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from renkei.progress import Teller
from renkei.replay import BATCH, Scope, Tally, play, unread
from renkei.settings import Project
from renkei.threads import SystemClock
from renkei.wire import choose, fitting, require_state
from state.backup import back_up
from state.lease import this_process
from state.reader import Reader
from state.replayed import first_refs, touched
from state.store import SqlStore
from state.trace import trace
from sync.errors import Fatal
from sync.rules import Rules

DAY = 86_400.0


def rules_of(project: Project, folder: Path) -> tuple[Rules, ...]:
    """The rules of another folder of mapping files. Raises MappingError, Fatal."""
    from mappings.errors import MappingError, errors
    from mappings.load import load

    step = "name the folder that holds the other mapping files"
    if not folder.is_dir():
        raise Fatal(f"There is no folder {folder}.", step)
    loaded = load([folder])
    if wrong := errors(loaded.problems):
        raise MappingError(wrong)
    if not loaded.rules:
        raise Fatal(f"There is no mapping file in {folder}.", step)
    return fitting(project, loaded.rules)


def replay(
    project: Project, every: tuple[Rules, ...], route: str, days: float, teller: Teller
) -> list[dict[str, Any]]:
    """Play the last days of a route ("" = all that write) under these rules; what came of each, as a plan shows it.
    Raises Fatal."""
    if not days > 0:
        raise Fatal("There is nothing to replay in no time.", "say how many days: --days 7, or --days 0.5")
    chosen = [each for each in choose(every, route) if not each.relays]
    if not chosen:
        what = f"The route {route} writes nothing" if route else "No route there writes anything"
        raise Fatal(f"{what}, so there is nothing to replay.", "choose another route or folder")
    require_state(project)
    now = SystemClock().now()
    with _copy(project) as (reader, behind):
        return [_route(reader, Scope(each, every, behind, now - days * DAY, now), teller) for each in chosen]


@contextmanager
def _copy(project: Project) -> Iterator[tuple[Reader, SqlStore]]:
    """The journal as it is now, to read from and to look records of other kinds up in."""
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="replay-", dir=project.state.parent)
        place = Path(stack.enter_context(folder)) / "journal.db"
        back_up(project.state, place, to_put_back=False)
        behind = SqlStore(place, SystemClock(), this_process(), alive=lambda _owner: False)
        yield stack.enter_context(Reader(place)), stack.enter_context(behind)


def _route(reader: Reader, scope: Scope, teller: Teller) -> dict[str, Any]:
    rules, tally = scope.rules, Tally()
    people = touched(reader, rules.kind, tuple(rules.systems.values()), scope.since)
    teller.expect("replay", len(people))
    missing: list[str] = []
    for start in range(0, len(people), BATCH):
        part = people[start : start + BATCH]
        traces = trace(reader, refs=first_refs(reader, part))
        missing += unread(rules, {each.ref: each.values for found in traces for each in found.records})
        play(traces, scope, tally)
        teller("replay", len(part))
    return as_data(scope, tally, sorted(set(missing)))


def as_data(scope: Scope, tally: Tally, missing: list[str]) -> dict[str, Any]:
    """What a route's replay came to, with the keys of a plan and some more."""
    actions = {system: dict(found) for system, found in tally.actions.items()}
    return {
        "route": scope.rules.route,
        "digest": scope.rules.digest,
        "first_needed": False,
        "linked": tally.linked,
        "records": dict(tally.records),
        "total": tally.total,
        "actions": actions,
        "opt_outs_at_once": sum(each.get("optout", 0) for each in actions.values()),
        "fields": dict(tally.fields.most_common()),
        "holds": dict(tally.holds),
        "brakes": [],
        "examples": [
            {
                "action": each.action, "system": each.system, "object": each.object, "record": each.record,
                "fields": {p: {"field": f, "now": old, "then": new} for p, (f, old, new) in each.fields.items()},
            }
            for each in tally.examples
        ],
        "since": scope.since,
        "kept_since": tally.begins if tally.begins > scope.since else None,
        "people": tally.people,
        "observed": tally.observed,
        "in_fact": {system: dict(found) for system, found in tally.then.items()},
        "never_read": missing,
        "cut": tally.cut,
    }  # fmt: skip
