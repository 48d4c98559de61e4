"""What is handed out for running the service: the container's steps and the unit, as far as they can be tried here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from tests.support.tree import ROOT

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
BUILD, _, FINAL = DOCKERFILE.partition("\nFROM python:3.12-slim\n")
UNIT = (ROOT / "deploy" / "renkei.service").read_text("utf-8")
ANALYZE = shutil.which("systemd-analyze")


def _steps(text: str, word: str) -> list[str]:
    return re.findall(rf"^{word} (.+)$", text, re.MULTILINE)


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _build(folder: Path, seen: Path | None) -> Path:
    """Do what the container's first stage does, in a folder; `seen`: packages that count as installed already."""
    for line in _steps(BUILD, "COPY"):
        *sources, target = line.split()
        for source in sources:
            place = folder / target / source if target == "./" else folder / target
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, place)
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    environment = {**_bare(), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for command in _steps(BUILD, "RUN"):
        ran = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{command}: {ran.stderr[-2_000:]}"
        for site in folder.glob(".venv/lib/python*/site-packages") if seen is not None else ():
            (site / "seen.pth").write_text(f"{seen}\n", "utf-8")
    return folder / ".venv" / "bin" / "renkei"


def test_the_steps_of_the_container_make_a_program_that_runs(tmp_path: Path) -> None:
    """Every step succeeds in an empty folder that holds only what is copied, with the packages of the lock; what comes
    out runs from there and asks for a project."""
    program = _build(tmp_path, Path(sysconfig.get_paths()["purelib"]))
    ran = subprocess.run(
        [program, "run", "--project", tmp_path],
        cwd="/",
        env=_bare(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "There is no renkei.yaml" in ran.stderr
    place: list[str | Path] = [program.with_name("python"), "-c", "import renkei; print(renkei.__file__)"]
    where = subprocess.run(place, cwd="/", env=_bare(), capture_output=True, text=True, check=True).stdout
    assert where.startswith(str(tmp_path))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_steps_of_the_container_from_nothing(tmp_path: Path) -> None:
    """The same with nothing installed: every package is fetched anew and held against its hash."""
    assert _build(tmp_path, None).exists()


def test_the_container_is_what_it_should_be() -> None:
    """Nobody's root, hashes for every package, no index's address, every package of ours and nothing else."""
    assert re.search(r"^USER renkei$", FINAL, re.MULTILINE)
    assert FINAL.index("USER renkei") < FINAL.index("ENTRYPOINT")
    installs = [step for step in _steps(DOCKERFILE, "RUN") if "pip install" in step]
    assert all("--require-hashes" in step or "--no-deps" in step for step in installs)
    assert "index-url" not in DOCKERFILE
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= {line.split()[0] for line in _steps(BUILD, "COPY")}
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = {source for line in _steps(BUILD, "COPY") for source in line.split()[:-1]}
    assert {line.removeprefix("!") for line in allowed if line.startswith("!")} == copied
    assert allowed[1] == "*"


def test_the_unit_ends_in_time_and_does_not_repeat_a_mistake() -> None:
    """systemd waits longer than the service takes to end, restarts it after a failure, and not after code 2."""
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))
    assert int(settings["TimeoutStopSec"]) > 10
    assert (settings["Restart"], settings["RestartPreventExitStatus"]) == ("on-failure", "2")
    assert settings["NoNewPrivileges"] == "yes"
    assert settings["ReadWritePaths"] == "/srv/renkei/.renkei"


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """Where systemd is at hand it finds nothing wrong; elsewhere every line is at least a setting of its section."""
    unit = tmp_path / "renkei.service"
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", UNIT), "utf-8")
    if ANALYZE is not None:
        ran = subprocess.run(
            [ANALYZE, "verify", "--man=no", unit], capture_output=True, text=True, timeout=60, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")
    lines = [line for line in UNIT.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"\[\w+\]|\w+=.*", line) for line in lines)
