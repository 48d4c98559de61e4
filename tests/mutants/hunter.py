"""`python -m tests.mutants.hunter PROFILE COUNT`: play schedules until one turns red, in the copy it is run from.

Prints one line of JSON: at which schedule, under which seed and profile, and by what. A schedule that takes too much
time counts as red as well: an engine that never comes to rest has a bug.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import sync
from tests.sim.driver import play
from tests.sim.profiles import PROFILES

LARGEST = 20  # people in a schedule of those that take turns
LONGEST = 60.0  # seconds of a processor for one schedule; the slowest needs less than one


class Endless(BaseException):
    """A schedule that does not end."""


def _stop(_number: int, _frame: object) -> None:
    raise Endless


def hunt(profile: str, count: int) -> dict[str, object]:
    """The first red schedule among the first `count` ({} = none)."""
    small = sorted(name for name, kind in PROFILES.items() if kind.persons[1] <= LARGEST)
    names = small if profile == "mixed" else [profile]
    signal.signal(signal.SIGPROF, _stop)
    for seed in range(1, count + 1):
        name = names[seed % len(names)]
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        try:
            offences = [f"{each.kind}: {each.reason.splitlines()[-1]}" for each in play(seed, name).offences]
        except Endless:
            offences = ["endless: the schedule did not come to rest"]
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        if offences:
            return {"at": seed, "seed": seed, "profile": name, "by": offences[0]}
    return {}


def main() -> int:
    """The command line; refuses to judge another tree than the one it stands in."""
    profile, count = sys.argv[1:]
    assert sync.__file__ is not None
    if not Path(sync.__file__).is_relative_to(Path.cwd()):
        sys.stderr.write(f"the engine comes from {sync.__file__}, not from here\n")
        return 2
    sys.stdout.write(json.dumps(hunt(profile, int(count))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
