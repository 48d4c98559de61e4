"""Trying again and giving up what was refused: the words said, alone or to the running service.

It decides to whom a word goes and what counts as «still refused» afterwards. What the words do is the engine's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from renkei.saying import post_word, say_to
from renkei.settings import Project
from renkei.wire import look
from sync.errors import Fatal
from sync.retrying import OF_A_TWIN
from sync.rows import FAILED, IGNORED, REFUSED, UNCERTAIN
from sync.rules import ActionKind
from sync.said import Discard, Retry

if TYPE_CHECKING:
    from renkei.failures import Failure
    from renkei.progress import Teller
    from renkei.syncing import Result
    from renkei.wire import Wired

Parts = Mapping[str, tuple[int, ...]]


def is_kept(each: Failure) -> bool:
    """True for what is never given up: an opt-out."""
    return each.row.action == ActionKind.OPT_OUT


def is_in_doubt(each: Failure) -> bool:
    """True for what may have happened: nobody can say whether to send it once more but who has looked."""
    return each.row.state == UNCERTAIN


def alone(wired: Wired, parts: Parts, teller: Teller) -> list[Result]:
    """Say it and do it, as the owner of the journal. Raises Fatal."""
    from renkei.syncing import sync_route

    done: list[Result] = []
    for route, ids in parts.items():
        number = post_word(wired.project, route, Retry(operations=ids))
        done.append(sync_route(wired, wired.worlds[route], teller))
        _heard(wired.project, number)
    return done


def beside(project: Project, parts: Parts) -> list[Result]:
    """Have the running service do it, and wait until it has brought the routes up to date. Raises Fatal, Retryable."""
    from renkei.daemon.beside import as_result, sync_beside

    done: list[Result] = []
    for route, ids in parts.items():
        number = post_word(project, route, Retry(operations=ids))
        (data,) = sync_beside(project, route)
        _heard(project, number)
        done.append(as_result(data))
    return done


def _heard(project: Project, number: int) -> None:
    """Raises Fatal where the word was refused: somebody, or the next try, was faster."""
    from state.service import command as ask

    with look(project) as reader:
        row = ask(reader, number)
    if row is not None and row.state == REFUSED:
        if msgspec.json.decode(row.body, type=dict[str, object]).get("why") == OF_A_TWIN:
            step = "give it up with `renkei errors discard`, or type it where the person is kept"
            raise Fatal(f"Nothing was tried: {OF_A_TWIN}.", step)
        raise Fatal("Nothing was tried: none of it is refused any more.", "look with `renkei errors list`")


def still_refused(project: Project, parts: Parts) -> int:
    """How many of these operations are."""
    from state.waiting import operations_by_number

    with look(project) as reader:
        rows = operations_by_number(reader, [number for ids in parts.values() for number in ids])
    return sum(row.state in (FAILED, IGNORED, UNCERTAIN) for row in rows)


def give_up(project: Project, parts: Parts, reason: str, *, keep_both: bool) -> bool:
    """Give operations up; True once all of it is done, False while the service has yet to. Raises Fatal."""
    said = [
        say_to(project, route, Discard(operations=ids, reason=reason, keep_both=keep_both))
        for route, ids in parts.items()
    ]
    return all(said)
