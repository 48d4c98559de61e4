"""Puts the commands together and turns whatever goes wrong into one sentence and an exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

import typer
from typer.main import get_command

from renkei import telling
from renkei.cli import (
    backfill,
    deciding,
    delivery,
    demo,
    errors,
    inbox,
    keeping,
    limits,
    looking,
    planning,
    project,
    reconcile,
    renaming,
    replay,
    retrying,
    service,
    shadow,
    status,
    undo,
)
from renkei.cli.codes import DONE, LEFT, WRONG, code_of
from renkei.cli.screen import problem
from renkei.words import Words, language
from sync.errors import RenkeiError

_INTERRUPTED = 130  # what the option parser makes of a KeyboardInterrupt

app = typer.Typer(
    name="renkei",
    help="Keeps a marketing system and a sales system in step. Exit codes: 0 all well, 1 something is left, "
    "2 refused or misconfigured, 3 a system cannot be reached or used now.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_GROUPS = (
    project, planning, replay, delivery, backfill, reconcile, status, inbox, errors, retrying, looking, deciding,
    limits, undo, shadow, service, keeping, renaming, demo,
)  # fmt: skip
for group in _GROUPS:
    group.add_to(app)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and leave with its exit code."""
    # Rows are freed by counting; looking for cycles among them as often as usual costs an eighth of a long command.
    gc.set_threshold(100_000, 10, 10)
    given = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(given))


def run(given: list[str]) -> int:
    """Run a command and give its exit code; nothing is raised."""
    told = _peek(given)
    try:
        code = get_command(app).main(given, prog_name="renkei", standalone_mode=False)
        if code != _INTERRUPTED:
            return code if isinstance(code, int) else DONE
        return _stopped(told)
    except typer.Exit as error:
        return _stopped(told) if error.exit_code == _INTERRUPTED else int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _stopped(told)
    except RenkeiError as error:
        told(telling.error(told.words, error), error.next_step)
        return code_of(error)
    except typer.TyperException as error:
        where = getattr(getattr(error, "ctx", None), "command_path", "renkei")
        said = error.format_message() if hasattr(error, "format_message") else str(error)
        if said:  # a bare command has shown its help
            told(said, f"{where} --help")
        return WRONG
    except BrokenPipeError:
        sys.stdout = None  # whoever read us is gone; nothing may be flushed at the end
        return LEFT
    except Exception as error:  # noqa: BLE001 - the last line of defence: one sentence instead of a traceback
        what = f"{type(error).__name__}, {_place(error)}"
        told(told.words("own_error", what=what), told.words("own_error_next"))
        return LEFT


class _Told(NamedTuple):
    """How an error reaches the user: language and forms."""

    words: Words
    json: bool
    log_json: bool

    def __call__(self, message: str, step: str) -> None:
        problem(self.words, message, step, json_wanted=self.json, log_json=self.log_json)


def _stopped(told: _Told) -> int:
    told(told.words("interrupted"), told.words("interrupted_next"))
    return LEFT


def _place(error: BaseException) -> str:
    """Where an error arose: file and line of ours, no value."""
    place = "?"
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        place = f"{path.parent.name}/{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _peek(given: list[str]) -> _Told:
    """Language and form, found out before the options are parsed: errors in them want both."""
    asked = next((given[at + 1] for at, word in enumerate(given[:-1]) if word == "--lang"), None)
    asked = asked or next((word.partition("=")[2] for word in given if word.startswith("--lang=")), None)
    return _Told(Words(language(asked, os.environ)), "--json" in given, "--log-json" in given)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as Ctrl-C does: what is on its way is settled, the rest is found again."""
    raise KeyboardInterrupt
