"""What an exit code says; the table stands in docs/cli.md.

It decides the code of a result and of an error, for every command.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from renkei.telling import is_outage

if TYPE_CHECKING:
    from renkei.syncing import Result

DONE = 0
LEFT = 1  # something failed, waits, was braked or could not be finished
WRONG = 2  # refused or misconfigured: a person mends it first
AWAY = 3  # a system cannot be reached or used at present: the same command later may do


def code_of(error: BaseException) -> int:
    """The code of a command that ended with an error of ours."""
    return AWAY if is_outage(error) else WRONG


def worst(errors: Iterable[BaseException]) -> int:
    """One code for several systems: what a person has to mend goes before what passes by itself."""
    return min((code_of(error) for error in errors), default=DONE)


def code_of_results(results: Iterable[Result]) -> int:
    """The code of routes that were worked on: not let go, stopped by an outage, something left, or all well."""
    listed = list(results)
    if any(each.first_needed for each in listed):
        return WRONG
    if any(each.total.gave_up is not None or each.total.stopped for each in listed):
        return AWAY
    return DONE if all(each.well for each in listed) else LEFT
