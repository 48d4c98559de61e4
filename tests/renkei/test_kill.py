"""kill -9 at any moment of a first sync: whoever goes on afterwards loses nothing and doubles nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from renkei.agreement import compare
from renkei.fakes import Fakes
from renkei.settings import open_project
from renkei.wire import load_rules
from sync.normalise import Lens
from tests.support.command import Place, clean_environment, new_place
from tests.support.tree import ROOT


def _figure(place: Place, name: str) -> int:
    return sum(sum(each.values()) for each in place.fakes.ask("status")[name].values())


def _kill_during(place: Place, dice: random.Random) -> str:
    """Start a first sync and kill it after a random number of further calls or written records; says when."""
    name, most = dice.choice((("calls", 25), ("writes", 700), ("writes", 700)))
    after = dice.randrange(1, most)
    goal = _figure(place, name) + after
    process = subprocess.Popen(
        place.command("sync", "--first"), cwd=ROOT, env=clean_environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and _figure(place, name) < goal:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    return f"{after} {name} in"


def _check_killed(folder: Path, persons: int, moments: int, seed: int) -> None:
    dice = random.Random(seed)
    with Fakes("--persons", str(persons), "--role", "0", "--seed", str(seed)) as fakes:
        place = new_place(folder, fakes)
        told = [_kill_during(place, dice) for _ in range(moments)]
        for _ in range(3):
            last = place.sync("--first", "--json")
        where = f"seed {seed}, killed {', '.join(told)}"
        assert last.code == 0, f"{where}: {last.out}{last.err}"
        assert last.data["routes"][0]["sent"] == {}, where
        (rules,) = load_rules(open_project(folder))
        agreement = compare(Lens(rules), place.live(), frozenset())
        assert agreement.wrong == {}, where
        assert agreement.persons == persons, where
        verdict = fakes.ask("verdict", {"claims": []})
        assert verdict["ok"], f"{where}: {verdict['offences'][:5]}"


def test_killed_three_times(tmp_path: Path) -> None:
    """Three kills during a first sync of 1,200 people, and then to the end: everybody once, everything equal."""
    _check_killed(tmp_path, persons=1_200, moments=3, seed=11)


@pytest.mark.soak
@pytest.mark.timeout(1_700)
def test_killed_thirty_times(tmp_path: Path) -> None:
    """The same with 5,000 people and thirty kills at moments that are new in every run."""
    _check_killed(tmp_path, persons=5_000, moments=30, seed=random.SystemRandom().randrange(10**6))
