"""docs/cli.md is true: its commands run as written, and no command or option of the program is missing in it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from renkei.cli.app import app, run
from renkei.fakes import Fakes
from tests.support.command import new_place
from tests.support.tree import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("$ renkei "))
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
NAMED = {line.split()[1] for line in PAGE.splitlines() if line.startswith("renkei ")}


def _all(group: TyperGroup) -> list[Any]:
    """Every command, those of groups included."""
    listed = [each for each in group.commands.values() if not isinstance(each, TyperGroup)]
    groups = [each for each in group.commands.values() if isinstance(each, TyperGroup)]
    return [*listed, *(each for one in groups for each in _all(one))]


def test_the_page_names_every_command_and_option() -> None:
    """What the program can do and what the page shows are the same."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert {words[0] for words in COMMANDS} | NAMED == set(group.commands)
    options = {each for command in _all(group) for param in command.params for each in param.opts}
    assert {each for each in options if each.startswith("--") and each not in PAGE} == set()


def test_the_commands_of_the_page_run_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From `plan` to `trace`, in the order of the page and in a project folder, each command leaves with 0."""
    monkeypatch.delenv("LANG", raising=False)
    with Fakes("--persons", "60", "--role", "0", "--seed", "3") as fakes:
        place = new_place(tmp_path / "project", fakes)
        monkeypatch.chdir(place.folder)
        (tmp_path / "empty").mkdir()
        for words in COMMANDS:
            if words[0] == "init":
                monkeypatch.chdir(tmp_path / "empty")
            code = run(words)
            said = capsys.readouterr()
            assert code == 0, f"renkei {shlex.join(words)}: {said.out}{said.err}"
            monkeypatch.chdir(place.folder)


def test_an_option_is_the_same_wherever_it_stands() -> None:
    """Commands share their options: one name has one spelling, one default and one explanation in all of them, and
    those that read or write the systems take the same ones."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    shared = ("env", "project", "json", "lang", "log_json", "verbose", "route")
    for name in (*shared, "of_route", "field", "yes", "reason", "keep_both"):
        found = {
            (tuple(param.opts), str(param.default), getattr(param, "help", ""))
            for command in _all(group)
            for param in command.params
            if param.name == name
        }
        assert len(found) == 1, name
    for name in ("plan", "apply", "sync", "retry"):
        assert {param.name for param in group.commands[name].params} >= set(shared[:6])
