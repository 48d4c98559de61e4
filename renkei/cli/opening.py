"""What every command that reads or writes the systems begins with.

It decides the order: the options become a session, the project is opened as its owner, and all its systems sign in
before any of them is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from renkei.cli.options import Session, session
from renkei.cli.screen import stopping

if TYPE_CHECKING:
    from renkei.progress import Teller
    from renkei.wire import Wired


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A project that is being worked on, and whoever shows progress."""

    here: Session
    wired: Wired
    teller: Teller


@contextmanager
def at_work(
    trigger: str,
    project: Path,
    env: str | None,
    lang: str | None,
    *,
    json: bool,
    log_json: bool,
    verbose: bool,
    route: str = "",
) -> Iterator[Desk]:
    """Open a project for the command named `trigger`; closed when left. Raises Fatal, Retryable, MappingError."""
    from renkei.asking import sign_in
    from renkei.daemon.beside import refuse_beside
    from renkei.progress import teller
    from renkei.wire import build

    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    refuse_beside(here.project, trigger)

    def told() -> None:
        stopping(here.words, log_json=log_json)

    with (
        teller(here.words, silent=json) as shower,
        build(here.project, route=route, progress=shower, log=here.log(), stopping=told) as wired,
    ):
        sign_in(wired, trigger)
        yield Desk(here=here, wired=wired, teller=shower)
