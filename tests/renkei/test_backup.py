"""A copy of the state is whole, can be made beside a working renkei, and an old one put back doubles nothing."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from renkei.agreement import compare
from renkei.fakes import Fakes
from renkei.settings import open_project
from renkei.wire import load_rules
from state.reader import Reader
from sync.normalise import Lens
from tests.support.command import Place, clean_environment, new_place
from tests.support.tree import ROOT


@pytest.fixture(autouse=True)
def _speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def _restore(place: Place, copy: Path) -> None:
    """As docs/operations.md says it."""
    state = open_project(place.folder).state
    for path in state.parent.glob("state.db*"):
        path.unlink()
    shutil.copy(copy, state)
    state.chmod(0o600)


def test_a_copy_is_made_beside_a_working_renkei(tmp_path: Path, capsys: Any) -> None:
    """While a first sync writes, each copy is whole, for its owner only, and can be looked into; the sync ends well."""
    with Fakes("--persons", "400", "--role", "0", "--seed", "4") as fakes:
        place = new_place(tmp_path / "project", fakes)
        process = subprocess.Popen(
            place.command("sync", "--first", "--json"), cwd=ROOT, env=clean_environment(),
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        while process.poll() is None and not any(fakes.ask("status")["writes"].values()):
            pass
        copies: list[Path] = []
        while process.poll() is None:
            copies.append(tmp_path / f"copy{len(copies)}.db")
            said = place.quick(capsys, "backup", str(copies[-1]))
            assert said.code == 0, said.err
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out
    assert copies
    for copy in copies:
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with Reader(copy) as reader, reader.snapshot():
            pass
    assert list(tmp_path.glob("*.part")) == []


def test_an_old_state_that_is_restored_doubles_nothing(tmp_path: Path, capsys: Any) -> None:
    """A copy from before the first delivery, put back after it, finds what was created and carried since: repeated,
    the delivery creates nobody, and both sides mean the same."""
    with Fakes("--persons", "80", "--role", "0", "--seed", "6") as fakes:
        place = new_place(tmp_path / "project", fakes)
        place.quick(capsys, "plan")
        copy = tmp_path / "early.db"
        assert place.quick(capsys, "backup", str(copy)).code == 0
        assert place.quick(capsys, "sync", "--first").code == 0
        place.quick(capsys, "sync")
        _restore(place, copy)
        before = {system: set(records) for system, records in place.live().items()}
        again = place.quick(capsys, "sync", "--first", "--json")
        assert again.code == 0, again.out
        assert {system: set(records) for system, records in place.live().items()} == before
        place.quick(capsys, "sync")
        assert place.quick(capsys, "sync", "--json").data["routes"][0]["sent"] == {}
        (rules,) = load_rules(open_project(place.folder))
        assert compare(Lens(rules), place.live(), frozenset()).wrong == {}
        verdict = fakes.ask("verdict", {"claims": []})
        assert verdict["counts"].get("duplicate", 0) == 0


def test_a_backup_overwrites_nothing_and_leaves_nothing_half(tmp_path: Path, capsys: Any) -> None:
    """A name that exists, a folder that does not and a project without a state end with a sentence, a step and 2."""
    with Fakes("--persons", "10", "--role", "0", "--seed", "6") as fakes:
        place = new_place(tmp_path / "project", fakes)
        target = tmp_path / "copy.db"
        early = place.quick(capsys, "backup", str(target))
        assert (early.code, early.err.splitlines()[0]) == (2, "error  There is no state for demo yet.")
        place.quick(capsys, "plan")
        state = open_project(place.folder).state
        before = state.read_bytes()
        for path in (state, tmp_path / "nowhere" / "copy.db"):
            said = place.quick(capsys, "backup", str(path))
            assert said.code == 2
            assert re.match(r"error  [^\n]+\nnext  \S", said.err)
        assert state.read_bytes() == before
        assert not target.exists()
