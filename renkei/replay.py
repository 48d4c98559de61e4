"""What other rules would have made of the last days: the recorded past is played once more, and what the engine writes
then is counted.

It decides what happens again: what people and other programs did, at its time, as reads found it; what we wrote then
does not. The past begins in step: whatever the rules would bring in step at once is done before it begins, because that
is what `plan` shows. No system is asked and nothing is written to any. What was never read is blank, and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from renkei.past import Past
from renkei.recorded import Beside, Recorded, Then, Written, recorded
from renkei.threads import Inline
from state.memory import MemoryStore
from sync.cycle import Bounds, run_cycle
from sync.effects import KIND as EFFECT
from sync.happened import CONVERTED, DELETED, MERGED, RESTORED
from sync.normalise import Lens
from sync.read import Numbering, World
from sync.record import EventKind, LifeEvent, Raw, Record, Ref, Schema, SchemaField
from sync.rows import APPLIED, IGNORED, HoldRow, OperationRow, RecordRow
from sync.rules import Limit, Rules

if TYPE_CHECKING:
    from state.answers import Change, Trace
    from sync.ports import Store

BATCH = 25  # persons that are played together
EXAMPLES = 10
ROUNDS = 6
_ALL = Limit(number=10**9, share=1.0)
_ENDS: Mapping[str, EventKind] = {DELETED: "deleted", MERGED: "merged", CONVERTED: "converted"}


class Event(NamedTuple):
    """What happened to a record: it was met or changed (`values`), or ended (`end`); `run` read it."""

    at: float
    run: int
    ref: Ref
    values: Mapping[str, Raw]
    end: LifeEvent | None = None
    met: bool = False


class Line(NamedTuple):
    """One write of the replay, as a plan's screen shows it; `fields`: path -> (our name, old, new)."""

    action: str
    system: str
    object: str
    record: str
    fields: Mapping[str, tuple[str, Raw, Raw]]


@dataclass(slots=True)
class Tally:
    """What a replay came to. `people` were played, `observed` counts changes of values; `actions` by system; `then`:
    what was in fact written in the same time, by system and action. `begins`: nothing older is kept."""

    people: int = 0
    linked: int = 0
    observed: int = 0
    records: Counter[str] = field(default_factory=Counter)
    actions: dict[str, Counter[str]] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)
    then: dict[str, Counter[str]] = field(default_factory=dict)
    examples: list[Line] = field(default_factory=list)
    begins: float = 0.0
    cut: int = 0

    @property
    def total(self) -> int:
        """Writes of the replay."""
        return sum(found.total() for found in self.actions.values())


class Scope(NamedTuple):
    """Which past is played under which rules: from `since` to `now` (unix seconds); `every`: the rules of all routes,
    `behind`: the journal, for records of other kinds."""

    rules: Rules
    every: tuple[Rules, ...]
    behind: Store
    since: float
    now: float


def play(traces: Iterable[Trace], scope: Scope, tally: Tally) -> None:
    """Play some persons together and add what comes of it to `tally`."""
    since = scope.since
    stage = _Stage(scope)
    pasts = [Past(trace) for trace in traces]
    events = sorted(
        (event for past in pasts for event in stage.enter(past, since)), key=lambda event: event.at
    )
    stage.rest(first=True)
    before = stage.written()
    for _run, group in groupby(events, key=lambda event: event.run):  # what one cycle read, one cycle decides
        for event in group:
            stage.clock.set(event.at)
            stage.happen(event)
        stage.rest()
    stage.clock.set(scope.now)
    stage.rest()
    tally.people += len(pasts)
    tally.observed += sum(len(event.values) for event in events)
    tally.begins = max(tally.begins, *(past.trace.begins for past in pasts))
    tally.cut += sum(past.trace.cut for past in pasts)
    _count_then(pasts, scope.rules, since, tally)
    stage.count(before, tally)


