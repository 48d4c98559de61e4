"""The verdict of the demo: the judges' answers, and what the journal itself says of values and of work that is left.

It decides which of the journal's words the judges get to hear; they believe none of them that the ledgers contradict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from renkei.agreement import Agreement, compare
from renkei.demo_outcome import ASKED, Notices, Outcome
from renkei.drain import Total
from renkei.fakes import Fakes
from renkei.syncing import Result, look_around
from renkei.wire import Wired, look
from sync.read import World
from sync.record import Side

_STATES = ("applied", "superseded", "pending", "planned", "failed", "waiting", "ignored")
_LIVE = {"person": "state", "account": "firms"}  # by kind: where the fake vendors show their live records


def judge(wired: Wired, fakes: Fakes, question: dict[str, Any], gap: float) -> Outcome:
    """Ask the judges, and look at what is left. Raises Fatal."""
    outcome = Outcome()
    claims: dict[str, str] = {}
    for world in wired.worlds.values():
        _count_left(wired, world, outcome)
        held = _own_words(wired, world, claims)
        if world.kind in _LIVE:
            agreement = compare(world.lens, fakes.ask(_LIVE[world.kind]), held)
            _keep(outcome, world.kind, agreement)
    words = [{"token": token, "state": state} for token, state in claims.items()]
    outcome.verdict = fakes.ask("verdict", {"claims": words, "gap_seconds": gap})
    outcome.flows = fakes.ask("flows", question)
    outcome.notices = _notices(fakes)
    return outcome


def _keep(outcome: Outcome, kind: str, agreement: Agreement) -> None:
    if kind == "person":
        outcome.agreement = agreement
    else:
        outcome.firms = agreement


def _count_left(wired: Wired, world: World, outcome: Outcome) -> None:
    """What is open or waits for a person; questions that wait by right are counted apart."""
    result = Result(route=world.lens.rules.route, digest="", total=Total())
    look_around(wired, world, result)
    for name, number in {**result.open, **result.holds, **result.in_flight}.items():
        if name in ASKED:
            outcome.asked += number
        elif number:
            outcome.left[f"{result.route} {name}"] = number


def _notices(fakes: Fakes) -> Notices:
    keys = Counter(str(each["key"]) for each in fakes.ask("notices"))
    return Notices(told=keys.total(), twice=sum(number > 1 for number in keys.values()))


def _own_words(wired: Wired, world: World, claims: dict[str, str]) -> frozenset[tuple[str, str]]:
    """Which (record, field) wait for a person; what the journal says became of values goes into `claims`."""
    from state.views import inbox

    route = world.lens.rules.route
    held: set[tuple[str, str]] = set()
    with look(wired.project) as reader:
        for hold in inbox(reader, route=route, limit=1_000_000):
            held.update((record.ref.id, hold.field) for record in hold.records)
            for side in Side:
                if isinstance(hold.details, dict) and side.value in hold.details:
                    claims[str(hold.details[side.value])] = "held"
        for name, value in _losers_and_refused(reader, route):
            claims.setdefault(value, name)
    return frozenset(held)


def _losers_and_refused(reader: Any, route: str) -> Iterator[tuple[str, str]]:
    from state.answers import Which
    from state.views import operations

    last = 0
    while page := operations(reader, Which(route=route, states=_STATES), after=last, limit=5_000):
        last = page[-1].id
        for each in page:
            for _name, _expected, desired, _source, _half, lost, *_rule in each.work["fields"].values():
                if lost is not None:
                    yield "loser", str(lost)
                if each.state in ("failed", "ignored") and desired is not None:
                    yield "failed", str(desired)
