"""An office with firms beside its people: both sides know firms, and people refer to theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from connectors.memory import Memory
from sync.cycle import Bounds, CycleReport, run_cycle
from sync.normalise import Lens
from sync.read import World
from sync.record import Raw, Ref, Schema, SchemaField, Side
from sync.rules import Cell, CreateRule, FieldRule, Flow, MatchKey, ObjectRule, Rules, always
from sync.standing import ACCOUNT, Tie
from tests.support.deals import as_it_is
from tests.support.office import Time, Town, world

FIRM_PATHS = {Side.MA: ("company",), Side.SFA: ("Name", "Key__c")}
OBJECTS = {Side.MA: "Company", Side.SFA: "Account"}


def cell(side: Side, path: str, *, is_id: bool = False) -> Cell:
    """A field of a firm."""
    return Cell(paths={OBJECTS[side]: path}, read=as_it_is, write=lambda value: value, is_id=is_id)


def firm_rules(create: Mapping[Side, CreateRule] | None = None) -> Rules:
    """The route of firms: linked by the company's id, which sales keeps."""
    name = {Side.MA: cell(Side.MA, "company"), Side.SFA: cell(Side.SFA, "Name")}
    key = {Side.MA: cell(Side.MA, "id", is_id=True), Side.SFA: cell(Side.SFA, "Key__c")}
    return Rules(
        route="jp-account", kind="account", systems={Side.MA: "ma", Side.SFA: "sfa"},
        objects={side: ObjectRule(create=object_) for side, object_ in OBJECTS.items()},
        fields=(
            FieldRule(name="name", type="text", cells=name, flow=Flow.BOTH, fingerprint="n", first="sfa"),
            FieldRule(name="ma_key", type="key", cells=key, flow=Flow.TO_SFA, fingerprint="k", key=True),
        ),
        match=(MatchKey(kind="id", field="ma_key"),),
        create=create or {},
    )  # fmt: skip


class Firms(Memory):
    """A system as the route of firms sees it."""

    def __init__(self, side: Side, clock: Time) -> None:
        fields = {path: SchemaField(path, "text") for path in FIRM_PATHS[side]}
        super().__init__(
            side.value, clock, [Schema(system=side.value, object=OBJECTS[side], fields=fields)], {}
        )

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """Firms."""
        return tuple(self._schemas.values())


class Street(Town):
    """A town whose people work for firms: the title of a lead is the id of its company."""

    def __init__(
        self, missing: Literal["wait", "leave"] = "wait", need: tuple[str, ...] = (), **rules: Any
    ) -> None:
        self.missing, self.need = missing, need
        self.rules = firm_rules(**rules)
        super().__init__(rules=self._with_firms)
        self.firms = {side: Firms(side, self.clock) for side in Side}
        self.run_firms(first=True)
        self.cycle()

    def _with_firms(self, rules: Rules) -> Rules:
        title = next(rule for rule in rules.fields if rule.name == "title")
        sales = Cell(paths={"Lead": "AccountId"}, read=as_it_is, write=lambda value: value)
        firm = FieldRule(
            name="firm", type="reference", cells={Side.MA: title.cells[Side.MA], Side.SFA: sales},
            flow=Flow.TO_MA, fingerprint="firm", refers="account", missing=self.missing,
        )  # fmt: skip
        others = tuple(rule for rule in rules.fields if rule.name != "title")
        create = {Side.MA: CreateRule(when=always, need=self.need)}
        ties = (Tie("Lead", "AccountId", ACCOUNT),)
        return replace(rules, fields=(*others, firm), create=create, ties=ties)

    def world(self) -> World:
        """The surroundings of the people's route."""
        return replace(world(self), routes=(self.rules, self.lens.rules))

    def run_firms(self, **bounds: Any) -> CycleReport:
        """One cycle of the route of firms."""
        mine = replace(self.world(), lens=Lens(self.rules), connectors=dict(self.firms))
        return run_cycle(mine, Bounds(**bounds))

    def round(self, seconds: float = 10.0) -> CycleReport:
        """Some time passes; firms are decided, then people."""
        self.clock.sleep(seconds)
        self.run_firms()
        return run_cycle(self.world(), Bounds())

    def firm(self, side: Side, **values: Raw) -> Ref:
        """Somebody enters a firm."""
        return self.firms[side].edit(Ref(side.value, OBJECTS[side], ""), values)
