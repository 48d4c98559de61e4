"""Problems of mapping files: where, what, how bad, and what was probably meant.

A problem is data, so that one bad line never hides the next one. Nothing here knows the grammar.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from sync.errors import RenkeiError

_LONGEST = 400  # a quoted word may be as long as the file
Severity: TypeAlias = Literal["error", "warning", "note"]


class At(NamedTuple):
    """A place in a file; lines and columns count from 1, columns in characters."""

    line: int
    column: int


START = At(1, 1)  # where a file begins: the place of what concerns it as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. `code` is stable (docs/mapping.md lists them all); `hint` is what to do next ("" = plain enough)."""

    file: str
    line: int
    column: int
    code: str
    severity: Severity
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """The line that an editor can jump to."""
        tail = f": {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}  {self.severity} {self.code}  {self.message}{tail}"


class MappingError(RenkeiError):
    """A mapping that cannot be used; `problems` holds everything that is wrong with it, in file order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)), "mend the lines named and run `renkei check` again.")
        self.problems = problems


@dataclass(slots=True)
class Sink:
    """Collects the problems of one file while it is read."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def error(self, at: At, code: str, message: str, hint: str = "") -> None:
        """Note something that makes the file unusable."""
        self._add(at, code, "error", message, hint)

    def warning(self, at: At, code: str, message: str, hint: str = "") -> None:
        """Note something that works and is probably not meant."""
        self._add(at, code, "warning", message, hint)

    def note(self, at: At, code: str, message: str, hint: str = "") -> None:
        """Note something that is good to know."""
        self._add(at, code, "note", message, hint)

    def _add(self, at: At, code: str, severity: Severity, message: str, hint: str) -> None:
        self.found.append(
            Problem(
                file=self.file,
                line=at.line,
                column=at.column,
                code=code,
                severity=severity,
                message=message[:_LONGEST],
                hint=hint[:_LONGEST],
            )
        )


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems by file, line and column, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column, p.code)))


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that make a file unusable."""
    return tuple(problem for problem in problems if problem.severity == "error")


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, "" if none is near."""
    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest known word, else a list of the first few."""
    names = list(known)
    near = nearest(word, names)
    if near:
        return f"did you mean «{near}»?"
    if not names:
        return ""
    return "known here: " + ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
