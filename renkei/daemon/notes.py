"""What the service keeps of itself in the journal: who it is, which routes stand still and why, which alarms are out.

It decides under which names this is kept and that a note is written only when it changed. Commands beside the service
read the same notes. What they mean is decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sync.ports import Store
from sync.rows import CommandRow, CursorRow, Patch

if TYPE_CHECKING:
    from state.reader import Reader

KIND = "service"
PROCESS, ROUTES, MAPPING, ALARMS, ROUTE = "process", "routes", "mapping", "alarms", "route/"
QUOTA, SHADOW, COMPARED = "quota", "shadow", "compared/"
PAUSE, RESUME, SYNC_NOW = "pause", "resume", "sync-now"
NEW, TAKEN, DONE, DROPPED = "new", "taken", "done", "dropped"


class Notes:
    """The owner's side: notes as data by name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, str] = {}

    def read(self, name: str) -> Any:
        """A note as it stands, {} = none."""
        rows = self._store.get(CursorRow, [("", KIND, name)])
        self._held[name] = rows[0].value if rows else ""
        return json.loads(rows[0].value) if rows else {}

    def write(self, name: str, data: Mapping[str, Any], at: float) -> bool:
        """Keep a note, {} = none; True if it was another one. Raises Fatal."""
        text = json.dumps(data, ensure_ascii=False, sort_keys=True) if data else ""
        if self._held.get(name) == text:
            return False
        patch = Patch()
        row = CursorRow("", KIND, name, text, 1, 0, at)
        if text:
            patch.put(row)
        else:
            patch.drop(row)
        self._store.commit(patch)
        self._held[name] = text
        return True


def read_notes(reader: Reader) -> dict[str, Any]:
    """All notes by name, from beside the owner."""
    from state.service import notes

    return {name: json.loads(row.value) for name, row in notes(reader, KIND).items() if row.value}


class Pause(NamedTuple):
    """Since when a route is paused (unix seconds), why, and who said so."""

    since: float
    reason: str
    who: str = ""


def paused(words: Iterable[CommandRow], routes: Iterable[str]) -> dict[str, Pause]:
    """Which of these routes a person paused: the last word about a route, or about all, stands."""
    found: dict[str, Pause] = {}
    names = list(routes)
    for row in sorted(words, key=lambda row: row.id):
        for name in [row.route] if row.route else names:
            if row.kind == PAUSE:
                found[name] = Pause(row.at, *(str(body_of(row).get(each, "")) for each in ("reason", "who")))
            elif row.kind == RESUME:
                found.pop(name, None)
    return {name: found[name] for name in names if name in found}


def read_paused(reader: Reader, routes: Iterable[str]) -> dict[str, Pause]:
    """The same, asked of the journal."""
    from state.service import commands

    return paused(commands(reader, (PAUSE, RESUME)), routes)


def body_of(row: CommandRow) -> dict[str, Any]:
    """What a command says beside its kind and route."""
    found: dict[str, Any] = json.loads(row.body) if row.body else {}
    return found
