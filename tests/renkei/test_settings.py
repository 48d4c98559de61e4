"""Project folders: what renkei.yaml may say, where secrets come from, and that nothing of them shows."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from renkei.planfile import VERSION, Plan, read_plan, write_plan
from renkei.scaffold import presets, write_project
from renkei.settings import make_state, open_project, with_secrets
from sync.errors import Fatal

GOOD = """\
version: 1
systems:
  left: { connector: one, concurrency: 2 }
  right_hand: { connector: two }
envs:
  sandbox: { left: { rest_url: "http://127.0.0.1:1" }, right_hand: { login_url: "http://127.0.0.1:2" } }
  production: { left: { rest_url: "https://left.example" } }
"""


def _project(folder: Path, text: str = GOOD) -> Path:
    (folder / "renkei.yaml").write_text(text, "utf-8")
    return folder


def test_the_first_environment_is_used_unless_another_is_named(tmp_path: Path) -> None:
    """Settings of a system come from both blocks, the environment's own last."""
    project = open_project(_project(tmp_path))
    assert (project.env, project.envs) == ("sandbox", ("sandbox", "production"))
    assert project.systems["left"].values == {"concurrency": 2, "rest_url": "http://127.0.0.1:1"}
    other = open_project(tmp_path, "production")
    assert other.systems["left"].values["rest_url"] == "https://left.example"
    assert other.state != project.state


def test_state_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    """The environment's folder has mode 0700 and the journal 0600, also where they stood open before."""
    project = open_project(_project(tmp_path))
    project.private.mkdir(parents=True, mode=0o755)
    make_state(project)
    assert stat.S_IMODE(project.private.stat().st_mode) == 0o700
    assert stat.S_IMODE(project.state.stat().st_mode) == 0o600


def test_secrets_come_from_the_environment_then_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable wins over a file, a file over nothing, and digits stay text."""
    project = open_project(_project(tmp_path))
    project.secrets.mkdir(parents=True)
    for name, text in (("left__client_secret", "from file\n"), ("right_hand__client_secret", "0042")):
        (project.secrets / name).write_text(text)
        (project.secrets / name).chmod(0o600)
    monkeypatch.setenv("RENKEI_LEFT__CLIENT_SECRET", "from environment")
    left = with_secrets(project, project.systems["left"])
    right = with_secrets(project, project.systems["right_hand"])
    assert left["client_secret"] == "from environment"
    assert right["client_secret"] == "0042"


def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A file with a group or world bit is no secret any more."""
    project = open_project(_project(tmp_path))
    project.secrets.mkdir(parents=True)
    (project.secrets / "left__client_secret").write_text("x")
    (project.secrets / "left__client_secret").chmod(0o644)
    with pytest.raises(Fatal, match="can be read by others"):
        with_secrets(project, project.systems["left"])


def test_no_representation_shows_settings(tmp_path: Path) -> None:
    """A project printed in a log or a traceback tells names only."""
    project = open_project(_project(tmp_path))
    assert "127.0.0.1" not in repr(project)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version: 1", "version: 2", "version must be 1"),
        ("envs:", "enfs:", "did you mean envs"),
        ("{ connector: two }", "{ }", "names no connector"),
        ("concurrency: 2", "client_secret: x", "RENKEI_LEFT__CLIENT_SECRET"),
        ("right_hand: { connector", "Right-Hand: { connector", "cannot be used"),
        ("{ connector: two }", "{ connector: two", "renkei.yaml:5"),
        ("systems:\n", "systems: 3\nrest:\n", "means nothing"),
        ('right_hand: { login_url: "http://127.0.0.1:2" }', "strange: {}", "envs.sandbox.strange"),
    ],
)
def test_each_mistake_is_named_with_file_and_next_step(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Every way to write renkei.yaml wrongly ends in a sentence that names the file and what to do."""
    assert old in GOOD
    with pytest.raises(Fatal) as caught:
        open_project(_project(tmp_path, GOOD.replace(old, new)))
    assert told in str(caught.value)
    assert "renkei.yaml" in str(caught.value)
    assert caught.value.next_step


def test_unknown_environments_and_missing_files_are_named(tmp_path: Path) -> None:
    """No file and no such environment are different mistakes with different next steps."""
    with pytest.raises(Fatal, match="renkei init"):
        open_project(tmp_path)
    with pytest.raises(Fatal, match="sandbox, production"):
        open_project(_project(tmp_path), "staging")


def test_every_preset_becomes_a_project_and_nothing_is_overwritten(tmp_path: Path) -> None:
    """Each preset gives a folder that opens; a second init in it is refused and changes nothing."""
    assert presets()
    for preset in presets():
        folder = tmp_path / preset
        made = write_project(folder, preset)
        assert open_project(folder).systems
        assert "mappings/thresholds.yaml" in made.files
        assert ".renkei/" in (folder / ".gitignore").read_text("utf-8")
        before = (folder / "renkei.yaml").read_text("utf-8")
        with pytest.raises(Fatal, match="exists already"):
            write_project(folder, preset)
        assert (folder / "renkei.yaml").read_text("utf-8") == before


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """No state can be made where something is in the way, and that is said with a next step."""
    project = open_project(_project(tmp_path))
    (tmp_path / ".renkei").write_text("in the way", "utf-8")
    with pytest.raises(Fatal, match="cannot be written") as refused:
        make_state(project)
    assert "right to write" in refused.value.next_step


def test_a_plan_is_for_its_owner_also_where_a_file_stood_before(tmp_path: Path) -> None:
    """A file that others could read is closed to them before people's data go into it."""
    path = tmp_path / "plan.json"
    path.touch(mode=0o644)
    path.chmod(0o644)
    write_plan(path, Plan(VERSION, 0.0, "sandbox", "store", []))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_plan(path).env == "sandbox"
