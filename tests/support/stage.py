"""Play a scenario: a town, its cast, and one step after the other.

It decides nothing but the order. Everybody who stands in the file at first is entered before the routes write for the
first time, so that what they are by then is no news. The same story may be played while the transport to every vendor
fails now and then: what is done by then is the same, except that a notice may be in doubt.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.flow_town import FlowTown
from tests.support.stage_cast import Cast
from tests.support.stage_checks import Checks
from tests.support.stage_judge import judge, stays_quiet
from tests.support.stage_moves import Moves
from tests.support.stage_reading import Script, Step

FAULTS = ("lost_after_commit", "half_answer", "dropped_before", "server_error", "rate_limited")
KNOWN_TO_THE_JOURNAL = ("notices", "inbox", "uncertain", "failed", "skipped")


@contextmanager
def raised(script: Script, folder: Path) -> Iterator[tuple[FlowTown, Moves, Checks]]:
    """The curtain is up: the cast has been entered, and the first sync is over."""
    with FlowTown(folder, script.mappings, script.rates) as town:
        cast = Cast(town)
        cast.enter(script.start)
        town.begin()
        yield town, Moves(town, cast), Checks(town, cast)


def play(script: Script, folder: Path) -> None:
    """Play a scenario in an empty folder. Raises AssertionError, naming the line of the expectation that fails."""
    with raised(script, folder) as (_town, moves, checks):
        for step in script.steps:
            if step.word == "expect":
                checks.check(step)
            else:
                moves.act(step)


def live(script: Script, folder: Path) -> None:
    """Play a scenario, and judge its end by the vendors' own ledgers: nobody twice, no opt-out undone, both sides alike
    but for what the story names, and nothing written any more."""
    with raised(script, folder) as (town, moves, checks):
        for step in script.steps:
            if step.word == "expect":
                checks.check(step)
            else:
                moves.act(step)
        end(script, town)


def end(script: Script, town: FlowTown) -> None:
    """What must be true at the end of every life. Raises AssertionError, naming the file."""
    *_, last = script.steps
    answered = any(step.word == "answer" and step.given["with"] == "new" for step in script.steps)
    try:
        judge(town, answered=answered, differs="different" in last.given)
        stays_quiet(town)
    except AssertionError as error:
        raise AssertionError(f"{last.file}:{last.line}: at the end\n  {error}") from error


def play_under_faults(script: Script, folder: Path, share: float) -> int:
    """The same while each of the transport's faults strikes with this share, and each sync is run to its end; gives
    how many faults struck."""
    with raised(script, folder) as (town, moves, checks):
        for name, faults in town.faults.items():
            faults._rng = random.Random(f"{script.path.stem} {name}")
            faults.use(dict.fromkeys(FAULTS, share))
        for step in script.steps:
            if step.word == "expect":
                check_but_for_notices(checks, step)
            elif step.word == "sync":
                town.rest()
            else:
                moves.act(step)
        return sum(sum(faults.fired.values()) for faults in town.faults.values())


def check_but_for_notices(checks: Checks, step: Step) -> None:
    """Everything else is there, once; a notice is there, or known to be in doubt, and never there twice."""
    kept = {word: each for word, each in step.given.items() if word not in KNOWN_TO_THE_JOURNAL}
    checks.check(replace(step, given=kept))
    expected, told = checks.notices(step.given.get("notices", {}))
    _none, doubtful = checks.uncertain({})
    assert isinstance(expected, dict)
    assert isinstance(told, dict)
    assert isinstance(doubtful, dict)
    if "notices" in step.given:
        assert all(number <= expected.get(name, 0) for name, number in told.items()), (step.place, told)
        assert sum(expected.values()) <= sum(told.values()) + doubtful.get("Notice", 0), (step.place, told)
    assert doubtful.keys() <= {"Notice"}, (step.place, doubtful)
