"""A person's word to a route, from the command line into the journal, and what became of it.

Beside a running service the word is left in the journal and the service does it; where none runs, it is done here, as
the journal's owner. It decides how long an answer is waited for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import structs

from renkei.settings import Project
from renkei.speaker import speaker
from renkei.wire import build, look
from sync.errors import Fatal
from sync.normalise import encode
from sync.read import World
from sync.rows import DONE, REFUSED, CommandRow, Patch
from sync.said import APPROVE, EVERYTHING, Answer, Approve, Discard, Retry, Undo, command

PATIENCE = 15.0
_POLL = 0.2


class Heard(NamedTuple):
    """Whether it is done, or the service has yet to do it; `result`: operation numbers by what became of the plan that
    it named."""

    done: bool
    result: Mapping[str, list[int]]


def post_word(project: Project, route: str, word: Answer | Approve | Discard | Retry | Undo) -> int:
    """Put a word into the journal with the name of whoever says it, unless it has one; its number. Raises Fatal."""
    from state.post import post_command

    signed = word if word.who else structs.replace(word, who=speaker())
    return post_command(project.state, command(time.time(), route, signed))


def keep_word(world: World, what: str, **about: object) -> None:
    """Keep who has let work go by a command that does it at once: as a word that is done. `about`: the `runs` that have
    planned it, or a `result` with the operations that were ready."""
    rules, patch = world.lens.rules, Patch()
    body = encode({"who": speaker(), "what": what, "action": EVERYTHING, **about})
    patch.put(CommandRow(world.numbers(), world.clock.now(), APPROVE, rules.route, DONE, body))
    world.store.commit(patch)


def say_to(project: Project, route: str, word: Answer | Approve | Discard) -> bool:
    """Say it; True once it is done, False while the service has yet to do it. Raises Fatal where it is refused."""
    return say_and_hear(project, route, word).done


def say_and_hear(project: Project, route: str, word: Answer | Approve | Discard) -> Heard:
    """Say it, and what came of it. Raises Fatal where it is refused."""
    from renkei.daemon.beside import post, service_of
    from renkei.daemon.notes import SYNC_NOW
    from sync.commands import apply_commands

    number = post_word(project, route, word)
    if service_of(project) is None:
        with build(project, route=route) as wired:
            apply_commands(wired.worlds[route])
        return _heard(project, number)
    post(project, SYNC_NOW, route)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and service_of(project) is not None:
        heard = _heard(project, number)
        if heard.done:
            return heard
        time.sleep(_POLL)
    return Heard(done=False, result={})


def _heard(project: Project, number: int) -> Heard:
    from state.service import command as ask

    with look(project) as reader:
        row = ask(reader, number)
    if row is not None and row.state == REFUSED:
        raise Fatal(f"It was not done: {_why(row)}.", "look again with `renkei inbox`")
    if row is None or row.state != DONE:
        return Heard(done=False, result={})
    return Heard(done=True, result=json.loads(row.body).get("result", {}))


def _why(row: CommandRow) -> str:
    return str(json.loads(row.body).get("why", ""))
