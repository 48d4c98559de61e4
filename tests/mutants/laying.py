"""A mutant on paper and in a folder: what its patch says of itself, and a copy of the packages with it laid in.

Every bug is a unified diff against production code, so that one that no longer fits says so at once. The copy is what
a run imports; the checkout is never touched. Knows nothing of how a mutant is found.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COPIED = (
    "matching", "sync", "revenue", "connectors", "mappings", "state", "renkei", "simulators", "tests", "pyproject.toml",
)  # fmt: skip
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
MIXED, MEMORY = "mixed", "memory, forgetful"


class Mutant(NamedTuple):
    """One bug: its name, what it does, and where it is looked for: under a profile of the simulation (`mixed`: all of
    them in turn) or, where no schedule gets there, by a test; `store` says on which journal."""

    name: str
    what: str
    profile: str
    store: str
    test: str

    @property
    def patch(self) -> Path:
        """The diff."""
        return HERE / f"{self.name}.patch"


class Stale(Exception):
    """A patch that does not fit the code any more."""


def mutants(names: tuple[str, ...] = ()) -> list[Mutant]:
    """All mutants by name, or those named; KeyError for a name that there is not."""
    found = {path.stem: _read(path) for path in sorted(HERE.glob("*.patch"))}
    return [found[name] for name in names] if names else list(found.values())


def _read(path: Path) -> Mutant:
    """The words before the diff: `# what:`, and where it is to be found `# profile:`, `# store:`, `# test:`."""
    said: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            break
        word, _, rest = line[2:].partition(": ")
        said[word] = rest.strip()
    profile = "" if "test" in said else said.get("profile", MIXED)
    return Mutant(path.stem, said.get("what", ""), profile, said.get("store", MEMORY), said.get("test", ""))


def lay_out(folder: Path) -> None:
    """Copy everything that a run imports."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=LEFT_OUT)
        else:
            shutil.copy(source, folder / name)


def lay_in(mutant: Mutant, folder: Path, *, reverse: bool = False) -> None:
    """Put a bug into a copy, or take it out again; Stale where it does not fit."""
    words = ["git", "apply", "-C1", *(["--reverse"] if reverse else []), str(mutant.patch)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stale(f"{mutant.patch.name} does not fit the code any more: {done.stderr.strip()}")


def is_mutated(folder: Path, mutant: Mutant) -> bool:
    """Whether a copy differs from the checkout in a file that the patch names (`git apply` passes over a folder
    inside another repository in silence)."""
    lines = mutant.patch.read_text(encoding="utf-8").splitlines()
    names = [line[6:].strip() for line in lines if line.startswith("+++ b/")]
    return bool(names) and all((folder / name).read_bytes() != (ROOT / name).read_bytes() for name in names)
