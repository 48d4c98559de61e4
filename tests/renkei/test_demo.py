"""The demo is a test that can fail: it passes here, and a copy of the source with one seeded bug does not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.command import clean_environment
from tests.support.tree import PRODUCTION, ROOT

SMALL = ("--persons", "300", "--seconds", "2", "--seed", "4")
LAST = re.compile(r"converged: (\d+)/(\d+) persons, 0 duplicates, 0 lost edits")

# Each change: the file, what stands there, what is put instead.
BLIND_CREATES = (
    # an answer that got lost is taken for «not executed», and the batch leaves again at once …
    (
        "sync/send.py",
        "except InDoubt:\n                self.done.in_doubt += len(flight.jobs)",
        "except InDoubt:\n                self._not_executed(flight)",
    ),
    # … without a look whether the person has come into being meanwhile …
    ("sync/verify.py", "creates = _may_be_there(world, side, jobs)", "creates: list[Job] = []"),
    # … and the vendor is not asked to refuse what is there already
    ("connectors/marketo/write.py", '_Way("createOnly", "email")', '_Way("createDuplicate", "email")'),
)
# More and smaller batches and more lost answers, so that a create is hit for certain.
MORE_CHANCES = (
    ("connectors/marketo/connector.py", "write_batch=BATCH", "write_batch=5"),
    ("renkei/demo.py", '"lost_after_commit": 0.1', '"lost_after_commit": 0.25'),
)


def _demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "renkei", "demo", *SMALL]
    return subprocess.run(
        command, cwd=folder, env=clean_environment() | {"PYTHONPATH": str(folder)}, capture_output=True,
        text=True, timeout=110, check=False,
    )  # fmt: skip


def _copy(folder: Path, *changes: tuple[str, str, str]) -> Path:
    for name in (*PRODUCTION, "simulators"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in changes:
        text = (folder / name).read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        (folder / name).write_text(text.replace(old, new), "utf-8")
    return folder


def test_a_small_demo_converges() -> None:
    """With answers lost at first and faults afterwards everybody agrees, and the last line says so."""
    ran = _demo(ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = LAST.fullmatch(ran.stdout.splitlines()[-1])
    assert said is not None
    assert said[1] == said[2] == "300"
    assert ran.stderr == ""


def test_a_demo_of_a_broken_engine_fails(tmp_path: Path) -> None:
    """Creates that are sent again without a look make doubles: the demo names them and leaves with 1."""
    ran = _demo(_copy(tmp_path, *MORE_CHANCES, *BLIND_CREATES))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("NOT converged")
    assert "OFFENCE  duplicate" in ran.stdout
    assert " 0 duplicates" not in ran.stdout.splitlines()[-1]
