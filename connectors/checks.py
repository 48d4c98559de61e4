"""Small questions that `renkei systems` asks of a system, each with a plain answer.

Decides nothing: a check that fails says what the vendor said and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sync.errors import RenkeiError


class Check(NamedTuple):
    """One question, whether it went well, and what was found or what to do."""

    name: str
    ok: bool
    detail: str


class Advice(NamedTuple):
    """What could be better, in a sentence, and how."""

    what: str
    step: str


class Usage(NamedTuple):
    """Calls used today by everybody, and how many there are (0 = unknown)."""

    used: int
    daily_calls: int


def run_checks(questions: Mapping[str, Callable[[], object]]) -> list[Check]:
    """Ask the questions in turn; a refusal of one does not keep the others from being asked."""
    answers: list[Check] = []
    for name, ask in questions.items():
        try:
            found = ask()
        except RenkeiError as error:
            answers.append(Check(name, ok=False, detail=str(error)))
        else:
            answers.append(Check(name, ok=True, detail=found if isinstance(found, str) else "ok"))
    return answers
