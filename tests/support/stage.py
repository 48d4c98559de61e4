"""Play a scenario: a town, its cast, and one step after the other.

It decides nothing but the order. Everybody who stands in the file at first is entered before the routes write for the
first time, so that what they are by then is no news.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.flow_town import FlowTown
from tests.support.stage_cast import Cast
from tests.support.stage_checks import Checks
from tests.support.stage_moves import Moves
from tests.support.stage_reading import Script


def play(script: Script, folder: Path) -> None:
    """Play a scenario in an empty folder. Raises AssertionError, naming the line of the expectation that fails."""
    with FlowTown(folder, script.mappings, script.rates) as town:
        cast = Cast(town)
        cast.enter(script.start)
        town.begin()
        moves, checks = Moves(town, cast), Checks(town, cast)
        for step in script.steps:
            if step.word == "expect":
                checks.check(step)
            else:
                moves.act(step)
