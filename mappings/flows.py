"""From the words of the flows on persons to standing rules: thresholds, hand-over, and people whom sales gave back.

What the rules do is `revenue`'s; how a task or a list is written is a fact of the vendors (`links`). Names of fields,
thresholds and lists of domains are resolved here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mappings.conditions import Compiled
from mappings.draft import FileDraft
from mappings.errors import Sink, did_you_mean
from mappings.fieldrules import Row
from mappings.flowdrafts import TaskDraft
from mappings.links import TaskLinks, links_of
from mappings.source import Node, Text
from mappings.thresholds import Thresholds
from revenue.exclusions import Exclusions
from revenue.money import Rate
from revenue.task import TaskForm, TaskPaths
from sync.record import Side
from sync.rules import Flow

Ask = Callable[[Node, Side], Compiled]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What the flows of one file compile with."""

    draft: FileDraft
    sides: Mapping[str, Side]
    rows: tuple[Row, ...]
    known: Thresholds
    asks: Ask
    sink: Sink
    rates: tuple[Rate, ...] = ()
    used: dict[str, None] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def ask(self, node: Node, side: Side) -> Compiled:
        """Compile a condition that is asked of one side's fields."""
        found = self.asks(node, side)
        self.used.update(dict.fromkeys(found.fields))
        self.reached.update(found.thresholds)
        return found

    def system(self, side: Side) -> str:
        """The system of a side."""
        return next(name for name, each in self.sides.items() if each is side)

    def row(self, name: Text, what: str) -> Row | None:
        """The row that a word names; reported if there is none."""
        found = next((row for row in self.rows if row.rule.name == name.text), None)
        self.used[name.text] = None
        if found is None:
            hint = did_you_mean(name.text, tuple(row.rule.name for row in self.rows))
            self.sink.error(name.at, "M017", f"{what} names no field «{name.text}»", hint)
        return found


def task_form(given: TaskDraft, flows: Flows, side: Side) -> TaskForm | None:
    """A task as the vendor's object takes it; None where the vendor has none, which is reported."""
    links = task_links(flows, side)
    if links is None:
        system = flows.system(side)
        flows.sink.error(
            given.at, "M060", f"{system} has no tasks that renkei knows how to write", "use notice:"
        )
        return None
    names = [*given.reasons, *([given.owner] if given.owner else [])]
    if any(flows.row(name, "task") is None for name in names):
        return None
    return TaskForm(
        object=links.object,
        paths=TaskPaths(
            subject=links.subject,
            who=links.who,
            find=links.key,
            owner=links.owner,
            due=links.due,
            text=links.body,
            about=links.about,
        ),
        subject=given.subject.text if given.subject else "{email}",
        due=given.due,
        owner=given.owner.text if given.owner else "",
        reasons=tuple(name.text for name in given.reasons),
        zone=flows.draft.zone,
        derived={
            row.rule.name: row.rule.compute
            for row in flows.rows
            if row.rule.compute is not None and row.rule.flow is Flow.TO_SFA
        },
    )


def task_links(flows: Flows, side: Side) -> TaskLinks | None:
    """How a task is written on a side."""
    found = flows.draft.objects.get(flows.system(side))
    return links_of(side, found.create).task if found else None


def exclusions(never: Sequence[Text], flows: Flows) -> Exclusions:
    """Who is kept out, with the domains of thresholds.yaml. A test that could never say yes is an error."""
    names = {row.rule.name for row in flows.rows}
    domains = flows.known.domains
    for word in never:
        missing = ""
        if word.text in {"competitor", "own_staff"} and not domains.get(word.text):
            missing = f"thresholds.yaml: domains: {{ {word.text}: [example.com] }}"
        if word.text == "bounced" and flows.draft.kind == "person" and "bounced" not in names:
            missing = "add a row: bounced: { …, type: boolean }"
        if word.text == "opted_out" and not flows.draft.topics and flows.draft.kind == "person":
            missing = "add the consent: block"
        if missing:
            flows.sink.error(word.at, "M061", f"«{word.text}» would never keep anybody out", missing)
    flows.used["bounced"] = None
    email = next((row.rule.name for row in flows.rows if row.rule.type == "email"), "email")
    return Exclusions(
        never=tuple(word.text for word in never),
        competitors=frozenset(domains.get("competitor", ())),
        own_staff=frozenset(domains.get("own_staff", ())),
        email=email,
    )
