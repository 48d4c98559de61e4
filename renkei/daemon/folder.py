"""The mapping folder, watched while the service runs: a change is read whole, checked, and taken or refused.

It decides when a change is finished being written and whether what stands there can be used. It never gives out
anything but the rules of a whole, checked folder; what is at work meanwhile is not its affair.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from renkei.settings import Project
from sync.errors import RenkeiError
from sync.rules import Rules

_SHOWN = 3


class _Look(NamedTuple):
    """What the file system says of each file: enough to see that something was written."""

    files: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a folder cannot be used: each finding with its file, line and column."""

    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The first findings, and how many more there are."""
        more = f" (+{len(self.lines) - _SHOWN})" if len(self.lines) > _SHOWN else ""
        return " · ".join(self.lines[:_SHOWN]) + more


class Folder:
    """Asked once a second or so; a change counts when it looked the same twice."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen = self._waiting = self._look()
        self._content = self._digest()

    def changed(self) -> tuple[Rules, ...] | Refused | None:
        """None = nothing new; else the rules of the whole folder, or why they cannot be used."""
        now = self._look()
        if now == self._seen:
            return None
        if now != self._waiting:
            self._waiting = now  # somebody may still be writing
            return None
        content = self._digest()
        found = read_folder(self._project) if content != self._content else None
        if self._look() != now:
            return None  # written while it was read
        self._seen, self._content = now, content
        return found

    def _look(self) -> _Look:
        found = []
        for path in self._files():
            try:
                known = path.stat()
            except OSError:
                continue
            found.append((path.name, known.st_mtime_ns, known.st_size))
        return _Look(tuple(found))

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for path in self._files():
            try:
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
            except OSError:
                continue
        return digest.hexdigest()

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._project.mappings.iterdir() if not path.name.startswith("."))
        except OSError:
            return []


def read_folder(project: Project) -> tuple[Rules, ...] | Refused:
    """Load and check all files: alone, together, and their own examples. No system is asked."""
    from mappings.check import check
    from mappings.errors import errors
    from mappings.load import load
    from renkei.wire import fitting

    loaded = load([project.mappings])
    wrong = errors(tuple(check(loaded.sources)) or loaded.problems) or errors(loaded.problems)
    if wrong:
        lines = [f"{each.file}:{each.line}:{each.column}: {each.code} {each.message}" for each in wrong]
        return Refused(lines=tuple(dict.fromkeys(lines)))
    try:
        return fitting(project, loaded.rules)
    except RenkeiError as error:
        return Refused(lines=(str(error),))
