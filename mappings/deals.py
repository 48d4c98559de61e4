"""From the mapping of deals to rules: the route that follows them, and what people get from their deals.

A deal has no counterpart in marketing. Its route only relays; its rows with an arrow become fields of the people's
route, filled from the deals that a person has a part in, and its `recycle:` becomes one of that route's standing rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mappings import digest
from mappings.draft import ON_PEOPLE
from mappings.errors import At
from mappings.fieldrules import Row
from mappings.flows import Flows
from mappings.links import DealLinks, links_of
from mappings.recycling import recycle_of
from mappings.source import Text
from mappings.transforms import TYPES, Options
from revenue.closings import closings_rule
from revenue.deals import DealField, DealFields, Money, deals_rule
from revenue.money import EXPONENTS, RateTable
from sync.record import Side
from sync.rules import Cell, Condition, FieldRule, Flow, ObjectRule, Rules, always
from sync.standing import ACCOUNT, DEAL, OPENED, WHO, StandingRule, Tie


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """What a deal route adds to the route of its people: fields (paths under ON_PEOPLE) and standing rules."""

    on: str
    on_at: At
    fields: tuple[FieldRule, ...]
    standing: tuple[StandingRule, ...]
    spec: object


def deal_rules(flows: Flows, scope: Mapping[Side, Condition]) -> tuple[Rules, Bearing] | None:
    """The relaying route and what it adds to people; None where the file has errors, which are reported."""
    draft = flows.draft
    sfa = draft.objects.get(flows.system(Side.SFA))
    people = draft.objects.get(flows.system(Side.MA))
    if sfa is None or people is None or people.fields_on is None:
        if people is not None:
            hint = "write { fields_on: jp-person } and the name of the people's route"
            flows.sink.error(people.at, "M063", "deals have no object of their own in marketing", hint)
        return None
    links = links_of(Side.SFA, sfa.create).deal
    if links is None:
        flows.sink.error(
            sfa.at, "M063", f"{sfa.create} is no object of deals that renkei knows", "e.g. Opportunity"
        )
        return None
    _only_towards_people(flows)
    rules = Rules(
        route=draft.route,
        kind=draft.kind,
        systems={Side.SFA: flows.system(Side.SFA)},
        objects={Side.SFA: ObjectRule(create=sfa.create, follow=(links.roles.object,))},
        fields=tuple(_fields_of(flows, sfa.create, links)),
        standing=(closings_rule(),),
        ties=(
            Tie(links.roles.object, links.roles.deal, DEAL),
            Tie(links.roles.object, links.roles.person, WHO),
            Tie(sfa.create, links.account, ACCOUNT),
        ),
        relays=True,
        scope=scope,
        shadow=draft.shadow,
    )
    return rules, _bearing(flows, people.fields_on)


def _only_towards_people(flows: Flows) -> None:
    for row in flows.rows:
        if row.rule.flow not in {Flow.TO_MA, Flow.NONE}:
            hint = "write <- and the people's field, or no arrow"
            flows.sink.error(
                row.draft.place("flow"), "M063", f"«{row.rule.name}»: deals are never written", hint
            )
        if row.draft.compute is not None and row.draft.compute.sum is None:
            hint = "compute: { sum: amount, of: deals_of_person }"
            flows.sink.error(
                row.draft.place("compute"), "M063", f"«{row.rule.name}»: deals are added up only", hint
            )


def _fields_of(flows: Flows, object_: str, links: DealLinks) -> list[FieldRule]:
    """Every row that is read from the deal, and what flows need besides."""
    found = [
        replace(
            row.rule,
            flow=Flow.NONE,
            cells={Side.SFA: row.rule.cells[Side.SFA]},
            conflict="hold",
            first="hold",
        )
        for row in flows.rows
        if Side.SFA in row.rule.cells
    ]
    hidden = {
        "deal.account": (links.account, "key"), "deal.name": (links.name, "text"),
        "deal.closed": (links.closed, "boolean"), "deal.won": (links.won, "boolean"),
        "deal.close_date": (links.close_date, "date"), "deal.created": (links.created, "datetime"),
        "deal.owner": (links.owner, "user"),
    }  # fmt: skip
    found += [hidden_row(name, {object_: path}, type_) for name, (path, type_) in hidden.items()]
    for row in flows.rows:
        if row.draft.currency is not None:
            found.append(hidden_row(f"{row.rule.name}.currency", {object_: row.draft.currency.text}, "text"))
    if flows.draft.recycle is not None:
        for reason, route in flows.draft.recycle.routes.items():
            if route.wake_from is not None:
                found.append(hidden_row(f"wake_from.{reason}", {object_: route.wake_from.text}, "date"))
    roles = links.roles
    parts = {"deal": roles.deal, "person": roles.person, "name": roles.role}
    found += [hidden_row(f"role.{name}", {roles.object: path}, "key") for name, path in parts.items()]
    found.append(hidden_row("role.primary", {roles.object: roles.primary}, "boolean"))
    return found


def hidden_row(name: str, paths: Mapping[str, str], type_: str) -> FieldRule:
    """A row that is read on the sales side because flows ask it."""
    codec = TYPES[type_](Options(), Side.SFA)
    cells = {Side.SFA: Cell(paths=paths, read=codec.read, write=codec.write, read_only=frozenset(paths))}
    print_ = digest.fingerprint(type_, cells, Options(), None)
    return FieldRule(name=name, type=type_, cells=cells, flow=Flow.NONE, fingerprint=print_)


# --- what people get -------------------------------------------------------------------------------------


def _bearing(flows: Flows, on: Text) -> Bearing:
    draft = flows.draft
    shown = [row for row in flows.rows if row.rule.flow is Flow.TO_MA]
    fields = DealFields(
        route=draft.route,
        one_of_many=tuple(word.text for word in draft.people.one_of_many) if draft.people else (),
        fields=tuple(_deal_field(row, flows) for row in shown),
        roles=_roles(flows),
        zone=draft.zone,
    )
    if not fields.one_of_many:
        fields = replace(fields, one_of_many=("open_newest", "won_newest", "lost_newest"))
    standing = [deals_rule(fields)]
    written = [_on_people(row, draft.route) for row in shown]
    if draft.recycle is not None:
        rule, extra = recycle_of(flows, _roles(flows))
        standing.append(rule)
        written += extra
    spec = [
        digest.of_flows(draft, flows.known),
        [[rule.name, rule.fingerprint, rule.blank, rule.drift] for rule in written],
        [digest.row_words(row.draft) for row in shown],
        [[rate.currency, rate.since, rate.rate] for rate in _table(shown, flows).rates],
    ]
    return Bearing(on=on.text, on_at=on.at, fields=tuple(written), standing=tuple(standing), spec=spec)


def _roles(flows: Flows) -> tuple[str, ...]:
    return tuple(word.text for word in flows.draft.people.roles) if flows.draft.people else ()


def _deal_field(row: Row, flows: Flows) -> DealField:
    compute = row.draft.compute
    when = compute.when if compute else row.draft.when
    of = compute.sum.text if compute and compute.sum else row.rule.name
    return DealField(
        name=row.rule.name,
        of=of,
        type=row.rule.type,
        when=always if when is None else flows.ask(when, Side.SFA).test,
        sum=compute is not None,
        money=_money(next((each for each in flows.rows if each.rule.name == of), row), flows),
    )


def _money(row: Row, flows: Flows) -> Money | None:
    if row.rule.type != "money" or row.draft.to is None:
        return None
    if row.draft.to.text not in EXPONENTS:
        flows.sink.error(
            row.draft.to.at, "M064", f"«{row.draft.to.text}» is no currency", "three letters, e.g. JPY"
        )
        return None
    table = _table((row,), flows)
    if row.draft.rate_of is None:
        return Money(table=table)
    flows.row(row.draft.rate_of, "rate_of")
    return Money(table=table, rate_of=row.draft.rate_of.text)


def _table(rows: tuple[Row, ...] | list[Row], flows: Flows) -> RateTable:
    to = next(
        (row.draft.to.text for row in rows if row.draft.to is not None and row.rule.type == "money"), ""
    )
    return RateTable(to=to, rates=tuple(flows.rates if to else ()))


def _on_people(row: Row, route: str) -> FieldRule:
    """A deal's row as a field of people, whose value the standing rule of the deals gives; where it gives none, nobody
    had a deal and the field is left alone. A blank goes across unless the row says otherwise: it means «no deal»."""
    return replace(
        row.rule,
        name=f"{route}.{row.rule.name}",
        cells={Side.MA: row.rule.cells[Side.MA]},
        compute=None,
        inputs=frozenset(),
        blank="keep" if row.draft.blank == "keep" else "propagate",
    )


def on_objects(rule: FieldRule, objects: tuple[str, ...]) -> FieldRule:
    """A field of people with its path in the objects that they really have."""
    cell = rule.cells[Side.MA]
    paths = dict.fromkeys(objects, cell.paths[ON_PEOPLE])
    return replace(rule, cells={Side.MA: replace(cell, paths=paths)})


def bear(people: Rules, deals: Rules, bearing: Bearing) -> Rules:
    """The people's route with everything that a deal route adds to it, under new digests."""
    written = people.objects[Side.MA].all
    added = [on_objects(rule, written) for rule in bearing.fields]
    names = {rule.name for rule in people.fields}
    links = {name: links_of(Side.SFA, name) for name in people.objects[Side.SFA].all}
    accounts = {name: each.account for name, each in links.items() if each.account}
    opened = {name: each.opened for name, each in links.items() if each.opened}
    hidden = [
        hidden_row(name, paths, "key")
        for name, paths in (("person.account", accounts), ("person.opened", opened))
        if paths and name not in names
    ]
    ties = [Tie(name, path, ACCOUNT) for name, path in accounts.items()]
    ties += [Tie(name, path, OPENED) for name, path in opened.items()]
    rules = replace(
        people,
        fields=(*people.fields, *added, *hidden),
        standing=(*people.standing, *bearing.standing),
        related=(*people.related, deals),
        ties=tuple(dict.fromkeys((*people.ties, *ties))),
    )
    return digest.extend(rules, people, bearing.spec)
