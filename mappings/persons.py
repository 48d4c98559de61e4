"""The flows of persons: named thresholds, and who is handed to sales for which reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappings.flowdrafts import HandOverDraft
from mappings.flows import Flows, exclusions, task_form
from mappings.recycling import lead_returns
from mappings.source import Map, Node, Seq, Text
from revenue.hand_over import HandOver, Trigger, hand_over_rule
from revenue.hot import HotRule, hot_rule, hot_trigger
from sync.record import Side
from sync.rules import FieldRule
from sync.standing import StandingRule

DAY = 86_400.0  # a box that is ticked and cleared all day speaks once


@dataclass(frozen=True, slots=True, kw_only=True)
class Flowing:
    """Standing rules of persons, those first whose fields later ones ask, and the fields that they fill."""

    standing: tuple[StandingRule, ...] = ()
    fields: tuple[FieldRule, ...] = ()


def person_rules(flows: Flows) -> Flowing:
    """The flows of a person file. A threshold that nobody asks is no rule: it would cost a look at everybody."""
    hot = hot_rules(flows)
    rules: list[StandingRule] = []
    fields: list[FieldRule] = []
    given = flows.draft.hand_over
    if given is not None:
        rules.append(hand_over_rule(_hand_over(given, hot, flows)))
        returned = lead_returns(given, flows)
        if returned is not None:
            rules.append(returned[0])
            fields = returned[1]
    asked = [hot_rule(rule) for rule in hot.values() if rule.hot in flows.reached]
    return Flowing(standing=(*asked, *rules), fields=tuple(fields))


def hot_rules(flows: Flows) -> dict[tuple[str, str], HotRule]:
    """Named thresholds of numbers that the marketing side has, by field and name."""
    found: dict[tuple[str, str], HotRule] = {}
    for row in flows.rows:
        numeric = row.rule.type in {"integer", "decimal"} and Side.MA in row.rule.cells
        for name, threshold in flows.known.named.get(row.rule.name, {}).items() if numeric else ():
            found[row.rule.name, name] = HotRule(
                field=row.rule.name,
                enter=threshold.enter,
                leave=threshold.leave,
                dwell=threshold.dwell,
                name=row.rule.name,
                threshold=name,
            )
    return found


def _hand_over(given: HandOverDraft, hot: Mapping[tuple[str, str], HotRule], flows: Flows) -> HandOver:
    form = None if given.task is None else task_form(given.task, flows, Side.SFA)
    notice = given.notice.text if given.notice else ""
    if form is None and not notice and given.task is None:
        flows.sink.error(given.at, "M011", "nobody hears of the hand-over", "add task: or notice:")
    return HandOver(
        triggers=_triggers(given.when, hot, flows) if given.when else (),
        task=form,
        notice=notice,
        never=exclusions(given.never, flows),
    )


def _triggers(node: Node, hot: Mapping[tuple[str, str], HotRule], flows: Flows) -> tuple[Trigger, ...]:
    """Each line of `any:` is a trigger of its own: what it begins with is a crossing of its own."""
    lines: Sequence[Node] = (node,)
    if isinstance(node, Map) and len(node.entries) == 1 and node.entries[0].key.text == "any":
        inner = node.entries[0].value
        lines = inner.items if isinstance(inner, Seq) else (node,)
    found = [_trigger(line, hot, flows) for line in lines]
    if len({each.name for each in found}) < len(found):
        flows.sink.error(node.at, "M026", "two lines of `when:` ask the same fields", "join them in one")
    return tuple(found)


def _trigger(node: Node, hot: Mapping[tuple[str, str], HotRule], flows: Flows) -> Trigger:
    compiled = flows.ask(node, Side.MA)
    entries = node.entries if isinstance(node, Map) else ()
    if len(entries) == 1 and isinstance(value := entries[0].value, Text):
        field = entries[0].key.text
        if (field, value.text) in hot:
            return hot_trigger(hot[field, value.text])
        if _is_flag(field, flows) and value.text == "true":
            return Trigger(name=field, when=compiled.test, event=True, dwell=DAY)
    return Trigger(name=" ".join(compiled.fields) or "when", when=compiled.test)


def _is_flag(name: str, flows: Flows) -> bool:
    return any(row.rule.name == name and row.rule.type == "boolean" for row in flows.rows)
