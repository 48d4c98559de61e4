"""An office with deals beside its people: the rules of a relaying route, and a town in which both routes run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.memory import Memory
from sync.cycle import Bounds, CycleReport, run_cycle
from sync.normalise import Lens
from sync.read import World
from sync.record import Raw, Ref, Schema, SchemaField, Side, Value
from sync.rules import Cell, FieldRule, Flow, ObjectRule, Rules
from sync.standing import ACCOUNT, DEAL, OPENED, WHO, Situation, Standing, StandingRule, Tie
from tests.support.office import Time, Town, world

DEALS = "jp-deal"
DEAL_PATHS = ("Stage", "AccountId")
ROLE_PATHS = ("DealId", "PersonId", "Role", "Primary")


def as_it_is(raw: Raw) -> Value:
    """A value as the vendor has it."""
    return raw if raw is None or isinstance(raw, bool | int | str) else str(raw)


def row(name: str, object_: str, path: str) -> FieldRule:
    """A row that is only read, on the sales side."""
    cell = Cell(paths={object_: path}, read=as_it_is, write=lambda value: value)
    return FieldRule(name=name, type="text", cells={Side.SFA: cell}, flow=Flow.NONE, fingerprint=name)


def remember(situation: Situation) -> Standing:
    """How often a deal was lost, as far as that may be told."""
    stage, held = situation.of(Side.SFA).get("stage"), situation.memory
    turned = stage == "lost" and held.get("stage") != "lost"
    count = int(held.get("count", 0)) + int(turned)
    silent = situation.quiet if turned else held.get("silent", False)
    return Standing(memory={"stage": stage, "count": count, "silent": silent})


def deal_rules(standing: StandingRule | None = None) -> Rules:
    """The relaying route."""
    rows = [row("stage", "Deal", "Stage"), row("deal.account", "Deal", "AccountId")]
    names = ("role.deal", "role.person", "role.name", "role.primary")
    rows += [row(name, "Role", path) for name, path in zip(names, ROLE_PATHS, strict=True)]
    return Rules(
        route=DEALS, kind="opportunity", systems={Side.SFA: "sfa"},
        objects={Side.SFA: ObjectRule(create="Deal", follow=("Role",))}, fields=tuple(rows),
        standing=(standing or StandingRule(name="closings", derive=remember),),
        ties=(Tie("Role", "DealId", DEAL), Tie("Role", "PersonId", WHO), Tie("Deal", "AccountId", ACCOUNT)),
        relays=True,
    )  # fmt: skip


class Deals(Memory):
    """The sales system as the relaying route sees it."""

    def __init__(self, clock: Time) -> None:
        schemas = [
            Schema(system="sfa", object=name, fields={path: SchemaField(path, "text") for path in paths})
            for name, paths in (("Deal", DEAL_PATHS), ("Role", ROLE_PATHS))
        ]
        super().__init__("sfa", clock, schemas, {})

    def describe(self, kind: str) -> tuple[Schema, ...]:
        """Deals and roles."""
        return tuple(self._schemas.values())


class Market(Town):
    """A town whose sales people work on deals. `person` is the rule that is asked of people."""

    def __init__(self, person: StandingRule) -> None:
        self.rules = deal_rules()
        super().__init__(standing=(person,), rules=self._with_deals)
        self.deals = Deals(self.clock)

    def _with_deals(self, rules: Rules) -> Rules:
        hidden = (row("person.account", "Lead", "AccountId"), row("person.opened", "Lead", "OpenedId"))
        ties = (Tie("Lead", "AccountId", ACCOUNT), Tie("Lead", "OpenedId", OPENED))
        return replace(rules, fields=(*rules.fields, *hidden), ties=ties, related=(self.rules,))

    def deal(self, **values: Raw) -> Ref:
        """Somebody opens a deal."""
        return self.deals.edit(Ref("sfa", "Deal", ""), values)

    def role(self, deal: Ref, who: Ref, **values: Raw) -> Ref:
        """Somebody gives a person a role in a deal."""
        named: Mapping[str, Raw] = {"DealId": deal.id, "PersonId": who.id, **values}
        return self.deals.edit(Ref("sfa", "Role", ""), named)

    def deal_world(self) -> World:
        """The surroundings of the relaying route."""
        mine = world(self)
        return replace(
            mine,
            lens=Lens(self.rules),
            connectors={Side.SFA: self.deals},
            routes=(self.rules, self.lens.rules),
        )

    def round(self, seconds: float = 10.0) -> tuple[CycleReport, CycleReport]:
        """Some time passes; the deals are followed, then the people are decided."""
        self.clock.sleep(seconds)
        return run_cycle(self.deal_world(), Bounds()), run_cycle(world(self), Bounds())
