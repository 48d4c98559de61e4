"""`python -m tests.sim --seed S [--count N] [--profile P]`: play schedules and report; fails at the first offence, and
says it in one line that fails again anywhere and in as few steps as fail in the same way. A run that is large enough
fails as well where it has not come to something at all, and names it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.sim.driver import Result, play
from tests.sim.profiles import PROFILES
from tests.sim.report import ENOUGH, Tally, as_json, as_text, lacks
from tests.sim.shrinking import again, left_of, replay, shrink
from tests.sim.table import told


def tell(result: Result) -> str:
    """A failed schedule for a reader: how to play it again, what happened, what is wrong."""
    lines = [again(result)]
    lines += [" ".join(str(word) for word in words) for words in result.story]
    lines += [f"OFFENCE {each.kind}: {each.subject}: {each.reason}" for each in result.offences]
    return "\n".join(lines)


def explain(result: Result) -> str:
    """A failed schedule: the line that fails again, and what is left of it when everything superfluous is gone."""
    small = shrink(result.seed, result.profile)
    return f"{again(result)}\n{small.told()}" if small is not None else tell(result)


def _again(seed: int, profile: str, left: str) -> int:
    result = replay(seed, profile, left_of(left))
    sys.stdout.write(tell(result) + "\n")
    return 1 if result.offences else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="renkei-sim")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="default")
    parser.add_argument("--keep-going", action="store_true", help="play all, list failing seeds")
    parser.add_argument("--story", action="store_true", help="tell the story of a good schedule too")
    parser.add_argument(
        "--left", default="", help="play only what is left of a schedule, as a shrunk one says it"
    )
    parser.add_argument(
        "--whole", action="store_true", help="tell the whole of a failing schedule, not a shrunk one"
    )
    parser.add_argument("--json", action="store_true", help="the report for a program")
    parser.add_argument("--enough", type=int, default=ENOUGH, help="schedules from which on nothing may miss")
    parser.add_argument(
        "--table", action="store_true", help="say what proves each fault kind, and play nothing"
    )
    given = parser.parse_args(arguments)
    if given.table:
        sys.stdout.write(told() + "\n")
        return 0
    if given.left:
        return _again(given.seed, given.profile, given.left)
    began = time.process_time()
    tally = Tally(given.profile)
    story, bad = "", list[Result]()
    for seed in range(given.seed, given.seed + given.count):
        result = play(seed, given.profile)
        tally.add(result)
        story = story or (tell(result) if given.story else "")
        if result.offences:
            bad.append(result)
            if not given.keep_going:
                break
    tally.seconds = time.process_time() - began
    out = sys.stdout
    if bad and not given.keep_going:
        story = tell(bad[0]) if given.whole else explain(bad[0])
    out.write(f"{story}\n" if story and not given.json else "")
    out.write((as_json if given.json else as_text)(tally, given.enough) + "\n")
    for result in bad:
        kinds = sorted({f"{each.kind}: {each.reason.splitlines()[-1][:100]}" for each in result.offences})
        (sys.stderr if given.json else out).write(f"FAILED {again(result)}   # {kinds[0]}\n")
    return 1 if bad or lacks(tally, given.enough) else 0


if __name__ == "__main__":
    sys.exit(main())
