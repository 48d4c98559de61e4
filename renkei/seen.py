"""What a brake stops, as somebody has seen it: a list of operations under a name, kept as a small file.

Whoever looks at a brake gets the name of the plan that stands there then; to approve or to discard by that name means
that plan and no later one. The file holds numbers and hashes, no values. It decides how long names are kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from renkei.settings import Project
from sync.approving import plan_name
from sync.errors import Fatal
from sync.guard import EVERYTHING
from sync.lifting import mark_of
from sync.rows import HoldRow
from sync.rules import ActionKind
from sync.said import Seen

if TYPE_CHECKING:
    from state.reader import Reader

KEPT = 50
_PATTERN = "p????????????.json"


class SeenPlan(msgspec.Struct, frozen=True):
    """The plan behind a brake: whose, what kind of action (or all), and its operations. `opt_outs`: those that stand
    among them, which are let go and never discarded. `brake`: the mark of a brake on everything."""

    name: str
    route: str
    action: str
    operations: tuple[Seen, ...]
    opt_outs: tuple[Seen, ...] = ()
    brake: str = ""

    @property
    def all(self) -> tuple[Seen, ...]:
        """Everything that it lists."""
        return (*self.operations, *self.opt_outs)


def plan_behind(reader: Reader, brake: HoldRow) -> SeenPlan:
    """What a brake stops now."""
    from state.waiting import stopped

    action = brake.field.rpartition("/")[2]
    found = stopped(reader, brake.route, "" if action == EVERYTHING else action)
    out = tuple(Seen(id_, content) for id_, kind, content in found if kind == ActionKind.OPT_OUT)
    rest = tuple(Seen(id_, content) for id_, kind, content in found if kind != ActionKind.OPT_OUT)
    mark = mark_of(brake) if action == EVERYTHING else ""
    return SeenPlan(plan_name((*rest, *out), mark), brake.route, action, rest, out, mark)


def keep_plan(project: Project, plan: SeenPlan) -> str:
    """Keep a plan under its name, for its owner only, and forget the oldest ones; its name. A folder that may not be
    written to is no reason to show nothing: then only the present plan can be named."""
    if plan.all:
        folder = _folder(project)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(folder / f"{plan.name}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(plan))
            for old in _oldest(folder.glob(_PATTERN)):
                old.unlink(missing_ok=True)
        except OSError:
            pass
    return plan.name


def _oldest(files: Iterable[Path]) -> list[Path]:
    return sorted(files, key=lambda file: -file.stat().st_mtime)[KEPT:]


def is_plan_name(text: str) -> bool:
    """True for what may be a plan's name rather than a number of the inbox."""
    return len(text) == 13 and text[0] == "p" and all(each in "0123456789abcdef" for each in text[1:])


def find_plan(project: Project, name: str) -> SeenPlan:
    """The plan of this name. Raises Fatal."""
    try:
        return msgspec.json.decode((_folder(project) / f"{name}.json").read_bytes(), type=SeenPlan)
    except (OSError, msgspec.DecodeError):
        raise Fatal(
            f"No plan called {name} has been seen here.",
            "`renkei inbox NUMBER` of a brake names the plan behind it",
        ) from None


def _folder(project: Project) -> Path:
    return project.private / "seen"
