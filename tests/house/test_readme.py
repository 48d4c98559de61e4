"""The README is true: its first words are its two commands, its links and named tests exist, its commands run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from renkei.cli.app import run
from tests.support.tree import ROOT

README = (ROOT / "README.md").read_text("utf-8")
JAPANESE = (ROOT / "README.ja.md").read_text("utf-8")


@pytest.mark.parametrize("page", [README, JAPANESE])
def test_it_opens_with_the_two_commands(page: str) -> None:
    """Before anything else a reader sees `make demo` and `make test`, and no third command."""
    block = page.split("```")[1]
    assert [line.split("#")[0].strip() for line in block.strip().splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("page", [README, JAPANESE])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link names a file of this repository."""
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", page) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_tests_that_stand_beside_a_promise_exist() -> None:
    """Each promise names what would notice its breaking, by a path that is there."""
    named = re.findall(r"`(tests/[\w./]+|test_\w+\.py)`", README)
    assert len(named) >= 15
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert [name for name in named if not (ROOT / name).exists() and name not in files] == []


def test_the_commands_of_first_use_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty folder, `init` and `check --offline` leave with 0."""
    block = README.split("## First use")[1].split("```")[1]
    commands = [line.split("#")[0].strip() for line in block.strip().splitlines()]
    assert all(command.startswith(".venv/bin/renkei ") for command in commands)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert run(shlex.split(command)[1:]) == 0, command
