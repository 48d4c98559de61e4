"""A backfill from its wish to its result: by this process alone, with everything that is due having its turn first.

It decides whom a wish means, whether a route may be read again, and what a command shows of it in the end. The steps
are `backfill`'s.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from renkei import canary as canaries
from renkei.backfill import STOPPED, Backfill, Stand, Wish, as_figures, begin
from renkei.daemon.memory import give_back
from renkei.drain import PATIENCE, TRIES, Total, drain, wait_until
from renkei.progress import Teller
from renkei.settings import Project
from renkei.syncing import Result, as_data, look_around
from renkei.wire import Wired, look, scopes
from sync.brakes import standing_brake
from sync.cycle import Bounds, run_cycle
from sync.errors import Fatal, Retryable
from sync.read import World
from sync.rows import BACKFILL, LANE_BACKFILL
from sync.rules import Condition, Rules

TURN = 5.0  # seconds after which everything else has its turn


def condition_of(project: Project, route: str, text: str) -> Condition | None:
    """The condition of `--where`, over the fields of the route's file. Raises MappingError, Fatal."""
    from mappings.load import load
    from mappings.where import condition

    if not text:
        return None
    sources = load([project.mappings]).sources
    source = next((each for each in sources if each.rules and each.rules.route == route), None)
    if source is None:
        raise Fatal(f"The file of the route {route} cannot be used.", "`renkei check` shows its findings")
    return condition(source, text).test


def require_let_go(project: Project, rules: Rules) -> None:
    """Raises Fatal for a route whose first plan nobody has let go."""
    from state.views import status

    with look(project) as reader:
        (found,) = status(reader, scopes((rules,)), since=0.0)
    if not (found.first_applied or rules.shadow or rules.relays):
        raise Fatal(
            f"The route {rules.route} was never let go, so there is nothing to read again.",
            f"`renkei sync --first {rules.route}` reads and delivers everything, a canary first",
        )


def unfinished(project: Project, route: str) -> Stand | None:
    """The backfill of a route that has begun and not ended, looked at from beside."""
    from state.service import notes

    with look(project) as reader:
        row = notes(reader, BACKFILL).get(route)
    return msgspec.json.decode(row.value, type=Stand) if row is not None else None


def refuse_another(held: Stand | None, wish: Wish, route: str) -> None:
    """Raises Fatal where a backfill with other wishes is unfinished."""
    plain = msgspec.structs.replace(wish, canary=100)
    if held is None or plain == Wish() or plain == msgspec.structs.replace(held.wish, canary=100):
        return
    raise Fatal(
        f"A backfill of {route} with other options is unfinished.",
        f"`renkei backfill {route}` goes on with it, `renkei backfill {route} --stop` ends it",
    )


def alone(wired: Wired, world: World, wish: Wish, teller: Teller) -> Stand:
    """Run a backfill to its end, or until a brake stops it: nobody can answer that while the journal is ours. Raises
    Fatal; Retryable where a system stays away."""
    keep, tries = wired.store.renew, 0
    _turn(world)
    stand = begin(world, wish)
    test = condition_of(wired.project, world.lens.rules.route, stand.wish.where)
    work = Backfill(wired.project, world, stand, test, keep)
    shown = Shown(teller)
    turned = time.monotonic()
    while not stand.over:
        shown.tell(stand)
        try:
            if time.monotonic() - turned > TURN:
                _turn(world)  # cut off in the middle of reading it is made up for before anybody else is sent
                turned = time.monotonic()
            stand, tries = work.step(), 0
            if stand.braked:
                _turn(world)  # what was only read so far is judged, and stands in the inbox
                return stand
        except Retryable as error:
            tries += 1
            if error.after > PATIENCE or tries >= TRIES:
                raise
            wait_until(world, world.clock.now() + max(error.after, 2.0**tries), keep)
        wait_until(world, work.rest, keep)
    drain(world, Bounds(trigger="sync"), keep=keep)  # what asked to be read by id meanwhile
    return stand


def _turn(world: World) -> None:
    """A cycle of everything that is due: what people have just done does not wait for a backfill. What came back of its
    own writes is read in small parts so, and the memory of each part is given back."""
    run_cycle(world, Bounds(trigger="sync"))
    give_back()


class Shown:
    """Announces how much there is, once for each kind of step."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._told: set[str] = set()

    def tell(self, stand: Stand) -> None:
        """Give bars their ends, as soon as these are known."""
        for verb, totals, done in (("read", stand.of, stand.read), ("write", stand.planned, stand.sent)):
            for system, total in totals.items():
                what = f"{verb} {system}"
                if what not in self._told:
                    self._told.add(what)
                    self._teller.expect(what, max(0, total - done.get(system, 0)))


class Watched:
    """Shows what a backfill of another process has done since it was looked at last."""

    def __init__(self, project: Project, route: str, teller: Teller) -> None:
        self._project, self._route, self._teller = project, route, teller
        self._shown = Shown(teller)
        self._last: dict[str, int] = {}

    def look(self) -> str:
        """Look once; the brake that it waits for ("" = none)."""
        stand = unfinished(self._project, self._route)
        if stand is None:
            return ""
        self._shown.tell(stand)
        for verb, done in (("read", stand.read), ("write", stand.sent)):
            for system, number in done.items():
                what = f"{verb} {system}"
                self._teller(what, number - self._last.get(what, 0))
                self._last[what] = number
        return stand.why if stand.braked else ""


def outcome(wired: Wired, world: World, stand: Stand) -> dict[str, Any]:
    """What a backfill came to, as every command shows a route."""
    rules = world.lens.rules
    total = Total(
        read=stand.read, changed=stand.changed, linked=stand.linked, decided=stand.decided,
        conflicts=stand.conflicts, sent=stand.sent, applied=stand.applied, failed=stand.failed,
        in_doubt=stand.in_doubt, moved=stand.moved,
    )  # fmt: skip
    result = Result(route=rules.route, digest=rules.digest, total=total, shadow=rules.shadow, partial=True)
    result.canary = canaries.from_data(stand.canary) if stand.canary else None
    result.seconds = stand.worked
    brake = standing_brake(world) if stand.braked else None
    total.brakes = (brake,) if brake is not None else ()
    look_around(wired, world, result, stand.began, LANE_BACKFILL)
    return as_data(result) | {
        "ok": result.well and stand.phase != STOPPED and not stand.braked,
        "backfill": as_figures(stand),
    }
