"""`python -m tests.mutants [NAME …]`: put each known bug into a copy of the engine and see whether the net finds it.

Prints a table: mutant, profile, store, at which schedule it was killed. Fails if one lives or does not fit any more.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.mutants.hunting import Kill, hunt_all, record
from tests.mutants.laying import mutants

SCHEDULES = 5_000


def line(kill: Kill) -> str:
    """One line of the table."""
    where = kill.profile or "a test"
    end = f"killed at {kill.at:>5}" if kill.at else "LIVES          "
    return f"{kill.mutant.name:<38} {where:<10} {kill.mutant.store:<18} {end}   {kill.by}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these (the file names without .patch)")
    parser.add_argument(
        "--schedules", type=int, default=SCHEDULES, help="look through so many before giving up"
    )
    parser.add_argument("--jobs", type=int, default=2, help="so many at once")
    parser.add_argument("--record", action="store_true", help="keep the result in killed.toml")
    given = parser.parse_args()
    began = time.monotonic()

    def tell(kill: Kill) -> None:
        sys.stdout.write(line(kill) + "\n")
        sys.stdout.flush()

    kills = hunt_all(mutants(tuple(given.names)), given.schedules, given.jobs, tell)
    if given.record:
        record(kills)
    living = [kill.mutant.name for kill in kills if not kill.at]
    seconds = time.monotonic() - began
    sys.stdout.write(f"{len(kills) - len(living)} of {len(kills)} mutants killed in {seconds:.0f} s\n")
    if living:
        sys.stdout.write(f"LIVING {' '.join(living)}\n")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main())
