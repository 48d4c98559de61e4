"""The demo is a test that can fail: it passes here, and copies of the source with one seeded bug each do not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from renkei.agreement import Agreement
from renkei.demo_outcome import AMOUNTS, FIRMS, HAND_OVERS, RETURNS, UNDONE, Notices, Outcome
from tests.support.command import clean_environment
from tests.support.tree import PRODUCTION, ROOT

SMALL = ("--persons", "300", "--seed", "4", "--seconds")
LAST = re.compile(
    r"converged: (\d+)/(\d+) persons, 0 duplicates, 0 lost edits"
    r" · (\d+) hand-overs?, 0 double, 0 missed, 0 wrong · (\d+) returns?, 0 double, 0 missing, 0 wrong"
    r" · 0 opt-outs undone"
)

# Each change: the file, what stands there, what is put instead.
BLIND_CREATES = (
    # an answer that got lost is taken for «not executed», and the batch leaves again at once …
    (
        "sync/send.py",
        "except InDoubt:\n                self.done.in_doubt += len(flight.jobs)",
        "except InDoubt:\n                self._not_executed(flight)",
    ),
    # … without a look whether the person has come into being meanwhile …
    ("sync/verify.py", "creates = _may_be_there(world, side, jobs, left=left)", "creates: list[Job] = []"),
    # … and the vendor is not asked to refuse what is there already
    ("connectors/marketo/write.py", '_Way("createOnly", "email")', '_Way("createDuplicate", "email")'),
)
# More and smaller batches and more lost answers, so that a create is hit for certain.
MORE_CHANCES = (
    ("connectors/marketo/connector.py", "write_batch=BATCH", "write_batch=5"),
    ("renkei/demo.py", '"lost_after_commit": 0.1', '"lost_after_commit": 0.25'),
)
DEMO = "mappings/presets/marketo-salesforce/demo.json"
IMPATIENT = (DEMO, '"patience": 15', '"patience": 2')  # offences need no patience, only honest runs do
# Each bug of the flows: the name that the judge gives it, and what makes it.
FLOW_BUGS = (
    (
        "of somebody excluded",
        (
            (
                "revenue/exclusions.py",
                'return next((code for code in rule.never if TESTS[code](rule, situation, deal)), "")',
                'return ""',
            ),
            ("simulators/world.py", "opted_out: float = 0.06", "opted_out: float = 0.5"),
        ),
    ),
    (
        "double hand-over",
        (
            (
                "revenue/hand_over.py",
                "yield task(rule.task, key, crossing.told, fields, why=why)",
                'yield from (task(rule.task, key + end, crossing.told, fields, why=why) for end in ("", ":x"))',
            ),
            (DEMO, '"score": 36', '"score": 150'),
        ),
    ),
)


def _demo(folder: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "renkei", "demo", *SMALL, str(seconds)]
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
    ran = _demo(ROOT, 5)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = LAST.fullmatch(ran.stdout.splitlines()[-1])
    assert said is not None
    assert said[1] == said[2] == "300"
    assert int(said[3]) + int(said[4]) > 0
    assert ran.stderr == ""


def test_a_demo_of_a_broken_engine_fails(tmp_path: Path) -> None:
    """Creates that are sent again without a look make doubles: the demo names them and leaves with 1."""
    ran = _demo(_copy(tmp_path, IMPATIENT, *MORE_CHANCES, *BLIND_CREATES), 1)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("NOT converged")
    assert "OFFENCE  duplicate" in ran.stdout
    assert " 0 duplicates" not in ran.stdout.splitlines()[-1]


@pytest.mark.soak
@pytest.mark.parametrize(("name", "bug"), FLOW_BUGS, ids=[name for name, _ in FLOW_BUGS])
def test_a_demo_of_broken_flows_fails(
    name: str, bug: tuple[tuple[str, str, str], ...], tmp_path: Path
) -> None:
    """Exclusions that nobody asks, or a hand-over under two keys: the verdict names what came of it."""
    ran = _demo(_copy(tmp_path, IMPATIENT, *bug), 5)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("NOT converged")
    assert re.search(rf"OFFENCE  .*{name}", ran.stdout), ran.stdout


def _well(**more: object) -> Outcome:
    outcome = Outcome(
        agreement=Agreement(persons=2, pairs=2), verdict={"ok": True}, came_to_rest=True,
        flows={"ok": True, "counts": {"tasks": 3, "returns": 4}},
    )  # fmt: skip
    for attribute, value in more.items():
        setattr(outcome, attribute, value)
    return outcome


def test_the_last_line_of_a_run_that_went_well() -> None:
    """All figures stand in one line, in an order that scripts can rely on."""
    assert _well().last_line == (
        "converged: 2/2 persons, 0 duplicates, 0 lost edits · 3 hand-overs, 0 double, 0 missed, 0 wrong"
        " · 4 returns, 0 double, 0 missing, 0 wrong · 0 opt-outs undone"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"came_to_rest": False}, "2/2 persons"),
        ({"left": {"jp-person failed": 1}}, "2/2 persons"),
        ({"notices": Notices(told=3, twice=1)}, "1 double, 0 missed"),
        ({"agreement": Agreement(persons=2, pairs=2, wrong={"a": ["title"]})}, "1/2 persons"),
        ({"firms": Agreement(persons=1, wrong={"a": ["name"]})}, "2/2 persons"),
        ({"verdict": {"ok": False, "counts": {"withdrawn opt-out": 2}}}, "2 opt-outs undone"),
        ({"flows": {"ok": False, "counts": {"missing return": 1, "wrong list": 2}}}, "1 missing, 2 wrong · 0 opt"),
        ({"flows": {"ok": False, "counts": {"missed hand-over": 5}}}, "0 double, 5 missed, 0 wrong"),
        ({"flows": {"ok": False, "counts": {"tasks": 1, "returns": 1}}}, "1 hand-over, 0 double"),
        ({"flows": {"ok": False, "counts": {"won amount differs": 1}}}, "2/2 persons"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_makes_the_last_line_say_so(more: dict[str, object], said: str) -> None:
    """Each single thing that is not as promised turns the word and the exit code, and is counted where it belongs."""
    outcome = _well(**more)
    assert not outcome.well
    assert outcome.last_line.startswith("NOT converged: ")
    assert said in outcome.last_line


def test_every_offence_of_the_judge_has_its_place_in_the_line() -> None:
    """What the judge of the flows can find is either counted in the last line or in a line of the report."""
    source = "".join(
        (ROOT / "simulators" / f"verdict_{name}.py").read_text("utf-8") for name in ("flows", "returns")
    )
    kinds = set(re.findall(r'Offence\(\s*"([^"]+)"', source))
    listed = {*AMOUNTS, *FIRMS, *UNDONE}
    for group in (HAND_OVERS, RETURNS):
        listed |= {kind for kinds_of in group.values() for kind in kinds_of}
    assert len(kinds) >= 12
    assert kinds <= listed