class _Stage:
    """Both sides, a journal and a clock of one replay."""

    def __init__(self, scope: Scope) -> None:
        rules = scope.rules
        self.clock = Then(scope.since)
        self.rules = replace(rules, shadow=False, limits=dict.fromkeys(rules.limits, _ALL))
        self.lens = lens = Lens(self.rules)
        self.sides = {side: recorded(lens, side, self.clock) for side in rules.sides}
        apart = rules.related or any(rule.refers for rule in rules.fields)
        self.store = Beside(scope.behind, rules.kind) if apart else MemoryStore()
        self.channels = _Channels(self.clock)
        self.world = World(
            lens=lens, connectors=dict(self.sides), store=self.store, clock=self.clock, executor=Inline(),
            numbers=Numbering(self.store, 100), channels=self.channels, routes=scope.every,
        )  # fmt: skip
        self.refs: set[Ref] = set()

    def enter(self, past: Past, since: float) -> Iterator[Event]:
        """Put what there was at the beginning on the stage; what happens to it later."""
        for ref, info in past.records.items():
            if info.kind != self.rules.kind or ref.system not in self.rules.systems.values():
                continue
            side = self.sides[self.lens.side(ref.system)]
            self.refs.add(ref)
            met = past.held_since(ref)
            values = {path: past.value(ref, path, max(met, since)) for path in info.values}
            if past.is_there(ref, since):
                side.begin_with(Record(ref, values, "", info.created))
            elif met > since and past.trace.firsts[ref].trigger == "create":
                side.made_then(ref, values)
            elif met > since:
                yield Event(met, past.trace.firsts[ref].run, ref, values, met=True)
            yield from _changes(past, ref, since)

    def happen(self, event: Event) -> None:
        """Let something happen again."""
        side = self.sides[self.lens.side(event.ref.system)]
        if event.end is not None:
            side.ends(event.end)
        elif event.met:
            side.edit(event.ref, event.values)
        else:
            side.happens(event.ref, event.values)

    def rest(self, *, first: bool = False) -> None:
        """Cycles until nothing more is written."""
        for _ in range(ROUNDS):
            before = len(self.written())
            run_cycle(self.world, Bounds(first=first, trigger="first" if first else "cycle"))
            if len(self.written()) == before:
                return
            first = False

    def written(self) -> list[tuple[str, Written]]:
        """Everything written so far, with where."""
        sides = [(self.lens.system(side), each) for side, made in self.sides.items() for each in made.written]
        return sides + [(name, each) for name, made in self.channels.items() for each in made.written]

    def count(self, before: list[tuple[str, Written]], tally: Tally) -> None:
        """Add what was written since, and how everything stands in the end."""
        old = {id(each) for _, each in before}
        fresh = [(system, each) for system, each in self.written() if id(each) not in old]
        rows = self.store.get(OperationRow, [(each.operation,) for _, each in fresh])
        actions = {row.id: row.action for row in rows}
        for system, each in fresh:
            action = actions.get(each.operation, "update")
            line = Line(action, system, each.ref.object, each.ref.id, dict(self._named(system, each)))
            tally.actions.setdefault(system, Counter())[action] += 1
            tally.fields.update({name for name, _old, _new in line.fields.values()})
            if len(tally.examples) < EXAMPLES:
                tally.examples.append(line)
        self._count_people(tally)

    def _named(self, system: str, each: Written) -> Iterator[tuple[str, tuple[str, Raw, Raw]]]:
        names: dict[str, str] = {}
        for side in self.rules.sides:
            if self.lens.system(side) == system:
                rows = [(rule.name, rule.cells) for rule in self.rules.fields]
                rows += [(rule.topic, rule.cells) for rule in self.rules.consent]
                names = {
                    path: name for name, cells in rows if side in cells
                    for object_, path in cells[side].paths.items() if object_ == each.ref.object
                }  # fmt: skip
        for path, (old, new) in each.fields.items():
            yield path, (names.get(path, path), old, new)

    def _count_people(self, tally: Tally) -> None:
        rows = self.store.get(RecordRow, [tuple(ref) for ref in self.refs])
        entities = {row.entity for row in rows}
        for row in rows:
            tally.records[row.system] += row.state == 0
        for entity in entities:
            systems = {row.system for row in rows if row.entity == entity and row.state == 0}
            tally.linked += len(systems) > 1
        holds: list[HoldRow] = self.store.holds_of(entities)
        tally.holds.update(hold.kind for hold in holds)


class _Channels(dict[str, Recorded]):
    """Channels by name, made when they are asked for."""

    def __init__(self, clock: Then) -> None:
        super().__init__()
        self._clock = clock

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 (every channel is there)
        """The channel of this name."""
        if name not in self:
            schema = Schema(system=name, object="Notice", fields={"": SchemaField("", "text")})
            self[name] = Recorded(name, self._clock, EFFECT, [schema])
        return self[name]


def _changes(past: Past, ref: Ref, since: float) -> Iterator[Event]:
    """What people and other programs did to a record since a time; what a vendor made of our own write is none."""
    found: dict[tuple[float, int], dict[str, Raw]] = {}
    for path in past.records[ref].values:
        before = None
        for moment in past.moments(ref, path):
            change = moment.change
            ignored = before is not None and before.wrote is not None and before.wrote.state == IGNORED
            if change is not None and moment.at > since and change.own != 1 and not ignored:
                found.setdefault((moment.at, change.run), {})[path] = moment.new
            before = moment
    for (at, run), values in found.items():
        yield Event(at, run, ref, values)
    for change in past.trace.changes:
        if change.ref == ref and change.at > since:
            yield from _fates(past, change)


def _fates(past: Past, change: Change) -> Iterator[Event]:
    """A record's end or return."""
    at, run, ref = change.at, change.run, change.ref
    for name, (_old, new) in change.values.items():
        if name in _ENDS:
            object_, _, id_ = str(new or "").partition("/")
            into = Ref(ref.system, object_, id_) if id_ else None
            yield Event(at, run, ref, {}, end=LifeEvent(_ENDS[name], ref, into))
        elif name == RESTORED:
            values = {path: past.value(ref, path, at) for path in past.records[ref].values}
            yield Event(at, run, ref, values, met=True)


def _count_then(pasts: Iterable[Past], rules: Rules, since: float, tally: Tally) -> None:
    """What was written in fact."""
    for past in pasts:
        for each in past.trace.operations:
            if each.state == APPLIED and each.done_at > since and each.route == rules.route:
                system = each.target.system
                tally.then.setdefault(system, Counter())[each.action] += 1


def unread(rules: Rules, held: Mapping[Ref, Iterable[str]]) -> list[str]:
    """Paths that these rules read and that nobody has read so far, as system.path, judged by the records held."""
    lens = Lens(rules)
    known: dict[tuple[str, str], set[str]] = {}
    for ref, paths in held.items():
        known.setdefault((ref.system, ref.object), set()).update(paths)
    found = {
        f"{lens.system(side)}.{path}"
        for side in rules.sides for object_, paths in lens.reading(side).items() for path in paths
        if (lens.system(side), object_) in known and path not in known[lens.system(side), object_]
    }  # fmt: skip
    return sorted(found)
