"""The command that shows it all: demo."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from renkei.cli.options import HERE, AsJson, Lang, session
from renkei.cli.screen import as_json, leave, say


def add_to(app: typer.Typer) -> None:
    """Enter this command."""
    app.command()(demo)


def demo(
    persons: Annotated[int, typer.Option(help="people in the made world", min=10)] = 2_000,
    seconds: Annotated[float, typer.Option(help="how long people edit", min=0.0)] = 20.0,
    seed: Annotated[int, typer.Option(help="the same seed makes the same world")] = 1,
    keep: Annotated[
        bool, typer.Option("--keep", help="leave everything running and say how to look")
    ] = False,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Try renkei on two fake vendors on this machine. The last line says how it ended; exit code 1 if not well."""
    from renkei.demo import Demo, Wishes
    from renkei.progress import teller

    here = session(HERE, None, lang, as_json=json)
    wishes = Wishes(persons=persons, seconds=seconds, seed=seed, keep=keep)
    silent = json or not sys.stdout.isatty()
    tell: Callable[[str], None] = (lambda _: None) if json else say
    outcome = Demo(wishes, here.words, tell, lambda: teller(here.words, silent=silent)).run()
    if json:
        agreement = outcome.agreement
        as_json(
            {
                "ok": outcome.well, "converged": outcome.converged, "persons": agreement.persons,
                "pairs": agreement.pairs, "wrong": agreement.wrong, "left": outcome.left, "asked": outcome.asked,
                "accounts": {"pairs": outcome.firms.pairs, "wrong": outcome.firms.wrong},
                "notices": {"told": outcome.notices.told, "twice": outcome.notices.twice},
                "verdict": outcome.verdict, "flows": outcome.flows, "last_line": outcome.last_line,
            }
        )  # fmt: skip
    else:
        say(outcome.last_line)
    leave(0 if outcome.well else 1)
