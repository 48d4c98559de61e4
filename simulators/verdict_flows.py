"""Judges what a sync did between marketing and sales: hand-overs, returns to nurture, won amounts.

Everything is worked out anew from what the vendors recorded, never from the sync's word. What lies so close to a
boundary that an honest sync may see it either way is left to it; everything else must be there exactly once. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from simulators.history import History, Side
from simulators.verdict import Offence
from simulators.verdict_past import FOREVER, Life
from simulators.verdict_returns import closings, in_scope, returns
from simulators.verdict_scene import Flows, Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowVerdict:
    """Everything that is wrong, and how many of what there were."""

    offences: tuple[Offence, ...]
    counts: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.offences


def judge_flows(
    history: History, lists: Mapping[str, Sequence[tuple[float, Any, str, str]]], flows: Flows, now: float
) -> FlowVerdict:
    """Judge hand-overs, returns and won amounts up to `now` (unix seconds)."""
    scene, counts = Scene(history, lists, flows, now), Counter[str]()
    offences = [*hand_overs(scene, counts), *returns(scene, counts), *won_amounts(scene, counts)]
    offences += [*withdrawn_opt_outs(history), *doubled_firms(scene)]
    counts.update(offence.kind for offence in offences)
    return FlowVerdict(offences=tuple(offences), counts=counts)


# --- hand-over


class Crossing(NamedTuple):
    """One time that a score was hot: from when, until when, the longest stretch at or above the threshold."""

    start: float
    end: float
    longest: float


def crossings(
    samples: Iterable[tuple[float, float]], enter: float, leave: float, dwell: float, now: float,
    since: float = -FOREVER,
) -> list[Crossing]:  # fmt: skip
    """Find when a score crossed the threshold: in at `enter` or more, out below `leave`, not before `dwell` seconds.

    A crossing before `since` was never announced, so nothing dwells: it is over as soon as the score is low.
    """
    found: list[Crossing] = []
    start = low = top = None
    longest = 0.0
    for time, score in [*samples, (now, None)]:
        if top is not None:
            longest = max(longest, time - top)
        stays = 0.0 if start is None else start + dwell if start >= since else start
        if start is not None and low is not None and max(low, stays) <= time:
            found.append(Crossing(start, max(low, stays), longest))
            start = low = top = None
        if score is None:
            break
        if start is None and score >= enter:
            start, low, longest = time, None, 0.0
        elif start is not None:
            low = None if score >= leave else time if low is None else low
        top = None if start is None or score < enter else time if top is None else top
    return found if start is None else [*found, Crossing(start, FOREVER, longest)]


class Ground(NamedTuple):
    """One reason for one task: when it arose, until when, and whether there must be one."""

    start: float
    end: float
    must: bool
    may: bool


def hand_overs(scene: Scene, counts: Counter[str]) -> list[Offence]:
    """Find missed and double hand-overs: per person and crossing exactly one task, unless somebody is excluded."""
    offences: list[Offence] = []
    tasks = _tasks(scene, counts, offences)
    counts["tasks"] = sum(map(len, tasks.values()))
    for person in scene.records:
        grounds = _grounds(scene, person)
        counts["crossings"] += len(grounds)
        counts["hand-overs due"] += sum(ground.must for ground in grounds)
        offences += _matched(scene, person, grounds, tasks.get(person, []))
    return offences


def _tasks(scene: Scene, counts: Counter[str], offences: list[Offence]) -> dict[int, list[tuple[float, str]]]:
    """Give the tasks that the API made, by person, oldest first; one about a deal alone reminds its owner."""
    found: dict[int, list[tuple[float, str]]] = {}
    for life in scene.past["salesforce"].of("Task"):
        born = life.versions[0]
        if life.made_by != "api" or born.values is None:
            continue
        if born.values.get("WhoId") is None and born.values.get("WhatId") is not None:
            counts["reminders"] += 1
            continue
        person = scene.who.get(("salesforce", str(born.values.get("WhoId"))))
        if person is None:
            offences.append(Offence("task of nobody", life.key, "a task was made for no person of the world"))
        else:
            found.setdefault(person, []).append((born.time, life.key))
    return found


def _grounds(scene: Scene, person: int) -> list[Ground]:
    flows, found = scene.flows, list[Ground]()
    lives = scene.on(person, "marketo")
    sure = len(lives) == 1 and person in scene.certain
    for life in lives:
        found += _raises(flows, life)
        samples = [
            (version.time, float((version.values or {}).get(flows.score_field) or 0))
            for version in life.versions
        ]
        before = -FOREVER
        for crossing in crossings(samples, flows.enter, flows.leave, flows.dwell, scene.now, flows.since):
            found.append(_ground(scene, person, life, crossing, before, sure=sure))
            found += _again(flows, samples, crossing)
            before = crossing.end
    return found


def _raises(flows: Flows, life: Life) -> list[Ground]:
    """A raised hand is a ground for a task, but whoever is hot already has been told of; so there may be one."""
    if flows.raise_field is None:
        return []
    name = flows.raise_field
    spells = closings(life, lambda row: row is not None and bool(row.get(name)))
    return [
        Ground(spell.start, spell.end, must=False, may=spell.start >= flows.since - flows.slack)
        for spell in spells
    ]


def _again(flows: Flows, samples: Sequence[tuple[float, float]], crossing: Crossing) -> list[Ground]:
    """A score that fell and crossed once more while the announcement spoke for all may be told of at its end."""
    ends = crossing.start + flows.dwell
    inside = [score for time, score in samples if crossing.start <= time <= ends + flows.slack]
    fell = next((n for n, score in enumerate(inside) if score < flows.leave), len(inside))
    rose = any(score >= flows.enter for score in inside[fell:])
    return [Ground(ends, max(crossing.end, ends), must=False, may=True)] if rose else []


def _ground(
    scene: Scene, person: int, life: Life, crossing: Crossing, before: float, *, sure: bool
) -> Ground:
    """Say whether a crossing must or may be told to sales."""
    flows, (start, end, longest) = scene.flows, crossing
    merged = ("marketo", life.key, start) in scene.merges
    old = start < flows.since - flows.slack
    until = start + flows.patience
    reachable = scene.alive(person, "salesforce", start + flows.patience / 2, until)
    held = scene.codes(person, None, start - flows.slack, until, throughout=False)
    clear = start > flows.since + flows.slack and start - before > flows.slack and longest > flows.slack
    must = sure and clear and reachable and not held and not merged and until <= scene.now
    return Ground(start, end, must, may=not merged and not old)


def _matched(
    scene: Scene, person: int, grounds: list[Ground], tasks: list[tuple[float, str]]
) -> list[Offence]:
    offences: list[Offence] = []
    slack = scene.flows.slack
    told: dict[int, str] = {}
    for time, key in tasks:
        fits = [n for n, ground in enumerate(grounds) if ground.start <= time + slack and ground.may]
        fits = [n for n in fits if time <= grounds[n].end + slack]
        fits.sort(
            key=lambda n: not grounds[n].must
        )  # one task may tell of a score and of a hand that was raised
        free = next((n for n in fits if n not in told), None)
        held = scene.codes(person, None, time - slack, time, throughout=True)
        if free is not None:
            told[free] = key
        elif fits:
            text = f"task {key} tells of a crossing that task {told[max(fits)]} told of already"
            offences.append(Offence("double hand-over", f"person {person}", text))
        else:
            text = f"task {key} was made without a crossing at that time"
            offences.append(Offence("hand-over without a crossing", f"person {person}", text))
        if held:
            text = f"task {key} was made although {', '.join(sorted(held))}"
            offences.append(Offence("hand-over of somebody excluded", f"person {person}", text))
    for n, ground in enumerate(grounds):
        # whoever was told of a person within the dwell, be it for a raised hand, has heard of them
        covered = any(
            ground.start - scene.flows.dwell <= time <= ground.start + slack for time, _key in tasks
        )
        if ground.must and n not in told and not covered:
            text = f"the score was hot from {ground.start:.3f} on, and no task tells of it"
            offences.append(Offence("missed hand-over", f"person {person}", text))
    return offences


# --- won amounts


def won_amounts(scene: Scene, counts: Counter[str]) -> list[Offence]:
    """Find persons whose won total in marketing differs from their won deals in sales, as both stand at the end."""
    sums = _sums(scene)
    offences: list[Offence] = []
    for person in sorted(scene.certain):
        for life in scene.on(person, "marketo"):
            values = life.at(scene.now)
            if values is None:
                continue
            shown = values.get(scene.flows.won_field)
            due = sums.get(person, Decimal(0))
            counts["won totals"] += due != 0
            if Decimal(str(shown or 0)) != due:
                text = f"lead {life.key} shows {shown}, the won deals make {due}"
                offences.append(Offence("won amount differs", f"person {person}", text))
    return offences


def _sums(scene: Scene) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for deal in scene.deals:
        row = deal.at(scene.now)
        amount = None if row is None else _converted(scene.flows, row)
        if row is None or amount is None or not row.get("IsWon") or not in_scope(scene.flows, row):
            continue
        for person in scene.people(deal.key, scene.now):
            sums[person] = sums.get(person, Decimal(0)) + amount
    return sums


def _converted(flows: Flows, row: Mapping[str, Any]) -> Decimal | None:
    """Give a deal's amount in the project's currency, rounded half up per deal; None without amount or rate."""
    amount, currency = row.get("Amount"), str(row.get("CurrencyIsoCode"))
    rate = Decimal(1) if currency == flows.currency else flows.rates.get(currency)
    if amount is None or rate is None:
        return None
    return (Decimal(str(amount)) * rate).quantize(Decimal(1).scaleb(-flows.places), ROUND_HALF_UP)


# --- firms


def doubled_firms(scene: Scene) -> list[Offence]:
    """Find accounts and companies made by API for an office that had a live one on that side at that moment.

    An office is known by corporate number and site; a site left blank is the head office. Without a number nobody can
    tell, so nothing is said.
    """
    offences: list[Offence] = []
    for side, object_name, fields in _FIRMS:
        lives = scene.past[side].of(object_name)
        for life in lives:
            born = life.versions[0]
            office = _office(scene.flows, fields, born.values)
            if life.made_by != "api" or office is None:
                continue
            twins = (
                other.key
                for other in lives
                if other is not life
                and _known_by(scene.flows, other, born.time)
                and _office(scene.flows, fields, other.at(born.time)) == office
            )
            twin = next(twins, None)
            if twin is not None:
                offences.append(
                    Offence("duplicate account", f"{side} {life.key}", f"{twin} is the same office")
                )
    return offences


_FIRMS: tuple[tuple[Side, str, tuple[str, str]], ...] = (
    ("marketo", "Company", ("corpNo", "siteName")),
    ("salesforce", "Account", ("Corp_No__c", "Site")),
)


def _known_by(flows: Flows, life: Life, time: float) -> bool:
    """Whether a sync could have seen a record by then; what it made itself it knows at once."""
    return life.versions[0].time <= (time if life.made_by == "api" else time - flows.slack)


def _office(
    flows: Flows, fields: tuple[str, str], values: Mapping[str, Any] | None
) -> tuple[str, str] | None:
    number = "" if values is None else str(values.get(fields[0]) or "").strip()
    if values is None or not number:
        return None
    return number, str(values.get(fields[1]) or flows.head_office).strip()


# --- consent


def withdrawn_opt_outs(history: History) -> list[Offence]:
    """Find every opt-out that the API took back, on whichever side."""
    return [
        Offence("withdrawn opt-out", f"{side} {entry.id}", f"the sync turned {name} from true to false")
        for side, ledger in history.ledgers.items()
        for entry in ledger
        for name, change in entry.changes.items()
        if entry.actor == "api"
        and entry.verb == "update"
        and change == (True, False)
        and name in {getattr(pair, side) for pair in history.opt_outs}
    ]
