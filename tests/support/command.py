"""The command line against the real fake vendors: a project folder, a process of vendors, and calls of `renkei`.

Decides only how things are started; every call is the real program in a process of its own, unless `quick` is used.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from renkei.cli.app import run
from renkei.fakes import Fakes, place_secrets
from renkei.scaffold import write_project
from renkei.settings import open_project
from tests.support.tree import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one call printed and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A project folder beside running fake vendors."""

    folder: Path
    fakes: Fakes
    environment: Mapping[str, str] = field(default_factory=dict)

    def renkei(self, *arguments: str, **environment: str) -> Said:
        """Call the program in a process of its own."""
        ran = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=clean_environment() | environment,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        return Said(code=ran.returncode, out=ran.stdout, err=ran.stderr)

    def command(self, *arguments: str) -> list[str]:
        """The program's command line for this project."""
        return [sys.executable, "-W", "error", "-m", "renkei", *arguments, "--project", str(self.folder)]

    def quick(self, capsys: Any, *arguments: str) -> Said:
        """Call the program within this process: the same code, without a new interpreter."""
        capsys.readouterr()
        code = run([*arguments, "--project", str(self.folder)])
        caught = capsys.readouterr()
        return Said(code=code, out=caught.out, err=caught.err)

    def sync(self, *options: str) -> Said:
        """A sync within this process, for what a test only makes ready; what it prints is kept from the screen."""
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            code = run(["sync", *options, "--project", str(self.folder)])
        return Said(code=code, out=out.getvalue(), err=err.getvalue())

    def begin(self) -> None:
        """The first sync, of everybody at once; it must succeed."""
        ran = self.sync("--first", "--canary", "0")
        assert ran.code == 0, ran.out + ran.err

    def live(self) -> Any:
        """Both vendors' live records by id."""
        return self.fakes.ask("state")

    def edit_mapping(self, old: str, new: str) -> None:
        """Change the mapping file."""
        path = self.folder / "mappings" / "person.yaml"
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} does not stand in the mapping"
        path.write_text(text.replace(old, new), "utf-8")


def clean_environment() -> dict[str, str]:
    """This environment without settings of renkei and without a language."""
    gone = ("RENKEI_", "LANG", "LC_")
    return {name: value for name, value in os.environ.items() if not name.startswith(gone)}


def new_place(folder: Path, fakes: Fakes) -> Place:
    """A project for running fake vendors, with secrets in files."""
    write_project(folder, places=fakes.places)
    place_secrets(open_project(folder).secrets, fakes.places, fakes.systems)
    return Place(folder=folder, fakes=fakes)
