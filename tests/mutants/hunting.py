"""Looks for mutants: each in a copy of its own and a process of its own, as many at once as there are processors.

A mutant is killed by the first schedule that turns red, or by the test that its patch names. What was killed and when
is kept in `killed.toml`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.mutants.laying import HERE, Mutant, Stale, is_mutated, lay_in, lay_out, mutants

KILLED = HERE / "killed.toml"
PATIENCE = 3_600.0  # seconds for one mutant
FAILED = 1  # how pytest ends when a test failed


class Kill(NamedTuple):
    """What became of a mutant: at which schedule it was killed (0 = it was not; by a test: 1), and by what."""

    mutant: Mutant
    at: int
    profile: str
    by: str


def hunt(mutant: Mutant, count: int) -> Kill:
    """Look for one mutant with at most `count` schedules. Raises Stale where it does not fit any more."""
    with tempfile.TemporaryDirectory(prefix="renkei-mutant-") as name:
        folder = Path(name)
        lay_out(folder)
        lay_in(mutant, folder)
        assert is_mutated(folder, mutant), f"{mutant.patch.name} changed nothing"
        return _by_test(mutant, folder) if mutant.test else _by_schedules(mutant, folder, count)


def hunt_all(wanted: Iterable[Mutant], count: int, jobs: int, tell: Callable[[Kill], object]) -> list[Kill]:
    """Look for all of these, `jobs` at a time; each is told as soon as it is known."""

    def one(mutant: Mutant) -> Kill:
        try:
            kill = hunt(mutant, count)
        except Stale as error:
            kill = Kill(mutant, 0, mutant.profile, str(error).splitlines()[0])
        tell(kill)
        return kill

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, wanted))


def _by_schedules(mutant: Mutant, folder: Path, count: int) -> Kill:
    done = run_there(folder, "tests.mutants.hunter", mutant.profile, str(count))
    if done.returncode:
        raise RuntimeError(f"{mutant.name}: {done.stderr[-2_000:]}")
    found = json.loads(done.stdout)
    if not found:
        return Kill(mutant, 0, mutant.profile, "")
    return Kill(mutant, found["at"], found["profile"], found["by"][:100])


def _by_test(mutant: Mutant, folder: Path) -> Kill:
    done = run_there(folder, "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.test)
    if done.returncode not in {0, FAILED}:
        raise RuntimeError(f"{mutant.name}: {mutant.test} could not be run: {done.stdout[-2_000:]}")
    return Kill(mutant, int(done.returncode == FAILED), "", mutant.test)


def run_there(folder: Path, module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module with a copy first on the path."""
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


def told() -> dict[str, int]:
    """At which schedule each mutant was killed when all of them were last looked for."""
    kept: dict[str, dict[str, int]] = (
        tomllib.loads(KILLED.read_text(encoding="utf-8")) if KILLED.exists() else {}
    )
    return {name: row["at"] for name, row in kept.items()}


def earliest(count: int) -> list[str]:
    """The mutants that were killed first, of those that schedules are to kill."""
    by_schedules = {mutant.name for mutant in mutants() if not mutant.test}
    kept = sorted((at, name) for name, at in told().items() if at and name in by_schedules)
    return [name for _at, name in kept[:count]]


def record(kills: Iterable[Kill]) -> None:
    """Keep what was found, beside what stands there of other mutants."""
    kept = tomllib.loads(KILLED.read_text(encoding="utf-8")) if KILLED.exists() else {}
    for kill in kills:
        kept[kill.mutant.name] = {
            "at": kill.at,
            "profile": kill.profile,
            "store": kill.mutant.store,
            "by": kill.by,
        }
    lines = [
        "# Written by `python -m tests.mutants --record`: at which schedule each mutant was killed (0 = it lives)."
    ]
    for name in sorted({mutant.name for mutant in mutants()} & kept.keys()):
        row = kept[name]
        lines += ["", f"[{name}]", f"at = {row['at']}"]
        lines += [
            f"{word} = {json.dumps(row[word], ensure_ascii=False)}" for word in ("profile", "store", "by")
        ]
    KILLED.write_text("\n".join(lines) + "\n", encoding="utf-8")
