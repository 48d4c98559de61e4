"""When a person is handed to sales: once per crossing, as one task and one notice.

A trigger is something that starts to be true: a score that is hot, a raised hand. Each start is a crossing with a
number. A crossing is announced at once, with these exceptions: none in a quiet look, none for who is excluded (it is
kept with the exclusion's code and announced if that ends while the trigger still holds), and at most one announcement
of a trigger within its dwell: a crossing inside is announced at the dwell's end if it still holds then, else never. A
crossing inside the dwell of another trigger's announcement is covered by that one: sales has just heard of this very
person. A raised hand is an event: it waits for nobody's dwell but its own, and stays announced if the flag is taken
back. Nobody is told of a person whom sales cannot look up: the notice, like the task, waits for the record there. It
may not know how a task reaches a vendor, nor whether it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from revenue.exclusions import Exclusions, excluded
from revenue.looks import AGAIN, soonest
from revenue.task import TaskForm, in_words, reasons_of, task, told_of
from sync.record import Side
from sync.rules import Condition, Effect, Fields
from sync.standing import Situation, Standing, StandingRule

QUIET = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One reason to hand somebody over: `when`, asked of the MA side's fields, starts to hold.

    `event`: what happened cannot be undone by taking the flag back. `dwell`: seconds.
    """

    name: str
    when: Condition
    dwell: float = 0.0
    event: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Who is handed over (`triggers`), as which `task`, told in which channel (`notice`, "" = none), and who never.

    Keys: `hand-over:{entity}:{n}` and `notice:{entity}:{n}`, where n counts the crossings that were announced.
    """

    triggers: tuple[Trigger, ...]
    task: TaskForm | None = None
    notice: str = ""
    never: Exclusions = field(default_factory=Exclusions)
    name: str = "hand_over"


class Crossing(NamedTuple):
    """What is remembered of one trigger.

    `on`: it held at the last look; `at`: when the last crossing began; `done`: nothing more is to be announced for it;
    `code`: why not, or not yet (an exclusion's code, or `quiet`). `told`, `number`: when the trigger was
    last announced, and under which number.
    """

    on: bool = False
    at: float = 0.0
    done: bool = False
    code: str = ""
    told: float = 0.0
    number: int = 0

    @property
    def open(self) -> bool:
        """True for a crossing that may still be announced."""
        return self.on and not self.done


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One look: the situation, the crossings so far, and how many have been numbered."""

    situation: Situation
    found: Mapping[str, Crossing]
    count: int
    wakes: tuple[float, ...] = ()

    def put(self, name: str, crossing: Crossing, *, count: int = 0, wake: float = 0.0) -> _Look:
        return replace(
            self,
            found={**self.found, name: crossing},
            count=self.count + count,
            wakes=(*self.wakes, wake) if wake else self.wakes,
        )


def hand_over_rule(rule: HandOver) -> StandingRule:
    """The standing rule; without a live MA record nothing changes and nothing is announced."""
    # Events first: they cover what they caused.
    ordered = [
        *(each for each in rule.triggers if each.event),
        *(each for each in rule.triggers if not each.event),
    ]

    def derive(situation: Situation) -> Standing:
        if Side.MA not in situation.fields:
            return Standing(memory=situation.memory)
        look = _Look(situation=situation, found=_load(situation.memory), count=_count(situation.memory))
        for trigger in ordered:
            look = look.put(trigger.name, _edge(trigger, look))
        code = excluded(rule.never, situation)
        for trigger in ordered:
            look = _announce(trigger, look, code)
        effects = () if code else tuple(_effects(rule, look))
        return Standing(memory=_dump(look), effects=effects, wake=soonest(look.wakes))

    return StandingRule(name=rule.name, derive=derive)


def _edge(trigger: Trigger, look: _Look) -> Crossing:
    """The trigger's crossing after this look: a new one if it starts to hold."""
    before = look.found.get(trigger.name, Crossing())
    on = trigger.when(look.situation.of(Side.MA))
    if not on or before.on:
        return before._replace(on=on)
    quiet = look.situation.quiet
    return before._replace(on=True, at=look.situation.now, done=quiet, code=QUIET if quiet else "")


def _announce(trigger: Trigger, look: _Look, code: str) -> _Look:
    """Announce the trigger's crossing if nothing stands against it; else say when to look again."""
    crossing, now = look.found[trigger.name], look.situation.now
    if not crossing.open:
        return look
    if code:
        return look.put(trigger.name, crossing._replace(code=code))
    free = crossing.told + trigger.dwell if crossing.told else 0.0
    if look.situation.quiet:
        return _quietly(trigger, look, max(free, now + AGAIN))
    if (cover := _cover(trigger, look)) is not None:
        told, number = cover.told, cover.number
        return look.put(trigger.name, crossing._replace(done=True, code="", told=told, number=number))
    if now < free:
        return look.put(trigger.name, crossing, wake=free)
    number = look.count + 1
    told_now = crossing._replace(done=True, code="", told=now, number=number)
    return look.put(trigger.name, told_now, count=1)


def _quietly(trigger: Trigger, look: _Look, wake: float) -> _Look:
    """What an exclusion held until now is no news that a quiet look may release; what only waits goes on waiting."""
    crossing = look.found[trigger.name]
    if crossing.code:
        return look.put(trigger.name, crossing._replace(done=True, code=QUIET))
    return look.put(trigger.name, crossing, wake=wake)


def _cover(trigger: Trigger, look: _Look) -> Crossing | None:
    """The announcement of another trigger that already speaks for this one."""
    now = look.situation.now
    others = [
        other
        for name, other in look.found.items()
        if name != trigger.name
        and other.told
        and (other.told == now or (not trigger.event and now < other.told + trigger.dwell))
    ]
    return max(others, key=lambda other: other.told, default=None)


def _holds(trigger: Trigger, crossing: Crossing, now: float) -> bool:
    """True while the trigger's last announcement is to be kept up: also through a new crossing inside the dwell."""
    if not crossing.number or not (crossing.on or trigger.event):
        return False
    return (crossing.done and crossing.code != QUIET) or now < crossing.told + trigger.dwell


def _effects(rule: HandOver, look: _Look) -> Iterable[Effect]:
    """The effects of every announcement that holds, one task and one notice a number."""
    announced: dict[int, list[str]] = {}
    for trigger in rule.triggers:
        crossing = look.found[trigger.name]
        if _holds(trigger, crossing, look.situation.now):
            announced.setdefault(crossing.number, []).append(trigger.name)
    fields = told_of(look.situation, rule.task)
    for number, names in sorted(announced.items()):
        crossing, why = look.found[names[0]], ", ".join(names)
        if rule.task is not None:
            key = f"hand-over:{look.situation.entity}:{number}"
            yield task(rule.task, key, crossing.told, fields, why=why)
        if rule.notice and Side.SFA in look.situation.fields:
            yield _notice(rule, f"notice:{look.situation.entity}:{number}", fields, why)


def _notice(rule: HandOver, key: str, fields: Fields, why: str) -> Effect:
    subject = in_words(rule.task.subject, fields) if rule.task else why
    reasons = reasons_of(rule.task.reasons, fields) if rule.task else ""
    text = "\n".join(part for part in (why, reasons) if part)
    return Effect(key, Side.SFA, "Notice", {"subject": subject, "text": text}, channel=rule.notice)


def _count(memory: Mapping[str, Any]) -> int:
    return int(memory.get("count", 0))


def _load(memory: Mapping[str, Any]) -> dict[str, Crossing]:
    return {name: Crossing(**facts) for name, facts in memory.get("triggers", {}).items()}


def _dump(look: _Look) -> Mapping[str, Any]:
    facts = {name: _facts(crossing) for name, crossing in look.found.items()}
    return {"count": look.count, "triggers": {name: each for name, each in facts.items() if each}}


def _facts(crossing: Crossing) -> Mapping[str, Any]:
    return {key: value for key, value in crossing._asdict().items() if value}
