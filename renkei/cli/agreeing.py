"""How a person agrees to something before it begins: at a terminal, or by `--yes`."""

from __future__ import annotations

import sys

import typer

from renkei.cli.codes import LEFT
from renkei.cli.options import Session
from renkei.cli.screen import leave
from sync.errors import Fatal


def agreed(here: Session, question: str, *, asked: bool) -> None:
    """Have a person agree to a question (its key among our words), unless nothing is asked. Raises Fatal where nobody
    can be asked."""
    if not asked:
        return
    if here.as_json or not sys.stdin.isatty():
        raise Fatal("Nobody can be asked whether to begin.", "look at --dry-run, then give --yes")
    if not typer.confirm(here.words(question)):
        leave(LEFT)
