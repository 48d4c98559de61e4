"""Two small systems in memory, one of which also takes tasks: for whole cycles of the engine without HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from connectors.memory import Memory
from renkei.threads import Inline
from state.memory import MemoryStore
from sync.cycle import Bounds, CycleReport, run_cycle
from sync.effects import KIND as EFFECT
from sync.errors import InDoubt
from sync.normalise import Lens
from sync.ports import Connector, FieldError, Outcome, Paths, Write
from sync.read import Numbering, World
from sync.record import Page, Raw, Record, Ref, Schema, SchemaField, Side
from sync.rows import KeyRow, Patch, Row
from sync.rules import Rules
from sync.standing import StandingRule
from tests.support.people import MA_BLANK, NOW, SFA_BLANK, lens

R = TypeVar("R", bound=Row)


class Crash(BaseException):
    """The process is gone."""


class Time:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> float:
        """Unix seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Go on."""
        self.time += seconds


class Office(Memory):
    """A system that takes tasks beside its records; `lose` makes the next answer to a task get lost, `refuse` what it
    says of every task with that field."""

    def __init__(self, system: str, clock: Time, paths: Sequence[str], unique: str = "") -> None:
        fields = {path: SchemaField(path, "text") for path in paths}
        keys = {"Lead": frozenset({unique} - {""})}
        super().__init__(system, clock, [Schema(system=system, object="Lead", fields=fields)], keys)
        self.capabilities = replace(self.capabilities, visibility_lag=0.0, server_timeout=2.0)
        self.calls = 0
        self.tasks: list[Write] = []
        self.lose = False
        self.refuse: FieldError | None = None

    def changes(
        self, kind: str, since: str | None, paths: Paths, *, back: float = 0.0, keys_only: bool = False
    ) -> Iterator[Page]:
        """The feed, and a count of how often it was asked for."""
        self.calls += 1
        return super().changes(kind, since, paths, back=back, keys_only=keys_only)

    def write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        """Tasks are kept; everything else is written as ever."""
        if kind != EFFECT:
            return super().write(kind, writes)
        if self.refuse and any(self.refuse.path in write.values for write in writes):
            return [Outcome("refused", errors=(self.refuse,)) for _write in writes]
        self.tasks += writes
        if self.lose:
            self.lose = False
            raise InDoubt("the answer was lost")
        return [Outcome("applied", id=str(len(self.tasks))) for _write in writes]

    def find(self, kind: str, object_: str, path: str, values: Sequence[str], paths: Paths) -> list[Record]:
        """Tasks are found by any of their values."""
        if kind != EFFECT:
            return super().find(kind, object_, path, values, paths)
        hits = [
            (number, task) for number, task in enumerate(self.tasks, 1) if task.values.get(path) in values
        ]
        return [
            Record(Ref(self.capabilities.system, object_, str(number)), task.values) for number, task in hits
        ]


class Fragile(MemoryStore):
    """A store under which the process dies now and then, before or after a commit."""

    def __init__(self) -> None:
        super().__init__()
        self.dice: Random | None = None
        self.row_writes: Counter[str] = Counter()
        self.questions = 0

    def get(self, kind: type[R], keys: Iterable[tuple[object, ...]]) -> list[R]:
        """Rows by primary key, and a count of the questions."""
        self.questions += 1
        return super().get(kind, keys)

    def holders(self, system: str, kind: str, hashes: Iterable[str]) -> list[KeyRow]:
        """Keys and claims, and a count of the questions."""
        self.questions += 1
        return super().holders(system, kind, hashes)

    def commit(self, patch: Patch, *, durable: bool = True) -> None:
        """Commit, or die before or after it."""
        dies = self.dice is not None and self.dice.random() < 0.1
        if dies and self.dice is not None and self.dice.random() < 0.5:
            raise Crash
        super().commit(patch, durable=durable)
        for rows in (patch.puts, patch.drops):
            self.row_writes.update({kind.__name__: len(keys) for kind, keys in rows.items() if keys})
        if dies:
            raise Crash


class Town:
    """Both systems, a store and the rules of one route, ready for cycles."""

    def __init__(
        self,
        mapping: str = "",
        standing: tuple[StandingRule, ...] = (),
        rules: Callable[[Rules], Rules] = lambda rules: rules,
    ) -> None:
        compiled = (lens(mapping) if mapping else lens()).rules
        self.lens = Lens(rules(replace(compiled, standing=standing)))
        self.clock = Time()
        self.store = Fragile()
        self.ma = Office("ma", self.clock, tuple(MA_BLANK))
        self.sfa = Office("sfa", self.clock, tuple(SFA_BLANK), unique="Marketo_Id__c")
        self.desk = Office("desk", self.clock, ())
        self.channels: dict[str, Connector] = {"desk": self.desk}

    def person(self, side: Side, **values: Raw) -> Ref:
        """Somebody types a new person."""
        office, blank = (self.ma, MA_BLANK) if side is Side.MA else (self.sfa, SFA_BLANK)
        return office.edit(Ref(office.capabilities.system, "Lead", ""), {**blank, **values})

    def cycle(self, seconds: float = 10.0) -> CycleReport:
        """Some time passes, then one cycle of a fresh process runs, which a person has agreed to as a whole."""
        self.clock.sleep(seconds)
        return run_cycle(world(self), Bounds(first=True))

    def tick(self, seconds: float = 10.0, **bounds: Any) -> CycleReport:
        """Some time passes, then one everyday cycle of a fresh process runs."""
        self.clock.sleep(seconds)
        return run_cycle(world(self), Bounds(**bounds))


def world(town: Town) -> World:
    """The surroundings of one cycle, as a fresh process would build them."""
    return World(
        lens=town.lens, connectors={Side.MA: town.ma, Side.SFA: town.sfa}, store=town.store, clock=town.clock,
        executor=Inline(), numbers=Numbering(town.store), channels=town.channels,
    )  # fmt: skip
